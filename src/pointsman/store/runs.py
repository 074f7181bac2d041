"""Runs as they survive: a run's plan, its rows, and its log, always written together."""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from pointsman.model.event import Record
from pointsman.model.names import project_of
from pointsman.model.plan import Plan
from pointsman.model.problem import NotFound, Refused
from pointsman.model.run import OPEN_RUN_STATES, Row, RunState
from pointsman.model.values import JsonObject, canonical
from pointsman.model.wire import event_to_json, from_json, plan_text, to_json
from pointsman.store.database import Database

KEPT_PLANS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeader:
    """One run without its steps. Times are seconds since 1970 in UTC."""

    number: int
    id: str
    project: str
    workflow: str
    version: str
    plan_digest: str
    state: RunState
    attempt: int
    seq: int
    started_by: str
    created_at: float
    started_at: float | None
    finished_at: float | None
    metadata: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What a run is created with."""

    id: str
    plan: Plan
    started_by: str
    created_at: float
    metadata: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one or more events changed of a run that was read at `read_seq`."""

    number: int
    read_seq: int
    seq: int
    state: RunState
    at: float
    records: Sequence[Record]
    rows: Sequence[tuple[int, Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list: None does not filter. `projects` are those the caller may view."""

    projects: Sequence[str]
    states: Sequence[str] | None = None
    workflow: str | None = None
    started_by: str | None = None
    since: float | None = None
    metadata: JsonObject | None = None
    before: int | None = None
    limit: int = 50


class Runs:
    """The runs in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.plan = lru_cache(maxsize=KEPT_PLANS)(self._read_plan)

    def create(self, new: NewRun) -> int:
        """The number of a new run. Call it inside the transaction that writes its first event."""
        body = zlib.compress(plan_text(new.plan).encode("utf-8", "surrogatepass"), 1)
        self._database.run("runs", "insert_plan", {"digest": new.plan.digest, "body": body})
        values = {
            "id": new.id,
            "project": project_of(new.plan.workflow),
            "workflow": new.plan.workflow,
            "version": new.plan.version,
            "plan_digest": new.plan.digest,
            "started_by": new.started_by,
            "created_at": new.created_at,
            "metadata": canonical(new.metadata),
        }
        number = self._database.run("runs", "insert_run", values).lastrowid
        assert number is not None
        return number

    def save(self, change: Change, plan: Plan) -> int:
        """Write what happened: records, rows and the run's own state; the id of the last record in the log."""
        values = {
            "number": change.number,
            "read_seq": change.read_seq,
            "seq": change.seq,
            "state": change.state,
            "started_at": change.at if any(record.event.type == "run_admitted" for record in change.records) else None,
            "finished_at": None if change.state in OPEN_RUN_STATES else change.at,
        }
        if self._database.run("runs", "update_run", values).rowcount != 1:
            raise Refused(f"run {change.number} was changed by somebody else meanwhile")
        rows = [_step_values(change.number, place, row) for place, row in change.rows]
        self._database.run_many("runs", "upsert_step", rows)
        last = 0
        for record in change.records:
            last = self._insert(change.number, record, plan)
        return last

    def _insert(self, number: int, record: Record, plan: Plan) -> int:
        place = getattr(record.event, "step", None)
        values = {
            "run": number,
            "seq": record.seq,
            "at": record.at,
            "type": record.event.type,
            "actor": record.actor,
            "step": None if place is None else plan.steps[place].key,
            "cause": record.cause,
            "project": project_of(plan.workflow),
            "body": canonical(event_to_json(record.event)),
        }
        return self._database.run("events", "insert_event", values).lastrowid or 0

    def claim(self, number: int, place: int, attempt: int, *, epoch: int) -> None:
        """Take an attempt, inside the transaction of its `step_started`; a second claim raises."""
        try:
            self._database.run(
                "runs", "insert_claim", {"run": number, "step": place, "attempt": attempt, "epoch": epoch}
            )
        except sqlite3.IntegrityError:
            raise Refused(f"attempt {attempt} of run {number}, step {place} is claimed already") from None

    def claim_boot(self, number: int, place: int, attempt: int) -> str:
        """The boot of the machine in which an attempt was claimed; empty if it never was."""
        found = self._database.row("runs", "claim_boot", {"run": number, "step": place, "attempt": attempt})
        return str(found["boot"]) if found else ""

    def header(self, number: int) -> RunHeader:
        """One run by its number; `NotFound` if there is none."""
        found = self._database.row("runs", "run_by_number", {"number": number})
        if found is None:
            raise NotFound(f"there is no run {number}")
        return _header(found)

    def find(self, name: str) -> RunHeader:
        """One run by its number or id; `NotFound` if there is none."""
        if name.isascii() and name.isdigit() and len(name) < 16:
            return self.header(int(name))
        found = self._database.row("runs", "run_by_id", {"id": name})
        if found is None:
            raise NotFound(f"there is no run {name}")
        return _header(found)

    def number_of(self, run_id: str) -> int | None:
        """The number of the run with this id, if it exists."""
        found = self._database.row("runs", "run_by_id", {"id": run_id})
        return None if found is None else int(found["number"])

    def rows(self, number: int) -> dict[int, Row]:
        """The rows of a run's touched steps."""
        found = self._database.rows("runs", "rows_of_run", {"run": number})
        return {entry["step"]: _row(entry) for entry in found}

    def _read_plan(self, digest: str) -> Plan:
        found = self._database.row("runs", "plan_body", {"digest": digest})
        if found is None:
            raise NotFound(f"there is no plan {digest}")
        return from_json(Plan, json.loads(zlib.decompress(found["body"])))

    def listed(self, wanted: RunFilter) -> list[RunHeader]:
        """Runs that match, newest first."""
        values = {
            "before": wanted.before or 2**62,
            "state": None if wanted.states is None else json.dumps(wanted.states),
            "workflow": wanted.workflow,
            "started_by": wanted.started_by,
            "since": wanted.since,
            "metadata": None if wanted.metadata is None else canonical(wanted.metadata),
            "projects": json.dumps(wanted.projects),
            "limit": wanted.limit,
        }
        return [_header(entry) for entry in self._database.rows("runs", "list_runs", values)]

    def open(self, workflow: str | None = None) -> list[RunHeader]:
        """Runs that have not ended, oldest first, of one workflow or of all."""
        if workflow is None:
            return [_header(entry) for entry in self._database.rows("runs", "open_runs")]
        return [_header(entry) for entry in self._database.rows("runs", "open_runs_of", {"workflow": workflow})]

    def busy(self) -> list[int]:
        """The numbers of runs with changes that are queued or running."""
        return [entry["run"] for entry in self._database.rows("runs", "busy_runs")]

    def due(self, limit: int = 100) -> list[tuple[float, int, int]]:
        """The next timers: due time, run and step."""
        found = self._database.rows("runs", "next_due", {"limit": limit})
        return [(entry["due"], entry["run"], entry["step"]) for entry in found]

    def open_gates(self) -> list[tuple[int, int, Row]]:
        """Run, step and row of every open gate."""
        return [(entry["run"], entry["step"], _row(entry)) for entry in self._database.rows("runs", "open_gates")]

    def counts(self, projects: Iterable[str]) -> dict[str, int]:
        """How many runs of these projects there are in each state."""
        found = self._database.rows("runs", "counts", {"projects": json.dumps(list(projects))})
        return {entry["state"]: entry["count"] for entry in found}


def _step_values(number: int, place: int, row: Row) -> dict[str, Any]:
    return {"run": number, "step": place, "state": row.state, "due": row.due, "body": canonical(to_json(row))}


def _row(entry: sqlite3.Row) -> Row:
    return from_json(Row, json.loads(entry["body"]))


def _header(entry: sqlite3.Row) -> RunHeader:
    values = {name: entry[name] for name in entry.keys()}  # noqa: SIM118 - a sqlite3.Row iterates over its values
    values["state"] = RunState(values["state"])
    values["metadata"] = cast("JsonObject", json.loads(values["metadata"]))
    return RunHeader(**values)
