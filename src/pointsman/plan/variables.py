"""Variables: `{{ dotted.name }}` in parsed scalars, replaced in one pass and never expanded twice. Pure.

There is no template engine here on purpose: a value can add neither structure nor another variable (R36).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pointsman.model.values import Json, JsonObject, canonical, reached

LARGEST_VALUE = 256 * 1024
MOST_VALUE_LEVELS = 32

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"
_VARIABLE = re.compile(r"\{\{\s*(" + _NAME + r")\s*\}\}")
_BRACES = re.compile(r"\{\{|\}\}")


@dataclass(slots=True)
class Trouble:
    """What went wrong while values were put in: names without a value, and sentences about the rest.

    `room` is how much may still be put in: called workflows that double a value at each level would fill any memory.
    """

    unresolved: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    room: int = LARGEST_VALUE

    def __bool__(self) -> bool:
        return bool(self.unresolved or self.sentences)


def variable_names(value: Json) -> Iterator[str]:
    """Every variable in a value, in order, with repetitions; keys are not looked into."""
    if isinstance(value, str):
        yield from _VARIABLE.findall(value)
    elif isinstance(value, list):
        for item in value:
            yield from variable_names(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from variable_names(item)


def malformed(text: str) -> bool:
    """Whether braces are left over once the variables are taken out, as in `{{ unclosed` or `{{ a + b }}`."""
    return _BRACES.search(_VARIABLE.sub("", text)) is not None


def resolved(value: Json, scope: JsonObject, trouble: Trouble) -> Json:
    """`value` with its variables replaced; one that is only a variable keeps its type (R30, R33)."""
    if isinstance(value, str):
        whole = _VARIABLE.fullmatch(value)
        if whole is not None:
            return _put_in(whole[1], _value_of(whole[1], scope, trouble), trouble)
        return resolved_text(value, scope, trouble)
    if isinstance(value, list):
        return [resolved(item, scope, trouble) for item in value]
    if isinstance(value, dict):
        return {key: resolved(item, scope, trouble) for key, item in value.items()}
    return value


def resolved_text(text: str, scope: JsonObject, trouble: Trouble) -> str:
    """A text with its variables printed into it: numbers and booleans as in JSON, no object, no list (R33)."""
    if malformed(text):
        trouble.sentences.append(
            f"{text[:200]!r} is not a variable: only {{{{ dotted.name }}}} is, without expressions"
        )
        return text

    def printed(match: re.Match[str]) -> str:
        value = _value_of(match[1], scope, trouble)
        if isinstance(value, dict | list):
            kind = "object" if isinstance(value, dict) else "list"
            trouble.sentences.append(f"{match[1]} is {_article(kind)}; it cannot stand inside a text")
            return ""
        text = _put_in(match[1], value if isinstance(value, str) else canonical(value), trouble)
        return text if isinstance(text, str) else ""

    return _VARIABLE.sub(printed, text)


def _value_of(name: str, scope: JsonObject, trouble: Trouble) -> Json:
    found, value = reached(scope, name)
    if not found or value is None:
        trouble.unresolved.append(name)
        return None
    return value


def room_left(value: Json, room: int, levels: int = MOST_VALUE_LEVELS) -> int:
    """What is left of `room` once a value has taken its characters and nodes; negative if it does not fit, or is too
    deep. Looks no further than the room goes.
    """
    if levels < 0:
        return -1
    room -= 1 + len(value) if isinstance(value, str) else 1
    if isinstance(value, dict):
        room -= sum(map(len, value))
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            if room < 0:
                break
            room = room_left(item, room, levels - 1)
    return room


def _put_in(name: str, value: Json, trouble: Trouble) -> Json:
    """The value, if there is room for it."""
    left = room_left(value, trouble.room)
    if left >= 0:
        trouble.room = left
        return value
    sentence = f"with the value of {name} this becomes too large, or deeper than {MOST_VALUE_LEVELS} levels"
    if sentence not in trouble.sentences:
        trouble.sentences.append(sentence)
    return None


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "object" else f"a {kind}"
