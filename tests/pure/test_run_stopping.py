"""The run machine: cancelling, and runs that were never admitted."""

import pytest

from fakes.worlds import World
from pointsman.model.effect import EndRun, ForgetChange, StopChange
from pointsman.model.event import RunAdmitted, StepEnded, StepStarted
from pointsman.model.problem import Refused
from pointsman.model.run import RunState, StepState


def test_a_cancel_keeps_what_has_ended_and_cancels_everything_else() -> None:
    """R91"""
    world = World("seq(a, par:P(b, c, gate, d[start=60], e), f, seq:S(g, gate9))")
    world.succeeds("a", "e")
    world.starts("b")
    world.cancels()
    assert (world.stopping, world.queued, world.open_gates, world.timers) == (["b"], [], [], {})
    assert world.states("a e b c gate d") == "succeeded succeeded running cancelled cancelled cancelled"
    world.fails("b", stopped=True)
    assert world.states("a e b P f S g gate9 root") == "succeeded succeeded " + " ".join(["cancelled"] * 7)


def test_a_cancelled_run_ends_only_when_its_processes_have() -> None:
    """R91"""
    world = World("par:P(a, b)")
    world.starts("a", "b")
    world.cancels()
    assert world.state == "running"
    assert set(world.effects) == {StopChange(step=world.place(name), attempt=1) for name in "ab"}
    world.fails("a", stopped=True)
    assert world.state == "running"
    world.succeeds("b")
    assert world.states("a b P root") == "cancelled succeeded cancelled cancelled"
    assert world.effects == [EndRun(state=RunState.CANCELLED)]


def test_a_step_that_fails_by_itself_while_it_is_being_stopped_has_failed_and_is_not_tried_again() -> None:
    """R91, R92"""
    world = World("seq(a[retry=3])")
    world.starts("a")
    world.cancels()
    world.fails("a")
    assert world.states("a root") == "failed cancelled"
    assert world.timers == {}


def test_cleaning_up_starts_once_everything_before_it_has_been_stopped() -> None:
    """R91"""
    world = World("seq(seq:S(a, b[always]), c, d[always], e[on_failure])")
    world.starts("a")
    world.cancels()
    assert world.queued == []
    world.fails("a", stopped=True)
    assert world.queued == ["b"]
    world.succeeds("b", "d", "e")
    assert world.states("a b S c d e root") == "cancelled succeeded cancelled cancelled succeeded succeeded cancelled"


def test_cleaning_up_that_is_under_way_is_not_stopped_by_the_first_cancel() -> None:
    """R91"""
    world = World("seq(a, seq:S[always](b, c))")
    world.fails("a")
    world.starts("b")
    world.cancels()
    assert (world.stopping, world.states("b c")) == ([], "running pending")
    world.succeeds("b", "c")
    assert world.states("S root") == "succeeded cancelled"


def test_a_second_cancel_stops_the_cleaning_up_too() -> None:
    """R91"""
    world = World("par:P(a, seq:S[always](b, c), d[always, start=60], e[on_failure])")
    world.starts("a", "b")
    world.cancels()
    assert (world.stopping, world.timers) == (["a"], {"d": 60.0})
    world.cancels()
    assert (world.stopping, world.timers) == (["a", "b"], {})
    with pytest.raises(Refused, match="being cancelled already"):
        world.cancels()
    world.fails("a", "b", stopped=True)
    assert world.states("a b c S d e P root") == " ".join(["cancelled"] * 8)


def test_a_second_cancel_takes_back_the_retry_of_cleaning_up() -> None:
    """R91 with R61"""
    world = World("seq(a, b[always, retry=3/30])")
    world.cancels()
    world.fails("b")
    assert world.timers == {"b": 30.0}
    world.cancels()
    assert world.states("b root") == "cancelled cancelled"


def test_a_cancel_goes_through_a_stage_that_already_fails_fast() -> None:
    """R91 with R51"""
    world = World("par:P(par:Q[fail_fast](a, b), c)")
    world.starts("a", "b", "c")
    world.fails("a")
    world.cancels()
    assert world.stopping == ["b", "c"]
    world.fails("b", "c", stopped=True)
    assert world.states("Q P root") == "cancelled cancelled cancelled"


def test_a_step_that_was_cancelled_in_the_queue_cannot_start() -> None:
    """R92"""
    world = World("seq(a)")
    world.cancels()
    assert ForgetChange(step=1) in world.effects
    with pytest.raises(Refused):
        world.tell(StepStarted(step=1, attempt=1))
    assert world.states("a root") == "cancelled cancelled"


def test_a_step_that_started_just_before_the_cancel_never_returns_to_the_queue() -> None:
    """R92"""
    world = World("seq(a)")
    world.starts("a")
    world.cancels()
    world.unstarts("a")
    assert world.queued == []
    assert world.states("a root") == "cancelled cancelled"


@pytest.mark.parametrize("retried", [False, True])
def test_the_log_says_that_a_change_was_cancelled_before_it_ran(retried: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """R57: the log alone tells how every step ended."""
    world = World("seq(a[retry=1])")
    if retried:
        world.fails("a")
    world.cancels()
    assert StepEnded(step=1, state=StepState.CANCELLED) in [record.event for record in world.records]


def test_a_run_that_is_cancelled_before_it_is_admitted_never_starts() -> None:
    """R88"""
    world = World("seq(a, seq:S(gate, b[always]))", admitted=False)
    assert world.state == "pending"
    world.cancels()
    assert world.states("root a S gate b") == " ".join(["cancelled"] * 5)
    assert world.effects == [EndRun(state=RunState.CANCELLED)]
    with pytest.raises(Refused, match="the run is cancelled already"):
        world.tell(RunAdmitted())


def test_a_run_is_admitted_once() -> None:
    """R57"""
    world = World("seq(a)")
    with pytest.raises(Refused, match="admitted already"):
        world.tell(RunAdmitted())
