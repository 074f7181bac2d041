"""The log over everything: what is not about one run is written here, and all of it is read here."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from pointsman.model.values import JsonObject, canonical
from pointsman.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record as it is read back. `step` is the step's key; `run` and `seq` are None outside of runs."""

    id: int
    run: int | None
    seq: int | None
    at: float
    type: str
    actor: str
    step: str | None
    cause: int | None
    project: str
    body: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which records to list: None does not filter. `projects` are those the caller may view, `""` the daemon's own."""

    projects: Sequence[str]
    type: str | None = None
    actor: str | None = None
    since: float | None = None
    before: int | None = None
    limit: int = 50


class Events:
    """The log in the database. Records are added and never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, kind: str, *, at: float, actor: str, body: JsonObject, project: str = "", run: int | None = None
    ) -> int:
        """Add a record that no run's machine knows of, such as a refusal or an alarm; its id."""
        values = {
            "run": None, "seq": None, "at": at, "type": kind, "actor": actor, "step": None, "cause": None,
            "project": project, "body": canonical(body if run is None else {**body, "run": run}),
        }  # fmt: skip
        with self._database.transaction():
            return self._database.run("events", "insert_event", values).lastrowid or 0

    def of_run(self, number: int, *, after: int = 0, limit: int = 1000) -> list[Entry]:
        """A run's records after a sequence number, in order."""
        values = {"run": number, "after": after, "limit": limit}
        return [_entry(found) for found in self._database.rows("events", "events_of_run", values)]

    def listed(self, wanted: EntryFilter) -> list[Entry]:
        """Records that match, newest first."""
        values = {
            "before": wanted.before or 2**62,
            "type": wanted.type,
            "actor": wanted.actor,
            "since": wanted.since,
            "projects": json.dumps(wanted.projects),
            "limit": wanted.limit,
        }
        return [_entry(found) for found in self._database.rows("events", "list_events", values)]


def _entry(found: sqlite3.Row) -> Entry:
    values = {name: found[name] for name in found.keys()}  # noqa: SIM118 - a sqlite3.Row iterates over its values
    values["body"] = json.loads(values["body"])
    return Entry(**values)
