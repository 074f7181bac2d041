"""Queues, locks and repeats over the API: what waits for what, and what a repeated request comes to."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fakes.daemon import Daemon, steps_of
from fakes.git import Repository
from fakes.lab import LAB, began, lab_files, let_go, served_lab, started

ENDS = {"succeeded": "continue", "rejected": "reject"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with served_lab(tmp_path_factory.mktemp("queue"), config="[steps]\ngrace_seconds = 0.2\n") as daemon:
        yield daemon


@pytest.mark.parametrize("end", ["succeeded", "rejected", "cancelled"])
def test_the_second_run_is_pending_and_names_its_blocker_until_the_first_has_ended(daemon: Daemon, end: str) -> None:
    """R95: in any way."""
    first, second = started(daemon, "gated"), started(daemon, "gated")
    found = daemon.get(f"runs/{second}")
    assert (found["state"], found["blocked_by"], found["started_at"]) == ("pending", [first], None)
    if end in ENDS:
        daemon.post(f"gates/{first}:1/decision", {"decision": ENDS[end]})
    else:
        daemon.post(f"runs/{first}/cancel")
    daemon.run_in(first, end)
    found = daemon.run_in(second, "waiting")
    assert found["blocked_by"] == []
    daemon.post(f"runs/{second}/cancel")


def test_the_same_action_on_the_same_target_waits_and_other_targets_do_not(daemon: Daemon) -> None:
    """R96: from two runs of two workflows."""
    first = started(daemon, "holding")
    began(daemon, first, "1")
    second = started(daemon, "holding-too")
    daemon.until(lambda: steps_of(daemon.get(f"runs/{second}"))["1.2"]["state"] == "succeeded", "the other target")
    assert steps_of(daemon.get(f"runs/{second}"))["1.1"]["state"] == "queued"
    let_go(daemon, first, "1")
    daemon.run_in(first, "succeeded")
    began(daemon, second, "1.1")
    let_go(daemon, second, "1.1")
    daemon.run_in(second, "succeeded")


def test_a_target_may_allow_parallel_changes(daemon: Daemon) -> None:
    """R96: `allow_parallel_changes: true` lifts the lock."""
    runs = [started(daemon, "free"), started(daemon, "free-too")]
    for run in runs:
        began(daemon, run, "1")
    for run in runs:
        let_go(daemon, run, "1")
        daemon.run_in(run, "succeeded")


def test_replace_cancels_the_pending_run_and_never_the_running_one(daemon: Daemon) -> None:
    """R97."""
    first, second, third = (started(daemon, "replacing") for _ in range(3))
    assert [daemon.get(f"runs/{run}")["state"] for run in (first, second, third)] == ["waiting", "cancelled", "pending"]
    daemon.post(f"gates/{first}:1/decision", {"decision": "continue"})
    daemon.run_in(third, "waiting")
    daemon.post(f"runs/{third}/cancel")


def test_skip_refuses_the_new_run_with_409(daemon: Daemon) -> None:
    """R97."""
    first = started(daemon, "alone")
    answer = daemon.ask("POST", "runs", {"workflow": LAB.format("alone")})
    assert (answer.status, f"run {first}" in answer.json["detail"]) == (409, True)
    daemon.post(f"runs/{first}/cancel")
    daemon.post(f"runs/{started(daemon, 'alone')}/cancel")


def test_a_cancel_right_after_the_start_leaves_nothing_running(daemon: Daemon) -> None:
    """R92."""
    for _ in range(5):
        run = started(daemon, "stubborn")
        daemon.post(f"runs/{run}/cancel")
        steps = steps_of(daemon.run_in(run, "cancelled"))
        assert {step["state"] for step in steps.values()} == {"cancelled"}
        assert steps["1"]["attempt"] <= 1


def test_a_repeat_with_the_same_key_is_the_same_run(daemon: Daemon) -> None:
    """INTERFACES: `Idempotency-Key`; ten at once too."""
    answers = []

    def ask() -> None:
        body = {"workflow": LAB.format("quick")}
        answers.append(daemon.ask("POST", "runs", body, Idempotency_Key="deploy-17"))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    other = daemon.ask("POST", "runs", {"workflow": LAB.format("gated")}, Idempotency_Key="deploy-17")
    assert (other.status, "used for another request" in other.json["detail"]) == (422, True)
    numbers = [run["number"] for run in daemon.get("runs?workflow=quick")["items"]]
    assert numbers == [answers[0].json["number"]]


def test_the_same_key_of_another_person_is_another_request(daemon: Daemon) -> None:
    """Keys are each person's own."""
    body = {"workflow": LAB.format("quick")}
    mine = daemon.ask("POST", "runs", body, Idempotency_Key="shared")
    with daemon.acting_as(daemon.tokens["mira"]):
        theirs = daemon.ask("POST", "runs", body, Idempotency_Key="shared")
    assert (mine.status, theirs.status) == (201, 201)
    assert mine.json["id"] != theirs.json["id"]


