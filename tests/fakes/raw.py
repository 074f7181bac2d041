"""HTTP as no client of good manners writes it: bytes over a socket, and the answer taken apart."""

import contextlib
import select
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from fakes.daemon import Answer, Daemon

PATIENCE = 30.0


def connected(url: str) -> socket.socket:
    """A new connection to the daemon at this address."""
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=PATIENCE)


def raw(url: str, *pieces: bytes) -> Answer:
    """What these bytes are answered; they are sent piece by piece, and no more once there is an answer."""
    with connected(url) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                if select.select([connection], [], [], 0)[0]:
                    break
                connection.sendall(piece)
        return answered(connection)


def head(url: str, method: str, path: str, headers: Iterable[str] = (), *, host: str | None = None) -> bytes:
    """The head of a request; `path` may be anything."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(url).netloc if host is None else host}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def sent(daemon: Daemon, method: str, path: str, *headers: str, body: bytes = b"") -> Answer:
    """What a request with the daemon's token is answered."""
    lines = [f"Authorization: Bearer {daemon.token}", *headers, *([f"Content-Length: {len(body)}"] if body else [])]
    return raw(daemon.url, head(daemon.url, method, path, lines) + body)


def answered(connection: socket.socket) -> Answer:
    """The answer that comes until the server closes; status 0 if there is none."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    start, _, body = data.partition(b"\r\n\r\n")
    first, *lines = start.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
    return Answer(int(first.split()[1]) if first else 0, headers, body)
