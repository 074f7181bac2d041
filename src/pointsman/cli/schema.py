"""`pointsman schema`: JSON Schema for editors, with this repository's names in it."""

import json
from pathlib import Path

import click

from pointsman.cli.checkout import Checkout
from pointsman.cli.options import repository_options
from pointsman.cli.output import put
from pointsman.cli.standing import standing
from pointsman.editor.files import FileKind
from pointsman.editor.known import known
from pointsman.editor.schema import schema as schema_of
from pointsman.editor.tree import tagged_versions

_KINDS = [kind.value for kind in FileKind]


@click.command(epilog="Example: pointsman schema -o .workflow.schema.json")
@click.option("--kind", type=click.Choice(_KINDS), default="workflow", show_default=True, help="The kind of file.")
@click.option("--ref", metavar="REF", help="Look at a branch, tag or commit instead of the working tree.")
@click.option(
    "-o",
    "--output",
    "output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it there instead of printing it.",
)
@repository_options
def schema(kind: str, ref: str | None, output: Path | None, folder: Path, root: str | None) -> None:
    """Print the JSON Schema (draft-07) of workflow files, or of another kind of file, for this repository.

    The repository's targets, actions, workflows, versions, templates and approvers are in it, for editors to complete.
    """
    checkout = Checkout(folder, root)
    stands = standing(checkout, ref)
    names = known(stands.loaded, stands.source, versions=tagged_versions(checkout.reading, stands.loaded))
    text = json.dumps(schema_of(FileKind(kind), names), indent=2)
    if output is None:
        put(text)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(f"{text}\n", "utf-8")
    except OSError as error:
        raise click.BadParameter(f"{output} cannot be written: {error.strerror}", param_hint="--output") from error
