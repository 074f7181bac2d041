"""The run machine: `continue_on_error`, and steps that run after something went wrong (R53)."""

import pytest

from fakes.worlds import World


def test_a_failure_that_is_continued_on_is_shown_and_does_not_stop_what_follows() -> None:
    """R53"""
    world = World("seq(a[coe], b[on_failure], c)")
    world.fails("a")
    assert world.states("a b c") == "failed skipped queued"
    world.succeeds("c")
    assert world.state == "succeeded"


def test_a_stage_that_is_continued_on_covers_failures_below_it() -> None:
    """R53"""
    world = World("seq(seq:S[coe](a, b), c)")
    world.fails("a")
    assert world.states("S b c") == "failed aborted queued"


def test_a_lost_step_that_is_continued_on_does_not_stop_what_follows() -> None:
    """R53 with R86"""
    world = World("seq(a[coe], b)")
    world.loses("a")
    assert world.states("a b") == "lost queued"


def test_a_rejection_below_is_never_continued_on() -> None:
    """R53"""
    world = World("seq(seq:S[coe](par:P[coe](gate, a)), b)")
    world.succeeds("a")
    world.decides("gate", "reject")
    assert world.states("gate P S b root") == "rejected rejected rejected aborted rejected"


def test_a_gate_that_was_never_reached_below_is_never_continued_on() -> None:
    """R53"""
    world = World("seq(seq:S[coe](a, seq:inner(gate)), b)")
    world.fails("a")
    assert world.states("a gate S b root") == "failed aborted failed aborted failed"


def test_an_aborted_gate_spoils_every_stage_above_it() -> None:
    """R53"""
    world = World("seq(seq:S[coe](seq:T[coe](seq:U[coe](a, gate))), b)")
    world.fails("a")
    assert world.states("U T S b") == "failed failed failed aborted"


def test_a_gate_that_fail_fast_closed_below_is_never_continued_on() -> None:
    """R53 with R51"""
    world = World("seq(par:P[coe, fail_fast](a, gate), b)")
    world.fails("a")
    assert world.states("gate P b") == "cancelled failed aborted"


def test_changes_that_fail_fast_stopped_can_be_continued_on() -> None:
    """R51: they are stopped because of the failure that is covered."""
    world = World("seq(par:P[coe, fail_fast](a, b), c)")
    world.fails("a")
    assert world.states("b P c") == "cancelled failed queued"


def test_a_cancel_is_never_continued_on() -> None:
    """R53"""
    world = World("seq(seq:S[coe](a), b)")
    world.cancels()
    assert world.states("a S b root") == "cancelled cancelled cancelled cancelled"


@pytest.mark.parametrize("when", ["always", "on_failure"])
@pytest.mark.parametrize(
    ("trouble", "state"), [("failure", "failed"), ("rejection", "rejected"), ("cancel", "cancelled")]
)
def test_cleaning_up_runs_after_anything_that_went_wrong(when: str, trouble: str, state: str) -> None:
    """R53"""
    world = World(f"seq(gate, a, b, c[{when}])")
    if trouble == "rejection":
        world.decides("gate", "reject")
    else:
        world.decides("gate", "continue")
        world.fails("a") if trouble == "failure" else world.cancels()
    assert world.queued == ["c"]
    world.succeeds("c")
    assert world.states("c root") == f"succeeded {state}"


def test_a_step_for_failures_is_skipped_while_all_goes_well() -> None:
    """R53"""
    world = World("seq(a, b[on_failure], par:P(c, d[on_failure]), e[always])")
    world.succeeds("a", "c", "e")
    assert world.states("b d e root") == "skipped skipped succeeded succeeded"


def test_what_follows_a_step_for_failures_stays_aborted() -> None:
    """R53"""
    world = World("seq(a, b[on_failure], c, d[always])")
    world.fails("a")
    world.succeeds("b", "d")
    assert world.states("b c d root") == "succeeded aborted succeeded failed"


@pytest.mark.parametrize("when", ["always", "on_failure"])
def test_when_cleaning_up_fails_the_run_has_failed(when: str) -> None:
    """R53"""
    world = World(f"seq(gate, a, b[{when}])")
    world.decides("gate", "reject")
    world.fails("b")
    assert world.states("gate b root") == "rejected failed failed"


def test_when_cleaning_up_deep_in_a_cancelled_run_fails_the_run_has_failed() -> None:
    """R53"""
    world = World("seq(seq:S[coe](a, seq:T[always](b)), c)")
    world.cancels()
    world.fails("b")
    assert world.states("a b T S root") == "cancelled failed failed failed failed"


def test_in_parallel_a_step_for_failures_waits_until_its_siblings_have_ended() -> None:
    """R53"""
    world = World("par:P(x[on_failure], a, b)")
    world.fails("a")
    assert world.states("x a b") == "pending failed queued"
    world.succeeds("b")
    assert world.states("x P") == "queued running"


def test_in_parallel_steps_for_failures_run_side_by_side() -> None:
    """R53: a stage in parallel runs them as it runs the others."""
    world = World("par:P(a, x[on_failure], y[on_failure])")
    world.fails("a")
    assert world.queued == ["x", "y"]


def test_in_parallel_a_step_that_always_runs_does_not_wait_for_its_siblings() -> None:
    """R53"""
    world = World("par:P(a, b[always])")
    assert world.queued == ["a", "b"]


def test_below_a_stage_that_was_never_reached_nothing_cleans_up() -> None:
    """R50: every step of a later stage, at any depth, is aborted."""
    world = World("seq(a, seq:S(b, c[always]))")
    world.fails("a")
    assert world.states("S b c root") == "aborted aborted aborted failed"
