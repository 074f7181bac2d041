"""What an unquoted scalar means: the core schema of YAML 1.2, as far as JSON can hold it. Pure."""

import math
import re

from pointsman.model.values import Json

LONGEST_NUMBER = 400

_KEYWORDS: dict[str, Json] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def value_of(text: str) -> Json:
    """The value of an unquoted scalar (R14); `ValueError` with a sentence for a number that JSON cannot hold."""
    if text in _KEYWORDS:
        return _KEYWORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    return _number(text)


def _number(text: str) -> Json:
    """Texts such as `1_000`, `2026-06-04` and `1.2.3` are no numbers and stay what they are."""
    if _DECIMAL.fullmatch(text):
        return int(_bounded(text))
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _OCTAL.fullmatch(text):
        return int(_bounded(text), base=0)
    if _HEXADECIMAL.fullmatch(text):
        return int(_bounded(text), base=0)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is no number that JSON can hold")
    return text


def _bounded(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text):,} characters is too long")
    return text


def _finite(text: str) -> float:
    number = float(_bounded(text))
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large for a number")
    return number
