"""Variables: where their values come from, what becomes of them, and what they can never do."""

import pytest

from fakes.sources import DEV, World, content_of, told
from pointsman.model.problem import Code
from pointsman.plan.variables import LARGEST_VALUE, Trouble, malformed, resolved, resolved_text

WORLD = World()
CHECK = 'steps: [{{name: {name}, target: "{target}", action: check}}]'


def named(name: str) -> str:
    """A workflow whose only step has this name."""
    return CHECK.format(name=name, target=DEV)


def overriding(overrides: str, *, properties: str = "{}") -> str:
    """A workflow of one change with these overrides."""
    return f"properties: {properties}\nsteps: [{{target: {DEV}, action: check, property_overrides: {overrides}}}]"


# What a variable is


@pytest.mark.parametrize("text", ["{{env}}", "{{ env }}", "{{  env\t}}"])
def test_space_inside_the_braces_means_nothing(text: str) -> None:
    """`R30`"""
    assert resolved_text(text, {"env": "dev"}, Trouble()) == "dev"


def test_dotted_names_reach_into_objects() -> None:
    """`R30`"""
    assert resolved_text("{{ a.b.c-d }}", {"a": {"b": {"c-d": 1}}}, Trouble()) == "1"


def test_variables_are_put_in_everywhere_they_may_stand() -> None:
    """`R30`: names, targets, actions, versions and override values."""
    called = "steps: [{target: '{{ where }}', action: check}]"
    world = World(published={"child@1": called, "child@2": called})
    plan = world.plan(
        f"""\
steps:
- name: "{{{{ what }}}} {{{{ env }}}}"
  target: /projects/p/environments/{{{{ env }}}}/assets/web
  action: "{{{{ what }}}}"
  property_overrides: {{disk: {{threshold: "{{{{ most }}}}"}}}}
- name: Call
  type: workflow
  target: /projects/p/workflows/{{{{ child }}}}
  version: "{{{{ version }}}}"
  property_overrides: {{where: "{DEV}"}}
""",
        what="check",
        env="dev",
        most=7,
        child="child",
        version="1",
    )

    assert (plan.steps[1].name, plan.steps[1].target, plan.steps[1].action) == ("check dev", DEV, "check")
    assert content_of(plan, "1").phases[0].command[-1] == "7"
    assert [pinned.version for pinned in plan.pinned] == ["", "1"]


@pytest.mark.parametrize(
    "text", ["{{ unclosed", "closed }}", "{{ {{a}} }}", "{{ a + b }}", "{{ a|b }}", "{{}}", "{{ 1 }}"]
)
def test_braces_that_are_no_variable_are_refused(text: str) -> None:
    """hostile.md 3.1, 21: no expressions, and nothing nested."""
    assert malformed(text)
    refusal = WORLD.refusal(named(f'"{text}"'), a=1, b=2)

    assert "projects/p/workflows/deploy.yaml:1:16: error[PM039]: step 1: " in refusal
    assert "is not a variable: only {{ dotted.name }} is, without expressions" in refusal


def test_a_value_is_never_expanded_again() -> None:
    """`R36`, hostile.md 3.1, 21: a value that holds a variable stays as it is, in texts and in overrides."""
    text = 'steps: [{name: "{{ a }}", target: %s, action: check, property_overrides: {hostname: "{{ a }}"}}]'
    plan = WORLD.plan(text % DEV, a="{{ b }}", b="secret")

    assert plan.steps[1].name == "{{ b }}"
    assert content_of(plan, "1").properties["hostname"] == "{{ b }}"
    assert "secret" not in str(content_of(plan, "1"))


def test_two_values_never_make_a_variable_together() -> None:
    """`R36`"""
    plan = WORLD.plan(named('"{{ open }} b {{ close }}"'), open="{{", close="}}", b="secret")

    assert plan.steps[1].name == "{{ b }}"


def test_keys_are_never_variables() -> None:
    """`R36`: a value cannot add structure."""
    assert resolved({"{{ a }}": "{{ a }}"}, {"a": "x"}, Trouble()) == {"{{ a }}": "x"}


# Where values come from