def test_a_request_that_failed_may_be_made_again_with_its_key(daemon: Daemon) -> None:
    """What was refused has not happened."""
    first = started(daemon, "alone")
    body = {"workflow": LAB.format("alone")}
    assert daemon.ask("POST", "runs", body, Idempotency_Key="again").status == 409
    daemon.post(f"runs/{first}/cancel")
    made = daemon.ask("POST", "runs", body, Idempotency_Key="again")
    assert made.status == 201
    daemon.post(f"runs/{made.json['number']}/cancel")


def test_a_key_is_remembered_over_a_kill(tmp_path: Path) -> None:
    """INTERFACES: `Idempotency-Key`, R110: after the answer, and between the deed and its answer."""
    with served_lab(tmp_path) as daemon:
        body = {"workflow": LAB.format("gated")}
        first = daemon.ask("POST", "runs", body, Idempotency_Key="key")
        for forget in (False, True):
            daemon.kill()
            if forget:
                _without_answers(daemon)
            daemon.start()
            again = daemon.ask("POST", "runs", body, Idempotency_Key="key")
            assert (again.status, again.json["id"]) == (201, first.json["id"])
            other = daemon.ask("POST", "runs", {**body, "metadata": {"other": "1"}}, Idempotency_Key="key")
            assert (other.status, "used for another request" in other.json["detail"]) == (422, True)
        assert len(daemon.get("runs")["items"]) == 1


def _without_answers(daemon: Daemon) -> None:
    """The state as a kill leaves it that falls between what was done and its answer."""
    with closing(sqlite3.connect(daemon.data / "state.db")) as state, state:
        assert state.execute("DELETE FROM answers WHERE status = 201").rowcount == 1


def test_a_run_keeps_its_version_while_newer_ones_are_published(tmp_path: Path) -> None:
    """R22, R23: v3 published during a run changes nothing in it."""
    with served_lab(tmp_path) as daemon:
        run = started(daemon, "gated")
        before = daemon.run_in(run, "waiting")
        repository = Repository(tmp_path / "ops.git")
        changed = "steps:\n- {type: wait, name: Look twice}\n- {type: wait, name: Look again}\n"
        repository.commit({**lab_files(tmp_path), "projects/lab/workflows/gated.yaml": changed})
        repository.tag("v3")
        daemon.until(lambda: daemon.get("workflows/lab/gated")["latest"] == "3", "v3")
        assert daemon.get(f"runs/{run}") == before
        daemon.post(f"gates/{run}:1/decision", {"decision": "continue"})
        found = daemon.run_in(run, "succeeded")
        assert (found["version"], found["steps"][0]["name"]) == ("1", "Look at it")
        assert daemon.get(f"runs/{started(daemon, 'gated')}")["version"] == "3"
        old = daemon.post("runs", {"workflow": LAB.format("gated"), "version": 1})
        assert old["version"] == "1"
