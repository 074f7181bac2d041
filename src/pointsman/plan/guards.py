"""Which approvals stand before a change: those that must have been given before it can start. Pure."""

from bisect import bisect_left

from pointsman.model.definition import Kind, RunAs, When
from pointsman.model.plan import Plan


class Guards:
    """The approvals of a plan. Such a one stands before whatever comes after it, in sequence, in the step it is in.

    What runs whatever happened before it (`when`, R53) has no approval before it, and neither has what is below.
    Steps are named by their places in the plan.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._changes = [place for place, step in enumerate(plan.steps) if step.kind is Kind.CHANGE]
        # for each step the nearest one, it or above it, that runs whatever happened before; 0 if there is none
        self._anyway = [0] * len(plan.steps)
        for place, step in enumerate(plan.steps[1:], start=1):
            self._anyway[place] = self._anyway[step.parent] if step.when is When.ON_SUCCESS else place
        self._some_anyway = any(self._anyway)

    def behind(self, gate: int) -> list[int]:
        """The changes that cannot start without a gate, in order; none if it is no approval."""
        plan, step = self._plan, self._plan.steps[gate]
        in_order = plan.steps[step.parent].run_as is RunAs.SEQUENTIAL
        if not in_order or step.kind is not Kind.APPROVAL or step.when is not When.ON_SUCCESS:
            return []
        start, end = (bisect_left(self._changes, plan.ends[place]) for place in (gate, step.parent))
        changes = self._changes[start:end]
        if not self._some_anyway:
            return changes
        return [change for change in changes if self._anyway[change] <= step.parent]
