"""What versions find in the inventory of their own commit, and not at the head of the inventory branch (R28).

It is no reason against a version: the inventory may follow. So it is asked again when the inventory is another.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pointsman.intake.alarms import Alarms
from pointsman.intake.catalog import VersionEntry, WorkflowEntry
from pointsman.intake.readers import ReaderLimitError, Readers
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Invalid, NotFound, Problem
from pointsman.store.versions import LedgerRow

Named = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of the inventory branch: its commit, and what names its inventory, as far as it is known."""

    commit: str
    ground: str


class Shortfalls:
    """What is lacking of the latest version of each workflow, and of the versions that were just published."""

    def __init__(self, readers: Readers, alarms: Alarms, now: Callable[[], float]) -> None:
        self._readers, self._alarms, self._now = readers, alarms, now
        self._found: dict[Named, tuple[str, tuple[Problem, ...]]] = {}
        self._watched: set[Named] = set()
        self._untold: set[Named] = set()

    def published(self, rows: Iterable[LedgerRow], *, history: bool) -> None:
        """These versions were just entered. Of those that are only `history`, nothing but the latest matters."""
        names = {(row.workflow, row.version) for row in rows}
        self._untold |= names
        if not history:
            self._watched |= names

    async def look(
        self, entries: Mapping[str, WorkflowEntry], head: Head, grounds: Mapping[str, str], *, patience_seconds: float
    ) -> bool:
        """Ask what is not known; whether nothing is left to ask. `grounds` name the inventories of commits."""
        clock = asyncio.get_running_loop().time
        began, inventory = clock(), head.ground or head.commit
        wanted = {(path, version.version): version for path, version in self._wanted(entries)}
        self._found = {name: found for name, found in self._found.items() if name in wanted}
        for name, version in wanted.items():
            path = name[0]
            known = self._found.get(name)
            if known and known[0] == inventory:
                continue
            if clock() - began > patience_seconds:
                return False
            same = head.ground and grounds.get(version.commit) == head.ground
            found = () if same else await self._lacking(path, version, head)
            if found and name in self._untold:
                self._alarms.lacking(path, version, found, inventory=head.commit, at=self._now())
            self._untold.discard(name)
            self._found[name] = (inventory, found)
        return True

    def with_warnings(self, entries: Mapping[str, WorkflowEntry]) -> dict[str, WorkflowEntry]:
        """The entries with what is known to be lacking."""
        told = dict(entries)
        for (path, version), (_, problems) in self._found.items():
            entry = told.get(path)
            if problems and entry:
                versions = (
                    replace(one, problems=problems) if one.version == version and one.valid else one
                    for one in entry.versions
                )
                told[path] = replace(entry, versions=tuple(versions))
        return told

    def _wanted(self, entries: Mapping[str, WorkflowEntry]) -> Iterator[tuple[str, VersionEntry]]:
        """Those that were just published first."""
        late = []
        for path, entry in entries.items():
            for version in entry.versions:
                name = (path, version.version)
                if version.valid and (version.shown == entry.latest or name in self._watched):
                    if name in self._untold:
                        yield path, version
                    else:
                        late.append((path, version))
        yield from late

    async def _lacking(self, path: str, version: VersionEntry, head: Head) -> tuple[Problem, ...]:
        pinned = PinnedWorkflow(path=path, version=version.version, commit=version.commit, tag=version.tag)
        try:
            return await self._readers.lacking(pinned, inventory=head.commit)
        except (Invalid, NotFound, ReaderLimitError):
            return ()  # whoever starts a run is told
