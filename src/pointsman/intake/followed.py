"""Which refs are followed, and what hints that they may have moved."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pointsman.repo.mirror import Mirror
from pointsman.repo.watch import ref_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """What is followed: whose refs, how often they are looked at, and which branch holds the inventory.

    `mirror` is there if `repository` is the mirror of one that is elsewhere.
    """

    repository: Path
    inventory_branch: str
    poll_seconds: float
    mirror: Mirror | None = None

    def hints(self) -> AsyncIterator[None]:
        """Yields whenever refs may have moved."""
        if self.mirror is not None:
            return self.mirror.rounds(poll_seconds=self.poll_seconds)
        return ref_changes(self.repository, poll_seconds=self.poll_seconds)

    @property
    def trouble(self) -> str:
        """Why the refs may be old ones; empty if they are not."""
        return self.mirror.trouble if self.mirror else ""

    @property
    def missed(self) -> Mapping[str, str]:
        """The refs that could not be fetched, with a sentence for each."""
        return self.mirror.unusable if self.mirror else {}
