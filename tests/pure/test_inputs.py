"""`inputs`: which values are held against them and where a breach is told, what defaults fill in, what texts mean."""

import time
from dataclasses import dataclass, fields

import pytest

from fakes.sources import DEV, World, loaded, outline
from pointsman.intake.inputs import input_problems, with_texts
from pointsman.load.breaches import breaches
from pointsman.model.breach import Breach
from pointsman.model.problem import Code, Place, Severity
from pointsman.model.values import Json, JsonObject
from pointsman.plan.inputs import with_defaults
from pointsman.plan.library import Shelf
from pointsman.plan.planner import Planned, plan

STEP = f'steps: [{{name: "{{{{ env }}}}", target: {DEV}, action: backup}}]\n'
INPUTS = "inputs: {properties: {env: {type: string, enum: [dev, staging, prod]}}, required: [env]}\n"
CHILD = INPUTS + STEP


@dataclass(frozen=True, kw_only=True)
class Checked(Shelf):
    """A shelf that knows JSON Schema, and counts how often it was asked."""

    asked: list[tuple[JsonObject, bool]]

    def breaches(self, schema: JsonObject, values: JsonObject, *, partial: bool = False) -> tuple[Breach, ...]:
        self.asked.append((values, partial))
        return breaches(schema, values, partial=partial)


def checked(world: World) -> Checked:
    shelf = world.shelf()
    return Checked(asked=[], **{one.name: getattr(shelf, one.name) for one in fields(shelf)})


def planned(text: str, world: World | None = None, *, lenient: bool = False, **properties: Json) -> Planned:
    world = world or World()
    return plan(world.request(text, lenient=lenient, **properties), checked(world))  # type: ignore[arg-type]  # JSON


def told(text: str, world: World | None = None, *, lenient: bool = False, **properties: Json) -> list[str]:
    found = planned(text, world, lenient=lenient, **properties)
    return [str(problem).removeprefix("projects/p/workflows/") for problem in found.problems]


def call(overrides: str, *, more: str = "") -> str:
    return f"{more}steps:\n  - type: workflow\n    target: /projects/p/workflows/child\n    {overrides}\n"


# A run's variables


def test_a_run_that_breaks_the_inputs_is_refused_where_the_input_is_declared_with_what_was_meant() -> None:
    (found,) = told(CHILD, env="prdo")
    assert found == (
        "deploy.yaml:1:28: error[PM041]: the input env is 'prdo'; it must be 'dev', 'staging' or 'prod'\n"
        "hint: did you mean prod?"
    )
    assert planned(CHILD, env="dev").plan is not None


def test_a_missing_input_says_how_to_give_it_beside_the_variables_without_a_value() -> None:
    """R32: each by its own sentence."""
    found = told(CHILD)
    assert any(
        "the input env is missing; it must be 'dev', 'staging' or 'prod'\nhint: give it with" in one for one in found
    )
    assert any("PM038" in one for one in found)


def test_values_come_from_the_run_then_the_workflow_then_the_project_then_the_defaults() -> None:
    """R31, and below all of them the defaults of `inputs`."""
    inputs = "inputs: {properties: {env: {default: input}}}\n"
    project = World(files={"projects/p/project.yaml": "properties: {env: project}\n"})
    own = "properties: {env: workflow}\n"
    cases: list[tuple[str, World, JsonObject, str]] = [
        (inputs + own + STEP, project, {"env": "run"}, "run"),
        (inputs + own + STEP, project, {}, "workflow"),
        (inputs + STEP, project, {}, "project"),
        (inputs + STEP, World(), {}, "input"),
    ]
    for text, world, properties, value in cases:
        made = planned(text, world, **properties).plan  # type: ignore[arg-type]  # JSON
        assert made is not None
        assert made.steps[1].name == value
        assert made.properties == properties


def test_an_explicit_null_is_not_filled_in() -> None:
    """R32: it counts as unresolved."""
    found = planned("inputs: {properties: {env: {default: dev}}}\n" + STEP, env=None)
    assert [problem.code for problem in found.problems] == [Code.UNRESOLVED]


