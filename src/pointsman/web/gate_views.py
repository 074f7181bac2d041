"""Gates as their page, their dialog and the inbox show them: what a decision leads to, and who may make it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.model.definition import Kind, OnTimeout
from pointsman.model.plan import Plan
from pointsman.model.run import OPEN_STEP_STATES, UNTOUCHED, Row, StepState
from pointsman.plan.naming import crumbs
from pointsman.run.quorum import needed
from pointsman.store.runs import RunHeader
from pointsman.web.consequences import cleaning_up, held_back, next_steps, work_below
from pointsman.web.heads import RunHead, run_head
from pointsman.web.railway import Moment, Said, approvers_words, is_approved_by, moment, said
from pointsman.web.states import tab_title, word
from pointsman.web.words import ago, counted, listed

_MOST_TARGETS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """A step that a gate lets start. `detail` says what is in it and to what it is done."""

    key: str
    name: str
    detail: str
    is_gate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """All that a gate's page shows. `barred` says why this person has no buttons; empty if they have.

    `opening` and the plan's digest go back with the decision (R79). `outcome` tells what became of one
    that is not open.
    """

    run: RunHead
    key: str
    name: str
    kind: str
    state: str
    word: str
    title: str
    href: str
    is_open: bool
    outcome: str
    opening: int
    opened: Moment | None
    age: str
    by_itself: str
    approvers: str
    more_needed: int
    said: tuple[Said, ...]
    next: tuple[NextStep, ...]
    ends_run: bool
    held_back: int
    cleaning_up: tuple[str, ...]
    verb: str
    verb_word: str
    verb_gerund: str
    already_approved: bool
    barred: str
    standing: str
    me: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCard:
    """An open gate in a list. `next` is a sentence about what it lets start."""

    run: RunHead
    key: str
    name: str
    kind: str
    href: str
    opened: Moment | None
    age: str
    by_itself: str
    approvers: str
    progress: str
    next: str
    button: str


def gate_view(
    header: RunHeader,
    plan: Plan,
    rows: Mapping[int, Row],
    place: int,
    *,
    now: float,
    me: str,
    barred: str = "",
    standing: str = "",
) -> GateView:
    """A gate for one person. `barred` and `standing` say why they may not or may decide, as access found it now."""
    step, row = plan.steps[place], rows.get(place, UNTOUCHED)
    assert step.gate is not None
    run = run_head(header, plan)
    is_open = row.state is StepState.WAITING
    approval = step.kind is Kind.APPROVAL
    subject = f"{step.name} · {run.name} #{run.number}"
    return GateView(
        run=run,
        key=step.key,
        name=step.name,
        kind=step.kind.value,
        state=row.state.value,
        word=word(row.state.value, mine=not barred),
        title=tab_title(row.state.value, subject, mine=not barred),
        href=f"{run.href}/gate/{step.key}",
        is_open=is_open,
        outcome="" if is_open else _outcome(step.kind, row),
        opening=row.opening,
        opened=None if row.started_at is None else moment(row.started_at, now=now),
        age="" if row.started_at is None else ago(row.started_at, now=now),
        by_itself=_by_itself(step.gate.on_timeout, row, now),
        approvers=approvers_words(step.gate),
        more_needed=needed(step.gate, row.decisions) if approval else 0,
        said=tuple(said(given, now=now) for given in row.decisions),
        next=_next(plan, rows, place),
        ends_run=not next_steps(plan, place) and not held_back(plan, place),
        held_back=_held_back(plan, rows, place),
        cleaning_up=tuple(plan.steps[after].name for after in cleaning_up(plan, place)),
        verb="approve" if approval else "continue",
        verb_word="Approve" if approval else "Continue",
        verb_gerund=_gerund(step.kind),
        already_approved=approval and is_approved_by(row, me),
        barred=barred,
        standing=standing,
        me=me,
    )


def gate_card(
    header: RunHeader, plan: Plan, rows: Mapping[int, Row], place: int, *, now: float, may: bool = True
) -> GateCard:
    """An open gate for a list; without `may` its button only shows."""
    step, row = plan.steps[place], rows.get(place, UNTOUCHED)
    assert step.gate is not None
    run = run_head(header, plan)
    approval = step.kind is Kind.APPROVAL
    return GateCard(
        run=run,
        key=step.key,
        name=step.name,
        kind=step.kind.value,
        href=f"{run.href}/gate/{step.key}",
        opened=None if row.started_at is None else moment(row.started_at, now=now),
        age="" if row.started_at is None else ago(row.started_at, now=now),
        by_itself=_by_itself(step.gate.on_timeout, row, now),
        approvers=approvers_words(step.gate),
        progress=_progress(len(row.decisions), needed(step.gate, row.decisions)) if approval else "",
        next=_next_sentence(_gerund(step.kind), _next(plan, rows, place)),
        button=("Approve or reject…" if approval else "Continue…") if may else "Details…",
    )


def _gerund(kind: Kind) -> str:
    return "Approving" if kind is Kind.APPROVAL else "Continuing"


def _next_sentence(gerund: str, following: tuple[NextStep, ...]) -> str:
    """What a gate lets start, as one sentence."""
    starts = [f"{each.name} ({each.detail})" if each.detail else each.name for each in following if not each.is_gate]
    gate = next((each.name for each in following if each.is_gate), "")
    if not starts:
        return f"{gerund} leads to the next gate: {gate}." if gate else "Nothing waits behind this gate alone."
    return f"{gerund} lets {listed(starts)} start" + (f"; the next gate is {gate}." if gate else ".")


def _progress(given: int, more: int) -> str:
    return f"{counted(given, 'approval')} so far, {more} more needed" if given else ""


def _by_itself(on_timeout: OnTimeout, row: Row, now: float) -> str:
    if row.due is None or row.state is not StepState.WAITING:
        return ""
    fate = "continues" if on_timeout is OnTimeout.CONTINUE else "is rejected"
    return f"{fate} by itself {ago(row.due, now=now)} if nobody decides"


def _next(plan: Plan, rows: Mapping[int, Row], place: int) -> tuple[NextStep, ...]:
    """What the gate lets start, without what is to be skipped."""
    result = []
    for following in next_steps(plan, place):
        step, row = plan.steps[following], rows.get(following, UNTOUCHED)
        if row.skip or row.state is not StepState.PENDING:
            continue
        is_gate = step.gate is not None
        detail = f"the next {step.kind.value}" if is_gate else _contents(plan, following)
        result.append(NextStep(key=step.key, name=step.name, detail=detail, is_gate=is_gate))
    return tuple(result)


def _contents(plan: Plan, place: int) -> str:
    """How many steps there are at or below a place, and on which targets."""
    work = work_below(plan, place)
    targets = list(dict.fromkeys(crumbs(plan.steps[below].target) for below in work if plan.steps[below].target))
    if len(targets) > _MOST_TARGETS:
        targets = [*targets[: _MOST_TARGETS - 1], f"{len(targets) - _MOST_TARGETS + 1} more"]
    on = f"on {listed(targets)}" if targets else ""
    if work == (place,):
        return f"{plan.steps[place].action} {on}".strip()
    return f"{counted(len(work), 'step')} {on}".strip()


def _held_back(plan: Plan, rows: Mapping[int, Row], place: int) -> int:
    work = (below for after in held_back(plan, place) for below in work_below(plan, after))
    return sum(rows.get(below, UNTOUCHED).state in OPEN_STEP_STATES for below in work)


def _outcome(kind: Kind, row: Row) -> str:
    """What became of a gate that is not open."""
    if row.state is StepState.PENDING:
        return f"This {kind.value} was not reached yet."
    if row.state in (StepState.SUCCEEDED, StepState.REJECTED) and row.decisions:
        return f"This {kind.value} does not wait any longer: it was decided."
    return f"This {kind.value} does not wait for anybody: it is {row.state.value}."