def test_the_runs_overrides_go_before_the_workflows_properties_before_the_projects() -> None:
    """`R31`"""
    world = World(files={"projects/p/project.yaml": "properties: {a: project, b: project, c: project}\n"})
    text = f"properties: {{b: workflow, c: workflow}}\n{named(chr(34) + '{{ a }} {{ b }} {{ c }}' + chr(34))}"

    assert world.plan(text, c="run").steps[1].name == "project workflow run"


def test_objects_of_the_three_levels_merge() -> None:
    """`R31`, `R100`: deep, as properties do."""
    world = World(files={"projects/p/project.yaml": "properties: {db: {host: project, port: 1}}\n"})
    text = f"properties: {{db: {{port: 2}}}}\n{named(chr(34) + '{{ db.host }} {{ db.port }} {{ db.user }}' + chr(34))}"

    assert world.plan(text, db={"user": "run"}).steps[1].name == "project 2 run"


def test_a_child_sees_its_own_steps_overrides_and_never_its_parents() -> None:
    """`R31`: neither the parent's properties nor the run's."""
    child = "properties: {b: child}\n" + named('"{{ a }} {{ b }} {{ c }}"')
    call = "{type: workflow, target: /projects/p/workflows/child, property_overrides: {a: step, c: '{{ c }}'}}"
    plan = World(published={"child@1": child}).plan(f"properties: {{a: parent, b: parent}}\nsteps: [{call}]", c="run")

    assert plan.steps[2].name == "step child run"


def test_a_childs_variable_is_not_found_in_its_parent() -> None:
    """`R31`, `R32`: the step is named by its place in the plan, and the hint says who could give it."""
    call = "{type: workflow, target: /projects/p/workflows/child, property_overrides: [{b: 1}]}"
    world = World(published={"child@1": named('"{{ a }}"')})

    assert world.refusal(f"properties: {{a: parent}}\nsteps: [{call}]", a="run") == (
        "projects/p/workflows/child.yaml:1:16: error[PM038]: 1 variable has no value: a (step 1.1.1)\n"
        "hint: give one in property_overrides of the step that calls it or under properties in the workflow"
    )


# Without a value


def test_all_variables_without_a_value_are_one_error_with_their_steps() -> None:
    """`R32`"""
    text = f"""\
steps:
- {{name: "{{{{ a }}}}", target: {DEV}, action: check}}
- {{name: "{{{{ b.c }}}} {{{{ a }}}}", target: "/projects/{{{{ d }}}}", action: check}}
"""

    assert WORLD.refusal(text) == (
        "projects/p/workflows/deploy.yaml:2:10: error[PM038]: 3 variables have no value: "
        "a (step 1, 2); b.c (step 2); d (step 2)\n"
        "hint: give one with the run (--set a=…) or under properties in the workflow"
    )


@pytest.mark.parametrize("value", [None, {"b": None}])
def test_an_explicit_null_counts_as_no_value(value: object) -> None:
    """`R32`"""
    name = "{{ a.b }}" if value else "{{ a }}"

    assert Code.UNRESOLVED.value in WORLD.refusal(named(f'"{name}"'), a=value)


def test_an_override_without_a_value_asks_for_the_variable_and_not_for_what_would_follow() -> None:
    """`R24`, `R32`: the action's own properties are not looked at before all values are there."""
    found = WORLD.planned(overriding('{hostname: "{{ host }}"}').replace("check", "backup"), lenient=True)

    assert (found.variables, found.problems, found.plan) == (("host",), (), None)


def test_a_property_that_an_action_needs_and_nothing_sets_is_an_error_of_the_step() -> None:
    """`R32`: no value given with the run would reach it, so validation says it already."""
    world = World(files={"projects/p/assets/bare.yaml": "template: server\n"})
    text = "steps: [{target: /projects/p/assets/bare, action: backup}]"

    assert world.refusal(text, lenient=True) == (
        "projects/p/workflows/deploy.yaml:1:51: error[PM038]: step 1: "
        "backup on /projects/p/assets/bare: the property hostname has no value\n"
        "hint: set it under properties in projects/p/assets/bare.yaml, or in property_overrides of this step"
    )


# Types


