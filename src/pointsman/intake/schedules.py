"""Schedules: which there are, when they come, and a run for each time that comes, at most once (R98).

Every step is written down before the next: first that a time has come, then its run, then what came of it. The run's id
follows from the workflow, the schedule and the time, so that what is done again after a crash is not done twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pointsman.intake.catalog import Catalog, VersionEntry, WorkflowEntry
from pointsman.intake.start import Wish
from pointsman.intake.unasked import SCHEDULE, UnaskedRuns, moment, run_id
from pointsman.load.times import firing_after, last_firing
from pointsman.model.definition import NOWHERE, Schedule
from pointsman.model.problem import Unavailable
from pointsman.model.values import JsonObject, digest
from pointsman.model.wire import from_json, to_json
from pointsman.store.schedules import ScheduleRow, TriggerRows

# A clock that is set back by less does not make a time come twice; one that is set back by more was wrong before.
SET_BACK_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleLine:
    """A schedule as it is shown: when it comes next (None: never again), and why that would start nothing now."""

    row: ScheduleRow
    schedule: Schedule
    next_at: float | None
    blocked: str


class Schedules:
    """The schedules of the latest version of every workflow. `now` gives seconds since 1970 in UTC."""

    def __init__(self, rows: TriggerRows, unasked: UnaskedRuns, now: Callable[[], float]) -> None:
        self._rows, self._unasked, self._now = rows, unasked, now

    def follow(self, catalog: Catalog) -> None:
        """Follow what the latest versions say. What is new begins now; what they say no more ends."""
        kept = {(row.workflow, row.entry): row for row in self._rows.schedules()}
        wanted: dict[tuple[str, str], ScheduleRow] = {}
        for entry in catalog.workflows.values():
            wanted |= self._wanted(entry, kept)
        with self._rows.transaction():
            for key, row in kept.items():
                if key not in wanted:
                    self._rows.forget_schedule(row)
            for key, row in wanted.items():
                if key not in kept or kept[key].version != row.version:
                    self._rows.follow_schedule(row)

    def _wanted(
        self, entry: WorkflowEntry, kept: dict[tuple[str, str], ScheduleRow]
    ) -> dict[tuple[str, str], ScheduleRow]:
        latest = latest_version(entry)
        if latest is None:
            return {}
        if latest.facts is None:  # its tag was deleted or moved: the version stays, and so does what it says
            return {key: row for key, row in kept.items() if key[0] == entry.path and row.version == latest.shown}
        found = {}
        for schedule in latest.facts.on.schedule:
            body = to_json(replace(schedule, place=NOWHERE))
            assert isinstance(body, dict)
            row = ScheduleRow(
                workflow=entry.path,
                entry=digest(body)[:16],
                version=latest.shown,
                body=body,
                considered_at=self._now(),
            )
            found[row.workflow, row.entry] = row
        return found

    def next_due(self) -> float | None:
        """The nearest time that has not been considered yet; None if there is none."""
        nearest = [self._next(row) for row in self._rows.schedules()]
        return min((at for at in nearest if at is not None), default=None)

    def _next(self, row: ScheduleRow) -> float | None:
        schedule = _schedule(row)
        return firing_after(schedule.cron, schedule.timezone, after=row.considered_at)

    def lines(self) -> list[ScheduleLine]:
        """Every schedule as it stands, by workflow and then by when it comes next."""
        lines = [
            ScheduleLine(row=row, schedule=_schedule(row), next_at=self._next_shown(row), blocked=self._blocked(row))
            for row in self._rows.schedules()
        ]
        return sorted(lines, key=lambda line: (line.row.workflow, line.next_at or float("inf"), line.row.entry))

    def _next_shown(self, row: ScheduleRow) -> float | None:
        schedule = _schedule(row)
        return firing_after(schedule.cron, schedule.timezone, after=max(row.considered_at, self._now()))

    def _blocked(self, row: ScheduleRow) -> str:
        if row.run is None or not self._unasked.is_open(row.run):
            return ""
        return f"run {row.run} of this schedule has not ended; times that come before are skipped"

    async def start_due(self) -> None:
        """A run for every schedule whose time has come, one whatever the number of times that were missed.

        `Unavailable` if there was one that could not be started now; the others are.
        """
        trouble: Unavailable | None = None
        for row in self._rows.schedules():
            fresh = self._rows.schedule(row.workflow, row.entry)  # while others started, this may have ended
            if fresh is None or self._unasked.stopping:
                continue
            try:
                await self._start(self._resumed(fresh))
            except Unavailable as error:
                trouble = error
        if trouble is not None:
            raise trouble

    async def _start(self, row: ScheduleRow) -> None:
        schedule, now = _schedule(row), self._now()
        at = last_firing(schedule.cron, schedule.timezone, after=row.considered_at, until=now) or row.due_at
        if at is None:
            return
        row = replace(row, considered_at=at, last_at=at)
        if row.run is not None and self._unasked.is_open(row.run):
            self._skip(row, schedule, at)
            return
        row = replace(row, due_at=at)
        self._rows.update_schedule(row)
        outcome = await self._unasked.start(SCHEDULE, self._wish(row, schedule, at))
        run = row.run if outcome.run is None else outcome.run
        with self._rows.transaction():
            if outcome.says:
                body = {**_told(row, schedule, at), "trigger": "schedule", "says": outcome.says}
                self._unasked.tell_refused(SCHEDULE, row.workflow, body)
            self._rows.update_schedule(replace(row, due_at=None, run=run, says=outcome.says))

    def _resumed(self, row: ScheduleRow) -> ScheduleRow:
        """The row with the run that was begun for it before a crash, and by a clock that is right."""
        before, now = row, self._now()
        number = None if row.due_at is None else self._unasked.number_of(_id(row, row.due_at))
        if number is not None:
            row = replace(row, due_at=None, run=number, says="")
        if row.considered_at > now + SET_BACK_SECONDS:
            row = replace(row, considered_at=now)
        if row != before:
            self._rows.update_schedule(row)
        return row

    def _skip(self, row: ScheduleRow, schedule: Schedule, at: float) -> None:
        says = f"run {row.run} of this schedule had not ended"
        with self._rows.transaction():
            self._unasked.tell_skipped(SCHEDULE, row.workflow, {**_told(row, schedule, at), "says": says})
            self._rows.update_schedule(replace(row, due_at=None, says=f"skipped: {says}"))

    def _wish(self, row: ScheduleRow, schedule: Schedule, at: float) -> Wish:
        metadata: JsonObject = {"trigger": "schedule", "cron": schedule.cron, "due_at": moment(at)}
        return Wish(
            workflow=row.workflow,
            version=row.version,
            properties=schedule.properties,
            metadata=metadata,
            run_id=_id(row, at),
        )


def latest_version(entry: WorkflowEntry) -> VersionEntry | None:
    """The highest valid version of a workflow that is no pre-release."""
    return next((one for one in entry.versions if one.valid and one.shown == entry.latest), None)


def _schedule(row: ScheduleRow) -> Schedule:
    return from_json(Schedule, row.body)


def _id(row: ScheduleRow, at: float) -> str:
    return run_id("schedule", row.workflow, row.entry, moment(at))


def _told(row: ScheduleRow, schedule: Schedule, at: float) -> JsonObject:
    return {"version": row.version, "cron": schedule.cron, "timezone": schedule.timezone, "due_at": moment(at)}
