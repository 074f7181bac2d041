"""What stands before every route: host names, odd paths, sizes, time limits, and headers on every answer."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pointsman.web.bodies import BadRequestError

LARGEST_BODY = 1024 * 1024
LONGEST_NUMBER = 15
BODY_SECONDS = 20.0
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_ODD = (b"%2f", b"%5c", b"%00", b"%0a", b"%0d", b"\\", b";", b"//")


class Guard:
    """Wraps the application. `hosts` are the names it answers to; `tls` adds a promise of TLS."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], tls: bool) -> None:
        self._app, self._hosts = app, hosts
        self._headers = {**HEADERS, **({"Strict-Transport-Security": "max-age=31536000"} if tls else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it before anything looks at it."""
        if scope["type"] != "http":
            return

        body: _Limited | None = None

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    if not (name == "Cache-Control" and "cache-control" in headers):
                        headers[name] = value
                if body is None or not body.ended:
                    # what is still to come of the body is nobody's any more, and may come for ever
                    headers["Connection"] = "close"
                if body is not None:
                    body.answering = True
            await send(message)

        try:
            self._check(scope)
            body = _Limited(receive, _declared_length(scope))
        except BadRequestError as error:
            await _answer(error, scope, receive, with_headers)
            return
        await self._app(scope, body, with_headers)

    def _check(self, scope: Scope) -> None:
        raw = scope.get("raw_path") or scope["path"].encode()
        lowered = raw.lower()
        if any(part in lowered for part in _ODD) or len(raw) > 4000 or b"/../" in lowered + b"/":
            raise BadRequestError("this address has characters that no address here has")
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or hosts[0].decode("latin-1").lower() not in self._hosts:
            raise BadRequestError(
                "this daemon does not answer under this host name; see external_url and listen", status=421
            )
        if sum(1 for name, _ in scope["headers"] if name == b"authorization") > 1:
            raise BadRequestError("more than one Authorization header", status=401)


def _declared_length(scope: Scope) -> int | None:
    """The length of the body; None if the request does not tell it beforehand."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit():
        raise BadRequestError("Content-Length is no number")
    if len(declared) > LONGEST_NUMBER or int(declared) > LARGEST_BODY:
        raise _too_large()
    return int(declared)


def _too_large() -> BadRequestError:
    return BadRequestError(f"the body is larger than {LARGEST_BODY} bytes", status=413)


class _Limited:
    """`receive` with a count of bytes and an end of patience. `ended`: all of the body is there."""

    def __init__(self, receive: Receive, declared: int | None) -> None:
        self._receive, self._seen = receive, 0
        self._end = asyncio.get_running_loop().time() + BODY_SECONDS
        self.ended, self.answering = declared == 0, False

    async def __call__(self) -> Message:
        if self.ended:
            return await self._receive()
        left = self._end - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(left, 0.001)):
                message = await self._receive()
        except TimeoutError:
            if self.answering:
                return {"type": "http.disconnect"}
            raise BadRequestError(f"the body did not arrive within {BODY_SECONDS:g} s", status=408) from None
        self._seen += len(message.get("body", b""))
        if self._seen > LARGEST_BODY:
            raise _too_large()
        self.ended = not message.get("more_body", False)
        return message


async def _answer(error: BadRequestError, scope: Scope, receive: Receive, send: Send) -> None:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.says,
    }
    response = JSONResponse(body, error.status, media_type="application/problem+json")
    await response(scope, receive, send)
