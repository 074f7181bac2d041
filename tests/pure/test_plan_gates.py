"""Gates and conditions as the plan has them, and what reading lets through to it."""

from dataclasses import asdict

import pytest

from fakes.sources import DEV, World, loaded
from pointsman.model.definition import Approvers, Kind, OnTimeout, When
from pointsman.model.plan import Gate
from pointsman.model.problem import Severity

WORLD = World()


def approval(more: str = "") -> str:
    """A workflow of one approval."""
    return f"steps: [{{type: wait, requires_approval_from: {{user_names: [ann, bob, eve]}}{more}}}]"


def gate(world: World, text: str) -> Gate:
    """The gate of the first step."""
    found = world.plan(text).steps[1].gate
    assert found is not None
    return found


def test_a_wait_is_a_gate_that_names_nobody() -> None:
    """`R70`"""
    assert gate(WORLD, "steps: [{type: wait}]") == Gate()


def test_an_approval_keeps_all_that_it_asks_for() -> None:
    """`R71`, `R75`, `R78`, `R87`"""
    text = f"""\
steps:
- type: wait
  requires_approval_from: {{user_names: [ann], ldap_groups: [ops, dev]}}
  min_approvals: 2
  one_from_each_group: true
  allow_self_approval: false
  reset_on_retry: false
  timeout: 2h
  on_timeout: reject
- {{target: {DEV}, action: check}}
"""

    assert asdict(gate(WORLD, text)) == {
        "approvers": asdict(Approvers(user_names=("ann",), ldap_groups=("ops", "dev"))),
        "min_approvals": 2,
        "one_from_each_group": True,
        "allow_self_approval": False,
        "reset_on_retry": False,
        "timeout_seconds": 7200,
        "on_timeout": OnTimeout.REJECT,
    }
    assert WORLD.plan(text).steps[1].kind is Kind.APPROVAL


@pytest.mark.parametrize(("written", "in_plan"), [("", 2), (", min_approvals: 1", 2), (", min_approvals: 3", 3)])
def test_the_projects_policy_raises_the_quorum_of_an_approval(written: str, in_plan: int) -> None:
    """`R71`, DESIGN section 8: it never lowers it."""
    world = World(files={"projects/p/project.yaml": "policy: {min_approvals: 2}\n"})

    assert gate(world, approval(written)).min_approvals == in_plan


def test_the_projects_policy_asks_nobody_to_approve_a_wait() -> None:
    """`R70`"""
    world = World(files={"projects/p/project.yaml": "policy: {min_approvals: 2}\n"})

    assert gate(world, "steps: [{type: wait}]").min_approvals == 1


def test_the_quorum_of_a_called_workflow_is_raised_by_its_own_project() -> None:
    """`R71`: the policy of the file that the approval stands in."""
    world = World(files={"projects/p/project.yaml": "policy: {min_approvals: 2}\n"}, published={"child@1": approval()})
    found = world.plan("steps: [{type: workflow, target: /projects/p/workflows/child}]").steps[2].gate

    assert found is not None
    assert found.min_approvals == 2


def test_conditions_are_in_the_plan() -> None:
    """`R53`"""
    found = WORLD.plan(
        f"steps: [{{target: {DEV}, action: check, continue_on_error: true}}, {{type: wait, when: always}},"
        f" {{target: {DEV}, action: check, when: on_failure}}]"
    )

    assert [(step.continue_on_error, step.when) for step in found.steps[1:]] == [
        (True, When.ON_SUCCESS),
        (False, When.ALWAYS),
        (False, When.ON_FAILURE),
    ]


@pytest.mark.parametrize(
    "more",
    [
        ", continue_on_error: true",
        ", when: always",
        ", when: on_failure",
        ", on_timeout: continue, timeout: 1h",
        ", min_approvals: 0",
    ],
)
def test_what_would_let_an_approval_be_passed_never_reaches_a_plan(more: str) -> None:
    """`R53`, `R78`: reading refuses the file, so there is no definition to plan."""
    found = loaded({}, deploy=approval(more))

    assert found.workflows == {}
    assert any(problem.severity is Severity.ERROR for problem in found.problems)


def test_approvers_take_no_variables() -> None:
    """`R9`: nobody chooses their own approvers with the run."""
    found = loaded({}, deploy='steps: [{type: wait, requires_approval_from: {user_names: ["{{ who }}"]}}]')

    assert found.workflows == {}
