"""The laws of the run machine, on random trees and whatever may befall them: news, progress, and what is remembered.

The machine is told right, wrong, late and repeated news. What is expected follows from the plan, the log and the
orders, not from what the machine remembers.
"""

import json
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given

from fakes.stories import Story, answers, beginning, cancels, fits, is_admitted, news, played
from fakes.trees import Node, plan_of
from fakes.worlds import World
from pointsman.model.effect import StartChange
from pointsman.model.event import GateOpened, Input, RunCancelled, StepFailed, StepStarted, Told
from pointsman.model.plan import Plan
from pointsman.model.problem import Refused
from pointsman.model.run import OPEN_STEP_STATES, Row, StepState
from pointsman.model.wire import event_from_json, event_to_json, from_json, plan_digest, plan_text, to_json
from pointsman.run.advance import advance
from pointsman.run.tree import Run
from property.oracles import is_over
from property.strategies import often, stories, trees


def through_json(run: Run) -> Run:
    """The run as it is after it was written and read back."""
    rows = json.loads(json.dumps({place: to_json(row) for place, row in run.rows.items()}))
    plan = from_json(Plan, json.loads(plan_text(run.plan)))
    return Run(plan, {int(place): from_json(Row, row) for place, row in rows.items()}, seq=run.seq)


def picture(run: Run) -> tuple[object, ...]:
    """All that there is to a run besides its plan, copied."""
    tallies = {place: replace(tally) for place, tally in run.tallies.items()}
    return dict(run.rows), run.seq, tallies, run.running, run.queued, run.waiting, run.held


# What happens


@often
@given(stories)
def test_the_same_plan_and_events_have_the_same_outcome(story: Story) -> None:
    """Determinism (DESIGN section 5)."""
    one, other = played(story), played(story)
    assert one.history == other.history
    assert picture(one.run) == picture(other.run)


@often
@given(stories)
def test_a_finished_step_never_changes(story: Story) -> None:
    """R57"""
    finished: dict[int, Row] = {}

    def watch(world: World) -> None:
        for place, row in finished.items():
            assert world.run.row(place) == row
        finished.update((place, row) for place, row in world.run.rows.items() if is_over(world.run, place))

    played(story, watch)


@often
@given(stories)
def test_no_attempt_starts_twice_and_no_gate_opens_twice(story: Story) -> None:
    """R57, R92"""
    world = played(story)
    started = [record.event for record in world.records if isinstance(record.event, StepStarted)]
    opened = [record.event for record in world.records if isinstance(record.event, GateOpened)]
    ordered = [effect for result in world.history for effect in result.effects if isinstance(effect, StartChange)]
    for happened in (started, opened, ordered):
        assert len(happened) == len(set(happened))


@often
@given(stories)
def test_news_is_taken_if_and_only_if_it_answers_what_was_asked_and_else_changes_nothing(story: Story) -> None:
    """R57, R72, R73, R78"""
    world = beginning(story)
    for event, actor in news(world, story):
        expected, before = fits(world, event, actor), picture(world.run)
        if expected:
            world.tell(event, actor=actor)
        else:
            with pytest.raises(Refused):
                world.tell(event, actor=actor)
            assert picture(world.run) == before


# Progress


@often
@given(stories)
def test_a_run_is_never_stuck_and_its_state_says_what_it_waits_for(story: Story) -> None:
    """R56"""

    def watch(world: World) -> None:
        ledger = world.ledger
        if ledger.ended is not None:
            assert world.state == ledger.ended
        elif not is_admitted(world):
            assert world.state == "pending"
        elif ledger.queued or ledger.running:
            assert world.state == "running"
        else:
            assert ledger.gates or ledger.timers
            assert world.state == "waiting"

    played(story, watch)


@often
@given(stories)
def test_a_run_that_is_cancelled_twice_ends_when_its_processes_have(story: Story) -> None:
    """R91, R92"""
    world = played(story)
    while world.ledger.ended is None and cancels(world) < 2:
        world.tell(RunCancelled())
    assert world.ledger.stopping == world.ledger.running
    assert [world.ledger.queued, world.ledger.gates, world.ledger.timers] == [{}, {}, {}]
    for place, attempt in list(world.ledger.running.items()):
        world.tell(StepFailed(step=place, attempt=attempt, reason="cancelled", stopped=True))
        assert world.run.row(place).state is StepState.CANCELLED
    assert world.ledger.ended is not None
    assert all(is_over(world.run, place) for place in range(len(world.plan.steps)))


