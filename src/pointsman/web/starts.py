"""What starts the runs of a workflow by itself, in the sentences of its page."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from pointsman.intake.catalog import WorkflowEntry
from pointsman.intake.schedules import ScheduleLine, latest_version
from pointsman.web.ansi import harmless
from pointsman.web.pages import Visit


def starts(visit: Visit, entry: WorkflowEntry) -> tuple[str, ...]:
    """A sentence for its publication and one for each schedule, with what keeps it from starting a run."""
    return tuple(harmless(words) for words in _starts(visit, entry))


def _starts(visit: Visit, entry: WorkflowEntry) -> Iterator[str]:
    triggers = visit.office.triggers
    latest = latest_version(entry)
    if latest is not None and latest.facts is not None and latest.facts.on.publish:
        yield "Each version that is published starts a run."
    for version in reversed(entry.versions):
        publication = triggers.publication(entry.path, version.version)
        if publication is not None and publication.says:
            yield f"The publication of version {publication.shown} started no run: {publication.says}."
    for line in triggers.schedules.lines():
        if line.row.workflow == entry.path:
            yield _schedule_words(line)


def _schedule_words(line: ScheduleLine) -> str:
    schedule, row = line.schedule, line.row
    coming = "never again" if line.next_at is None else f"next at {_moment(line.next_at, schedule.timezone)}"
    words = [f"{schedule.cron} in {schedule.timezone} starts a run: {coming}"]
    if row.says and row.last_at is not None:
        words.append(f"at {_moment(row.last_at, schedule.timezone)} it started none: {row.says}")
    if line.blocked:
        words.append(line.blocked)
    return "; ".join(words) + "."


def _moment(at: float, timezone: str) -> str:
    """The clock of a time zone, which is named: all other times of the pages are UTC."""
    return f"{datetime.fromtimestamp(at, ZoneInfo(timezone)):%Y-%m-%d %H:%M %Z}"
