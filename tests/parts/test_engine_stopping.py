"""Cancelling in the engine: TERM, then KILL after the grace period, races with starts, and cleaning up."""

from dataclasses import replace
from pathlib import Path

import pytest

from fakes.acting import Meeting, gone
from fakes.engines import Playing, runnable
from pointsman.model.problem import Refused


def test_cancel_keeps_what_has_ended_and_ends_the_run_only_when_its_processes_have(tmp_path: Path) -> None:
    """R91: TERM first; who listens to it may say goodbye."""
    meeting, goodbye = Meeting(tmp_path), tmp_path / "goodbye"
    script = f"trap 'echo bye >{goodbye}; exit 0' TERM\necho $$ >{meeting}\nwhile :; do sleep 0.02; done"
    with Playing(tmp_path / "data") as playing:
        run = playing.create(runnable("seq(a, b, c)", {"b": script}))
        playing.reach_step(run, "2", "running")
        action = meeting.number()
        playing.cancel(run, by="mira")
        assert playing.header(run).state == "running"
        assert playing.reach(run, "cancelled") == "cancelled"
        assert gone(action)
        assert playing.states(run, "1 2 3") == "succeeded cancelled cancelled"
    assert goodbye.read_text() == "bye\n"


def test_who_does_not_listen_to_term_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    """R91: the whole group."""
    meeting = Meeting(tmp_path)
    script = f"trap '' TERM\n(trap '' TERM; sleep 1000) &\necho $! >{meeting}\nwhile :; do sleep 0.02; done"
    with Playing(tmp_path / "data", grace=0.1) as playing:
        run = playing.create(runnable("seq(a)", {"a": script}))
        child = meeting.number()
        playing.cancel(run)
        assert playing.reach(run, "cancelled") == "cancelled"
        assert gone(child)


def test_a_queued_change_of_a_cancelled_run_never_starts(tmp_path: Path) -> None:
    """R92."""
    meeting, trace = Meeting(tmp_path), tmp_path / "trace"
    with Playing(tmp_path / "data", workers=1) as playing:
        first = playing.create(runnable("seq(a)", {"a": f"echo here >{meeting}"}, workflow="one"))
        second = playing.create(runnable("seq(b)", {"b": f"echo b >{trace}"}, workflow="two"))
        playing.cancel(second)
        assert playing.header(second).state == "cancelled"
        meeting.word()
        assert playing.reach(first, "succeeded", "failed") == "succeeded"
        last = playing.create(runnable("seq(c)", workflow="three"))
        assert playing.reach(last, "succeeded", "failed") == "succeeded"
    assert not trace.exists()


def test_a_cancel_at_the_instant_of_a_start_stops_the_step_or_never_starts_it(tmp_path: Path) -> None:
    """R92: it never returns to the queue, and nothing of it is left."""
    with Playing(tmp_path / "data", grace=0.2) as playing:
        for n in range(10):
            run = playing.create(runnable("par(a, b, c)", dict.fromkeys("abc", "sleep 1000"), workflow=f"w{n}"))
            playing.cancel(run)
            assert playing.reach(run, "cancelled") == "cancelled"
            assert playing.states(run, "1.1 1.2 1.3") == "cancelled cancelled cancelled"
            assert max(playing.row(run, key).attempt for key in ("1.1", "1.2")) <= 1
        assert playing.engine.runs.busy() == []


def test_cleaning_up_runs_after_a_cancel_and_a_second_cancel_stops_it(tmp_path: Path) -> None:
    """R91: `when: always` steps run; a third cancel is refused."""
    meeting, done = Meeting(tmp_path), tmp_path / "done"
    # it is in no hurry to end, so that the third cancel comes before its end
    script = f"trap 'until [ -e {done} ]; do sleep 0.05; done; exit 1' TERM\necho $$ >{meeting}\nsleep 1000"
    with Playing(tmp_path / "data", grace=60) as playing:
        run = playing.create(runnable("seq(gate, tidy[always])", {"tidy": script}))
        playing.cancel(run)
        playing.reach_step(run, "2", "running")
        action = meeting.number()
        playing.cancel(run)
        with pytest.raises(Refused, match="is being cancelled already"):
            playing.cancel(run)
        done.touch()
        assert playing.reach(run, "cancelled") == "cancelled"
        assert gone(action)
        with pytest.raises(Refused, match="the run is cancelled already"):
            playing.cancel(run)


def test_a_pending_run_is_cancelled_without_ever_having_begun(tmp_path: Path) -> None:
    """R91, R95: the run behind it then waits for the first alone."""
    with Playing(tmp_path / "data") as playing:
        first, second, third = (playing.create("seq(gate)") for _ in range(3))
        playing.cancel(second)
        assert (playing.header(second).state, playing.states(second, "1")) == ("cancelled", "cancelled")
        assert playing.engine.blockers(playing.header(third)) == (first,)
        playing.decide(first, "1", "continue")
        assert playing.reach(third, "waiting") == "waiting"


def test_a_timeout_ends_the_action_and_says_after_how_long(tmp_path: Path) -> None:
    """R61."""
    plan = runnable("seq(a, b)", {"a": "sleep 1000"})
    contents = {key: replace(content, timeout_seconds=1) for key, content in plan.contents.items()}
    with Playing(tmp_path / "data", grace=0.1) as playing:
        run = playing.create(replace(plan, contents=contents, digest="of a plan with a timeout"))
        assert playing.reach(run, "failed", "succeeded") == "failed"
        assert "timed out after 1s" in playing.row(run, "1").reason
