"""A full disk under the engine: nothing is decided that cannot be recorded, and all goes on afterwards (R112)."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.acting import Meeting
from fakes.engines import Playing, runnable
from pointsman.model.problem import Unavailable

BIG = random.Random(1).randbytes(10_000).hex()  # for which no page that is there has room, compressed or not


@pytest.fixture(autouse=True)
def _try_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.engine.local.RETRY_AFTER", 0.02)
    monkeypatch.setattr("pointsman.engine.timers.LONGEST_SLEEP", 0.02)


@contextmanager
def _full(playing: Playing) -> Iterator[None]:
    """SQLite itself says that the disk is full: the file may have no page more than it has."""
    connection: sqlite3.Connection = playing.database._connection
    connection.execute("CREATE TABLE IF NOT EXISTS filling (data BLOB)")
    (most,) = connection.execute("PRAGMA max_page_count=1").fetchone()
    while True:
        try:
            connection.execute("INSERT INTO filling VALUES (zeroblob(300))")
        except sqlite3.OperationalError:
            break
    yield
    connection.execute(f"PRAGMA max_page_count={most + 100_000}")


def test_a_decision_is_refused_as_unavailable_and_not_half_made(tmp_path: Path) -> None:
    """R112."""
    with Playing(tmp_path / "data") as playing:
        run = playing.create("seq(gate, a)")
        before = (playing.header(run), playing.row(run, "1"), len(playing.record(run)))
        with _full(playing), pytest.raises(Unavailable, match="the state cannot be written now"):
            playing.decide(run, "1", "continue", message=BIG)
        assert (playing.header(run), playing.row(run, "1"), len(playing.record(run))) == before
        playing.decide(run, "1", "continue")
        assert playing.reach(run, "succeeded", "failed") == "succeeded"


def test_a_run_that_cannot_be_written_does_not_exist(tmp_path: Path) -> None:
    """R112."""
    with Playing(tmp_path / "data") as playing:
        playing.create(runnable("seq(gate)", workflow="other"))
        with _full(playing), pytest.raises(Unavailable):
            playing.create(runnable("seq(a)", {"a": "# " + BIG}))
        assert len(playing.engine.runs.open()) == 1
        assert playing.reach(playing.create("seq(a)"), "succeeded", "failed") == "succeeded"


def test_the_end_of_a_step_is_told_again_when_there_is_room(tmp_path: Path) -> None:
    """R112: running steps are left alone, and no result is lost."""
    meeting = Meeting(tmp_path)
    script = f"""echo here >{meeting}\nprintf '{{"big": "%s"}}' {BIG} >"$POINTSMAN_OUTPUT" """
    with Playing(tmp_path / "data") as playing:
        run = playing.create(runnable("seq(a, b)", {"a": script}))
        playing.reach_step(run, "1", "running")
        failed = len(playing.record(run))
        with _full(playing):
            meeting.word()
            playing.until(lambda: not len(playing.engine.carrier._supervisors) or None, "the end of the process")
            assert playing.states(run, "1 2") == "running pending"
            assert len(playing.record(run)) == failed
        assert playing.reach(run, "succeeded", "failed") == "succeeded"
        assert playing.row(run, "1").attempt == 1
