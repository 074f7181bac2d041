"""Whether a run may begin: how many runs of its workflow are under way before it (R95, R97)."""

from collections.abc import Sequence

from pointsman.model.plan import Plan
from pointsman.store.runs import RunHeader


def blockers(plan: Plan, number: int | None, open_runs: Sequence[RunHeader]) -> tuple[int, ...]:
    """The numbers of the runs that a run waits for; empty if it may begin. `number` is None for one not yet created."""
    older = [header.number for header in open_runs if number is None or header.number < number]
    return tuple(older) if len(older) >= plan.concurrency.limit else ()
