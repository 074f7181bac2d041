"""Durations, moments and cron expressions as authors write them. Pure."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from pointsman.load.wording import kind_of, shown

LONGEST_SECONDS = 3650 * 86_400

_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?P<offset>[Zz]|[+-]\d{2}:?\d{2})?")
_CRON_FIELDS = 5
_A_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def seconds_of(value: object) -> int:
    """Whole seconds of `30s`, `10m`, `2h`, `1d`, `1h30m` or a whole number of seconds; `ValueError` with a sentence."""
    seconds = _seconds(value)
    if seconds is None:
        found = shown(value) if isinstance(value, str) else kind_of_any(value)
        raise ValueError(f"must be a duration such as 30s, 10m, 2h, 1d or 1h30m, and this is {found}")
    if seconds > LONGEST_SECONDS:
        raise ValueError("is longer than ten years")
    return seconds


def _seconds(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isdigit():
        return int(value) if len(value) <= 9 else None
    found = _DURATION.fullmatch(value)
    if found is None or not value:
        return None
    return sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNITS.values(), strict=True))


def epoch_seconds(text: str) -> float:
    """The moment as seconds since 1970 in UTC; `ValueError` with a sentence, also if there is no offset (R59)."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"must be a date and time such as 2026-06-04T22:00:00+10:00, and this is {shown(text)}")
    if found["offset"] is None:
        raise ValueError(f"is {shown(text)}, without an offset, so it could be any of many moments")
    try:
        return datetime.fromisoformat(text.upper()).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"is {shown(text)}, and there is no such moment") from None


def cron_trouble(expression: str) -> str:
    """Why this is no cron expression; empty if it is one."""
    fields = expression.split()
    if len(fields) != _CRON_FIELDS:
        return f"is {shown(expression)}; a cron expression has five fields (minute hour day month weekday)"
    try:
        next(CronSim(expression, _A_DAY))
    except StopIteration:
        return f"is {shown(expression)}, which never comes"
    except CronSimError as error:
        minute, hour, day, month, weekday = fields
        if "day-of-month" in str(error) and month != "*" and not cron_trouble(f"{minute} {hour} {day} * {weekday}"):
            return f"is {shown(expression)}, which never comes"  # a good day, and no month has it
        return f"is {shown(expression)}: {str(error).lower()}"
    return ""


def firing_after(cron: str, timezone: str, *, after: float) -> float | None:
    """The first moment after `after` at which a cron expression comes in a time zone; None if it never does again.

    As in Debian's cron: where clocks are put forward, what stood in the hour that is left out comes right after it;
    where they are put back, it comes once. Expressions whose minute or hour begins with `*` go by time that passes.
    """
    zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
    for moment in CronSim(cron, datetime.fromtimestamp(after, zone)):
        # where an hour comes twice, and it is the second one, CronSim answers with times of the first
        if moment.timestamp() > after:
            return moment.timestamp()
    return None


def last_firing(cron: str, timezone: str, *, after: float, until: float) -> float | None:
    """The last moment in `after < moment <= until` at which a cron expression comes; None if there is none.

    It is found by halving, so that a year of minutes that were missed costs as little as one.
    """
    last = None
    while after < until:
        found = firing_after(cron, timezone, after=after)
        if found is None or found > until:
            break
        last = after = found
        middle = (found + until) / 2
        later = firing_after(cron, timezone, after=middle)
        if later is None or later > until:
            until = middle
        else:
            last = after = later
    return last


def timezone_trouble(name: str) -> str:
    """Why this is no time zone; empty if it is one."""
    if name == "UTC":
        return ""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return f"is {shown(name)}, which is no time zone"
    return ""


def kind_of_any(value: object) -> str:
    """What sort of value this is, for a value of which only that it came from YAML is known."""
    return kind_of(value) if isinstance(value, str | int | float | list | dict | None) else "something else"
