"""One SQLite file: durable, all or nothing, and refused with instructions where it cannot be trusted."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.model.problem import Refused, Unavailable
from pointsman.store.database import NEWEST_SCHEMA, DamagedError, Database

PAGE = 4096
WRITER = """
import os, signal, sys
from pathlib import Path
from pointsman.store.database import Database
database = Database(Path(sys.argv[1]))
for number in range(20):
    database.fact(f"kept-{number}", str(number))
    print(number, flush=True)
with database.transaction():
    for number in range(2000):
        database.fact(f"lost-{number}", "x" * 1000)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "state.db"


@pytest.fixture(name="database")
def _database(path: Path) -> Iterator[Database]:
    with contextlib.closing(Database(path)) as database:
        yield database


def pragma(database: Database, name: str) -> object:
    """What a pragma of the writing connection says."""
    return database._connection.execute(f"PRAGMA {name}").fetchone()[0]


def facts(database: Database) -> set[str]:
    """The names of all facts."""
    return {row[0] for row in database._connection.execute("SELECT name FROM facts")}


def full(database: Database) -> None:
    """The disk has no room from now on."""
    pages = pragma(database, "page_count")
    database._connection.execute(f"PRAGMA max_page_count = {pages}")


def roomy(database: Database) -> None:
    """There is room again."""
    database._connection.execute("PRAGMA max_page_count = 1000000")


# What is promised of every commit


def test_what_is_committed_survives_a_power_loss(database: Database) -> None:
    """R111: a write-ahead log that is synced at every commit."""
    assert (pragma(database, "journal_mode"), pragma(database, "synchronous")) == ("wal", 2)
    assert (pragma(database, "foreign_keys"), pragma(database, "user_version")) == (1, NEWEST_SCHEMA)


def test_every_table_checks_its_types(database: Database) -> None:
    tables = database._connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    assert {row["name"] for row in tables if not row["strict"]} <= {"sqlite_schema"}


