"""What a reviewer is told of two plans: gates that hold less first, then steps, then properties."""

import pytest

from fakes.sources import DEV, PROD, STAGING, World
from pointsman.plan.difference import Change, Opened, PlanDifference, difference
from pointsman.plan.matching import matching

APPROVAL = "{name: Go, requires_approval_from: {user_names: [ann], ldap_groups: [ops]}, type: wait}"
DEPLOY = f"""
steps:
  - {{target: {DEV}, action: configure}}
  - {APPROVAL}
  - {{target: {PROD}, action: configure}}
"""


def told(before: str, after: str, *, then: World | None = None, now: World | None = None) -> PlanDifference:
    return difference((then or World()).outline(before), (now or then or World()).outline(after))


def changes(found: PlanDifference) -> list[tuple[str, str, str]]:
    return [("+".join(step.changes), step.before, step.after) for step in found.steps]


def with_gate(text: str) -> str:
    return DEPLOY.replace(APPROVAL, text)


def test_two_plans_that_are_the_same_differ() -> None:
    assert not told(DEPLOY, DEPLOY)


def test_a_removed_approval_is_told_without_what_it_stood_before() -> None:
    found = told(DEPLOY, f"steps: [{{target: {DEV}, action: configure}}, {{target: {PROD}, action: configure}}]")

    (gate,) = found.gates
    assert (gate.opened, gate.name, gate.before, gate.after) == (Opened.REMOVED, "Go", "2", "")
    assert gate.stood_before == (f"configure on {PROD} (step 2)",)
    assert changes(found) == []


def test_an_approval_that_goes_with_all_it_stood_before_is_said_to_have_stood_before_something() -> None:
    found = told(DEPLOY, f"steps: [{{target: {DEV}, action: configure}}]")

    assert [gate.stood_before for gate in found.gates] == [()]
    assert changes(found) == [("removed", "3", "")]


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        (APPROVAL.replace("[ann]", "[ann, bob]"), "bob may approve too"),
        (APPROVAL.replace("[ops]", "[ops, everybody]"), "everybody may approve too"),
        ("{name: Go, type: wait}", "it is a plain wait now: whoever may run the workflow can continue it"),
        (APPROVAL.replace("}, type", "}, reset_on_retry: false, type"), "a retry no longer asks again"),
    ],
)
def test_an_approval_that_asks_for_less_is_not_told(gate: str, reason: str) -> None:
    (found,) = told(DEPLOY, with_gate(gate)).gates

    assert (found.opened, found.reasons, found.before, found.after) == (Opened.LOOSENED, (reason,), "2", "2")


@pytest.mark.parametrize(
    ("strict", "reason"),
    [
        ("min_approvals: 2", "1 of 2 approvals are enough"),
        ("min_approvals: 2, one_from_each_group: true", "it no longer needs one from each group"),
        ("allow_self_approval: false", "who started the run may approve it"),
    ],
)
def test_a_quorum_that_shrinks_is_not_told(strict: str, reason: str) -> None:
    groups = APPROVAL.replace("[ops]", "[ops, leads]").replace("}, type", f"}}, {strict}, type")
    loose = groups.replace("min_approvals: 2", "min_approvals: 1" if "1 of 2" in reason else "min_approvals: 2")
    loose = loose.replace("one_from_each_group: true", "one_from_each_group: false")
    loose = loose.replace("allow_self_approval: false", "allow_self_approval: true")
    (found,) = told(with_gate(groups), with_gate(loose)).gates

    assert found.reasons == (reason,)


def test_a_wait_that_continues_by_itself_is_no_looser_than_before() -> None:
    wait = "{name: Go, type: wait, timeout: 1h}"
    (found,) = told(with_gate(wait), with_gate(wait.replace("}", ", on_timeout: continue}"))).gates

    assert found.reasons == ("it continues by itself after 3600 s",)


@pytest.mark.parametrize(
    "gate",
    [
        APPROVAL.replace("[ann]", "[ANN ]"),
        APPROVAL.replace("user_names: [ann], ", ""),
        APPROVAL.replace("}, type", "}, min_approvals: 2, type"),
        APPROVAL.replace("}, type", "}, allow_self_approval: false, type"),
    ],
)
def test_an_approval_that_asks_for_more_is_called_looser(gate: str) -> None:
    found = told(DEPLOY, with_gate(gate))

    assert found.gates == ()
    assert changes(found) == [("changed", "2", "2")]


def test_an_approval_that_a_change_slipped_past_is_not_told() -> None:
    moved = f"steps: [{{target: {PROD}, action: configure}}, {{target: {DEV}, action: configure}}, {APPROVAL}]"
    found = told(DEPLOY, moved)

    (gate,) = found.gates
    assert (gate.opened, gate.name, gate.stood_before) == (
        Opened.BYPASSED,
        "Go",
        (f"configure on {PROD} (step 1)",),
    )


