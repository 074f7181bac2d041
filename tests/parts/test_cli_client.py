"""Commands that ask a daemon, against a small server that gives the answers of INTERFACES word for word."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pointsman.cli.main import cli

STEP: dict[str, Any] = {
    "key": "4",
    "name": "Confirm",
    "kind": "wait",
    "state": "waiting",
    "started_at": None,
    "children": [],
}
RUN: dict[str, Any] = {
    "id": "f00d", "number": 12, "url": "http://x/runs/12", "workflow": "/projects/p/workflows/w", "version": "1",
    "tag": "v1", "commits": {"/projects/p/workflows/w": "c" * 40}, "inventory_commit": "c" * 40,
    "plan_digest": "d" * 64, "state": "running", "attempt": 1, "started_by": "ada",
    "created_at": "2026-06-04T12:00:00.000Z", "started_at": "2026-06-04T12:00:00.000Z", "finished_at": None,
    "properties": {}, "metadata": {"ticket": "7"}, "blocked_by": [], "steps": [STEP],
}  # fmt: skip
GATE = {
    "id": "12:4", "run": 12, "step": "4", "opening": 2, "kind": "wait", "name": "Confirm\x1b[2J",
    "opened_at": "2026-06-04T12:00:00Z", "expires_at": None, "approvers": None, "needed": 0, "decisions": [],
    "digest": "d" * 64, "next_steps": [], "changes_since_last_success": None,
}  # fmt: skip
FINDING = {
    "path": "w.yaml", "line": 3, "column": 5, "code": "PM038", "message": "env has no value", "severity": "error",
}  # fmt: skip


def problem(status: int, detail: str, *errors: dict[str, Any]) -> dict[str, Any]:
    """An `application/problem+json` body."""
    return {"type": "about:blank", "title": "No", "status": status, "detail": detail, "errors": list(errors)}


def event(seq: int, kind: str, step: str | None, **data: object) -> dict[str, Any]:
    """An event of run 12."""
    return {"seq": seq, "at": "2026-06-04T12:00:00Z", "type": kind, "actor": "ada", "step": step, "data": data}


class Server(ThreadingHTTPServer):
    """Answers what it was told to and remembers what it was asked. `ends`: what becomes of the run after its events."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.events: list[dict[str, Any]] = []
        self.ends: dict[str, Any] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_GET(self) -> None:
        if "text/event-stream" in self.headers["Accept"]:
            self._stream()
        else:
            self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        self.server.asked.append((self.path, dict(self.headers), body))
        path = self.path.partition("?")[0].removeprefix("/api/v1/")
        status, answer = self.server.answers.get(path, (404, problem(404, f"there is no {path}")))
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for one in self.server.events:
            if one["seq"] > int(self.headers["Last-Event-ID"]):
                self.wfile.write(f"id: {one['seq']}\ndata: {json.dumps(one)}\n\n".encode())
        if self.server.ends is not None:
            self.server.answers["runs/12"] = (200, self.server.ends)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def done(server: Server, *words: str) -> Result:
    """What a command comes to with this server."""
    return CliRunner().invoke(cli, words, env={"POINTSMAN_SERVER": server.url, "POINTSMAN_TOKEN": "pm_secret"})


@pytest.mark.parametrize(
    ("status", "code"), [(401, 4), (403, 4), (404, 6), (409, 7), (410, 7), (422, 7), (429, 75), (503, 75), (500, 1)]
)
def test_each_status_has_the_exit_code_of_the_contract_and_its_reason_is_said(
    server: Server, status: int, code: int
) -> None:
    server.answers["gates/12:4"] = (status, problem(status, "because of that"))
    result = done(server, "continue", "12:4")
    assert result.exit_code == code
    assert "error: because of that" in result.stderr
    assert result.stdout == ""


def test_where_no_daemon_answers_it_is_said_how_to_start_one() -> None:
    result = CliRunner().invoke(cli, ["inbox", "--server", "http://127.0.0.1:1"])
    assert result.exit_code == 75
    assert "no daemon answers at http://127.0.0.1:1" in result.stderr
    assert "pointsman serve" in result.stderr


@pytest.mark.parametrize(("status", "code"), [(200, 1), (502, 75), (302, 1)])
def test_an_answer_of_somebody_else_is_told_from_a_daemon_that_is_away(server: Server, status: int, code: int) -> None:
    server.answers["runs"] = (status, b"<html>hello</html>")
    assert done(server, "runs", "list").exit_code == code


def test_a_run_is_asked_for_with_all_that_was_given_and_its_number_is_printed(server: Server) -> None:
    server.answers["runs"] = (201, RUN)
    result = done(server, "run", "p/w@1", "--set", "a.b=2", "--metadata", "n=7", "--skip", "x*", "-q")
    assert (result.exit_code, result.stdout) == (0, "12\n")
    _, headers, body = server.asked[0]
    assert headers["Authorization"] == "Bearer pm_secret"
    assert headers["Idempotency-Key"]
    assert body == {
        "workflow": "p/w", "version": "1", "properties": {}, "set": {"a.b": "2"},
        "metadata": {"n": "7"}, "skip_steps": ["x*"],
    }  # fmt: skip


def test_a_refused_run_prints_every_problem_and_ends_with_7(server: Server) -> None:
    """R32."""
    server.answers["runs"] = (422, problem(422, "w cannot be run: 2 problems", FINDING, {**FINDING, "line": 4}))
    result = done(server, "run", "w")
    assert result.exit_code == 7
    assert result.stderr.splitlines() == [
        "w.yaml:3:5: error[PM038]: env has no value",
        "w.yaml:4:5: error[PM038]: env has no value",
        "error: w cannot be run: 2 problems",
    ]