def test_a_projects_property_that_no_input_names_is_none_of_the_inputs_business() -> None:
    closed = "inputs: {properties: {env: {type: string}}, additionalProperties: false}\n"
    world = World(files={"projects/p/project.yaml": "properties: {domain: example.com, env: 5}\n"})
    assert planned(closed + STEP, world, env="dev").plan is not None
    (found,) = told(closed + STEP, world)
    assert "the input env is a number (5); it must be of type string" in found
    (found,) = told(closed + STEP, world, env="dev", envv="dev")
    assert found.endswith("the input envv is not in the schema\nhint: did you mean env?")


def test_while_validating_only_what_is_certain_counts() -> None:
    """R24: what the run is to give is no problem yet."""
    assert told(CHILD, lenient=True) == []
    assert planned(CHILD, lenient=True).variables == ("env",)
    assert planned("inputs: {properties: {env: {default: dev}}}\n" + STEP, lenient=True).variables == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "properties: {env: prdo}\n" + INPUTS,
            "1:19: error[PM041]: the input env is 'prdo'; it must be 'dev', 'staging'",
        ),
        (
            "properties: {size: {max: many}}\ninputs: {properties: {size: {properties: {max: {type: integer}}}}}\n",
            "1:26: error[PM041]: the input size.max is the text 'many'; it must be of type integer",
        ),
        (
            "properties: {envv: dev}\ninputs: {properties: {env: {}}, additionalProperties: false}\n",
            "1:14: error[PM041]: the input envv is not in the schema\nhint: did you mean env?",
        ),
        (
            "inputs: {properties: {n: {type: integer, default: many}}}\n",
            "1:51: error[PM027]: inputs: the default of n is the text 'many'; it must be of type integer",
        ),
        (
            "inputs: {properties: {a: {default: {n: x}, properties: {n: {type: integer}}}}}\n",
            "1:40: error[PM027]: inputs: the default of a is the text 'x'; it must be of type integer at n",
        ),
        ("inputs: {type: array}\n", "1:16: error[PM027]: inputs: type is 'array'; it must be object, or absent"),
        ("inputs: {env: {type: string}}\n", "1:10: error[PM027]: inputs is no JSON Schema: env is no keyword"),
    ],
)
def test_what_can_never_be_right_is_told_when_the_file_is_read(text: str, says: str) -> None:
    found = [
        str(problem).removeprefix("projects/p/workflows/deploy.yaml:")
        for problem in loaded({}, deploy=text + STEP).problems
    ]
    assert [one[: len(says)] for one in found] == [says]


@pytest.mark.parametrize(
    "text",
    [
        "properties: {size: {max: 3}}\ninputs: {properties: {size: {required: [min, max]}}, required: [env]}\n",
        "properties: {size: {max: 3}}\ninputs: {properties: {size: {oneOf: [{required: [min]}]}}}\n",
        "properties: {size: {}}\ninputs: {properties: {size: {minProperties: 1}}}\n",
    ],
)
def test_what_a_run_may_still_add_to_the_workflows_properties_is_no_problem_of_theirs(text: str) -> None:
    """R24."""
    assert loaded({}, deploy=text + STEP).problems == ()


# Defaults


