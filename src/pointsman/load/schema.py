"""Authors' own JSON Schemas (2020-12): whether they are any, and whether values meet them. Nothing is ever fetched."""

import json
from collections.abc import Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # the package has no types
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from pointsman.load.nodes import Node, Step, spot
from pointsman.load.wording import brief, kind_of, listed, shown
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.problem import Code, Place, Problem, sorted_problems
from pointsman.model.values import Json, JsonObject, canonical

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MOST_SCHEMA_VALUES = 2_000
MOST_BREACHES = 100

_META = Draft202012Validator(
    Draft202012Validator.META_SCHEMA, registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER
)
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


@dataclass(frozen=True, slots=True)
class Breach:
    """Where a value breaks a schema, and how; `missing` where the property at `way` is not there at all."""

    way: tuple[Step, ...]
    says: str
    missing: bool = False

    @property
    def name(self) -> str:
        """The property's dotted name."""
        return brief(".".join(map(str, self.way)))


def schema_problems(schema: JsonObject, node: Node, *, called: str) -> tuple[Problem, ...]:
    """Why this is no JSON Schema, at the place of each fault below `node`."""
    return tuple(
        Problem(
            place=spot(node, breach.way).content_place if breach.way else node.place,
            code=Code.BAD_SCHEMA,
            says=f"{called} is no JSON Schema: {f'{breach.name} ' if breach.way else ''}{breach.says}",
        )
        for breach in _faults(canonical(schema))
    )


# The same schema comes back with every push; looking at it again costs more than reading the file.
@lru_cache(maxsize=256)
def _faults(text: str) -> tuple[Breach, ...]:
    schema: JsonObject = json.loads(text)
    if sum(1 for _ in _below(schema, ())) > MOST_SCHEMA_VALUES:
        return (Breach((), f"it has more than {MOST_SCHEMA_VALUES:,} values"),)
    dialect = schema.get("$schema", DIALECT)
    if not isinstance(dialect, str) or dialect.rstrip("#") != DIALECT:
        return (Breach(("$schema",), f"is {shown(dialect)}; only {DIALECT} is read"),)
    found = tuple(_breaches(_META, schema))
    return found or tuple(_unreachable(schema))


def _unreachable(schema: JsonObject) -> Iterator[Breach]:
    """References that lead out of the schema, or nowhere."""
    resolver = REGISTRY.with_resource("", DRAFT202012.create_resource(schema)).resolver()
    for way, value in _below(schema, ()):
        if not way or way[-1] not in {"$ref", "$dynamicRef"} or not isinstance(value, str) or "$id" in schema:
            continue
        if not value.startswith("#") and value != DIALECT:
            yield Breach(way, f"refers to {shown(value)}; nothing outside the schema is fetched")
            continue
        try:
            resolver.lookup(value)
        except (Unresolvable, ValueError, TypeError):
            yield Breach(way, f"refers to {shown(value)}, which is not there")


def _below(value: Json, way: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Json]]:
    yield way, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _below(item, (*way, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _below(item, (*way, index))


@lru_cache(maxsize=256)
def _validator(text: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(text), registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER)


def breaches(schema: JsonObject, value: JsonObject) -> tuple[Breach, ...]:
    """Every way in which the value breaks the schema, each once."""
    return tuple(dict.fromkeys(_breaches(_validator(canonical(schema)), value)))


def _breaches(validator: Draft202012Validator, value: Json) -> Iterator[Breach]:
    try:
        for number, error in enumerate(validator.iter_errors(value)):
            if number >= MOST_BREACHES:
                return
            yield from _breach(error)
    except Unresolvable as error:
        yield Breach((), f"cannot be held against a schema that refers to {shown(str(error.ref))}")
    except RecursionError:
        yield Breach((), "cannot be held against a schema that refers to itself without end")


def _breach(error: ValidationError) -> Iterator[Breach]:
    way: tuple[Step, ...] = tuple(error.absolute_path)
    wanted: Any = error.validator_value
    value: Any = error.instance
    if error.validator == "required":
        yield from (Breach((*way, name), "is missing", missing=True) for name in wanted if name not in value)
    elif error.validator == "additionalProperties" and wanted is False:
        schema: Any = error.schema
        yield from (Breach((*way, name), "is not in the schema") for name in _surplus(schema, value))
    else:
        yield Breach(way, _sentence(str(error.validator), wanted, value) or f"does not fit: {error.message[:200]}")


def _surplus(schema: Map[str, Any], value: Map[str, Json]) -> Iterator[str]:
    known = schema.get("properties", {})
    patterned = Draft202012Validator({"patternProperties": dict.fromkeys(schema.get("patternProperties", {}), False)})
    return (name for name in value if name not in known and patterned.is_valid({name: None}))


def _sentence(rule: str, wanted: Any, value: Json) -> str:  # noqa: ANN401  # what a rule wants is any JSON
    """How a value breaks a rule; empty for rules that jsonschema itself words well enough."""
    if rule == "type":
        types = wanted if isinstance(wanted, list) else [wanted]
        return f"is {kind_of(value)}; it must be of type {listed(types, last='or')}"
    if rule in {"enum", "const"}:
        choices = wanted if rule == "enum" else [wanted]
        return f"is {shown(value)}; it must be {listed((shown(one) for one in choices[:20]), last='or')}"
    if rule in _BOUNDS:
        return f"is {shown(value)}; it must be {_BOUNDS[rule]} {wanted}"
    if rule in _LENGTHS:
        return f"is {_LENGTHS[rule].format(wanted)}"
    if rule in {"pattern", "format"}:
        return f"is {shown(value)}; it must fit the {rule} {shown(wanted)}"
    if rule in {"anyOf", "oneOf"}:
        return f"is {shown(value)}, which is not allowed here"
    return ""


def input_problems(definition: WorkflowDefinition, properties: JsonObject, place: Place) -> tuple[Problem, ...]:
    """How the variables of a run break the workflow's `inputs`, all at `place`; nothing if it declares none."""
    if definition.inputs is None:
        return ()
    return sorted_problems(
        Problem(
            place=place,
            code=Code.BREAKS_INPUTS,
            says=f"{breach.name or 'the properties'} {breach.says}",
            hint=f"set {breach.name}" if breach.missing else "",
        )
        for breach in breaches(definition.inputs, properties)
    )
