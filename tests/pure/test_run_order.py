"""The run machine: what follows what, in sequences and side by side."""

import pytest

from fakes.worlds import World
from pointsman.model.problem import Refused
from pointsman.run.tree import Run


def test_after_a_failure_all_that_follows_in_the_sequence_is_aborted() -> None:
    """R50"""
    world = World("seq(seq:S(a, b, c), seq:later(d, par(e, gate)))")
    world.fails("a")
    assert world.states("a b c S") == "failed aborted aborted failed"
    assert world.states("later d par e gate root") == "aborted aborted aborted aborted aborted failed"
    assert world.queued == []
    assert world.state == "failed"


def test_a_sequence_opens_its_children_one_after_another() -> None:
    """R50"""
    world = World("seq(a, call:W(b, c), d)")
    for name in "abcd":
        assert world.queued == [name]
        world.succeeds(name)
    assert world.state == "succeeded"


def test_a_stage_in_parallel_fails_only_when_its_slow_sibling_has_succeeded() -> None:
    """R51"""
    world = World("seq(par:P(a, b), c)")
    world.starts("a", "b")
    world.fails("a")
    assert world.states("a b P c") == "failed running running pending"
    world.succeeds("b")
    assert world.states("a b P c") == "failed succeeded failed aborted"


def test_siblings_in_parallel_that_wait_for_room_still_run_after_a_failure() -> None:
    """R51"""
    world = World("par:P[max=1](a, b)")
    world.fails("a")
    assert world.queued == ["b"]


def test_fail_fast_stops_the_siblings_and_waits_for_their_ends() -> None:
    """R51"""
    world = World("seq(par:P[fail_fast, max=4](a, b, c, gate, d), e)")
    world.starts("a", "b")
    world.fails("a")
    assert world.states("a b c gate d P") == "failed running cancelled cancelled cancelled running"
    assert world.stopping == ["b"]
    assert world.queued == []
    world.fails("b", stopped=True)
    assert world.states("b P e root") == "cancelled failed aborted failed"


def test_fail_fast_reaches_into_stages_and_lets_their_cleaning_up_run() -> None:
    """R51 with R53"""
    world = World("par:P[fail_fast](a, seq:S(b, c, d[always]))")
    world.starts("a", "b")
    world.fails("a")
    world.fails("b", stopped=True)
    assert world.states("b c d S P") == "cancelled cancelled queued running running"
    world.succeeds("d")
    assert world.states("d S P root") == "succeeded cancelled failed failed"


def test_fail_fast_changes_nothing_in_a_sequence() -> None:
    """R50: what never started because of a failure before it is aborted, not cancelled."""
    world = World("seq:root[fail_fast](a, b)")
    world.fails("a")
    assert world.states("a b root") == "failed aborted failed"


def test_a_failure_in_one_branch_does_not_touch_the_other() -> None:
    """R52"""
    world = World("par:P(seq:S1(a, b), seq:S2(c, d))")
    world.fails("a")
    assert world.states("a b S1 P") == "failed aborted failed running"
    world.succeeds("c", "d")
    assert world.states("c d S2 P root") == "succeeded succeeded succeeded failed failed"


def test_no_more_than_max_parallel_children_are_active_and_in_order_of_their_place() -> None:
    """R54"""
    world = World("par:P[max=2](a, seq:S(b, c), d, gate, e)")
    assert world.queued == ["a", "b"]
    world.succeeds("b")
    assert world.queued == ["a", "c"]
    world.succeeds("a")
    assert world.queued == ["c", "d"]
    world.succeeds("d")
    assert (world.queued, world.open_gates) == (["c"], ["gate"])
    world.succeeds("c")
    assert (world.queued, world.open_gates) == (["e"], ["gate"])


def test_a_held_start_time_counts_as_active() -> None:
    """R54"""
    world = World("par:P[max=1](a[start=60], b)")
    assert (world.queued, world.timers) == ([], {"a": 60.0})


def test_only_changes_are_given_to_workers() -> None:
    """R55"""
    world = World("par:P(gate, seq:S(a), call:W(b[start=60]), approval)")
    assert world.queued == ["a"]


def test_a_run_whose_steps_all_succeeded_or_were_skipped_has_succeeded() -> None:
    """R60"""
    world = World("seq(a, b, gate, approval, par:P(c, d))", skip=["b", "d"])
    world.succeeds("a")
    world.decides("gate", "continue")
    world.decides("approval", "approve")
    world.succeeds("c")
    assert world.states("a b gate approval c d P") == "succeeded skipped " + "succeeded " * 3 + "skipped succeeded"
    assert world.state == "succeeded"


def test_a_stage_without_steps_to_run_ends_when_its_turn_comes_and_not_before() -> None:
    """R90"""
    world = World("seq(a, seq:S(b, c), d)", skip=["b", "c"])
    assert world.states("S b c") == "pending pending pending"
    world.succeeds("a")
    assert world.states("S b c d") == "succeeded skipped skipped queued"


def test_a_parent_ends_once_however_many_children_end_before_it_is_looked_at() -> None:
    """R57"""
    world = World("seq(par:P(seq:S1(a), seq:S2(b), par:P2(c, d)), e)")
    world.fails("a", "b", "c", "d")
    ends = [record.event for record in world.records if record.event.type in {"step_ended", "run_ended"}]
    assert len(ends) == len(set(ends)) == 7


def test_an_event_for_a_run_that_does_not_exist_yet_is_refused() -> None:
    """R57"""
    world = World("seq(a)", admitted=False)
    world.run = fresh = Run(world.plan)
    with pytest.raises(Refused, match="does not exist yet"):
        world.cancels()
    assert (fresh.rows, fresh.seq) == ({}, 0)