@pytest.mark.parametrize(
    ("schema", "given", "filled"),
    [
        ({"properties": {"a": {"default": 1}}}, {}, {"a": 1}),
        ({"properties": {"a": {"default": 1}}}, {"a": None}, {"a": None}),
        ({"properties": {"a": {"properties": {"b": {"default": 1}}}}}, {}, {"a": {"b": 1}}),
        ({"properties": {"a": {"properties": {"b": {"default": 1}}}}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"properties": {"a": {"properties": {"b": {"default": 1}}}}}, {"a": 5}, {"a": 5}),
        ({"properties": {"a": {"properties": {"b": {"default": 1}}, "required": ["c"]}}}, {}, {}),
        (
            {"properties": {"a": {"properties": {"b": {"default": 1}}, "required": ["c"]}}},
            {"a": {"c": 2}},
            {"a": {"b": 1, "c": 2}},
        ),
        ({"properties": {"a": {"default": {}, "properties": {"b": {"default": 1}}}}}, {}, {"a": {"b": 1}}),
        ({"properties": {"a": {"default": {"b": 2}, "properties": {"b": {"default": 1}}}}}, {}, {"a": {"b": 2}}),
        ({"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"default": 1}}}, {}, {"a": 1}),
        ({"properties": {"a": {"$ref": "#/$defs/x", "default": 2}}, "$defs": {"x": {"default": 1}}}, {}, {"a": 2}),
        ({"properties": {"a": {"$ref": "#/$defs/x~1y%20z"}}, "$defs": {"x/y z": {"default": 1}}}, {}, {"a": 1}),
        ({"anyOf": [{"properties": {"a": {"default": 1}}}]}, {}, {}),
        ({"properties": {"a": {"anyOf": [{"default": 1}]}}}, {}, {}),
        ({"if": {}, "then": {"properties": {"a": {"default": 1}}}}, {}, {}),
        ({"properties": {"a": {"items": {"properties": {"b": {"default": 1}}}}}}, {"a": [{}]}, {"a": [{}]}),
        ({"properties": {"a": {"$ref": "#"}, "b": {"default": 1}}}, {}, {"a": {"b": 1}, "b": 1}),
        ({"properties": {"a": {"$ref": "#", "default": {}}}}, {}, {"a": {"a": {}}}),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, {}, {}),
        ({"properties": {"a": {"$ref": "http://x/y"}, "b": True, "c": {"$ref": "#/nowhere"}}}, {}, {}),
    ],
)
def test_defaults_fill_in_what_is_missing_through_properties_and_references_only(
    schema: JsonObject, given: JsonObject, filled: JsonObject
) -> None:
    assert with_defaults(schema, given) == filled


def bomb(levels: int) -> JsonObject:
    """Objects of which each holds the next twice."""
    both = ("left", "right")
    defs: JsonObject = {
        f"d{one}": {"properties": {side: {"$ref": f"#/$defs/d{one + 1}"} for side in both}} for one in range(levels)
    }
    return {"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": {**defs, f"d{levels}": {"default": "x" * 1000}}}


@pytest.mark.parametrize("levels", [12, 25, 500])
def test_defaults_that_double_at_each_level_are_refused_soon(levels: int) -> None:
    started = time.process_time()
    assert with_defaults(bomb(levels), {}) is None
    assert time.process_time() - started < 1


def test_a_default_bomb_is_told_when_the_file_is_read() -> None:
    lines = "".join(
        f"    d{n}: {{properties: {{l: {{$ref: '#/$defs/d{n + 1}'}}, r: {{$ref: '#/$defs/d{n + 1}'}}}}}}\n"
        for n in range(20)
    )
    text = f"inputs:\n  properties: {{a: {{$ref: '#/$defs/d0'}}}}\n  $defs:\n{lines}    d20: {{default: 1}}\n{STEP}"
    (found,) = loaded({}, deploy=text).problems
    assert "properties cannot be used: with the defaults of the inputs they become larger than 256 KiB" in found.says


# Called workflows


@pytest.mark.parametrize("lenient", [True, False])
@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (
            "property_overrides: {env: prdo}",
            "deploy.yaml:4:31: error[PM041]: step 1: p/child@2: the input env is 'prdo'; it must be 'dev', ",
        ),
        (
            "property_overrides: [{env: dev}, {env: 5}]",
            "deploy.yaml:4:44: error[PM041]: step 1: p/child@2: the input env is a number (5); it must be of type",
        ),
        (
            "property_overrides: {other: 1}",
            "deploy.yaml:4:25: error[PM041]: step 1: p/child@2: the input env is missing; it must be 'dev', ",
        ),
        ("name: x", "deploy.yaml:2:5: error[PM041]: step 1: p/child@2: the input env is missing"),
    ],
)
def test_overrides_that_break_a_childs_inputs_are_told_at_the_step_that_calls_it(
    overrides: str, says: str, *, lenient: bool
) -> None:
    """R24: at validation too, as they are all it gets (R31)."""
    world = World(published={"child@1": STEP, "child@2": CHILD})
    found = [one for one in told(call(overrides), world, lenient=lenient) if "PM041" in one]
    assert any(one.startswith(says) for one in found), found


