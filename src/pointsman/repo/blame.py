"""Which commit last changed each line of a file, at a commit or in a working tree, where some come from none yet."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher

import pygit2

from pointsman.model.problem import Invalid, NotFound, Place
from pointsman.repo.files import CommitFacts, commit_facts

LONGEST_COMPARED = 5_000

TextOf = Callable[[str], str]


class Blame:
    """The lines of files as they stand at a commit. A file is looked through once; renames are not followed."""

    def __init__(self, repository: pygit2.Repository, commit: str) -> None:
        self._repository = repository
        self._commit = commit
        self._lines: dict[str, list[str]] = {}
        self._facts: dict[str, CommitFacts] = {}

    def at(self, path: str, line: int) -> CommitFacts | None:
        """The commit that a line (counted from 1) of a file comes from; None if that cannot be told."""
        if path not in self._lines:
            self._lines[path] = self._blamed(path)
        lines = self._lines[path]
        if not 0 < line <= len(lines):
            return None
        return self._known(lines[line - 1])

    def _known(self, commit: str) -> CommitFacts:
        if commit not in self._facts:
            self._facts[commit] = commit_facts(self._repository, commit)
        return self._facts[commit]

    def _blamed(self, path: str) -> list[str]:
        """The commit of every line; none if the file is not there, or a part of its history is missing."""
        try:
            hunks = self._repository.blame(path, newest_commit=pygit2.Oid(hex=self._commit))
        except (KeyError, ValueError, pygit2.GitError):
            return []
        return [str(hunk.final_commit_id) for hunk in hunks for _ in range(hunk.lines_in_hunk)]


@dataclass(frozen=True, slots=True)
class Committed:
    """For each line of a text, the line (counted from 1) of an older text that it is; None for a line that is new."""

    lines: tuple[int | None, ...]

    def line(self, line: int) -> int | None:
        """The older text's line for a line (counted from 1)."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else None


def committed_lines(older: str, newer: str) -> Committed:
    """Which lines of a text stand in an older one; long files that differ are all new."""
    before, after = older.split("\n"), newer.split("\n")
    if before == after:
        return Committed(tuple(range(1, len(after) + 1)))
    lines: list[int | None] = [None] * len(after)
    if max(len(before), len(after)) <= LONGEST_COMPARED:
        for block in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
            for offset in range(block.size):
                lines[block.b + offset] = block.a + offset + 1
    return Committed(tuple(lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a line comes from: a commit, or `uncommitted`; neither where that cannot be told."""

    commit: CommitFacts | None = None
    uncommitted: bool = False


class Origins:
    """The origins of lines at a commit; with `edited`, which gives texts of files, of their lines on top of it."""

    def __init__(
        self, repository: pygit2.Repository, commit: str, *, committed: TextOf, edited: TextOf | None = None
    ) -> None:
        self._repository = repository
        self._commit = commit
        self._committed = committed
        self._edited = edited
        self._blames: dict[str, Blame] = {}
        self._lines: dict[str, Committed] = {}

    def of(self, place: Place, *, commit: str = "") -> Origin:
        """The origin of the line at a place; `commit` is another commit that the file was taken from."""
        line: int | None = place.line
        if self._edited is not None and not commit:
            if place.path not in self._lines:
                self._lines[place.path] = self._compared(place.path, self._edited(place.path))
            line = self._lines[place.path].line(place.line)
        if line is None:
            return Origin(uncommitted=True)
        at = commit or self._commit
        if at not in self._blames:
            self._blames[at] = Blame(self._repository, at)
        return Origin(commit=self._blames[at].at(place.path, line))

    def _compared(self, path: str, edited: str) -> Committed:
        if not self._commit:
            return Committed(())
        try:
            return committed_lines(self._committed(path), edited)
        except (NotFound, Invalid):
            return Committed(())
