"""JSON values: their type, their canonical text, and how properties merge. Pure."""

import hashlib
import json
from collections.abc import Mapping
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]


def canonical(value: Json) -> str:
    """The one JSON text of a value: sorted keys, no space, no number that is not finite (`ValueError`)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Json) -> str:
    """The SHA-256 of a value's canonical text, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def merged(lower: JsonObject, upper: Mapping[str, Json]) -> JsonObject:
    """`upper` over `lower`: objects deep, lists whole, anything else replaced, null stays null (R100)."""
    result = dict(lower)
    for key, value in upper.items():
        below = result.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result


def reached(value: Json, dotted: str) -> tuple[bool, Json]:
    """Whether a dotted name reaches something inside `value`, and what (R30)."""
    for part in dotted.split("."):
        if not isinstance(value, dict) or part not in value:
            return False, None
        value = value[part]
    return True, value
