"""One attempt from its start to its exit record: codes, time limits, stops, what is left behind, what it may see."""

import hashlib
import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.acting import FIRST, Acting, Meeting, gone
from pointsman.act.paths import AttemptId
from pointsman.model.plan import Phase


@pytest.fixture(name="acting")
def _acting(tmp_path: Path) -> Iterator[Acting]:
    with Acting(tmp_path / "data") as acting:
        yield acting


@pytest.fixture(name="meeting")
def _meeting(tmp_path: Path) -> Meeting:
    return Meeting(tmp_path)


@pytest.mark.parametrize("code", [0, 1, 2, 126, 127, 128, 137, 254, 255])
def test_an_exit_code_is_recorded_exactly(acting: Acting, code: int) -> None:
    end = acting.ended(f"exit {code}")
    assert (end.exit_code, end.reason) == (code, f"exit code {code}" if code else "")


def test_exit_256_is_0_as_it_is_for_everybody_who_waits_for_it(acting: Acting) -> None:
    assert acting.ended("exit 256").exit_code == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGHUP])
def test_a_signal_is_told_apart_from_an_exit_code(acting: Acting, number: signal.Signals) -> None:
    end = acting.ended(f"kill -{number} $$")
    assert (end.exit_code, end.reason) == (None, f"ended by signal {int(number)} ({number.name})")


def test_a_failing_command_ends_a_script(acting: Acting) -> None:
    assert acting.ended("false\necho on").exit_code == 1
    assert acting.log() == ""


def test_a_failing_command_in_a_pipe_ends_a_script(acting: Acting) -> None:
    assert acting.ended("exit_with_4() { return 4; }; exit_with_4 | cat").exit_code == 4


def test_a_writer_ends_when_its_reader_has_ended(acting: Acting) -> None:
    end = acting.ended("set +o pipefail; yes | head -n 1")
    assert (end.exit_code, acting.log()) == (0, "y\n")


def test_length_and_hash_in_the_record_are_those_of_the_log(acting: Acting) -> None:
    end = acting.ended("printf 'one\\r\\ntwo'; printf 'three\\n' >&2")
    log = acting.paths().log.read_bytes()
    assert log == b"one\r\ntwothree\n"
    assert (end.log_bytes, end.log_sha256, end.log_trouble) == (len(log), hashlib.sha256(log).hexdigest(), "")


def test_an_action_that_says_nothing_leaves_no_log(acting: Acting) -> None:
    end = acting.ended("true")
    assert (end.log_bytes, end.log_sha256) == (0, hashlib.sha256().hexdigest())
    assert not acting.paths().log.exists()


def test_the_exit_record_on_disk_says_what_the_daemon_was_told(acting: Acting) -> None:
    end = acting.ended("echo hello; exit 3")
    kept = json.loads(acting.paths().exit.read_bytes())
    assert kept == {name: getattr(end, name) for name in kept}
    assert not acting.paths().exit.with_name("1.1.exit.new").exists()


def test_the_working_copy_is_gone_with_the_attempt(acting: Acting) -> None:
    acting.ended("mkdir -p deep/er; echo x > deep/er/file")
    assert acting.nothing_of()


# Time limits and stops


def test_an_action_ends_when_its_time_is_up(acting: Acting) -> None:
    """R61."""
    end = acting.ended("exec sleep 1000", timeout=1)
    assert (end.reason, end.exit_code, end.stopped) == ("timed out after 1s", None, False)


@pytest.mark.parametrize(("own", "whole", "said"), [(1, 3600, "1s"), (3600, 1, "1s"), (None, 1, "1s"), (1, None, "1s")])
def test_the_message_names_the_time_limit_that_was_reached(
    acting: Acting, own: int | None, whole: int | None, said: str
) -> None:
    """R61."""
    phase = Phase(name="slow", script="exec sleep 1000", timeout_seconds=own)
    assert acting.ended(phases=[phase], timeout=whole).reason == f"timed out after {said}"


def test_an_action_that_ignores_term_is_killed_with_its_group(acting: Acting, meeting: Meeting) -> None:
    """R61: KILL after the grace period, the whole group."""
    script = f"trap '' TERM\n(trap '' TERM; echo $BASHPID > {meeting}; while :; do sleep 1000; done) &\nwait"
    acting.launch(script, grace=0.2)
    member = meeting.number()
    acting.stop()
    end = acting.end()
    assert acting.ends[FIRST] == [end]
    assert getattr(end, "reason", "") == "stopped"
    assert gone(member)


