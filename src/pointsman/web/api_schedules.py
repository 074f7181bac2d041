"""The API about what starts runs by itself."""

from starlette.responses import Response

from pointsman.intake.schedules import ScheduleLine
from pointsman.model.names import project_of
from pointsman.model.problem import NotFound
from pointsman.web.bodies import cursor_of, limit_of
from pointsman.web.calls import Ask, Call, answered
from pointsman.web.shapes import Shape, local_moment, moment, page_of


def schedule_shape(ask: Ask, line: ScheduleLine) -> Shape:
    """A schedule: when it comes next, what came of the last time, and why the next would start nothing now."""
    row, schedule = line.row, line.schedule
    catalog = ask.office.catalog
    return {
        "workflow": row.workflow,
        "version": row.version,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "properties": schedule.properties,
        "next_at": moment(line.next_at),
        "next_local": None if line.next_at is None else local_moment(line.next_at, schedule.timezone),
        "last": None if row.last_at is None else _last(ask, line),
        "blocked": line.blocked or ("" if catalog.head else catalog.head_trouble),
    }


def _last(ask: Ask, line: ScheduleLine) -> Shape:
    number = None if line.row.says else line.row.run
    try:
        state = None if number is None else ask.office.engine.runs.header(number).state
    except NotFound:
        state = None
    return {"due_at": moment(line.row.last_at), "run": number, "state": state, "says": line.row.says}


async def list_schedules(ask: Ask) -> Response:
    """The schedules of the latest versions that the asker may view, by workflow."""
    visible = set(ask.office.projects(ask.actor))
    found = [line for line in ask.office.triggers.schedules.lines() if project_of(line.row.workflow) in visible]
    start, limit = cursor_of(ask.request) or 0, limit_of(ask.request)
    items = [schedule_shape(ask, line) for line in found[start : start + limit + 1]]
    return answered(page_of(items, limit, lambda _: start + limit))


CALLS = (Call(method="GET", path="/schedules", answer=list_schedules, says=list_schedules.__doc__ or ""),)
