"""What machines ask at the root, without a login, and the login for scripts."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from pointsman.model.problem import Refused
from pointsman.model.run import RunState
from pointsman.web.asking import check_origin, office_of
from pointsman.web.bodies import TokenBody, body_of
from pointsman.web.shapes import moment

TOKEN_SECONDS = 90 * 86400


async def healthz(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The refs were looked at and judged once."""
    office = office_of(request)
    ready = office.follower.ready.is_set()
    trouble = office.follower.trouble
    body = {"status": "ready" if ready else "starting", "trouble": trouble}
    return JSONResponse(body, 200 if ready else 503)


async def version(request: Request) -> Response:
    """Which Pointsman this is."""
    return JSONResponse({"version": office_of(request).version})


async def metrics(request: Request) -> Response:
    """How many runs there are in each state, in Prometheus' text format."""
    office = office_of(request)
    counts = office.engine.runs.counts(sorted(office.catalog.project_codes()))
    lines = ["# HELP pointsman_runs Runs by state.", "# TYPE pointsman_runs gauge"]
    lines += [f'pointsman_runs{{state="{state}"}} {counts.get(state, 0)}' for state in RunState]
    return PlainTextResponse("\n".join(lines) + "\n")


async def create_token(request: Request) -> Response:
    """A token for a name and a password."""
    check_origin(request)
    office = office_of(request)
    body = await body_of(request, TokenBody)
    if office.operator_mode:
        raise Refused("there are no users here, and no token is needed", hint="add one: pointsman user add NAME")
    now = office.now()
    address = request.client.host if request.client else ""
    actor = await asyncio.to_thread(office.login.login, body.user, body.password, address, now)
    expires = now + (body.expires_in or TOKEN_SECONDS)
    token = office.login.issue_token(actor, expires_at=expires)
    office.events.add("token_created", at=now, actor=actor.name, body={"expires_at": expires})
    return JSONResponse({"token": token, "expires_at": moment(expires)}, 201)
