"""What a repository answers to a push, before Git accepts any of it: nothing wrong gets published (R20, R25, R26)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pointsman.intake.readers import Readers
from pointsman.intake.ref_answers import (
    RefAnswer,
    invalid_release,
    kept,
    name_of,
    names_of,
    own_path,
    own_ref,
    paths_of,
    shown_problems,
)
from pointsman.intake.tag_answers import Received
from pointsman.intake.verdict import Verdict
from pointsman.model.problem import Code, Invalid, NotFound, Place, Problem, Severity, has_errors
from pointsman.repo.incoming import repository_after
from pointsman.repo.keeping import OWN
from pointsman.repo.printable import printable_text
from pointsman.repo.targets import BRANCHES, TAGS
from pointsman.repo.versions import ReleaseTag, parse_tag
from pointsman.store.versions import LedgerRow

_MOST_BROKEN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a push does to one ref, by its full name; `old` and `new` are object ids, empty where there is none."""

    ref: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Everything about one push. `objects` are the folders of what was pushed and is not accepted yet.

    `ledger` is the daemon's, None if it cannot be asked. `refuse_drafts`: invalid drafts are refused too.
    """

    repository: Path
    changes: Sequence[Change]
    objects: tuple[Path, ...] = ()
    root: str = ""
    inventory_branch: str = "main"
    refuse_drafts: bool = False
    ledger: Sequence[LedgerRow] | None = None
    at: float = 0.0


async def answers(push: Push) -> list[RefAnswer]:
    """An answer for every version tag and branch of a push, in its order. Git accepts all of it or nothing.

    What was pushed is read in a reader, as it will be: a tag sees the others that come with it (R24).
    """
    after = {change.ref: change.new for change in push.changes}
    with repository_after(push.repository, after, objects=push.objects) as (place, before):
        readers = Readers(place, push.root, place / "data")
        try:
            judge = _Judge(push, readers, {**before, **{ref: new for ref, new in after.items() if new}})
            return [answer for change in push.changes if (answer := await judge.answer(change)) is not None]
        finally:
            await readers.close()


class _Judge:
    """`refs` are those of afterwards, with what is deleted as it was before."""

    def __init__(self, push: Push, readers: Readers, refs: Mapping[str, str]) -> None:
        self._push, self._readers, self._refs = push, readers, refs
        self._inventory = refs.get(BRANCHES + push.inventory_branch, "")
        names = [change.ref.removeprefix(TAGS) for change in push.changes if change.new and change.ref.startswith(TAGS)]
        self._first_seen = dict.fromkeys(names, push.at)
        gone = {change.ref for change in push.changes if not change.new}
        self._releases: dict[str, list[ReleaseTag]] = {}
        for ref in refs:
            tag = parse_tag(ref[len(TAGS) :]) if ref.startswith(TAGS) and ref not in gone else None
            if tag is not None:
                self._releases.setdefault(tag.version, []).append(tag)
        self._ledger = {(row.workflow, row.version): row for row in push.ledger or ()}
        self._entered: dict[str, set[str]] = {}
        for row in self._ledger.values():
            self._entered.setdefault(row.tag, set()).add(row.commit)
        self._commits: dict[tuple[str, str], Verdict] = {}
        self._tags: dict[str, Verdict] = {}
        self._broken = 0

    async def answer(self, change: Change) -> RefAnswer | None:
        """What is said of a change; None for a ref that means nothing here."""
        if change.ref.startswith(OWN):
            return own_ref(change.ref)
        if change.ref.startswith(BRANCHES):
            return await self._branch(change) if change.new else None
        tag = parse_tag(change.ref.removeprefix(TAGS)) if change.ref.startswith(TAGS) else None
        if tag is None:
            return None
        commit = await self._commit(change.new)
        if change.old and await self._may_be_published(tag, change.old, unless=commit):
            return kept(tag, await self._commit(change.old), moved=bool(change.new))
        return await self._tag(tag, commit) if change.new else None

    # Branches

    async def _branch(self, change: Change) -> RefAnswer | None:
        verdict = await self._verdict(change.new, {})
        problems = tuple(problem for problem in verdict.problems if problem.severity is Severity.ERROR)
        if not problems:
            return None
        name = printable_text(change.ref.removeprefix(BRANCHES))
        if self._push.refuse_drafts:
            says, hint = f"branch {name} is refused: its draft is invalid", "correct it, commit, and push again"
        else:
            says, hint = f"the draft on branch {name} is invalid", "a version of it would be refused"
        return RefAnswer(refused=self._push.refuse_drafts, problems=problems, says=says, hint=hint)

    # Tags that were there before

    async def _may_be_published(self, tag: ReleaseTag, old: str, *, unless: str) -> bool:
        """Whether the tag has published a version at another commit than the new one, or nobody can tell."""
        if self._push.ledger is not None:
            return bool(self._entered.get(tag.tag, set()) - {unless})
        commit = await self._commit(old)
        if not commit or commit == unless:
            return False
        # whether it is signed is not asked: that may not have been required when it was published
        verdict = await self._verdict(commit, {own_path(tag) or "*": tag.display})
        # who pushes can make what was good dear to read
        unread = any(problem.code is Code.READER_LIMIT for problem in verdict.others)
        return unread or any(verdict.workflows[path].valid for path in paths_of(tag, verdict))

    # Tags that are new

    async def _tag(self, tag: ReleaseTag, commit: str) -> RefAnswer:
        verdict = await self._release(tag)
        paths = paths_of(tag, verdict)
        invalid = [path for path in paths if not verdict.workflows[path].valid]
        if invalid or (not paths and has_errors(verdict.problems)):
            return invalid_release(tag, verdict, invalid)
        for path in paths:
            other = await self._other(path, tag, commit)
            if other:
                return RefAnswer(
                    refused=True,
                    says=f"tag {tag.tag} is refused: {name_of(path)} has version {tag.display} already, by tag {other} "
                    "at another commit",
                    hint="a published version never moves; publish the next one",
                )
        says = f"tag {tag.tag}: {names_of(paths)} {tag.display} can be published" if paths else ""
        return RefAnswer(problems=shown_problems(tag, verdict), says=says)

    async def _other(self, path: str, tag: ReleaseTag, commit: str) -> str:
        """Another tag that gives this workflow the same version at another commit; empty if there is none."""
        row = self._ledger.get((path, tag.version))
        if row is not None and row.commit != commit:
            return row.tag
        for one in self._releases.get(tag.version, ()):
            if one.tag != tag.tag and own_path(one) in {"", path}:
                facts = (await self._release(one)).workflows.get(path)
                if facts is not None and facts.valid and await self._commit(self._refs[TAGS + one.tag]) != commit:
                    return one.tag
        return ""

    async def _release(self, tag: ReleaseTag) -> Verdict:
        if tag.tag not in self._tags:
            self._tags[tag.tag] = await self._asked(self._question(tag=tag.tag))
        return self._tags[tag.tag]

    async def _verdict(self, commit: str, publishes: Mapping[str, str]) -> Verdict:
        key = (commit, repr(publishes))
        if key not in self._commits:
            self._commits[key] = await self._asked(self._question(commit=commit, publishes=publishes))
        return self._commits[key]

    async def _asked(self, question: Received) -> Verdict:
        if self._broken >= _MOST_BROKEN:
            says = f"not read: {_MOST_BROKEN} others in this push broke the reader"
            return Verdict(others=(Problem(place=Place("."), code=Code.READER_LIMIT, says=says, hint="push it alone"),))
        verdict = await self._readers.received(question)
        self._broken += any(problem.code is Code.READER_LIMIT for problem in verdict.others)
        return verdict

    def _question(self, *, tag: str = "", commit: str = "", publishes: Mapping[str, str] | None = None) -> Received:
        return Received(
            tag=tag,
            commit=commit,
            publishes=publishes or {},
            inventory=self._inventory,
            first_seen=self._first_seen,
        )

    async def _commit(self, object_id: str) -> str:
        """The commit that an object is or leads to; empty if there is none."""
        try:
            return await self._readers.resolve(object_id) if object_id else ""
        except (Invalid, NotFound):
            return ""
