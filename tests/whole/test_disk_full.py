"""The data directory is full: nothing is decided that cannot be recorded, and all goes on when there is room (R112)."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fakes.daemon import Daemon, steps_of
from fakes.lab import LAB, began, let_go, served_lab, started


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon whose data directory is a disk of 24 MiB."""
    data = tmp_path / "data"
    data.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(data)], capture_output=True, text=True, check=False
    )
    if mount.returncode:
        pytest.skip(f"a small disk can only be made by root: {mount.stderr.strip()}")
    try:
        with served_lab(tmp_path, config="[steps]\ngrace_seconds = 0.2\n") as daemon:
            yield daemon
    finally:
        # supervisors may still have files open there: the folder goes when they do
        subprocess.run(["umount", "--lazy", str(data)], check=True)


def _fill(daemon: Daemon) -> Path:
    """Take all the room there is; the file to delete to give it back."""
    filling = daemon.data / "filling"
    handle = os.open(filling, os.O_WRONLY | os.O_CREAT)
    for size in (1 << 20, 1 << 12):
        with suppress(OSError):
            while True:
                os.write(handle, b"x" * size)
    os.close(handle)
    assert os.statvfs(daemon.data).f_bavail == 0
    return filling


def test_a_full_disk_stops_decisions_and_new_runs_and_nothing_else(daemon: Daemon) -> None:
    """R112: 503, running steps are left alone; afterwards nothing is lost and nothing half made."""
    held, gated = started(daemon, "holding"), started(daemon, "gated")
    began(daemon, held, "1")
    run_ids = {run: daemon.get(f"runs/{run}")["id"] for run in (held, gated)}
    before = daemon.get(f"runs/{gated}")
    filling = _fill(daemon)

    decision = {"decision": "continue", "message": "there is no room for this"}
    for path, body in (
        (f"gates/{gated}:1/decision", decision),
        ("runs", {"workflow": LAB.format("quick")}),
        ("tokens", {"user": "mira", "password": "password of mira"}),
    ):
        answer = daemon.ask("POST", path, body)
        assert answer.status == 503, path
        assert "the state cannot be written now" in answer.json["detail"]
        assert "make room" in answer.json["hint"]
    with daemon.acting_as(daemon.tokens["guest"]):
        assert daemon.ask("POST", f"gates/{gated}:1/decision", decision).status in {403, 503}
    assert daemon.ask("GET", "//healthz").status == daemon.ask("GET", "//readyz").status == 200
    assert daemon.get(f"runs/{gated}") == before
    assert steps_of(daemon.get(f"runs/{held}"))["1"]["state"] == "running"
    assert [run["number"] for run in daemon.get("runs")["items"]] == [gated, held]

    let_go(daemon, held, "1")
    filling.unlink()
    daemon.run_in(held, "succeeded")
    assert daemon.ask("GET", f"runs/{held}/steps/1/log").body == b"holding\nreleased\n"
    assert daemon.ask("POST", f"gates/{gated}:1/decision", decision).status == 200
    found = daemon.run_in(gated, "succeeded")
    assert len(steps_of(found)["1"]["gate"]["decisions"]) == 1
    daemon.run_in(started(daemon, "quick"), "succeeded")
    assert {run: daemon.get(f"runs/{run}")["id"] for run in (held, gated)} == run_ids
    kinds = [event["type"] for event in daemon.get(f"runs/{gated}/events?limit=200")["items"]]
    assert kinds.count("gate_decided") == 1


def test_a_step_that_ends_on_a_full_disk_has_its_true_result_when_there_is_room(daemon: Daemon) -> None:
    """R112: at latest then; never a second process, never a guess."""
    run = started(daemon, "holding")
    began(daemon, run, "1")
    filling = _fill(daemon)
    let_go(daemon, run, "1")
    log = daemon.data / "runs" / str(run) / "1.1.log"
    daemon.until(
        lambda: not _is_supervised(log.with_suffix(".lock")) or log.stat().st_size > 8, "the end of the action"
    )
    assert daemon.get(f"runs/{run}")["state"] == "running"
    filling.unlink()
    found = daemon.run_in(run, "succeeded", "failed")
    assert (found["state"], steps_of(found)["1"]["attempt"]) == ("succeeded", 1)


def _is_supervised(lock: Path) -> bool:
    return Path(f"/proc/{lock.read_text()}").exists()


def test_a_daemon_that_is_killed_on_a_full_disk_starts_again_or_says_why(daemon: Daemon) -> None:
    """R110, R112: and when there is room, everything acknowledged is there."""
    gated = started(daemon, "gated")
    before = daemon.run_in(gated, "waiting")
    filling = _fill(daemon)
    daemon.kill()
    with suppress(AssertionError):  # the harness's own, when there is no line that says that it is ready
        daemon.start()
    assert daemon.process is not None or "the state cannot be" in daemon.stderr() or "No space" in daemon.stderr()
    assert "this is a bug" not in daemon.stderr()
    filling.unlink()
    if daemon.process is None:
        daemon.start()
    assert daemon.get(f"runs/{gated}") == before
    daemon.post(f"gates/{gated}:1/decision", {"decision": "continue"})
    daemon.run_in(gated, "succeeded")
