"""Called workflows: which version is meant, what a fan-out makes of it, and cycles."""

import pytest

from fakes.sources import DEV, World, outline, told
from pointsman.model.definition import RunAs
from pointsman.model.problem import Code, Severity
from pointsman.plan.planner import plan

BACKUP = 'steps: [{name: Backup, target: "/projects/p/environments/{{ env }}/assets/web", action: backup}]'


def call(code: str, *, more: str = "") -> str:
    """A workflow that does nothing but call another."""
    return f'steps: [{{type: workflow, target: "/projects/p/workflows/{code}"{more}}}]'


def named(name: str) -> str:
    """A workflow of one step with this name."""
    return f"steps: [{{name: {name}, target: {DEV}, action: check}}]"


# Versions

VERSIONS = World(published={"child@1": named("One"), "child@2": named("Two")}, drafts={"child": named("Draft")})


def test_without_a_version_the_latest_published_one_is_called() -> None:
    """`R22`: however far the draft is beyond it."""
    found = VERSIONS.plan(call("child"))

    assert [step.name for step in found.steps[2:]] == ["Two"]
    assert (found.steps[1].version, found.pinned[1].version) == ("2", "2")


def test_a_version_that_is_named_is_called() -> None:
    """`R22`"""
    assert [step.name for step in VERSIONS.plan(call("child", more=", version: 1")).steps[2:]] == ["One"]


def test_a_version_is_read_as_it_was_written() -> None:
    """`R22`: 1.10 is not 1.1."""
    world = World(published={"child@1.1": named("Eleven"), "child@1.10": named("Hundred and ten")})

    assert world.plan(call("child", more=", version: 1.10")).steps[2].name == "Hundred and ten"
    assert world.plan(call("child", more=", version: 1.1")).steps[2].name == "Eleven"


def test_what_a_plan_is_pinned_to_does_not_change_when_something_is_published() -> None:
    """`R23`: every version in the tree, with its commit and tag, in order of the first call."""
    text = f"{call('a')[:-1]}, {call('child')[8:]}"
    before = World(published={"child@1": named("One"), "a@1": call("child")}).plan(text)
    after = World(published={"child@1": named("One"), "child@2": named("Two"), "a@1": call("child")}).plan(text)

    assert [(one.path, one.version, one.commit, one.tag) for one in before.pinned[1:]] == [
        ("/projects/p/workflows/a", "1", "commit of a@1", "p/a/v1"),
        ("/projects/p/workflows/child", "1", "commit of child@1", "p/child/v1"),
    ]
    assert before.steps[3].name == "One"
    assert before.digest != after.digest


def test_a_version_that_is_not_published_is_refused_at_its_place() -> None:
    """`R21`, `R24`: before any step starts."""
    world = World(published={"child@1": named("One")})

    text = call("child", more=", version: 3")
    assert world.refusal(text) == (
        f"projects/p/workflows/deploy.yaml:1:{text.index('3') + 1}: error[PM034]: step 1: "
        "/projects/p/workflows/child has no valid version 3\n"
        "hint: only published versions can be called: tag one, or correct version"
    )


def test_a_child_that_is_not_published_is_taken_from_the_tree_with_a_warning() -> None:
    """`R24`"""
    world = World(drafts={"child": named("Draft")})
    found = world.planned(call("child"), lenient=True)

    assert [(problem.code, problem.severity) for problem in found.problems] == [(Code.UNPUBLISHED, Severity.WARNING)]
    assert found.outline is not None
    assert found.outline.steps[2].name == "Draft"


def test_a_child_that_exists_nowhere_is_refused_with_the_nearest_name() -> None:
    """`R24`"""
    world = World(published={"backup@1": named("One")})

    assert world.refusal(call("bakcup"), lenient=True).endswith(
        "error[PM033]: step 1: there is no workflow /projects/p/workflows/bakcup\n"
        "hint: did you mean /projects/p/workflows/backup?"
    )


@pytest.mark.parametrize("code", ["../../q/workflows/child", "Child", "child/..", "", "child ", "a/b"])
def test_a_value_cannot_make_a_call_of_anything_but_a_workflow(code: str) -> None:
    """`R36`"""
    assert "error[PM040]" in VERSIONS.refusal(call("{{ code }}"), code=code)


def test_problems_inside_a_child_are_told_by_its_own_file() -> None:
    """`R24`: where a run is planned. Validation of the caller leaves them to the child's."""
    world = World(published={"child@1": "steps: [{target: /projects/p/assets/gone, action: check}]"})

    assert world.refusal(call("child")).startswith("projects/p/workflows/child.yaml:1:18: error[PM030]: step 1: ")
    assert world.planned(call("child"), lenient=True).problems == ()


# Fan-out


def test_a_list_of_overrides_in_parallel_is_one_wrapper_and_a_child_for_each_entry() -> None:
    """`R34`: each with exactly its own entry."""
    more = ", version: 1, run_as: parallel, property_overrides: [{env: dev}, {env: staging}, {env: prod}]"
    found = World(published={"backup@1": BACKUP}).plan(call("backup", more=more))

    assert outline(found)[1:] == [
        "1 workflow backup",
        "1.1 workflow env: dev",
        "1.1.1 change Backup",
        "1.2 workflow env: staging",
        "1.2.1 change Backup",
        "1.3 workflow env: prod",
        "1.3.1 change Backup",
    ]
    assert [found.steps[place].run_as for place in (1, 2)] == [RunAs.PARALLEL, RunAs.SEQUENTIAL]
    assert [step.target.split("/")[4] for step in found.steps if step.target] == ["dev", "staging", "prod"]


