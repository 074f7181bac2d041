"""One engine after another on the same data: what it takes over, and what it lets go of."""

from pathlib import Path

import pytest

from fakes.acting import Meeting, gone, killed
from fakes.engines import Playing, runnable
from pointsman.act.paths import AttemptId
from pointsman.model.problem import Refused


def test_what_still_runs_is_adopted_and_its_result_taken(tmp_path: Path) -> None:
    """R110: one attempt, one process."""
    meeting, trace = Meeting(tmp_path), tmp_path / "trace"
    script = f"echo begin >>{trace}\necho here >{meeting}\necho end >>{trace}"
    with Playing(tmp_path / "data") as before:
        run = before.create(runnable("seq(a, b)", {"a": script}))
        before.reach_step(run, "1", "running")
    with Playing(tmp_path / "data") as after:
        assert after.states(run, "1 2") == "running pending"
        meeting.word()
        assert after.reach(run, "succeeded", "failed", "lost") == "succeeded"
        assert after.row(run, "1").attempt == 1
    assert trace.read_text() == "begin\nend\n"


def test_what_ended_while_no_daemon_was_there_has_its_true_result(tmp_path: Path) -> None:
    """R110."""
    meeting = Meeting(tmp_path)
    with Playing(tmp_path / "data") as before:
        run = before.create(runnable("seq(a, b)", {"a": f"echo here >{meeting}\nexit 7"}))
        before.reach_step(run, "1", "running")
        exit_record = before.engine.carrier.paths(_attempt(run)).exit
    supervisor = int(exit_record.with_suffix(".lock").read_text())
    meeting.word()
    assert gone(supervisor)
    with Playing(tmp_path / "data") as after:
        assert after.reach(run, "failed", "succeeded") == "failed"
        assert after.row(run, "1").exit_code == 7


def test_what_nobody_can_know_is_lost_and_the_run_ends_failed_and_names_it(tmp_path: Path) -> None:
    """R86, R110: the supervisor was killed with the daemon away."""
    meeting = Meeting(tmp_path)
    with Playing(tmp_path / "data") as before:
        run = before.create(runnable("seq(a, b)", {"a": f"echo here >{meeting}\nsleep 1000"}))
        meeting.word()
        supervisor = int(before.engine.carrier.paths(_attempt(run)).lock.read_text())
    killed(supervisor)
    with Playing(tmp_path / "data") as after:
        assert after.reach(run, "failed", "succeeded") == "failed"
        assert after.states(run, "1 2") == "lost aborted"
        assert "outcome unknown" in after.row(run, "1").reason


def test_what_was_queued_keeps_its_order_and_what_runs_its_lock(tmp_path: Path) -> None:
    """R55, R96, R110."""
    meeting, trace = Meeting(tmp_path), tmp_path / "trace"
    scripts = {"z": f"echo here >{meeting}", **{name: f"echo {name} >>{trace}" for name in "abcd"}}
    with Playing(tmp_path / "data", workers=1) as before:
        before.create(runnable("seq(z)", scripts, on={"z": "one"}, workflow="z"))
        before.create(runnable("par(a, b)", scripts, on={"a": "one"}, workflow="x"))
        last = before.create(runnable("par(c, d)", scripts, workflow="y"))
    with Playing(tmp_path / "data", workers=1) as after:
        assert after.states(last, "1.1 1.2") == "queued queued"
        meeting.word()
        assert after.reach(last, "succeeded", "failed") == "succeeded"
    assert trace.read_text().split() == ["a", "b", "c", "d"]


def test_a_daemon_that_stops_starts_nothing_more(tmp_path: Path) -> None:
    """R113: the next change stays queued, for the next daemon."""
    meeting, trace = Meeting(tmp_path), tmp_path / "trace"
    with Playing(tmp_path / "data") as before:
        run = before.create(runnable("seq(a, b)", {"a": f"echo here >{meeting}", "b": f"echo b >>{trace}"}))
        before.call(before.engine.drain)
        meeting.word()
        before.reach_step(run, "2", "queued")
        assert not trace.exists()
    with Playing(tmp_path / "data") as after:
        assert after.reach(run, "succeeded", "failed") == "succeeded"


def test_a_gate_is_decided_by_the_next_daemon_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """R110: decisions, openings and digests stand."""
    with Playing(tmp_path / "data") as before:
        run = before.create("seq(approval[min=2, users=ann+mira], a)")
        before.decide(run, "1", "approve", message="first")
    with Playing(tmp_path / "data") as after:
        assert after.decide(run, "1", "approve").message == "first"
        after.decide(run, "1", "approve", by="mira", opening=1, digest=after.header(run).plan_digest)
        assert after.reach(run, "succeeded", "failed") == "succeeded"


def test_a_cancel_that_an_old_daemon_began_is_finished_by_the_next(tmp_path: Path) -> None:
    """R91, R110."""
    meeting = Meeting(tmp_path)
    script = f"trap '' TERM\necho $$ >{meeting}\nwhile :; do sleep 0.02; done"
    with Playing(tmp_path / "data", grace=0.3) as before:
        run = before.create(runnable("seq(a)", {"a": script}))
        meeting.word()
        before.cancel(run)
    with Playing(tmp_path / "data", grace=0.3) as after:
        assert after.reach(run, "cancelled") == "cancelled"


def test_pending_runs_wait_on_for_their_blockers(tmp_path: Path) -> None:
    """R95, R110."""
    with Playing(tmp_path / "data") as before:
        first, second = before.create("seq(gate)"), before.create("seq(gate)")
    with Playing(tmp_path / "data") as after:
        assert after.engine.blockers(after.header(second)) == (first,)
        after.decide(first, "1", "continue")
        assert after.reach(second, "waiting") == "waiting"


def test_a_run_made_before_the_kill_is_not_made_again_by_a_repeat(tmp_path: Path) -> None:
    """What `Idempotency-Key` promises over a crash."""
    with Playing(tmp_path / "data") as before:
        run = before.create("seq(gate)", run_id="key")
    with Playing(tmp_path / "data") as after:
        assert after.create("seq(gate)", run_id="key") == run
        with pytest.raises(Refused):
            after.create("seq(gate)", skip=("9",))
        assert len(after.engine.runs.open()) == 1


def _attempt(run: int) -> AttemptId:
    return AttemptId(run, 1, 1)
