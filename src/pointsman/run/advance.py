"""`advance(run, told)`: the one place that decides what happens next. Pure.

An event costs time proportional to what it touches. Steps with children are settled from a worklist, never by
recursion from child to parent, so that thousands of children ending at once close their parent exactly once (R57).
"""

from dataclasses import dataclass, replace
from typing import Any, assert_never

from pointsman.model.definition import Kind, OnTimeout, RunAs, When
from pointsman.model.effect import (
    ArmTimer,
    DisarmTimer,
    Effect,
    EndRun,
    ForgetChange,
    OpenGate,
    StartChange,
    StopChange,
)
from pointsman.model.event import (
    Consequence,
    GateDecided,
    GateExpired,
    GateOpened,
    Record,
    RunAdmitted,
    RunCancelled,
    RunCreated,
    RunEnded,
    StepEnded,
    StepFailed,
    StepHeld,
    StepLost,
    StepQueued,
    StepStarted,
    StepSucceeded,
    StepUnstarted,
    TimerFired,
    Told,
)
from pointsman.model.names import SYSTEM
from pointsman.model.plan import ROOT
from pointsman.model.problem import Refused
from pointsman.model.run import OPEN_STEP_STATES, Decision, Halt, Row, RunState, StepState
from pointsman.run.quorum import is_met
from pointsman.run.refusal import refusal
from pointsman.run.rollup import BAD, closing_state, count
from pointsman.run.tree import Run


@dataclass(frozen=True, slots=True)
class Advance:
    """What followed from one event: the records for the log, the rows that changed, and the orders to carry out."""

    records: tuple[Record, ...]
    touched: tuple[int, ...]
    effects: tuple[Effect, ...]


def advance(run: Run, told: Told) -> Advance:
    """Tell a run what happened. An event that the state does not allow raises `Refused`, and nothing has changed."""
    why = refusal(run, told)
    if why:
        raise Refused(why)
    turn = _Turn(run, told)
    turn.apply()
    turn.settle()
    return turn.result()