def test_a_draft_child_is_held_against_its_inputs_as_well() -> None:
    (found,) = [
        one for one in told(call("property_overrides: {env: x}"), World(drafts={"child": CHILD})) if "PM041" in one
    ]
    assert "step 1: p/child: the input env is 'x'" in found


def test_a_child_gets_its_own_properties_its_projects_and_its_defaults_below_the_overrides() -> None:
    """R31."""
    inputs = (
        "inputs: {required: [a, b, c, env], properties: {c: {default: 1}, env: {enum: [dev]}}}\nproperties: {a: 1}\n"
    )
    world = World(
        files={"projects/p/project.yaml": "properties: {b: 1}\n"}, published={"child@1": inputs + STEP}
    )  # fmt: skip
    assert planned(call("property_overrides: {env: dev}"), world).plan is not None


def test_the_defaults_of_a_child_are_its_own_and_never_its_callers() -> None:
    """R31."""
    world = World(published={"child@1": "inputs: {properties: {env: {default: own}}}\n" + STEP})
    made = planned(call("property_overrides: {}", more="properties: {env: caller}\n"), world).plan
    assert made is not None
    assert outline(made)[-1] == "1.1 change own"


def test_overrides_that_wait_for_the_run_are_looked_at_as_far_as_they_are_known() -> None:
    """R24."""
    inputs = "inputs: {properties: {env: {enum: [dev]}, n: {type: integer}}, required: [env, n, m]}\n"
    world = World(published={"child@1": inputs + STEP})
    waits = call('property_overrides: {env: "{{ later }}", n: "{{ fixed }}"}', more="properties: {fixed: many}\n")
    (found,) = told(waits, world, lenient=True)
    assert "the input n is the text 'many'; it must be of type integer" in found
    assert told(call('property_overrides: {env: "{{ later }}", n: 1}'), world, lenient=True) == []
    found = next(one for one in told(waits, world, later="prod") if "input env" in one)
    assert "the input env is 'prod'; it must be 'dev'" in found


def test_a_breach_inside_a_called_workflow_is_its_own_affair_while_the_caller_is_judged() -> None:
    """R24; a plan is refused for it."""
    middle = call("property_overrides: {env: x}").replace("workflows/child", "workflows/leaf")
    world = World(published={"leaf@1": CHILD, "child@1": middle})
    assert told(call("name: x"), world, lenient=True) == []
    (found,) = told(call("name: x"), world)
    assert found.startswith("child.yaml:4:31: error[PM041]: step 1: p/leaf@1: the input env is 'x'")


def test_the_same_overrides_are_looked_at_once_however_often_a_child_is_called() -> None:
    entries = ", ".join(["{env: dev}", "{env: prod}"] * 200)
    world = World(published={"child@1": CHILD})
    shelf = checked(world)
    started = time.process_time()
    found = plan(world.request(call(f"property_overrides: [{entries}]")), shelf)
    assert found.plan is not None
    assert shelf.asked == [({"env": "dev"}, False), ({"env": "prod"}, False)]
    assert time.process_time() - started < 1


# A template's schema, once more with a step's overrides (R102)

SCHEMA = "properties_schema: {properties: {disk: {properties: {threshold: {maximum: 90}}}, port: {type: integer}}}\n"
TEMPLATE = f"""\
{SCHEMA}properties: {{port: 80}}
actions: {{act: {{command: [./act.sh, "{{{{ port }}}}"]}}}}
"""
SERVERS = World(files={"templates/server/template.yaml": TEMPLATE})


def change(more: str) -> str:
    return f"steps:\n  - target: {DEV}\n    action: act\n    {more}\n"


@pytest.mark.parametrize("lenient", [True, False])
def test_overrides_that_break_the_templates_schema_are_told_where_they_are_written(*, lenient: bool) -> None:
    """R102."""
    (found,) = told(change("property_overrides: {disk: {threshold: 95}}"), SERVERS, lenient=lenient)
    assert found == (
        f"deploy.yaml:4:44: error[PM025]: step 1: {DEV}: the property disk.threshold is 95; it must be at most 90\n"
        "hint: the schema is in templates/server/template.yaml"
    )
    assert told(change("property_overrides: {disk: {threshold: 85}}"), SERVERS, lenient=lenient) == []


