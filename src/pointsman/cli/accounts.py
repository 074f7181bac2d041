"""`pointsman user` and `pointsman token`: local accounts, on the data directory itself."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pointsman.cli.options import given_environment, quiet_option, readable_settings
from pointsman.cli.output import put, say
from pointsman.model.problem import NotFound

if TYPE_CHECKING:
    from pointsman.engine.accounts import StoredAccounts

F = TypeVar("F", bound=Callable[..., Any])


def _data_options(function: F) -> F:
    data = click.option("--data", metavar="DIR", help="The daemon's data directory.")
    config = click.option(
        "--config",
        metavar="FILE",
        envvar="POINTSMAN_CONFIG",
        type=click.Path(path_type=Path),
        help="The daemon's pointsman.toml, which names the data directory.",
    )
    return data(config(function))


@click.group(epilog="Example: pointsman user add alice --data /var/lib/pointsman")
def user() -> None:
    """Local accounts, on the data directory."""


@user.command(epilog="Example: pointsman user add alice --password-stdin < password.txt")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Take the password from standard input, its first line.")
@quiet_option
@_data_options
def add(name: str, data: str | None, config: Path | None, *, password_stdin: bool, quiet: bool) -> None:
    """Add a local user called NAME; the password is asked for twice."""
    from pointsman.access.accounts import new_user  # noqa: PLC0415 - not for `--help`

    with _accounts(data, config) as accounts:
        made = new_user(name, _password(stdin=password_stdin))
        accounts.add_user(made)
    if quiet:
        put(made.name)
    else:
        say(f"user {made.name} was added")


def _password(*, stdin: bool) -> str:
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask for a password on: give it with --password-stdin")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True))


@click.group(epilog="Example: pointsman token create --user ci --expires 90d")
def token() -> None:
    """API tokens, on the data directory."""


@token.command(epilog="Example: POINTSMAN_TOKEN=$(pointsman token create --user ci -q) pointsman runs list")
@click.option("--user", "name", metavar="NAME", required=True, help="Whose token it is to be.")
@click.option("--expires", metavar="TIME", help="For how long it is good, such as 90d or 12h; by default for ever.")
@quiet_option
@_data_options
def create(name: str, expires: str | None, data: str | None, config: Path | None, *, quiet: bool) -> None:
    """Make an API token for a local user and print it; it is shown only this once."""
    from pointsman.access.login import Login  # noqa: PLC0415 - not for `--help`
    from pointsman.access.people import Actor  # noqa: PLC0415 - as above

    now = time.time()
    until = None if expires is None else now + _length(expires)
    with _accounts(data, config) as accounts:
        stored = accounts.find_user(name)
        if stored is None:
            raise NotFound(f"there is no user {name}", hint=f"add one with: pointsman user add {name}")
        text = Login(accounts).issue_token(Actor(stored.name, "local"), expires_at=until)
    if not quiet:
        end = "never expires" if until is None else f"expires {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%MZ}"
        say(f"a token of {stored.name} that {end}; it is not shown again:")
    put(text)


def _length(text: str) -> int:
    from pointsman.load.times import seconds_of  # noqa: PLC0415 - as above

    try:
        length = seconds_of(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--expires") from None
    if not length:
        raise click.BadParameter("such a token would be of no use", param_hint="--expires")
    return length


@contextmanager
def _accounts(data: str | None, config: Path | None) -> Iterator["StoredAccounts"]:
    """The accounts in the data directory, which a daemon may be using at the same time."""
    from pointsman.engine.accounts import StoredAccounts  # noqa: PLC0415 - as above
    from pointsman.settings import load_data_directory  # noqa: PLC0415 - as above
    from pointsman.store.database import Database  # noqa: PLC0415 - as above

    with readable_settings():
        folder = load_data_directory(config, given_environment(os.environ), {"data": data})
    database = Database(folder / "state.db")
    try:
        yield StoredAccounts(database)
    finally:
        database.close()
