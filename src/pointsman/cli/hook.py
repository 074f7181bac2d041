"""`pointsman hook`: the pre-receive hook that keeps what is wrong out of a repository."""

import asyncio
import os
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from pointsman.cli.options import inventory_option
from pointsman.cli.output import Finding, finding_text, put, say
from pointsman.intake.receive import Change, Push, answers
from pointsman.intake.ref_answers import RefAnswer
from pointsman.model.problem import has_errors
from pointsman.repo.hooks import NAME, REFUSED, install_hook, uninstall_hook
from pointsman.repo.keeping import OWN
from pointsman.store.ledger_file import ledger_in
from pointsman.web.words import counted

_MOST_SHOWN = 50
_repository = click.argument("repository", type=click.Path(exists=True, file_okay=False, path_type=Path))
_root = click.option(
    "--root",
    metavar="FOLDER",
    default="",
    envvar="POINTSMAN_ROOT",
    help="The subfolder of the repository that holds projects/.",
)
_branches = click.option("--branches", is_flag=True, help="Refuse branches with an invalid draft too.")
_data = click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The data directory of the daemon: its ledger says what was published, whatever the tags say now.",
)


@click.group(epilog="Example: pointsman hook install /srv/git/ops.git")
def hook() -> None:
    """Keep what is wrong out of a repository: a hook that Git asks before it accepts a push."""


@hook.command(epilog="Example: pointsman hook install /srv/git/ops.git --data /var/lib/pointsman")
@_repository
@_branches
@_root
@_data
@inventory_option
@click.option("--force", is_flag=True, help="Replace a pre-receive hook that is there already.")
def install(
    repository: Path, inventory_branch: str, root: str, data: Path | None, *, branches: bool, force: bool
) -> None:
    """Write the pre-receive hook of REPOSITORY, which refuses version tags that are invalid, moved or deleted.

    It says why, as validate does, and warns of invalid drafts on branches. Do it again after an upgrade or a move.
    """
    command = [sys.executable, "-I", "-m", "pointsman", "hook", NAME, f"--inventory-branch={inventory_branch}"]
    command += [f"--root={root}"]
    command += ["--branches"] if branches else []
    command += [f"--data={data.absolute()}"] if data else []
    done = install_hook(repository, command, force=force)
    say("the hook was written" if done.changed else "the hook is there already")
    if data is not None and not os.access(data, os.R_OK):
        say(f"warning: {data} is not there, or not to be read; until it is, the hook refuses every version tag")
    put(str(done.path))


@hook.command(epilog="Example: pointsman hook uninstall /srv/git/ops.git")
@_repository
def uninstall(repository: Path) -> None:
    """Take the hook away from REPOSITORY."""
    done = uninstall_hook(repository)
    say("the hook was taken away" if done.changed else "there is no hook")


@hook.command(NAME, hidden=True, epilog='Example: echo "$old $new refs/tags/v1" | pointsman hook pre-receive')
@_branches
@_root
@_data
@inventory_option
def pre_receive(inventory_branch: str, root: str, data: Path | None, *, branches: bool) -> int:
    """Answer a push, as Git asks its pre-receive hook: one line for each ref on standard input.

    It ends with 0 or 7; after anything else the script that starts it falls back to refusing version tags.
    """
    changes = [change for line in sys.stdin.buffer if (change := _change(line)) is not None]
    push = Push(
        repository=Path(os.environ.get("GIT_DIR", ".")).absolute(),
        changes=changes,
        objects=_quarantine(os.environ),
        root=root,
        inventory_branch=inventory_branch,
        refuse_drafts=branches,
        ledger=ledger_in(data) if data else None,
        at=time.time(),
    )
    found = asyncio.run(answers(push)) if changes else []
    _told(found)
    return REFUSED if any(answer.refused for answer in found) else 0


def _change(line: bytes) -> Change | None:
    old, _, rest = line.decode("utf-8", "surrogateescape").rstrip("\n").partition(" ")
    new, _, ref = rest.partition(" ")
    if not ref.startswith(("refs/heads/", "refs/tags/", OWN)):
        return None
    return Change(ref=ref, old=old if old.strip("0") else "", new=new if new.strip("0") else "")


def _quarantine(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders of objects that Git names to its hooks: those of the push, and what the repository borrows."""
    named = [environ.get("GIT_QUARANTINE_PATH", ""), environ.get("GIT_OBJECT_DIRECTORY", "")]
    named += environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "").split(":")
    return tuple(Path(name).absolute() for name in dict.fromkeys(named) if name)


def _told(found: Iterable[RefAnswer]) -> None:
    """Say everything once, what refuses last, as that is what is read."""
    shown: set[Finding] = set()
    for answer in sorted(found, key=lambda answer: answer.refused):
        findings = [one for problem in answer.problems if (one := Finding.of(problem)) not in shown]
        shown.update(findings)
        for finding in findings[:_MOST_SHOWN]:
            say(finding_text(finding, sys.stderr))
        if len(findings) > _MOST_SHOWN:
            say(f"and {counted(len(findings) - _MOST_SHOWN, 'more problem')}; pointsman validate shows them all")
        if answer.says:
            grave = "error: " if answer.refused else "warning: " if has_errors(answer.problems) else ""
            say(f"{grave}{answer.says}")
        if answer.hint:
            say(f"hint: {answer.hint}")