def test_overrides_with_variables_wait_for_the_plan() -> None:
    """R102, R24."""
    text = change('property_overrides: {port: "{{ port }}"}')
    assert told(text, SERVERS, lenient=True) == []
    (found,) = told(text, SERVERS, port="http")
    assert "the property port is the text 'http'; it must be of type integer" in found


def test_properties_without_overrides_are_not_held_against_their_schema_again() -> None:
    """They were, when the asset was read."""
    shelf = checked(SERVERS)
    assert plan(SERVERS.request(change("name: x")), shelf).plan is not None
    assert shelf.asked == []


def test_a_template_version_of_the_step_brings_its_own_schema() -> None:
    """R102."""
    older = loaded({"templates/server/template.yaml": TEMPLATE.replace("port: 80", "port: x")}).inventory.targets
    template = older[DEV].template
    assert template is not None
    world = World(files=SERVERS.files, templates={("templates/server", "1"): template})
    (found,) = told(change('template_version: "1"'), world)
    assert found.startswith(
        f"deploy.yaml:4:23: error[PM025]: step 1: {DEV}: the property port is the text 'x'; it must"
    )


def test_a_template_of_a_project_or_an_environment_has_its_schema_met_too() -> None:
    """R102: at the line that sets the value, or ought to."""
    files = {
        "templates/server/template.yaml": SCHEMA + "actions: {act: {command: [true]}}\n",
        "projects/p/project.yaml": "template: server\nproperties: {port: a}\n",
        "projects/p/environments/dev/environment.yaml": "template: server\nproperties: {port: b}\n",
    }
    found = loaded(files).problems
    assert [
        (one.place.path, one.place.line)
        for one in found
        if one.says.startswith(("/projects/p:", "/projects/p/environments/dev:"))
    ] == [
        ("projects/p/environments/dev/environment.yaml", 2),
        ("projects/p/project.yaml", 2),
    ]
    assert {one.severity for one in found} == {Severity.ERROR}


# Texts


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        (None, "5", 5),
        (None, "dev", "dev"),
        ({"type": "string"}, "5", "5"),
        ({"type": "string"}, "null", "null"),
        ({"type": "integer"}, "5", 5),
        ({"type": "integer"}, "five", "five"),
        ({"type": "number"}, "1.5", 1.5),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "yes", "yes"),
        ({"type": ["integer", "null"]}, "null", None),
        ({"type": "array"}, "[1, 2]", [1, 2]),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"enum": ["1", 2]}, "1", "1"),
        ({"enum": ["1", 2]}, "2", 2),
        ({}, "5", 5),
    ],
)
def test_a_text_becomes_what_its_input_takes(schema: Json, text: str, value: Json) -> None:
    inputs: JsonObject | None = None if schema is None else {"properties": {"a": schema}}
    (found,) = with_texts({}, {"a": text}, inputs).values()
    assert (found, type(found)) == (value, type(value))


def test_dotted_texts_reach_into_objects_and_find_the_schema_there() -> None:
    inputs: JsonObject = {
        "properties": {"disk": {"$ref": "#/$defs/disk"}},
        "$defs": {"disk": {"properties": {"label": {"type": "string"}, "size": {"type": "integer"}}}},
    }
    found = with_texts(
        {"disk": {"size": 1, "kept": True}}, {"disk.label": "7", "disk.size": "8", "other.a": "9"}, inputs
    )
    assert found == {"disk": {"label": "7", "size": 8, "kept": True}, "other": {"a": 9}}


# For those who ask before there is a run


def test_properties_are_held_against_the_inputs_at_a_place_for_whoever_asks() -> None:
    definition = loaded(
        {}, deploy="properties: {n: 1}\ninputs: {required: [n, env], properties: {env: {enum: [dev]}}}\n" + STEP
    )
    (workflow,) = definition.workflows.values()
    place = Place("w.yaml", 7, 3)
    assert input_problems(workflow, {"env": "dev"}, place) == ()
    assert input_problems(workflow, {}, place, project={"env": "dev"}) == ()
    (found,) = input_problems(workflow, {"env": "x"}, place)
    assert (found.code, found.place, found.says) == (
        Code.BREAKS_INPUTS,
        place,
        "the input env is 'x'; it must be 'dev'",
    )
