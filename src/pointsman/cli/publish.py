"""`pointsman publish`: the tag that publishes a workflow, made in the local repository."""

import os
import sys
from pathlib import Path

import click

from pointsman.cli.checkout import Checkout
from pointsman.cli.differences import text_lines
from pointsman.cli.options import inventory_option, quiet_option, repository_options
from pointsman.cli.output import Finding, finding_text, put, say
from pointsman.intake.differences import differences
from pointsman.intake.needs import Releases, lacking
from pointsman.model.names import workflow_codes
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Invalid, NotFound, Refused, has_errors
from pointsman.repo.publishing import create_signed_tag, create_tag, delete_tag, next_version
from pointsman.repo.versions import ReleaseTag, parse_tag
from pointsman.web.words import counted

_UNCHANGED = 0
_IGNORED = 1 << 14
_MOST_NAMED = 3


@click.command(epilog="Example: pointsman publish hello_world/rollout-pipeline 2.0.0rc1")
@click.argument("workflow")
@click.argument("version", metavar="[VERSION]", required=False)
@click.option("-m", "--message", help="The tag's message.")
@click.option("--sign", is_flag=True, help="Sign the tag with your SSH key, as git tag -s does.")
@quiet_option
@inventory_option
@repository_options
def publish(
    workflow: str,
    version: str | None,
    *,
    message: str | None,
    sign: bool,
    inventory_branch: str,
    folder: Path,
    root: str | None,
    quiet: bool,
) -> None:
    """Validate WORKFLOW as it is committed, make its tag PROJECT/WORKFLOW/vVERSION, and say how to push it.

    Without VERSION it is the next whole number. Nothing is pushed.
    """
    checkout = Checkout(folder, root, inventory_branch=inventory_branch)
    if not checkout.is_repository:
        raise NotFound(f"{folder.absolute()} is no Git repository, so there is nothing to tag")
    try:
        head = checkout.reading.resolve("HEAD")
    except NotFound:
        raise Refused("nothing is committed yet", hint="commit first: a tag stands on a commit") from None
    _check_committed(checkout)
    path = checkout.workflow(workflow, ref="HEAD")
    tag = _tag(checkout, path, version)
    _check_valid(checkout, path, head, tag)
    _warn_of_targets(checkout, path, head, inventory_branch)
    _show_changes(checkout, path, head)
    name = f"{tag.project}/{tag.workflow}"
    text = message or f"Publish {name} {tag.display}"
    if sign:
        _make_signed(checkout, tag, head, text)
    elif checkout.tags.must_be_signed:
        raise Refused(
            f"tags must be signed, as the branch {inventory_branch} says", hint="publish it with --sign, or: git tag -s"
        )
    else:
        create_tag(checkout.repository, tag.tag, head, f"{text}\n", _tagger(checkout))
    if quiet:
        put(tag.tag)
        return
    say(f"{name} {tag.display} is tagged at commit {head[:10]}; it is published once the tag is pushed:")
    put(f"git push origin {tag.tag}")


def _check_committed(checkout: Checkout) -> None:
    """`Refused` if what would be tagged is not what is seen in the working tree."""
    if checkout.folder is None:
        return
    prefix = f"{checkout.root}/" if checkout.root else ""
    ours = tuple(prefix + top for top in ("projects/", "templates/", "pointsman.yaml"))
    changed = sorted(
        path
        for path, flags in checkout.repository.status(untracked_files="all").items()
        if path.startswith(ours) and flags not in {_UNCHANGED, _IGNORED}
    )
    if changed:
        more = f" and {counted(len(changed) - _MOST_NAMED, 'more file')}" if len(changed) > _MOST_NAMED else ""
        raise Refused(
            f"{', '.join(changed[:_MOST_NAMED])}{more}: changed since the last commit, which is what a tag publishes",
            hint="commit or put away the changes first",
        )


def _tag(checkout: Checkout, path: str, version: str | None) -> ReleaseTag:
    """The tag for a version, by default the next one; `Refused` if the workflow has that version."""
    name = "/".join(workflow_codes(path))
    releases = checkout.tags.candidates(path)
    if version is None:
        version = next_version(tag.version for tag, _ in releases)
    tag = parse_tag(f"{name}/v{version.removeprefix('v')}")
    if tag is None:
        raise click.BadParameter(
            f"{version!r} is no version as in PEP 440, such as 1, 1.2.0 or 2.0.0rc1", param_hint="VERSION"
        )
    standing = checkout.tags.find(path, tag.version)
    if standing is not None:
        raise Refused(
            f"{name} has version {standing.version} already: tag {standing.tag}, commit {standing.commit[:10]}",
            hint=f"a published version never moves; publish the next one: pointsman publish {name}",
        )
    return tag


def _warn_of_targets(checkout: Checkout, path: str, head: str, inventory_branch: str) -> None:
    """Say what the inventory branch lacks that the workflow needs: a run would be refused (R28)."""
    branch = checkout.reading.refs().branches.get(inventory_branch)
    if branch is None or branch == head:
        return
    releases = Releases(definitions=checkout.reading.definitions, published=checkout.reading.published)
    pinned = PinnedWorkflow(path=path, version="", commit=head)
    missing = lacking(releases, pinned, inventory=branch)
    for problem in missing:
        say(finding_text(Finding.of(problem), sys.stderr))
    if missing:
        say(f"hint: a run of it is refused until the branch {inventory_branch} has what is missing")


def _show_changes(checkout: Checkout, path: str, head: str) -> None:
    """Say what is different from the latest version."""
    newest = checkout.tags.find(path, None)
    if newest is None:
        return
    found = tuple(differences(checkout.side(newest.tag), checkout.side(head), only=path))
    say("\n".join(text_lines(found, sys.stderr)) or f"nothing changes in it since version {newest.version}")


def _make_signed(checkout: Checkout, tag: ReleaseTag, head: str, text: str) -> None:
    """Make the tag and look at its signature as a daemon will; a tag that would be invalid does not stay."""
    create_signed_tag(checkout.repository, tag.tag, head, text)
    problem = checkout.tags.signature(checkout.reading.refs().tags[tag.tag])
    if problem is not None:
        delete_tag(checkout.repository, tag.tag)
        raise Invalid(f"the tag {tag.tag} would be invalid, so it was not made", [problem])


def _tagger(checkout: Checkout) -> tuple[str, str] | None:
    """Who Git's own commands would say makes the tag; None if they would not know either."""
    name = os.environ.get("GIT_COMMITTER_NAME") or _configured(checkout, "user.name")
    email = os.environ.get("GIT_COMMITTER_EMAIL") or _configured(checkout, "user.email")
    return (name, email) if name and email else None


def _configured(checkout: Checkout, key: str) -> str:
    try:
        return checkout.repository.config[key] or ""
    except KeyError:
        return ""


def _check_valid(checkout: Checkout, path: str, head: str, tag: ReleaseTag) -> None:
    verdict = checkout.reading.judge(head, {path: tag.display})
    facts = verdict.workflows.get(path)
    if facts is not None and facts.valid:
        return
    own = [problem for problem in verdict.problems if facts and problem.place.path == facts.file]
    problems = own if has_errors(own) else verdict.problems
    raise Invalid(f"{'/'.join(workflow_codes(path))} is invalid, so it was not published", problems)
