"""What happens to the ledger: versions that appear, and tags that do what published tags must not (R25)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pointsman.intake.catalog import VersionEntry
from pointsman.model.names import SYSTEM, project_of
from pointsman.model.problem import Problem
from pointsman.model.values import JsonObject
from pointsman.store.database import Database
from pointsman.store.events import Events
from pointsman.store.versions import Ledger, LedgerRow

_BETWEEN = "; "


@dataclass(frozen=True, slots=True)
class _Alarm:
    """What a tag does now: `found` is noted, so that the same is told once, and `says` is told."""

    kind: str
    found: str
    says: str


class Alarms:
    """Enters versions and raises alarms, each of them once, with an event. What stands right again may alarm again."""

    def __init__(self, database: Database, events: Events) -> None:
        self._database, self._events = database, events
        self.ledger = Ledger(database)
        self._rows: dict[tuple[str, str], LedgerRow] = {(row.workflow, row.version): row for row in self.ledger.rows()}
        self._conflicts: dict[str, dict[str, _Alarm]] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All workflows of a tag appear at once; if it fails, none has, and all may be entered again."""
        before = dict(self._rows)
        try:
            with self._database.transaction():
                yield
        except BaseException:
            self._rows = before
            raise

    def has(self, workflow: str, version: str) -> bool:
        """Whether the ledger has a version of a workflow."""
        return (workflow, version) in self._rows

    def entered(self, row: LedgerRow, *, at: float) -> bool:
        """Whether a version that was found valid is new. One that the ledger has at another commit is a conflict."""
        known = self._rows.get((row.workflow, row.version))
        if known is None:
            self.ledger.enter(row)
            self._rows[row.workflow, row.version] = row
            body = {"workflow": row.workflow, "version": row.shown, "tag": row.tag, "commit": row.commit}
            self._events.add(
                "version_published", at=at, actor=SYSTEM, body={**body}, project=project_of(row.workflow)
            )  # fmt: skip
            return True
        if known.tag != row.tag and known.commit != row.commit:
            says = f"it would give {row.workflow} version {row.shown} another commit than {known.tag} did"
            found = f"conflict {row.workflow} {row.commit}"
            self._conflicts.setdefault(row.tag, {})[row.workflow] = _Alarm("version_conflict", found, says)
        return False

    def lacking(
        self, path: str, version: VersionEntry, problems: Sequence[Problem], *, inventory: str, at: float
    ) -> None:
        """Tell that a version was published which could not be run with the inventory of now (R28)."""
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        body: JsonObject = {
            "workflow": path, "version": version.shown, "tag": version.tag, "commit": version.commit,
            "inventory": inventory,
            "says": f"{path} {version.shown} could not be run at {inventory[:12]}: {problems[0].message}{more}",
        }  # fmt: skip
        self._events.add("version_lacking", at=at, actor=SYSTEM, body=body, project=project_of(path))

    def rows(self) -> Collection[LedgerRow]:
        """Every version that was ever found valid."""
        return self._rows.values()

    def check(self, tags: Mapping[str, Mapping[str, Any]], *, at: float) -> None:
        """Compare every tag of the ledger with what it is now; tell that, and the conflicts since the last check."""
        conflicts, self._conflicts = self._conflicts, {}
        moved = {row.tag: alarm for row in self._rows.values() if (alarm := _moved(row, tags.get(row.tag)))}
        noted = self.standing()
        for tag in dict.fromkeys([*moved, *conflicts, *noted]):
            now = [moved[tag]] if tag in moved else []
            now += conflicts.get(tag, {}).values()
            self._note(tag, now, noted.get(tag, ""), at=at)

    def standing(self) -> dict[str, str]:
        """What is wrong with which tags now."""
        return self.ledger.alarms()

    def _note(self, tag: str, now: list[_Alarm], noted: str, *, at: float) -> None:
        found = _BETWEEN.join(alarm.found for alarm in now)
        if found == noted:
            return
        self.ledger.clear(tag)
        if found:
            self.ledger.alarm(tag, found, at=at)
        for alarm in now:
            if alarm.found not in noted.split(_BETWEEN):
                self._events.add(
                    alarm.kind, at=at, actor=SYSTEM, body={"tag": tag, "says": f"tag {tag}: {alarm.says}"}
                )  # fmt: skip


def alarm_words(found: str, workflow: str) -> str:
    """What is wrong with a tag, as far as it concerns a workflow that it publishes; empty if it does not."""
    for part in found.split(_BETWEEN):
        kind, _, rest = part.partition(" ")
        if kind == "deleted":
            return "its tag was deleted; the version stays"
        if kind == "moved":
            return f"its tag was moved to {rest[:12] or 'nothing'}; the version stays where it was"
        if kind == "conflict" and rest.split(" ")[0] == workflow:
            return "its tag would give the version another commit; it publishes nothing here"
    return ""


def _moved(row: LedgerRow, now: Mapping[str, Any] | None) -> _Alarm | None:
    if now is None:
        return _Alarm("tag_deleted", "deleted", "it was deleted; its versions stay")
    if now["commit"] == row.commit:
        return None
    commit = now["commit"]
    says = f"it was moved from {row.commit[:12]} to {commit[:12] or 'nothing'}; its versions stay where they were"
    return _Alarm("tag_moved", f"moved {commit}", says)
