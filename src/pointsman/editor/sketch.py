"""The line by line reading of a YAML text that may be half-written, with a mark where the cursor is. Pure.

An editor asks while people type, when no parser would take the text. This is no parser: what it makes of a text is good
enough to tell where somebody is in it, and `load` alone says what a file means.
"""

import re
from dataclasses import dataclass

from pointsman.editor.outline import MARK, Outline, Spot, Step, Tree, Way

# spaces before the colon are a part of the key here: to leave them out takes quadratic time over a line of spaces
_KEY = re.compile(r"""(?P<key>"[^"]*"\s*|'[^']*'\s*|[^\s'"\[\]{}#&*!|>%@,][^\n]*?):(?=\s|$)""")
_FLOW = re.compile(
    r"""\#.*|[\[\]{},]|:(?=[\s,\[\]{}]|$)|"(?:[^"\\]|\\.)*"?|'[^']*'?"""
    r"""|(?:[^\s\[\]{},:\#]|:(?![\s,\[\]{}]|$))"""
    r"""(?:[^\s\[\]{},:\#]|:(?![\s,\[\]{}]|$)|(?<=\S)\#|(?<=\S)\ +(?=[^\s\#:,\[\]{}]))*""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_PREFIXES = re.compile(r"(?:[&!][^\s]*\s+)+")


def outline(text: str, *, line: int = -1, column: int = 0) -> Outline:
    """What the text says, and what stands at a cursor (counted from 0, in characters) if one is given."""
    lines = [one.removesuffix("\r") for one in text.replace(MARK, "?").split("\n")]
    if 0 <= line < len(lines):
        here = lines[line]
        lines[line] = here[:column] + MARK + here[column:]
    sketch = _Sketch()
    for number, one in enumerate(lines):
        sketch.read(number, one)
    return sketch.found


@dataclass(slots=True)
class _Level:
    """A container that is still open, and the column at which its keys or dashes stand.

    `last` is its last key or index; in a flow mapping `waits` tells whether that key waits for its value.
    """

    indent: int
    way: Way
    holds: "dict[str, Tree] | list[Tree]"
    last: Step = ""
    waits: bool = False

    @property
    def slot(self) -> Way:
        return (*self.way, self.last)


class _Sketch:
    """Takes a text line by line."""

    def __init__(self) -> None:
        self.found = Outline()
        self._open: list[_Level] = []
        self._block: int | None = None
        self._flow: list[_Level] = []
        self._line = 0

    def read(self, number: int, line: str) -> None:
        """The next line."""
        self._line = number
        column = len(line) - len(line.lstrip(" "))
        if self._block is not None:
            if not line.strip() or column > self._block:
                return
            self._block = None
        if self._flow:
            if column > self._indent or not _begins_something(line[column:]):
                self._in_flow(line, column)
                return
            self._flow = []  # it was never closed
        if not line.strip() or line[column] == "#" or line.startswith(("---", "...")):
            return
        while line[column:].startswith("- ") or line[column:] == "-":
            self._item(column)
            column += 1 + len(line[column + 1 :]) - len(line[column + 1 :].lstrip(" "))
        self._content(line, column)

    @property
    def _indent(self) -> int:
        return self._open[-1].indent if self._open else -1

    def _content(self, line: str, column: int) -> None:
        key = _KEY.match(line, column)
        if key is not None:
            self._key(column, key["key"].rstrip())
            self._value(line, key.end())
        elif line[column:].strip() and not line[column:].startswith("#"):
            self._bare(line, column)

    def _item(self, column: int) -> None:
        while self._open and self._open[-1].indent > column:
            self._open.pop()
        top = self._open[-1] if self._open else None
        if top is None or top.indent < column or isinstance(top.holds, dict):
            top = self._begin(column, [])
        assert isinstance(top.holds, list)
        top.holds.append(None)
        top.last = len(top.holds) - 1

    def _begin(self, column: int, holds: "dict[str, Tree] | list[Tree]") -> _Level:
        way = self._open[-1].slot if self._open else ()
        self._put(way, holds)
        self._open.append(_Level(column, way, holds))
        return self._open[-1]

    def _put(self, way: Way, value: Tree) -> None:
        if not way:
            self.found.tree = value
            return
        parent, last = self.found.at(way[:-1]), way[-1]
        if isinstance(parent, dict):
            parent[str(last)] = value
        elif isinstance(parent, list) and isinstance(last, int):
            parent[last] = value

    def _close_to(self, column: int) -> _Level | None:
        """What is open at a column where a key may stand."""
        while self._open and self._open[-1].indent >= column:
            if self._open[-1].indent == column and isinstance(self._open[-1].holds, dict):
                break
            self._open.pop()
        return self._open[-1] if self._open else None

    def _key(self, column: int, written: str) -> None:
        top = self._close_to(column)
        if top is None or top.indent < column or isinstance(top.holds, list):
            top = self._begin(column, {})
        self._add_key(top, column, written)

    def _add_key(self, level: _Level, column: int, written: str) -> None:
        name = written.replace(MARK, "").strip("\"'")
        assert isinstance(level.holds, dict)
        level.holds[name] = None
        level.last = name
        self.found.places.setdefault(level.slot, (self._line, column))
        self._look(level.way, column, written, is_key=True)

    def _bare(self, line: str, column: int) -> None:
        """A word without a colon: a key that is being written, or a value below its key or behind its dash."""
        top = self._close_to(column)
        if top is not None and isinstance(top.holds, dict):
            stands = self.found.at(top.slot)
            if top.indent == column or (isinstance(stands, str) and stands and line.strip() == MARK):
                self._add_key(top, column, _COMMENT.sub("", line[column:]).rstrip())
                return
            if stands:
                return
        self._value(line, column)

    def _value(self, line: str, column: int) -> None:
        way = self._open[-1].slot if self._open else ()
        while column < len(line) and line[column] == " ":
            column += 1
        prefix = _PREFIXES.match(line, column)
        column = prefix.end() if prefix else column
        rest = line[column:]
        if rest[:1] in {"|", ">"} and MARK not in rest:
            self._block = self._indent
            self._put(way, "|")
        elif rest[:1] in {"[", "{"} and not rest.startswith("{{"):
            self._put(way, None)
            self._flow = [_Level(self._indent, way[:-1], {}, way[-1] if way else "")]
            self._in_flow(line, column)
        elif rest[:1] in {'"', "'"}:
            end = line.find(rest[0], column + 1)
            inner = line[column + 1 : end if end >= 0 else len(line)]
            self._put(way, inner.replace(MARK, ""))
            self._look(way, column + 1, inner, is_key=False)
        else:
            word = _COMMENT.sub("", rest).rstrip()
            if word:
                self._put(way, word.replace(MARK, ""))
                self._look(way, column, word, is_key=False)

    def _in_flow(self, line: str, column: int) -> None:
        for token in _FLOW.finditer(line, column):
            written = token[0]
            level = self._flow[-1]
            if written in "[{":
                self._flow_begin({} if written == "{" else [])
            elif written in "]}":
                self._flow.pop()
                if len(self._flow) < 2:
                    self._flow = []
                    return
                self._flow[-1].waits = False
            elif written == ",":
                level.waits = False
            elif written == ":":
                level.waits = True
            elif not written.startswith("#"):
                quoted = written[0] in "\"'"
                self._flow_word(level, token.start() + quoted, written.strip("\"'"))

    def _flow_begin(self, holds: "dict[str, Tree] | list[Tree]") -> None:
        level = self._flow[-1]
        if isinstance(level.holds, list):
            level.holds.append(None)
            level.last = len(level.holds) - 1
        way = level.slot if level.slot != ("",) else ()
        self._put(way, holds)
        self._flow.append(_Level(0, way, holds))

    def _flow_word(self, level: _Level, column: int, written: str) -> None:
        word = written.replace(MARK, "")
        if isinstance(level.holds, list):
            level.holds.append(word)
            level.last = len(level.holds) - 1
            self._look(level.slot, column, written, is_key=False)
        elif level.waits:
            level.holds[str(level.last)] = word
            self._look(level.slot, column, written, is_key=False)
        else:
            self._add_key(level, column, written)

    def _look(self, way: Way, column: int, written: str, *, is_key: bool) -> None:
        """Whether the cursor is here."""
        before, mark, after = written.partition(MARK)
        if mark:
            self.found.spot = Spot(
                way=way,
                is_key=is_key,
                word=before + after,
                before=before,
                line=self._line,
                start=column,
                end=column + len(before) + len(after),
            )


def _begins_something(text: str) -> bool:
    return text.startswith("- ") or _KEY.match(text) is not None
