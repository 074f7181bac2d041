"""The run machine's tables say what the machine does."""

from itertools import product

import pytest

from fakes.worlds import World
from pointsman.model.definition import Kind
from pointsman.model.event import Input, StepFailed, StepLost, StepStarted, StepSucceeded, StepUnstarted
from pointsman.model.problem import Refused
from pointsman.model.run import DecisionWord, StepState
from pointsman.run.transitions import CHANGE, GATE, RIGHT_VERB

ABOUT_CHANGES = ("step_started", "step_succeeded", "step_failed", "step_lost", "step_unstarted")
VERBS: tuple[DecisionWord, ...] = ("continue", "approve", "reject")


def in_state(state: StepState) -> World:
    """A world whose change `a` is in this state."""
    world = World("seq(x, a, y[always])", skip=["a"] if state is StepState.SKIPPED else [])
    if state in {StepState.ABORTED, StepState.CANCELLED}:
        world.fails("x") if state is StepState.ABORTED else world.cancels()
    elif state is not StepState.PENDING:
        world.succeeds("x")
    match state:
        case StepState.RUNNING:
            world.starts("a")
        case StepState.SUCCEEDED:
            world.succeeds("a")
        case StepState.FAILED:
            world.fails("a")
        case StepState.LOST:
            world.loses("a")
        case _:
            pass
    assert world.row("a").state is state
    return world


def news(kind: str, attempt: int) -> Input:
    """An event of this type about the change `a`."""
    match kind:
        case "step_started":
            return StepStarted(step=2, attempt=attempt)
        case "step_succeeded":
            return StepSucceeded(step=2, attempt=attempt)
        case "step_failed":
            return StepFailed(step=2, attempt=attempt, reason="")
        case "step_lost":
            return StepLost(step=2, attempt=attempt, reason="")
        case _:
            return StepUnstarted(step=2, attempt=attempt, reason="")


CHANGE_STATES = [state for state in StepState if state not in {StepState.WAITING, StepState.REJECTED}]


@pytest.mark.parametrize(("kind", "state"), list(product(ABOUT_CHANGES, CHANGE_STATES)))
def test_a_change_is_told_what_its_table_allows_and_becomes_what_it_says(kind: str, state: StepState) -> None:
    """R57"""
    world = in_state(state)
    expected = CHANGE.get((kind, state))
    event = news(kind, world.row("a").attempt + (kind == "step_started"))
    if expected is None:
        with pytest.raises(Refused):
            world.tell(event)
        assert world.row("a").state is state
    else:
        world.tell(event)
        assert world.row("a").state is expected


@pytest.mark.parametrize(("verb", "kind"), list(product(VERBS, [Kind.WAIT, Kind.APPROVAL])))
def test_a_gate_takes_the_decisions_of_its_table_and_becomes_what_it_says(verb: DecisionWord, kind: Kind) -> None:
    """R72"""
    name = "gate" if kind is Kind.WAIT else "approval"
    world = World(f"seq({name})")
    expected = GATE.get((verb, kind))
    if expected is None:
        with pytest.raises(Refused, match=f"use {RIGHT_VERB[kind]}"):
            world.decides(name, verb)
    else:
        world.decides(name, verb)
        assert world.row(name).state is expected
