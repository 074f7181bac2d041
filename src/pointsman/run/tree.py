"""A run: its plan, the rows that were touched, and counts that follow from them. Pure."""

from collections.abc import Iterable, Mapping

from pointsman.model.definition import Kind
from pointsman.model.effect import ArmTimer, Effect, StartChange, StopChange
from pointsman.model.plan import CONTAINERS, ROOT, Plan
from pointsman.model.run import OPEN_STEP_STATES, UNTOUCHED, Row, RunState, StepState
from pointsman.run.rollup import Tally, count


class Run:
    """The state of one run. Only `advance` changes it; everything but `plan`, `rows` and `seq` is derived from them."""

    __slots__ = ("held", "plan", "queued", "rows", "running", "seq", "tallies", "waiting")

    def __init__(self, plan: Plan, rows: Mapping[int, Row] | None = None, *, seq: int = 0) -> None:
        self.plan = plan
        self.rows: dict[int, Row] = dict(rows or {})
        self.seq = seq
        self.tallies: dict[int, Tally] = {}
        self.running = self.queued = self.waiting = self.held = 0
        for place, row in self.rows.items():
            self.weigh(place, row, 1)
            self._tally_child(place, row)

    def row(self, place: int) -> Row:
        """The row of a step; untouched steps share one."""
        return self.rows.get(place, UNTOUCHED)

    def tally(self, place: int) -> Tally:
        """The counts of a running step's children."""
        return self.tallies.setdefault(place, Tally())

    @property
    def admitted(self) -> bool:
        """Whether the run was let go."""
        return self.row(ROOT).state is not StepState.PENDING

    @property
    def state(self) -> RunState:
        """The run's state, from its root and from what is under way (R56)."""
        root = self.row(ROOT).state
        if root is StepState.PENDING:
            return RunState.PENDING
        if root not in OPEN_STEP_STATES:
            return RunState(root.value)
        idle = self.running + self.queued == 0
        return RunState.WAITING if idle and self.waiting + self.held else RunState.RUNNING

    def weigh(self, place: int, row: Row, sign: int) -> None:
        """Add (1) or take away (-1) one row from the counts of what is under way."""
        kind = self.plan.steps[place].kind
        if row.state is StepState.PENDING:
            self.held += sign * (row.due is not None)
        elif row.state is StepState.WAITING:
            self.waiting += sign
        elif kind is Kind.CHANGE:
            self.queued += sign * (row.state is StepState.QUEUED)
            self.running += sign * (row.state is StepState.RUNNING)

    def outstanding(self) -> Iterable[Effect]:
        """The effects that must be carried out again after the rows were read back."""
        for place in sorted(self.rows):
            row, step = self.rows[place], self.plan.steps[place]
            if row.state is StepState.QUEUED:
                yield StartChange(step=place, attempt=row.attempt + 1)
            elif row.state is StepState.RUNNING and step.kind is Kind.CHANGE and row.halt:
                yield StopChange(step=place, attempt=row.attempt)
            if row.due is not None:
                yield ArmTimer(step=place, due=row.due)

    def _tally_child(self, place: int, row: Row) -> None:
        step = self.plan.steps[place]
        opened = row.state is not StepState.PENDING or row.due is not None
        if step.parent < 0 or not opened or self.row(step.parent).state is not StepState.RUNNING:
            return
        tally = self.tally(step.parent)
        tally.next += 1
        if row.state in OPEN_STEP_STATES:
            tally.active += 1
        else:
            count(tally, step, row)

    def is_container(self, place: int) -> bool:
        """Whether the step has children."""
        return self.plan.steps[place].kind in CONTAINERS
