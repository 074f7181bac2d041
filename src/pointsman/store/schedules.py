"""What starts runs by itself, as it survives: publications to start a run for, and how far each schedule has come."""

import json
import sqlite3
from dataclasses import dataclass
from typing import cast

from pointsman.model.values import JsonObject, canonical
from pointsman.store.database import Database

_FIRST_LOOK = "first look"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationRow:
    """A version whose publication starts a run. Once `settled`, there is a `run`, or `says` why there is none."""

    workflow: str
    version: str
    shown: str
    tag: str
    tagger: str
    settled: bool = False
    run: int | None = None
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """A schedule of a workflow's latest version. Times are seconds since 1970 in UTC.

    Every time up to `considered_at` is done with. `due_at` is one that a run is being started for, `last_at` the last
    one that came; `run` is the last run, and `says` why `last_at` started none, empty if it did.
    """

    workflow: str
    entry: str
    version: str
    body: JsonObject
    considered_at: float
    due_at: float | None = None
    last_at: float | None = None
    run: int | None = None
    says: str = ""


class TriggerRows:
    """Publications and schedules in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.transaction = database.transaction

    def first_look_is_over(self) -> bool:
        """Whether the refs were looked at once, so that what is published from now on is news."""
        return self._database.row("facts", "fact", {"name": _FIRST_LOOK}) is not None

    def end_first_look(self) -> None:
        """What was there when the daemon began is entered."""
        if not self.first_look_is_over():
            self._database.fact(_FIRST_LOOK, "done")

    def add_publication(self, row: PublicationRow) -> None:
        """A run is to be started for a version. Call it inside the transaction that enters the version."""
        values = {name: getattr(row, name) for name in ("workflow", "version", "shown", "tag", "tagger")}
        self._database.run("triggers", "insert_publication", values)

    def due_publications(self) -> list[PublicationRow]:
        """The versions that a run is still to be started for."""
        return [_publication(found) for found in self._database.rows("triggers", "due_publications")]

    def settle_publication(self, row: PublicationRow, *, run: int | None, says: str) -> None:
        """What came of a publication: a run, or why there is none."""
        values = {"workflow": row.workflow, "version": row.version, "run": run, "says": says}
        with self.transaction():
            self._database.run("triggers", "settle_publication", values)

    def publication(self, workflow: str, version: str) -> PublicationRow | None:
        """What came of the publication of a version; None if it was to start nothing."""
        found = self._database.row("triggers", "publication", {"workflow": workflow, "version": version})
        return None if found is None else _publication(found)

    def schedules(self) -> list[ScheduleRow]:
        """Every schedule that is followed, by workflow."""
        return [_schedule(found) for found in self._database.rows("triggers", "schedules")]

    def schedule(self, workflow: str, entry: str) -> ScheduleRow | None:
        """A schedule as it stands; None if it is followed no more."""
        found = self._database.row("triggers", "schedule", {"workflow": workflow, "entry": entry})
        return None if found is None else _schedule(found)

    def follow_schedule(self, row: ScheduleRow) -> None:
        """Follow a schedule from `considered_at`; one that is followed already goes on, in this version."""
        values = {"workflow": row.workflow, "entry": row.entry, "version": row.version, "body": canonical(row.body)}
        with self.transaction():
            self._database.run("triggers", "insert_schedule", {**values, "considered_at": row.considered_at})

    def update_schedule(self, row: ScheduleRow) -> None:
        """Keep how far a schedule has come; nothing happens if it is followed no more."""
        names = ("workflow", "entry", "considered_at", "due_at", "last_at", "run", "says")
        with self.transaction():
            self._database.run("triggers", "update_schedule", {name: getattr(row, name) for name in names})

    def forget_schedule(self, row: ScheduleRow) -> None:
        """Follow a schedule no more: the latest version does not have it."""
        with self.transaction():
            self._database.run("triggers", "forget_schedule", {"workflow": row.workflow, "entry": row.entry})


def _publication(found: sqlite3.Row) -> PublicationRow:
    values = {name: found[name] for name in PublicationRow.__slots__}
    return PublicationRow(**{**values, "settled": bool(values["settled"])})


def _schedule(found: sqlite3.Row) -> ScheduleRow:
    values = {name: found[name] for name in ScheduleRow.__slots__}
    return ScheduleRow(**{**values, "body": cast("JsonObject", json.loads(values["body"]))})
