"""One YAML document's events → nodes, within limits, and what in it is refused: R13 and R14."""

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

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
from pointsman.load.expansion import Sizes
from pointsman.load.nodes import Items, Mapping, Mark, Node, Scalar
from pointsman.load.wording import printable, shown
from pointsman.model.problem import Code, Place, Problem
from pointsman.model.source import LARGEST_DEFINITION

DEEPEST = 32
MOST_NODES = 20_000
MOST_EXPANDED = 50_000
LONGEST_EXPANDED = 4 * LARGEST_DEFINITION

UNQUOTED = "a value that begins with {{ must be quoted"
QUOTE_IT = 'put it in quotes, as in "{{ name }}"'
FEWER = "use fewer aliases of aliases"
NO_TEXT = "a key must be a text, and this is a list or a mapping"


class Beginning:
    """The mark of a file in which nothing is written."""

    line = 0
    column = 0


class Stop(Exception):  # it is no error of ours: the rest of the file tells nothing
    """The file cannot be read any further."""


class Builder:
    """Makes nodes of events, without recursion: composers recurse, and the one in C dies at 200,000 levels.

    `problems` is what is refused; `refused` whether anything is that leaves the document without a clear meaning;
    `braces` where in the text an unquoted variable stopped the reading.
    """

    def __init__(self, text: str, path: str) -> None:
        self.problems: list[Problem] = []
        self.refused = False
        self.braces: int | None = None
        self._text = text
        self._path = path
        self._root: Node | None = None
        self._parent: Items | Mapping | None = None
        self._key: Scalar | None = None
        self._open: list[Items | Mapping | None] = []
        self._anchors: dict[str, Node] = {}
        self._sizes = Sizes()
        self._nodes = 0
        self._aliased = 0
        self._characters = 0
        self._documents = 0

    def document(self, events: Iterable[object]) -> Node | None:
        """The document, an empty scalar if there is none; None if reading stopped."""
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
            for event in events:
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
        except Stop:
            return None
        return self._root or Scalar(self._path, Beginning(), "", None)

    def _scalar(self, event: ScalarEvent) -> None:
        text: str = event.value
        plain: bool = event.implicit[0]
        mark: Mark = event.start_mark
        if event.ctag is not None:
            self._tagged(event)
        node = Scalar(self._path, mark, text, text, not plain)
        if plain:
            try:
                node.value = value_of(text)
            except ValueError as error:
                self._refuse(mark, str(error), hint="put it in quotes to make it a text")
        elif "\0" in text or not (text.isascii() or _encodable(text)):
            self._refuse(mark, "a text cannot hold NUL or half a character", hint="write it as base64")
        self._characters += len(text)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._count(mark)
        self._put(node)

    def _mapping(self, event: MappingStartEvent) -> None:
        if event.flow_style and self._text.startswith("{{", event.start_mark.index):
            self.braces = event.start_mark.index
            self._stop(event.start_mark, UNQUOTED, hint=QUOTE_IT, code=Code.UNQUOTED_VARIABLE)
        self._begin(event, Mapping(self._path, event.start_mark))

    def _sequence(self, event: SequenceStartEvent) -> None:
        self._begin(event, Items(self._path, event.start_mark))

    def _begin(self, event: MappingStartEvent | SequenceStartEvent, node: Items | Mapping) -> None:
        if event.ctag is not None:
            self._tagged(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._count(node.mark)
        self._put(node)
        self._open.append(self._parent)
        if len(self._open) > DEEPEST:
            says = f"nested deeper than {DEEPEST} levels"
            self._stop(node.mark, says, hint="nest it less deeply", code=Code.TOO_LARGE)
        self._parent, self._key = node, None

    def _end(self, _event: MappingEndEvent | SequenceEndEvent) -> None:
        # The key is empty already: a container is only ever begun as a value, and takes its key with it.
        self._parent = self._open.pop()

    def _alias(self, event: AliasEvent) -> None:
        mark, name = event.start_mark, event.anchor
        node = self._anchors.get(name)
        if node is None:
            hint = f"put it in quotes to make it a text, or mark a value above with &{name}"
            self._stop(mark, f"*{name} is used, but nothing above is marked &{name}", hint=hint)
        if node is self._parent or any(node is parent for parent in self._open):
            says = f"*{name} stands inside what it repeats, so it would never end"
            self._stop(mark, says, hint="write out what is meant")
        size = self._sizes.of(node)
        if len(self._open) + size.levels > DEEPEST:
            says = f"nested deeper than {DEEPEST} levels with *{name}"
            self._stop(mark, says, hint="nest it less deeply", code=Code.TOO_LARGE)
        self._characters += size.characters
        if self._characters > LONGEST_EXPANDED:
            says = f"expands to more than {LONGEST_EXPANDED // 1024} KiB with its aliases"
            self._stop(mark, says, hint=FEWER, code=Code.TOO_LARGE)
        self._aliased += size.nodes - 1
        self._count(mark)
        self._put(node, alias=mark)

    def _start(self, event: DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(event.start_mark, "a second document begins here", hint="keep one document in a file")
        if event.version is not None or event.tags:
            self._refuse(event.start_mark, "directives (%YAML, %TAG) are not read", hint="remove the line")

    def _put(self, node: Node, *, alias: Mark | None = None) -> None:
        parent = self._parent
        if parent is None:
            self._root = node
        elif isinstance(parent, Items):
            parent.items.append(node)
        elif self._key is None:
            self._key = self._checked_key(node, alias or node.mark, parent)
        else:
            # Of a key that occurs twice, the first stands, so that the rest can still be judged.
            parent.entries.setdefault(self._key.text, node)
            self._key = None

    def _checked_key(self, node: Node, mark: Mark, parent: Mapping) -> Scalar:
        if not isinstance(node, Scalar):
            self._stop(mark, NO_TEXT, hint="put it in quotes to make it a text")
        if not isinstance(node.value, str):
            what = printable(node.text[:80]) or "an empty key"
            self._refuse(mark, f"a key must be a text, and {what} is none", hint="put it in quotes")
        elif node.text == "<<" and not node.quoted:
            hint = "write the keys themselves"
            self._refuse(mark, "<< is not read: it would hide where a value comes from", hint=hint)
        key = node if mark is node.mark else Scalar(self._path, mark, node.text, node.value, node.quoted)
        first = parent.keys.setdefault(key.text, key)
        if first is not key:
            says = f"the key {shown(key.text)} stands here and in line {first.mark.line + 1}"
            hint = "remove one of the two"
            self.problems.append(Problem(place=key.place, code=Code.DUPLICATE_KEY, says=says, hint=hint))
        return key

    def _count(self, mark: Mark) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._stop(mark, f"the file holds more than {MOST_NODES:,} values", hint="split it", code=Code.TOO_LARGE)
        if self._nodes + self._aliased > MOST_EXPANDED:
            says = f"expands to more than {MOST_EXPANDED:,} values with its aliases"
            self._stop(mark, says, hint=FEWER, code=Code.TOO_LARGE)

    def _tagged(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        tag = str(event.ctag).replace("tag:yaml.org,2002:", "!!")
        says = f"tags such as {shown(tag)} are not read"
        self._refuse(event.start_mark, says, hint="remove the tag")

    def _refuse(self, mark: Mark, says: str, *, hint: str = "", code: Code = Code.REFUSED_YAML) -> None:
        place = Place(self._path, mark.line + 1, mark.column + 1)
        self.problems.append(Problem(place=place, code=code, says=says, hint=hint))
        self.refused = True

    def _stop(self, mark: Mark, says: str, *, hint: str = "", code: Code = Code.REFUSED_YAML) -> NoReturn:
        self._refuse(mark, says, hint=hint, code=code)
        raise Stop


def _encodable(text: str) -> bool:
    """Whether the text has no half of a surrogate pair; ruamel's pure parser lets one through."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
