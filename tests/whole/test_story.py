"""One story from outside: a push is a draft, a tag a version, a run waits for people, and all are in the record."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.daemon import Daemon, steps_of
from fakes.git import Repository
from fakes.hello import PIPELINE, hello_world
from fakes.users import with_users

KEYS = ("1.1.1", "1.1.2", "1.1.3", "2.1", "2.2", "3.1", "3.2", "6.1", "6.2")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A clone with everything committed, whose bare origin is still empty."""
    repository = hello_world(tmp_path / "clone", bare=False)
    Repository.create(tmp_path / "ops.git", bare=True)
    repository.git("remote", "add", "origin", str(tmp_path / "ops.git"))
    return repository


@pytest.fixture
def daemon(tmp_path: Path, repository: Repository) -> Iterator[Daemon]:
    assert repository.path.exists()
    tokens = with_users(tmp_path / "data", "opschain", "mira", "guest")
    daemon = Daemon(tmp_path / "ops.git", tmp_path / "data", tokens=tokens, token=tokens["opschain"])
    yield daemon.start()
    daemon.kill()


def _workflow(daemon: Daemon) -> dict[str, object]:
    found = daemon.get("workflows")["items"]
    return next((entry for entry in found if entry["path"] == PIPELINE), {})


def test_from_a_push_to_a_production_rollout(daemon: Daemon, repository: Repository) -> None:
    """R20, R21, R40, R70-R72: from a draft that nobody runs to a release that two people let through."""
    repository.git("push", "-q", "origin", "main")
    drafts = daemon.until(lambda: _workflow(daemon).get("drafts"), "the draft")
    assert [(draft["branch"], draft["state"]) for draft in drafts] == [("main", "valid")]
    refused = daemon.ask("POST", "runs", {"workflow": PIPELINE})
    assert refused.status == 422
    assert daemon.get("runs")["items"] == []

    repository.git("tag", "-a", "-m", "First", "v1")
    repository.git("push", "-q", "origin", "v1")
    versions = daemon.until(lambda: _workflow(daemon).get("versions"), "the version")
    assert [(found["version"], found["tag"], found["state"]) for found in versions] == [("1", "v1", "valid")]

    run = daemon.post("runs", {"workflow": PIPELINE, "metadata": {"ticket": "CHG-1"}})["number"]
    found = daemon.run_in(run, "waiting", "failed")
    assert (found["state"], found["step_count"], found["started_by"]) == ("waiting", 17, "opschain")
    assert steps_of(found)["4"]["state"] == "waiting"

    with daemon.acting_as(daemon.tokens["mira"]):
        daemon.post(f"gates/{run}:4/decision", {"decision": "continue", "message": "dev and staging are fine"})
    before = daemon.run_in(run, "waiting")
    assert steps_of(before)["5"]["state"] == "waiting"
    with daemon.acting_as(daemon.tokens["guest"]):
        answer = daemon.ask("POST", f"gates/{run}:5/decision", {"decision": "approve"})
    assert answer.status == 403
    assert "guest is not listed as an approver of this step: opschain" in answer.json["detail"]
    assert daemon.get(f"runs/{run}") == before
    daemon.post(f"gates/{run}:5/decision", {"decision": "approve", "message": "go"})

    found = daemon.run_in(run, "succeeded", "failed")
    assert found["state"] == "succeeded"
    for key in KEYS:
        assert steps_of(found)[key]["state"] == "succeeded"
        assert b"/projects/hello_world/environments/" in daemon.ask("GET", f"runs/{run}/steps/{key}/log").body
    _everybody_is_in_the_record(daemon, run)


def _everybody_is_in_the_record(daemon: Daemon, run: int) -> None:
    record = daemon.get(f"runs/{run}/events?limit=200")["items"]
    assert {entry["actor"] for entry in record} == {"opschain", "mira", "guest", "system"}
    decisions = [
        (entry["step"], entry["actor"], entry["data"]["message"]) for entry in record if entry["type"] == "gate_decided"
    ]
    assert decisions == [("4", "mira", "dev and staging are fine"), ("5", "opschain", "go")]
    refusals = [entry for entry in record if entry["type"] == "gate_refused"]
    assert daemon.get("events?type=gate_refused")["items"] == refusals
    assert [(entry["actor"], entry["run"], entry["step"]) for entry in refusals] == [("guest", run, "5")]
    assert "not listed" in refusals[0]["data"]["reason"]
