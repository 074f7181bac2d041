"""Patterns of authors' schemas, by RE2: whatever they are, matching takes time proportional to the text. Pure."""

from contextlib import suppress
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]  # the package has no types


class PatternError(Exception):
    """RE2 cannot read a pattern; the text says why."""


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern fits anywhere in the text; `PatternError` if it is none."""
    with suppress(UnicodeEncodeError):  # half a surrogate pair fits no pattern
        return _compiled(pattern).search(text) is not None
    return False


def pattern_trouble(pattern: str) -> str:
    """Why a pattern cannot be read; empty if it can."""
    try:
        _compiled(pattern)
    except PatternError as error:
        return str(error)
    return ""


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:  # noqa: ANN401 - the package has no types
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except UnicodeEncodeError as error:
        raise PatternError("half a surrogate pair is no text") from error
    except re2.error as error:
        why = error.args[0] if error.args else b""
        raise PatternError(why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)) from error
