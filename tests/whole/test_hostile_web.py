"""What anybody may send to the daemon: every route, odd addresses, forged headers, endless and broken bodies."""

import json
import re
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.routing import Mount, Route

from fakes.daemon import Daemon
from fakes.lab import LAB, served_lab, started
from fakes.raw import head, raw, sent
from pointsman.web.app import OPEN_PATHS, routes
from pointsman.web.guard import HEADERS, LARGEST_BODY

OPEN = {"/healthz", "/readyz", "/metrics", "/version", "/login", "/static", "/api/v1/tokens"}
JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with served_lab(tmp_path_factory.mktemp("hostile")) as daemon:
        daemon.run_in(started(daemon, "quick"), "succeeded")
        yield daemon


@pytest.fixture(scope="module")
def run(daemon: Daemon) -> int:
    """A run that waits."""
    run = started(daemon, "gated")
    daemon.run_in(run, "waiting")
    return run


# Every route


def _requests(run: int) -> Iterator[tuple[str, str]]:
    """Every method of every route, with what is there put into its address."""
    known = {"run": str(run), "number": str(run), "key": "1", "gate": f"{run}:1", "project": "lab", "workflow": "gated"}
    for route in routes():
        if isinstance(route, Route):
            path = re.sub(r"\{(\w+)(?::path)?\}", lambda match: known.get(match[1], "x"), route.path)
            for method in sorted(route.methods or ()):
                yield method, path
        else:
            assert isinstance(route, Mount)
            yield "GET", f"{route.path}/style.css"


def test_every_route_asks_who_is_there_except_the_open_ones(daemon: Daemon, run: int) -> None:
    """A new route is closed, or this test fails."""
    assert OPEN_PATHS == OPEN
    asked = 0
    for method, path in _requests(run):
        if path in OPEN or path.startswith("/static/"):
            continue
        answer = raw(daemon.url, head(daemon.url, method, path, [JSON, "Content-Length: 2"]) + b"{}")
        allowed = {401, 403} if path.startswith("/api/") or method == "POST" else {401, 403, 303}
        assert answer.status in allowed, (method, path, answer)
        assert answer.status != 303 or answer.headers["location"].startswith("/login?next="), path
        asked += 1
    assert asked > 40
    assert daemon.get(f"runs/{run}")["state"] == "waiting"


def test_head_on_every_get_has_no_effect_and_no_body(daemon: Daemon, run: int) -> None:
    """Starlette runs the handler of GET for HEAD."""
    before = (daemon.get("runs?limit=200"), daemon.get(f"runs/{run}"), daemon.get("events?limit=200"))
    for method, path in _requests(run):
        if method == "GET":
            answer = sent(daemon, "HEAD", path)
            assert (answer.status < 500, answer.body) == (True, b""), path
    assert (daemon.get("runs?limit=200"), daemon.get(f"runs/{run}"), daemon.get("events?limit=200")) == before


def test_other_methods_are_refused_on_every_route(daemon: Daemon, run: int) -> None:
    """No method means another one."""
    for path in sorted({path for _, path in _requests(run)}):
        for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT", "get"):
            answer = sent(daemon, method, path, "X-HTTP-Method-Override: GET")
            assert 400 <= answer.status < 500, (method, path)


def test_every_answer_has_the_protecting_headers_errors_too(daemon: Daemon, run: int) -> None:
    """No inline script, no frame, no guessing of types, nothing kept."""
    answers = [
        sent(daemon, "GET", path)
        for path in ("/", "/healthz", "/login", f"/runs/{run}", "/nowhere", "/api/v1/runs", "/api/v1/nowhere", "/a//b")
    ]
    answers += [
        raw(daemon.url, head(daemon.url, "GET", "/api/v1/runs", ["Authorization: Bearer wrong"])),
        sent(daemon, "POST", "/api/v1/runs", JSON, body=b"{"),
        sent(daemon, "DELETE", "/api/v1/runs"),
        raw(daemon.url, head(daemon.url, "GET", "/", host="evil.example")),
        raw(daemon.url, head(daemon.url, "POST", "/api/v1/runs", [f"Content-Length: {2 * LARGEST_BODY}"])),
    ]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name.lower()] == value.lower() or name == "Cache-Control", (name, answer)
            assert "server" not in answer.headers
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


# Whose request it is


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil.example:80", "127.0.0.1:80@evil", "[::1"]
)
def test_a_host_that_is_not_ours_is_answered_421(daemon: Daemon, host: str) -> None:
    """Names that an attacker points at this machine open nothing."""
    answer = raw(
        daemon.url, head(daemon.url, "GET", "/api/v1/runs", [f"Authorization: Bearer {daemon.token}"], host=host)
    )
    assert answer.status in {400, 421}
    assert b"quick" not in answer.body


def test_forwarded_names_change_no_link(daemon: Daemon) -> None:
    """Links are made of the daemon's own address."""
    forged = ("X-Forwarded-Host: evil.example", "X-Forwarded-Proto: gopher", "Forwarded: host=evil.example")
    for path in ("/api/v1/runs", "/", "/login"):
        answer = sent(daemon, "GET", path, *forged)
        assert answer.status in {200, 303}
        assert b"evil.example" not in answer.body
        assert "evil.example" not in json.dumps(answer.headers)


