"""YAML read as a stream of events into nodes that know their places: R13 and R14."""

import re
from collections.abc import Iterator
from contextlib import suppress

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pointsman.load.building import QUOTE_IT, UNQUOTED, Builder
from pointsman.load.nodes import Node
from pointsman.load.syntax import complaint, unquoted_variable
from pointsman.model.problem import Code, Place, Problem, sorted_problems
from pointsman.model.source import LARGEST_DEFINITION

try:
    from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # it comes from whichever C library is there
except ImportError:  # not on every platform; the pure parser takes ten times as long
    CParser = None

_TROUBLE = (YAMLError, ValueError, RecursionError, MemoryError)

MOST_READINGS = 20
MOST_SLOW_READINGS = 3
LONGEST_SLOW = 64 * 1024
_ALLOWED_SINCE = {"found unexpected ':'", "did not find expected node content"}

# YAML allows line breaks that editors and reviews show as none: behind one of them, a comment would hide a live step
_ODD = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)")
_ODD_NAMES = {"\0": "a NUL character", "\r": "a carriage return without a line feed"}


def read(data: bytes, path: str) -> Node | tuple[Problem, ...]:
    """The one document in `data`, an empty scalar if there is none; or everything that is wrong with it as YAML."""
    node, problems = parsed(data, path)
    return problems if node is None or problems else node


def parsed(data: bytes, path: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """The document and what is wrong with it; the document is there beside problems that leave its meaning clear."""
    if len(data) > LARGEST_DEFINITION:
        says = f"the file has {len(data):,} bytes; at most {LARGEST_DEFINITION // 1024} KiB are read"
        return None, (Problem(place=Place(path), code=Code.TOO_LARGE, says=says, hint="split it"),)
    text = _text(data, path)
    if isinstance(text, Problem):
        return None, (text,)
    return _document(text, path)


def _text(data: bytes, path: str) -> str | Problem:
    """The file's characters; a problem if they are not UTF-8, or some may not be in a YAML file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        what = "UTF-16" if utf16 else f"no UTF-8: the byte 0x{data[error.start]:02x} cannot stand here"
        before = data[: error.start].decode("utf-8", "replace")
        return _at_end(before, path, f"this is {what}", hint="save the file as UTF-8")
    odd = _ODD.search(text)
    if odd is None:
        return text
    name = _ODD_NAMES.get(odd[0], f"the control character U+{ord(odd[0]):04X}")
    return _at_end(text[: odd.start()], path, f"{name} cannot stand in YAML", hint="remove it")


def _at_end(before: str, path: str, says: str, *, hint: str) -> Problem:
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return Problem(place=Place(path, line, column), code=Code.SYNTAX, says=says, hint=hint)


def _document(text: str, path: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """Read again with its braces masked after each unquoted variable, so that all are found in one pass (R15)."""
    found: list[Problem] = []
    for reading in range(max(1, min(MOST_READINGS, 2 * LARGEST_DEFINITION // (len(text) + 1)))):
        builder, node = _reading(text, path, again=reading < MOST_SLOW_READINGS)
        found += builder.problems
        if builder.braces is None:
            clear = node is not None and reading == 0 and not builder.refused
            return node if clear else None, sorted_problems(found)
        text = _masked(text, builder.braces)
    return None, sorted_problems(found)


def _reading(text: str, path: str, *, again: bool) -> tuple[Builder, Node | None]:
    """What was built of a text; slowly, and `again`, where the fast parser gave up on what YAML 1.2 allows."""
    builder = Builder(text, path)
    try:
        return builder, builder.document(_events(text))
    except _TROUBLE as error:
        # libyaml knows only YAML 1.1, which has no `{url: http://example.com}` and no `[22:00]`.
        if again and str(getattr(error, "problem", "")) in _ALLOWED_SINCE and len(text) <= LONGEST_SLOW:
            slow = Builder(text, path)
            with suppress(*_TROUBLE):
                return slow, slow.document(_slow_events(text))
        builder.problems.append(_syntax_problem(error, text, path))
    return builder, None


def _syntax_problem(error: Exception, text: str, path: str) -> Problem:
    wrong = complaint(error, text)
    column = unquoted_variable(text, wrong.line)
    if column is not None:
        place = Place(path, wrong.line, column)
        return Problem(place=place, code=Code.UNQUOTED_VARIABLE, says=UNQUOTED, hint=QUOTE_IT)
    place = Place(path, wrong.line, wrong.column)
    return Problem(place=place, code=Code.SYNTAX, says=wrong.says, hint=wrong.hint)


def _events(text: str) -> Iterator[object]:
    return iter(CParser(text).get_event, None) if CParser is not None else _slow_events(text)


def _slow_events(text: str) -> Iterator[object]:
    return iter(YAML(typ="safe", pure=True).parse(text))


def _masked(text: str, start: int) -> str:
    """The text with the pair of braces at `start`, and the pair that closes it, turned into letters."""
    line_end = text.find("\n", start)
    end = text.find("}}", start, len(text) if line_end < 0 else line_end)
    text = f"{text[:start]}xx{text[start + 2 :]}"
    return text if end < 0 else f"{text[:end]}xx{text[end + 2 :]}"