def test_a_list_of_overrides_runs_in_order_unless_it_says_otherwise() -> None:
    """`R34`"""
    found = World(published={"backup@1": BACKUP}).plan(call("backup", more=", property_overrides: [{env: dev}]"))

    assert found.steps[1].run_as is RunAs.SEQUENTIAL


def test_entries_do_not_leak_into_one_another() -> None:
    """`R34`: what the first entry sets the second does not have."""
    more = ", property_overrides: [{env: dev, extra: x}, {env: prod}]"
    world = World(published={"backup@1": BACKUP.replace("Backup", '"{{ extra }}"')})

    assert "extra (step 1.2.1)" in world.refusal(call("backup", more=more))


def test_generated_children_are_told_apart_by_their_entries() -> None:
    """`R42`: by value, and by a number where the entries are the same."""
    more = ", property_overrides: [{env: dev, n: 1}, {env: dev, n: 1}, {env: '{{ here }}', n: [2]}]"
    found = World(published={"backup@1": BACKUP}).plan(call("backup", more=more), here="prod")

    names = [step.name for step in found.steps if step.key.count(".") == 1]
    assert names == ["env: dev, n: 1", "env: dev, n: 1 (2)", "env: prod, n: [2]"]


def test_a_called_workflow_is_named_by_its_step_its_file_or_its_code() -> None:
    """`R12`: in this order."""
    world = World(published={"plain@1": named("One"), "titled@1": f"name: Title\n{named('One')}"})

    assert world.plan(call("titled", more=", name: Step")).steps[1].name == "Step"
    assert world.plan(call("titled")).steps[1].name == "Title"
    assert world.plan(call("plain")).steps[1].name == "plain"


# Cycles

CYCLE = "error[PM036]: step 1: a workflow calls itself: "


def test_a_workflow_that_calls_itself_is_refused_with_the_way() -> None:
    """`R44`, hostile.md 3.8, 182: directly."""
    world = World(published={"deploy@1": call("deploy")})
    shelf = world.shelf()
    pinned = shelf.releases["/projects/p/workflows/deploy"][0]
    request = world.request(call("deploy"))

    found = plan(type(request)(pinned=pinned, definition=shelf.definitions[pinned]), shelf)

    assert told(found) == (
        f"projects/p/workflows/deploy.yaml:1:34: {CYCLE}p/deploy@1 → p/deploy@1\n"
        "hint: remove one of these calls, or call another workflow"
    )


@pytest.mark.parametrize("lenient", [True, False])
def test_a_workflow_that_calls_itself_through_another_is_refused(*, lenient: bool) -> None:
    """`R44`, hostile.md 3.8, 182: what lies on the cycle is on the way; the place is in the file that is judged."""
    world = World(published={"a@1": call("b", more=", version: 2"), "b@2": call("a")})

    assert world.refusal(call("a"), lenient=lenient) == (
        f"projects/p/workflows/deploy.yaml:1:34: {CYCLE}p/a@1 → p/b@2 → p/a@1\n"
        "hint: remove one of these calls, or call another workflow"
    )


@pytest.mark.parametrize("lenient", [True, False])
def test_a_draft_that_calls_the_latest_of_itself_is_refused(*, lenient: bool) -> None:
    """`R44`: through "latest", which it will be once it is published."""
    world = World(published={"deploy@1": named("One"), "a@1": call("deploy")}, drafts={"deploy": call("deploy")})

    assert f"{CYCLE}p/deploy → p/deploy" in world.refusal(call("deploy"), lenient=lenient)
    assert f"{CYCLE}p/deploy → p/a@1 → p/deploy" in world.refusal(call("a"), lenient=lenient)


def test_a_draft_may_call_an_earlier_version_of_itself() -> None:
    """`R44`: versions resolved, that is no cycle."""
    world = World(published={"deploy@1": named("One")})

    assert [step.name for step in world.plan(call("deploy", more=", version: 1")).steps[2:]] == ["One"]


def test_a_workflow_that_calls_itself_through_a_variable_is_refused() -> None:
    """`R44`: at validation where the value is known, at the latest when the run is created."""
    handed_on = call("b", more=", property_overrides: {next: '{{ next }}'}")
    world = World(published={"a@1": handed_on, "b@1": call("{{ next }}")})
    text = call("a", more=", property_overrides: {next: '{{ last }}'}")

    assert world.planned(text, lenient=True).problems == ()
    assert f"{CYCLE}p/a@1 → p/b@1 → p/a@1" in world.refusal(text, last="a")
    assert f"{CYCLE}p/a@1 → p/b@1 → p/a@1" in world.refusal(f"properties: {{last: a}}\n{text}", lenient=True)


def test_a_diamond_is_no_cycle() -> None:
    """`R44`: two ways to the same workflow."""
    world = World(published={"end@1": named("End"), "a@1": call("end"), "b@1": call("end")})
    found = world.plan(f"{call('a')[:-1]}, {call('b')[8:]}")

    assert [step.name for step in found.steps].count("End") == 2
    assert len(found.pinned) == 4


def test_every_cycle_of_a_tree_is_told() -> None:
    """`R15`, `R44`"""
    world = World(published={"a@1": call("a"), "b@1": call("b")})

    found = world.planned(f"{call('a')[:-1]}, {call('b')[8:]}")

    assert [problem.code for problem in found.problems] == [Code.CYCLE] * 2
