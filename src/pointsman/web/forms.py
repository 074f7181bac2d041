"""What people send: decisions, cancellations, logins; and the stream that keeps a run's page up to date."""

import asyncio
from collections.abc import Mapping
from urllib.parse import quote

from sse_starlette import ServerSentEvent
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pointsman.engine.decide import Verdict
from pointsman.model.event import RunCancelled
from pointsman.model.problem import Forbidden, PointsmanError
from pointsman.model.run import OPEN_RUN_STATES, Row
from pointsman.web.asking import (
    NotLoggedInError,
    actor_of,
    check_form,
    check_origin,
    cookie_name,
    form_token,
    office_of,
)
from pointsman.web.bodies import LONGEST_MESSAGE, BadRequestError
from pointsman.web.live import Mark, title_data
from pointsman.web.log import LogLine
from pointsman.web.pages import Visit, found_gate
from pointsman.web.present import chosen_place
from pointsman.web.railway import changed_places
from pointsman.web.render import Frame, fragments, render
from pointsman.web.run_page import RunPage
from pointsman.web.streams import Events, stream_response

COALESCE_SECONDS = 0.15
LOG_SECONDS = 0.4
SESSION_SECONDS = 12 * 3600


async def form_of(request: Request) -> FormData:
    """A form that came from our own page; anything else is refused."""
    form = await request.form(max_files=0, max_fields=200)
    check_form(request, text_of(form, "csrf"))
    return form


def text_of(form: FormData, name: str) -> str:
    """A field as text; empty if it is not there."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


async def decide(request: Request) -> Response:
    """A decision from the gate's page."""
    visit = Visit.of(request)
    form = await form_of(request)
    found = found_gate(visit)
    word, opening = text_of(form, "decision"), text_of(form, "opening")
    if word not in {"continue", "approve", "reject"} or not opening.isdigit():
        raise BadRequestError("this form is not complete; open the gate again")
    verdict = Verdict(
        decision=word,  # type: ignore[arg-type] # checked above
        message=text_of(form, "message").strip()[:LONGEST_MESSAGE],
        opening=int(opening),
        digest=text_of(form, "digest"),
    )
    policy = visit.office.catalog.policy(found.header.project)
    await visit.office.gates.decide(found, visit.actor, verdict, policy)
    return RedirectResponse(f"/runs/{found.header.number}?done={word}", 303)


async def cancel(request: Request) -> Response:
    """A cancellation from the run's page."""
    visit = Visit.of(request)
    form = await form_of(request)
    header = visit.office.run(visit.actor, request.path_params["number"])
    reason = visit.office.starter.refused(visit.actor, "run", header.project)
    if reason:
        raise Forbidden(reason)
    message = text_of(form, "message").strip()[:LONGEST_MESSAGE]
    await visit.office.engine.tell(header.number, RunCancelled(message=message), actor=visit.actor.name)
    return RedirectResponse(f"/runs/{header.number}?done=cancel", 303)


def _local(address: str) -> str:
    """An address on this daemon, whatever was asked for."""
    good = address.startswith("/") and not address.startswith(("//", "/\\")) and "\n" not in address
    return address if good else "/"


def _login_page(request: Request, *, error: str = "", user: str = "", to: str = "/", status: int = 200) -> Response:
    frame = Frame(csrf=form_token(request), now=office_of(request).now())
    return HTMLResponse(render("login.html", frame=frame, error=error, user=user, next=_local(to)), status)


async def login_page(request: Request) -> Response:
    """Where people log in."""
    to = request.query_params.get("next", "/")
    try:
        actor_of(request)
    except NotLoggedInError:
        return _login_page(request, to=to)
    return RedirectResponse(_local(to), 303)


async def login(request: Request) -> Response:
    """A login: always a new session, so that none can be given to anybody beforehand."""
    check_origin(request)
    form = await request.form(max_files=0, max_fields=20)
    office = office_of(request)
    user, to = text_of(form, "user"), text_of(form, "next")
    address = request.client.host if request.client else ""
    now = office.now()
    try:
        actor = await asyncio.to_thread(office.login.login, user, text_of(form, "password"), address, now)
    except Forbidden as error:
        return _login_page(request, error=error.says, user=user[:200], to=to, status=403)
    old = request.cookies.get(cookie_name(office), "")
    if old:
        office.login.close_session(old)
    session = office.login.open_session(actor, now)
    office.events.add("logged_in", at=now, actor=actor.name, body={"address": address})
    response = RedirectResponse(_local(quote(to, safe="/?=&:,.-_~%")), 303)
    response.set_cookie(
        cookie_name(office),
        session,
        max_age=SESSION_SECONDS,
        path="/",
        secure=cookie_name(office).startswith("__Host-"),
        httponly=True,
        samesite="lax",
    )
    return response


