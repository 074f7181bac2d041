"""The `inputs` of a workflow file: a schema of its variables, with defaults that fit, and properties that do too."""

import json
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from pointsman.load.breaches import breaches, breaches_inside
from pointsman.load.nodes import Mapping, Node, Step, plain_object, spot
from pointsman.load.schema import schema_problem, schema_problems, schemas_below
from pointsman.load.schema_words import named
from pointsman.load.wording import shown
from pointsman.model.breach import Breach
from pointsman.model.problem import Code, Problem, has_errors
from pointsman.model.values import Json, JsonObject, canonical
from pointsman.plan.inputs import TOO_LARGE, with_defaults


def inputs_problems(inputs: Node | None, properties: Node | None) -> tuple[Problem, ...]:
    """What is wrong with a workflow's inputs, and how its own properties break them whatever a run may add to these."""
    if not isinstance(inputs, Mapping):
        return ()
    schema = plain_object(inputs)
    problems = schema_problems(schema, inputs, called="inputs")
    if has_errors(problems):
        return problems
    faults = _faults(canonical(schema))
    problems += tuple(schema_problem(fault, inputs, "inputs: ") for fault in faults)
    if faults or not isinstance(properties, Mapping):
        return problems
    return (*problems, *_own_properties(schema, properties))


# The same inputs come back with every push, as in `schema`.
@lru_cache(maxsize=256)
def _faults(text: str) -> tuple[Breach, ...]:
    inputs: JsonObject = json.loads(text)
    return (*_no_object(inputs), *_defaults(inputs))


def _no_object(schema: JsonObject) -> Iterator[Breach]:
    kinds = schema.get("type", "object")
    if "object" not in (kinds if isinstance(kinds, list) else [kinds]):
        says = f"is {shown(kinds)}; it must be object, or absent: inputs describe all variables together"
        yield Breach(way=("type",), name="type", says=says, hint="write each variable's schema under properties")


def _defaults(inputs: JsonObject) -> Iterator[Breach]:
    """Defaults that their own schemas refuse."""
    for way, schema in schemas_below(inputs):
        if "default" not in schema:
            continue
        default: Json = schema["default"]
        if isinstance(default, dict):
            default = with_defaults(inputs, default, schema) or default
        for breach in breaches_inside(inputs, schema, default):
            at = f" at {breach.name}" if breach.name else ""
            says = f"{breach.says}{at}"
            yield Breach(way=(*way, "default", *breach.way), name=f"the default of {_variable(way)}", says=says)
    if with_defaults(inputs, {}) is None:
        yield Breach(way=("properties",), name="properties", says=f"cannot be used: {TOO_LARGE.says}")


def _variable(way: tuple[Step, ...]) -> str:
    """The name of the variable whose schema is at the end of the way, as far as it has one."""
    inside = [step for before, step in pairwise(way) if before == "properties"]
    return named(inside) if inside else named(way) or "all variables"


def _own_properties(schema: JsonObject, properties: Mapping) -> Iterator[Problem]:
    """Breaches that no run can mend by adding to an object what it lacks; it could only replace the value."""
    given = plain_object(properties)
    for breach in breaches(schema, given, partial=True):
        if breach.missing or (breach.rule not in {"type", "additionalProperties"} and _is_object(given, breach)):
            continue
        at = spot(properties, breach.way)
        yield Problem(
            place=at.shape_place if breach.rule == "additionalProperties" else at.content_place,
            code=Code.BREAKS_INPUTS,
            says=f"the input {breach.name} {breach.says}",
            hint=breach.hint,
        )


def _is_object(value: Json, breach: Breach) -> bool:
    for step in breach.way:
        value = value[step]  # type: ignore[index] # the way leads through this very value
    return isinstance(value, dict)
