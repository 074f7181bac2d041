"""YAML read as a stream of events into nodes with places, within limits: R13 and R14."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from pointsman.load.core_schema import value_of
from pointsman.load.nodes import Items, Mapping, Mark, Node, Scalar
from pointsman.load.syntax import complaint, unquoted_variable
from pointsman.load.wording import shown
from pointsman.model.problem import Code, Place, Problem, sorted_problems
from pointsman.model.source import LARGEST_DEFINITION

try:
    from ruamel.yaml.cyaml import CParser
except ImportError:  # the C parser is ten times faster, and a matter of the platform
    CParser = None

DEEPEST = 32
MOST_NODES = 20_000
MOST_EXPANDED = 50_000
LONGEST_EXPANDED = 4 * LARGEST_DEFINITION

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_QUOTE_IT = 'put it in quotes, as in "{{ name }}"'


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
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        what = "UTF-16" if utf16 else f"no UTF-8: the byte 0x{data[error.start]:02x} cannot stand here"
        return _at_end(before, path, f"this is {what}", "save the file as UTF-8")
    odd = _UNPRINTABLE.search(text)
    if odd is None:
        return text
    name = "a NUL character" if odd[0] == "\0" else f"the control character U+{ord(odd[0]):04X}"
    return _at_end(text[: odd.start()], path, f"{name} cannot stand in YAML", "remove it, or escape it in double quotes")


def _at_end(before: str, path: str, says: str, hint: str) -> Problem:
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return Problem(place=Place(path, line, column), code=Code.SYNTAX, says=says, hint=hint)


def _document(text: str, path: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """Read again with braces masked after each unquoted variable, so that all of them are found in one pass (R15)."""
    found: list[Problem] = []
    for _ in range(max(1, min(20, 2 * LARGEST_DEFINITION // (len(text) + 1)))):
        builder = _Builder(text, path)
        node = builder.document()
        found += builder.problems
        if builder.braces is None:
            return (None if builder.refused or _unquoted(found) else node), sorted_problems(found)
        text = _masked(text, builder.braces)
    return None, sorted_problems(found)


def _unquoted(problems: list[Problem]) -> bool:
    return any(problem.code is Code.UNQUOTED_VARIABLE for problem in problems)


def _masked(text: str, start: int) -> str:
    """The text with the pair of braces at `start`, and the pair that closes it, turned into letters."""
    line_end = text.find("\n", start)
    end = text.find("}}", start, len(text) if line_end < 0 else line_end)
    text = f"{text[:start]}xx{text[start + 2 :]}"
    return text if end < 0 else f"{text[:end]}xx{text[end + 2 :]}"


def _events(text: str) -> Iterator[Any]:
    if CParser is not None:
        return iter(CParser(text).get_event, None)
    return iter(YAML(typ="safe", pure=True).parse(text))


class _Stop(Exception):  # noqa: N818 - not an error: the rest of the file tells nothing
    """The file cannot be read any further."""


class _Builder:
    """Makes nodes of events, without recursion: the C library's own composer dies at 200,000 levels."""

    def __init__(self, text: str, path: str) -> None:
        self.problems: list[Problem] = []
        self.refused = False
        self.braces: int | None = None
        self._text = text
        self._path = path
        self._root: Node | None = None
        self._parent: Items | Mapping | None = None
        self._key: Scalar | None = None
        self._open: list[tuple[Items | Mapping | None, Scalar | None]] = []
        self._anchors: dict[str, Node] = {}
        self._measures: dict[int, tuple[int, int, int]] = {}
        self._nodes = 0
        self._expanded = 0
        self._characters = 0
        self._documents = 0

    def document(self) -> Node | None:
        """The file's document, None if reading stopped; `problems` says what is wrong."""
        handlers: dict[type, Callable[[Any], None]] = {
            ScalarEvent: self._scalar,
            MappingStartEvent: self._mapping,
            MappingEndEvent: self._end,
            SequenceStartEvent: self._sequence,
            SequenceEndEvent: self._end,
            AliasEvent: self._alias,
            DocumentStartEvent: self._start,
        }
        try:
            for event in _events(self._text):
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
        except _Stop:
            return None
        except (YAMLError, ValueError, RecursionError, MemoryError) as error:
            self._syntax(error)
            return None
        return self._root or Scalar(self._path, _Beginning(), "", None)

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        plain = event.implicit[0]
        if event.ctag is not None:
            self._tagged(event)
        node = Scalar(self._path, event.start_mark, text, text, not plain)
        if plain:
            try:
                node.value = value_of(text)
            except ValueError as error:
                self._refuse(node.mark, str(error), hint="put it in quotes to make it a text")
        elif "\0" in text or not (text.isascii() or _encodable(text)):
            self._refuse(node.mark, "a text cannot hold NUL or half a character", hint="write it as base64")
        self._characters += len(text)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._count(node, 1)
        self._put(node)

    def _mapping(self, event: Any) -> None:
        if event.flow_style and self._text.startswith("{{", event.start_mark.index):
            self.braces = event.start_mark.index
            self._refuse(
                event.start_mark, "a value that begins with {{ must be quoted", code=Code.UNQUOTED_VARIABLE, hint=_QUOTE_IT
            )
            raise _Stop
        self._begin(event, Mapping(self._path, event.start_mark))

    def _sequence(self, event: Any) -> None:
        self._begin(event, Items(self._path, event.start_mark))

    def _begin(self, event: Any, node: Items | Mapping) -> None:
        if event.ctag is not None:
            self._tagged(event)
        if type(self._parent) is Mapping and self._key is None:
            self._stop(node.mark, "a key must be a text, and this is a list or mapping")
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._count(node, 1)
        self._put(node)
        self._open.append((self._parent, self._key))
        if len(self._open) > DEEPEST:
            self._stop(node.mark, f"nested deeper than {DEEPEST} levels", code=Code.TOO_LARGE)
        self._parent, self._key = node, None

    def _end(self, _event: Any) -> None:
        self._parent, _ = self._open.pop()
        self._key = None

    def _alias(self, event: Any) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            self._stop(event.start_mark, f"*{event.anchor} is used, but nothing above is marked &{event.anchor}")
        if node is self._parent or any(node is parent for parent, _ in self._open):
            self._stop(event.start_mark, f"*{event.anchor} stands inside what it repeats, so it would never end")
        nodes, characters, height = self._measured(node)
        if len(self._open) + height > DEEPEST:
            self._stop(event.start_mark, f"nested deeper than {DEEPEST} levels with *{event.anchor}", code=Code.TOO_LARGE)
        self._characters += characters
        if self._characters > LONGEST_EXPANDED:
            self._stop(event.start_mark, f"expands to more than {LONGEST_EXPANDED // 1024} KiB", code=Code.TOO_LARGE)
        self._expanded += nodes - 1
        self._count(event, 1)
        self._put(node)

    def _start(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(event.start_mark, "a second document begins here", hint="keep one document in a file")
        if event.version is not None or event.tags:
            self._refuse(event.start_mark, "directives (%YAML, %TAG) are not read", hint="remove the line")

    def _put(self, node: Node) -> None:
        parent = self._parent
        if type(parent) is Items:
            parent.items.append(node)
        elif parent is None:
            self._root = node
        elif self._key is None:
            self._key = self._checked_key(node, parent)
        else:
            # Of a key that occurs twice, the first stands, so that the rest can still be judged.
            parent.entries.setdefault(self._key.text, node)
            self._key = None

    def _checked_key(self, node: Node, parent: Items | Mapping) -> Scalar:
        if not isinstance(node, Scalar) or not isinstance(parent, Mapping):
            self._stop(node.mark, "a key must be a text, and this is a list or mapping")
        if not isinstance(node.value, str):
            self._refuse(node.mark, f"a key must be a text, and {node.text or 'an empty key'} is none", hint="quote it")
        elif node.text == "<<" and not node.quoted:
            self._refuse(node.mark, "<< is not read: it hides where a value comes from", hint="repeat it with an alias")
        first = parent.keys.setdefault(node.text, node)
        if first is not node:
            says = f"the key {shown(node.text)} stands here and in line {first.mark.line + 1} already"
            self.problems.append(
                Problem(place=node.place, code=Code.DUPLICATE_KEY, says=says, hint="remove one of the two")
            )
        return node

    def _measured(self, node: Node) -> tuple[int, int, int]:
        """Nodes, characters and levels below a finished node, aliases expanded; each node is measured once."""
        known = self._measures.get(id(node))
        if known is not None:
            return known
        if isinstance(node, Scalar):
            result = (1, len(node.text), 0)
        else:
            children = list(node.entries.values()) if isinstance(node, Mapping) else node.items
            below = [self._measured(child) for child in children]
            keys = list(node.entries) if isinstance(node, Mapping) else []
            result = (
                1 + len(keys) + sum(one[0] for one in below),
                sum(map(len, keys)) + sum(one[1] for one in below),
                1 + max((one[2] for one in below), default=0),
            )
        self._measures[id(node)] = result
        return result

    def _count(self, at: Any, nodes: int) -> None:
        self._nodes += nodes
        self._expanded += nodes
        if self._nodes > MOST_NODES or self._expanded > MOST_EXPANDED:
            mark = at.mark if isinstance(at, Scalar | Items | Mapping) else at.start_mark
            most = f"{MOST_NODES:,} values" if self._nodes > MOST_NODES else f"{MOST_EXPANDED:,} values with aliases"
            self._stop(mark, f"expands to more than {most}", code=Code.TOO_LARGE)

    def _tagged(self, event: Any) -> None:
        self._refuse(event.start_mark, f"tags such as {shown(str(event.ctag))} are not read", hint="remove the tag")

    def _syntax(self, error: Exception) -> None:
        wrong = complaint(error, self._text)
        column = unquoted_variable(self._text, wrong.line)
        if column is not None:
            place, code, says = Place(self._path, wrong.line, column), Code.UNQUOTED_VARIABLE, ""
            says, hint = "a value that begins with {{ must be quoted", _QUOTE_IT
        else:
            place, code = Place(self._path, wrong.line, wrong.column), Code.SYNTAX
            says, hint = wrong.says, wrong.hint
        self.problems.append(Problem(place=place, code=code, says=says, hint=hint))
        self.refused = True

    def _refuse(self, mark: Mark, says: str, *, hint: str, code: Code = Code.REFUSED_YAML) -> None:
        place = Place(self._path, mark.line + 1, mark.column + 1)
        self.problems.append(Problem(place=place, code=code, says=says, hint=hint))
        self.refused = True

    def _stop(self, mark: Mark, says: str, *, hint: str = "", code: Code = Code.REFUSED_YAML) -> NoReturn:
        self._refuse(mark, says, hint=hint, code=code)
        raise _Stop


class _Beginning:
    """The mark of a file in which nothing is written."""

    line = 0
    column = 0


def _encodable(text: str) -> bool:
    """Whether no half of a surrogate pair is in the text; the pure parser lets `\\ud800` through."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
