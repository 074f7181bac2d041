"""The steps of a run or plan as the rows of its tree. Pure: whoever asks brings the time."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pointsman.model.definition import Kind, OnTimeout, RunAs, When
from pointsman.model.names import same_name
from pointsman.model.plan import CONTAINERS, ROOT, Gate, Plan, PlannedStep
from pointsman.model.run import UNTOUCHED, Decision, Row, StepState
from pointsman.plan.naming import crumbs
from pointsman.web.states import WORDS
from pointsman.web.words import clock, counted, iso, stamp, took

DECIDED = {"continue": "continued", "approve": "approved", "reject": "rejected"}
_NOT_REACHED = frozenset({StepState.PENDING, StepState.ABORTED})
_TROUBLE = frozenset({StepState.FAILED, StepState.LOST, StepState.CANCELLED, StepState.QUEUED})


@dataclass(frozen=True, slots=True)
class Moment:
    """A time: for machines, short for the eye, and in full."""

    iso: str
    text: str
    full: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one person said at a gate; `verb` is in the past tense."""

    actor: str
    verb: str
    message: str
    when: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """One step of the tree. `href` and `gate_href` are empty where there is nothing to go to.

    `reached` colours the track that leads to it. `since` (seconds since 1970, 0 if it is not under way) lets the page's
    script count on. `chips` say what kind of step it is, `note` what it needs or why it ended so.
    """

    key: str
    kind: str
    state: str
    word: str
    name: str
    href: str = ""
    chosen: bool = False
    reached: bool = False
    target: str = ""
    crumbs: str = ""
    action: str = ""
    chips: tuple[str, ...] = ()
    note: str = ""
    said: tuple[Said, ...] = ()
    gate_href: str = ""
    gate_button: str = ""
    since: float = 0
    took: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """A row with the steps below it; `run_as` says how those follow one another."""

    row: RowView
    run_as: str
    children: "tuple[StepView, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What all rows of one tree share. `run` is 0 in a preview, `may_decide` holds the keys of gates.

    `waits_for` says, by place, what keeps a queued change, such as `waits for run 11`.
    """

    plan: Plan
    rows: Mapping[int, Row]
    now: float
    run: int = 0
    chosen: int | None = None
    may_decide: Collection[str] = ()
    waits_for: Mapping[int, str] = field(default_factory=dict)

    def row(self, place: int) -> RowView:
        """The view of one step."""
        step, row = self.plan.steps[place], self.rows.get(place, UNTOUCHED)
        state = row.state
        is_open_gate = bool(self.run) and step.gate is not None and state is StepState.WAITING
        return RowView(
            key=step.key,
            kind=step.kind.value,
            state=state.value,
            word=WORDS[state.value],
            name=step.name or step.key,
            href=f"?step={step.key}" if self.run else "",
            chosen=place == self.chosen,
            reached=state not in _NOT_REACHED and row.started_at is not None,
            target=step.target,
            crumbs=crumbs(step.target) if step.target else "",
            action=step.action,
            chips=_chips(step, self.plan),
            note=_note(step, row, now=self.now, keeper=self.waits_for.get(place, "")),
            said=tuple(said(given, now=self.now) for given in row.decisions),
            gate_href=f"/runs/{self.run}/gate/{step.key}" if is_open_gate else "",
            gate_button=_button(step, may=step.key in self.may_decide) if is_open_gate else "",
            since=since(row),
            took=lasted(row, now=self.now),
            attempt=row.attempt if row.attempt > 1 else 0,
        )

    def rows_at(self, places: Iterable[int]) -> tuple[RowView, ...]:
        """The views of some steps, for the live stream; the root has no row."""
        return tuple(self.row(place) for place in places if place != ROOT)

    def tree(self) -> tuple[StepView, ...]:
        """The root's children with all below them."""
        built: dict[int, StepView] = {}
        for place in range(len(self.plan.steps) - 1, ROOT, -1):
            step = self.plan.steps[place]
            children = tuple([built.pop(child) for child in step.children])
            built[place] = StepView(row=self.row(place), run_as=_run_as(step), children=children)
        return tuple(built[child] for child in self.plan.steps[ROOT].children)


def moment(at: float, *, now: float) -> Moment:
    """A time as the page shows it."""
    return Moment(iso(at), clock(at, now=now), stamp(at))


def said(given: Decision, *, now: float) -> Said:
    """A decision as the page shows it."""
    verb = DECIDED[given.decision]
    return Said(actor=given.actor, verb=verb, message=given.message, when=moment(given.at, now=now))


