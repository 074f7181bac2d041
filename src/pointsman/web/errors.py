"""Errors as people and programs read them: `application/problem+json` for the API, a page for the rest."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from pointsman.access.login import Throttled
from pointsman.model.problem import (
    Forbidden,
    Invalid,
    NotFound,
    PointsmanError,
    Problem,
    Refused,
    Unavailable,
)
from pointsman.web.asking import NotLoggedInError
from pointsman.web.bodies import BadRequestError

log = logging.getLogger("pointsman.web")
Handler = Callable[[Request, Exception], Awaitable[Response]]


def status_of(error: Exception) -> int:
    """The HTTP status for an error."""
    for kind, status in (
        (NotLoggedInError, 401),
        (Throttled, 429),
        (Forbidden, 403),
        (NotFound, 404),
        (Invalid, 422),
        (Unavailable, 503),
    ):
        if isinstance(error, kind):
            return status
    if isinstance(error, Refused | BadRequestError):
        return error.status
    return error.status_code if isinstance(error, HTTPException) else 500


def problem_json(problem: Problem) -> dict[str, Any]:
    """One problem as the API and `validate --format json` show it."""
    return {
        "path": problem.place.path,
        "line": problem.place.line,
        "column": problem.place.column,
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
    }


def words_of(error: Exception) -> tuple[str, str]:
    """The sentence about an error, and what to do."""
    if isinstance(error, PointsmanError):
        return error.says, error.hint
    if isinstance(error, BadRequestError):
        return error.says, ""
    if isinstance(error, HTTPException):
        return HTTPStatus(error.status_code).phrase, ""
    return "something went wrong in the daemon; its log says more", ""


def problem_response(status: int, says: str, hint: str = "", errors: Sequence[Problem] = ()) -> Response:
    """An `application/problem+json` answer."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": says,
        "hint": hint,
        "errors": [problem_json(problem) for problem in errors],
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body, status, media_type="application/problem+json", headers=headers)


def error_handler(page: Callable[[Request, int, str, str], Response]) -> Handler:
    """The one place where errors become answers; `page` makes one for people."""

    async def handle(request: Request, error: Exception) -> Response:
        response = answer(request, error)
        if isinstance(error, Throttled):
            response.headers["Retry-After"] = str(error.retry_after_seconds)
        return response

    def answer(request: Request, error: Exception) -> Response:
        status = status_of(error)
        says, hint = words_of(error)
        if status == 500:
            log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        if request.url.path.startswith("/api/") or request.url.path in {"/healthz", "/readyz"}:
            errors = error.problems if isinstance(error, Invalid) else ()
            return problem_response(status, says, hint, errors)
        if status == 401 and request.method in {"GET", "HEAD"}:
            return RedirectResponse(f"/login?next={request.url.path}", 303)
        return page(request, status, says, hint)

    return handle
