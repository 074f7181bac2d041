"""The run machine: one change, from its place in the queue to its end."""

from dataclasses import replace

import pytest

from fakes.worlds import World
from pointsman.model.effect import ArmTimer, DisarmTimer, StartChange
from pointsman.model.event import Input, StepFailed, StepLost, StepStarted, StepSucceeded, StepUnstarted, TimerFired
from pointsman.model.problem import Refused


def refused(world: World, event: Input) -> str:
    """The sentence of a refusal that changed nothing."""
    rows, seq, tallies = dict(world.run.rows), world.run.seq, {k: replace(v) for k, v in world.run.tallies.items()}
    with pytest.raises(Refused) as caught:
        world.tell(event)
    assert (world.run.rows, world.run.seq, world.run.tallies) == (rows, seq, tallies)
    return caught.value.says


def test_a_change_has_the_times_attempt_and_outputs_of_what_happened() -> None:
    """R57: the rows say what the events said."""
    world = World("seq(a)", at=10.0)
    world.at = 20.0
    world.starts("a")
    world.at = 30.0
    world.tell(StepSucceeded(step=1, attempt=1, outputs={"url": "x"}))
    row = world.row("a")
    assert (row.queued_at, row.started_at, row.finished_at) == (10.0, 20.0, 30.0)
    assert (row.attempt, row.exit_code, row.outputs) == (1, 0, {"url": "x"})


def test_the_same_result_delivered_twice_changes_nothing() -> None:
    """R57"""
    world = World("seq(a, b)")
    world.succeeds("a")
    assert "step 1 is succeeded" in refused(world, StepSucceeded(step=1, attempt=1))
    assert "step 1 is succeeded" in refused(world, StepFailed(step=1, attempt=1, reason="late"))


def test_a_result_for_a_former_attempt_changes_nothing() -> None:
    """R57"""
    world = World("seq(a[retry=1])")
    world.fails("a")
    world.fires("a")
    assert "does not fit" in refused(world, StepSucceeded(step=1, attempt=1))
    world.starts("a")
    for late in (StepSucceeded(step=1, attempt=1), StepLost(step=1, attempt=1, reason="")):
        assert refused(world, late) == "step 1 is at attempt 2, not 1"


@pytest.mark.parametrize(
    "event",
    [
        StepStarted(step=2, attempt=1),
        StepStarted(step=1, attempt=2),
        StepSucceeded(step=1, attempt=1),
        StepStarted(step=3, attempt=1),
        StepStarted(step=0, attempt=1),
        StepStarted(step=99, attempt=1),
        StepStarted(step=-1, attempt=1),
        TimerFired(step=1, due=0.0),
        TimerFired(step=99, due=0.0),
    ],
)
def test_an_event_that_does_not_fit_is_refused_and_changes_nothing(event: Input) -> None:
    """R57"""
    world = World("seq(a, b, gate)")
    assert refused(world, event)


def test_after_its_end_a_run_is_told_nothing_any_more() -> None:
    """R57"""
    world = World("seq(a)")
    world.fails("a")
    with pytest.raises(Refused, match="failed already"):
        world.cancels()


def test_a_report_that_cannot_be_read_fails_its_step_alone() -> None:
    """R58: the carrier makes it a failure; to the machine it is one like any other."""
    world = World("par:P(a, b)")
    world.starts("a", "b")
    world.tell(StepFailed(step=world.place("a"), attempt=1, reason="its report cannot be read"))
    assert world.states("a b") == "failed running"
    assert world.row("a").reason == "its report cannot be read"


def test_a_start_time_in_the_future_holds_a_step_without_a_worker() -> None:
    """R59"""
    world = World("seq(a[start=60], call:W[start=90](b))")
    assert world.states("a root") == "pending running"
    assert (world.queued, world.effects) == ([], [ArmTimer(step=1, due=60.0)])
    world.fires("a")
    assert world.queued == ["a"]
    world.succeeds("a")
    assert world.states("W b") == "pending pending"
    world.fires("W")
    assert world.states("W b") == "running queued"
    assert world.timers == {}


def test_a_start_time_in_the_past_starts_at_once_and_the_log_says_so() -> None:
    """R59"""
    world = World("seq(a[start=60])", at=61.0)
    assert (world.queued, world.timers) == (["a"], {})
    assert [getattr(record.event, "note", "") for record in world.records][-1] == "its start time has passed"


def test_cancelling_a_held_step_leaves_no_timer_behind() -> None:
    """R59"""
    world = World("par:P(a[start=60], call:W[start=60](b))")
    world.cancels()
    assert {DisarmTimer(step=world.place(name)) for name in ("a", "W")} <= set(world.effects)
    assert world.states("a W b root") == "cancelled cancelled cancelled cancelled"
    assert refused(world, TimerFired(step=world.place("a"), due=60.0))


def test_a_timer_of_an_earlier_arming_is_refused() -> None:
    """R57"""
    world = World("seq(a[retry=2/30])")
    world.fails("a")
    world.fires("a")
    world.fails("a")
    assert world.timers == {"a": 60.0}
    assert "no timer" in refused(world, TimerFired(step=1, due=30.0))


def test_a_failed_action_is_held_and_queued_again_while_its_retries_last() -> None:
    """R61"""
    world = World("seq(a[retry=2/30], b)")
    for attempt in (1, 2):
        world.fails("a")
        assert world.states("a b root") == "pending pending running"
        assert world.row("a").reason == "exit code 1"
        assert world.timers == {"a": world.at + 30}
        world.fires("a")
        assert world.effects[-1] == StartChange(step=1, attempt=attempt + 1)
    world.fails("a")
    assert world.states("a b root") == "failed aborted failed"
    assert (world.row("a").attempt, world.timers) == (3, {})


def test_an_action_that_succeeds_when_tried_again_has_succeeded() -> None:
    """R61"""
    world = World("seq(a[retry=1], b)")
    world.fails("a")
    world.fires("a")
    world.succeeds("a")
    assert (world.states("a b"), world.row("a").exit_code, world.row("a").reason) == ("succeeded queued", 0, "")


def test_a_lost_step_counts_as_failed_and_is_not_tried_again() -> None:
    """R86"""
    world = World("seq(par:P(a[retry=3], b), c)")
    world.loses("a")
    world.succeeds("b")
    assert world.states("a P c root") == "lost failed aborted failed"
    assert world.timers == {}


def test_an_attempt_that_never_began_is_queued_again_under_the_next_number() -> None:
    """R110: nothing ran, so it costs none of the action's retries."""
    world = World("seq(a[retry=1])")
    world.unstarts("a")
    assert world.effects == [StartChange(step=1, attempt=2)]
    world.starts("a")
    assert refused(world, StepUnstarted(step=1, attempt=1, reason=""))
    world.fails("a")
    assert world.states("a") == "pending"
