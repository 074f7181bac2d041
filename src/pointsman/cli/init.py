"""`pointsman init`: the `hello_world` example as a new Git repository, committed and tagged."""

import shlex
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pointsman.model.problem import Refused

if TYPE_CHECKING:
    from pygit2 import Repository

BRANCH = "main"
RELEASE = "v1"
_APPROVER = "opschain"  # the seed's pipeline names this user, and a refused approval is no first impression
_NOBODY = ("Pointsman Example", "example@localhost")


@click.command(epilog="Example: pointsman init hello && cd hello && pointsman plan rollout-pipeline")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write the hello_world example as a Git repository.

    DIR, by default the current folder, must be empty or not exist yet. It gets a project with three environments, a
    template with its scripts, and three workflows, committed on main and published by the tag v1.
    """
    commit = write_example(folder)
    click.echo(f"hello_world is in {folder.absolute()}: branch {BRANCH}, tag {RELEASE}, commit {commit[:10]}\n")
    click.echo("Next:")
    if folder.absolute() != Path.cwd():
        click.echo(f"  cd {shlex.quote(str(folder))}")
    click.echo("  pointsman validate")
    click.echo("  pointsman plan rollout-pipeline")
    click.echo(f"  pointsman serve . --operator {_APPROVER}    # {_APPROVER} is who may approve")


def write_example(folder: Path) -> str:
    """The id of the commit that holds the example, in a new repository in `folder`, tagged `v1`.

    `Refused` if the folder holds anything, in which case nothing is written, or if it cannot be written.
    """
    from pygit2 import GitError, init_repository  # noqa: PLC0415 - `--help` must not wait for libgit2

    try:
        _refuse_what_is_there(folder)
        folder.mkdir(parents=True, exist_ok=True)
        repository = init_repository(str(folder), initial_head=BRANCH)
        return _committed(repository, folder)
    except (OSError, GitError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise Refused(
            f"the example cannot be written to {folder}: {why}", hint="name a folder that you may write to"
        ) from error


def _refuse_what_is_there(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is there already, and it is no folder", hint="name a folder that does not exist yet")
    inside = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if inside:
        raise Refused(
            f"the folder {folder} is not empty: it holds {inside[0]}; nothing was written",
            hint="name a folder that does not exist yet, such as: pointsman init hello_world",
        )


def _committed(repository: "Repository", folder: Path) -> str:
    from pygit2 import IndexEntry, Signature  # noqa: PLC0415 - as above
    from pygit2.enums import FileMode  # noqa: PLC0415 - as above

    from pointsman.repo.publishing import create_tag  # noqa: PLC0415 - as above

    for path, data in _example_files():
        # Wheels and file systems may lose the executable bit, and a step cannot start a script without it.
        program = path.endswith(".sh")
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        file.chmod(0o755 if program else 0o644)
        mode = FileMode.BLOB_EXECUTABLE if program else FileMode.BLOB
        repository.index.add(IndexEntry(path, repository.create_blob(data), mode))
    repository.index.write()
    who = _author(repository)
    author = Signature(*who)
    tree = repository.index.write_tree()
    message = "hello_world: three environments, one template, three workflows\n"
    commit = str(repository.create_commit("HEAD", author, author, message, tree, []))
    create_tag(repository, RELEASE, commit, "Release 1\n", who)
    return commit


def _author(repository: "Repository") -> tuple[str, str]:
    """Git's `user.name` and `user.email`, or a name that says that nobody is meant."""
    from pygit2 import GitError  # noqa: PLC0415 - as above

    try:
        configured = repository.default_signature
    except (KeyError, GitError, ValueError):  # not set, or set to nothing
        return _NOBODY
    return configured.name, configured.email


def _example_files() -> Iterator[tuple[str, bytes]]:
    """The example's files with their paths in the repository."""
    return _below(files("pointsman") / "example" / "hello_world", "")


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        path = prefix + item.name
        if item.is_dir():
            yield from _below(item, f"{path}/")
        else:
            yield path, item.read_bytes()