@pytest.mark.parametrize("value", [7, 1.5, True, False, [1, "a"], {"b": [None]}, "text"])
def test_a_value_that_is_only_a_variable_keeps_its_type(value: object) -> None:
    """`R33`"""
    plan = WORLD.plan(overriding('{given: "{{ a }}"}'), a=value)

    assert content_of(plan, "1").properties["given"] == value


@pytest.mark.parametrize(
    ("value", "printed"),
    [(7, "7"), (1.5, "1.5"), (True, "true"), (False, "false"), ("é", "é"), (10**20, "1" + "0" * 20)],
)
def test_inside_a_text_a_number_or_boolean_is_printed_as_in_json(value: object, printed: str) -> None:
    """`R33`"""
    assert WORLD.plan(named('"is {{ a }}!"'), a=value).steps[1].name == f"is {printed}!"


@pytest.mark.parametrize(
    ("value", "kind"), [([1], "a list"), ({"b": 1}, "an object"), ([], "a list"), ({}, "an object")]
)
def test_inside_a_text_an_object_or_list_is_an_error(value: object, kind: str) -> None:
    """`R33`: also where the text is nothing but the variable, as a name is a text."""
    for name in ('"is {{ a }}"', '"{{ a }}"'):
        assert f"a is {kind}; it cannot stand inside a text" in WORLD.refusal(named(name), a=value)


# Validation


def test_while_validating_a_variable_without_a_value_is_listed_and_no_problem() -> None:
    """`R24`"""
    text = CHECK.format(name='"{{ b }}"', target="/projects/p/environments/{{ env }}/assets/web")
    found = WORLD.planned(text, lenient=True)

    assert (found.problems, found.variables, found.plan) == ((), ("b", "env"), None)


def test_while_validating_what_needs_no_missing_value_is_checked() -> None:
    """`R24`: the target is known, the action is not its own; the name waits."""
    found = WORLD.planned(f'steps: [{{name: "{{{{ b }}}}", target: {DEV}, action: bakcup}}]', lenient=True)

    assert [problem.code for problem in found.problems] == [Code.UNKNOWN_ACTION]


# Size


def test_a_text_cannot_grow_without_end_by_its_variables() -> None:
    """hostile.md 4.10: 40,000 times 100 KiB in one name is four gigabytes."""
    trouble = Trouble()
    text = resolved_text("{{a}}" * 40_000, {"a": "x" * 100_000}, trouble)

    assert len(text) <= LARGEST_VALUE
    assert trouble.sentences == ["with the value of a this becomes too large, or deeper than 32 levels"]


def test_called_workflows_cannot_double_a_value_at_every_level() -> None:
    """hostile.md 4.10: thirty calls, each with its value twice; in texts and, sharing it, in objects."""
    for twice in ('{a: "{{ a }}{{ a }}"}', '{a: ["{{ a }}", "{{ a }}"]}'):
        call = "steps: [{type: workflow, target: /projects/p/workflows/c%d, property_overrides: %s}]"
        levels = {f"c{level}@1": call % (level + 1, twice) for level in range(29)}
        world = World(published={**levels, "c29@1": named("End")})

        found = world.planned(call % (0, twice), a="x" * 100)

        assert "with the value of a this becomes too large" in told(found)
        assert found.plan is None


def test_called_workflows_cannot_nest_a_value_without_end() -> None:
    """hostile.md 4.10: thirty levels at each of thirty calls would be too deep to be written as JSON."""
    deep = "{a: " + "[" * 25 + '"{{ a }}"' + "]" * 25 + "}"
    call = "steps: [{type: workflow, target: /projects/p/workflows/c%d, property_overrides: %s}]"
    world = World(published={**{f"c{level}@1": call % (level + 1, deep) for level in range(29)}, "c29@1": named("End")})

    assert "deeper than 32 levels" in told(world.planned(call % (0, deep), a="x"))


def test_properties_of_a_run_that_are_too_large_or_too_deep_are_refused() -> None:
    """hostile.md 4.10"""
    deep: object = "x"
    for _ in range(40):
        deep = [deep]

    for value in ("x" * LARGEST_VALUE, deep):
        assert "error[PM002]: the properties given with the run are larger than 256 KiB" in WORLD.refusal(
            named("Check"), a=value
        )
