"""One run's page: everything it shows, whole, and as what has changed for those who watch it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pointsman.access.people import Actor
from pointsman.act.paths import AttemptId, AttemptPaths
from pointsman.model.plan import Plan
from pointsman.model.run import Row, StepState
from pointsman.run.tree import Run
from pointsman.store.runs import RunHeader
from pointsman.web.log import NO_LOG, LogLine, LogView, log_lines, log_view
from pointsman.web.office import Office
from pointsman.web.present import RunView, chosen_place, detail_view, run_view, shown_attempt
from pointsman.web.railway import Line, RowView
from pointsman.web.records import RecordLine, record

MOST_RECORDS = 200
LARGEST_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """A run as one person sees it now."""

    office: Office
    header: RunHeader
    run: Run
    may_run: bool
    may_decide: tuple[str, ...]
    now: float

    @classmethod
    def of(cls, office: Office, actor: Actor, number: int, *, now: float) -> "RunPage":
        """The run with this number, which the actor may view."""
        header, run = office.engine.runs.header(number), office.engine.run(number)
        policy = office.catalog.policy(header.project)
        waiting = [place for place, row in run.rows.items() if row.state is StepState.WAITING]
        gates = [office.gates.find(header, run.plan.steps[place].key) for place in waiting]
        return cls(
            office=office,
            header=header,
            run=run,
            may_run=not office.starter.refused(actor, "run", header.project),
            may_decide=tuple(g.step.key for g in gates if not office.gates.reason_against(g, actor, policy)),
            now=now,
        )

    @property
    def plan(self) -> Plan:
        """The run's plan."""
        return self.run.plan

    def whole(self, step: str | None, attempt: int | None) -> dict[str, Any]:
        """What the template of the whole page needs."""
        place = chosen_place(self.plan, self.run.rows, step)
        entries = self.office.events.of_run(
            self.header.number, after=max(0, self.header.seq - MOST_RECORDS), limit=MOST_RECORDS
        )
        return {
            "run": self.view(place),
            "detail": self.detail(place, attempt, follows=not step),
            "record": record(entries, self.plan, now=self.now),
            "more_record": self.header.seq > MOST_RECORDS,
        }

    def view(self, place: int | None, *, with_tree: bool = True) -> RunView:
        """The banner and the tree."""
        view = run_view(
            self.header,
            self.plan,
            self.run.rows,
            now=self.now,
            chosen=place,
            may_decide=self.may_decide,
            may_run=self.may_run,
            blockers=self.office.engine.blockers(self.header),
            waits_for=self.waits_for(),
            with_tree=with_tree,
        )
        return replace(view, may_retry=False)

    def waits_for(self) -> Mapping[int, str]:
        """What keeps queued changes: the run that holds their lock, or the want of a worker."""
        queued = [place for place, row in self.run.rows.items() if row.state is StepState.QUEUED]
        found = {}
        for place in queued[:200]:
            holder = self.office.engine.blocker(self.header.number, place)
            found[place] = "waits for a worker" if holder is None else f"waits for run {holder[0]}"
        return found

    def detail(self, place: int, attempt: int | None, *, follows: bool) -> Any:  # noqa: ANN401 - a view
        """The pane of one step with its log."""
        shown = shown_attempt(self.plan, self.run.rows, place, attempt)
        return detail_view(
            self.header,
            self.plan,
            self.run.rows,
            place,
            now=self.now,
            attempt=attempt,
            log=self.log(place, shown) if shown else NO_LOG,
            follows=follows,
        )

    def paths(self, place: int, attempt: int) -> AttemptPaths:
        """The files of an attempt."""
        return self.office.engine.carrier.paths(AttemptId(self.header.number, place, attempt))

    def log(self, place: int, attempt: int) -> LogView:
        """The end of an attempt's log."""
        paths = self.paths(place, attempt)
        row = self.run.row(place)
        ended = row.attempt != attempt or row.state is not StepState.RUNNING
        return log_view(_bytes(paths, "log"), _bytes(paths, "times"), ended=ended)

    def new_lines(self, place: int, attempt: int, offset: int, *, number: int) -> tuple[list[LogLine], int]:
        """The lines of a log behind an offset, the first of them with this number, and the offset behind them.

        A long log is not read again for each of its lines: at most `LARGEST_PIECE` bytes at a time, from there on.
        """
        paths = self.paths(place, attempt)
        data = _piece(paths.log, offset)
        row = self.run.row(place)
        ended = row.attempt != attempt or row.state is not StepState.RUNNING
        end = len(data) if ended and len(data) < LARGEST_PIECE else data.rfind(b"\n") + 1
        if not end:
            return [], offset
        return log_lines(data[:end], _bytes(paths, "times"), first_line=number, offset=offset), offset + end

    def line_at(self, place: int, attempt: int, offset: int) -> int:
        """The number of the line that begins at an offset of a log."""
        return _bytes(self.paths(place, attempt), "log").count(b"\n", 0, offset) + 1

    def rows(self, places: tuple[int, ...], chosen: int) -> list[RowView]:
        """Rows of the tree."""
        line = Line(
            plan=self.plan,
            rows=self.run.rows,
            now=self.now,
            run=self.header.number,
            chosen=chosen,
            may_decide=self.may_decide,
            waits_for=self.waits_for(),
        )
        return [line.row(place) for place in places]

    def records(self, after: int) -> tuple[RecordLine, ...]:
        """The record behind a sequence number."""
        return record(self.office.events.of_run(self.header.number, after=after), self.plan, now=self.now)

    def snapshot(self) -> dict[int, Row]:
        """The rows, to compare with later."""
        return dict(self.run.rows)


def _piece(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(LARGEST_PIECE)
    except FileNotFoundError:
        return b""


def _bytes(paths: AttemptPaths, which: str) -> bytes:
    path = paths.log if which == "log" else paths.times
    return path.read_bytes() if path.exists() else b""
