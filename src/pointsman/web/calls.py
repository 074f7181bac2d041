"""One API call: what it needs before its handler sees it, and how it is told about in the OpenAPI document."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pointsman.access.people import Actor
from pointsman.model.problem import Refused
from pointsman.store.accounts import Answered
from pointsman.web.asking import actor_of, check_change, office_of
from pointsman.web.office import Office

PREFIX = "/api/v1"
LONGEST_KEY = 200
BEGUN = "\nbegun"  # no key ends so: a header has no line breaks


@dataclass(frozen=True, slots=True)
class Ask:
    """A request whose asker is known."""

    request: Request
    office: Office
    actor: Actor

    def path(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params[name])


Answering = Callable[[Ask], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A route of the API. `body` is the model of what is sent."""

    method: str
    path: str
    answer: Answering
    says: str
    body: type[BaseModel] | None = None
    status: int = 200
    parameters: tuple[str, ...] = field(default=())

    def route(self) -> Route:
        """The Starlette route, with identity and same-origin proof before the handler."""

        async def endpoint(request: Request) -> Response:
            ask = Ask(request, office_of(request), actor_of(request))
            if self.method == "GET":
                return await self.answer(ask)
            check_change(request)
            key = request.headers.get("idempotency-key", "")
            return await (_once(ask, key, self.answer) if key else self.answer(ask))

        return Route(PREFIX + self.path, endpoint, methods=[self.method])


_locks: "WeakValueDictionary[tuple[str, str], asyncio.Lock]" = WeakValueDictionary()


async def _once(ask: Ask, key: str, answer: Answering) -> Response:
    """The answer of the first request with this key, whatever happens meanwhile; another body is refused."""
    if len(key) > LONGEST_KEY:
        raise Refused("the Idempotency-Key is too long", status=422)
    body = await ask.request.body()
    asked = hashlib.sha256(b"\0".join((ask.request.url.path.encode(), body))).hexdigest()
    rows = ask.office.accounts.rows
    lock = _locks.setdefault((ask.actor.name, key), asyncio.Lock())
    async with lock:
        known = rows.answered(ask.actor.name, key)
        begun = known or rows.answered(ask.actor.name, key + BEGUN)
        if begun is not None and begun.asked != asked:
            raise Refused("this Idempotency-Key was used for another request", status=422)
        if known is not None:
            return Response(known.body, known.status, media_type="application/json")
        if begun is None:
            # before the deed: after a kill between the deed and its answer, the key must not fit another request
            rows.remember(ask.actor.name, key + BEGUN, Answered(asked=asked, status=0, body=""), at=ask.office.now())
        response = await answer(ask)
        if response.status_code < 300 and isinstance(response, JSONResponse):
            given = Answered(asked=asked, status=response.status_code, body=bytes(response.body).decode())
            rows.remember(ask.actor.name, key, given, at=ask.office.now())
        return response


def run_id_for(ask: Ask) -> str:
    """A run id that is the same for repeats with one Idempotency-Key, also over a crash; empty without a key."""
    key = ask.request.headers.get("idempotency-key", "")
    return hashlib.sha256(f"{ask.actor.name}\0{key}".encode()).hexdigest()[:16] if key else ""


def answered(content: Any, status: int = 200) -> JSONResponse:  # noqa: ANN401 - JSON
    """A JSON answer."""
    return JSONResponse(content, status)