def since(row: Row) -> float:
    """When a step began that is under way; 0 for any other."""
    under_way = row.state in (StepState.RUNNING, StepState.WAITING)
    return row.started_at if under_way and row.started_at is not None else 0


def lasted(row: Row, *, now: float) -> str:
    """How long a step took, or has taken so far; empty if it never began."""
    if row.started_at is None or row.state in (StepState.QUEUED, StepState.SKIPPED, *_NOT_REACHED):
        return ""
    end = now if since(row) else row.finished_at
    return "" if end is None else took(end - row.started_at)


def approvers_words(gate: Gate) -> str:
    """Who may decide a gate, as a row says it; groups begin with `@`."""
    if gate.approvers is None:
        return "anyone with run permission can continue"
    names = [*gate.approvers.user_names, *(f"@{group}" for group in gate.approvers.ldap_groups)]
    if gate.one_from_each_group:
        groups = ", ".join(f"@{group}" for group in gate.approvers.ldap_groups)
        least = max(gate.min_approvals, len(gate.approvers.ldap_groups))
        return f"needs {counted(least, 'approval')}, one from each of {groups}"
    if len(names) == 1 and gate.min_approvals == 1:
        return f"needs {names[0]}"
    return f"needs {'one' if gate.min_approvals == 1 else gate.min_approvals} of {', '.join(names)}"


def changed_places(before: Mapping[int, Row], after: Mapping[int, Row]) -> tuple[int, ...]:
    """The places whose rows differ, in order."""
    return tuple(sorted(place for place, row in after.items() if before.get(place, UNTOUCHED) != row))


def is_approved_by(row: Row, name: str) -> bool:
    """Whether this person has approved the present opening of a gate."""
    return any(given.decision == "approve" and same_name(given.actor, name) for given in row.decisions)


def _run_as(step: PlannedStep) -> str:
    return "par" if step.run_as is RunAs.PARALLEL else "seq"


def _chips(step: PlannedStep, plan: Plan) -> tuple[str, ...]:
    chips: list[str] = []
    if step.kind in CONTAINERS:
        if step.kind is Kind.WORKFLOW:
            chips.append(f"workflow {step.version}" if step.version else "workflow")
        chips.append(_order(step))
        chips += _shared_change(step, plan)
    if step.when is not When.ON_SUCCESS:
        chips.append("always runs" if step.when is When.ALWAYS else "only after a failure")
    if step.continue_on_error:
        chips.append("may fail")
    return tuple(chips)


def _order(step: PlannedStep) -> str:
    if step.run_as is RunAs.SEQUENTIAL:
        return "in order"
    words = "in parallel" if step.max_parallel is None else f"in parallel, {step.max_parallel} at a time"
    return f"{words}, stops at the first failure" if step.fail_fast else words


def _shared_change(step: PlannedStep, plan: Plan) -> list[str]:
    """What a step's children have in common if they are one action on several targets."""
    children = [plan.steps[child] for child in step.children]
    actions = {child.action for child in children}
    if len(children) < 2 or len(actions) != 1 or any(child.kind is not Kind.CHANGE for child in children):
        return []
    return [counted(len(children), "target")] if len({child.target for child in children}) == len(children) else []


def _note(step: PlannedStep, row: Row, *, now: float, keeper: str) -> str:
    if step.gate is not None:
        return _gate_note(step.gate, row, now)
    if row.state is StepState.PENDING and row.due is not None:
        begins = f"starts at {clock(row.due, now=now)} UTC"
        return f"attempt {row.attempt} failed: {row.reason}; {begins}" if row.reason else begins
    if row.state is StepState.PENDING and step.start_time is not None:
        return f"not before {clock(step.start_time, now=now)} UTC"
    if row.state is StepState.QUEUED and not row.reason:
        return keeper or "waits for a worker"
    if row.state is StepState.FAILED and step.kind is Kind.CHANGE and not row.reason:
        return f"exit code {row.exit_code}"
    return row.reason if row.state in _TROUBLE else ""


def _gate_note(gate: Gate, row: Row, now: float) -> str:
    if row.state not in (StepState.PENDING, StepState.WAITING):
        return ""
    words = approvers_words(gate)
    if row.due is None or row.state is not StepState.WAITING:
        return words
    fate = "continues" if gate.on_timeout is OnTimeout.CONTINUE else "is rejected"
    return f"{words}; {fate} by itself at {clock(row.due, now=now)} UTC"


def _button(step: PlannedStep, *, may: bool) -> str:
    if not may:
        return "Details…"
    return "Continue…" if step.kind is Kind.WAIT else "Approve or reject…"
