"""What has happened to a run, in the past tense: inputs that the machine is told, and what followed from them. Pure.

Each event has a literal `type`, so that a value read back is never taken for another of the same shape.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pointsman.model.run import DecisionWord, RunState, StepState
from pointsman.model.values import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCreated:
    """A run exists; `skip` holds the keys of steps to skip, `blocked_by` the runs that keep it from starting."""

    plan_digest: str
    blocked_by: tuple[int, ...] = ()
    skip: tuple[str, ...] = ()
    type: Literal["run_created"] = "run_created"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAdmitted:
    """Nothing blocks the run any longer: its root opens."""

    type: Literal["run_admitted"] = "run_admitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCancelled:
    """Somebody cancelled the run. A second time, its cleaning up is cancelled too."""

    message: str = ""
    type: Literal["run_cancelled"] = "run_cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A queued change got a worker and is claimed: its process starts after this is committed."""

    step: int
    attempt: int
    type: Literal["step_started"] = "step_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSucceeded:
    """The action ended with 0."""

    step: int
    attempt: int
    outputs: JsonObject | None = None
    log_bytes: int = 0
    log_sha256: str = ""
    type: Literal["step_succeeded"] = "step_succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed:
    """The action ended otherwise, did not start, or reported what cannot be read. `stopped`: because of a cancel."""

    step: int
    attempt: int
    reason: str
    exit_code: int | None = None
    stopped: bool = False
    log_bytes: int = 0
    log_sha256: str = ""
    type: Literal["step_failed"] = "step_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLost:
    """The action was started and nobody can know how it ended."""

    step: int
    attempt: int
    reason: str
    type: Literal["step_lost"] = "step_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUnstarted:
    """A claimed attempt certainly never ran; the step goes back to the queue for its next attempt (R110)."""

    step: int
    attempt: int
    reason: str
    type: Literal["step_unstarted"] = "step_unstarted"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecided:
    """A person decided. That they may was established before; `named` and `groups` say why they may."""

    step: int
    opening: int
    decision: DecisionWord
    message: str = ""
    named: bool = False
    groups: tuple[str, ...] = ()
    type: Literal["gate_decided"] = "gate_decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """The time a step was waiting for has come. `due` tells which arming of its timer it was."""

    step: int
    due: float
    type: Literal["timer_fired"] = "timer_fired"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepQueued:
    """A change is ready and waits for a worker."""

    step: int
    note: str = ""
    type: Literal["step_queued"] = "step_queued"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepHeld:
    """A step waits for a time."""

    step: int
    due: float
    note: str = ""
    type: Literal["step_held"] = "step_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpened:
    """A wait or approval was reached."""

    step: int
    opening: int
    due: float | None = None
    type: Literal["gate_opened"] = "gate_opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateExpired:
    """Nobody decided in time; the gate was decided by its `on_timeout`."""

    step: int
    opening: int
    decision: DecisionWord
    type: Literal["gate_expired"] = "gate_expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRefused:
    """Somebody wanted to decide a gate and was refused (R72). It is in the record, and the machine is never told."""

    step: int
    decision: DecisionWord
    reason: str
    type: Literal["gate_refused"] = "gate_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """A stage, workflow or gate ended, or a step ended without having run, with all below it."""

    step: int
    state: StepState
    type: Literal["step_ended"] = "step_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """Nothing of the run is left to do."""

    state: RunState
    type: Literal["run_ended"] = "run_ended"


Input: TypeAlias = (
    RunCreated
    | RunAdmitted
    | RunCancelled
    | StepStarted
    | StepSucceeded
    | StepFailed
    | StepLost
    | StepUnstarted
    | GateDecided
    | TimerFired
)
Consequence: TypeAlias = StepQueued | StepHeld | GateOpened | GateExpired | StepEnded | RunEnded
Event: TypeAlias = Input | Consequence | GateRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An input with when it happened (seconds since 1970 in UTC) and who it is attributed to."""

    at: float
    actor: str
    event: Input


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An event as the log keeps it. `cause` is the sequence number of the input it followed from, None for an input."""

    seq: int
    at: float
    actor: str
    event: Event
    cause: int | None = None
    extra: JsonObject = field(default_factory=dict)