def test_the_data_directory_is_its_owners_alone(database: Database, path: Path) -> None:
    assert database.path == path
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_kill_in_the_middle_of_a_transaction_loses_nothing_committed_and_keeps_nothing_else(path: Path) -> None:
    """R110."""
    done = subprocess.run([sys.executable, "-c", WRITER, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    told = {f"kept-{number}" for number in done.stdout.split()}
    assert len(told) == 20
    with contextlib.closing(Database(path)) as database:
        assert facts(database) == told
        assert pragma(database, "integrity_check") == "ok"


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def half() -> None:
        with database.transaction():
            database.fact("half", "1")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        half()
    assert facts(database) == set()
    database.fact("next", "2")
    assert facts(database) == {"next"}


def test_a_nested_transaction_is_part_of_the_outer_one(database: Database) -> None:
    def outer() -> None:
        with database.transaction():
            with database.transaction():
                database.fact("inner", "1")
            raise RuntimeError("after the inner one")

    with pytest.raises(RuntimeError):
        outer()
    assert facts(database) == set()


def test_a_fact_keeps_its_first_value(database: Database) -> None:
    assert (database.fact("key", "first"), database.fact("key", "second")) == ("first", "first")


def test_every_start_has_a_larger_epoch(database: Database, path: Path) -> None:
    first = database.new_epoch(1.0, "boot-1")
    with contextlib.closing(Database(path)) as again:
        assert first < again.new_epoch(2.0, "boot-1") < again.new_epoch(3.0, "boot-2")


# A disk that refuses


def test_a_full_disk_is_unavailable_and_all_goes_on_when_there_is_room(database: Database) -> None:
    """R112."""
    full(database)

    def large() -> None:
        with database.transaction():
            database.fact("small", "1")
            database.fact("large", "x" * 1_000_000)

    with pytest.raises(Unavailable, match=r"the state cannot be written now: .*full") as caught:
        large()
    assert caught.value.hint
    assert facts(database) == set()
    roomy(database)
    large()
    assert facts(database) == {"small", "large"}


def test_a_full_disk_still_answers_questions(database: Database) -> None:
    """R112."""
    database.fact("known", "1")
    full(database)
    assert database.row("facts", "fact", {"name": "known"}) is not None


def test_a_state_that_another_program_holds_is_unavailable(database: Database, path: Path) -> None:
    database._connection.execute("PRAGMA busy_timeout = 1")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            database.fact("mine", "1")
        other.execute("ROLLBACK")
    assert database.fact("mine", "1") == "1"


def test_a_state_on_a_full_disk_is_not_called_damaged(tmp_path: Path) -> None:
    """R112: nobody is told to move it away."""
    if os.geteuid():
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        with pytest.raises(Unavailable, match="cannot be opened now") as caught:
            Database(folder / "state.db")
        assert "make room" in caught.value.hint
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_state_that_cannot_be_opened_is_not_called_damaged(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(Unavailable, match="unable to open"):
        Database(path)


# A file that cannot be trusted


def test_a_newer_schema_is_refused_and_left_as_it_is(database: Database, path: Path) -> None:
    database.fact("precious", "1")
    database._connection.execute(f"PRAGMA user_version = {NEWEST_SCHEMA + 1}")
    database.close()
    before = path.read_bytes()
    with pytest.raises(Refused, match=f"schema {NEWEST_SCHEMA + 1}, this one knows {NEWEST_SCHEMA}") as caught:
        Database(path)
    assert "newer version" in caught.value.hint
    assert path.read_bytes() == before


def filled(path: Path) -> bytes:
    """The bytes of a database with something in every page."""
    with contextlib.closing(Database(path)) as database:
        for number in range(300):
            database.fact(f"fact-{number:03}", "x" * 200)
    return path.read_bytes()


@pytest.mark.parametrize("place", ["header", "first page", "a page in the middle", "the last page"])
def test_a_damaged_state_is_refused_with_instructions_and_nothing_is_deleted(path: Path, place: str) -> None:
    bad = bytearray(filled(path))
    middle = len(bad) // PAGE // 2 * PAGE
    at = {"header": 0, "first page": 100, "a page in the middle": middle, "the last page": len(bad) - PAGE}[place]
    bad[at : at + 64] = bytes(byte ^ 0xFF for byte in bad[at : at + 64])
    path.write_bytes(bad)
    with pytest.raises(DamagedError, match="cannot be read as Pointsman's state") as caught:
        Database(path)
    assert "move state.db, its -wal and its -shm file away and restore a backup" in caught.value.hint
    assert path.read_bytes() == bad


def test_flipped_bytes_never_crash_and_never_delete(path: Path) -> None:
    """Wherever they are: it opens, or it is refused."""
    good = filled(path)
    for at in range(0, len(good), 3001):
        bad = bytearray(good)
        bad[at] ^= 0xFF
        path.write_bytes(bad)
        with contextlib.suppress(DamagedError, Refused), contextlib.closing(Database(path)) as database:
            assert database._connection.execute("SELECT count(*) FROM facts").fetchone()[0] == 300
        assert path.stat().st_size >= len(good)


@pytest.mark.parametrize("content", [b"not a database at all, whoever put it here\n" * 100, b"\0" * 8192])
def test_another_file_in_its_place_is_refused(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DamagedError):
        Database(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.executescript("CREATE TABLE runs (a); INSERT INTO runs VALUES (1);")
    with pytest.raises(DamagedError):
        Database(path)
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("runs",)]


def test_a_truncated_state_is_refused(path: Path) -> None:
    good = filled(path)
    path.write_bytes(good[: len(good) // 2])
    with pytest.raises(DamagedError):
        Database(path)
    assert path.stat().st_size == len(good) // 2


def test_a_copy_taken_with_its_log_holds_everything(database: Database, path: Path, tmp_path: Path) -> None:
    """What is committed may still be in the -wal file: the hint names all three."""
    database.fact("fresh", "1")
    copy = tmp_path / "copy"
    copy.mkdir()
    for part in ("state.db", "state.db-wal"):
        shutil.copy(path.with_name(part), copy / part)
    with contextlib.closing(Database(copy / "state.db")) as restored:
        assert facts(restored) == {"fresh"}
