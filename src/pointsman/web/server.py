"""The HTTP server: where it listens, and how signals end it."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from pointsman.model.problem import Unavailable
from pointsman.web.patience import PatientProtocol

STOP_SECONDS = 2


def bound(host: str, port: int) -> socket.socket:
    """The listening socket; `Unavailable` with what to do if the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}",
            hint="another program has this port: stop it, or give another --listen",
        ) from error
    return listener


class Server(uvicorn.Server):
    """uvicorn's server; signals end it in good order, and it does not send them to itself again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop_on_signals(self, drain: Callable[[], None]) -> None:
        """From now on TERM and INT start nothing new and end the server."""

        def stop() -> None:
            drain()
            self.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)


def server_for(app: ASGIApp) -> Server:
    """The server for an application, within the limits that this daemon promises."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=30,
    )
    return Server(config)