def test_two_hosts_or_none_are_refused(daemon: Daemon) -> None:
    """Nobody may choose which one counts."""
    host = urlsplit(daemon.url).netloc
    two = f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    none = "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n"
    assert [raw(daemon.url, text.encode()).status for text in (two, none)] == [421, 421]


@pytest.mark.parametrize(
    "headers",
    [
        ["Origin: https://evil.example"], ["Origin: null"], ["Sec-Fetch-Site: cross-site"],
        ["Sec-Fetch-Site: same-site"], ["Sec-Fetch-Site: cross-site", "Origin: {url}"],
    ],
)  # fmt: skip
def test_a_change_that_another_sites_page_asks_for_is_refused(daemon: Daemon, run: int, headers: list[str]) -> None:
    """Even with a good token."""
    forged = [header.format(url=daemon.url) for header in headers]
    for path, body in ((f"/api/v1/runs/{run}/cancel", b"{}"), ("/api/v1/tokens", b'{"user":"mira","password":"x"}')):
        assert sent(daemon, "POST", path, JSON, *forged, body=body).status == 403
    assert daemon.get(f"runs/{run}")["state"] == "waiting"


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonx"],
)
def test_json_under_another_name_is_refused(daemon: Daemon, kind: str) -> None:
    """What a form of another site could send without asking first."""
    before = len(daemon.get("runs?limit=200")["items"])
    body = json.dumps({"workflow": LAB.format("quick")}).encode()
    headers = [f"Content-Type: {kind}"] if kind else []
    assert sent(daemon, "POST", "/api/v1/runs", *headers, body=body).status == 415
    assert len(daemon.get("runs?limit=200")["items"]) == before


# Addresses


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/runs/..%2f..%2fetc%2fpasswd", "/api/v1/runs/%2e%2e/%2e%2e/etc/passwd", "/api/v1/runs/../../etc/passwd",
        "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/....//app.py",
        "/static//etc/passwd", "/api/v1/runs/1%00", "/api/v1/runs/%00", "/api/v1/runs/1\\..\\2", "/api/v1/runs/1%5c2",
        "/api/v1/runs/1;a=b", "/api/v1/runs/1%0d%0aX-Evil:%201", "/api/v1//runs", "//evil.example/",
        "/api/v1/workflows/lab/" + "x" * 5000, "/api/v1/workflows/" + "x" * 500 + "/y",
        "/api/v1/gates/1:" + "1." * 1000, "/api/v1/runs/1/steps/..%2f..%2fx/log",
        "/api/v1/runs/1/steps/../../../../state.db/log", "/api/v1/runs/1/steps/%2e%2e/log", "/%ff%fe",
        "/api/v1/runs/%ff",
        "http://evil.example/api/v1/runs/nowhere",
    ],
)  # fmt: skip
def test_odd_addresses_answer_400_or_404(daemon: Daemon, path: str) -> None:
    """Nothing outside is read, and nothing breaks."""
    answer = sent(daemon, "GET", path)
    assert answer.status in {400, 404, 405}, answer
    assert b"root:" not in answer.body
    assert b"Traceback" not in answer.body
    assert "x-evil" not in answer.headers


def test_the_name_of_a_download_is_made_of_numbers_alone(daemon: Daemon) -> None:
    """No line break or quote gets into `Content-Disposition`."""
    answer = daemon.ask("GET", "runs/1/steps/1/log?attempt=1&name=a%0d%0ab%22")
    assert re.fullmatch(r'inline; filename="run-1-step-1-1\.txt"', answer.headers["content-disposition"])
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_idempotency_key_of_any_shape_is_a_key_or_refused(daemon: Daemon) -> None:
    """Long, odd, with SQL in it."""
    body = json.dumps({"workflow": LAB.format("gated"), "version": "9"}).encode()
    for key in ("x" * 200, "' OR 1=1", "\xff\xfe", "é"):
        assert sent(daemon, "POST", "/api/v1/runs", JSON, f"Idempotency-Key: {key}", body=body).status == 422
    assert sent(daemon, "POST", "/api/v1/runs", JSON, f"Idempotency-Key: {'x' * 201}", body=body).status == 422


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 200_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_daemon_goes_on(daemon: Daemon, request_bytes: bytes) -> None:
    """TLS, other versions, two lengths, a head without end."""
    answer = raw(daemon.url, request_bytes)
    assert answer.status in {0, 400, 413, 421, 431, 505}
    assert daemon.ask("GET", "//healthz").status == 200


def test_many_at_once_are_all_answered(daemon: Daemon) -> None:
    """A hundred requests from twenty threads."""
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(daemon.ask("GET", "runs").status for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 100


def test_nothing_of_all_this_was_an_error_of_the_daemon(daemon: Daemon) -> None:
    """It stands last: no traceback was written while the tests above were made."""
    assert "Traceback" not in daemon.stderr()
