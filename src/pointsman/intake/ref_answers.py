"""What is said about one ref of a push, in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pointsman.intake.verdict import Verdict
from pointsman.model.names import workflow_codes, workflow_path
from pointsman.model.problem import Code, Problem, has_errors
from pointsman.repo.printable import printable_text
from pointsman.repo.versions import ReleaseTag

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RefAnswer:
    """What is said about one ref: what was found, a sentence (empty if there is nothing to say), and the remedy."""

    refused: bool = False
    problems: tuple[Problem, ...] = ()
    says: str = ""
    hint: str = ""


def own_ref(ref: str) -> RefAnswer:
    """A refusal: the refs of Pointsman itself are nobody's to push."""
    return RefAnswer(
        refused=True,
        says=f"{printable_text(ref)} is refused: such refs keep what was published, and are the daemon's own",
        hint="leave it out of the push",
    )


def own_path(tag: ReleaseTag) -> str:
    """The one workflow that a tag publishes; empty if it publishes all at its commit."""
    return workflow_path(tag.project, tag.workflow) if tag.workflow else ""


def paths_of(tag: ReleaseTag, verdict: Verdict) -> list[str]:
    """The workflows that a tag publishes, valid or not."""
    own = own_path(tag)
    return [path for path in verdict.workflows if own in {"", path}]


def name_of(path: str) -> str:
    """A workflow as `project/workflow`."""
    return "/".join(workflow_codes(path))


def names_of(paths: Sequence[str]) -> str:
    """Some workflows by name, and how many more there are."""
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(map(name_of, paths[:_MOST_NAMED])) + more


def kept(tag: ReleaseTag, commit: str, *, moved: bool) -> RefAnswer:
    """A refusal: the tag is a published version, and stays at this commit."""
    does, own = (
        ("moves", f"; yours as it is published: git fetch -f origin tag {tag.tag}") if moved else ("vanishes", "")
    )
    return RefAnswer(
        refused=True,
        says=f"tag {tag.tag} is a published version, which never {does}; it stays at {commit[:10]}",
        hint=f"publish the next version with a tag of its own{own}",
    )


def invalid_release(tag: ReleaseTag, verdict: Verdict, invalid: Sequence[str]) -> RefAnswer:
    """A refusal: of what the tag would publish, `invalid` is, or there is nothing."""
    names = names_of(invalid)
    unsigned = any(problem.code is Code.BAD_SIGNATURE for problem in verdict.problems)
    why = (
        "its signature does not count" if unsigned else f"invalid: {names}" if names else "its commit gives no version"
    )
    again = f"git tag -f {'-s' if unsigned else '-a'} {tag.tag}"
    return RefAnswer(
        refused=True,
        problems=shown_problems(tag, verdict),
        says=f"tag {tag.tag} is refused; {why}",
        hint=f"correct it, commit, and tag that commit: {again}",
    )


def shown_problems(tag: ReleaseTag, verdict: Verdict) -> tuple[Problem, ...]:
    """The problems in the files that a tag publishes; all of them where these do not say what is wrong."""
    facts = verdict.workflows.get(own_path(tag))
    if facts is None:
        return verdict.problems
    own = (*(problem for problem in verdict.others if problem.code is Code.BAD_SIGNATURE), *facts.problems)
    return own if facts.valid or has_errors(own) else verdict.problems