def test_a_stopped_action_may_clean_up(acting: Acting, meeting: Meeting) -> None:
    """R91: TERM first."""
    acting.launch(f"trap 'echo cleaned; exit 7' TERM\necho ready > {meeting}\nsleep 1000 & wait")
    meeting.word()
    acting.stop()
    end = acting.end()
    assert (acting.log(), end) == ("cleaned\n", acting.ends[FIRST][0])
    assert [getattr(end, name) for name in ("reason", "exit_code", "stopped")] == ["stopped", 7, True]


def test_a_stop_reaches_the_whole_group(acting: Acting, meeting: Meeting) -> None:
    """R91: the group gets TERM."""
    acting.launch(f"sleep 1000 & echo $! > {meeting}\nwait")
    member = meeting.number()
    acting.stop()
    acting.end()
    assert gone(member)


def test_no_phase_follows_a_stop(acting: Acting, meeting: Meeting) -> None:
    """R91, R92."""
    first = Phase(name="first", script=f"trap 'exit 0' TERM; echo ready > {meeting}; sleep 1000 & wait")
    acting.launch(phases=[first, Phase(name="second", script="echo second")])
    meeting.word()
    acting.stop()
    acting.end()
    assert acting.log() == "── first ──\n"


# What is left behind


def test_a_background_process_ends_with_the_step(acting: Acting) -> None:
    """It holds the output; the step ends, and so does it."""
    end = acting.ended(f"sleep 1000 & echo $! > {acting.data / 'pid'}; echo done")
    assert (end.exit_code, acting.log()) == (0, "done\n")
    assert gone(int((acting.data / "pid").read_text()))


def test_a_process_with_a_session_of_its_own_ends_with_the_step(acting: Acting, tmp_path: Path) -> None:
    waiting = f"trap '' TERM HUP; echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; exec sleep 1000"
    script = f'setsid bash -c "$WAITING" & until [ -e {tmp_path}/pid ]; do sleep 0.01; done'
    end = acting.ended(script, env={"WAITING": waiting}, grace=0.2)
    assert end.exit_code == 0
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_hundred_stubborn_processes_end_with_the_step(acting: Acting, tmp_path: Path) -> None:
    script = f"for i in $(seq 100); do (trap '' TERM; exec sleep 1000) & echo $! >> {tmp_path}/pids; done"
    end = acting.ended(script, grace=0.2)
    assert end.exit_code == 0
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 100
    assert all(gone(int(pid)) for pid in pids)


def test_what_a_leftover_process_still_wrote_is_in_the_log(acting: Acting) -> None:
    acting.ended(
        "(trap 'echo goodbye; exit' TERM; : > armed; sleep 1000 & wait) & until [ -e armed ]; do sleep 0.01; done"
    )
    assert acting.log() == "goodbye\n"


# What it may see and do


def test_a_step_sees_no_variable_of_the_daemon_but_those_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    passed = {"SSH_AUTH_SOCK": "/run/agent", "DATABASE_PASSWORD": "hunter2"}
    with Acting(tmp_path / "data", environ=passed) as acting:
        acting.ended(command=["env"], env={"COLOUR": "blue"})
        names = {line.partition("=")[0] for line in acting.log().splitlines()}
        assert "hunter2" not in acting.log()
    assert names == {
        "CI", "COLOUR", "HOME", "LANG", "PATH", "SSH_AUTH_SOCK", "TMPDIR", "POINTSMAN_ATTEMPT", "POINTSMAN_CONTEXT",
        "POINTSMAN_OUTPUT", "POINTSMAN_PROPERTIES", "POINTSMAN_RUN_ID", "POINTSMAN_STEP",
    }  # fmt: skip


