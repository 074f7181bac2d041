"""`pointsman`: the table of commands, each loaded when it is called, and the one place where errors become words."""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from traceback import print_exception
from typing import Any, NoReturn, cast

import click

from pointsman import __version__
from pointsman.cli.output import error_text, say
from pointsman.model.problem import Forbidden, NotFound, PointsmanError, Refused, Unavailable

COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("init:init", "Write the hello_world example as a Git repository"),
    "validate": ("validate:validate", "Every problem in the working tree, or at a ref, in one pass"),
    "plan": ("plan:plan", "The expanded tree of a workflow: what a run would do"),
    "diff": ("diff:diff", "What changes between the plans of two refs, gates first"),
    "explain": ("explain:explain", "A target's merged properties, and the line and commit of each"),
    "schema": ("schema:schema", "JSON Schema for editors, with this repository's names in it"),
    "lsp": ("lsp:lsp", "The language server: completion, problems and hover in editors"),
    "versions": ("versions:versions", "Versions and drafts with their state and commit"),
    "publish": ("publish:publish", "Validate a workflow and make the tag that publishes it"),
    "run": ("run:run", "Run a published workflow, or with --local here and now"),
    "runs": ("runs:runs", "List, show, watch and cancel runs, and read their logs"),
    "inbox": ("gates:inbox", "The open gates that you may decide"),
    "continue": ("gates:continue_", "Let a run go on that waits"),
    "approve": ("gates:approve", "Approve what a run asks approval for"),
    "reject": ("gates:reject", "Stop a run at its gate"),
    "schedules": ("schedules:schedules", "What starts runs by itself, and when next"),
    "serve": ("serve:serve", "The daemon: follow a repository, run what is published"),
    "hook": ("hook:hook", "The pre-receive hook that keeps what is wrong out of a repository"),
    "user": ("accounts:user", "Local accounts, on the data directory"),
    "token": ("accounts:token", "API tokens, on the data directory"),
}
"""Each command's `module:function` below this package, and what it does in one line."""

INTERRUPTED = 130
_EXIT_CODES = ((NotFound, 6), (Forbidden, 4), (Refused, 7), (Unavailable, 75))


class LazyCommands(click.Group):
    """A group whose commands are imported when they are called, so that `--help` costs nothing.

    `main` is the boundary for errors, also where tests call it.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table, which is the order in which people need them."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, loaded now."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        found = getattr(import_module(f"pointsman.cli.{module}"), function)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The table, without loading a command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def main(  # type: ignore[override] # click has two overloads; this always exits
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: object
    ) -> NoReturn:
        """Carry out a command line and exit with the code that INTERFACES gives its end."""
        try:
            ended = super().main(args, prog_name, **cast("Any", {**extra, "standalone_mode": False}))
            sys.stdout.flush()
        except BaseException as error:  # noqa: BLE001 - the boundary: nothing goes past it but the exit code
            sys.exit(exit_code_of(error))
        sys.exit(ended if isinstance(ended, int) else 0)


def exit_code_of(error: BaseException) -> int:
    """Say what went wrong, on standard error, and give the exit code for it."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case SystemExit():
            return error.code if isinstance(error.code, int) else 1
        case click.Abort() | KeyboardInterrupt():
            return INTERRUPTED
        case click.ClickException():
            error.show()
            return error.exit_code
        case PointsmanError():
            say(error_text(error))
            return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), 1)
        case BrokenPipeError():
            # whoever reads has seen enough; what is still buffered must not raise once more at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        case OSError() if os.environ.get("POINTSMAN_DEBUG") != "1":
            # the machine refuses something, such as a folder that may not be read; that is no bug
            say(f"error: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}")
            return 1
        case _:
            _say_bug(error)
            return 1


def _say_bug(error: BaseException) -> None:
    say(f"error: {type(error).__name__}: {error}; this is a bug in Pointsman")
    if os.environ.get("POINTSMAN_DEBUG") == "1":
        print_exception(error)
    else:
        say("hint: with POINTSMAN_DEBUG=1 it tells where; please report that")


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Example: pointsman init hello && cd hello && pointsman plan rollout-pipeline",
)
@click.version_option(__version__, message="pointsman %(version)s")
def cli() -> None:
    """Run operational changes from Git: a plan before every run, decisions bound to it, versions that cannot move."""


def main() -> NoReturn:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # a letter that the terminal's encoding lacks is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    cli.main(prog_name="pointsman")
