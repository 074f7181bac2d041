"""The state of a run: a row for each step that was touched, and the words for states. Pure."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal

from pointsman.model.values import JsonObject


class StepState(StrEnum):
    """Where a step stands. `aborted`: never started, something before it failed. `lost`: started, outcome unknown."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    ABORTED = "aborted"
    SKIPPED = "skipped"


class RunState(StrEnum):
    """Where a run stands. `pending`: not admitted; `waiting`: only gates or start times are left to wait for."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


OPEN_RUN_STATES = frozenset({RunState.PENDING, RunState.RUNNING, RunState.WAITING})
OPEN_STEP_STATES = frozenset({StepState.PENDING, StepState.QUEUED, StepState.RUNNING, StepState.WAITING})

DecisionWord = Literal["continue", "approve", "reject"]


class Halt(IntEnum):
    """How far a step was told to stop: not, all but its `when: always | on_failure` steps, or all of it."""

    NONE = 0
    FAIL_FAST = 1
    CANCEL = 2
    FORCED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one person said at a gate. `named` and `groups` say by which listing they may (R71)."""

    actor: str
    decision: DecisionWord
    at: float
    message: str = ""
    named: bool = False
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All that changes about a step. Times are seconds since 1970 in UTC; `due` is when its armed timer fires.

    `spoiled`: something went wrong in it that `continue_on_error` never covers; `unclean`: a step that ran
    after a failure failed itself (R53).
    """

    state: StepState = StepState.PENDING
    attempt: int = 0
    opening: int = 0
    due: float | None = None
    queued_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    exit_code: int | None = None
    reason: str = ""
    outputs: JsonObject | None = None
    decisions: tuple[Decision, ...] = ()
    halt: Halt = Halt.NONE
    retries: int = 0
    spoiled: bool = False
    unclean: bool = False
    skip: bool = False


UNTOUCHED = Row()
