"""`kill -9` of the daemon at any moment of a run: nothing twice, nothing forgotten, every run ends (R110)."""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.daemon import Daemon, steps_of
from fakes.hello import PIPELINE, effects, hello_world

# taken out of the environment: a daemon refuses variables that it does not know
ROUNDS = int(os.environ.pop("POINTSMAN_KILLS", "12"))
SEED = int(os.environ.pop("POINTSMAN_SEED", "1"))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    hello_world(tmp_path / "ops.git", pause=0.05).tag("v1")
    daemon = Daemon(tmp_path / "ops.git", tmp_path / "data", ("--workers", "2", "--operator", "opschain"))
    yield daemon
    if daemon.process is not None:
        daemon.kill()


def _decide_what_waits(daemon: Daemon, decided: list[str]) -> None:
    for gate in daemon.get("gates")["items"]:
        word = "approve" if gate["kind"] == "approval" else "continue"
        answer = daemon.ask("POST", f"gates/{gate['id']}/decision", {"decision": word, "message": "go"})
        if answer.status == 200:
            decided.append(gate["id"])


def _driven_for(daemon: Daemon, run: int, seconds: float, decided: list[str]) -> str:
    """The run's state after this time, or before it when the run has ended."""
    end = time.monotonic() + seconds
    while True:
        state = str(daemon.get(f"runs/{run}")["state"])
        if time.monotonic() > end or state not in {"running", "waiting"}:
            return state
        _decide_what_waits(daemon, decided)


def test_a_run_survives_kills_at_random_moments_without_an_effect_twice_or_a_decision_lost(
    daemon: Daemon, tmp_path: Path
) -> None:
    """R110: what ran is adopted, what ended meanwhile has its result; no step has two processes in one attempt."""
    chance = random.Random(SEED)
    decided: list[str] = []
    daemon.start()
    runs = [daemon.post("runs", {"workflow": PIPELINE})["number"]]
    kills = 0
    while kills < ROUNDS:
        state = _driven_for(daemon, runs[-1], chance.uniform(0, 0.4), decided)
        if state in {"succeeded", "failed"}:
            runs.append(daemon.post("runs", {"workflow": PIPELINE})["number"])
        daemon.kill()
        kills += 1
        daemon.start()
    for run in runs:
        end = time.monotonic() + 60
        while daemon.get(f"runs/{run}")["state"] in {"running", "waiting"}:
            assert time.monotonic() < end, daemon.get(f"runs/{run}")
            _decide_what_waits(daemon, decided)
    begun = Counter(entry[1:] for entry in effects(tmp_path / "ops.git") if entry[0] == "begin")
    assert [entry for entry, times in begun.items() if times > 1] == []
    for run in runs:
        found = daemon.get(f"runs/{run}")
        assert found["state"] == "succeeded", found
        for key, step in steps_of(found).items():
            if gate := step.get("gate"):
                assert len(gate["decisions"]) == 1
                assert f"{run}:{key}" in decided
    _logs_are_whole(daemon, runs)


def _logs_are_whole(daemon: Daemon, runs: list[int]) -> None:
    for run in runs:
        for event in daemon.get(f"runs/{run}/events?limit=200")["items"]:
            if event["type"] == "step_succeeded":
                path = f"runs/{run}/steps/{event['step']}/log?attempt={event['data']['attempt']}"
                assert len(daemon.ask("GET", path).body) == event["data"]["log_bytes"]


def test_what_ended_while_no_daemon_was_there_has_its_true_result(daemon: Daemon, tmp_path: Path) -> None:
    """R110, R113: after SIGTERM running steps go on, and the next daemon takes their results."""
    daemon.start()
    run = daemon.post("runs", {"workflow": PIPELINE})["number"]
    daemon.until(lambda: any(entry[0] == "begin" for entry in effects(tmp_path / "ops.git")), "the first step")
    assert daemon.stop(seconds=10) == 0
    begun = [entry for entry in effects(tmp_path / "ops.git") if entry[0] == "begin"]
    end = time.monotonic() + 10
    while len([entry for entry in effects(tmp_path / "ops.git") if entry[0] == "end"]) < len(begun):
        assert time.monotonic() < end
        time.sleep(0.01)
    daemon.start()
    found = steps_of(daemon.run_in(run, "waiting"))
    assert {found[key]["state"] for key in ("1.1.1", "1.1.2", "1.1.3")} == {"succeeded"}
    assert len({entry[1:] for entry in effects(tmp_path / "ops.git")}) * 2 == len(effects(tmp_path / "ops.git"))


def test_a_second_daemon_on_the_same_data_refuses_to_start_and_names_the_first(daemon: Daemon) -> None:
    """R114."""
    daemon.start()
    assert daemon.process is not None
    second = Daemon(daemon.repository, daemon.data)
    with pytest.raises(AssertionError, match=f"process {daemon.process.pid}"):
        second.start()
    assert daemon.get("runs")["items"] == []
