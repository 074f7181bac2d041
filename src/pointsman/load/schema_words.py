"""How a value that breaks a JSON Schema is told: what was given, and what it must be. Pure."""

from collections.abc import Collection, Sequence
from typing import Any

from jsonschema.exceptions import ValidationError

from pointsman.load.suggestion import LONGEST_NAME
from pointsman.load.wording import brief, kind_of, listed, printable, shown
from pointsman.model.names import nearest
from pointsman.model.values import Json

MOST_SHOWN = 20
MOST_COMPARED = 200
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}
_LENGTHS = {
    "minLength": "shorter than {} characters",
    "maxLength": "longer than {} characters",
    "minItems": "shorter than {} items",
    "maxItems": "longer than {} items",
    "minProperties": "smaller than {} properties",
    "maxProperties": "larger than {} properties",
}


def named(way: Sequence[str | int]) -> str:
    """A dotted name for a sentence."""
    return brief(".".join(map(str, way)))


def sentence(error: ValidationError) -> str:
    """How a value breaks a rule."""
    wanted: Any = error.validator_value
    rule = str(error.validator)
    value: Any = error.instance
    if rule == "type":
        given = f"the text {shown(value)}" if isinstance(value, str) and value.strip() else kind_of(value)
        return f"is {given}; it must be {takes({'type': wanted})}"
    if rule in {"enum", "const"}:
        return f"is {shown(value)}; it must be {takes({rule: wanted})}"
    if rule in _BOUNDS:
        return f"is {shown(value)}; it must be {_BOUNDS[rule]} {wanted}"
    if rule in _LENGTHS:
        return f"is {_LENGTHS[rule].format(wanted)}"
    if rule in {"pattern", "format"}:
        return f"is {shown(value)}; it must fit the {rule} {shown(wanted)}"
    if rule in {"anyOf", "oneOf"}:
        return _alternatives(error)
    if rule == "uniqueItems":
        return "holds an item twice"
    if rule == "properties":  # the schema of one is `false`
        return "is not allowed here"
    return f"does not fit: {printable(error.message[:200])}"


def shortfall(schema: Any, name: str) -> str:  # noqa: ANN401 - a schema is any JSON
    """That a property is missing, and what it must be."""
    properties = schema.get("properties", {})
    what = takes(properties.get(name)) if isinstance(properties, dict) else ""
    return f"is missing; it must be {what}" if what else "is missing"


def takes(schema: Any) -> str:  # noqa: ANN401 - as above
    """What a simple schema takes, in words; empty for one that a few words cannot tell."""
    if not isinstance(schema, dict):
        return ""
    if "const" in schema:
        return shown(schema["const"])
    if isinstance(schema.get("enum"), list):
        return _choices(schema["enum"])
    kinds = schema.get("type")
    if isinstance(kinds, str | list):
        return f"of type {listed([kinds] if isinstance(kinds, str) else map(str, kinds), last='or')}"
    return ""


def hint_for(value: Json, known: Collection[Any]) -> str:
    """The one of these that was most likely meant."""
    if not isinstance(value, str) or len(value) > LONGEST_NAME or len(known) > MOST_COMPARED:
        return ""
    texts = [one for one in known if isinstance(one, str)]
    near = {text.casefold(): text for text in texts}.get(value.strip().casefold()) or nearest(value, texts)
    return f"did you mean {brief(near)}?" if near else ""


def _choices(choices: Sequence[Json]) -> str:
    words = [shown(one) for one in choices[:MOST_SHOWN]]
    more = len(choices) - len(words)
    return listed([*words, f"{more} more"] if more else words, last="or")


def _alternatives(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    value: Any = error.instance
    if not error.context:
        return f"is {shown(value)}, which fits more than one of the {len(wanted)} alternatives"
    words = [takes(one) for one in wanted]
    if all(words) and len(words) <= MOST_SHOWN:
        return f"is {shown(value)}; it must be {listed(words, last='or')}"
    return f"is {shown(value)}, which fits none of the {len(words)} alternatives"
