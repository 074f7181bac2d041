"""The API about runs, their steps' logs, and the log of everything."""

from starlette.responses import Response

from pointsman.act.paths import AttemptId
from pointsman.intake.start import Wish
from pointsman.model.event import RunCancelled
from pointsman.model.problem import Forbidden, NotFound
from pointsman.store.events import EntryFilter
from pointsman.store.runs import RunFilter, RunHeader
from pointsman.web.bodies import (
    CancelBody,
    RunBody,
    body_of,
    cursor_of,
    limit_of,
    metadata_filter,
    number_of,
    since_of,
    version_text,
)
from pointsman.web.calls import Ask, Call, answered, run_id_for
from pointsman.web.logs import log_response
from pointsman.web.shapes import Shape, entry_shape, page_of, run_shape, run_steps_shape
from pointsman.web.streams import event_stream, log_stream, wants_stream


def _shape(ask: Ask, header: RunHeader) -> Shape:
    plan = ask.office.engine.runs.plan(header.plan_digest)
    blocked = ask.office.engine.blockers(header)
    return run_shape(header, plan, url=ask.office.external_url, blocked_by=blocked)


async def create_run(ask: Ask) -> Response:
    """A new run of a published version."""
    body = await body_of(ask.request, RunBody)
    wish = Wish(
        workflow=body.workflow,
        version=version_text(body.version),
        properties=body.properties,
        texts=body.set,
        metadata=body.metadata,
        skip_steps=body.skip_steps,
        run_id=run_id_for(ask),
    )
    header = await ask.office.starter.start(ask.actor, wish, now=ask.office.now())
    return answered(_shape(ask, header), 201)


async def list_runs(ask: Ask) -> Response:
    """Runs that the asker may view, newest first."""
    query, limit = ask.request.query_params, limit_of(ask.request)
    workflow = query.get("workflow")
    if workflow is not None:
        fits = [path for path in ask.office.catalog.workflows if path == workflow or path.endswith(f"/{workflow}")]
        workflow = fits[0] if len(fits) == 1 else workflow
    wanted = RunFilter(
        projects=ask.office.projects(ask.actor),
        states=query.getlist("state") or None,
        workflow=workflow,
        started_by=query.get("started_by"),
        since=since_of(ask.request),
        metadata=metadata_filter(ask.request),
        before=cursor_of(ask.request),
        limit=limit + 1,
    )
    items = [_shape(ask, header) for header in ask.office.engine.runs.listed(wanted)]
    return answered(page_of(items, limit, lambda item: int(item["number"])))


async def one_run(ask: Ask) -> Response:
    """One run with its steps."""
    header = ask.office.run(ask.actor, ask.path("run"))
    run = ask.office.engine.run(header.number)
    return answered({**_shape(ask, header), "steps": run_steps_shape(header, run)})


async def run_events(ask: Ask) -> Response:
    """The log of a run; as an event stream it goes on live."""
    header = ask.office.run(ask.actor, ask.path("run"))
    if wants_stream(ask.request):
        return event_stream(ask, header)
    limit, after = limit_of(ask.request), cursor_of(ask.request) or 0
    plan = ask.office.engine.runs.plan(header.plan_digest)
    entries = ask.office.events.of_run(header.number, after=after, limit=limit + 1)
    return answered(page_of([entry_shape(entry, plan) for entry in entries], limit, lambda item: int(item["seq"])))


async def step_log(ask: Ask) -> Response:
    """What a step's attempt wrote; as an event stream it follows."""
    header = ask.office.run(ask.actor, ask.path("run"))
    run = ask.office.engine.run(header.number)
    place = run.plan.index.get(ask.path("key"))
    if place is None or not run.plan.steps[place].target:
        raise NotFound(f"run {header.number} has no change at {ask.path('key')}")
    attempt = number_of(ask.request, "attempt") or run.row(place).attempt
    if attempt > run.row(place).attempt or (attempt == 0 and run.row(place).attempt):
        raise NotFound(f"step {ask.path('key')} has no attempt {attempt}")
    paths = ask.office.engine.carrier.paths(AttemptId(header.number, place, attempt))
    if wants_stream(ask.request):
        return log_stream(ask, header, place, attempt, paths.log)
    return log_response(ask.request, paths.log, f"run-{header.number}-step-{ask.path('key')}-{attempt}.txt")


async def cancel_run(ask: Ask) -> Response:
    """Cancel a run; a second time, its cleaning up too."""
    header = ask.office.run(ask.actor, ask.path("run"))
    body = await body_of(ask.request, CancelBody, required=False)
    reason = ask.office.starter.refused(ask.actor, "run", header.project)
    if reason:
        raise Forbidden(reason)
    await ask.office.engine.tell(header.number, RunCancelled(message=body.message), actor=ask.actor.name)
    return answered(_shape(ask, ask.office.engine.runs.header(header.number)))


async def list_events(ask: Ask) -> Response:
    """The log over everything that the asker may view, newest first."""
    query, limit = ask.request.query_params, limit_of(ask.request)
    wanted = EntryFilter(
        projects=["", *ask.office.projects(ask.actor)],
        type=query.get("type"),
        actor=query.get("actor"),
        since=since_of(ask.request),
        before=cursor_of(ask.request),
        limit=limit + 1,
    )
    items = [entry_shape(entry) for entry in ask.office.events.listed(wanted)]
    return answered(page_of(items, limit, lambda item: int(item["id"])))


_RUN_FILTERS = ("state", "workflow", "started_by", "metadata", "since")
CALLS = (
    Call(method="POST", path="/runs", answer=create_run, says=create_run.__doc__ or "", body=RunBody, status=201),
    Call(method="GET", path="/runs", answer=list_runs, says=list_runs.__doc__ or "", parameters=_RUN_FILTERS),
    Call(method="GET", path="/runs/{run}", answer=one_run, says=one_run.__doc__ or ""),
    Call(method="GET", path="/runs/{run}/events", answer=run_events, says=run_events.__doc__ or ""),
    Call(
        method="GET",
        path="/runs/{run}/steps/{key}/log",
        answer=step_log,
        says=step_log.__doc__ or "",
        parameters=("attempt", "offset"),
    ),
    Call(method="POST", path="/runs/{run}/cancel", answer=cancel_run, says=cancel_run.__doc__ or "", body=CancelBody),
    Call(
        method="GET",
        path="/events",
        answer=list_events,
        says=list_events.__doc__ or "",
        parameters=("type", "actor", "since"),
    ),
)
