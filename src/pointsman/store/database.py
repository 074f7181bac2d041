"""One SQLite file in WAL mode with `synchronous=FULL`: what is committed survives a power loss. One thread writes.

Opening migrates. An error of the disk becomes `Unavailable`; the transaction has then not happened.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from pointsman.model.problem import PointsmanError, Refused, Unavailable
from pointsman.store.sql import migrations, queries

NEWEST_SCHEMA = max(number for number, _ in migrations())
CHECKED_BELOW_BYTES = 64 * 1024 * 1024
PASSING = frozenset({
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
})  # fmt: skip
Values = Mapping[str, Any]
Found: TypeAlias = sqlite3.Row


class DamagedError(PointsmanError):
    """The state on disk cannot be trusted; nothing was changed."""


class Database:
    """The connection that writes. Reads inside and outside of transactions go through it too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ExitStack() as undo:
            try:
                self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                undo.callback(self._connection.close)
                self._prepare()
                self._migrate()
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # it quotes bytes of a damaged schema as text
                raise _away(path, error) if _is_passing(error) else _damage(path, error) from error
            undo.pop_all()
        self._depth = 0

    def _prepare(self) -> None:
        self._connection.row_factory = sqlite3.Row
        for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        if self.path.stat().st_size < CHECKED_BELOW_BYTES:
            found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(found)

    def _migrate(self) -> None:
        schema = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if schema > NEWEST_SCHEMA:
            raise Refused(
                f"{self.path} was written by a newer Pointsman (schema {schema}, this one knows {NEWEST_SCHEMA})",
                hint="start the newer version, or restore a backup that was made before the upgrade",
            )
        for number, text in migrations():
            if number > schema:
                self._connection.executescript(text)

    def close(self) -> None:
        """Close; what was committed stays."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Nested uses join the outer one. `Unavailable` if the disk refuses."""
        if self._depth:
            yield
            return
        with _translated():
            self._connection.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
            with _translated():
                self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self._depth = 0

    def run(self, group: str, name: str, values: Values) -> sqlite3.Cursor:
        """Carry out a named statement."""
        with _translated():
            return self._connection.execute(queries(group)[name], values)

    def run_many(self, group: str, name: str, values: Sequence[Values]) -> None:
        """Carry out a named statement for each set of values."""
        with _translated():
            self._connection.executemany(queries(group)[name], values)

    def rows(self, group: str, name: str, values: Values | None = None) -> list[sqlite3.Row]:
        """All rows of a named query."""
        with _translated():
            return self._connection.execute(queries(group)[name], values or {}).fetchall()

    def row(self, group: str, name: str, values: Values | None = None) -> sqlite3.Row | None:
        """The first row of a named query, if there is one."""
        return next(iter(self.rows(group, name, values)), None)

    def fact(self, name: str, value: str) -> str:
        """The remembered value of a fact; `value` the first time."""
        with self.transaction():
            self.run("facts", "insert_fact", {"name": name, "value": value})
        found = self.row("facts", "fact", {"name": name})
        assert found is not None
        return str(found["value"])

    def new_epoch(self, now: float, boot: str) -> int:
        """Begin a new epoch: one for every start of the daemon, always larger than any before."""
        with self.transaction():
            number = self.run("facts", "insert_epoch", {"started_at": now, "boot": boot}).lastrowid
        assert number is not None
        return number


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable(
            f"the state cannot be written now: {error}", hint="make room on the disk of the data directory"
        ) from error


def _is_passing(error: Exception) -> bool:
    """Whether the file may well be good, and only cannot be used now."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in PASSING  # the upper bits say more about the same error


def _away(path: Path, error: Exception) -> Unavailable:
    return Unavailable(
        f"{path} cannot be opened now: {error}",
        hint=f"make room on its disk, and see who owns {path.parent} and whether another program holds it",
    )


def _damage(path: Path, error: Exception) -> DamagedError:
    return DamagedError(
        f"{path} cannot be read as Pointsman's state: {error}",
        hint=f"nothing was changed; move {path.name}, its -wal and its -shm file away and restore a backup",
    )
