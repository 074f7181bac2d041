"""How attempts stand by their files alone, and the fence: what was never begun can never begin."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.acting import FIRST, Acting, Meeting, alive, gone, killed
from pointsman.act.paths import AttemptId, AttemptPaths
from pointsman.act.standing import Alive, Ended, Leftovers, NeverStarted, Vanished, ended, standing


@pytest.fixture(name="acting")
def _acting(tmp_path: Path) -> Iterator[Acting]:
    with Acting(tmp_path / "data") as acting:
        yield acting


@pytest.fixture(name="meeting")
def _meeting(tmp_path: Path) -> Meeting:
    return Meeting(tmp_path)


def test_an_attempt_under_way_is_alive_and_says_by_whom(acting: Acting, meeting: Meeting) -> None:
    acting.launch(f"echo $PPID > {meeting}; exec sleep 1000")
    supervisor = meeting.number()
    assert standing(acting.paths()) == Alive(supervisor)
    acting.stop()
    acting.end()


def test_an_ended_attempt_tells_its_result_as_often_as_it_is_asked(acting: Acting) -> None:
    end = acting.ended("exit 3")
    assert standing(acting.paths()) == standing(acting.paths()) == end


def test_a_claim_that_was_never_taken_up_cannot_be_taken_up_later(acting: Acting, tmp_path: Path) -> None:
    """R110: the fence."""
    assert standing(acting.paths()) == NeverStarted()
    assert standing(acting.paths()) == NeverStarted()
    acting.launch(f"touch {tmp_path}/ran")
    assert acting.end() == NeverStarted()
    assert not (tmp_path / "ran").exists()
    assert not acting.paths().log.exists()


def test_a_supervisor_that_was_killed_alone_leaves_an_unknown_outcome(acting: Acting, meeting: Meeting) -> None:
    """R110: and what is left of its session is ended."""
    acting.launch(f"sleep 1000 & echo $! > {meeting}; wait")
    orphan = meeting.number()
    killed(acting.supervisor())
    assert acting.end() == Vanished()
    assert standing(acting.paths()) == Vanished()
    assert alive(orphan)
    assert acting.leftovers().kill() == 2
    assert gone(orphan)


def test_an_attempt_whose_outcome_is_unknown_is_not_run_again(acting: Acting, meeting: Meeting, tmp_path: Path) -> None:
    """R110: no step has two processes in one attempt."""
    acting.launch(f"echo x >> {tmp_path}/ran; echo ready > {meeting}; exec sleep 1000")
    meeting.word()
    killed(acting.supervisor())
    acting.end()
    acting.leftovers().kill()
    acting.ends.clear()
    acting.launch(f"echo x >> {tmp_path}/ran")
    assert acting.end() == Vanished()
    assert (tmp_path / "ran").read_text() == "x\n"


def test_leftovers_that_dropped_their_variables_end_with_their_session(acting: Acting, meeting: Meeting) -> None:
    """R110."""
    acting.launch(f"env -i sleep 1000 & echo $! > {meeting}; wait")
    orphan = meeting.number()
    killed(acting.supervisor())
    acting.leftovers().kill()
    assert gone(orphan)


@pytest.mark.parametrize("other", [AttemptId(2, 1, 1), AttemptId(1, 11, 1), AttemptId(1, 1, 11)])
def test_the_processes_of_another_attempt_are_left_alone(acting: Acting, meeting: Meeting, other: AttemptId) -> None:
    acting.launch(f"echo $$ > {meeting}; exec sleep 1000")
    process = meeting.number()
    assert acting.leftovers(other).kill() == 0
    assert alive(process)
    acting.stop()
    acting.end()


def test_a_process_of_ours_that_carries_the_variables_does_not_take_us_along(tmp_path: Path) -> None:
    """A daemon may itself run in a step; it shares its session with no attempt of its own, but may with this one."""
    run = str(tmp_path)
    marks = {"POINTSMAN_RUN_ID": run, "POINTSMAN_STEP": "1", "POINTSMAN_ATTEMPT": "1", "PATH": os.environ["PATH"]}
    meeting = Meeting(tmp_path)
    with subprocess.Popen(["sh", "-c", f"echo $$ > {meeting}; exec sleep 1000"], env=marks) as child:
        meeting.word()
        assert Leftovers(run, "1", 1).kill() == 1
        assert child.wait() == -signal.SIGKILL


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"{}", b'{"reason": ""}x', b"\xff\xfe", b'"reason"', b'{"exit_code": 0}']
)
def test_an_exit_record_that_cannot_be_read_is_a_failure_that_says_so(tmp_path: Path, data: bytes) -> None:
    """R58: never a success, never the daemon's end."""
    paths = AttemptPaths(tmp_path, FIRST)
    paths.folder.mkdir(parents=True)
    paths.exit.write_bytes(data)
    found = standing(paths)
    assert isinstance(found, Ended)
    assert found.reason.startswith("the exit record cannot be read: ")
    assert found.exit_code is None


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert ended(json.dumps({"reason": "", "exit_code": 0, "colour": "blue"}).encode()) == Ended(reason="", exit_code=0)


def test_half_an_exit_record_is_none(acting: Acting, meeting: Meeting) -> None:
    """R110: it has a temporary name until it is whole."""
    acting.launch(f"echo ready > {meeting}; exec sleep 1000")
    meeting.word()
    killed(acting.supervisor())
    acting.paths().exit.with_name("1.1.exit.new").write_text('{"reason": "", "exit_')
    assert acting.end() == Vanished()
    acting.leftovers().kill()


def test_attempts_have_different_files() -> None:
    paths = [
        AttemptPaths(Path("/d"), AttemptId(*numbers)) for numbers in ((1, 1, 1), (1, 1, 2), (1, 11, 1), (11, 1, 1))
    ]
    assert len({path.lock for path in paths} | {path.work for path in paths}) == 8
