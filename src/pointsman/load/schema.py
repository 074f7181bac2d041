"""Authors' own JSON Schemas (2020-12): whether they are any, and mean what they seem to. Nothing is ever fetched."""

import json
from collections.abc import Iterator
from functools import lru_cache

from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # the package has no types
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from pointsman.load.breaches import breaches_by, values_in
from pointsman.load.formats import FORMATS
from pointsman.load.nodes import Node, Step, spot
from pointsman.load.patterns import pattern_trouble
from pointsman.load.schema_words import hint_for, named
from pointsman.load.suggestion import nearest_key
from pointsman.load.wording import brief, listed, shown
from pointsman.model.breach import Breach
from pointsman.model.problem import Code, Problem, Severity
from pointsman.model.values import Json, JsonObject, canonical

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MOST_SCHEMA_VALUES = 2_000

_META = Draft202012Validator(Draft202012Validator.META_SCHEMA, registry=REGISTRY)
_VOCABULARIES = DIALECT.removesuffix("schema")
# the meta-schema knows them from former drafts, and jsonschema passes over them
_FORMER = frozenset({"dependencies", "$recursiveAnchor", "$recursiveRef"})
_KEYWORDS = frozenset(
    key
    for address in REGISTRY
    if address.startswith(_VOCABULARIES)
    for key in REGISTRY.contents(address).get("properties", ())
    if key not in _FORMER
)
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_ONE_BELOW = frozenset({
    "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
})  # fmt: skip
_LIST_BELOW = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMES_BELOW = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})

Way = tuple[Step, ...]


def schema_problems(schema: JsonObject, node: Node, *, called: str) -> tuple[Problem, ...]:
    """Why this is no JSON Schema that can be relied on, at the place of each fault below `node`."""
    text = canonical(schema)
    unchecked = () if (faults := _faults(text)) else _unchecked_formats(text)
    return (
        *(schema_problem(fault, node, f"{called} is no JSON Schema: ") for fault in faults),
        *(schema_problem(warning, node, f"{called}: ", Severity.WARNING) for warning in unchecked),
    )


def schema_problem(breach: Breach, node: Node, before: str, severity: Severity = Severity.ERROR) -> Problem:
    """A fault in a schema at its place below `node`, with some words before it."""
    at = spot(node, breach.way)
    place = at.shape_place if breach.rule == "additionalProperties" else at.content_place  # R7: an unknown key
    return Problem(
        place=place if breach.way else node.place,
        code=Code.BAD_SCHEMA,
        says=f"{before}{f'{breach.name} ' if breach.way else ''}{breach.says}",
        hint=breach.hint,
        severity=severity,
    )


def schemas_below(schema: Json, way: Way = ()) -> Iterator[tuple[Way, JsonObject]]:
    """A schema and all schemas inside it, with the way to each: never a value that only looks like one."""
    if not isinstance(schema, dict):
        return
    yield way, schema
    for key, value in schema.items():
        if key in _ONE_BELOW:
            yield from schemas_below(value, (*way, key))
        elif key in _NAMES_BELOW and isinstance(value, dict):
            for name, item in value.items():
                yield from schemas_below(item, (*way, key, name))
        elif key in _LIST_BELOW and isinstance(value, list):
            for index, item in enumerate(value):
                yield from schemas_below(item, (*way, key, index))


# The same schema comes back with every push; looking at it again costs more than reading the file.
@lru_cache(maxsize=256)
def _faults(text: str) -> tuple[Breach, ...]:
    schema: JsonObject = json.loads(text)
    if values_in(schema) > MOST_SCHEMA_VALUES:
        return (_fault((), f"it has more than {MOST_SCHEMA_VALUES:,} values"),)
    dialect = schema.get("$schema", DIALECT)
    if not isinstance(dialect, str) or dialect.rstrip("#") != DIALECT:
        return (_fault(("$schema",), f"is {shown(dialect)}; only {DIALECT} is read"),)
    found = [_no_type(breach, schema) for breach in breaches_by(_META, schema)]
    inside = list(schemas_below(schema))
    patterned = any("patternProperties" in inner for _, inner in inside)
    for way, inner in inside:
        found += _unknown_keywords(inner, way)
        found += _bad_patterns(inner, way)
        if patterned and "unevaluatedProperties" in inner:  # jsonschema would search with `re`
            says, hint = "cannot be used together with patternProperties", "use additionalProperties"
            found.append(_fault((*way, "unevaluatedProperties"), says, hint))
    return tuple(dict.fromkeys(found)) or tuple(_unreachable(schema))


