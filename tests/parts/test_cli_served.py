"""The commands that ask a daemon, with a real one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.daemon import Daemon
from fakes.hello import hello_world
from pointsman.cli.main import cli


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("served")
    hello_world(folder / "ops.git").tag("v1")
    daemon = Daemon(folder / "ops.git", folder / "data", ("--workers", "2", "--operator", "opschain")).start()
    yield daemon
    daemon.kill()


def done(daemon: Daemon, *words: str) -> Result:
    """What a command comes to."""
    return CliRunner().invoke(cli, words, env={"POINTSMAN_SERVER": daemon.url})


def test_a_pipeline_goes_from_run_to_its_end_by_commands_alone(daemon: Daemon) -> None:
    """R70, R71, R72."""
    stopped = done(daemon, "run", "rollout-pipeline", "--wait", "--until-gate")
    assert stopped.exit_code == 3, stopped.output
    gate = done(daemon, "inbox", "-q").stdout.strip()
    number = gate.split(":")[0]
    assert f"pointsman continue {gate}" in stopped.stderr

    assert done(daemon, "approve", gate).exit_code == 7
    assert done(daemon, "continue", gate, "-m", "both look right").exit_code == 0
    assert done(daemon, "continue", gate).exit_code == 0
    assert done(daemon, "reject", gate).exit_code == 7
    assert done(daemon, "approve", f"{number}:5").exit_code == 0
    watched = done(daemon, "runs", "watch", number)
    assert watched.exit_code == 0, watched.output
    assert watched.stdout.splitlines()[-1].endswith(f"run {number} succeeded".replace(f"{number} ", f"{number}    "))
    logs = done(daemon, "runs", "logs", number, "--follow").stdout.splitlines()
    assert sum(line.startswith("6.2 │ ") for line in logs) >= 2
    assert done(daemon, "runs", "show", number).stdout.endswith("17 steps\n")


def test_a_rejected_run_ends_with_5_and_a_cancelled_one_with_1(daemon: Daemon) -> None:
    """R74, R91."""
    for word, code in (("reject", 5), ("cancel", 1)):
        number = done(daemon, "run", "rollout-pipeline", "-q").stdout.strip()
        daemon.run_in(number, "waiting")
        ended = done(daemon, "reject", f"{number}:4") if word == "reject" else done(daemon, "runs", "cancel", number)
        assert ended.exit_code == 0, ended.output
        assert done(daemon, "runs", "watch", number).exit_code == code


def test_what_cannot_be_run_is_refused_or_not_found(daemon: Daemon) -> None:
    """R32, R35."""
    assert done(daemon, "run", "rollout-pipelin").exit_code == 6
    assert done(daemon, "run", "rollout-pipeline@9").exit_code == 7
    refused = done(daemon, "run", "backup-environment")
    assert refused.exit_code == 7
    assert "error[PM038]" in refused.stderr
    quick = done(daemon, "run", "backup-environment", "--set", "env=dev", "--wait", "-q")
    assert (quick.exit_code, quick.stdout.strip().isdigit()) == (0, True)


def test_ctrl_c_leaves_the_run_running(daemon: Daemon) -> None:
    command = [sys.executable, "-m", "pointsman", "run", "rollout-pipeline", "--wait", "--server", daemon.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if " waiting " in line:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    number = done(daemon, "runs", "list", "-q", "--state", "waiting").stdout.split()[0]
    assert f"run {number} goes on" in errors
    assert done(daemon, "runs", "cancel", number).exit_code == 0


def test_a_watch_outlives_a_restart_of_the_daemon(tmp_path: Path) -> None:
    """R110: what was missed meanwhile is told, and nothing twice."""
    hello_world(tmp_path / "ops.git").tag("v1")
    daemon = Daemon(tmp_path / "ops.git", tmp_path / "data", ("--operator", "opschain")).start()
    command = [sys.executable, "-m", "pointsman", "run", "rollout-pipeline", "--wait"]
    environ = {**os.environ, "POINTSMAN_SERVER": daemon.url}
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if " 4 " in line and " waiting " in line:
                daemon.kill()
                daemon.start()
                daemon.post("gates/1:4/decision", {"decision": "continue"})
                daemon.run_in(1, "waiting")
                daemon.post("gates/1:5/decision", {"decision": "approve"})
    daemon.kill()
    assert process.returncode == 0
    told = [line.split(maxsplit=1)[1] for line in lines]
    assert len(told) == len(set(told))
    assert sum(" succeeded" in line and line.startswith("6.") for line in told) == 2
