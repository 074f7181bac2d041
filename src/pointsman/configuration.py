"""What a TOML file, the environment and flags say about the daemon, key by key, before anybody judges the values."""

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.model.names import nearest
from pointsman.model.problem import Code, Place, Problem

PREFIX = "POINTSMAN_"
_LONGEST_SHOWN = 80

# Variables of the client, and what a step sees: a step may call the command line, and a daemon may be started in one.
_NOT_OURS = re.compile(
    PREFIX + "(SERVER|TOKEN|RUN_.*|STEP|ATTEMPT|PROJECT|ENVIRONMENT|ASSET|TARGET|ACTION|WORKFLOW|VERSION|COMMIT|ACTOR"
    "|PROPERTIES|CONTEXT|OUTPUT|FORMAT|FAULT)"
)
_LATER = {
    "auth.ldap": "[auth.ldap]",
    "hooks": "[[hooks]]",
    "status": "[status]",
    "machines": "[machines]",
    "secrets": "[secrets]",
    "notify": "[notify]",
    "steps.run_as_user": "steps.run_as_user",
    "engine.address": "engine.address",
    "engine.namespace": "engine.namespace",
    "engine.tls": "engine.tls",
}
_SYNTAX_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_TABLE_LINE = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]")
_KEY_LINE = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value for one key: what messages call it, where it stands, and what a relative path in it is relative to.

    `is_text`: it comes from where everything is text, so that `4` may have been meant as a number.
    """

    value: object
    called: str
    place: Place
    folder: Path
    is_text: bool = False

    @property
    def shown(self) -> str:
        """The value as messages show it."""
        return _cut(json.dumps(self.value, ensure_ascii=False, default=str))

    def read_as(self, wanted: object, *, home: Path) -> object:
        """The value in the wanted type: texts are read, paths made absolute. As it was where that fails."""
        value = self.value
        if isinstance(value, list):
            return tuple(value)
        if not isinstance(value, str):
            return value
        if wanted is Path:
            return _path(value, self.folder, home=home)
        return _READ[wanted](value) if self.is_text and wanted in _READ else value


@dataclass(frozen=True, slots=True)
class Said:
    """All that one source says: values by dotted key, and why the rest of it cannot be used."""

    given: Mapping[str, Given] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def from_file(config: Path, known: Collection[str]) -> Said:
    """What a TOML file says about the known keys."""
    try:
        text = config.read_bytes().decode("utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        says = f"cannot read {config}: {error.strerror}"
        return Said(problems=(Problem(place=Place(str(config)), code=Code.NOT_A_FILE, says=says),))
    except ValueError as error:
        return Said(problems=(_syntax_problem(config, error),))
    lines, given, problems = _lines(text), dict[str, Given](), list[Problem]()
    for key, value in _flat(table, _tables(known)):
        place = Place(str(config), _line(lines, key))
        if key in known:
            called = f"{key} in {config.name}"
            given[key] = Given(value=value, called=called, place=place, folder=config.absolute().parent)
        else:
            problems.append(_unusable(key, key, place, what=f'key "{_cut(key)}" in {config.name}', known=known))
    return Said(given, tuple(problems))


def from_environment(environ: Mapping[str, str], known: Collection[str]) -> Said:
    """What `POINTSMAN_*` says; what belongs to the client or to a step is passed over."""
    variables = {PREFIX + key.upper().replace(".", "__"): key for key in known if key not in _tables(known)}
    given, problems = dict[str, Given](), list[Problem]()
    for name in sorted(environ):
        place = Place(name)
        if name in variables:
            value = environ[name]
            given[variables[name]] = Given(value=value, called=name, place=place, folder=Path.cwd(), is_text=True)
        elif name.startswith(PREFIX) and not _NOT_OURS.fullmatch(name):
            key = name.removeprefix(PREFIX).lower().replace("__", ".")
            what = f'environment variable "{_cut(name)}"'
            problems.append(_unusable(key, name, place, what=what, known=variables))
    return Said(given, tuple(problems))


def from_flags(flags: Mapping[str, object], known: Collection[str]) -> Said:
    """What flags say, by dotted key; None is a flag that was not given."""
    given, problems = dict[str, Given](), list[Problem]()
    for key, value in flags.items():
        called = "REPOSITORY" if key == "repository" else f"--{key.replace('_', '-')}"
        place = Place(called)
        if key not in known:
            problems.append(_unusable(key, key, place, what=f'key "{_cut(key)}"', known=known))
        elif value is not None:
            plain = str(value) if isinstance(value, Path) else value
            given[key] = Given(value=plain, called=called, place=place, folder=Path.cwd(), is_text=True)
    return Said(given, tuple(problems))


def _path(text: str, folder: Path, *, home: Path) -> object:
    if not text or "\0" in text:
        return text
    return home / text[2:] if text == "~" or text.startswith("~/") else folder / text


def _whole(text: str) -> object:
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text


def _number(text: str) -> object:
    return float(text) if re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text) else text


def _names(text: str) -> object:
    """The items of a JSON list, or of a text with commas."""
    if not text.lstrip().startswith("["):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        return tuple(json.loads(text))
    except ValueError:
        return text


_READ: dict[object, Callable[[str], object]] = {int: _whole, float: _number, tuple[str, ...]: _names}


def _tables(known: Iterable[str]) -> frozenset[str]:
    """The tables that only hold keys; `auth` is one of a later version."""
    return frozenset({"auth", *(key.partition(".")[0] for key in known if "." in key)})


def _flat(table: Mapping[str, object], tables: Collection[str], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every value of a document with its dotted key; a table that is not one of `tables` is a value."""
    for name, value in table.items():
        key = prefix + name
        if isinstance(value, dict) and key in tables:
            yield from _flat(value, tables, key + ".")
        else:
            yield key, value


