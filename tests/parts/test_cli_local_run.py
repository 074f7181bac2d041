"""`pointsman run --local` with real actions and no daemon."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.git import Repository
from fakes.hello import PROJECT, TEMPLATE, effects, hello_world
from pointsman.cli.main import cli

GATES = ("--answer", "4=continue", "--answer", "approve the production rollout=approve")
SLOW = """\
steps:
- target: /projects/hello_world/environments/dev/assets/managed_server
  action: slow
- target: /projects/hello_world/environments/dev/assets/managed_server
  action: backup
  when: always
"""


def ran(repository: Repository, *words: str) -> Result:
    """What a local run comes to."""
    return CliRunner().invoke(cli, ["run", "--local", "-C", str(repository.path), *words])


@pytest.fixture
def hello(tmp_path: Path) -> Repository:
    repository = hello_world(tmp_path / "ops", bare=False)
    repository.tag("v1")
    return repository


def test_a_run_that_succeeds_prints_each_log_behind_its_key(hello: Repository) -> None:
    result = ran(hello, "backup-environment", "--set", "env=dev")
    assert result.exit_code == 0, result.output
    assert "1 │ backup with dev-web-01.example.com on /projects/hello_world/environments/dev/assets/managed_server" in (
        result.stdout.splitlines()
    )
    assert "hello_world/backup-environment succeeded" in result.stderr


def test_gates_are_answered_by_key_and_by_name(hello: Repository) -> None:
    """R60."""
    result = ran(hello, "rollout-pipeline", *GATES)
    assert result.exit_code == 0, result.output
    assert sum(entry[0] == "end" for entry in effects(hello.path)) == 12
    assert "answers every gate, whoever is to approve" in result.stderr


def test_a_gate_that_nobody_answers_ends_with_3_and_the_answer_to_give(hello: Repository) -> None:
    result = ran(hello, "rollout-pipeline")
    assert result.exit_code == 3
    assert "--answer 4=continue" in result.stderr


def test_a_rejected_gate_ends_with_5_and_what_follows_is_aborted(hello: Repository) -> None:
    """R74."""
    result = ran(hello, "rollout-pipeline", "--answer", "4=reject")
    assert result.exit_code == 5
    assert any(line.split()[1:3] == ["6", "aborted"] for line in result.stdout.splitlines())


def test_a_failed_step_ends_with_1(hello: Repository) -> None:
    hello.commit({f"{TEMPLATE}/act.sh": "#!/bin/sh\necho oh no\nexit 3\n"}, executable={f"{TEMPLATE}/act.sh"})
    result = ran(hello, "backup-environment", "--set", "env=dev")
    assert result.exit_code == 1
    assert "1 │ oh no" in result.stdout


def test_skipped_steps_do_not_run_and_approvals_are_never_skipped(hello: Repository) -> None:
    """R77, R89."""
    result = ran(hello, "rollout-pipeline", "--skip", "ROLLOUT *", "--skip", "confirm*", "--skip", "approve*")
    assert result.exit_code == 3
    assert "--answer 5=approve" in result.stderr


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        ("4=approve", 7, "approve does not work on 4 Confirm development and staging are working, which is a wait"),
        ("9=continue", 6, "the gates are 4 Confirm development and staging are working, 5 Approve"),
        ("4=yes", 2, "GATE=continue"),
    ],
)
def test_an_answer_that_fits_no_gate_is_refused_before_anything_runs(
    hello: Repository, answer: str, code: int, says: str
) -> None:
    result = ran(hello, "rollout-pipeline", "--answer", answer)
    assert result.exit_code == code
    assert says in result.stderr
    assert effects(hello.path) == []


def test_one_person_stands_for_all_who_are_needed(hello: Repository) -> None:
    approval = "steps: [{type: wait, requires_approval_from: {user_names: [a, b]}, min_approvals: 2}]\n"
    hello.commit({f"{PROJECT}/workflows/two.yaml": approval})
    result = ran(hello, "two", "--ref", "main", "--answer", "1=approve")
    assert result.exit_code == 0, result.output


def test_a_draft_runs_only_with_ref_and_the_working_tree_as_it_lies_there(hello: Repository) -> None:
    """R21."""
    (hello.path / PROJECT / "workflows/new.yaml").write_text(SLOW.replace("slow", "backup"))
    assert ran(hello, "new").exit_code == 6
    hello.git("add", "-A")
    hello.git("commit", "-qm", "new")
    assert ran(hello, "new").exit_code == 7
    assert ran(hello, "new", "--ref", "main").exit_code == 0

    (hello.path / TEMPLATE / "act.sh").write_text("#!/bin/sh\necho changed here\n")
    result = ran(hello, "new", "--ref", ".")
    assert result.exit_code == 0, result.output
    assert "1 │ changed here" in result.stdout


def test_a_plan_with_problems_is_a_refused_run(hello: Repository) -> None:
    """R32."""
    result = ran(hello, "backup-environment")
    assert result.exit_code == 7
    assert "error[PM038]" in result.stderr


def test_data_stays_where_it_was_asked_for_and_is_gone_otherwise(hello: Repository, tmp_path: Path) -> None:
    place = tmp_path / "data"
    assert ran(hello, "backup-environment", "--set", "env=dev", "--data", str(place)).exit_code == 0
    assert (place / "runs/1/1.1.log").read_text().startswith("backup with dev")
    assert ran(hello, "backup-environment", "--set", "env=dev", "--data", str(place)).exit_code == 0
    assert (place / "runs/2/1.1.log").exists()


def started(repository: Repository, *words: str, terminal: int | None = None) -> "subprocess.Popen[str]":
    """A local run in a process of its own."""
    command = [sys.executable, "-m", "pointsman", "run", "--local", "-C", str(repository.path), *words]
    errors = subprocess.PIPE if terminal is None else terminal
    return subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, stderr=errors, text=True)


def read_until(process: "subprocess.Popen[str]", fits: Callable[[str], bool]) -> None:
    """Read what is printed up to a line that fits."""
    assert process.stdout is not None
    for line in process.stdout:
        if fits(line):
            return
    raise AssertionError("this line never came")


def test_ctrl_c_cancels_the_run_and_its_cleaning_up_still_runs(hello: Repository) -> None:
    """R91: the group gets TERM, `when: always` runs, and nothing is left behind."""
    slow = "  slow:\n    run: sleep 300\n"
    template = (hello.path / TEMPLATE / "template.yaml").read_text()
    hello.commit({f"{TEMPLATE}/template.yaml": template + slow, f"{PROJECT}/workflows/slow.yaml": SLOW})
    with started(hello, "slow", "--ref", "main") as process:
        read_until(process, lambda line: " running " in line and " 1 " in line)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "2 │ backup with dev" in out
    assert "was cancelled" in errors


def test_on_a_terminal_it_asks_at_gates_and_the_first_letter_is_enough(hello: Repository) -> None:
    ours, theirs = pty.openpty()
    with started(hello, "rollout-pipeline", terminal=theirs) as process:
        for key, word in (("4", "nonsense\nc\n"), ("5", "r\n")):
            read_until(process, lambda line, key=key: f" {key} " in line and " waiting " in line)  # type: ignore[misc] # the default binds it
            os.write(ours, word.encode())
        process.communicate(timeout=60)
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    assert process.returncode == 5
    assert "continue or reject?" in said
    assert "approve or reject?" in said
