"""Options that several commands share, and how what is written in them is read."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from pointsman.model.problem import Invalid, PointsmanError, Problem
from pointsman.model.values import JsonObject

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_SERVER = "http://127.0.0.1:8484"
DECISIONS = ("continue", "approve", "reject")


def repository_options(function: F) -> F:
    """`-C` and `--root`: which repository is meant, and where in it `projects/` is."""
    folder = click.option(
        "-C",
        "--repository",
        "folder",
        metavar="DIR",
        default=".",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Look here instead of in the current folder.",
    )
    root = click.option(
        "--root",
        metavar="FOLDER",
        envvar="POINTSMAN_ROOT",
        help="The subfolder of the repository that holds projects/.",
    )
    return folder(root(function))


def inventory_option(function: F) -> F:
    """`--inventory-branch`: where targets, properties and templates of published versions come from."""
    return click.option(
        "--inventory-branch",
        metavar="BRANCH",
        default="main",
        envvar="POINTSMAN_INVENTORY_BRANCH",
        show_default=True,
        help="The branch that published versions take their targets from.",
    )(function)


def property_options(function: F) -> F:
    """`--set` and `--properties`: values of variables, read with `given_texts` and `given_properties`."""
    single = click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="A variable's value, as its input takes it; a dotted key reaches into objects. Repeatable.",
    )
    file = click.option(
        "--properties",
        "properties_file",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
        help="A file of values, JSON or YAML; - is standard input.",
    )
    return single(file(function))


def server_options(function: F) -> F:
    """`--server`: the daemon that is asked."""
    return click.option(
        "--server",
        metavar="URL",
        envvar="POINTSMAN_SERVER",
        default=DEFAULT_SERVER,
        show_default=True,
        help="The daemon to ask. A token for it is taken from POINTSMAN_TOKEN.",
    )(function)


def json_option(function: F) -> F:
    """`--json`: data for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def quiet_option(function: F) -> F:
    """`-q`: ids only."""
    return click.option("-q", "--quiet", is_flag=True, help="Print ids only.")(function)


def given_properties(file: Path | None) -> JsonObject:
    """The values in a file of properties."""
    return {} if file is None else _file_properties(file)


def given_texts(settings: Iterable[str]) -> dict[str, str]:
    """The texts of `--set` by their dotted keys, the later of two last: what they mean, the workflow's inputs say."""
    texts: dict[str, str] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        name = key.strip()
        if not equals or not all(name.split(".")):
            raise click.BadParameter(f"{setting!r} is not KEY=VALUE", param_hint="--set")
        texts.pop(name, None)
        texts[name] = text
    return texts


def given_metadata(pairs: Iterable[str]) -> JsonObject:
    """The labels of a run; their values are text."""
    metadata: JsonObject = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="--metadata")
        metadata[key] = value
    return metadata


def given_answers(pairs: Iterable[str]) -> dict[str, str]:
    """What is to be said at which gate. A gate's name may hold an equals sign, what is said cannot."""
    answers = {}
    for pair in pairs:
        gate, equals, word = pair.rpartition("=")
        if not equals or not gate or word not in DECISIONS:
            says = f"{pair!r} is not GATE=continue, GATE=approve or GATE=reject"
            raise click.BadParameter(says, param_hint="--answer")
        answers[gate] = word
    return answers


def split_version(workflow: str) -> tuple[str, str | None]:
    """A workflow's name and the version behind `@`, None where there is none."""
    name, at, version = workflow.rpartition("@")
    if not at:
        return workflow, None
    if not name or not version:
        raise click.BadParameter(f"{workflow!r} is not WORKFLOW or WORKFLOW@VERSION", param_hint="WORKFLOW")
    return name, version.removeprefix("v")


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _file_properties(file: Path) -> JsonObject:
    from pointsman.load.marked_yaml import read  # noqa: PLC0415 - it takes a tenth of a second, and few need it
    from pointsman.load.nodes import Mapping as Table  # noqa: PLC0415 - as above
    from pointsman.load.nodes import Scalar, plain_object  # noqa: PLC0415 - as above

    shown = "standard input" if str(file) == "-" else str(file)
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{shown}: {os.strerror(error.errno or 0)}", param_hint="--properties") from error
    if data.lstrip()[:1] == b"{":
        try:
            found = json.loads(data, parse_constant=_no_number)
        except ValueError:
            found = None  # a flow mapping of YAML begins the same way
        if isinstance(found, dict):
            return found
    node = read(data, shown)
    if isinstance(node, tuple):
        raise Invalid("these properties cannot be read", node)
    if isinstance(node, Scalar) and node.value is None:
        return {}
    if not isinstance(node, Table):
        raise Invalid(f"{shown} holds no mapping of names to values")
    return plain_object(node)


def given_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment as the settings read it: what only the command line understands is left out."""
    return {name: value for name, value in environ.items() if name not in {"POINTSMAN_CONFIG", "POINTSMAN_DEBUG"}}


@contextmanager
def readable_settings() -> Iterator[None]:
    """What is wrong with the daemon's configuration, told in sentences that name the flag, variable or key."""
    try:
        yield
    except Invalid as error:
        if not error.problems:
            raise
        lines = [line for problem in error.problems for line in _told(problem)]
        raise PointsmanError("\n".join(lines).removeprefix("error: ")) from error


def _told(problem: Problem) -> Iterator[str]:
    yield f"error: {problem.says}"
    if problem.hint:
        yield f"hint: {problem.hint}"
