"""The run machine: waits and approvals, from their opening to the decision."""

import pytest

from fakes.worlds import World
from pointsman.model.effect import ArmTimer, OpenGate
from pointsman.model.event import GateExpired
from pointsman.model.names import SYSTEM
from pointsman.model.problem import Refused
from pointsman.model.run import DecisionWord
from pointsman.run.quorum import is_met, needed


def gate_refusal(
    world: World, name: str, decision: DecisionWord, *, by: str = "ann", opening: int | None = None
) -> str:
    """The sentence of a refused decision that changed nothing."""
    rows, seq = dict(world.run.rows), world.run.seq
    with pytest.raises(Refused) as caught:
        world.decides(name, decision, by=by, opening=opening)
    assert (world.run.rows, world.run.seq) == (rows, seq)
    return caught.value.says


def test_a_run_waits_only_while_nothing_runs_or_is_queued() -> None:
    """R56"""
    world = World("par:P(gate, a, b[start=60])")
    assert world.state == "running"
    world.starts("a")
    assert world.state == "running"
    world.succeeds("a")
    assert world.state == "waiting"
    world.decides("gate", "continue")
    assert world.state == "waiting"
    world.fires("b")
    assert world.state == "running"


def test_a_gate_that_is_reached_is_opened_once_and_numbered() -> None:
    """R70"""
    world = World("seq(a, gate)")
    assert world.open_gates == []
    world.succeeds("a")
    assert world.effects == [OpenGate(step=2, opening=1)]
    assert world.states("gate") == "waiting"


def test_a_wait_keeps_who_continued_it_when_and_what_was_said() -> None:
    """R70"""
    world = World("seq(gate, a)", at=5.0)
    world.decides("gate", "continue", by="bob")
    assert world.states("gate a") == "succeeded queued"
    (given,) = world.row("gate").decisions
    assert (given.actor, given.decision, given.at) == ("bob", "continue", 5.0)


def test_one_approval_is_enough_unless_more_are_asked_for() -> None:
    """R71"""
    world = World("seq(approval[users=ann+bob], approval2[users=ann+bob, min=2], a)")
    world.decides("approval", "approve", by="ann")
    assert world.states("approval approval2") == "succeeded waiting"
    world.decides("approval2", "approve", by="bob")
    assert world.states("approval2 a") == "waiting pending"
    world.decides("approval2", "approve", by="ann")
    assert world.states("approval2 a") == "succeeded queued"


@pytest.mark.parametrize("again", ["ann", "ANN", "  Ann "])
def test_a_person_who_approves_again_is_refused_and_counts_once(again: str) -> None:
    """R71, R73, R76"""
    world = World("seq(approval[users=ann+bob, min=2])")
    world.decides("approval", "approve", by="ann")
    assert gate_refusal(world, "approval", "approve", by=again) == f"{again.strip()} has approved this gate already"
    assert world.states("approval") == "waiting"


def test_who_approved_may_still_reject_while_the_gate_is_open() -> None:
    """R74"""
    world = World("seq(approval[users=ann+bob, min=2])")
    world.decides("approval", "approve", by="ann")
    world.decides("approval", "reject", by="ann")
    assert world.states("approval root") == "rejected rejected"


def test_names_that_differ_in_case_and_space_are_one_person() -> None:
    """R76"""
    world = World("seq(approval[users=ann, min=2])")
    gate = world.plan.steps[1].gate
    assert gate is not None
    world.decides("approval", "approve", by="ann")
    (given,) = world.row("approval").decisions
    twice = (given, given.__class__(actor=" ANN", decision="approve", at=1.0))
    assert not is_met(gate, twice)
    assert needed(gate, twice) == 1


def test_one_from_each_group_needs_a_person_of_its_own_for_every_group() -> None:
    """R71"""
    world = World("seq(approval[each, groups=dev+ops])")
    world.decides("approval", "approve", by="ann", groups=["dev", "ops"])
    assert world.states("approval") == "waiting"
    world.decides("approval", "approve", by="bob", groups=["ops"])
    assert world.states("approval") == "succeeded"


@pytest.mark.parametrize("order", [("ann", "bob", "cid"), ("cid", "bob", "ann"), ("bob", "ann", "cid")])
def test_people_in_several_groups_are_matched_so_that_all_groups_are_covered(order: tuple[str, ...]) -> None:
    """R71: whatever the order in which they approve."""
    groups = {"ann": ["dev", "ops"], "bob": ["Dev", "qa"], "cid": [" DEV"]}
    world = World("seq(approval[each, groups=dev+ops+qa])")
    for person in order[:-1]:
        world.decides("approval", "approve", by=person, groups=groups[person])
        assert world.states("approval") == "waiting"
    world.decides("approval", "approve", by=order[-1], groups=groups[order[-1]])
    assert world.states("approval") == "succeeded"


def test_two_people_of_one_group_do_not_cover_two_groups() -> None:
    """R71"""
    world = World("seq(approval[each, groups=dev+ops])")
    for person in ("ann", "bob", "cid"):
        world.decides("approval", "approve", by=person, groups=["dev"])
    assert world.states("approval") == "waiting"


