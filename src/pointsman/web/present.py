"""A run as its page shows it, and runs as the list shows them. Pure: whoever asks brings the time.

From a header, a plan and its rows to frozen views. A view holds words that are ready to be shown, never markup.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pointsman.model.definition import Kind
from pointsman.model.names import workflow_codes
from pointsman.model.plan import ROOT, Plan
from pointsman.model.run import OPEN_RUN_STATES, UNTOUCHED, Row, RunState, StepState
from pointsman.store.runs import RunHeader
from pointsman.web.facts import Tally, outputs_text, shown_json, step_facts, tally
from pointsman.web.heads import RunHead, run_head
from pointsman.web.live import Mark
from pointsman.web.log import NO_LOG, LogView
from pointsman.web.railway import Line, Moment, RowView, StepView, moment
from pointsman.web.states import WORDS, icon, tab_title, word
from pointsman.web.words import took

_RETRIED = frozenset({RunState.FAILED, RunState.REJECTED, RunState.CANCELLED})
_ENDED_BADLY = frozenset({StepState.FAILED, StepState.LOST})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run's banner and tree. `tree` is empty where only the banner is wanted; `since` is 0 unless it is under way.

    `mine`: a gate waits for the person who looks. `seq` is the last event that the rows know of.
    """

    head: RunHead
    state: str
    word: str
    title: str
    icon: str
    mine: bool
    is_open: bool
    created: Moment
    started: Moment | None
    since: float
    took: str
    attempt: int
    blockers: tuple[int, ...]
    tally: tuple[Tally, ...]
    step_count: int
    metadata: tuple[tuple[str, str], ...]
    may_run: bool
    may_cancel: bool
    may_retry: bool
    tree: tuple[StepView, ...]
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailView:
    """The chosen step beside the tree: what is known of it, and the log of one of its attempts.

    `attempt` is 0 for what has no log. `live` is the address of the stream that goes on from here, empty once the run
    is over; `follows`: nobody chose this step, so the stream may go on to the next.
    """

    run: int
    row: RowView
    facts: tuple[tuple[str, str], ...]
    outputs: str
    attempt: int
    attempts: tuple[int, ...]
    log: LogView
    raw_href: str
    live: str
    follows: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run in a list."""

    number: int
    href: str
    state: str
    word: str
    name: str
    workflow: str
    workflow_href: str
    version: str
    started_by: str
    created: Moment
    took: str
    since: float
    blockers: tuple[int, ...]
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the list of runs is narrowed to, as the address says it; empty does not filter."""

    state: str = ""
    workflow: str = ""
    started_by: str = ""


def run_view(
    header: RunHeader,
    plan: Plan,
    rows: Mapping[int, Row],
    *,
    now: float,
    chosen: int | None = None,
    may_decide: Collection[str] = (),
    may_run: bool = True,
    blockers: tuple[int, ...] = (),
    waits_for: Mapping[int, str] | None = None,
    with_tree: bool = True,
) -> RunView:
    """A run for one person: `may_decide` are the keys of the open gates that they may decide now.

    `blockers` are the runs that a pending one waits for, `waits_for` says what keeps queued changes, by their place.
    """
    head, state = run_head(header, plan), header.state.value
    mine = any(_is_waiting(plan, rows, key) for key in may_decide)
    line = Line(
        plan=plan, rows=rows, now=now, run=header.number, chosen=chosen, may_decide=may_decide,
        waits_for=waits_for or {},
    )  # fmt: skip
    return RunView(
        head=head,
        state=state,
        word=word(state, mine=mine),
        title=tab_title(state, f"{head.name} #{head.number}", mine=mine),
        icon=icon(state),
        mine=mine,
        is_open=header.state in OPEN_RUN_STATES,
        created=moment(header.created_at, now=now),
        started=None if header.started_at is None else moment(header.started_at, now=now),
        since=_since(header),
        took=_took(header, now),
        attempt=header.attempt,
        blockers=blockers,
        tally=tally(plan, rows),
        step_count=len(plan.steps),
        metadata=tuple((key, shown_json(value)) for key, value in header.metadata.items()),
        may_run=may_run,
        may_cancel=may_run and header.state in OPEN_RUN_STATES,
        may_retry=may_run and header.state in _RETRIED,
        tree=line.tree() if with_tree else (),
        seq=header.seq,
    )


