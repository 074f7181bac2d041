"""The way to JSON Schema, whose library is loaded with the first schema: a fifth of what a small `validate` takes."""

from collections.abc import Sequence

from pointsman.load.nodes import Mapping, Node
from pointsman.model.breach import Breach
from pointsman.model.problem import Problem
from pointsman.model.values import Json, JsonObject


def breaches(schema: JsonObject, value: JsonObject, *, partial: bool = False) -> tuple[Breach, ...]:
    """How a value breaks a schema; as `pointsman.load.breaches` says."""
    from pointsman.load import breaches as checks  # noqa: PLC0415 - see above

    return checks.breaches(schema, value, partial=partial)


def best_fit(root: JsonObject, schema: Json, candidates: Sequence[Json]) -> Json:
    """The candidate that fits a schema best; as `pointsman.load.breaches` says."""
    from pointsman.load import breaches as checks  # noqa: PLC0415 - see above

    return checks.best_fit(root, schema, candidates)


def schema_problems(schema: JsonObject, node: Mapping, *, called: str) -> tuple[Problem, ...]:
    """What is wrong with a schema itself; as `pointsman.load.schema` says."""
    from pointsman.load import schema as checks  # noqa: PLC0415 - see above

    return checks.schema_problems(schema, node, called=called)


def inputs_problems(inputs: Node | None, properties: Node | None) -> tuple[Problem, ...]:
    """What is wrong with the inputs of a workflow; as `pointsman.load.inputs` says."""
    if inputs is None:
        return ()
    from pointsman.load import inputs as checks  # noqa: PLC0415 - see above

    return checks.inputs_problems(inputs, properties)