async def logout(request: Request) -> Response:
    """The end of a session, on the server too."""
    office = office_of(request)
    await form_of(request)
    office.login.close_session(request.cookies.get(cookie_name(office), ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(
        cookie_name(office), path="/", secure=cookie_name(office).startswith("__Host-"), httponly=True
    )
    return response


async def live(request: Request) -> Response:
    """What changes on a run's page, as it changes."""
    visit = Visit.of(request)
    header = visit.office.run(visit.actor, request.path_params["number"])
    mark = Mark.parse(request.headers.get("last-event-id") or request.query_params.get("after", ""))
    step, attempt = request.query_params.get("step"), request.query_params.get("attempt", "")
    watch = _Watch(visit, header.number, mark, step, int(attempt) if attempt.isdigit() else 0)
    watch.follows = request.query_params.get("follow") == "1"
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    return stream_response(visit.office, watch.events())


class _Watch:
    """One open page: what it has seen, and what to send next."""

    def __init__(self, visit: Visit, number: int, mark: Mark, step: str | None, attempt: int) -> None:
        self.visit, self.number, self.mark, self.step, self.attempt = visit, number, mark, step, attempt
        self.follows = False
        self.line = 0
        self.title = ""

    async def events(self) -> Events:
        """Messages until the run is over, the person may no longer see it, or the daemon stops."""
        engine = self.visit.office.engine
        with engine.feed.following(self.number) as news:
            page = self._page()
            before: Mapping[int, Row] = page.snapshot() if page.header.seq == self.mark.seq else {}
            while True:
                news.clear()
                page = self._page()
                data = self._changes(page, before)
                before = page.snapshot()
                if data.strip():
                    yield ServerSentEvent(data, id=str(self.mark), event="html")
                view = page.view(None, with_tree=False)
                if view.title != self.title:
                    self.title = view.title
                    yield ServerSentEvent(title_data(view.title, view.icon), id=str(self.mark), event="title")
                if page.header.state not in OPEN_RUN_STATES:
                    yield ServerSentEvent("", event="done")
                    return
                if engine.stopping:
                    return  # without `done`: the browser comes back to the next daemon
                await asyncio.sleep(COALESCE_SECONDS)
                try:
                    async with asyncio.timeout(LOG_SECONDS if page.run.running else 15):
                        await news.wait()
                except TimeoutError:
                    continue

    def _page(self) -> RunPage:
        office = self.visit.office
        try:
            actor = actor_of(self.visit.request)
            office.run(actor, str(self.number))
        except PointsmanError:
            raise asyncio.CancelledError from None
        return RunPage.of(office, actor, self.number, now=office.now())

    def _changes(self, page: RunPage, before: Mapping[int, Row]) -> str:
        """The fragments that bring the page from what it has seen to what is."""
        place = chosen_place(page.plan, page.run.rows, None if self.follows else self.step)
        key, attempt = page.plan.steps[place].key, page.run.row(place).attempt
        changed = changed_places(before, page.run.rows)
        entries = page.records(self.mark.seq)
        detail, end = None, self.mark.offset
        lines: list[LogLine] = []
        if key != self.step or attempt != self.attempt or place in changed:
            detail = page.detail(place, None, follows=self.follows)
            self.step, self.attempt, end = key, attempt, detail.log.end
            self.line = detail.log.earlier + len(detail.log.lines) + 1
        elif attempt:
            self.line = self.line or page.line_at(place, attempt, end)
            lines, end = page.new_lines(place, attempt, end, number=self.line)
            self.line += len(lines)
        self.mark = Mark(page.header.seq, end)
        return fragments(
            run=page.view(None, with_tree=False) if changed or entries else None,
            rows=page.rows(changed, place) if changed else (),
            detail=detail,
            lines=lines,
            entries=entries,
        )
