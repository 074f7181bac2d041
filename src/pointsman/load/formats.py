"""The formats that are checked where a schema names one; the standard library knows enough for all of them. Pure."""

import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator

from pointsman.load.patterns import pattern_trouble

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def is_date_time(text: str) -> bool:
    """Whether it is a time of RFC 3339, such as 2026-06-04T22:00:00+10:00."""
    return _MOMENT.fullmatch(text) is not None and bool(datetime.fromisoformat(text))


def is_time(text: str) -> bool:
    """Whether it is a time of day with an offset, such as 22:00:00Z."""
    return _TIME.fullmatch(text) is not None and bool(datetime.fromisoformat(f"2000-01-01T{text}"))


def is_hostname(text: str) -> bool:
    """Whether it is a name of RFC 1123."""
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in text.split("."))


def is_uri(text: str) -> bool:
    """Whether it is an address with a scheme, such as https://example.com/."""
    parts = urlsplit(text)
    return (
        bool(parts.scheme and (parts.netloc or parts.path))
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )


def _of_texts(check: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or check(value)


_STANDARD = Draft202012Validator.FORMAT_CHECKER.checkers
FORMATS = {
    **{name: _STANDARD[name] for name in ("date", "email", "ipv4", "ipv6", "uuid")},
    "date-time": (_of_texts(is_date_time), ValueError),
    "hostname": (_of_texts(is_hostname), ()),
    "regex": (_of_texts(lambda text: not pattern_trouble(text)), ()),
    "time": (_of_texts(is_time), ValueError),
    "uri": (_of_texts(is_uri), ValueError),
}
