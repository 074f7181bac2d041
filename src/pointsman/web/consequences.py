"""What a decision at a gate leads to, read from the plan alone. Pure."""

from collections.abc import Iterator

from pointsman.model.definition import RunAs, When
from pointsman.model.plan import CONTAINERS, Plan


def next_steps(plan: Plan, place: int) -> tuple[int, ...]:
    """What a gate lets start: the steps after it, up to and including the next gate or the step that holds it.

    Where its own sequence ends, those after its parent follow, as long as the parents run in order: the end of one
    child of a parallel step starts nothing.
    """
    found: list[int] = []
    for sibling in _following(plan, place, across_parallel=False):
        if plan.steps[sibling].when is When.ON_FAILURE:
            continue
        found.append(sibling)
        if plan.gated[sibling]:
            break
    return tuple(found)


def held_back(plan: Plan, place: int) -> tuple[int, ...]:
    """The steps that a rejection keeps from ever starting: all that come after the gate in any sequence around it."""
    return tuple(
        step for step in _following(plan, place, across_parallel=True) if plan.steps[step].when is When.ON_SUCCESS
    )


def cleaning_up(plan: Plan, place: int) -> tuple[int, ...]:
    """The steps that run after a rejection all the same (R53, R74)."""
    return tuple(
        step for step in _following(plan, place, across_parallel=True) if plan.steps[step].when is not When.ON_SUCCESS
    )


def work_below(plan: Plan, place: int) -> tuple[int, ...]:
    """The steps at or below a place that have no steps below them: its changes and gates."""
    return tuple(below for below in range(place, plan.ends[place]) if plan.steps[below].kind not in CONTAINERS)


def _following(plan: Plan, place: int, *, across_parallel: bool) -> Iterator[int]:
    """Later siblings of a step, then those of its parent, and so on to the root."""
    while (parent := plan.steps[place].parent) >= 0:
        if plan.steps[parent].run_as is RunAs.SEQUENTIAL:
            siblings = plan.steps[parent].children
            yield from siblings[siblings.index(place) + 1 :]
        elif not across_parallel:
            return
        place = parent
