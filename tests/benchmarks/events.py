"""What an event costs in the machine: `advance` alone, in small and large runs."""

import time
from collections.abc import Iterator

from benchmarks.figures import Figure, Table, by_name, ratio
from benchmarks.places import Task
from fakes.trees import flat
from pointsman.model.definition import RunAs
from pointsman.model.effect import StartChange
from pointsman.model.event import RunAdmitted, RunCreated, StepStarted, StepSucceeded, Told
from pointsman.model.plan import Plan
from pointsman.model.run import RunState
from pointsman.run.advance import Advance, advance
from pointsman.run.tree import Run

FEW, MANY = 100, 20_000
GROWTH = 1.3


def tables(task: Task) -> Iterator[Table]:
    """One table: microseconds for an event of runs with few and many steps, in order and side by side."""
    plans = {
        f"{run_as.value}, {count:,} steps": flat(count, run_as)
        for run_as in (RunAs.SEQUENTIAL, RunAs.PARALLEL)
        for count in (FEW, MANY)
    }
    found = by_name({name: _event(plan) * 1e6 for name, plan in plans.items()} for _ in range(task.rounds))
    figures = [Figure(what=name, unit="µs", values=values) for name, values in found.items()]
    for run_as in (RunAs.SEQUENTIAL, RunAs.PARALLEL):
        few, many = (found[f"{run_as.value}, {count:,} steps"] for count in (FEW, MANY))
        figures.append(ratio(f"{run_as.value}, {MANY:,} / {FEW} steps", many, few, at_most=GROWTH))
    yield Table(
        title="events",
        says="`advance` for one event of a run from its creation to its end, nothing stored; two events for each step.",
        figures=tuple(figures),
    )


def _event(plan: Plan) -> float:
    """Seconds for each event told to runs of a plan, all of them together as long as `MANY` steps take."""
    repeats = max(1, MANY // len(plan.steps))
    _ = (plan.index, plan.lanes, plan.ends, plan.gated)  # they are made once for a plan, not for an event
    begin = time.perf_counter()
    told = sum(_run_through(plan) for _ in range(repeats))
    return (time.perf_counter() - begin) / told


def _run_through(plan: Plan) -> int:
    """How many events took a run from nothing to its success, the queued changes in the order in which they came."""
    run, number = Run(plan), 0
    queued: list[int] = []

    def tell(event: RunCreated | RunAdmitted | StepStarted | StepSucceeded) -> None:
        nonlocal number
        number += 1
        queued.extend(_to_start(advance(run, Told(at=float(number), actor="bench", event=event))))

    tell(RunCreated(plan_digest=plan.digest))
    tell(RunAdmitted())
    for place in queued:  # it grows meanwhile
        tell(StepStarted(step=place, attempt=1))
        tell(StepSucceeded(step=place, attempt=1))
    if run.state is not RunState.SUCCEEDED:
        raise RuntimeError(f"the run is {run.state}, not succeeded")
    return number


def _to_start(result: Advance) -> Iterator[int]:
    return (effect.step for effect in result.effects if isinstance(effect, StartChange))
