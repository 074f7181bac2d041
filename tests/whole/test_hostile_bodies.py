"""Bodies that anybody may send: endless, broken, or full of odd text; none is kept, and none breaks the daemon."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.daemon import Daemon
from fakes.lab import LAB, served_lab, started
from fakes.raw import head, raw, sent

JSON = "Content-Type: application/json"
FORM = "Content-Type: multipart/form-data; boundary=x"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with served_lab(tmp_path_factory.mktemp("bodies")) as daemon:
        daemon.run_in(started(daemon, "quick"), "succeeded")
        yield daemon


@pytest.fixture(scope="module")
def run(daemon: Daemon) -> int:
    """A run that waits."""
    run = started(daemon, "gated")
    daemon.run_in(run, "waiting")
    return run


def _memory(daemon: Daemon) -> int:
    """The most memory that the daemon has had, in MiB."""
    assert daemon.process is not None
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{daemon.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


@pytest.mark.parametrize("path", ["/api/v1/runs", "/api/v1/tokens", "/login", "/runs/new", "/api/v1/runs/1/cancel"])
def test_three_hundred_megabytes_are_refused_and_not_kept(daemon: Daemon, path: str) -> None:
    """With a length and without one."""
    before = _memory(daemon)
    headers = [
        f"Authorization: Bearer {daemon.token}",
        JSON if "api" in path else "Content-Type: multipart/form-data; boundary=x",
    ]
    declared = raw(daemon.url, head(daemon.url, "POST", path, [*headers, f"Content-Length: {300 * 1024 * 1024}"]))
    assert declared.status == 413
    piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    endless = raw(
        daemon.url,
        head(daemon.url, "POST", path, [*headers, "Transfer-Encoding: chunked"]),
        *[piece] * 300,
        b"0\r\n\r\n",
    )
    assert endless.status in {413, 400, 0}  # a form is found to be none before it is too large
    assert _memory(daemon) - before < 32
    assert daemon.ask("GET", "//healthz").status == 200


def test_a_body_that_grows_too_large_is_answered_413(daemon: Daemon) -> None:
    """Without a length, as soon as it is known."""
    half = b"80000\r\n" + b" " * 0x80000 + b"\r\n"
    headers = [f"Authorization: Bearer {daemon.token}", JSON, "Transfer-Encoding: chunked"]
    answer = raw(daemon.url, head(daemon.url, "POST", "/api/v1/runs", headers) + 2 * half + b"1\r\n \r\n0\r\n\r\n")
    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")


BROKEN_JSON = {
    "100,000 deep": b'{"properties":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 deep, open": b"[" * 100_000,
    "objects, 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "5,000 digits": b'{"version": ' + b"9" * 5000 + b"}",
    "bad UTF-8": b'{"workflow": "\xff\xfe"}',
    "empty": b" ",
    "text behind": b"{} {}",
    "NaN": b'{"properties": {"a": NaN}}',
    "Infinity": b'{"properties": {"a": -Infinity}}',
    "too large for a number": b'{"properties": {"a": 1e999}}',
    "UTF-16": '{"workflow": "x"}'.encode("utf-16"),
    "a key twice": b'{"workflow": "a", "workflow": "b"}',
    "single quotes": b"{'workflow': 'x'}",
    "a comment": b'{"workflow": "x"} // y',
    "a NUL": b'{"workflow": "x"}\x00',
}


@pytest.mark.parametrize("kind", BROKEN_JSON)
def test_json_that_is_none_answers_400(daemon: Daemon, kind: str) -> None:
    """Never 500."""
    for path in ("/api/v1/runs", "/api/v1/plan"):
        answer = sent(daemon, "POST", path, JSON, body=BROKEN_JSON[kind])
        assert answer.status == 400, answer
        assert json.loads(answer.body)["status"] == 400


@pytest.mark.parametrize(
    "text", ["\ud800", "\x00", "a\x00b", "\x1b[31mred", "\u202etxt", "\U0001f4a9", "<script>alert(1)</script>"]
)
def test_odd_text_in_every_field_is_refused_or_kept_as_it_is(daemon: Daemon, run: int, text: str) -> None:
    """A lone surrogate, NUL, control characters: never 500, and what is kept comes back the same."""
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("runs", {"workflow": text}), ("runs", {"workflow": LAB.format("quick"), "version": text}),
        ("runs", {"workflow": LAB.format("quick"), "skip_steps": [text]}),
        ("runs", {"workflow": LAB.format("speaking"), "properties": {"words": text}}),
        ("runs", {"workflow": LAB.format("speaking"), "properties": {text: text, "words": "x"}}),
        ("runs", {"workflow": LAB.format("wide"), "metadata": {text: text}}),
        ("plan", {"project": text, "source": text}), ("plan", {"project": "lab", "source": text}),
        ("validate", {"project": "lab", "workflow": text, "source": text}), ("validate", {"ref": text}),
        ("tokens", {"user": text, "password": text}),
        (f"gates/{run}:2/decision", {"decision": "continue", "message": text, "digest": text}),
    ]  # fmt: skip
    for path, body in bodies:
        answer = daemon.ask("POST", path, body)
        assert answer.status < 500, (path, body, answer)
        if answer.status == 201 and path == "runs":
            found = daemon.run_in(answer.json["number"], "succeeded", "failed")
            assert [found[field] for field in ("metadata", "properties")] == [
                body.get(field, {}) for field in ("metadata", "properties")
            ]


def test_a_message_with_a_script_is_text(daemon: Daemon) -> None:
    """In the API as it was, in the pages escaped."""
    script = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    made = daemon.post("runs", {"workflow": LAB.format("gated"), "metadata": {script: script}})["number"]
    blocking = daemon.get(f"runs/{made}")["blocked_by"]
    daemon.post(f"runs/{made}/cancel", {"message": script})
    events = daemon.get(f"runs/{made}/events")["items"]
    assert [event["data"]["message"] for event in events if event["type"] == "run_cancelled"] == [script]
    for path in (f"/runs/{made}", "/"):
        page = sent(daemon, "GET", path)
        assert script.encode() not in page.body
        assert b"onerror=alert(2)>" not in page.body
    assert len(blocking) == 1


def test_a_version_that_may_have_lost_a_digit_is_refused(daemon: Daemon) -> None:
    """R22: 1.10 is not 1.1, in JSON neither: it is sent as text."""
    for version, status in ((b"1.10", 422), (b"1.0", 422), (b"true", 422), (b'"1.0"', 201), (b"1", 201)):
        body = b'{"workflow": "%s", "version": %s}' % (LAB.format("quick").encode(), version)
        assert sent(daemon, "POST", "/api/v1/runs", JSON, body=body).status == status


def test_nothing_of_all_this_was_an_error_of_the_daemon(daemon: Daemon) -> None:
    """It stands last: no traceback was written while the tests above were made."""
    assert "Traceback" not in daemon.stderr()