@pytest.mark.parametrize(
    "past",
    [
        DEPLOY.replace(f"- {APPROVAL}", "- {name: S, run_as: parallel, children: [" + APPROVAL).replace(
            f"\n  - {{target: {PROD}, action: configure}}", f", {{target: {PROD}, action: configure}}]}}"
        ),
        DEPLOY.replace(f"{PROD}, action: configure", f"{PROD}, action: configure, when: always"),
    ],
)
def test_a_change_beside_an_approval_or_run_in_any_case_is_behind_it(past: str) -> None:
    assert Opened.BYPASSED in {gate.opened for gate in told(DEPLOY, past).gates}


def test_an_approval_before_the_whole_stage_is_not_before_its_changes() -> None:
    staged = f"""
steps:
  - {{target: {DEV}, action: configure}}
  - {APPROVAL}
  - {{name: Production, run_as: sequential, children: [{{target: {PROD}, action: configure}}]}}
"""
    found = told(DEPLOY, staged)

    assert found.gates == ()
    assert changes(found) == [("added", "", "3"), ("moved", "3", "3.1")]


def test_a_change_on_another_target_is_removed_and_added() -> None:
    found = told(DEPLOY, DEPLOY.replace(DEV, STAGING))

    (step,) = found.steps
    assert (step.changes, step.before, step.after, step.target) == ((Change.RETARGETED,), "1", "1", STAGING)
    assert [(detail.name, detail.before, detail.after) for detail in step.details] == [("target", DEV, STAGING)]


def test_an_added_stage_is_told_step_by_step() -> None:
    more = f"{DEPLOY}  - {{name: S, run_as: sequential, children: [{{target: {DEV}, action: start}}]}}\n"

    (step,) = told(DEPLOY, more).steps
    assert (step.changes, step.after, step.below) == ((Change.ADDED,), "4", 1)


def test_steps_behind_an_added_one_are_called_changed() -> None:
    more = DEPLOY.replace("steps:", f"steps:\n  - {{target: {DEV}, action: check}}")

    assert changes(told(DEPLOY, more)) == [("added", "", "1")]


def test_one_step_that_moved_makes_its_siblings_move() -> None:
    steps = [f"{{target: {target}, action: {action}}}" for target in (DEV, PROD) for action in ("check", "start")]
    before = f"steps: [{', '.join(steps)}]"
    after = f"steps: [{', '.join([*steps[1:], steps[0]])}]"

    assert changes(told(before, after)) == [("moved", "1", "4")]


def test_another_order_of_what_runs_together_is_told() -> None:
    together = "steps: [{name: S, run_as: parallel, children: [%s]}]"
    one, other = (f"{{target: {target}, action: check}}" for target in (DEV, PROD))

    assert not told(together % f"{one}, {other}", together % f"{other}, {one}")


def test_a_renamed_stage_loses_its_steps() -> None:
    before = f"steps: [{{name: Roll out, run_as: parallel, children: [{{target: {DEV}, action: check}}]}}]"

    (step,) = told(before, before.replace("Roll out", "Rollout").replace("parallel", "sequential")).steps
    assert [detail.name for detail in step.details] == ["name", "run_as"]


def test_a_property_that_changes_for_a_target_is_not_told() -> None:
    file = "projects/p/environments/prod/assets/web.yaml"
    now = World(files={file: "template: server\nproperties: {hostname: new-web, tls: {on: true}}\n"})
    found = told(DEPLOY, DEPLOY, now=now)

    assert [(one.target, one.name, one.before, one.after) for one in found.properties] == [
        (PROD, "hostname", '"prod-web"', '"new-web"'),
        (PROD, "tls", "", '{"on":true}'),
    ]


def test_another_script_in_the_template_is_not_told() -> None:
    found = told(DEPLOY, DEPLOY, now=World(files={"templates/server/act.sh": "#!/bin/sh\necho new\n"}))

    assert {detail.name for step in found.steps for detail in step.details} == {"template files"}
    assert changes(found) == [("changed", "1", "1"), ("changed", "3", "3")]


def test_a_plan_with_variables_cannot_be_compared() -> None:
    text = 'steps: [{target: "/projects/p/environments/{{ env }}/assets/web", action: check}]'

    (step,) = told(text, text.replace("check", "start")).steps
    assert step.changes == (Change.RETARGETED,)
    assert "{{ env }}" in step.target


def test_matching_pairs_a_step_twice() -> None:
    same = f"{{target: {DEV}, action: check}}"
    before, after = (World().outline(f"steps: [{', '.join([same] * count)}]") for count in (3, 5))
    found = matching(before.steps, after.steps)

    assert len(found.pairs) == 4
    assert len({after for _, after in found.pairs}) == 4
    assert found.added == (4, 5)
    assert found.moved == frozenset()
