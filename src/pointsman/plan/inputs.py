"""A workflow's `inputs`: which values are held against them, and what their defaults fill in. Pure.

Whether values meet a schema is for others to say (`Library.breaches`); here is only what its author has declared.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import unquote

from pointsman.model.breach import Breach
from pointsman.model.definition import CallDefinition, WorkflowDefinition
from pointsman.model.names import workflow_codes
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Place, Problem
from pointsman.model.values import Json, JsonObject, canonical, merged
from pointsman.plan.library import Library
from pointsman.plan.variables import LARGEST_VALUE, MOST_VALUE_LEVELS, room_left

Held = Callable[[JsonObject, JsonObject], tuple[Breach, ...]]
TOO_LARGE = Breach(way=(), name="", says="with the defaults of the inputs they become larger than 256 KiB")
PROPERTY_ROOM = 16  # what looking at one property takes of the room: defaults that refer to one another can double


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a workflow's variables are worth, and how they break its inputs."""

    scope: JsonObject
    breaches: tuple[Breach, ...] = ()


class Inputs:
    """Gives workflows their variables; each different set of overrides is looked at once, however often it is given."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._known: dict[tuple[PinnedWorkflow, bool, str], Given] = {}

    def given(
        self, definition: WorkflowDefinition, pinned: PinnedWorkflow, overrides: JsonObject, *, partial: bool
    ) -> Given:
        """A workflow's variables with these overrides (R31); with `partial` there are more, not known yet."""
        key = (pinned, partial, canonical(overrides))
        if key not in self._known:
            self._known[key] = self._given(definition, overrides, partial=partial)
        return self._known[key]

    def _given(self, definition: WorkflowDefinition, overrides: JsonObject, *, partial: bool) -> Given:
        project = self._library.inventory.projects.get(workflow_codes(definition.path)[0])
        below = project.properties if project else {}
        if definition.inputs is None or not partial:
            return given(definition, overrides, below, breaches=self._library.breaches)
        found = given(definition, overrides, below, breaches=lambda _schema, _values: ())
        known = {name: found.scope[name] for name in overrides}
        return replace(found, breaches=self._library.breaches(definition.inputs, known, partial=True))


def given(definition: WorkflowDefinition, overrides: JsonObject, project: JsonObject, *, breaches: Held) -> Given:
    """Overrides, then the workflow's properties, then the project's (R31), then the defaults of the inputs.

    Held against the inputs is all that run and workflow give, and what else the inputs name: a project's properties
    serve all its workflows, and those that no input names are none of its business.
    """
    scope, inputs = merged(merged(project, definition.properties), overrides), definition.inputs
    if inputs is None:
        return Given(scope=scope)
    filled = with_defaults(inputs, scope)
    if filled is None:
        return Given(scope=scope, breaches=(TOO_LARGE,))
    names = {*overrides, *definition.properties, *_properties(inputs, inputs), *_required(inputs, inputs)}
    values = {name: value for name, value in filled.items() if name in names}
    return Given(scope=filled, breaches=breaches(inputs, values))


def with_defaults(inputs: JsonObject, values: JsonObject, schema: JsonObject | None = None) -> JsonObject | None:
    """The values with the defaults of what is missing; None if that would become too large.

    Defaults are found through `properties` and `$ref`, and nowhere else: what stands under `anyOf` and its kind may not
    apply. An object that is not given comes to be if it has a default, or if its properties' defaults are all it needs.
    `schema` is one inside `inputs` where the values are those of one variable.
    """
    defaults = _Defaults(inputs)
    found = defaults.filled(values, schema or inputs, frozenset(), MOST_VALUE_LEVELS)
    return found if defaults.room >= 0 else None


class _Defaults:
    """Fills in, as long as there is room. `above` are the references that led to an object that is not given: an
    object that would hold itself for ever is not begun again.
    """

    def __init__(self, root: JsonObject) -> None:
        self.root = root
        self.room = LARGEST_VALUE

    def filled(self, values: JsonObject, schema: Json, above: frozenset[str], levels: int) -> JsonObject:
        if levels < 0:
            self.room = -1
        result = dict(values)
        for name, inner in _properties(schema, self.root).items():
            self.room -= PROPERTY_ROOM
            if self.room < 0:
                break
            value = values.get(name)
            if isinstance(value, dict):
                result[name] = self.filled(value, inner, frozenset(), levels - 1)
            elif name not in values:
                self._absent(result, name, inner, above=above, levels=levels - 1)
        return result

    def _absent(self, result: JsonObject, name: str, schema: Json, *, above: frozenset[str], levels: int) -> None:
        found, refs = followed(schema, self.root)
        value = found.get("default", {})
        self.room = room_left(value, self.room)
        if isinstance(value, dict) and not above & refs:
            value = self.filled(value, found, above | refs, levels)
            whole = bool(value) and value.keys() >= set(_required(found, self.root))
        else:
            whole = False
        if "default" in found or whole:
            result[name] = value


def followed(schema: Json, root: JsonObject) -> tuple[JsonObject, frozenset[str]]:
    """A schema together with what its `$ref` leads to inside `root`, nearer keywords first; and those references."""
    result: JsonObject = {}
    refs: set[str] = set()
    while isinstance(schema, dict):
        result = {**schema, **result}
        ref = schema.get("$ref")
        if not isinstance(ref, str) or ref in refs:
            break
        refs.add(ref)
        schema = _pointed(ref, root)
    return result, frozenset(refs)


def property_schema(inputs: JsonObject, names: Iterable[str]) -> Json:
    """What is declared for a variable, named part by part; None if nothing is."""
    schema: Json = inputs
    for name in names:
        schema = _properties(schema, inputs).get(name)
    return schema


def _pointed(ref: str, root: JsonObject) -> Json:
    """What a JSON Pointer in a fragment leads to; None for any other reference."""
    if ref != "#" and not ref.startswith("#/"):
        return None
    value: Json = root
    for part in unquote(ref).split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _properties(schema: Json, root: JsonObject) -> JsonObject:
    found = followed(schema, root)[0].get("properties")
    return found if isinstance(found, dict) else {}


def _required(schema: Json, root: JsonObject) -> list[str]:
    found = followed(schema, root)[0].get("required")
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def run_problem(breach: Breach, definition: WorkflowDefinition, place: Place | None = None) -> Problem:
    """How a run's variables break the inputs: at a place, or else where the input is declared."""
    first = breach.way[0] if breach.way else ""
    given = f"give it with the run (--set {breach.name}=…), or under properties in the workflow"
    return Problem(
        place=place or definition.at(f"inputs.properties.{first}"),
        code=Code.BREAKS_INPUTS,
        says=_said(breach),
        hint=given if breach.missing else breach.hint,
    )


def call_problem(breach: Breach, step: CallDefinition, index: int, called: PinnedWorkflow) -> Problem:
    """How the overrides of a call break the inputs of the called workflow: where the value was written."""
    key = f"property_overrides.{index}" if step.listed else "property_overrides"
    ways = [".".join(map(str, (key, *breach.way[:length]))) for length in range(len(breach.way), -1, -1)]
    name = "/".join(workflow_codes(called.path))
    version = f"@{called.version}" if called.version else ""
    return Problem(
        place=next((step.places[way] for way in ways if way in step.places), step.place),
        code=Code.BREAKS_INPUTS,
        says=f"{name}{version}: {_said(breach)}",
        hint=f"set {breach.name} in property_overrides of this step" if breach.missing else breach.hint,
        step=step.number,
    )


def _said(breach: Breach) -> str:
    return f"the input {breach.name} {breach.says}" if breach.way else f"the variables together: {breach.says}"
