"""What a step's children amount to: counts that are kept with each event, and the state they give. Pure."""

from dataclasses import dataclass

from pointsman.model.plan import PlannedStep
from pointsman.model.run import Halt, Row, StepState

BAD = frozenset({StepState.FAILED, StepState.LOST})


@dataclass(slots=True)
class Tally:
    """The children of one step: how many were opened or passed over (`next`), are under way, and how the rest ended."""

    next: int = 0
    active: int = 0
    failed: int = 0
    rejected: int = 0
    cancelled: int = 0
    spoiled: int = 0
    unclean: int = 0

    @property
    def broken(self) -> bool:
        """Whether something went wrong that stops what would come after it in a sequence."""
        return self.failed > 0 or self.rejected > 0 or self.cancelled > 0


def count(tally: Tally, step: PlannedStep, row: Row) -> None:
    """Add one ended child to its parent's tally."""
    if row.state is StepState.REJECTED:
        tally.rejected += 1
    elif row.state is StepState.CANCELLED:
        tally.cancelled += 1
    elif row.state in BAD and not (step.continue_on_error and not row.spoiled):
        tally.failed += 1
    tally.spoiled += row.spoiled
    tally.unclean += row.unclean


def closing_state(tally: Tally, halt: Halt) -> StepState:
    """The state of a step whose children have all ended (R50–R53, R60, R74, R91)."""
    if tally.unclean:
        return StepState.FAILED
    if halt >= Halt.CANCEL:
        return StepState.CANCELLED
    if tally.rejected:
        return StepState.REJECTED
    if tally.failed:
        return StepState.FAILED
    return StepState.CANCELLED if tally.cancelled else StepState.SUCCEEDED
