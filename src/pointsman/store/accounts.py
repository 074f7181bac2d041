"""Local users, tokens, sessions and answered requests: the storage behind `access` and `Idempotency-Key`."""

import sqlite3
from dataclasses import dataclass

from pointsman.model.problem import Refused
from pointsman.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a request was answered: a digest of what was asked, the status and the body."""

    asked: str
    status: int
    body: str


class AccountRows:
    """The account tables. Names are found without regard to case, token ids exactly."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def user(self, name: str) -> sqlite3.Row | None:
        """The row of a user."""
        return self._database.row("accounts", "user", {"key": name.strip().casefold()})

    def users(self) -> list[str]:
        """The names of all users."""
        return [str(row["name"]) for row in self._database.rows("accounts", "users")]

    def add_user(self, name: str, password_hash: str) -> None:
        """Add a user; `Refused` if there is one of this name."""
        values = {"key": name.casefold(), "name": name, "password_hash": password_hash}
        try:
            with self._database.transaction():
                self._database.run("accounts", "insert_user", values)
        except sqlite3.IntegrityError:
            raise Refused(f"there is a user {name} already", hint="choose another name") from None

    def write(self, name: str, **values: object) -> None:
        """Carry out one named statement of `accounts.sql` in a transaction."""
        with self._database.transaction():
            self._database.run("accounts", name, values)

    def row(self, name: str, **values: object) -> sqlite3.Row | None:
        """The row that a named query of `accounts.sql` finds."""
        return self._database.row("accounts", name, values)

    def answered(self, actor: str, key: str) -> Answered | None:
        """What a request with this key of this actor was answered."""
        row = self.row("answer", actor=actor, key=key)
        return None if row is None else Answered(asked=row["asked"], status=row["status"], body=row["body"])

    def remember(self, actor: str, key: str, answer: Answered, *, at: float) -> None:
        """Remember an answer; the first one stays."""
        self.write(
            "insert_answer", actor=actor, key=key, asked=answer.asked, at=at, status=answer.status, body=answer.body
        )
