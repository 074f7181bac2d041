"""Timers of the engine: start times, gates whose time is up, retries that wait; the clock is set by hand."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from fakes.acting import Meeting
from fakes.engines import START, Playing, runnable
from pointsman.model.plan import Plan


@pytest.fixture(autouse=True)
def _look_at_the_clock_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.engine.timers.LONGEST_SLEEP", 0.01)


@pytest.fixture
def playing(tmp_path: Path) -> Iterator[Playing]:
    with Playing(tmp_path / "data") as playing:
        yield playing


def _later(seconds: int, rest: str = "") -> Plan:
    return runnable(f"seq(a[start={START + seconds:.0f}]{rest})")


def test_a_start_time_in_the_future_holds_the_step_and_no_worker(tmp_path: Path) -> None:
    """R59: the step is `pending`, the run `waiting`, the only worker free for others."""
    with Playing(tmp_path / "data", workers=1) as playing:
        run = playing.create(_later(3600))
        assert (playing.header(run).state, playing.states(run, "1")) == ("waiting", "pending")
        assert playing.row(run, "1").due == START + 3600
        other = playing.create(runnable("seq(b)", workflow="other"))
        assert playing.reach(other, "succeeded", "failed") == "succeeded"
        playing.at += 3599
        another = playing.create(runnable("seq(b)", workflow="other"))
        assert playing.reach(another, "succeeded", "failed") == "succeeded"
        assert playing.states(run, "1") == "pending"
        playing.at += 1
        assert playing.reach(run, "succeeded", "failed") == "succeeded"


def test_a_start_time_in_the_past_starts_at_once_and_the_record_says_so(playing: Playing) -> None:
    """R59."""
    run = playing.create(_later(-60))
    assert playing.reach(run, "succeeded", "failed") == "succeeded"
    (queued,) = [entry for entry in playing.record(run) if entry.type == "step_queued"]
    assert "start time" in str(queued.body["note"])


def test_cancelling_before_the_start_time_leaves_no_timer_behind(playing: Playing) -> None:
    """R59."""
    run = playing.create(_later(60))
    playing.cancel(run)
    assert playing.header(run).state == "cancelled"
    assert playing.engine.runs.due() == []


def test_a_gates_timeout_decides_as_the_system(playing: Playing) -> None:
    """R78."""
    run = playing.create("seq(gate[timeout=60, on_timeout=continue], a)")
    refused = playing.create(runnable("seq(gate[timeout=120], a)", workflow="other"))
    playing.at += 60
    assert playing.reach(run, "succeeded", "failed") == "succeeded"
    assert [(given.actor, given.decision) for given in playing.row(run, "1").decisions] == [("system", "continue")]
    assert playing.header(refused).state == "waiting"
    playing.at += 60
    assert playing.reach(refused, "rejected") == "rejected"
    assert "gate_expired" in [entry.type for entry in playing.record(refused)]


def test_a_decision_disarms_the_timeout(playing: Playing) -> None:
    """R78: exactly one wins."""
    run = playing.create("seq(gate[timeout=60], gate:second)")
    playing.decide(run, "1", "continue")
    playing.at += 120
    playing.create(runnable("seq(b)", workflow="other"))
    assert playing.engine.runs.due() == []
    assert playing.states(run, "1 2") == "succeeded waiting"


def _has_failed(playing: Playing, run: int, times: int) -> bool:
    return playing.row(run, "1").retries == times


def test_a_retry_of_an_action_waits_its_delay_and_holds_no_worker(tmp_path: Path) -> None:
    """R61: attempts are visible, each with a log of its own."""
    with Playing(tmp_path / "data", workers=1) as playing:
        run = playing.create(
            runnable("seq(a[retry=2/30])", {"a": 'echo "attempt $POINTSMAN_ATTEMPT"; [ "$POINTSMAN_ATTEMPT" = 3 ]'})
        )
        for attempt in (1, 2):
            playing.until(partial(_has_failed, playing, run, attempt), f"failure {attempt}")
            assert (playing.row(run, "1").due, playing.header(run).state) == (playing.at + 30, "waiting")
            playing.at += 30
        assert playing.reach(run, "succeeded", "failed") == "succeeded"
        logs = [(tmp_path / "data" / "runs" / str(run) / f"1.{n}.log").read_text() for n in (1, 2, 3)]
        assert logs == [f"attempt {n}\n" for n in (1, 2, 3)]


def test_a_timer_that_came_due_while_no_daemon_was_there_fires_after_the_start(tmp_path: Path) -> None:
    """R78, R110."""
    with Playing(tmp_path / "data") as before:
        held, gate = before.create(_later(60)), before.create(runnable("seq(gate[timeout=60])", workflow="gate"))
    with Playing(tmp_path / "data", at=START + 3600) as after:
        assert after.reach(held, "succeeded", "failed") == "succeeded"
        assert after.reach(gate, "rejected") == "rejected"
        assert after.row(gate, "1").decisions[0].at == START + 3600


def test_many_timers_at_one_moment_all_fire(playing: Playing) -> None:
    """More than one look takes."""
    runs = [
        playing.create(runnable("seq(gate[timeout=60, on_timeout=continue])", workflow=f"w{n}")) for n in range(150)
    ]
    playing.at += 60
    assert playing.reach(runs[-1], "succeeded") == "succeeded"
    playing.until(lambda: not playing.engine.runs.due(), "the last timer")
    assert {playing.header(run).state.value for run in runs} == {"succeeded"}


def test_a_clock_that_is_set_back_stops_nothing_that_runs(playing: Playing, tmp_path: Path) -> None:
    """Order is by sequence, not by time."""
    meeting = Meeting(tmp_path)
    run = playing.create(runnable("seq(a, b)", {"a": f"echo here >{meeting}"}))
    playing.at -= 3600
    meeting.word()
    assert playing.reach(run, "succeeded", "failed") == "succeeded"
    record = playing.record(run)
    assert [entry.seq for entry in record] == sorted(entry.seq or 0 for entry in record)