def test_who_is_listed_by_name_counts_only_towards_min_approvals() -> None:
    """R71"""
    world = World("seq(approval[each, min=3, users=ann, groups=dev+ops])")
    gate = world.plan.steps[1].gate
    assert gate is not None
    assert needed(gate, ()) == 3
    world.decides("approval", "approve", by="bob", groups=["dev"])
    world.decides("approval", "approve", by="cid", groups=["ops"])
    assert needed(gate, world.row("approval").decisions) == 1
    world.decides("approval", "approve", by="ann")
    assert world.states("approval") == "succeeded"


def test_when_enough_people_approved_but_a_group_is_missing_one_more_is_needed() -> None:
    """R71"""
    world = World("seq(approval[each, min=2, users=ann+bob, groups=dev+ops])")
    gate = world.plan.steps[1].gate
    assert gate is not None
    for person in ("ann", "bob"):
        world.decides("approval", "approve", by=person)
    assert world.states("approval") == "waiting"
    assert needed(gate, world.row("approval").decisions) == 1


def test_the_wrong_verb_is_refused_with_the_right_one() -> None:
    """R72"""
    world = World("par:P(gate, approval[users=ann])")
    assert gate_refusal(world, "gate", "approve") == "approve does not work on a wait; use continue"
    assert gate_refusal(world, "approval", "continue") == "continue does not work on an approval; use approve"


def test_a_decision_on_what_is_no_open_gate_is_refused_with_its_state() -> None:
    """R73"""
    world = World("seq(a, gate)")
    assert gate_refusal(world, "a", "continue") == "step 1 is no gate, it is a change"
    assert gate_refusal(world, "gate", "continue") == "the gate is not open, it is pending"


def test_of_two_decisions_at_the_same_instant_the_first_stands() -> None:
    """R73"""
    world = World("seq(gate, a)")
    world.decides("gate", "continue", by="ann")
    assert gate_refusal(world, "gate", "reject", by="bob") == "the gate is not open, it is succeeded"
    assert gate_refusal(world, "gate", "continue", by="ann") == "the gate is not open, it is succeeded"
    assert [given.actor for given in world.row("gate").decisions] == ["ann"]


@pytest.mark.parametrize("opening", [0, 2])
def test_a_decision_for_another_opening_is_refused(opening: int) -> None:
    """R79"""
    world = World("seq(gate)")
    assert f"the decision was for {opening}" in gate_refusal(world, "gate", "continue", opening=opening)


@pytest.mark.parametrize("gate", ["gate", "approval[users=ann]"])
def test_a_rejection_aborts_what_follows_and_rejects_the_run(gate: str) -> None:
    """R74"""
    world = World(f"seq(seq:S({gate}, a), seq:T(b, gate9), c[always])")
    name = gate.partition("[")[0]
    world.decides(name, "reject")
    assert world.states(f"{name} a S T b gate9 c") == "rejected aborted rejected aborted aborted aborted queued"
    world.succeeds("c")
    assert world.state == "rejected"


def test_a_rejection_beside_a_running_step_waits_for_it() -> None:
    """R74 with R51"""
    world = World("par:P(gate, a)")
    world.starts("a")
    world.decides("gate", "reject")
    assert world.states("gate a P") == "rejected running running"
    world.succeeds("a")
    assert world.states("P root") == "rejected rejected"


@pytest.mark.parametrize(
    ("options", "state", "decision"), [("", "rejected", "reject"), (", on_timeout=continue", "succeeded", "continue")]
)
def test_a_gate_that_nobody_decides_in_time_is_decided_by_its_on_timeout(
    options: str, state: str, decision: str
) -> None:
    """R78"""
    world = World(f"seq(gate[timeout=60{options}])", at=5.0)
    assert world.effects == [ArmTimer(step=1, due=65.0), OpenGate(step=1, opening=1)]
    world.fires("gate")
    assert world.states("gate root") == f"{state} {state}"
    (given,) = world.row("gate").decisions
    assert (given.actor, given.decision, given.at) == (SYSTEM, decision, 65.0)
    assert any(isinstance(record.event, GateExpired) for record in world.records)


def test_a_decision_and_the_timeout_at_the_same_instant_are_one_decision() -> None:
    """R78"""
    world = World("par:P(gate1[timeout=60], gate2[timeout=60, on_timeout=continue])")
    due = world.timers
    world.decides("gate1", "continue")
    assert world.timers == {"gate2": due["gate2"]}
    world.fires("gate2")
    assert gate_refusal(world, "gate2", "reject") == "the gate is not open, it is succeeded"
    assert world.states("gate1 gate2 root") == "succeeded succeeded succeeded"
    assert [len(world.row(name).decisions) for name in ("gate1", "gate2")] == [1, 1]


def test_time_never_approves_whatever_the_plan_says() -> None:
    """R78: `on_timeout: continue` is refused on approvals when they are loaded, and the machine would not follow it."""
    world = World("seq(approval[users=ann, timeout=60, on_timeout=continue])")
    world.fires("approval")
    assert world.states("approval") == "rejected"
