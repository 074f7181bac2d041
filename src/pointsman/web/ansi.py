"""Lines of a log as a terminal would colour them, and nothing else that a terminal would do. Pure.

Only SGR (`ESC [ … m`) has an effect, and only these of its parts: colours, bold, dim, italic, underline. Every other
sequence is dropped whole: titles, links, cursor movements, device commands. What remains is plain text, which the
templates escape; characters that could deceive the eye (controls, direction overrides) are shown by their number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

LONGEST_LINE = 8_000

_SEQUENCE = re.compile(
    r"\x1b\[(?P<codes>[0-9;:]*)m"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|$)"  # any other control sequence, or one that the line cut off
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$|(?=\x1b))"  # strings: OSC, DCS, …
    r"|\x1b[ -/]*(?:[0-~]|$)"
)
# U+2028 and U+2029 break lines; the others turn the direction of text, hide it, or are controls
_DECEIVING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_BACKSPACES = re.compile(r"[^\x08]\x08")
_BASIC = (
    (0, 0, 0), (205, 0, 0), (0, 170, 0), (190, 150, 0), (40, 90, 220), (180, 0, 180), (0, 160, 180), (190, 190, 190),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pen:
    """How text is written: colours are 0–15 as in a terminal's palette, None for the page's own."""

    ink: int | None = None
    ground: int | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    inverse: bool = False

    @property
    def classes(self) -> str:
        """The classes of the style sheet that say this; empty for plain text."""
        flags = (("b", self.bold), ("dim", self.dim), ("i", self.italic), ("u", self.underline), ("inv", self.inverse))
        words = [name for name, on in flags if on]
        words += [] if self.ink is None else [f"f{self.ink}"]
        words += [] if self.ground is None else [f"g{self.ground}"]
        return " ".join(words)


PLAIN = Pen()


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line; `classes` is empty for plain text. The text is not escaped yet."""

    text: str
    classes: str = ""


def spans(line: str, pen: Pen = PLAIN) -> tuple[tuple[Span, ...], Pen]:
    """One line, without its end, in pieces, and the pen that the next line begins with."""
    line = line.rsplit("\r", 1)[-1]  # a progress bar: what was written last is what a terminal shows
    if line.isprintable():
        return _cut(((line, pen),)), pen
    pieces: list[tuple[str, Pen]] = []
    end = 0
    for found in _SEQUENCE.finditer(line):
        pieces.append((line[end : found.start()], pen))
        end = found.end()
        if found["codes"] is not None:
            pen = penned(pen, found["codes"])
    pieces.append((line[end:], pen))
    return _cut(pieces), pen


@lru_cache(maxsize=1024)
def penned(pen: Pen, codes: str) -> Pen:
    """The pen after one SGR sequence; what it does not know of, it leaves."""
    numbers = iter([int(code) if code and len(code) < 4 else 0 for code in codes.replace(":", ";").split(";")])
    for number in numbers:
        pen = _after(pen, number, numbers)
    return pen


def harmless(text: str) -> str:
    """Text with everything that could deceive the eye shown by its number; tabs stay."""
    while "\x08" in text and (shorter := _BACKSPACES.sub("", text)) != text:
        text = shorter  # "overstrike": a letter, back, the letter again
    return _DECEIVING.sub(lambda found: f"\N{WHITE SQUARE}{ord(found[0]):04X}", text)


def _cut(pieces: "tuple[tuple[str, Pen], ...] | list[tuple[str, Pen]]") -> tuple[Span, ...]:
    """The pieces that are not empty, as spans, up to `LONGEST_LINE` characters."""
    result: list[Span] = []
    room = LONGEST_LINE
    for text, pen in pieces:
        if not text:
            continue
        shown = text[:room]
        result.append(Span(shown if shown.isprintable() else harmless(shown), pen.classes if pen != PLAIN else ""))
        room -= len(shown)
        if len(shown) < len(text):
            result.append(Span(" … the rest of this line is in the raw log", "dim"))
            break
    return tuple(result)


_SIMPLE: dict[int, dict[str, bool | None]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"inverse": True},
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"inverse": False},
    39: {"ink": None},
    49: {"ground": None},
}


def _after(pen: Pen, number: int, following: Iterator[int]) -> Pen:
    if number == 0:
        return PLAIN
    if number in _SIMPLE:
        return replace(pen, **_SIMPLE[number])  # type: ignore[arg-type]  # each entry fits its own field
    if number in (38, 48, 58):
        colour = _extended(following)
        return pen if number == 58 else _painted(pen, colour, ground=number == 48)
    for first, ground, base in ((30, False, 0), (40, True, 0), (90, False, 8), (100, True, 8)):
        if first <= number < first + 8:
            return _painted(pen, number - first + base, ground=ground)
    return pen


def _painted(pen: Pen, colour: int | None, *, ground: bool) -> Pen:
    return replace(pen, ground=colour) if ground else replace(pen, ink=colour)


def _extended(following: Iterator[int]) -> int | None:
    """The palette's colour nearest to one of 256 (`5;n`) or of all (`2;r;g;b`)."""
    form = next(following, 0)
    if form == 5:
        return _of_256(next(following, 0))
    if form == 2:
        return _nearest(next(following, 0), next(following, 0), next(following, 0))
    return None


def _of_256(number: int) -> int:
    if number < 16:
        return number
    if number >= 232:
        level = (number - 232) * 10 + 8
        return _nearest(level, level, level)
    red, green, blue = ((number - 16) // factor % 6 * 51 for factor in (36, 6, 1))
    return _nearest(red, green, blue)


def _nearest(red: int, green: int, blue: int) -> int:
    def distance(entry: int) -> int:
        return sum((one - other) ** 2 for one, other in zip(_BASIC[entry], (red, green, blue), strict=True))

    return min(range(8), key=distance)
