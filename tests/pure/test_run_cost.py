"""The run machine: what an event costs, counted in lines of Python that run and rows that change."""

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import pytest

from fakes.trees import flat, planned
from fakes.worlds import World
from pointsman.model.definition import Kind, RunAs
from pointsman.model.event import (
    GateDecided,
    Input,
    StepFailed,
    StepLost,
    StepStarted,
    StepSucceeded,
    StepUnstarted,
    Told,
)
from pointsman.model.plan import Gate
from pointsman.run.advance import advance
from pointsman.run.tree import Run

SIZES = (100, 20_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one event came to."""

    lines: int
    rows: int
    records: int
    effects: int


def cost(run: Run, event: Input) -> Cost:
    """The cost of telling a run this event."""
    lines = 0

    def trace(_frame: FrameType, what: str, _argument: object) -> Callable[..., Any]:
        nonlocal lines
        lines += what == "line"
        return trace

    told, before = Told(at=1.0, actor="ann", event=event), sys.gettrace()
    gc.disable()  # a collection calls back into whoever registered for it, and those lines are not ours
    sys.settrace(trace)
    try:
        result = advance(run, told)
    finally:
        sys.settrace(before)
        gc.enable()
    return Cost(lines, len(result.touched), len(result.records), len(result.effects))


def costs(size: int, run_as: RunAs, *, max_parallel: int | None = None) -> dict[str, Cost]:
    """The cost of each kind of event in a run with so many steps, in its middle where nothing is special."""
    world = World(flat(size, run_as, max_parallel=max_parallel))
    names = [step.name for step in world.plan.steps[1 : size // 2]]
    if run_as is RunAs.SEQUENTIAL or max_parallel:
        world.succeeds(*names)
    else:
        world.starts(*names)
    place = min(world.ledger.queued)
    found = {"started": cost(world.run, StepStarted(step=place, attempt=1))}
    found["unstarted"] = cost(world.run, StepUnstarted(step=place, attempt=1, reason=""))
    cost(world.run, StepStarted(step=place, attempt=2))
    found["succeeded"] = cost(world.run, StepSucceeded(step=place, attempt=2))
    if run_as is RunAs.PARALLEL:
        for kind in ("failed", "lost"):
            place += 1
            cost(world.run, StepStarted(step=place, attempt=1))
            event = StepFailed if kind == "failed" else StepLost
            found[kind] = cost(world.run, event(step=place, attempt=1, reason=""))
    return found


@pytest.mark.parametrize(
    ("run_as", "max_parallel"), [(RunAs.SEQUENTIAL, None), (RunAs.PARALLEL, None), (RunAs.PARALLEL, 10)]
)
def test_an_event_costs_no_more_in_a_large_tree_than_in_a_small_one(run_as: RunAs, max_parallel: int | None) -> None:
    """DESIGN section 5: time proportional to what it touches."""
    small, large = (costs(size, run_as, max_parallel=max_parallel) for size in SIZES)
    assert small == large
    assert max(found.rows for found in large.values()) <= 2


def test_a_decision_costs_no_more_beside_many_steps_than_beside_few() -> None:
    """DESIGN section 5"""
    found = []
    for size in SIZES:
        root, first, *others = flat(size, RunAs.PARALLEL).steps
        world = World(planned((root, replace(first, kind=Kind.WAIT, gate=Gate()), *others)))
        found.append(cost(world.run, GateDecided(step=1, opening=1, decision="continue")))
    assert found[0] == found[1]


def test_a_failure_at_the_front_costs_the_same_for_each_step_that_it_aborts() -> None:
    """R50"""
    found = []
    for size in SIZES:
        world = World(flat(size, RunAs.SEQUENTIAL))
        world.starts("s1")
        found.append(cost(world.run, StepFailed(step=1, attempt=1, reason="")))
        assert found[-1].rows == size + 1
    assert found[1].lines <= found[0].lines * SIZES[1] / SIZES[0]
