"""Why an event does not fit the state of a run. Pure."""

from collections.abc import Sequence

from pointsman.model.definition import Kind
from pointsman.model.event import (
    GateDecided,
    RunAdmitted,
    RunCancelled,
    RunCreated,
    StepFailed,
    StepLost,
    StepStarted,
    StepSucceeded,
    StepUnstarted,
    TimerFired,
    Told,
)
from pointsman.model.names import same_name
from pointsman.model.plan import ROOT
from pointsman.model.run import OPEN_RUN_STATES, Halt, StepState
from pointsman.run.transitions import CHANGE, GATE, RIGHT_VERB, TIMED
from pointsman.run.tree import Run

_ABOUT_ATTEMPTS = (StepStarted, StepSucceeded, StepFailed, StepLost, StepUnstarted)


def refusal(run: Run, told: Told) -> str:
    """The sentence that says why `advance` would refuse this event now; empty if it would not (R57)."""
    event = told.event
    if isinstance(event, _ABOUT_ATTEMPTS):
        return _attempt_refusal(run, event)
    if isinstance(event, GateDecided):
        return decision_refusal(run, event) or _repeat_refusal(run, event, told.actor)
    if isinstance(event, TimerFired):
        return _timer_refusal(run, event)
    return _run_refusal(run, event)


def _run_refusal(run: Run, event: RunCreated | RunAdmitted | RunCancelled) -> str:
    if isinstance(event, RunCreated):
        return "the run exists already" if run.seq else _skip_refusal(run, event.skip)
    if not run.seq:
        return "the run does not exist yet"
    if run.state not in OPEN_RUN_STATES:
        return f"the run is {run.state} already"
    if isinstance(event, RunAdmitted):
        return "the run was admitted already" if run.admitted else ""
    return "the run is being cancelled already" if run.row(ROOT).halt is Halt.FORCED else ""


def _skip_refusal(run: Run, skip: Sequence[str]) -> str:
    """Why these keys cannot be skipped; who resolves skip patterns leaves approvals, and what holds them, out (R77)."""
    for key in skip:
        place = run.plan.index.get(key)
        if place is None:
            return f"there is no step {key} to skip"
        if place == ROOT:
            return "the root cannot be skipped"
        for below in range(place, run.plan.ends[place]):
            if run.plan.steps[below].kind is Kind.APPROVAL:
                return f"step {key} cannot be skipped: step {run.plan.steps[below].key} is an approval"
    return ""


def _attempt_refusal(run: Run, event: StepStarted | StepSucceeded | StepFailed | StepLost | StepUnstarted) -> str:
    missing = _missing(run, event.step)
    if missing:
        return missing
    step, row = run.plan.steps[event.step], run.row(event.step)
    if step.kind is not Kind.CHANGE or (event.type, row.state) not in CHANGE:
        return f"step {step.key} is {row.state}; {event.type} does not fit"
    expected = row.attempt + 1 if isinstance(event, StepStarted) else row.attempt
    if event.attempt != expected:
        return f"step {step.key} is at attempt {expected}, not {event.attempt}"
    return ""


def decision_refusal(run: Run, event: GateDecided) -> str:
    """Why a decision does not fit the gate as it stands; who decides is not asked here."""
    missing = _missing(run, event.step)
    if missing:
        return missing
    step, row = run.plan.steps[event.step], run.row(event.step)
    if step.gate is None:
        return f"step {step.key} is no gate, it is a {step.kind}"
    if row.state is not StepState.WAITING:
        return f"the gate is not open, it is {row.state}"
    if (event.decision, step.kind) not in GATE:
        return f"{event.decision} does not work on {_article(step.kind)}; use {RIGHT_VERB[step.kind]}"
    if event.opening != row.opening:
        return f"the gate was opened again since: this is opening {row.opening}, the decision was for {event.opening}"
    return ""


def _repeat_refusal(run: Run, event: GateDecided, actor: str) -> str:
    repeated = event.decision == "approve" and already_approved_by(run, event.step, actor)
    return f"{actor.strip()} has approved this gate already" if repeated else ""


def already_approved_by(run: Run, place: int, actor: str) -> bool:
    """Whether this person has approved the present opening of a gate."""
    return any(same_name(given.actor, actor) for given in run.row(place).decisions)


def _timer_refusal(run: Run, event: TimerFired) -> str:
    missing = _missing(run, event.step)
    if missing:
        return missing
    row = run.row(event.step)
    if row.due is None or row.due != event.due or row.state not in TIMED:
        return f"no timer of step {run.plan.steps[event.step].key} was due"
    return ""


def _missing(run: Run, place: int) -> str:
    return "" if 0 <= place < len(run.plan.steps) else f"there is no step at {place}"


def _article(kind: Kind) -> str:
    return f"an {kind}" if kind is Kind.APPROVAL else f"a {kind}"
