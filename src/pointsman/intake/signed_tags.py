"""The daemon's side of signed tags: each is looked at once for each rule, at the time when it was first seen (R26)."""

from collections.abc import Callable, Mapping
from typing import Any

from pointsman.intake.readers import ReaderLimitError, Readers
from pointsman.intake.signing import unchecked
from pointsman.model.problem import Invalid, PointsmanError, Problem, Unavailable


class SignedTags:
    """Remembers when tags appeared and what was found of them.

    `unsure`: since the look began, a signature could not be checked, so that it must be tried again.
    """

    def __init__(self, readers: Readers, now: Callable[[], float]) -> None:
        self._readers, self._now = readers, now
        self._first_seen: dict[tuple[str, str], float] = {}
        self._found: dict[tuple[str, str, str], Problem | None] = {}
        self._head = self._rule = ""
        self._trouble: PointsmanError | None = None
        self.unsure = False

    async def begin(self, head: str, tags: Mapping[str, Mapping[str, Any]]) -> None:
        """Begin a look: `head` is that of the inventory branch, and says whether and by whom tags must be signed."""
        now = self._now()
        for name, facts in tags.items():
            self._first_seen.setdefault((name, facts["object"]), now)
        self.unsure = False
        if head != self._head or self._trouble:
            self._trouble = None
            try:
                self._rule = await self._readers.signing(head)
                self._head = head
            except ReaderLimitError as error:
                self._trouble = error

    async def problem(self, tag: str, facts: Mapping[str, Any]) -> Problem | None:
        """What is wrong with the signature of a tag; None if it is good, or nobody asks for one."""
        if self._trouble:
            self.unsure = True
            return unchecked(tag, self._trouble)
        if not self._rule:
            return None
        key = (self._rule, tag, facts["object"])
        if key not in self._found:
            at = self._first_seen[tag, facts["object"]]
            try:
                self._found[key] = await self._readers.signature(tag, facts["object"], head=self._head, at=at)
            except (Unavailable, Invalid, ReaderLimitError) as error:
                self.unsure = True
                return unchecked(tag, error)
        return self._found[key]
