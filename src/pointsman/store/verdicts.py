"""What was thought of commits, as it survives a restart: never the truth, only work that need not be done again."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from pointsman.store.database import Database

Name = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """A verdict as text. `commit` and `publishes` name it, `seen` is what it depended on beside the commit."""

    commit: str
    publishes: str
    seen: str
    body: str


class VerdictRows:
    """Verdicts in the database. Those of another `validator` than this are not there for anybody."""

    def __init__(self, database: Database, validator: str) -> None:
        self._database, self._validator = database, validator

    def names(self) -> set[Name]:
        """The commit and the versions of every row, those of other validators too."""
        return {(found["commit"], found["publishes"]) for found in self._database.rows("verdicts", "verdict_names")}

    def row(self, commit: str, publishes: str) -> VerdictRow | None:
        """A verdict; None if there is none, or its row is damaged."""
        values = {"commit": commit, "publishes": publishes, "validator": self._validator}
        found = self._database.row("verdicts", "verdict", values)
        if found is None:
            return None
        try:
            body = zlib.decompress(found["body"]).decode("ascii")
        except (zlib.error, UnicodeDecodeError):
            return None
        return VerdictRow(commit=commit, publishes=publishes, seen=found["seen"], body=body)

    def update(self, rows: Iterable[VerdictRow], *, gone: Iterable[Name]) -> None:
        """Keep these and forget others, all or nothing. `Unavailable` if the disk refuses."""
        put = [
            {
                "commit": row.commit,
                "publishes": row.publishes,
                "validator": self._validator,
                "seen": row.seen,
                "body": zlib.compress(row.body.encode("ascii"), 1),
            }
            for row in rows
        ]
        with self._database.transaction():
            self._database.run_many("verdicts", "forget_verdict", [_named(name) for name in gone])
            self._database.run_many("verdicts", "put_verdict", put)


def _named(name: Name) -> dict[str, str]:
    return dict(zip(("commit", "publishes"), name, strict=True))
