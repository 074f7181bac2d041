"""The laws of the planner, on random workflows that call one another."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from enum import Enum
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fakes.sources import DEV, World, content_of, told
from pointsman.model.definition import Kind
from pointsman.model.inventory import Retry
from pointsman.model.plan import CONTAINERS, Plan, PlannedStep
from pointsman.model.problem import has_errors
from pointsman.model.values import Json, canonical
from pointsman.model.wire import from_json, plan_digest, plan_text
from pointsman.plan import planner
from pointsman.plan.planner import Planned, plan
from property.plan_strategies import Made, tame, wild


def planned(made: Made) -> Plan:
    """The plan of a tame workflow."""
    found = plan(made.request, made.shelf)
    assert found.plan is not None, told(found)
    return found.plan


def texts_of(value: Json) -> Iterator[str]:
    """Every text in a value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, dict):
        yield from value
        yield from texts_of([*value.values()])


@given(tame())
def test_the_same_question_has_the_same_answer(made: Made) -> None:
    """DESIGN section 5: no clock, no chance, no order of a set reaches a plan."""
    first, second = planned(made), planned(made)

    assert first == second
    assert first.digest == second.digest == plan_digest(first)


@given(tame())
def test_a_plan_survives_json(made: Made) -> None:
    """DESIGN section 5: what is stored is what was planned, to the digest."""
    found = planned(made)

    again = from_json(Plan, json.loads(plan_text(found)))

    assert again == found
    assert plan_text(again) == plan_text(found)
    assert plan_digest(again) == found.digest


@given(tame(), st.data())
def test_the_digest_changes_with_any_change_of_a_step(made: Made, data: st.DataObject) -> None:
    """`R79`: a decision is bound to all that will happen."""
    found = planned(made)
    place = data.draw(st.integers(0, len(found.steps) - 1))
    name = data.draw(st.sampled_from([field.name for field in fields(PlannedStep) if field.name != "gate"]))
    step = found.steps[place]
    changes: dict[str, Any] = {name: other_than(getattr(step, name))}

    steps = (*found.steps[:place], replace(step, **changes), *found.steps[place + 1 :])

    assert plan_digest(replace(found, steps=steps)) != found.digest


def other_than(value: Any) -> Any:
    """Another value of the same type."""
    match value:
        case Enum():
            return next(one for one in type(value) if one is not value)
        case Retry():
            return replace(value, max=value.max + 1)
        case bool():
            return not value
        case str():
            return f"{value}x"
        case tuple():
            return (*value, 99)
        case _:
            return (value or 0) + 1


@given(tame())
def test_the_digest_changes_with_anything_beside_the_steps(made: Made) -> None:
    """`R79`: the inventory's commit, the versions, the contents, the properties, and how many may run."""
    found = planned(made)
    pinned = replace(found.pinned[0], commit="another")
    changed = [
        replace(found, inventory_commit="another"),
        replace(found, pinned=(pinned, *found.pinned[1:])),
        replace(found, properties={**found.properties, "more": 1}),
        replace(found, concurrency=replace(found.concurrency, limit=2)),
        replace(found, name="another"),
        *(
            replace(found, contents={**found.contents, key: replace(content, tree="another")})
            for key, content in found.contents.items()
        ),
    ]

    digests = [plan_digest(one) for one in changed]

    assert found.digest not in digests
    assert len(set(digests)) == len(digests)


@given(tame())
def test_parents_come_before_their_children_and_keys_are_places(made: Made) -> None:
    """DESIGN section 1: the key is the place, counted from 1; the root's is `0`."""
    steps = planned(made).steps

    assert (steps[0].key, steps[0].parent) == ("0", -1)
    assert len({step.key for step in steps}) == len(steps)
    for place, step in enumerate(steps):
        assert (step.kind in CONTAINERS) == bool(step.children)
        assert list(step.children) == sorted(step.children)
        for number, child in enumerate(step.children, start=1):
            assert child > place
            assert steps[child].parent == place
            assert steps[child].key == (f"{number}" if place == 0 else f"{step.key}.{number}")
    assert sum(len(step.children) for step in steps) == len(steps) - 1


@given(tame())
def test_every_change_has_a_content_and_every_content_a_change(made: Made) -> None:
    """`R79`: the content is that of its target and action."""
    found = planned(made)

    changes = [step for step in found.steps if step.kind is Kind.CHANGE]
    assert {step.content for step in changes} == set(found.contents)
    assert all(found.contents[one.content].target == one.target for one in changes)
    assert all(found.contents[one.content].action == one.action for one in changes)


@given(tame())
def test_nothing_that_is_resolved_holds_a_variable(made: Made) -> None:
    """`R30`: values without braces leave no braces, anywhere."""
    found = planned(made)

    shown = [text for step in found.steps for text in (step.name, step.target, step.action)]
    shown += [text for content in found.contents.values() for text in texts_of(content.properties)]
    shown += [word for content in found.contents.values() for phase in content.phases for word in phase.command]
    assert not [text for text in shown if "{{" in text or "}}" in text]


@given(st.text(alphabet="{} abenv.", min_size=1, max_size=20))
def test_a_value_is_put_in_as_it_is(value: str) -> None:
    """`R36`, hostile.md 3.1, 21: braces in a value are letters like any others."""
    text = (
        f'steps: [{{name: "x{{{{ a }}}}", target: {DEV}, action: backup,'
        ' property_overrides: {given: "{{ a }}", hostname: "{{ a }}"}}]'
    )
    found = World().plan(text, a=value, env="secret", b="secret")

    assert found.steps[1].name == f"x{value}"
    assert content_of(found, "1").properties["given"] == value
    assert content_of(found, "1").phases[0].command[-1] == value


@given(tame(), st.integers(1, 40))
def test_no_more_is_expanded_than_the_limit_allows(made: Made, limit: int) -> None:
    """`R45`: and what fits is planned."""
    size = len(planned(made).steps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planner, "MOST_STEPS", limit)
        walked = planner._Planner(made.request, made.shelf)
        walked.expand()
        found = plan(made.request, made.shelf)

    assert len(walked.steps) == min(size, limit)
    assert (found.plan is not None) == (size <= limit)


@given(wild(lenient=True))
def test_validating_never_raises(made: Made) -> None:
    """`R24`: whatever a definition says, the answer is a plan or problems, and it is the same again."""
    checked(made, plan(made.request, made.shelf))


@given(wild(lenient=False))
def test_planning_never_raises(made: Made) -> None:
    """`R32`: there is a plan, or an error says why there is none."""
    found = plan(made.request, made.shelf)

    checked(made, found)
    assert (found.plan is None) == has_errors(found.problems)


def checked(made: Made, found: Planned) -> None:
    """What must hold of every answer."""
    assert found == plan(made.request, made.shelf)
    assert len(set(found.problems)) == len(found.problems)
    assert found.plan is None or not has_errors(found.problems)
    assert found.plan is None or not found.variables


@given(wild(lenient=True))
def test_what_validation_refuses_no_run_can_have(made: Made) -> None:
    """`R24`: checks that wait for the plan only ever add to what validation said."""
    lenient = plan(made.request, made.shelf)
    assume(has_errors(lenient.problems))

    assert plan(replace(made.request, lenient=False), made.shelf).plan is None


@given(wild(lenient=False))
def test_problems_are_in_the_order_of_files_and_lines(made: Made) -> None:
    """`R15`"""
    problems = plan(made.request, made.shelf).problems

    places = [(one.place.path, one.place.line, one.place.column) for one in problems]
    assert places == sorted(places)
    assert canonical([str(problem) for problem in problems])
