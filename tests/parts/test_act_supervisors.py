"""Daemons that come and go over attempts that go on: adoption, fences, stops at any moment, killed processes."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fakes.acting import FIRST, Acting, Meeting, alive, gone, killed
from pointsman.act.paths import AttemptId
from pointsman.act.standing import Ended, NeverStarted, Vanished
from pointsman.model.problem import Unavailable

TESTS = Path(__file__).resolve().parents[1]
DAEMON = """
import sys
from pathlib import Path
from fakes.acting import Acting, FIRST
with Acting(Path(sys.argv[1])) as acting:
    acting.launch(sys.argv[2])
    print(acting.zygote, flush=True)
    acting.end()
"""


@pytest.fixture(name="acting")
def _acting(tmp_path: Path) -> Iterator[Acting]:
    with Acting(tmp_path / "data") as acting:
        yield acting


@pytest.fixture(name="meeting")
def _meeting(tmp_path: Path) -> Meeting:
    return Meeting(tmp_path)


class Daemon:
    """A process that plays the daemon for one attempt, so that it can be killed."""

    def __init__(self, data: Path, script: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", DAEMON, str(data), script],
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.zygote = int(self.process.stdout.readline())

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self.process.kill()
        self.process.communicate()


def test_what_runs_when_the_daemon_is_killed_has_its_true_result(tmp_path: Path, meeting: Meeting) -> None:
    """R110: adopted while it runs."""
    go = Meeting(tmp_path, "go")
    script = f"echo before; echo ready > {meeting}; read word < {go}; echo $word; exit 3"
    daemon = Daemon(tmp_path / "data", script)
    meeting.word()
    daemon.kill()
    with Acting(tmp_path / "data") as successor:
        successor.adopt()
        assert not successor.ends
        go.path.write_text("after\n")
        end = successor.end()
        assert isinstance(end, Ended)
        assert (end.exit_code, successor.log()) == (3, "before\nafter\n")


def test_what_ends_while_there_is_no_daemon_has_its_true_result(tmp_path: Path, meeting: Meeting) -> None:
    """R110: taken from its exit record."""
    go = Meeting(tmp_path, "go")
    daemon = Daemon(tmp_path / "data", f"echo $PPID > {meeting}; read word < {go}; exit 4")
    supervisor = meeting.number()
    daemon.kill()
    go.path.write_text("go\n")
    assert gone(supervisor)
    with Acting(tmp_path / "data") as successor:
        successor.adopt()
        end = successor.end()
        assert isinstance(end, Ended)
        assert end.exit_code == 4


def test_the_warm_process_ends_with_its_daemon(tmp_path: Path, meeting: Meeting) -> None:
    """R110."""
    daemon = Daemon(tmp_path / "data", f"echo $PPID > {meeting}; exec sleep 1000")
    supervisor = meeting.number()
    daemon.kill()
    assert gone(daemon.zygote)
    assert alive(supervisor)
    with Acting(tmp_path / "data") as successor:
        successor.adopt()
        successor.stop()
        successor.end()


def test_a_daemon_that_ends_leaves_running_what_runs(tmp_path: Path, meeting: Meeting) -> None:
    """R113."""
    with Acting(tmp_path / "data") as first:
        first.launch(f"echo ready > {meeting}; exec sleep 1000")
        meeting.word()
        supervisor = first.supervisor()
    assert alive(supervisor)
    assert first.ends == {}
    with Acting(tmp_path / "data") as successor:
        successor.adopt()
        successor.stop()
        end = successor.end()
    assert isinstance(end, Ended)
    assert (end.reason, end.stopped) == ("stopped", True)


def test_two_daemons_that_launch_the_same_attempt_run_it_once(tmp_path: Path) -> None:
    """R110: no step has two processes in one attempt."""
    with Acting(tmp_path / "data") as one, Acting(tmp_path / "data") as other:
        for number in range(10):
            attempt = AttemptId(1, 1, number + 1)
            script = f"echo x >> {tmp_path}/ran-{number}"
            one.launch(script, attempt=attempt)
            other.launch(script, attempt=attempt)
            assert one.end(attempt) == other.end(attempt)
            assert (tmp_path / f"ran-{number}").read_text() == "x\n"


def test_a_new_daemon_and_a_late_start_never_both_have_their_way(tmp_path: Path) -> None:
    """R110: the fence and the start race; whoever is first has the attempt."""
    with Acting(tmp_path / "data") as one, Acting(tmp_path / "data") as other:
        for number in range(30):
            attempt = AttemptId(1, 1, number + 1)
            one.launch(f"echo x > {tmp_path}/ran-{number}", attempt=attempt)
            other.adopt(attempt)
            ends = one.end(attempt), other.end(attempt)
            ran = (tmp_path / f"ran-{number}").exists()
            assert ends[0] == ends[1]
            assert isinstance(ends[0], Ended if ran else NeverStarted)


# Stops


def test_a_stop_at_the_moment_of_the_start_prevents_or_ends_the_step(acting: Acting) -> None:
    """R92."""
    for number in range(40):
        attempt = AttemptId(1, 1, number + 1)
        spec = acting.spec("exec sleep 1000", attempt=attempt)

        def both(attempt: AttemptId = attempt, spec: dict[str, object] = spec) -> None:
            acting.supervisors.launch(attempt, spec)
            acting.supervisors.stop(attempt)

        acting.do(both)
        end = acting.end(attempt)
        assert isinstance(end, Ended), end
        assert end.stopped
        assert end.reason in {"stopped", "stopped before it began"}


def test_a_stop_at_any_moment_after_the_start_ends_the_step(acting: Acting) -> None:
    """R92: with signals that come as soon as the lock says whom to send them to."""
    for number in range(40):
        attempt = AttemptId(1, 1, number + 1)
        acting.launch("exec sleep 1000", attempt=attempt)
        while not acting.paths(attempt).lock.exists() or not acting.paths(attempt).lock.read_bytes():
            pass
        acting.stop(attempt)
        end = acting.end(attempt)
        assert isinstance(end, Ended), end
        assert end.stopped


def test_a_stop_of_an_attempt_that_is_being_looked_at_is_not_forgotten(tmp_path: Path, meeting: Meeting) -> None:
    """R92, R112: the new daemon cannot see yet how the attempt stands."""
    with Acting(tmp_path / "data") as first:
        first.launch(f"echo ready > {meeting}; exec sleep 1000")
        meeting.word()
    with Acting(tmp_path / "data") as successor:
        lock = successor.paths().lock
        lock.rename(lock.with_suffix(".aside"))
        lock.mkdir()
        successor.adopt()
        assert successor.ends == {}
        successor.stop()
        lock.rmdir()
        lock.with_suffix(".aside").rename(lock)
        end = successor.end()
    assert isinstance(end, Ended)
    assert (end.reason, end.stopped) == ("stopped", True)


def test_stopping_what_has_ended_does_nothing(acting: Acting) -> None:
    """R57."""
    end = acting.ended("true")
    acting.stop()
    assert acting.end() == end
    assert acting.ends[FIRST] == [end]


# Processes killed one by one


def test_killing_the_warm_process_costs_no_step(acting: Acting, meeting: Meeting, tmp_path: Path) -> None:
    """R110: what runs goes on, what comes next gets a new one."""
    go = Meeting(tmp_path, "go")
    acting.launch(f"echo ready > {meeting}; read word < {go}; exit 3")
    meeting.word()
    first = acting.zygote
    killed(first)
    second = AttemptId(1, 2, 1)
    assert acting.ended("exit 5", attempt=second).exit_code == 5
    assert acting.zygote != first
    go.path.write_text("go\n")
    end = acting.end()
    assert isinstance(end, Ended)
    assert end.exit_code == 3


def test_an_attempt_that_the_warm_process_took_with_it_never_started(acting: Acting, tmp_path: Path) -> None:
    """R110: it had the request and was killed before it forked."""
    os.kill(acting.zygote, signal.SIGSTOP)
    acting.launch(f"touch {tmp_path}/ran")
    killed(acting.zygote)
    assert acting.end() == NeverStarted()
    assert not (tmp_path / "ran").exists()


def test_an_action_that_kills_its_supervisor_is_lost_and_ended(acting: Acting, meeting: Meeting) -> None:
    """R110."""
    acting.launch(f"kill -9 $PPID; echo $$ > {meeting}; exec sleep 1000")
    orphan = meeting.number()
    assert acting.end() == Vanished()
    acting.leftovers().kill()
    assert gone(orphan)


def test_a_supervisor_short_of_descriptors_leaves_nothing_running(tmp_path: Path) -> None:
    """R110: wherever in its work it fails."""
    with ExitStack() as stack:
        scarce = {}
        for limit in range(4, 18):
            acting = scarce[limit] = stack.enter_context(Acting(tmp_path / str(limit)))
            resource.prlimit(acting.zygote, resource.RLIMIT_NOFILE, (limit, limit))
            acting.launch("sleep 1000 & exec sleep 1000", attempt=AttemptId(limit, 1, 1), timeout=1, grace=0.1)
        reasons = set()
        for limit, acting in scarce.items():
            end = acting.end(AttemptId(limit, 1, 1))
            reasons.add(getattr(end, "reason", type(end).__name__).partition(":")[0])
            left = acting.leftovers(AttemptId(limit, 1, 1)).kill()
            assert left == 0 or isinstance(end, Vanished), (limit, end)
    assert "timed out after 1s" in reasons
    assert len(reasons) > 1


# Requests


def test_an_attempt_that_cannot_begin_says_so_and_is_fenced_when_it_can_be(acting: Acting) -> None:
    """R112."""
    acting.paths().folder.write_text("in the way, as a full disk would be")
    with pytest.raises(Unavailable, match="no process can be started"):
        acting.launch("true")
    acting.adopt()
    assert acting.ends == {}
    acting.paths().folder.unlink()
    assert acting.end() == NeverStarted()


def test_a_large_order_arrives_whole(acting: Acting) -> None:
    end = acting.ended("wc -c < $POINTSMAN_PROPERTIES", properties={"text": "ü" * 3_000_000})
    assert (end.exit_code, int(acting.log())) == (0, 6_000_012)


def test_many_attempts_at_once_end_once_each(acting: Acting) -> None:
    attempts = [AttemptId(1, step, 1) for step in range(1, 41)]
    for attempt in attempts:
        acting.launch(f"exit {attempt.step}", attempt=attempt)
    codes = [getattr(acting.end(attempt), "exit_code", None) for attempt in attempts]
    assert codes == list(range(1, 41))
    assert all(len(ends) == 1 for ends in acting.ends.values())
    assert len(acting.supervisors) == 0


def test_a_supervisor_whose_data_directory_is_gone_ends(acting: Acting, meeting: Meeting) -> None:
    acting.launch(f"echo ready > {meeting}; exec sleep 1000")
    meeting.word()
    supervisor = acting.supervisor()
    os.kill(supervisor, signal.SIGSTOP)
    shutil.rmtree(acting.data)
    os.kill(supervisor, signal.SIGTERM)
    os.kill(supervisor, signal.SIGCONT)
    assert gone(supervisor)
