"""The web application: every route in one place, denied unless its handler knows who asks."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from pointsman.model.problem import PointsmanError
from pointsman.web import api_gates, api_runs, api_schedules, api_workflows, health, pages
from pointsman.web.asking import actor_of
from pointsman.web.bodies import BadRequestError
from pointsman.web.calls import PREFIX
from pointsman.web.errors import error_handler
from pointsman.web.guard import Guard
from pointsman.web.office import Office
from pointsman.web.openapi import openapi

CALLS = (*api_workflows.CALLS, *api_runs.CALLS, *api_gates.CALLS, *api_schedules.CALLS)
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/version", "/login", "/static", PREFIX + "/tokens"})


async def _openapi(request: Request) -> Response:
    actor_of(request)
    return JSONResponse(openapi(CALLS, version=request.app.state.office.version))


def routes() -> list[BaseRoute]:
    """Every route there is."""
    return [
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", health.metrics),
        Route("/version", health.version),
        Route(PREFIX + "/tokens", health.create_token, methods=["POST"]),
        Route(PREFIX + "/openapi.json", _openapi),
        *(call.route() for call in CALLS),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
        *pages.routes(),
    ]


def build_app(office: Office) -> ASGIApp:
    """The application behind its guard."""
    handle = error_handler(pages.error_page)
    app = Starlette(
        routes=routes(),
        exception_handlers=dict.fromkeys((PointsmanError, BadRequestError, HTTPException, Exception), handle),
    )
    app.state.office = office
    return Guard(app, hosts=office.hosts, tls=office.external_url.startswith("https:"))
