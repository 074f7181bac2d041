"""How values, names and lists of words are put into sentences. Pure."""

from collections.abc import Iterable, Sequence

from pointsman.model.values import Json

_LONGEST = 80


def shown(value: Json) -> str:
    """A value for a sentence: cut, and with everything that could move a cursor escaped."""
    if isinstance(value, str):
        cut = value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
        return repr(cut)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)[:_LONGEST]
    return kind_of(value)


def printable(text: str) -> str:
    """A name as it is, or with its unprintable characters escaped."""
    return text if text.isprintable() else text.encode("unicode_escape", "backslashreplace").decode("ascii")


def brief(text: str) -> str:
    """A name for a sentence: printable, and cut where it is so long that it would hide the rest."""
    return printable(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def kind_of(value: Json) -> str:
    """What sort of value this is, with its article."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"a boolean ({shown(value)})"
    if isinstance(value, int | float):
        return f"a number ({shown(value)})"
    if isinstance(value, str):
        return "a text" if value.strip() else "an empty text"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return "a mapping" if value else "an empty mapping"


def listed(words: Iterable[str], *, last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    every: Sequence[str] = tuple(words)
    if len(every) < 2:
        return "".join(every)
    return f"{', '.join(every[:-1])} {last} {every[-1]}"


def article(word: str) -> str:
    """The word with `a` or `an` before it."""
    return f"an {word}" if word[:1] in "aeiou" else f"a {word}"
