"""`pointsman lsp`: the language server, over standard input and output."""

import os
import sys
from pathlib import Path

import click

from pointsman.cli.checkout import Checkout
from pointsman.cli.standing import editor_tree
from pointsman.editor.tree import Tree
from pointsman.model.problem import NotFound, PointsmanError


@click.command(epilog="Example: pointsman lsp")
@click.option(
    "--root",
    metavar="FOLDER",
    envvar="POINTSMAN_ROOT",
    help="The subfolder of the repository that holds projects/; found by itself if left out.",
)
@click.option("--stdio", is_flag=True, help="Speak over standard input and output, which it does anyway.")
def lsp(root: str | None, *, stdio: bool) -> None:  # noqa: ARG001 - editors give it to every language server
    """Serve an editor: completion, problems, hover and go to definition for every file of a repository.

    The editor starts it and speaks with it over standard input and output. It takes the repository of each file.
    """
    try:
        from pointsman.editor.server import language_server  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in {"pygls", "lsprotocol"}:
            raise
        raise PointsmanError(
            "the language server needs pygls, which is not installed", hint="pip install 'pointsman[lsp]'"
        ) from error
    spoken = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing that is printed may come between the messages
    language_server(lambda folder: tree_at(folder, root)).start_io(stdout=spoken)


def tree_at(folder: Path, root: str | None) -> Tree:
    """The working tree that a folder is in; `NotFound` if it is in none."""
    try:
        return editor_tree(Checkout(folder, root))
    except NotFound:
        above = next((one for one in folder.parents if (one / (root or "") / "projects").is_dir()), None)
        if above is None:
            raise
        return editor_tree(Checkout(above, root))
