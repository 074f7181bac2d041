"""The API about runs: their shapes, lists and filters, cancelling, and what is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.daemon import Daemon, steps_of
from fakes.lab import LAB, began, let_go, served_lab, started


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with served_lab(tmp_path_factory.mktemp("runs"), config="[steps]\ngrace_seconds = 0.2\n") as daemon:
        yield daemon


def test_a_run_has_the_shape_that_the_contract_gives_it(daemon: Daemon) -> None:
    """INTERFACES: `POST runs` and `GET runs/{id}`, by number and by id."""
    made = daemon.ask("POST", "runs", {"workflow": LAB.format("gated"), "metadata": {"ticket": "CHG-7"}})
    assert made.status == 201
    run = daemon.run_in(made.json["number"], "waiting")
    assert isinstance(run["id"], str)
    assert daemon.get(f"runs/{run['id']}") == run
    assert run["url"] == f"{daemon.url}/runs/{run['number']}"
    expected = {
        "workflow": LAB.format("gated"), "version": "1", "tag": "v1", "state": "waiting", "attempt": 1,
        "started_by": "opschain", "blocked_by": [],
    }  # fmt: skip
    assert {key: run[key] for key in expected} == expected
    assert run["metadata"] == {"ticket": "CHG-7"}
    assert run["commits"][LAB.format("gated")] == run["inventory_commit"]
    assert run["created_at"].endswith("Z")
    assert run["started_at"] is not None
    assert run["finished_at"] is None
    assert len(run["plan_digest"]) == 64
    gate, change = run["steps"]
    assert (gate["key"], gate["kind"], gate["state"], gate["gate"]["id"]) == (
        "1",
        "wait",
        "waiting",
        f"{run['number']}:1",
    )
    assert (change["key"], change["target"], change["action"]) == ("2", "/projects/lab/assets/two", "say")
    assert (change["state"], change["children"]) == ("pending", [])
    daemon.post(f"runs/{run['number']}/cancel")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"workflow": LAB.format("nowhere")}, 404, "there is no workflow"),
        ({"workflow": LAB.format("gated"), "version": 9}, 422, "9"),
        ({"workflow": LAB.format("gated"), "version": "main"}, 422, "main"),
        ({"workflow": LAB.format("speaking")}, 422, "words"),
        ({"workflow": LAB.format("gated"), "skip_steps": ["0"]}, 422, "skip"),
        ({"workflow": LAB.format("gated"), "colour": "red"}, 422, "colour"),
        ({"workflow": LAB.format("gated"), "metadata": []}, 422, "metadata"),
        ({"workflow": 7}, 422, "workflow"),
        ({}, 422, "workflow"),
        ([], 422, "body"),
    ],
)
def test_a_run_that_cannot_be_is_refused_with_the_reason_and_does_not_exist(
    daemon: Daemon, body: object, status: int, words: str
) -> None:
    """R21, R24, R32, R89."""
    before = daemon.get("runs")["items"]
    answer = daemon.ask("POST", "runs", body)
    assert answer.status == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert words in answer.body.decode()
    assert daemon.get("runs")["items"] == before


def test_every_unresolved_variable_is_told_with_its_place(daemon: Daemon) -> None:
    """R32: one error lists them all."""
    answer = daemon.ask("POST", "runs", {"workflow": LAB.format("speaking")}).json
    (problem,) = answer["errors"]
    assert problem["path"] == "projects/lab/workflows/speaking.yaml"
    assert (problem["line"], problem["severity"]) == (2, "error")
    assert "words" in problem["message"]


def test_properties_of_a_run_reach_its_steps(daemon: Daemon) -> None:
    """R31, R36."""
    run = started(daemon, "speaking", properties={"words": "$(id) `id` ; id"})
    assert daemon.run_in(run, "succeeded", "failed")["properties"] == {"words": "$(id) `id` ; id"}
    assert daemon.ask("GET", f"runs/{run}/steps/1/log").body == b"$(id) `id` ; id from /projects/lab/assets/two\n"


def test_a_failed_step_has_its_exit_code_and_reason(daemon: Daemon) -> None:
    """R50."""
    steps = steps_of(daemon.run_in(started(daemon, "failing"), "failed"))
    assert (steps["1"]["state"], steps["1"]["exit_code"], steps["1"]["reason"]) == ("failed", 3, "exit code 3")
    assert steps["2"]["state"] == "aborted"


def test_skip_patterns_skip(daemon: Daemon) -> None:
    """R60, R77, R90."""
    run = daemon.post("runs", {"workflow": LAB.format("gated"), "skip_steps": ["look*", "2"]})
    found = daemon.run_in(run["number"], "succeeded")
    assert {key: step["state"] for key, step in steps_of(found).items()} == {"1": "skipped", "2": "skipped"}


def test_lists_go_on_where_the_cursor_says_without_gap_or_repeat(daemon: Daemon) -> None:
    """INTERFACES: newest first."""
    for _ in range(3):
        daemon.run_in(started(daemon, "quick"), "succeeded")
    everything = [run["number"] for run in daemon.get("runs?limit=200")["items"]]
    assert everything == sorted(everything, reverse=True)
    seen, cursor = [], ""
    while True:
        page = daemon.get(f"runs?limit=2{cursor}")
        seen += [run["number"] for run in page["items"]]
        if page["next_cursor"] is None:
            break
        assert len(page["items"]) == 2
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == everything


def test_filters_keep_what_matches(daemon: Daemon) -> None:
    """INTERFACES: `state`, `workflow`, `started_by`, `metadata`, `since`."""
    made = daemon.post("runs", {"workflow": LAB.format("quick"), "metadata": {"team": "web", "size": "2"}})
    run = daemon.run_in(made["number"], "succeeded")
    other = started(daemon, "failing")
    daemon.run_in(other, "failed")

    def numbers(query: str) -> list[int]:
        return [found["number"] for found in daemon.get(f"runs?limit=200&{query}")["items"]]

    assert run["number"] in numbers("state=succeeded")
    assert other not in numbers("state=succeeded")
    assert {run["number"], other} <= set(numbers("state=succeeded&state=failed"))
    assert other in numbers(f"workflow={LAB.format('failing')}")
    assert other in numbers("workflow=failing")
    assert run["number"] not in numbers("workflow=failing")
    assert run["number"] in numbers("started_by=OPSCHAIN")
    assert numbers("started_by=guest") == []
    assert numbers("metadata=team=web") == [run["number"]]
    assert numbers("metadata=team=web&metadata=size=2") == [run["number"]]
    assert numbers("metadata=team=web&metadata=size=3") == []
    assert numbers("since=2999-01-01T00:00:00Z") == []
    assert run["number"] in numbers(f"since={run['created_at']}")
    assert numbers("state=nonsense") == []


def test_cancel_ends_a_stubborn_step_by_force_and_the_run_only_then(daemon: Daemon) -> None:
    """R91: TERM, then KILL after `grace_seconds`; twice is no error until it has ended."""
    run = started(daemon, "stubborn")
    began(daemon, run, "1")
    answer = daemon.post(f"runs/{run}/cancel", {"message": "wrong window"})
    assert answer["state"] == "running"
    found = daemon.run_in(run, "cancelled")
    assert {key: step["state"] for key, step in steps_of(found).items()} == {"1": "cancelled", "2": "cancelled"}
    events = daemon.get(f"runs/{run}/events?limit=200")["items"]
    (cancelled,) = [event for event in events if event["type"] == "run_cancelled"]
    assert (cancelled["actor"], cancelled["data"]["message"]) == ("opschain", "wrong window")
    again = daemon.ask("POST", f"runs/{run}/cancel")
    assert (again.status, again.json["detail"]) == (409, "the run is cancelled already")


def test_a_retry_of_an_action_is_another_attempt_with_a_log_of_its_own(daemon: Daemon) -> None:
    """R61."""
    run = started(daemon, "flaky")
    assert steps_of(daemon.run_in(run, "succeeded", "failed"))["1"]["attempt"] == 2
    logs = [daemon.ask("GET", f"runs/{run}/steps/1/log{query}").body for query in ("?attempt=1", "?attempt=2", "")]
    assert logs == [b"attempt 1\n", b"attempt 2\n", b"attempt 2\n"]
    assert daemon.ask("GET", f"runs/{run}/steps/1/log?attempt=3").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "runs/999999", "runs/nobody", "runs/999999/events", "runs/999999/steps/1/log", "runs/1/steps/99/log",
        "runs/1/steps/0/log", "gates/999999:1", "gates/1:99", "gates/1", "gates/:", "workflows/lab/nowhere",
        "nowhere", "runs/-1", "runs/1e3", "runs/0x1", "runs/99999999999999999999999", "runs/1.5", "runs/%F0%9F%92%A9",
    ],
)  # fmt: skip
def test_what_is_nowhere_answers_404_as_a_problem(daemon: Daemon, path: str) -> None:
    """INTERFACES."""
    if not daemon.get("runs")["items"]:
        daemon.run_in(started(daemon, "quick"), "succeeded")
    answer = daemon.ask("GET", path)
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json["status"] == 404


def test_the_audit_log_is_filtered_and_paged(daemon: Daemon) -> None:
    """INTERFACES: `GET events`."""
    daemon.run_in(started(daemon, "quick"), "succeeded")
    page = daemon.get("events?type=run_created&actor=opschain&limit=1")
    assert [entry["type"] for entry in page["items"]] == ["run_created"]
    older = daemon.get(f"events?type=run_created&limit=1&cursor={page['next_cursor']}")
    assert older["items"][0]["id"] < page["items"][0]["id"]
    assert daemon.get("events?since=2999-01-01T00:00:00Z")["items"] == []
    assert daemon.get("events?actor=nobody")["items"] == []


def test_the_openapi_document_lists_every_call(daemon: Daemon) -> None:
    """INTERFACES: at `/api/v1/openapi.json`."""
    paths = daemon.get("openapi.json")["paths"]
    assert {"post", "get"} <= paths["/api/v1/runs"].keys()
    for path in ("tokens", "workflows", "validate", "plan", "gates", "events", "targets", "approvers"):
        assert f"/api/v1/{path}" in paths, path


def test_with_two_workers_there_are_never_more_than_two_steps_at_once(tmp_path: Path) -> None:
    """R55: the others are `queued`, and start in the order in which they came."""
    with served_lab(tmp_path, workers=2) as daemon:
        runs = [started(daemon, name) for name in ("holding", "free", "free-too", "wide")]
        for run in runs[:2]:
            began(daemon, run, "1")
        states = [steps_of(daemon.get(f"runs/{run}"))["1"]["state"] for run in runs]
        assert states == ["running", "running", "queued", "running"]
        assert steps_of(daemon.get(f"runs/{runs[3]}"))["1.1"]["state"] == "queued"
        let_go(daemon, runs[1], "1")
        began(daemon, runs[2], "1")
        let_go(daemon, runs[0], "1")
        daemon.run_in(runs[3], "succeeded")
        let_go(daemon, runs[2], "1")
        daemon.run_in(runs[2], "succeeded")