def detail_view(
    header: RunHeader,
    plan: Plan,
    rows: Mapping[int, Row],
    place: int,
    *,
    now: float,
    attempt: int | None = None,
    log: LogView = NO_LOG,
    follows: bool = False,
) -> DetailView:
    """A step for the pane beside the tree; `log` is that of `attempt`, by default the last one's."""
    step, row = plan.steps[place], rows.get(place, UNTOUCHED)
    shown = shown_attempt(plan, rows, place, attempt)
    query = f"after={Mark(header.seq, log.end)}&step={step.key}&attempt={shown}" + ("&follow=1" if follows else "")
    live = f"/runs/{header.number}/live?{query}" if header.state in OPEN_RUN_STATES else ""
    return DetailView(
        run=header.number,
        row=Line(plan=plan, rows=rows, now=now, run=header.number).row(place),
        facts=step_facts(plan, row, place, now=now),
        outputs=outputs_text(row.outputs),
        attempt=shown,
        attempts=tuple(range(1, row.attempt + 1)) if step.kind is Kind.CHANGE else (),
        log=log,
        raw_href=f"/api/v1/runs/{header.number}/steps/{step.key}/log?attempt={shown}" if shown else "",
        live=live,
        follows=follows,
    )


def run_line(header: RunHeader, *, now: float, name: str = "", blockers: tuple[int, ...] = ()) -> RunLine:
    """A run for a list; `name` is its plan's."""
    project, code = workflow_codes(header.workflow)
    return RunLine(
        number=header.number,
        href=f"/runs/{header.number}",
        state=header.state.value,
        word=WORDS[header.state.value],
        name=name or code,
        workflow=f"{project}/{code}",
        workflow_href=f"/workflows/{project}/{code}",
        version=header.version,
        started_by=header.started_by,
        created=moment(header.created_at, now=now),
        took=_took(header, now),
        since=_since(header),
        blockers=blockers,
        attempt=header.attempt,
    )


def chosen_place(plan: Plan, rows: Mapping[int, Row], key: str | None) -> int:
    """The step that the page shows: the one asked for, else the change that runs, failed last or ended last.

    With nothing of these it is the open gate, else the first change; a key that is nowhere counts as none.
    """
    if key and plan.index.get(key, ROOT) != ROOT:
        return plan.index[key]
    changes = [(place, row) for place, row in rows.items() if plan.steps[place].kind is Kind.CHANGE]
    running = [(row.started_at or 0, place) for place, row in changes if row.state is StepState.RUNNING]
    failed = [(row.finished_at or 0, place) for place, row in changes if row.state in _ENDED_BADLY]
    ended = [(row.finished_at or 0, place) for place, row in changes if row.finished_at and row.attempt]
    for found in (running, failed, ended):
        if found:
            return max(found)[1]
    waiting = [place for place, row in rows.items() if row.state is StepState.WAITING]
    work = (place for place, step in enumerate(plan.steps) if step.kind is Kind.CHANGE)
    return min(waiting, default=next(work, min(1, len(plan.steps) - 1)))


def shown_attempt(plan: Plan, rows: Mapping[int, Row], place: int, asked: int | None) -> int:
    """The attempt whose log is shown: the one asked for if it exists, else the last; 0 if there is no log."""
    if plan.steps[place].kind is not Kind.CHANGE:
        return 0
    last = rows.get(place, UNTOUCHED).attempt
    return asked if asked is not None and 1 <= asked <= last else last


def plan_tree(plan: Plan, *, now: float) -> tuple[StepView, ...]:
    """The tree of a plan that was not run."""
    return Line(plan=plan, rows={}, now=now).tree()


def _is_waiting(plan: Plan, rows: Mapping[int, Row], key: str) -> bool:
    place = plan.index.get(key)
    return place is not None and rows.get(place, UNTOUCHED).state is StepState.WAITING


def _since(header: RunHeader) -> float:
    return header.started_at if header.started_at is not None and header.state in OPEN_RUN_STATES else 0


def _took(header: RunHeader, now: float) -> str:
    if header.started_at is None:
        return ""
    return took((now if header.finished_at is None else header.finished_at) - header.started_at)