def _lines(text: str) -> dict[str, int]:
    """The line of each dotted key and table, as far as a look at the beginnings of lines can tell."""
    lines: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if table := _TABLE_LINE.match(line):
            lines.setdefault(table[1], number)
            lines.setdefault(table[1].partition(".")[0], number)
            prefix = table[1] + "."
        elif key := _KEY_LINE.match(line):
            lines.setdefault(prefix + key[1], number)
    return lines


def _line(lines: Mapping[str, int], key: str) -> int:
    """The line of a key or of the nearest thing around it; 1 if none was seen."""
    while key and key not in lines:
        key = key.rpartition(".")[0]
    return lines.get(key, 1)


def _syntax_problem(config: Path, error: ValueError) -> Problem:
    says, line, column = str(error), 1, 1
    if isinstance(error, UnicodeDecodeError):
        line = error.object[: error.start].count(b"\n") + 1
        says = "it is not UTF-8"
    elif at := _SYNTAX_PLACE.search(says):
        line, column = int(at[1]), int(at[2])
        says = says[: at.start()]
    sentence = f"line {line} of {config.name} is no TOML: {says[:1].lower()}{says[1:]}"
    return Problem(place=Place(str(config), line, column), code=Code.SYNTAX, says=sentence)


def _unusable(key: str, spelled: str, place: Place, *, what: str, known: Iterable[str]) -> Problem:
    """Why nothing is called like this: it is a later version's, or nobody's."""
    later = next((label for start, label in _LATER.items() if key == start or key.startswith(start + ".")), "")
    if later:
        says = f"{later} is not supported in this version"
        return Problem(place=place, code=Code.UNSUPPORTED, says=says, hint="leave it out")
    names = sorted(known)
    # A key in the wrong table is nearer than one that is spelled like it.
    near = next((name for name in names if name.endswith("." + spelled)), "") or nearest(spelled, names)
    says = f"unknown {what}" + (f'; did you mean "{near}"?' if near else "")
    return Problem(place=place, code=Code.UNKNOWN_KEY, says=says, hint="" if near else f"known are {', '.join(names)}")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
