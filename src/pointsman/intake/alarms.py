"""What happens to the ledger: versions that appear, and tags that do what published tags must not (R25)."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from pointsman.model.names import SYSTEM, project_of
from pointsman.store.database import Database
from pointsman.store.events import Events
from pointsman.store.versions import Ledger, LedgerRow


class Alarms:
    """Enters versions and raises alarms, each of them once, with an event."""

    def __init__(self, database: Database, events: Events) -> None:
        self._database, self._events = database, events
        self.ledger = Ledger(database)
        self._rows: dict[tuple[str, str], LedgerRow] = {(row.workflow, row.version): row for row in self.ledger.rows()}

    def transaction(self) -> AbstractContextManager[None]:
        """One look at the refs is one transaction: all workflows of a tag appear at once."""
        return self._database.transaction()

    def entered(self, row: LedgerRow, *, at: float) -> bool:
        """Whether a version that was found valid is new. One that the ledger has at another commit raises an alarm."""
        known = self._rows.get((row.workflow, row.version))
        if known is None:
            self.ledger.enter(row)
            self._rows[row.workflow, row.version] = row
            body = {"workflow": row.workflow, "version": row.shown, "tag": row.tag, "commit": row.commit}
            self._events.add(
                "version_published", at=at, actor=SYSTEM, body={**body}, project=project_of(row.workflow)
            )  # fmt: skip
            return True
        if known.tag != row.tag and known.commit != row.commit:
            says = f"it would give {row.workflow} version {row.shown} another commit than {known.tag} did"
            self._alarm(row.tag, f"conflict {row.workflow} {row.commit}", says, at=at, kind="version_conflict")
        return False

    def check(self, tags: Mapping[str, Mapping[str, Any]], *, at: float) -> None:
        """Compare every tag of the ledger with what it is now."""
        seen: set[str] = set()
        alarmed = self.standing()
        for row in self._rows.values():
            if row.tag in seen:
                continue
            seen.add(row.tag)
            now = tags.get(row.tag)
            if now is None:
                self._alarm(row.tag, "deleted", "it was deleted; its versions stay", at=at, kind="tag_deleted")
            elif now["commit"] != row.commit:
                found = now["commit"][:12] or "nothing"
                says = f"it was moved from {row.commit[:12]} to {found}; its versions stay where they were"
                self._alarm(row.tag, f"moved {now['commit']}", says, at=at, kind="tag_moved")
            elif row.tag in alarmed:
                self.ledger.clear(row.tag)

    def standing(self) -> dict[str, str]:
        """What is wrong with which tags now."""
        return self.ledger.alarms()

    def _alarm(self, tag: str, found: str, says: str, *, at: float, kind: str) -> None:
        if self.ledger.alarm(tag, found, at=at):
            self._events.add(kind, at=at, actor=SYSTEM, body={"tag": tag, "says": f"tag {tag}: {says}"})