class _Turn:
    """One event on its way through the tree."""

    def __init__(self, run: Run, told: Told) -> None:
        self.run, self.told, self.at = run, told, told.at
        self.steps = run.plan.steps
        self.consequences: list[Consequence] = []
        self.effects: list[Effect] = []
        self.touched: dict[int, None] = {}
        self.unsettled: list[int] = []

    def apply(self) -> None:
        match self.told.event:
            case RunCreated(skip=skip):
                for key in skip:
                    self._set(self.run.plan.index[key], skip=True)
            case RunAdmitted():
                self._begin(ROOT)
            case RunCancelled():
                self._cancel_run()
            case StepStarted(step=step, attempt=attempt):
                self._set(step, state=StepState.RUNNING, attempt=attempt, started_at=self.at, exit_code=None, reason="")
            case StepSucceeded(step=step, outputs=outputs):
                self._close(step, StepState.SUCCEEDED, exit_code=0, outputs=outputs)
            case StepFailed() as failed:
                self._fail(failed)
            case StepLost(step=step, reason=reason):
                self._close(step, StepState.LOST, reason=reason)
            case StepUnstarted(step=step, reason=reason):
                self._requeue(step, reason)
            case GateDecided() as decided:
                self._decide(decided)
            case TimerFired(step=step):
                self._fire(step)
            case _ as unreachable:
                assert_never(unreachable)

    def settle(self) -> None:
        while self.unsettled:
            self._fill(self.unsettled.pop())

    def result(self) -> Advance:
        cause = self.run.seq + 1
        self.run.seq = cause + len(self.consequences)
        first = Record(seq=cause, at=self.at, actor=self.told.actor, event=self.told.event)
        rest = [
            Record(seq=cause + offset, at=self.at, actor=SYSTEM, event=event, cause=cause)
            for offset, event in enumerate(self.consequences, start=1)
        ]
        return Advance((first, *rest), tuple(self.touched), tuple(self.effects))

    # Rows

    def _set(self, place: int, **changes: Any) -> None:  # noqa: ANN401 - the fields of Row, checked by replace
        before = self.run.row(place)
        after: Row = replace(before, **changes)
        self.run.rows[place] = after
        self.run.weigh(place, before, -1)
        self.run.weigh(place, after, 1)
        self.touched[place] = None
        if after.due != before.due:
            due = after.due
            self.effects.append(DisarmTimer(step=place) if due is None else ArmTimer(step=place, due=due))

    # Opening

    def _open(self, place: int) -> None:
        start = self.steps[place].start_time
        if start is not None and start > self.at:
            self._hold(place, start, "it has a start time")
        else:
            self._begin(place, note="its start time has passed" if start is not None else "")

    def _hold(self, place: int, due: float, note: str) -> None:
        self._set(place, state=StepState.PENDING, due=due)
        self.consequences.append(StepHeld(step=place, due=due, note=note))

    def _begin(self, place: int, note: str = "") -> None:
        gate = self.steps[place].gate
        if gate is not None:
            due = None if gate.timeout_seconds is None else self.at + gate.timeout_seconds
            opening = self.run.row(place).opening + 1
            self._set(
                place, state=StepState.WAITING, opening=opening, due=due, started_at=self.at, finished_at=None,
                decisions=(),
            )  # fmt: skip
            self.consequences.append(GateOpened(step=place, opening=opening, due=due))
            self.effects.append(OpenGate(step=place, opening=opening))
        elif self.run.is_container(place):
            self._set(place, state=StepState.RUNNING, due=None, started_at=self.at)
            self.unsettled.append(place)
        else:
            self._queue(place, note)

    def _queue(self, place: int, note: str) -> None:
        self._set(place, state=StepState.QUEUED, due=None, queued_at=self.at)
        self.consequences.append(StepQueued(step=place, note=note))
        self.effects.append(StartChange(step=place, attempt=self.run.row(place).attempt + 1))

    # Ending

    def _close(self, place: int, state: StepState, **changes: Any) -> None:  # noqa: ANN401 - fields of Row
        """End a step that is under way."""
        step, row = self.steps[place], self.run.row(place)
        stopped = state is StepState.CANCELLED and (row.halt is not Halt.FAIL_FAST or self.run.plan.gated[place])
        spoiled = row.spoiled or stopped or state is StepState.REJECTED
        unclean = row.unclean or (state in BAD and step.when is not When.ON_SUCCESS)
        self._set(
            place, state=state, due=None, finished_at=self.at, spoiled=spoiled, unclean=unclean, **changes
        )  # fmt: skip
        if step.kind is not Kind.CHANGE or state is StepState.CANCELLED:
            self.consequences.append(StepEnded(step=place, state=state))
        self.run.tallies.pop(place, None)
        if step.parent < 0:
            self._end_run(state)
            return
        tally = self.run.tally(step.parent)
        tally.active -= 1
        count(tally, step, self.run.row(place))
        self.unsettled.append(step.parent)

    def _end_run(self, state: StepState) -> None:
        ended = RunState(state.value)
        self.consequences.append(RunEnded(state=ended))
        self.effects.append(EndRun(state=ended))

    def _pass_over(self, place: int, state: StepState, halt: Halt = Halt.NONE) -> None:
        """Give a step that was never opened, and all below it, their end."""
        gated = self.run.plan.gated[place]
        lasting = state is StepState.CANCELLED and (halt is not Halt.FAIL_FAST or gated)
        spoiled = lasting or (state is StepState.ABORTED and gated)
        for below in range(place, self.run.plan.ends[place]):
            self._set(below, state=state, due=None, finished_at=self.at, spoiled=spoiled)
        self.consequences.append(StepEnded(step=place, state=state))
        step = self.steps[place]
        if step.parent >= 0:
            count(self.run.tally(step.parent), step, self.run.row(place))

    # Steps with children

    def _fill(self, place: int) -> None:
        """Open as many children as may be under way, and end the step when none is left."""
        if self.run.row(place).state is not StepState.RUNNING:
            return
        step, lane, tally = self.steps[place], self.run.plan.lanes[place], self.run.tally(place)
        sequential = step.run_as is RunAs.SEQUENTIAL
        if step.fail_fast and not sequential and tally.broken and not self.run.row(place).halt:
            self._halt(place, Halt.FAIL_FAST)
        width = 1 if sequential else step.max_parallel or len(lane)
        while tally.next < len(lane) and tally.active < width:
            child = lane[tally.next]
            if tally.active and self._awaits_siblings(lane, tally.next):
                break
            tally.next += 1
            fate = self._fate(place, child)
            if fate is None:
                tally.active += 1
                self._open(child)
            else:
                self._pass_over(child, fate, self.run.row(place).halt)
        if not tally.active and tally.next == len(lane):
            self._set(place, spoiled=tally.spoiled > 0, unclean=tally.unclean > 0)
            self._close(place, closing_state(tally, self.run.row(place).halt))

    def _awaits_siblings(self, lane: tuple[int, ...], place: int) -> bool:
        """Whether a child is the first of those for failures, which begin when all others of its lane have ended."""
        first = place == 0 or self.steps[lane[place - 1]].when is not When.ON_FAILURE
        return first and self.steps[lane[place]].when is When.ON_FAILURE

    def _fate(self, place: int, child: int) -> StepState | None:
        """How a child ends without being opened; None if it is to open (R50, R53, R90, R91)."""
        halt, when = self.run.row(place).halt, self.steps[child].when
        broken = self.run.tally(place).broken
        if self.run.row(child).skip:
            return StepState.SKIPPED
        if halt is Halt.FORCED or (halt and when is When.ON_SUCCESS):
            return StepState.CANCELLED
        if when is When.ON_SUCCESS and broken and self.steps[place].run_as is RunAs.SEQUENTIAL:
            return StepState.ABORTED
        if when is When.ON_FAILURE and not broken and not halt:
            return StepState.SKIPPED
        return None

    # Stopping

    def _cancel_run(self) -> None:
        if not self.run.admitted:
            self._pass_over(ROOT, StepState.CANCELLED, Halt.CANCEL)
            self._end_run(StepState.CANCELLED)
            return
        self._halt(ROOT, Halt.FORCED if self.run.row(ROOT).halt >= Halt.CANCEL else Halt.CANCEL)

    def _halt(self, place: int, level: Halt) -> None:
        """Stop what is under way below a running step; cleaning up goes on unless it is forced (R91)."""
        self._set(place, halt=level)
        opened = self.run.plan.lanes[place][: self.run.tally(place).next]
        for child in opened:
            if level is Halt.FORCED or self.steps[child].when is When.ON_SUCCESS:
                self._stop(child, level)
        self.unsettled.append(place)

    def _stop(self, place: int, level: Halt) -> None:
        row = self.run.row(place)
        if row.state not in OPEN_STEP_STATES or row.halt >= level:
            return
        if row.state is not StepState.RUNNING:
            if row.state is StepState.QUEUED:
                self.effects.append(ForgetChange(step=place))
            for below in range(place + 1, self.run.plan.ends[place]):
                self._set(below, state=StepState.CANCELLED, finished_at=self.at)
            self._set(place, halt=level)
            self._close(place, StepState.CANCELLED)
        elif self.run.is_container(place):
            self._halt(place, level)
        else:
            self._set(place, halt=level)
            self.effects.append(StopChange(step=place, attempt=row.attempt))

    # Changes and gates

    def _fail(self, failed: StepFailed) -> None:
        place, row = failed.step, self.run.row(failed.step)
        retry = self.steps[place].retry
        if row.halt and failed.stopped:
            self._close(place, StepState.CANCELLED, exit_code=failed.exit_code, reason=failed.reason)
        elif row.halt or row.retries >= retry.max:
            self._close(place, StepState.FAILED, exit_code=failed.exit_code, reason=failed.reason)
        else:
            self._set(place, retries=row.retries + 1, exit_code=failed.exit_code, reason=failed.reason)
            self._hold(place, self.at + retry.delay_seconds, f"attempt {row.attempt} failed: {failed.reason}")

    def _requeue(self, place: int, reason: str) -> None:
        if self.run.row(place).halt:
            self._close(place, StepState.CANCELLED, reason=reason)
        else:
            self._queue(place, reason)

    def _decide(self, decided: GateDecided) -> None:
        place, gate = decided.step, self.steps[decided.step].gate
        given = Decision(
            actor=self.told.actor, decision=decided.decision, at=self.at, message=decided.message,
            named=decided.named, groups=decided.groups,
        )  # fmt: skip
        self._set(place, decisions=(*self.run.row(place).decisions, given))
        if decided.decision == "reject":
            self._close(place, StepState.REJECTED)
        elif decided.decision == "continue" or (gate and is_met(gate, self.run.row(place).decisions)):
            self._close(place, StepState.SUCCEEDED)

    def _fire(self, place: int) -> None:
        row, gate = self.run.row(place), self.steps[place].gate
        if row.state is StepState.PENDING or gate is None:
            self._set(place, due=None)
            self._begin(place)
            return
        goes_on = gate.on_timeout is OnTimeout.CONTINUE and gate.approvers is None  # time never approves (R78)
        given = Decision(
            actor=SYSTEM, decision="continue" if goes_on else "reject", at=self.at, message="nobody decided in time"
        )
        self._set(place, decisions=(*row.decisions, given))
        self.consequences.append(GateExpired(step=place, opening=row.opening, decision=given.decision))
        self._close(place, StepState.SUCCEEDED if goes_on else StepState.REJECTED)
