"""`pointsman versions`: what is published and what is drafted in this repository."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from pointsman.cli.checkout import Checkout
from pointsman.cli.options import json_option, quiet_option, repository_options
from pointsman.cli.output import Finding, put, put_json, put_table
from pointsman.intake.verdict import Verdict
from pointsman.model.names import workflow_codes
from pointsman.model.problem import NotFound, Severity

Item = dict[str, Any]
_HEADINGS = ("WORKFLOW", "VERSION", "STATE", "COMMIT", "TAG OR BRANCH")


@click.command(epilog="Example: pointsman versions hello_world/rollout-pipeline")
@click.argument("workflow", metavar="[WORKFLOW]", required=False)
@json_option
@quiet_option
@repository_options
def versions(workflow: str | None, folder: Path, root: str | None, *, as_json: bool, quiet: bool) -> None:
    """Print the versions and drafts of a workflow, or of all, with their commit and state.

    The tags of this repository are judged anew; a daemon keeps what it saw first.
    """
    checkout = Checkout(folder, root)
    if not checkout.is_repository:
        raise NotFound(f"{folder.absolute()} is no Git repository, so there are no versions in it")
    drafts = {
        branch: (commit, checkout.reading.judge(commit))
        for branch, commit in sorted(checkout.reading.refs().branches.items())
    }
    paths = [checkout.workflow(workflow)] if workflow is not None else _paths(checkout, drafts)
    items = [_item(checkout, path, drafts) for path in paths]
    if as_json:
        put_json(items)
    elif quiet:
        for item in items:
            for version in item["versions"]:
                put(f"{item['project']}/{item['workflow']}@{version['version']}")
    else:
        put_table(_HEADINGS, [row for item in items for row in _rows(item)], nothing="there is no workflow")


def _paths(checkout: Checkout, drafts: Mapping[str, tuple[str, Verdict]]) -> list[str]:
    tagged = {path for release in checkout.tags.releases for path in checkout.tags.verdict(release).workflows}
    return sorted(tagged | {path for _, verdict in drafts.values() for path in verdict.workflows})


def _item(checkout: Checkout, path: str, drafts: Mapping[str, tuple[str, Verdict]]) -> Item:
    """A workflow as `GET workflows` shows it."""
    project, workflow = workflow_codes(path)
    newest = checkout.tags.find(path, None)
    return {
        "project": project,
        "workflow": workflow,
        "path": path,
        "latest": newest.version if newest else None,
        "versions": list(_versions(checkout, path)),
        "drafts": [
            {"branch": branch, "commit": commit, "state": _state(verdict, path), "problems": _problems(verdict, path)}
            for branch, (commit, verdict) in drafts.items()
            if path in verdict.workflows
        ],
    }


def _versions(checkout: Checkout, path: str) -> Iterator[Item]:
    for tag, ref in checkout.tags.candidates(path):
        verdict = checkout.tags.verdict((tag, ref))
        winner = checkout.tags.find(path, tag.version)
        if winner is not None and winner.tag != tag.tag:
            continue  # another tag gives this version, and it keeps it
        yield {
            "version": tag.display,
            "tag": tag.tag,
            "commit": ref.commit,
            "state": _state(verdict, path),
            "published_at": None,
            "problems": _problems(verdict, path),
        }


def _state(verdict: Verdict, path: str) -> str:
    return "valid" if path in verdict.workflows and verdict.workflows[path].valid else "invalid"


def _problems(verdict: Verdict, path: str) -> list[Item]:
    """The problems in a workflow's own file, and the errors of all others while it is invalid."""
    facts = verdict.workflows.get(path)
    return [
        Finding.of(problem).as_json()
        for problem in verdict.problems
        if (facts is not None and problem.place.path == facts.file)
        or (problem.severity is Severity.ERROR and not (facts and facts.valid))
    ]


def _rows(item: Item) -> Iterator[tuple[str, ...]]:
    name = f"{item['project']}/{item['workflow']}"
    for version in item["versions"]:
        latest = " (latest)" if version["version"] == item["latest"] else ""
        shown = f"{version['version']}{latest}"
        yield name, shown, version["state"], version["commit"][:10], version["tag"]
    for draft in item["drafts"]:
        yield name, "draft", draft["state"], draft["commit"][:10], draft["branch"]
