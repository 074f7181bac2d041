"""What a repository answers to a push, before Git accepts any of it: nothing wrong gets published (R20, R25, R26)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pointsman.intake.readers import Readers
from pointsman.intake.tag_answers import Received
from pointsman.intake.verdict import Verdict
from pointsman.model.names import workflow_codes, workflow_path
from pointsman.model.problem import Code, Invalid, NotFound, Place, Problem, Severity, has_errors
from pointsman.repo.incoming import repository_after
from pointsman.repo.printable import printable_text
from pointsman.repo.targets import BRANCHES, TAGS
from pointsman.repo.versions import ReleaseTag, parse_tag
from pointsman.store.versions import LedgerRow

_MOST_NAMED = 5
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RefAnswer:
    """What is said about one ref: what was found, a sentence (empty if there is nothing to say), and the remedy."""

    refused: bool = False
    problems: tuple[Problem, ...] = ()
    says: str = ""
    hint: str = ""


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
        names = [change.ref.removeprefix(TAGS) for change in push.changes if change.new and TAGS in change.ref]
        self._first_seen = dict.fromkeys(names, push.at)
        gone = {change.ref for change in push.changes if not change.new}
        self._releases = [
            tag for ref in refs if ref.startswith(TAGS) and ref not in gone and (tag := parse_tag(ref[len(TAGS) :]))
        ]
        self._commits: dict[tuple[str, str], Verdict] = {}
        self._tags: dict[str, Verdict] = {}
        self._broken = 0

    async def answer(self, change: Change) -> RefAnswer | None:
        """What is said of a change; None for a ref that means nothing here."""
        if change.ref.startswith(BRANCHES):
            return await self._branch(change) if change.new else None
        tag = parse_tag(change.ref.removeprefix(TAGS)) if change.ref.startswith(TAGS) else None
        if tag is None:
            return None
        commit = await self._commit(change.new)
        if change.old and await self._is_published(tag, change.old, unless=commit):
            return _kept(tag, await self._commit(change.old), moved=bool(change.new))
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

    async def _is_published(self, tag: ReleaseTag, old: str, *, unless: str) -> bool:
        """Whether the tag has published a version, at another commit than the one it is at now."""
        if self._push.ledger is not None:
            return any(row.tag == tag.tag and row.commit != unless for row in self._push.ledger)
        commit = await self._commit(old)
        if not commit or commit == unless:
            return False
        # whether it is signed is not asked: that may not have been required when it was published
        verdict = await self._verdict(commit, {_own(tag) or "*": tag.display})
        return any(verdict.workflows[path].valid for path in _paths(tag, verdict))

    # Tags that are new

    async def _tag(self, tag: ReleaseTag, commit: str) -> RefAnswer:
        verdict = await self._release(tag)
        paths = _paths(tag, verdict)
        invalid = [path for path in paths if not verdict.workflows[path].valid]
        if invalid or (not paths and has_errors(verdict.problems)):
            return _invalid(tag, verdict, invalid)
        for path in paths:
            other = await self._other(path, tag, commit)
            if other:
                return RefAnswer(
                    refused=True,
                    says=f"tag {tag.tag} is refused: {_name(path)} has version {tag.display} already, by tag {other} "
                    "at another commit",
                    hint="a published version never moves; publish the next one",
                )
        says = f"tag {tag.tag}: {_names(paths)} {tag.display} can be published" if paths else ""
        return RefAnswer(problems=_shown(tag, verdict), says=says)

    async def _other(self, path: str, tag: ReleaseTag, commit: str) -> str:
        """Another tag that gives this workflow the same version at another commit; empty if there is none."""
        for row in self._push.ledger or ():
            if (row.workflow, row.version) == (path, tag.version) and row.commit != commit:
                return row.tag
        for one in self._releases:
            if one.version == tag.version and one.tag != tag.tag and _own(one) in {"", path}:
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


def _own(tag: ReleaseTag) -> str:
    return workflow_path(tag.project, tag.workflow) if tag.workflow else ""


def _paths(tag: ReleaseTag, verdict: Verdict) -> list[str]:
    """The workflows that a tag publishes, valid or not."""
    own = _own(tag)
    return [path for path in verdict.workflows if own in {"", path}]


def _name(path: str) -> str:
    return "/".join(workflow_codes(path))


def _names(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(map(_name, paths[:_MOST_NAMED])) + more


def _kept(tag: ReleaseTag, commit: str, *, moved: bool) -> RefAnswer:
    does, own = (
        ("moves", f"; yours as it is published: git fetch -f origin tag {tag.tag}") if moved else ("vanishes", "")
    )
    return RefAnswer(
        refused=True,
        says=f"tag {tag.tag} is a published version, which never {does}; it stays at {commit[:10]}",
        hint=f"publish the next version with a tag of its own{own}",
    )


def _invalid(tag: ReleaseTag, verdict: Verdict, invalid: Sequence[str]) -> RefAnswer:
    names = _names(invalid)
    unsigned = any(problem.code is Code.BAD_SIGNATURE for problem in verdict.problems)
    why = (
        "its signature does not count" if unsigned else f"invalid: {names}" if names else "its commit gives no version"
    )
    again = f"git tag -f {'-s' if unsigned else '-a'} {tag.tag}"
    return RefAnswer(
        refused=True,
        problems=_shown(tag, verdict),
        says=f"tag {tag.tag} is refused; {why}",
        hint=f"correct it, commit, and tag that commit: {again}",
    )


def _shown(tag: ReleaseTag, verdict: Verdict) -> tuple[Problem, ...]:
    """The problems in the files that a tag publishes; all of them where these do not say what is wrong."""
    facts = verdict.workflows.get(_own(tag))
    if facts is None:
        return verdict.problems
    own = (*(problem for problem in verdict.others if problem.code is Code.BAD_SIGNATURE), *facts.problems)
    return own if facts.valid or has_errors(own) else verdict.problems
