"""The log of one attempt as the page shows it: numbered lines with their times. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.act.output import PAIR
from pointsman.web.ansi import PLAIN, Span, spans
from pointsman.web.words import time_of_day

MOST_LINES = 2_000


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log; `time` is empty if it is unknown."""

    number: int
    time: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """The end of a log. `earlier` lines before it are only in the raw log; `end` is the offset behind the last line."""

    lines: tuple[LogLine, ...] = ()
    earlier: int = 0
    end: int = 0


NO_LOG = LogView()


def log_view(data: bytes, times: bytes, *, ended: bool, most: int = MOST_LINES) -> LogView:
    """The last lines of a whole log. While it is written (`ended` false), a line without its end is left for later.

    Lines that arrive afterwards are `log_lines(data[view.end:], …, offset=view.end)`.
    """
    end = len(data) if ended else data.rfind(b"\n") + 1
    start = _start_of_last(data, most, end=end)
    earlier = data.count(b"\n", 0, start)
    lines = log_lines(data[start:end], times, first_line=earlier + 1, offset=start)
    return LogView(lines=tuple(lines), earlier=earlier, end=end)


def log_lines(data: bytes, times: bytes, *, first_line: int, offset: int = 0) -> list[LogLine]:
    """The lines of the piece of a log that begins at `offset`; `times` is all that is there of the times file."""
    if not data:
        return []
    pieces = data.removesuffix(b"\n").split(b"\n")
    clock = _Times(times)
    pen = PLAIN
    lines = []
    for number, piece in enumerate(pieces, first_line):
        shown, pen = spans(piece.decode("utf-8", "replace").removesuffix("\r"), pen)
        lines.append(LogLine(number, clock.at(offset), shown))
        offset += len(piece) + 1
    return lines


class _Times:
    """Arrival times by offset, asked in ascending order."""

    def __init__(self, times: bytes) -> None:
        whole = len(times) - len(times) % PAIR.size  # the last pair may be half written
        self._pairs: Iterator[tuple[int, int]] = PAIR.iter_unpack(times[:whole])
        self._next = next(self._pairs, None)
        self._shown = ""

    def at(self, offset: int) -> str:
        passed = None
        while self._next is not None and self._next[0] <= offset:
            passed, self._next = self._next[1], next(self._pairs, None)
        if passed is not None:
            self._shown = time_of_day(passed / 1000)
        return self._shown


def _start_of_last(data: bytes, most: int, *, end: int) -> int:
    """Where the last `most` lines before `end` begin."""
    place = end - 1
    for _ in range(most):
        place = data.rfind(b"\n", 0, max(0, place))
        if place < 0:
            return 0
    return place + 1