@often
@given(stories)
def test_a_run_ends_if_from_now_on_everything_is_answered(story: Story) -> None:
    """R60"""
    world = played(story)
    while world.ledger.ended is None:
        event, actor = answers(world)[0][0]
        world.tell(event, actor=actor)
    assert answers(world) == []
    assert world.ledger.orders() == set()
    assert all(is_over(world.run, place) for place in range(len(world.plan.steps)))


@often
@given(trees)
def test_a_run_in_which_everything_goes_well_succeeds(top: Node) -> None:
    """R60"""
    world = World(plan_of(top))
    while world.ledger.ended is None:
        event, actor = answers(world)[0][0]
        world.tell(event, actor=actor)
    assert world.state == "succeeded"
    assert {world.run.row(place).state for place in range(len(world.plan.steps))} <= {
        StepState.SUCCEEDED,
        StepState.SKIPPED,
    }


# What is remembered


@often
@given(stories)
def test_the_recorded_events_lead_to_the_same_rows_and_consequences(story: Story) -> None:
    """Replay (DESIGN section 5)."""
    world = played(story)
    again = Run(plan_of(story.top))
    inputs = [record for record in world.records if record.cause is None]
    records = [
        record
        for told in inputs
        for record in advance(again, Told(at=told.at, actor=told.actor, event=cast("Input", told.event))).records
    ]
    assert records == world.records
    assert picture(again) == picture(world.run)
    assert [record.seq for record in records] == list(range(1, len(records) + 1))


@often
@given(stories)
def test_plan_rows_and_events_survive_json(story: Story) -> None:
    """DESIGN section 5: what is stored is what is resumed from."""
    world = played(story)
    read = through_json(world.run)
    assert read.plan == world.plan
    assert plan_digest(read.plan) == world.plan.digest
    assert read.rows == world.run.rows
    for record in world.records:
        data = json.loads(json.dumps(event_to_json(record.event)))
        assert event_from_json(record.event.type, data) == record.event


@often
@given(stories)
def test_counts_and_orders_follow_from_the_rows(story: Story) -> None:
    """R110: a daemon that starts again knows what the old one knew."""

    def watch(world: World) -> None:
        read = Run(world.plan, world.run.rows, seq=world.run.seq)
        assert picture(read) == picture(world.run)
        orders = list(read.outstanding())
        assert len(orders) == len(set(orders))
        assert set(orders) == world.ledger.orders()

    played(story, watch)


@often
@given(stories)
def test_a_run_that_is_read_back_after_every_event_goes_on_the_same(story: Story) -> None:
    """R110"""

    def forget(world: World) -> None:
        world.run = through_json(world.run)

    assert played(story, forget).history == played(story).history


@often
@given(stories)
def test_the_log_alone_says_how_every_step_stands(story: Story) -> None:
    """DESIGN section 5: the log is the record."""
    world = played(story)
    said = dict.fromkeys(range(len(world.plan.steps)), StepState.PENDING)
    words = {
        "step_queued": "queued", "step_held": "pending", "gate_opened": "waiting", "step_started": "running",
        "step_succeeded": "succeeded", "step_failed": "failed", "step_lost": "lost",
    }  # fmt: skip
    for record in world.records:
        event = record.event
        if event.type == "step_ended":
            below = range(event.step, world.plan.ends[event.step])
            said.update((place, event.state) for place in below if said[place] in OPEN_STEP_STATES)
            said[event.step] = event.state
        elif event.type in words:
            said[getattr(event, "step", 0)] = StepState(words[event.type])
    stages = {place for place, step in enumerate(world.plan.steps) if step.children and not is_over(world.run, place)}
    assert {place: said[place] for place in said if place not in stages} == {
        place: world.run.row(place).state for place in said if place not in stages
    }
