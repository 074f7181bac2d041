"""Follows the refs: judges what moved, enters new versions into the ledger, raises alarms, and makes the catalog.

Every look is a full one; what wakes it is only a hint. A verdict is kept by commit, so a look costs what has changed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from pointsman.intake.alarms import Alarms
from pointsman.intake.catalog import Catalog, WorkflowEntry, policies_from
from pointsman.intake.followed import Follow
from pointsman.intake.known_verdicts import KnownVerdicts, name_of_tags
from pointsman.intake.listing import JudgedBranch, JudgedTag, ledger_rows, workflow_entries
from pointsman.intake.readers import Readers
from pointsman.intake.shortfalls import Head, Shortfalls
from pointsman.intake.signed_tags import SignedTags
from pointsman.intake.signing import tag_verdict
from pointsman.intake.unusable import log_news, unusable_refs
from pointsman.intake.verdict import Verdict
from pointsman.model.names import workflow_path
from pointsman.model.problem import Code, Place, PointsmanError, Problem
from pointsman.repo.targets import BRANCHES, TAGS
from pointsman.repo.versions import ReleaseTag, parse_tag
from pointsman.store.versions import LedgerRow

PATIENCE_SECONDS = 1.0  # after a branch that takes longer, what is known is shown, and pushes made meanwhile go first

log = logging.getLogger("pointsman.intake")


class Follower:
    """Keeps `catalog` true. `published` is called with every look that entered versions; `users` gives local users."""

    def __init__(
        self,
        follow: Follow,
        readers: Readers,
        alarms: Alarms,
        known: KnownVerdicts,
        *,
        users: Callable[[], tuple[str, ...] | None],
        now: Callable[[], float],
        on_look: Callable[[], Awaitable[None]],
        on_publish: Callable[[list[LedgerRow]], None] = lambda _: None,
    ) -> None:
        self._follow, self._readers, self._alarms, self._known = follow, readers, alarms, known
        self._now_users, self._now, self._on_look, self._on_publish = users, now, on_look, on_publish
        self._signed, self._shortfalls = SignedTags(readers, now), Shortfalls(readers, alarms, now)
        self._refs: Mapping[str, Any] = {"branches": {}, "tags": {}, "other_tags": "", "unusable": {}}
        self._tags = ""
        self._users: tuple[str, ...] | None = None
        self._missed: Mapping[str, str] = {}
        self._finished = False
        self._trouble = ""
        self._history = not alarms.rows()
        self.catalog = Catalog()
        self.ready = asyncio.Event()
        self._tell(alarms.rows())

    async def run(self) -> None:
        """Look again and again until cancelled. What goes wrong is said and tried again."""
        warming: asyncio.Task[None] | None = None
        try:
            async for _ in self._follow.hints():
                await self._look_or_say()
                if self.ready.is_set() and warming is None:
                    warming = asyncio.create_task(self._warm_up())
        finally:
            if warming:
                warming.cancel()

    async def _look_or_say(self) -> None:
        try:
            await self.look()
        except PointsmanError as error:
            if error.says != self._trouble:
                log.warning("the repository could not be looked at: %s", error.says)
            self._trouble = error.says
        except Exception:
            log.exception("a look at the repository failed")
        else:
            self._trouble = ""

    async def _warm_up(self) -> None:
        """Have the readers read what a start took from the store, so that the first push need not wait for that."""
        head = self._head(self._refs)
        if head:
            await self._readers.verdict(head, publishes={}, users=self._users)

    @property
    def trouble(self) -> str:
        """Why the catalog may not be as the repository is; empty if nothing is wrong."""
        return self._trouble or self._follow.trouble

    async def look(self) -> None:
        """One full look at the refs, begun again where they move while a branch takes long: no tag waits for it."""
        await self._take_refs()
        same = self._missed == self._follow.missed and self._users == self._now_users()
        if self._finished and same:
            return
        self._finished = False  # also if this look fails half-way
        while not await self._looked_through():
            pass

    async def _take_refs(self) -> None:
        moved = await self._readers.refs()
        if moved is not None:
            self._finished = False
            if not self._tags or any(moved[kind] != self._refs[kind] for kind in ("tags", "other_tags")):
                self._tags = name_of_tags(moved)
            self._refs = moved

    def _head(self, refs: Mapping[str, Any]) -> str:
        return str(refs["branches"].get(self._follow.inventory_branch, ""))

    async def _looked_through(self) -> bool:
        """Look at everything, and show what is known after each branch that took long; whether the refs stayed."""
        refs, self._missed, self._users = self._refs, self._follow.missed, self._now_users()
        self._known.begin(users=self._users, tags=self._tags)
        await self._signed.begin(self._head(refs), refs["tags"])
        tags = await self._judge_tags(refs["tags"])
        while self._enter(tags):
            # a version that has appeared may be the one that another was invalid without
            tags = await self._judge_tags(refs["tags"])
        await self._readers.keep(commit for _, _, commit, _ in self._readers.ledger)
        self._check(refs["tags"])
        waiting = dict(refs["branches"])
        while refs is self._refs:
            await self._judge_some(waiting)
            branches = self._branches(refs["branches"])
            entries = workflow_entries(self._alarms.rows(), tags, branches)
            nothing_left = await self._find_shortfalls(entries, refs, tags) and not waiting
            before, self.catalog = self.catalog.unusable, await self._made(refs, entries, tags, branches)
            log_news(before, self.catalog.unusable)
            if not waiting:
                self._history = False
                self.ready.set()
            await self._on_look()
            if nothing_left:
                self._finished = not self._signed.unsure
                await self._known.finish()
                return True
            await self._take_refs()
        return False

    # Tags

    async def _judge_tags(self, tags: Mapping[str, Mapping[str, Any]]) -> list[JudgedTag]:
        """Every release tag, a workflow's own before those of the repository (DESIGN section 3)."""
        releases = [(tag, facts) for name, facts in tags.items() if (tag := parse_tag(name)) is not None]
        releases.sort(key=lambda release: (not release[0].workflow, release[1]["tagged_at"] or 0, release[0].tag))
        return [await self._judge_tag(tag, facts) for tag, facts in releases]

    async def _judge_tag(self, tag: ReleaseTag, facts: Mapping[str, Any]) -> JudgedTag:
        own = workflow_path(tag.project, tag.workflow) if tag.workflow else ""
        if facts["trouble"]:
            problem = Problem(place=Place("."), code=Code.BAD_REF, says=f"tag {tag.tag}: {facts['trouble']}")
            return JudgedTag(tag=tag, facts=facts, verdict=Verdict(others=(problem,)), paths=(own,) if own else ())
        publishes = {own or "*": tag.display}
        last = self._known.last(facts["commit"], publishes)
        paths = _paths(own, last) if last else ()
        verdict = await self._verdict(facts["commit"], publishes, entered=bool(paths) and self._entered(tag, paths))
        paths = _paths(own, verdict)
        signature = None if self._entered(tag, paths) else await self._signed.problem(tag.tag, facts)
        return JudgedTag(tag=tag, facts=facts, verdict=tag_verdict(tag, verdict, signature=signature), paths=paths)

    def _entered(self, tag: ReleaseTag, paths: Iterable[str]) -> bool:
        """Whether the ledger has all that a tag gives: such versions never change (R25)."""
        return all(self._alarms.has(path, tag.version) for path in paths)

    async def _verdict(self, commit: str, publishes: Mapping[str, str], *, entered: bool = False) -> Verdict:
        """The verdict on a commit. It is asked for again once what it depended on has changed."""
        verdict = self._known.standing(commit, publishes, entered=entered)
        if verdict is None:
            verdict = await self._readers.verdict(commit, publishes=publishes, users=self._users)
            self._known.add(commit, publishes, verdict)
        return verdict

    def _enter(self, judged: Iterable[JudgedTag]) -> bool:
        """Whether there was a version that the ledger did not have."""
        now = self._now()
        rows = list(ledger_rows(judged, first_seen=now))
        with self._alarms.transaction():
            new = [(row, facts) for row, facts in rows if self._alarms.entered(row, at=now)]
            self._on_publish([row for row, facts in new if facts.on.publish])
        entered = [row for row, _ in new]
        self._tell(entered)
        self._shortfalls.published(entered, history=self._history)
        return bool(new)

    def _tell(self, rows: Iterable[LedgerRow]) -> None:
        """Whoever judges or remembers must hear of every version."""
        self._readers.ledger.extend((row.workflow, row.shown, row.commit, row.tag) for row in rows)
        self._known.published(row.workflow for row in rows)

    def _check(self, tags: Mapping[str, Mapping[str, Any]]) -> None:
        """Raise alarms for the tags that are not as the ledger has them."""
        with self._alarms.transaction():
            self._alarms.check(tags, at=self._now())

    # Branches

    async def _judge_some(self, waiting: dict[str, str]) -> None:
        """Judge branches, and take them away, until one takes long. What was too much for a reader before goes last."""
        clock = asyncio.get_running_loop().time
        light = [name for name, commit in waiting.items() if not self._was_too_much(commit)]
        for name in light or list(waiting)[:1]:
            began = clock()
            await self._verdict(waiting.pop(name), {})
            if clock() - began > PATIENCE_SECONDS:
                return

    def _was_too_much(self, commit: str) -> bool:
        known = self._known.last(commit)
        return known is not None and any(problem.code is Code.READER_LIMIT for problem in known.others)

    def _branches(self, branches: Mapping[str, str]) -> list[JudgedBranch]:
        """What is known of the branches."""
        known = ((name, commit, self._known.last(commit)) for name, commit in sorted(branches.items()))
        return [JudgedBranch(branch=name, commit=commit, verdict=found) for name, commit, found in known if found]

    # The catalog

    async def _find_shortfalls(
        self, entries: Mapping[str, WorkflowEntry], refs: Mapping[str, Any], tags: Iterable[JudgedTag]
    ) -> bool:
        """Whether it is known of every version that matters what the inventory branch lacks; within a second."""
        commit = self._head(refs)
        known = self._known.last(commit)
        head = Head(commit=commit, ground=known.ground if known else "")
        grounds = {found.facts["commit"]: found.verdict.ground for found in tags}
        return not commit or await self._shortfalls.look(entries, head, grounds, patience_seconds=PATIENCE_SECONDS)

    async def _made(
        self,
        refs: Mapping[str, Any],
        entries: Mapping[str, WorkflowEntry],
        tags: Iterable[JudgedTag],
        branches: Iterable[JudgedBranch],
    ) -> Catalog:
        head = self._head(refs)
        inventory: Mapping[str, Any] = {"projects": {}, "targets": [], "from_tag": False}
        trouble = "" if head else f"there is no branch {self._follow.inventory_branch}"
        if head:
            try:
                inventory = await self._readers.inventory(head)
            except PointsmanError as error:
                trouble = error.says
        listless = [(TAGS + found.tag.tag, found.verdict) for found in tags if not found.paths]
        listless += [(BRANCHES + found.branch, found.verdict) for found in branches]
        return Catalog(
            head=head,
            head_trouble=trouble,
            workflows=self._shortfalls.with_warnings(entries),
            policies=policies_from(inventory),
            projects=inventory["projects"],
            targets=tuple(inventory["targets"]),
            branches=refs["branches"],
            troubles=self._alarms.standing(),
            unusable=unusable_refs({**refs["unusable"], **self._missed}, listless),
        )


def _paths(own: str, verdict: Verdict) -> tuple[str, ...]:
    """The workflows that a tag gives a version: its own, or all at its commit."""
    return (own,) if own else tuple(verdict.workflows)
