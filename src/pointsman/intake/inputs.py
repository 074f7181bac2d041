"""A run's variables against the workflow's `inputs`, and texts that become the values that the inputs take.

The command line (`--set`), the API (`set`) and the form give texts; what each means is decided here and nowhere else.
"""

import json
import math
from collections.abc import Mapping
from typing import NoReturn

from pointsman.load.schemas import best_fit, breaches
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.problem import Place, Problem, sorted_problems
from pointsman.model.values import Json, JsonObject, merged
from pointsman.plan.inputs import given, property_schema, run_problem


def input_problems(
    definition: WorkflowDefinition, properties: JsonObject, place: Place, *, project: JsonObject | None = None
) -> tuple[Problem, ...]:
    """How a run with these properties would break the workflow's `inputs`, all at `place`; nothing if it has none.

    The workflow's own properties, the `project`'s and the defaults of the inputs are below them, as in a run.
    """
    found = given(definition, properties, project or {}, breaches=breaches).breaches
    return sorted_problems(run_problem(breach, definition, place) for breach in found)


def with_texts(properties: JsonObject, texts: Mapping[str, str], inputs: JsonObject | None) -> JsonObject:
    """The properties with values given as texts laid over them, later ones over earlier ones; dotted names reach into
    objects. A text that is no value its input takes stays what it most likely means, for the inputs to refuse.
    """
    for name, text in texts.items():
        parts = name.split(".")
        value = meant(text, None if inputs is None else property_schema(inputs, parts), inputs or {})
        for part in reversed(parts):
            value = {part: value}
        assert isinstance(value, dict)
        properties = merged(properties, value)
    return properties


def meant(text: str, schema: Json, inputs: JsonObject) -> Json:
    """The value that a text means to a schema inside `inputs`: what fits it, as JSON or as the text that it is."""
    candidates = list({repr(one): one for one in (value_of(text), text)}.values())
    return candidates[0] if schema is None or len(candidates) == 1 else best_fit(inputs, schema, candidates)


def value_of(text: str) -> Json:
    """The value that a text means where nothing is declared: JSON, unless that would be a string, or none at all."""
    try:
        value: Json = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text
    too_large = isinstance(value, float) and not math.isfinite(value)
    return text if isinstance(value, str) or too_large else value


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
