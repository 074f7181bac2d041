"""The pages: what each shows, and the routes of all of them."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pointsman.access.people import Actor
from pointsman.engine.decide import OpenGate
from pointsman.model.problem import NotFound, PointsmanError
from pointsman.model.run import RunState, StepState
from pointsman.store.runs import RunFilter
from pointsman.web.asking import NotLoggedInError, actor_of, form_token, office_of
from pointsman.web.bodies import cursor_of, number_of
from pointsman.web.gate_views import GateCard, gate_card, gate_view
from pointsman.web.office import Office
from pointsman.web.present import Filters, run_line
from pointsman.web.render import Flash, Frame, render
from pointsman.web.run_page import RunPage

RUNS_ON_A_PAGE = 50
DONE = {
    "continue": Flash("You continued the run."),
    "approve": Flash("You approved."),
    "reject": Flash("You rejected; the run ends."),
    "cancel": Flash("The run is being cancelled."),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """A page's request whose asker is known."""

    request: Request
    office: Office
    actor: Actor
    now: float

    @classmethod
    def of(cls, request: Request) -> "Visit":
        """The visit; `NotLoggedInError` if nobody is known to ask."""
        office = office_of(request)
        return cls(request, office, actor_of(request), office.now())

    def page(self, template: str, status: int = 200, **view: object) -> Response:
        """A template with everything around it."""
        mine = self.office.open_gates(self.actor, all_visible=False)
        return HTMLResponse(render(template, frame=frame_for(self, len(mine)), **view), status)

    def gate_cards(self, *, all_visible: bool) -> tuple[GateCard, ...]:
        """Open gates as cards; those that the actor may not decide only show."""
        return tuple(self._card(gate) for gate in self.office.open_gates(self.actor, all_visible=all_visible))

    def _card(self, gate: OpenGate) -> GateCard:
        may = not self.office.gates.reason_against(gate, self.actor, self.office.catalog.policy(gate.header.project))
        return gate_card(gate.header, gate.run.plan, gate.run.rows, gate.place, now=self.now, may=may)


def frame_for(visit: Visit, inbox: int) -> Frame:
    """What stands around a page for this person."""
    return Frame(
        me=visit.actor.name,
        csrf=form_token(visit.request),
        inbox=inbox,
        may_log_out=visit.actor.source != "operator",
        flash=DONE.get(visit.request.query_params.get("done", "")),
        now=visit.now,
    )


def error_page(request: Request, status: int, says: str, hint: str) -> Response:
    """An error for people."""
    office = office_of(request)
    try:
        frame = frame_for(Visit.of(request), 0)
    except NotLoggedInError:
        frame = Frame(csrf=form_token(request), now=office.now())
    return HTMLResponse(render("error.html", frame=frame, status=status, sentence=says, hint=hint), status)


async def runs(request: Request) -> Response:
    """Runs, newest first, with the open gates on top."""
    visit = Visit.of(request)
    query = request.query_params
    filters = Filters(
        state=query.get("state", ""), workflow=query.get("workflow", ""), started_by=query.get("started_by", "")
    )
    wanted = RunFilter(
        projects=visit.office.projects(visit.actor),
        states=[filters.state] if filters.state else None,
        workflow=filters.workflow or None,
        started_by=filters.started_by or None,
        before=cursor_of(request),
        limit=RUNS_ON_A_PAGE + 1,
    )
    engine = visit.office.engine
    found = engine.runs.listed(wanted)
    lines = tuple(
        run_line(
            header,
            now=visit.now,
            name=engine.runs.plan(header.plan_digest).name,
            blockers=engine.blockers(header),
        )
        for header in found[:RUNS_ON_A_PAGE]
    )
    kept = {name: value for name, value in query.items() if name in {"state", "workflow", "started_by"} and value}
    older = len(found) > RUNS_ON_A_PAGE
    visible = set(wanted.projects)
    return visit.page(
        "runs.html",
        gates=visit.gate_cards(all_visible=True),
        runs=lines,
        filters=filters,
        states=[state.value for state in RunState],
        workflows=[path for path, entry in visit.office.catalog.workflows.items() if entry.project in visible],
        next_href=f"/?{urlencode({**kept, 'cursor': lines[-1].number})}" if older else "",
    )


async def inbox(request: Request) -> Response:
    """The gates that wait for me."""
    visit = Visit.of(request)
    return visit.page("inbox.html", gates=visit.gate_cards(all_visible=False))


async def run(request: Request) -> Response:
    """One run: its tree, the log of a step, its record."""
    visit = Visit.of(request)
    header = visit.office.run(visit.actor, request.path_params["number"])
    page = RunPage.of(visit.office, visit.actor, header.number, now=visit.now)
    step, attempt = request.query_params.get("step"), number_of(request, "attempt")
    return visit.page("run.html", **page.whole(step, attempt))


async def gate(request: Request) -> Response:
    """One gate: what follows, who asks, who may, and the buttons."""
    visit = Visit.of(request)
    found = found_gate(visit)
    view = gate_page_view(visit, found)
    if request.headers.get("x-fragment") == "1":
        return HTMLResponse(render("_gate.html", frame=frame_for(visit, 0), gate=view))
    return visit.page("gate.html", gate=view)


def found_gate(visit: Visit) -> OpenGate:
    """The gate that an address names, if the visitor may view its run."""
    number, key = visit.request.path_params["number"], visit.request.path_params["key"]
    return visit.office.gate(visit.actor, f"{number}:{key}")


def gate_page_view(visit: Visit, found: OpenGate) -> Any:  # noqa: ANN401 - a view for the template
    """The gate as this person sees it."""
    barred, standing = "", ""
    if found.row.state is StepState.WAITING:
        try:
            way = visit.office.gates.way(found, visit.actor, visit.office.catalog.policy(found.header.project))
            standing = "named approver" if way.named else ", ".join(f"member of {group}" for group in way.groups)
        except PointsmanError as error:
            barred = error.says
    return gate_view(
        found.header,
        found.run.plan,
        found.run.rows,
        found.place,
        now=visit.now,
        me=visit.actor.name,
        barred=barred,
        standing=standing,
    )


async def missing(request: Request) -> Response:
    """Whatever is nowhere."""
    Visit.of(request)
    raise NotFound("there is no page at this address")


def routes() -> list[Route]:
    """Every page and every form."""
    from pointsman.web import forms, run_form, workflow_pages  # noqa: PLC0415 - they need `Visit`

    return [
        Route("/", runs),
        Route("/inbox", inbox),
        Route("/runs", runs),
        Route("/runs/new", run_form.new_run, methods=["GET", "POST"]),
        Route("/runs/{number}", run),
        Route("/runs/{number}/live", forms.live),
        Route("/runs/{number}/cancel", forms.cancel, methods=["POST"]),
        Route("/runs/{number}/gate/{key}", gate),
        Route("/runs/{number}/gate/{key}", forms.decide, methods=["POST"]),
        Route("/workflows", workflow_pages.workflows),
        Route("/workflows/{project}/{workflow}", workflow_pages.workflow),
        Route("/login", forms.login_page),
        Route("/login", forms.login, methods=["POST"]),
        Route("/logout", forms.logout, methods=["POST"]),
        Route("/{rest:path}", missing),
    ]
