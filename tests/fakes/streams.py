"""Server-sent events as a browser would read them, over a plain socket, so that a test can leave in the middle."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from fakes.daemon import Daemon

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream."""

    id: str = ""
    event: str = ""
    data: str = ""


class Stream:
    """One open stream; `status` is its HTTP status."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()

    def messages(self) -> Iterator[Message]:
        """Every message until the server ends the stream."""
        fields: dict[str, list[str]] = {}
        for line in self._lines():
            if line:
                name, _, value = line.partition(":")
                fields.setdefault(name, []).append(value.removeprefix(" "))
            elif fields.keys() - {""}:
                joined = {name: "\n".join(values) for name, values in fields.items() if name in {"id", "event", "data"}}
                yield Message(**joined)
                fields = {}
            else:
                fields = {}

    def _lines(self) -> Iterator[str]:
        rest = b""
        while (size := int(self._file.readline().strip() or b"0", 16)) > 0:
            rest += self._file.read(size)
            self._file.readline()
            *lines, rest = rest.split(b"\n")
            for line in lines:
                yield line.rstrip(b"\r").decode()

    def close(self) -> None:
        """Leave."""
        self._file.close()


@contextmanager
def streamed(daemon: Daemon, path: str, **headers: str) -> Iterator[Stream]:
    """A stream below `/api/v1`."""
    url = urlsplit(daemon.url)
    lines = [
        f"GET /api/v1/{path} HTTP/1.1", f"Host: {url.netloc}", "Accept: text/event-stream", "Connection: close",
        f"Authorization: Bearer {daemon.token}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]  # fmt: skip
    with socket.create_connection((url.hostname, url.port), timeout=PATIENCE) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        stream = Stream(connection)
        try:
            yield stream
        finally:
            stream.close()
