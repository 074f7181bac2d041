"""Times, lengths of time and numbers as people read them. Pure: whoever asks brings the time.

All times on the pages are UTC and say so; the page's script writes running lengths of time in the same form as `took`.
"""

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def took(seconds: float) -> str:
    """A length of time in its two largest units: `8s`, `1m 05s`, `2h 07m`, `3d 04h`. Never negative."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d {whole % _DAY // _HOUR:02}h"


def ago(at: float, *, now: float) -> str:
    """How long ago something was, or how far it is ahead: `just now`, `4m ago`, `in 3h`."""
    distance = abs(now - at)
    if distance < _MINUTE:
        return "just now" if at <= now else "in a moment"
    for unit, letter in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if distance >= unit:
            words = f"{int(distance // unit)}{letter}"
            break
    return f"{words} ago" if at <= now else f"in {words}"


def clock(at: float, *, now: float) -> str:
    """The time of day in UTC, with the date in front if that is not today's."""
    moment = _moment(at)
    if moment.date() == _moment(now).date():
        return f"{moment:%H:%M:%S}"
    return f"{moment:%Y-%m-%d %H:%M}"


def time_of_day(at: float) -> str:
    """The time of day in UTC, as beside a line of a log."""
    return f"{_moment(at):%H:%M:%S}"


def stamp(at: float) -> str:
    """The full time, as a person writes it down: `2026-11-24 18:35:24 UTC`."""
    return f"{_moment(at):%Y-%m-%d %H:%M:%S} UTC"


def iso(at: float) -> str:
    """The time for machines, RFC 3339 in UTC."""
    return f"{_moment(at):%Y-%m-%dT%H:%M:%SZ}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 step`, `3 steps`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(words: list[str], *, last: str = "and") -> str:
    """Words as in a sentence: `a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def _moment(at: float) -> datetime:
    try:
        return datetime.fromtimestamp(at, UTC)
    except (OverflowError, ValueError, OSError):
        # a start time in the year 99999 is the author's business, not a reason to lose the page
        return datetime.max.replace(tzinfo=UTC)
