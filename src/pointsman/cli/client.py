"""The daemon's HTTP API as the command line asks it: JSON or text back, or an error that has its exit code."""

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, urlsplit

import click

from pointsman import __version__
from pointsman.cli.output import Finding, RunRefused
from pointsman.model.problem import Forbidden, NotFound, PointsmanError, Refused, Unavailable

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 30.0
PAGE = 200
Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One server-sent event. `id` is what to go on from after a break."""

    event: str
    id: str
    data: str


class Client:
    """The API of one daemon. Every call may raise `Unavailable` if the daemon is away, `Forbidden` if nobody is
    logged in or they may not, `NotFound`, and `Refused`.
    """

    def __init__(self, server: str) -> None:
        url = urlsplit(server if "://" in server else f"http://{server}")
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise click.BadParameter(f"{server!r} is no address such as http://127.0.0.1:8484", param_hint="--server")
        self.server = url.geturl().rstrip("/")
        self._is_local = url.hostname in {"127.0.0.1", "localhost", "::1"}
        self._client: httpx.Client | None = None

    def get(self, path: str, **query: object) -> Json:
        """The JSON that a GET answers; parameters that are None are left out."""
        return _json(self._asked("GET", path, params=_given(query)), self.server)

    def post(self, path: str, body: Mapping[str, Any]) -> Json:
        """The JSON that a POST answers. A repeat of the request by the network does nothing twice."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return _json(self._asked("POST", path, json=body, headers=headers), self.server)

    def text(self, path: str, **query: object) -> bytes:
        """The bytes that a GET answers."""
        return bytes(self._asked("GET", path, params=_given(query)).content)

    def items(self, path: str, *, most: int, **query: object) -> Iterator[Json]:
        """The items of a list, over its pages, up to `most`."""
        cursor = None
        while most > 0:
            page = self.get(path, limit=min(most, PAGE), cursor=cursor, **query)
            yield from page["items"][:most]
            most -= len(page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def events(self, path: str, *, after: str) -> Iterator[StreamEvent]:
        """The events of a stream from after an id on, until the daemon ends it or the connection breaks."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": after}
        with self._translated(), self._open().stream("GET", self._address(path), headers=headers) as answer:
            if answer.status_code != 200:
                answer.read()
                _raise(answer, self.server)
            yield from stream_events(answer.iter_lines())

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()

    def _asked(self, method: str, path: str, **more: Any) -> "httpx.Response":  # noqa: ANN401 - passed on to httpx
        with self._translated():
            answer = self._open().request(method, self._address(path), **more)
        if not answer.is_success:
            _raise(answer, self.server)
        return answer

    def _address(self, path: str) -> str:
        return f"{self.server}/api/v1/{path}"

    def _open(self) -> "httpx.Client":
        if self._client is None:
            import httpx  # noqa: PLC0415 - it takes a tenth of a second, which commands without a daemon need not wait

            token = os.environ.get("POINTSMAN_TOKEN", "").strip()
            headers = {"User-Agent": f"pointsman/{__version__}", "Accept": "application/json"}
            if token:
                headers["Authorization"] = f"Bearer {token}"
            # a proxy that is set for the world must not be asked for this machine
            self._client = httpx.Client(timeout=TIMEOUT_SECONDS, headers=headers, trust_env=not self._is_local)
        return self._client

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import httpx  # noqa: PLC0415 - as above

        try:
            yield
        except httpx.ConnectError as error:
            if "CERTIFICATE" in str(error).upper():
                raise PointsmanError(
                    f"the certificate of {self.server} is not trusted: {error}",
                    hint="name the file of its authority in SSL_CERT_FILE",
                ) from error
            raise Unavailable(
                f"no daemon answers at {self.server}",
                hint="start one with: pointsman serve, or name another with --server",
            ) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            raise click.BadParameter(f"{self.server!r} cannot be asked: {error}", param_hint="--server") from error
        except httpx.TransportError as error:
            raise Unavailable(
                f"the daemon at {self.server} did not answer: {str(error) or type(error).__name__}",
                hint="try again later",
            ) from error


def daemon_at(server: str) -> Client:
    """The daemon at this address, for as long as the command runs."""
    client = Client(server)
    click.get_current_context().call_on_close(client.close)
    return client


def part(name: str) -> str:
    """A name as one part of an address."""
    return quote(name, safe=":@")


def stream_events(lines: Iterator[str]) -> Iterator[StreamEvent]:
    """The events in the lines of a `text/event-stream`; comments and events without data are passed over."""
    fields: dict[str, str] = {}
    seen = ""
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name == "data" and name in fields else value
            continue
        seen = fields.get("id", seen)
        if "data" in fields:
            yield StreamEvent(event=fields.get("event", "message"), id=seen, data=fields["data"])
        fields = {}


def _given(query: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _json(answer: "httpx.Response", server: str) -> Json:
    try:
        return answer.json()
    except ValueError:
        raise _stranger(server) from None


def _stranger(server: str) -> PointsmanError:
    return PointsmanError(
        f"what answers at {server} is no Pointsman daemon", hint="name the daemon's URL with --server"
    )


def _raise(answer: "httpx.Response", server: str) -> NoReturn:
    """The answer as the error that it tells of."""
    try:
        told = json.loads(answer.content)
    except ValueError:
        told = None
    status = answer.status_code
    if not isinstance(told, dict) or "detail" not in told:
        if status in {502, 503, 504}:
            raise Unavailable(f"the daemon behind {server} is away ({status})", hint="try again later")
        raise _stranger(server)
    says, hint = str(told["detail"]), str(told.get("hint") or "")
    if status == 401:
        raise Forbidden(says, hint=f"{hint or 'log in'}; the token is taken from POINTSMAN_TOKEN")
    if status == 403:
        raise Forbidden(says, hint=hint)
    if status == 404:
        raise NotFound(says, hint=hint)
    if status == 422:
        raise RunRefused(says, [Finding.read(error) for error in told.get("errors", ())], hint=hint)
    if status in {409, 410}:
        raise Refused(says, status=status, hint=hint)
    if status in {429, 502, 503, 504}:
        raise Unavailable(says, hint=hint)
    raise PointsmanError(says, hint=hint)