@pytest.mark.parametrize(("state", "code"), [("succeeded", 0), ("failed", 1), ("cancelled", 1), ("rejected", 5)])
def test_a_watched_run_prints_a_line_for_each_event_and_ends_as_the_run_did(
    server: Server, state: str, code: int
) -> None:
    server.answers.update({"runs": (201, RUN), "runs/12": (200, RUN)})
    server.events = [
        event(1, "run_created", None),
        event(2, "gate_opened", "4"),
        event(3, "run_ended", None, state=state),
    ]
    server.ends = {**RUN, "state": state, "steps": [{**STEP, "state": state}]}
    result = done(server, "run", "w", "--wait")
    assert result.exit_code == code
    assert [line.split()[1:4] for line in result.stdout.splitlines()] == [
        ["run", "12", "created"],
        ["4", "waiting", "Confirm"],
        ["run", "12", state],
    ]


def test_until_gate_stops_with_3_and_says_what_to_type(server: Server) -> None:
    waiting = {**RUN, "state": "waiting"}
    server.answers.update({"runs": (201, RUN), "runs/12": (200, waiting)})
    server.events = [event(1, "gate_opened", "4")]
    result = done(server, "run", "w", "--wait", "--until-gate")
    assert result.exit_code == 3
    assert "pointsman continue 12:4" in result.stderr
    assert "http://x/runs/12/gate/4" in result.stderr


def test_a_decision_is_bound_to_what_was_shown(server: Server) -> None:
    """R79: digest and opening are sent."""
    server.answers["gates/12:4"] = (200, GATE)
    server.answers["gates/12:4/decision"] = (200, {**GATE, "state": "succeeded"})
    result = done(server, "continue", "12:4", "-m", "looks right")
    assert (result.exit_code, result.stdout) == (0, "12:4 succeeded\n")
    assert server.asked[1][2] == {
        "decision": "continue", "message": "looks right", "digest": "d" * 64, "opening": 2,
    }  # fmt: skip
    assert "wait 12:4: Confirm" in result.stderr
    assert "\x1b" not in result.stderr


def test_a_gate_is_named_by_run_and_step(server: Server) -> None:
    assert done(server, "approve", "12").exit_code == 2
    assert server.asked == []


def test_lists_are_tables_ids_or_json(server: Server) -> None:
    server.answers["runs"] = (200, {"items": [RUN], "next_cursor": None})
    table = done(server, "runs", "list", "--state", "running", "--metadata", "ticket=7")
    assert table.stdout.splitlines()[1].split()[:4] == ["12", "running", "p/w", "1"]
    assert server.asked[0][0] == "/api/v1/runs?limit=20&state=running&metadata=ticket%3D7"
    assert done(server, "runs", "list", "-q").stdout == "12\n"
    assert json.loads(done(server, "runs", "list", "--json").stdout) == [RUN]
    server.answers["gates"] = (200, {"items": [], "next_cursor": None})
    empty = done(server, "inbox")
    assert (empty.exit_code, empty.stdout, empty.stderr) == (0, "", "nothing waits for you\n")


def test_a_long_list_is_read_over_its_pages(server: Server) -> None:
    server.answers["runs"] = (200, {"items": [RUN] * 200, "next_cursor": "9"})
    assert done(server, "runs", "list", "-q", "--limit", "450").stdout.count("12\n") == 450
    assert [path for path, _, _ in server.asked] == [
        "/api/v1/runs?limit=200",
        "/api/v1/runs?limit=200&cursor=9",
        "/api/v1/runs?limit=50&cursor=9",
    ]


def test_a_run_is_shown_with_its_steps(server: Server) -> None:
    server.answers["runs/12"] = (200, RUN)
    result = done(server, "runs", "show", "12")
    assert result.exit_code == 0
    assert "  4  waiting  Confirm  [wait]" in result.stdout.splitlines()
    assert json.loads(done(server, "runs", "show", "12", "--json").stdout) == RUN


def test_logs_are_printed_raw_only_on_request(server: Server) -> None:
    step = {"key": "1", "name": "Back up", "kind": "change", "state": "succeeded", "attempt": 2, "children": []}
    server.answers["runs/12"] = (200, {**RUN, "steps": [step]})
    server.answers["runs/12/steps/1/log"] = (200, b"\x1b[31mred\x1b[0m\x1b]0;t\x07\nno end")
    assert done(server, "runs", "logs", "12", "1").stdout == "red\nno end"
    assert server.asked[-1][0] == "/api/v1/runs/12/steps/1/log?attempt=2"
    assert done(server, "runs", "logs", "12").stdout == "1 │ red\n1 │ no end\n"
    assert (
        done(server, "runs", "logs", "12", "back up", "--raw").stdout_bytes == b"\x1b[31mred\x1b[0m\x1b]0;t\x07\nno end"
    )
    assert done(server, "runs", "logs", "12", "9").exit_code == 6


def test_cancelling_says_what_became_of_the_run(server: Server) -> None:
    server.answers["runs/12/cancel"] = (200, RUN)
    result = done(server, "runs", "cancel", "12", "-m", "wrong")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "run 12 is being cancelled\n")
    assert server.asked[0][2] == {"message": "wrong"}
