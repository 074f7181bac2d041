"""What is known of a run and its steps in numbers and short words: the tally, a step's facts, its outputs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.model.plan import CONTAINERS, Plan
from pointsman.model.run import UNTOUCHED, Row, StepState
from pointsman.model.values import Json, JsonObject, canonical
from pointsman.web.railway import moment
from pointsman.web.states import WORDS

_TALLY_ORDER = (
    StepState.SUCCEEDED, StepState.FAILED, StepState.LOST, StepState.REJECTED, StepState.CANCELLED,
    StepState.RUNNING, StepState.WAITING, StepState.QUEUED, StepState.PENDING, StepState.ABORTED, StepState.SKIPPED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tally:
    """How many changes and gates are in one state."""

    state: str
    word: str
    count: int


def tally(plan: Plan, rows: Mapping[int, Row]) -> tuple[Tally, ...]:
    """How many changes and gates are in which state, what has ended first."""
    counts = dict.fromkeys(_TALLY_ORDER, 0)
    for place, step in enumerate(plan.steps):
        if step.kind not in CONTAINERS:
            counts[rows.get(place, UNTOUCHED).state] += 1
    return tuple(Tally(state.value, WORDS[state.value].lower(), count) for state, count in counts.items() if count)


def step_facts(plan: Plan, row: Row, place: int, *, now: float) -> tuple[tuple[str, str], ...]:
    """What is known of a step, as pairs of a word and its value."""
    step = plan.steps[place]
    content = plan.contents.get(step.content)
    facts = [
        ("Target", step.target),
        ("Action", step.action),
        ("Runs", " → ".join(phase.name for phase in content.phases) if content and len(content.phases) > 1 else ""),
        ("Id", step.id),
        ("Queued", "" if row.queued_at is None else moment(row.queued_at, now=now).text),
        ("Started", "" if row.started_at is None else moment(row.started_at, now=now).text),
        ("Finished", "" if row.finished_at is None else moment(row.finished_at, now=now).text),
        ("Exit code", "" if row.exit_code is None or row.reason else str(row.exit_code)),
    ]
    return tuple((label, value) for label, value in facts if value)


def outputs_text(outputs: JsonObject | None) -> str:
    """A step's outputs, one a line; empty without any."""
    return "\n".join(f"{key} = {shown_json(value)}" for key, value in (outputs or {}).items())


def shown_json(value: Json) -> str:
    """A value on one line: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else canonical(value)