@lru_cache(maxsize=256)
def _unchecked_formats(text: str) -> tuple[Breach, ...]:
    known = sorted(FORMATS)
    return tuple(
        _fault(
            (*way, "format"),
            f"is {shown(name)}, which is not checked",
            hint_for(name, known) or f"the formats that are checked are {listed(known)}",
        )
        for way, inner in schemas_below(json.loads(text))
        if (name := inner.get("format", "date")) not in FORMATS
    )


def _fault(way: Way, says: str, hint: str = "", *, rule: str = "") -> Breach:
    return Breach(way=way, name=named(way), says=says, hint=hint, rule=rule)


def _no_type(breach: Breach, schema: JsonObject) -> Breach:
    """The breach, in words of its own if it is a type that is none."""
    if breach.way[-1:] != ("type",):
        return breach
    value: Json = schema
    for step in breach.way:
        value = value[step]  # type: ignore[index] # the way leads through this very schema
    return _fault(breach.way, f"is {shown(value)}; it must be {listed(_TYPES, last='or')}", hint_for(value, _TYPES))


def _unknown_keywords(schema: JsonObject, way: Way) -> Iterator[Breach]:
    """Keys that mean nothing: JSON Schema passes over them in silence, and their author relies on them (R2)."""
    for key in schema:
        if key in _KEYWORDS or key.startswith("x-"):
            if way and key in {"$id", "$schema"}:
                yield _fault((*way, key), "stands inside a schema; it may stand at the top only")
            continue
        near = nearest_key(key, _KEYWORDS)
        hint = f"did you mean {near}?" if near else "write names under properties; a note begins with x-"
        yield _fault((*way, key), "is no keyword of JSON Schema", hint, rule="additionalProperties")


def _bad_patterns(schema: JsonObject, way: Way) -> Iterator[Breach]:
    patterned = schema.get("patternProperties")
    given = [((*way, "patternProperties", key), key) for key in patterned] if isinstance(patterned, dict) else []
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        given.append(((*way, "pattern"), pattern))
    for inner, text in given:
        if trouble := pattern_trouble(text):
            hint = "patterns are those of RE2: without lookaround and backreferences, repeated at most 1,000 times"
            yield _fault(inner, f"is {shown(text)}, which cannot be read: {brief(trouble)}", hint)


def _unreachable(schema: JsonObject) -> Iterator[Breach]:
    """References that lead out of the schema, nowhere, or to a value that nobody has looked at as a schema."""
    top = {key: value for key, value in schema.items() if key != "$id"}
    schemas = {id(top), *(id(inner) for _, inner in schemas_below(schema))}
    resolver = REGISTRY.with_resource("", DRAFT202012.create_resource(top)).resolver()
    for way, inner in schemas_below(schema):
        for key in ("$ref", "$dynamicRef"):
            value = inner.get(key)
            if not isinstance(value, str):
                continue
            if not value.startswith("#") and value != DIALECT:
                yield _fault((*way, key), f"refers to {shown(value)}; nothing outside the schema is fetched")
                continue
            try:
                found = resolver.lookup(value).contents
            except (Unresolvable, ValueError, TypeError):
                yield _fault((*way, key), f"refers to {shown(value)}, which is not there")
                continue
            if value != DIALECT and not isinstance(found, bool) and id(found) not in schemas:
                yield _fault((*way, key), f"refers to {shown(value)}, which is no schema", "put it under $defs")
