"""What the laws of the run machine need to know about a step, worked out as naively as possible."""

from pointsman.model.run import OPEN_STEP_STATES, Halt, StepState
from pointsman.run.tree import Run

BAD = {StepState.FAILED, StepState.LOST}
NEVER_RAN = {StepState.PENDING, StepState.SKIPPED, StepState.CANCELLED, StepState.ABORTED}


def is_over(run: Run, place: int) -> bool:
    """Whether a step has ended."""
    return run.row(place).state not in OPEN_STEP_STATES


def is_untouched(run: Run, place: int) -> bool:
    """Whether a step was neither opened nor passed over."""
    row = run.row(place)
    return row.state is StepState.PENDING and row.due is None


def breaks(run: Run, place: int) -> bool:
    """Whether an ended step stops what comes after it (R50, R53)."""
    row, step = run.row(place), run.plan.steps[place]
    if row.state not in BAD:
        return row.state in {StepState.REJECTED, StepState.CANCELLED}
    return not step.continue_on_error or any(
        run.row(below).state is StepState.REJECTED
        or (run.plan.steps[below].gate and run.row(below).state in {StepState.ABORTED, StepState.CANCELLED})
        or run.row(below).halt >= Halt.CANCEL
        for below in range(place, run.plan.ends[place])
    )
