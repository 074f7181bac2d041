"""What stands before every route: host names, odd paths, sizes, time limits, and headers on every answer."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1024 * 1024
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


class _RefusedError(Exception):
    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status, self.says = status, says


class Guard:
    """Wraps the application. `hosts` are the names it answers to; `tls` adds a promise of TLS."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], tls: bool) -> None:
        self._app, self._hosts = app, hosts
        self._headers = {**HEADERS, **({"Strict-Transport-Security": "max-age=31536000"} if tls else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it before anything looks at it."""
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    if not (name == "Cache-Control" and "cache-control" in headers):
                        headers[name] = value
            await send(message)

        try:
            self._check(scope)
            limited = _Limited(receive, _declared_length(scope))
        except _RefusedError as error:
            await _answer(error, scope, receive, with_headers)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await with_headers(message)

        try:
            await self._app(scope, limited, noted)
        except _RefusedError as error:
            if not started:
                await _answer(error, scope, receive, with_headers)

    def _check(self, scope: Scope) -> None:
        raw = scope.get("raw_path") or scope["path"].encode()
        lowered = raw.lower()
        if any(part in lowered for part in _ODD) or len(raw) > 4000 or b"/../" in lowered + b"/":
            raise _RefusedError(400, "this address has characters that no address here has")
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or hosts[0].decode("latin-1").lower() not in self._hosts:
            raise _RefusedError(421, "this daemon does not answer under this host name; see external_url and listen")
        if sum(1 for name, _ in scope["headers"] if name == b"authorization") > 1:
            raise _RefusedError(401, "more than one Authorization header")


def _declared_length(scope: Scope) -> int:
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if not declared.isdigit():
        raise _RefusedError(400, "Content-Length is no number")
    if int(declared) > LARGEST_BODY:
        raise _RefusedError(413, f"the body is larger than {LARGEST_BODY} bytes")
    return int(declared)


class _Limited:
    """`receive` with a count of bytes and an end of patience."""

    def __init__(self, receive: Receive, declared: int) -> None:
        self._receive, self._seen, self._declared = receive, 0, declared
        self._end = asyncio.get_running_loop().time() + BODY_SECONDS
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()
        left = self._end - asyncio.get_running_loop().time()
        try:
            message = await asyncio.wait_for(self._receive(), max(left, 0.001))
        except TimeoutError:
            raise _RefusedError(408, f"the body did not arrive within {BODY_SECONDS:.0f} s") from None
        self._seen += len(message.get("body", b""))
        if self._seen > LARGEST_BODY:
            raise _RefusedError(413, f"the body is larger than {LARGEST_BODY} bytes")
        self._complete = not message.get("more_body", False)
        return message


async def _answer(error: _RefusedError, scope: Scope, receive: Receive, send: Send) -> None:
    body: dict[str, Any] = {"type": "about:blank", "title": error.says, "status": error.status, "detail": error.says}
    response = JSONResponse(
        body, error.status, headers={"Connection": "close"}, media_type="application/problem+json"
    )  # fmt: skip
    await response(scope, receive, send)
