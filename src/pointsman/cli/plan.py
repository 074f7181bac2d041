"""`pointsman plan`: what a run would do, step by step, and to what."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path

import click

from pointsman.cli.checkout import Checkout, Wanted
from pointsman.cli.options import (
    given_properties,
    given_texts,
    inventory_option,
    json_option,
    property_options,
    repository_options,
    split_version,
)
from pointsman.cli.output import Finding, finding_text, is_terminal, put_json, say
from pointsman.cli.tree import plan_node, put_tree
from pointsman.model.names import workflow_codes
from pointsman.model.plan import Plan
from pointsman.model.problem import Invalid
from pointsman.plan.planner import Planned
from pointsman.web.words import counted


@click.command(epilog="Example: pointsman plan hello_world/backup-environment --ref main --set env=dev")
@click.argument("workflow", metavar="WORKFLOW[@VERSION]")
@click.option(
    "--ref", metavar="BRANCH", help="Plan a draft: the workflow at a branch or commit; . is the working tree."
)
@property_options
@inventory_option
@json_option
@repository_options
def plan(
    workflow: str,
    ref: str | None,
    *,
    settings: tuple[str, ...],
    properties_file: Path | None,
    inventory_branch: str,
    folder: Path,
    root: str | None,
    as_json: bool,
) -> None:
    """Print the expanded tree of a workflow.

    WORKFLOW is a path, project/workflow, or a code that is unique; without VERSION its latest is planned.
    """
    checkout = Checkout(folder, root)
    planned = planned_here(
        checkout, wanted(workflow, ref, inventory_branch, settings=settings, properties_file=properties_file)
    )
    found = plan_or_problems(planned, workflow)
    if as_json:
        from pointsman.web.shapes import plan_shape  # noqa: PLC0415 - it brings the web server's libraries with it

        put_json(plan_shape(found))
        return
    say(_heading(found))
    put_tree(plan_node(found), now=time.time(), stream_is_terminal=is_terminal(sys.stdout))


def wanted(
    workflow: str,
    ref: str | None,
    inventory_branch: str,
    *,
    settings: Iterable[str],
    properties_file: Path | None,
) -> Wanted:
    """What the command line asks for."""
    name, version = split_version(workflow)
    if version is not None and ref is not None:
        raise click.UsageError("a version is published and --ref is a draft: give one of them")
    return Wanted(
        workflow=name,
        version=version,
        ref=ref,
        inventory_branch=inventory_branch,
        properties=given_properties(properties_file),
        texts=given_texts(settings),
    )


def planned_here(checkout: Checkout, wish: Wanted) -> Planned:
    """The plan in this repository; its warnings are said."""
    planned = checkout.planned(wish)
    if planned.plan is not None:
        for problem in planned.problems:
            say(finding_text(Finding.of(problem), sys.stderr))
    return planned


def plan_or_problems(planned: Planned, workflow: str) -> Plan:
    """The plan; `Invalid` with every reason if there is none."""
    if planned.plan is None:
        raise Invalid(f"{workflow} cannot be planned: {counted(len(planned.problems), 'problem')}", planned.problems)
    return planned.plan


def _heading(found: Plan) -> str:
    what = f"version {found.version} ({found.tag})" if found.version else "a draft"
    inventory = f", targets of {found.inventory_commit[:10]}" if found.inventory_commit else ", the working tree"
    return f"{'/'.join(workflow_codes(found.workflow))}, {what}{inventory}; digest {found.digest[:12]}"
