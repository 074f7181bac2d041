"""What the engine may cost, counted and not timed: commits and processes for a step, and nothing for a paused run."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fakes.acting import alive
from fakes.engines import Playing, runnable
from pointsman.run.tree import Run

STEPS = 20

COUNTING = """
import os, sys
from pathlib import Path
from fakes.engines import Playing, runnable

def spent():
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    return child

names = [f"a{n}" for n in range(20)]
with Playing(Path(sys.argv[1]), workers=2) as playing:
    playing.reach(playing.create("seq(warm)"), "succeeded")
    before = spent()
    run = playing.create(runnable(f"seq({', '.join(names)})"))
    assert playing.reach(run, "succeeded", "failed") == "succeeded"
    print(spent() - before - 1)
"""


def _namespaces_work() -> bool:
    done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True, check=False)
    return done.returncode == 0


def test_a_step_of_a_sequence_costs_at_most_two_commits(tmp_path: Path) -> None:
    """The end of a step and the start of the next are one commit; so it is nearly one."""
    commits = 0

    def counted(statement: str) -> None:
        nonlocal commits
        commits += statement.startswith("COMMIT")

    with Playing(tmp_path / "data") as playing:
        playing.database._connection.set_trace_callback(counted)
        run = playing.create(f"seq({', '.join(f'a{n}' for n in range(STEPS))})")
        assert playing.reach(run, "succeeded", "failed") == "succeeded"
    assert commits <= 2 * STEPS
    assert commits >= STEPS


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="counts processes by their numbers: Linux only")
def test_a_step_that_does_nothing_costs_two_processes(tmp_path: Path) -> None:
    """Its supervisor and its action: counted by process numbers, in a namespace where nobody else takes any."""
    if os.getuid() != 0 or not _namespaces_work():
        pytest.skip("a process namespace of its own can only be made by root")
    counting = [sys.executable, "-c", COUNTING, str(tmp_path / "data")]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    done = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", *counting], capture_output=True, check=False, env=environ
    )
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) <= 2 * STEPS


def test_a_paused_run_holds_no_process_thread_descriptor_or_object(tmp_path: Path) -> None:
    """DESIGN section 6: a gate is a row."""
    with Playing(tmp_path / "data") as playing:
        playing.reach(playing.create(runnable("seq(a)", workflow="warm")), "succeeded")
        threads, descriptors = threading.active_count(), _descriptors()
        for n in range(20):
            run = playing.create(runnable("seq(a, gate, b)", workflow=f"w{n}"))
            assert playing.reach(run, "waiting", "failed") == "waiting"
        gc.collect()
        assert threading.active_count() == threads
        assert _descriptors() == descriptors
        assert [found for found in gc.get_objects() if isinstance(found, Run)] == []
        assert _supervisors(playing) == []


def test_a_followers_end_leaves_nothing_in_the_feed(tmp_path: Path) -> None:
    """Live views come and go."""
    with Playing(tmp_path / "data") as playing:
        with playing.engine.feed.following(1), playing.engine.feed.following(1), playing.engine.feed.following(None):
            pass
        assert playing.engine.feed._followers == {}


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _supervisors(playing: Playing) -> list[str]:
    """The living children of the warm process that supervisors are forked from."""
    zygote = playing.engine.carrier._supervisors._zygote
    assert zygote is not None
    children = Path(f"/proc/{zygote.pid}/task/{zygote.pid}/children").read_text().split()
    return [pid for pid in children if alive(int(pid))]
