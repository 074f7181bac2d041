"""The run machine: what becomes of the steps that a run is told to skip."""

import pytest

from fakes.worlds import World
from pointsman.model.event import RunCreated
from pointsman.model.problem import Refused
from pointsman.run.skipping import skipped_keys
from pointsman.run.tree import Run


def test_siblings_and_parent_of_a_skipped_step_go_on_as_if_it_had_succeeded() -> None:
    """R90"""
    world = World("seq(par:P(a, b), c, d)", skip=["a", "c"])
    assert world.states("a b") == "skipped queued"
    world.succeeds("b")
    assert world.states("P c d") == "succeeded skipped queued"


def test_a_skipped_stage_is_skipped_with_all_below_it() -> None:
    """R90"""
    world = World("seq(seq:S(a, par:P(b, gate)), c)", skip=["S"])
    assert world.states("S a P b gate c") == "skipped skipped skipped skipped skipped queued"


def test_a_skip_does_skip_a_plain_wait() -> None:
    """R77"""
    world = World("seq(gate, a)", skip=["gate"])
    assert world.states("gate a") == "skipped queued"


def test_a_skipped_step_is_skipped_after_a_failure_and_after_a_cancel_too() -> None:
    """R90: it was never going to run."""
    world = World("seq(a, b, c[always])", skip=["b", "c"])
    world.fails("a")
    assert world.states("b c root") == "skipped skipped failed"
    world = World("seq(a, b, c[always])", skip=["b", "c"])
    world.cancels()
    assert world.states("a b c root") == "cancelled skipped skipped cancelled"


@pytest.mark.parametrize("name", ["approval", "S", "P"])
def test_an_approval_is_never_skipped_not_even_inside_a_skipped_stage(name: str) -> None:
    """R77: a run that would skip one is refused, whoever worked out its skips."""
    with pytest.raises(Refused, match="is an approval"):
        World("seq(seq:S(par:P(approval, a)), b)", skip=[name])


def test_what_is_resolved_from_patterns_is_what_the_machine_takes() -> None:
    """R77, R90: all of a skipped stage but its approvals and the stages that hold them."""
    notation = "seq(seq:S(a, par:P(approval, b), seq:T(c, gate)), d)"
    plan = World(notation).plan
    skip = [plan.steps[plan.index[key]].name for key in skipped_keys(plan, ["S"])]
    world = World(notation, skip=skip)
    assert world.states("S a P approval b T d") == "running skipped running waiting skipped pending pending"
    world.decides("approval", "approve")
    assert world.states("P T c gate S d") == "succeeded skipped skipped skipped succeeded queued"


@pytest.mark.parametrize(("key", "says"), [("0", "the root cannot be skipped"), ("7", "there is no step 7 to skip")])
def test_neither_the_root_nor_what_is_not_there_can_be_skipped(key: str, says: str) -> None:
    """R89"""
    world = World("seq(a)", admitted=False)
    world.run = Run(world.plan)
    with pytest.raises(Refused, match=says):
        world.tell(RunCreated(plan_digest=world.plan.digest, skip=(key,)))
