"""The console script: what `--help` costs, and how every end gets its exit code."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from pointsman.cli.main import COMMANDS, cli, exit_code_of
from pointsman.model.problem import Forbidden, Invalid, NotFound, PointsmanError, Refused, Unavailable

HEAVY = ("starlette", "pygit2", "pydantic", "rich", "httpx", "jsonschema", "ruamel", "sqlite3", "asyncio")


LOOK = f"""
import sys
from pointsman.cli.main import main
try:
    main()
finally:
    print([name for name in {HEAVY} if name in sys.modules])
"""


def test_help_imports_nothing_that_is_slow() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK, "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


def commands(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The words of every command."""
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    found = [] if not path else [path]
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found += commands(inner, (*path, name))
    return found


@pytest.mark.parametrize("words", commands(cli), ids=" ".join)
def test_every_command_has_help_with_an_example(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*words, "--help"])
    assert result.exit_code == 0
    assert "Example: " in result.stdout


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Invalid("x"), 1),
        (PointsmanError("x"), 1),
        (click.UsageError("x"), 2),
        (Forbidden("x"), 4),
        (NotFound("x"), 6),
        (Refused("x", status=410), 7),
        (Unavailable("x"), 75),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.exceptions.Exit(3), 3),
    ],
)
def test_each_end_has_the_exit_code_of_the_contract(error: BaseException, code: int) -> None:
    assert exit_code_of(error) == code


def test_an_error_is_a_sentence_and_a_hint_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code_of(NotFound("there is no run 9", hint="see: pointsman runs list"))
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "error: there is no run 9\nhint: see: pointsman runs list\n")


def test_what_nobody_foresaw_is_called_a_bug_and_its_trace_is_shown_only_on_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exit_code_of(RuntimeError("oh")) == 1
    said = capsys.readouterr().err
    assert "RuntimeError: oh; this is a bug in Pointsman" in said
    assert "RuntimeError: oh\n" not in said

    monkeypatch.setenv("POINTSMAN_DEBUG", "1")
    exit_code_of(RuntimeError("oh"))
    assert "RuntimeError: oh\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", ["frobnicate", "plan", "run w@1 --ref main", "run w --until-gate", "validate --format x"]
)
def test_wrong_usage_ends_with_2_and_says_nothing_on_standard_output(line: str) -> None:
    result = CliRunner().invoke(cli, line.split())
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage: " in result.stderr


def test_a_reader_that_went_away_is_no_bug() -> None:
    command = f"{sys.executable} -m pointsman --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert "bug" not in done.stderr
