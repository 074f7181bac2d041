"""Which steps a run's skip patterns skip. Pure."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from pointsman.model.definition import Kind
from pointsman.model.plan import ROOT, Plan, PlannedStep
from pointsman.model.problem import Refused


def skipped_keys(plan: Plan, patterns: Sequence[str]) -> tuple[str, ...]:
    """The keys of all steps that are skipped, those inside skipped stages too, never an approval (R77, R89, R90)."""
    chosen = [any(_matches(step, pattern) for pattern in patterns) for step in plan.steps]
    if patterns and chosen[ROOT]:
        raise Refused("a skip pattern matches the whole run", status=422, hint="name the steps that should not run")
    for place, step in enumerate(plan.steps):
        chosen[place] = chosen[place] or (step.parent >= 0 and chosen[step.parent])
    approvals = [step.kind is Kind.APPROVAL for step in plan.steps]
    for place in range(len(plan.steps) - 1, 0, -1):
        approvals[plan.steps[place].parent] |= approvals[place]
    return tuple(step.key for place, step in enumerate(plan.steps) if chosen[place] and not approvals[place])


def _matches(step: PlannedStep, pattern: str) -> bool:
    """Exact equality first, then as a glob, without regard to case: `Deploy [blue]` matches itself."""
    names = [name.casefold() for name in (step.name, step.id, step.key) if name]
    wanted = pattern.casefold()
    return wanted in names or any(fnmatchcase(name, wanted) for name in names)
