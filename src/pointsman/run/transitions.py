"""Which events a step may be told in which state, as tables. Pure.

Rules of this file: everything about *leaf* transitions is here and nowhere else; a step with children follows from
them (`rollup`). What is not in a table is refused and changes nothing (R57).

Theory. A change goes pending → queued → running → an end; a held change (start time, action retry) is pending with a
due time. A gate goes pending → waiting → an end. A stage or called workflow is running from its first child's opening
to its last child's end. `aborted`, `skipped` and, before anything started, `cancelled` are given from above.
"""

from collections.abc import Mapping

from pointsman.model.definition import Kind
from pointsman.model.run import StepState

PENDING, QUEUED, RUNNING, WAITING = StepState.PENDING, StepState.QUEUED, StepState.RUNNING, StepState.WAITING

CHANGE: Mapping[tuple[str, StepState], StepState] = {
    # told               when it is   makes it
    ("step_started", QUEUED): RUNNING,
    ("step_succeeded", RUNNING): StepState.SUCCEEDED,
    ("step_failed", RUNNING): StepState.FAILED,  # pending again while the action's retries last; cancelled if stopped
    ("step_lost", RUNNING): StepState.LOST,
    ("step_unstarted", RUNNING): QUEUED,
}

GATE: Mapping[tuple[str, Kind], StepState] = {
    # decision   on a        makes it, once there are enough of them
    ("continue", Kind.WAIT): StepState.SUCCEEDED,
    ("reject", Kind.WAIT): StepState.REJECTED,
    ("approve", Kind.APPROVAL): StepState.SUCCEEDED,
    ("reject", Kind.APPROVAL): StepState.REJECTED,
}

TIMED: Mapping[StepState, str] = {
    # a timer on a step that is   means
    PENDING: "opens",
    WAITING: "expires",
}

RIGHT_VERB: Mapping[Kind, str] = {Kind.WAIT: "continue", Kind.APPROVAL: "approve"}
