"""Requests that never end: the head and the body have their time, with the real server and a short patience."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import create_server, socket

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fakes.raw import answered, connected, head, raw
from pointsman.model.problem import Unavailable
from pointsman.web.bodies import BadRequestError
from pointsman.web.errors import error_handler, problem_response
from pointsman.web.guard import Guard
from pointsman.web.patience import PatientProtocol
from pointsman.web.streams import MOST_STREAMS, Events, stream_response

HALF_SENT = 50


async def _length(request: Request) -> Response:
    return JSONResponse(len(await request.body()))


async def _unread(_: Request) -> Response:
    return JSONResponse("not looked at")


@contextmanager
def _server() -> Iterator[str]:
    """The address of a server with nothing behind its guard but one route that reads and one that does not."""
    listener = create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    handle = error_handler(lambda _, status, says, hint: problem_response(status, says, hint))
    app = Starlette(
        routes=[Route("/", _length, methods=["GET", "POST"]), Route("/unread", _unread, methods=["POST"])],
        exception_handlers={BadRequestError: handle, HTTPException: handle},
    )
    guarded = Guard(app, hosts=frozenset({host}), tls=False)
    config = uvicorn.Config(guarded, log_config=None, http=PatientProtocol, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listener]),))
    thread.start()
    try:
        yield f"http://{host}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("pointsman.web.patience.HEAD_SECONDS", 0.3)
    monkeypatch.setattr("pointsman.web.guard.BODY_SECONDS", 0.3)
    with _server() as url:
        yield url


def _half_sent(url: str, data: bytes) -> list[socket]:
    connections = [connected(url) for _ in range(HALF_SENT)]
    for connection in connections:
        connection.sendall(data)
    return connections


@pytest.mark.parametrize("data", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nA: b", b"\r\n\r\n\r\n"])
def test_a_head_that_does_not_end_is_closed_and_others_are_served(url: str, data: bytes) -> None:
    """Nobody holds connections with half a request."""
    connections = _half_sent(url, data)
    assert raw(url, head(url, "GET", "/")).body == b"0"
    assert {answered(connection).status for connection in connections} == {0}
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("length", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_arrive_is_answered_408_and_others_are_served(url: str, length: str) -> None:
    """Nobody holds handlers with half a body."""
    connections = _half_sent(url, head(url, "POST", "/", [length]) + b"5\r\nhello\r\n")
    assert raw(url, head(url, "POST", "/", ["Content-Length: 5"]) + b"hello").body == b"5"
    assert {answered(connection).status for connection in connections} == {408}
    for connection in connections:
        connection.close()


def test_a_body_that_nobody_reads_holds_no_connection(url: str) -> None:
    """The answer closes it, though the request asked to keep it."""
    request = head(url, "POST", "/unread", ["Transfer-Encoding: chunked"]).replace(b"Connection: close", b"Accept: */*")
    with connected(url) as connection:
        connection.sendall(request + b"5\r\nhello\r\n")
        answer = answered(connection)
    assert (answer.status, answer.headers["connection"]) == (200, "close")


def test_a_connection_without_a_body_is_kept(url: str) -> None:
    """Two requests, one connection."""
    request = head(url, "GET", "/").replace(b"Connection: close\r\n", b"")
    with connected(url) as connection:
        for data in (request, head(url, "GET", "/")):
            connection.sendall(data)
            assert connection.recv(12) == b"HTTP/1.1 200"
            while not connection.recv(4096).endswith(b"0"):
                pass


def test_streams_are_capped() -> None:
    """One more than 500 is told to come later; nothing is kept of it."""

    class Office:
        streams = MOST_STREAMS

    async def nothing() -> Events:
        return
        yield

    with pytest.raises(Unavailable, match="too many live views are open"), suppress(StopIteration):
        stream_response(Office(), nothing())  # type: ignore[arg-type] # the only field that is looked at
    assert Office.streams == MOST_STREAMS
