"""Follows the refs: judges what moved, enters new versions into the ledger, raises alarms, and makes the catalog.

Every look is a full one; what wakes it is only a hint. A verdict is kept by commit, so a look costs what has changed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.intake.alarms import Alarms
from pointsman.intake.catalog import Catalog, DraftEntry, VersionEntry, WorkflowEntry, policies_from
from pointsman.intake.readers import Readers
from pointsman.intake.verdict import Verdict
from pointsman.model.names import workflow_path
from pointsman.model.problem import Code, Place, PointsmanError, Problem, Severity
from pointsman.repo.versions import ReleaseTag, latest, ordered, parse_tag
from pointsman.repo.watch import ref_changes
from pointsman.store.versions import LedgerRow

# What may go away without the commit having changed: once there are more versions, or other tags. The reader's limit
# may have been bad luck.
BY_VERSIONS = frozenset({
    Code.UNKNOWN_WORKFLOW, Code.UNKNOWN_VERSION, Code.UNPUBLISHED, Code.CYCLE, Code.LIMIT, Code.BAD_REF,
    Code.READER_LIMIT,
})  # fmt: skip
BY_TAGS = frozenset({Code.UNKNOWN_TEMPLATE})

log = logging.getLogger("pointsman.intake")


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """What is followed: whose refs, how often they are looked at, and which branch holds the inventory."""

    repository: Path
    inventory_branch: str
    poll_seconds: float


@dataclass(slots=True)
class _Judged:
    """A release tag with its verdict."""

    tag: ReleaseTag
    facts: Mapping[str, Any]
    verdict: Verdict
    paths: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Known:
    """A verdict, with how many versions there were then and how often tags had moved."""

    verdict: Verdict
    versions: int
    tags: int


class Follower:
    """Keeps `catalog` true. `published` is called with every look that entered versions; `users` gives local users."""

    def __init__(
        self,
        follow: Follow,
        readers: Readers,
        alarms: Alarms,
        *,
        users: Callable[[], tuple[str, ...] | None],
        now: Callable[[], float],
        on_look: Callable[[], Awaitable[None]],
    ) -> None:
        self._follow, self._readers, self._alarms, self._users, self._now = follow, readers, alarms, users, now
        self._on_look = on_look
        self._verdicts: dict[tuple[str, str], _Known] = {}
        self._refs: Mapping[str, Any] = {"branches": {}, "tags": {}, "unusable": {}}
        self._tags_moved = 0
        self._finished = False
        self.catalog = Catalog()
        self.ready = asyncio.Event()
        self.trouble = ""
        readers.ledger.extend(_ledger_row(row) for row in alarms.ledger.rows())

    async def run(self) -> None:
        """Look again and again until cancelled. What goes wrong is said and tried again."""
        async for _ in ref_changes(self._follow.repository, poll_seconds=self._follow.poll_seconds):
            try:
                await self.look()
            except PointsmanError as error:
                if error.says != self.trouble:
                    log.warning("the repository could not be looked at: %s", error.says)
                self.trouble = error.says
            except Exception:
                log.exception("a look at the repository failed")
            else:
                self.trouble = ""

    async def look(self) -> None:
        """One full look at the refs."""
        moved = await self._readers.refs()
        if moved is not None:
            self._finished = False
            self._tags_moved += moved["tags"] != self._refs["tags"]
            self._refs = moved
        if self._finished:  # a look that failed half-way is not
            return
        refs = self._refs
        judged = await self._judge_tags(refs["tags"])
        while self._enter(judged):
            # a version that has appeared may be the one that another was invalid without
            judged = await self._judge_tags(refs["tags"])
        self._check(refs["tags"])
        drafts = await self._judge_branches(refs["branches"])
        self.catalog = await self._made(refs, judged, drafts)
        self._finished = True
        self.ready.set()
        await self._on_look()

    # Tags

    async def _judge_tags(self, tags: Mapping[str, Mapping[str, Any]]) -> list[_Judged]:
        """Every release tag, a workflow's own before those of the repository (DESIGN section 3)."""
        releases = [(tag, facts) for name, facts in tags.items() if (tag := parse_tag(name)) is not None]
        releases.sort(key=lambda release: (not release[0].workflow, release[1]["tagged_at"] or 0, release[0].tag))
        return [await self._judge_tag(tag, facts) for tag, facts in releases]

    async def _judge_tag(self, tag: ReleaseTag, facts: Mapping[str, Any]) -> _Judged:
        own = workflow_path(tag.project, tag.workflow) if tag.workflow else ""
        if facts["trouble"]:
            problem = Problem(place=Place("."), code=Code.BAD_REF, says=f"tag {tag.tag}: {facts['trouble']}")
            return _Judged(tag, facts, Verdict(problems=(problem,)), (own,) if own else ())
        verdict = await self._verdict(facts["commit"], {own or "*": tag.display})
        if not own:
            return _Judged(tag, facts, verdict, tuple(verdict.workflows))
        if own not in verdict.workflows:
            says = f"tag {tag.tag} names {own}, which is not at its commit"
            problem = Problem(place=Place("."), code=Code.UNKNOWN_WORKFLOW, says=says)
            verdict = Verdict(problems=(*verdict.problems, problem))
        return _Judged(tag, facts, verdict, (own,))

    async def _verdict(self, commit: str, publishes: Mapping[str, str]) -> Verdict:
        """The verdict on a commit. It is asked for again once what it depended on has changed."""
        key = (commit, "".join(f"{path}={version}" for path, version in publishes.items()))
        known = self._verdicts.get(key)
        versions, tags = len(self._readers.ledger), self._tags_moved
        if known is not None:
            codes = {problem.code for problem in known.verdict.problems}
            healed = (known.versions != versions and codes & BY_VERSIONS) or (known.tags != tags and codes & BY_TAGS)
            if not healed:
                return known.verdict
        verdict = await self._readers.verdict(commit, publishes=publishes, users=self._users())
        self._verdicts[key] = _Known(verdict, versions=versions, tags=tags)
        return verdict

    def _enter(self, judged: Iterable[_Judged]) -> bool:
        """Whether there was a version that the ledger did not have."""
        now = self._now()
        rows = [
            LedgerRow(
                workflow=path,
                version=found.tag.version,
                shown=found.tag.display,
                tag=found.tag.tag,
                tag_object=found.facts["object"],
                commit=found.facts["commit"],
                tagger=found.facts["tagger"],
                first_seen=now,
            )
            for found in judged
            for path in found.paths
            if (facts := found.verdict.workflows.get(path)) is not None and facts.valid
        ]
        with self._alarms.transaction():
            new = [row for row in rows if self._alarms.entered(row, at=now)]
        self._readers.ledger.extend(_ledger_row(row) for row in new)
        return bool(new)

    def _check(self, tags: Mapping[str, Mapping[str, Any]]) -> None:
        """Raise alarms for the tags that are not as the ledger has them."""
        with self._alarms.transaction():
            self._alarms.check(tags, at=self._now())

    # Branches

    async def _judge_branches(self, branches: Mapping[str, str]) -> dict[str, tuple[str, Verdict]]:
        return {name: (commit, await self._verdict(commit, {})) for name, commit in branches.items()}

    # The catalog

    async def _made(
        self, refs: Mapping[str, Any], judged: list[_Judged], drafts: Mapping[str, tuple[str, Verdict]]
    ) -> Catalog:
        head = refs["branches"].get(self._follow.inventory_branch, "")
        inventory: Mapping[str, Any] = {"projects": {}, "targets": [], "from_tag": False}
        trouble = "" if head else f"there is no branch {self._follow.inventory_branch}"
        if head:
            try:
                inventory = await self._readers.inventory(head)
            except PointsmanError as error:
                trouble = error.says
        versions = self._version_entries(judged)
        paths = {*versions, *(path for _, verdict in drafts.values() for path in verdict.workflows)}
        return Catalog(
            head=head,
            head_trouble=trouble,
            workflows={path: _entry(path, versions.get(path, ()), drafts) for path in sorted(paths)},
            policies=policies_from(inventory),
            projects=inventory["projects"],
            targets=tuple(inventory["targets"]),
            branches=refs["branches"],
            troubles={**refs["unusable"], **self._alarms.standing()},
        )

    def _version_entries(self, judged: list[_Judged]) -> dict[str, list[VersionEntry]]:
        """What the ledger holds, and what is at tags that give no version."""
        entries: dict[str, dict[str, VersionEntry]] = {}
        verdicts = {(found.tag.tag, found.facts["commit"]): found.verdict for found in judged}
        for row in self._alarms.ledger.rows():
            verdict = verdicts.get((row.tag, row.commit))
            entries.setdefault(row.workflow, {})[row.version] = VersionEntry(
                version=row.version,
                shown=row.shown,
                tag=row.tag,
                commit=row.commit,
                valid=True,
                published_at=row.first_seen,
                facts=verdict.workflows.get(row.workflow) if verdict else None,
            )
        for found in judged:
            for path in found.paths:
                facts = found.verdict.workflows.get(path)
                if found.tag.version not in entries.setdefault(path, {}):
                    entries[path][found.tag.version] = VersionEntry(
                        version=found.tag.version,
                        shown=found.tag.display,
                        tag=found.tag.tag,
                        commit=found.facts["commit"],
                        valid=False,
                        problems=found.verdict.problems,
                        facts=facts,
                    )
        return {path: [found[version] for version in ordered(found)] for path, found in entries.items()}


def _entry(path: str, versions: Iterable[VersionEntry], drafts: Mapping[str, tuple[str, Verdict]]) -> WorkflowEntry:
    versions = tuple(versions)
    newest = latest([entry.version for entry in versions if entry.valid])
    shown = next((entry.shown for entry in versions if entry.version == newest), None)
    return WorkflowEntry(
        path=path,
        latest=shown,
        versions=versions,
        drafts=tuple(
            DraftEntry(
                branch=branch,
                commit=commit,
                valid=verdict.workflows[path].valid,
                problems=_problems_of(path, verdict),
                facts=verdict.workflows[path],
            )
            for branch, (commit, verdict) in sorted(drafts.items())
            if path in verdict.workflows
        ),
    )


def _problems_of(path: str, verdict: Verdict) -> tuple[Problem, ...]:
    file = verdict.workflows[path].file
    return tuple(
        problem for problem in verdict.problems if problem.place.path == file or problem.severity is Severity.ERROR
    )


def _ledger_row(row: LedgerRow) -> tuple[str, str, str, str]:
    return (row.workflow, row.shown, row.commit, row.tag)