def test_the_supervisor_carries_nothing_of_the_daemons_environment(
    acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step may read the environment of its parent, which runs as the same user."""
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    with Acting(acting.data / "other") as other:
        other.ended("tr '\\0' '\\n' < /proc/$PPID/environ")
        assert other.log() == "LANG=C.UTF-8\n"


def test_a_step_holds_no_descriptor_of_its_supervisor(acting: Acting) -> None:
    """It could write its own result on one, or keep the lock with another."""
    acting.ended("ls /proc/$$/fd; true")
    assert acting.log().split() == ["0", "1", "2"]


def test_a_step_has_no_input_and_no_terminal(acting: Acting) -> None:
    end = acting.ended("cat; tty || true; (: < /dev/tty) 2>/dev/null && echo terminal; readlink /proc/self/fd/0")
    assert (end.exit_code, acting.log()) == (0, "not a tty\n/dev/null\n")


def test_what_a_step_writes_is_its_owners_alone_and_it_dumps_no_core(acting: Acting) -> None:
    acting.ended("umask; ulimit -c; stat -c %a . .. $TMPDIR $POINTSMAN_PROPERTIES; touch x; stat -c %a x")
    assert acting.log().split() == ["0077", "0", "700", "700", "700", "600", "600"]
    assert stat.S_IMODE(acting.paths().log.stat().st_mode) == 0o600


def test_a_step_leads_a_session_of_its_own(acting: Acting) -> None:
    acting.ended("ps -o sid= -p $$; echo $$")
    session, process = map(int, acting.log().split())
    assert session == process
    assert os.getsid(0) != session


def test_a_step_finds_its_properties_and_its_context(acting: Acting) -> None:
    acting.ended("cat $POINTSMAN_PROPERTIES; echo; cat $POINTSMAN_CONTEXT", properties={"name": "größe", "list": [1]})
    properties, context = map(json.loads, acting.log().splitlines())
    assert (properties, context) == ({"name": "größe", "list": [1]}, {"run": {"number": 1}})


def test_no_value_is_code(acting: Acting, tmp_path: Path) -> None:
    """Shell characters in arguments and variables are characters."""
    hostile = f"$(touch {tmp_path}/1) `touch {tmp_path}/2`; touch {tmp_path}/3 & | > {tmp_path}/4 ' \" \\ \n*"
    acting.ended(command=["printf", "%s", hostile])
    assert acting.log() == hostile
    acting.ended('printf %s "$V"', attempt=AttemptId(1, 1, 2), env={"V": hostile})
    assert acting.log(AttemptId(1, 1, 2)) == hostile
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


# Actions made of actions


def test_phases_share_a_working_copy_and_a_log_with_a_group_for_each(acting: Acting) -> None:
    first, second = Phase(name="first", script="echo kept > file"), Phase(name="second", command=("cat", "file"))
    end = acting.ended(phases=[first, second])
    assert (end.exit_code, acting.log()) == (0, "── first ──\n── second ──\nkept\n")


def test_no_phase_follows_one_that_failed(acting: Acting) -> None:
    phases = [Phase(name="first", script="exit 5"), Phase(name="second", script="echo second")]
    end = acting.ended(phases=phases)
    assert (end.reason, end.exit_code) == ("first: exit code 5", 5)
    assert acting.log() == "── first ──\n"


# Outputs


def test_outputs_are_part_of_the_record(acting: Acting) -> None:
    """R105."""
    end = acting.ended("printf 'address=10.0.0.1\\nnote=a=b\\n' > $POINTSMAN_OUTPUT")
    assert end.outputs == {"address": "10.0.0.1", "note": "a=b"}


def test_outputs_that_are_too_large_fail_the_step(acting: Acting) -> None:
    """R105: over 256 KiB the step fails."""
    end = acting.ended("head -c 262145 /dev/zero | tr '\\0' x > $POINTSMAN_OUTPUT")
    assert end.reason == "the output has 262145 bytes; at most 262144 are kept"
    assert end.reason in acting.log()


def test_a_malformed_report_fails_the_step(acting: Acting) -> None:
    """R58."""
    end = acting.ended("echo '{\"a\": ' > $POINTSMAN_OUTPUT")
    assert end.reason.startswith("the output begins like JSON and is none")
    assert (end.exit_code, end.outputs) == (0, None)


def test_an_action_that_failed_has_no_outputs(acting: Acting) -> None:
    end = acting.ended("echo a=1 > $POINTSMAN_OUTPUT; exit 1")
    assert (end.reason, end.outputs) == ("exit code 1", None)
