"""The ledger of versions and the alarms about their tags (R25)."""

from dataclasses import dataclass

from pointsman.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """Where a version of a workflow was first found valid; `shown` is how its tag wrote it. Never changed."""

    workflow: str
    version: str
    shown: str
    tag: str
    tag_object: str
    commit: str
    tagger: str
    first_seen: float


class Ledger:
    """The ledger in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self) -> list[LedgerRow]:
        """Every version that was ever found valid."""
        found = self._database.rows("versions", "ledger")
        return [LedgerRow(**{name: entry[name] for name in LedgerRow.__slots__}) for entry in found]

    def enter(self, row: LedgerRow) -> bool:
        """Enter a version; False if the ledger has it already, and then nothing changes."""
        values = {name: getattr(row, name) for name in LedgerRow.__slots__}
        return self._database.run("versions", "insert_version", values).rowcount == 1

    def alarm(self, tag: str, found: str, *, at: float) -> bool:
        """Note what is wrong with a tag; False if that was noted before."""
        values = {"tag": tag, "found": found, "at": at}
        return self._database.run("versions", "insert_alarm", values).rowcount == 1

    def clear(self, tag: str) -> None:
        """The tag stands again where the ledger says."""
        self._database.run("versions", "clear_alarms", {"tag": tag})

    def alarms(self) -> dict[str, str]:
        """What is wrong with which tags."""
        return {entry["tag"]: entry["found"] for entry in self._database.rows("versions", "alarms")}
