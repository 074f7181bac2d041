"""`pointsman diff`: what changes between the plans of two refs, gates that hold less than before first."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pointsman.cli.checkout import WORKING_TREE, Checkout
from pointsman.cli.differences import markdown, summary, text_lines
from pointsman.cli.options import repository_options
from pointsman.cli.output import Finding, put, say
from pointsman.intake.differences import WorkflowDifference, differences


@click.command(epilog="Example: pointsman diff v1 main")
@click.argument("before", metavar="A")
@click.argument("after", metavar="[B]", default=WORKING_TREE)
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything differs.")
@repository_options
def diff(before: str, after: str, *, form: str, exit_code: bool, folder: Path, root: str | None) -> None:
    """Print what changes from ref A to ref B, or to the working tree, in what the workflows would do.

    For each workflow: the gates that are gone, ask for less or no longer stand before a change, then the steps that
    were added, removed, moved, retargeted or changed, then the properties that change for a target.
    """
    checkout = Checkout(folder, root)
    found = tuple(differences(checkout.side(before), checkout.side(after)))
    if form == "json":
        shape = {"before": before, "after": after, "workflows": [_shape(one) for one in found]}
        click.echo(json.dumps(shape, indent=2))
    elif form == "markdown":
        put(markdown(found, before=before, after=after))
    else:
        for line in text_lines(found, sys.stdout):
            put(line)
        say(summary(found))
    if exit_code and found:
        raise SystemExit(1)


def _shape(found: WorkflowDifference) -> dict[str, Any]:
    return {**asdict(found), "errors": [Finding.of(problem).as_json() for problem in found.errors]}
