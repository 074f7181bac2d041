"""The files that an editor has open, the working trees that they belong to, and what was last seen in these."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pointsman.editor.files import File, file_at
from pointsman.editor.known import Known
from pointsman.editor.tree import Seen, Tree
from pointsman.load.wording import printable
from pointsman.model.problem import NotFound, Problem

TreeAt = Callable[[Path], Tree]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """An open file: the folder of its tree, its path below that, and what it is (None if it defines nothing)."""

    folder: Path
    path: str
    file: File | None


class Desk:
    """Finds each file's tree with `tree_at`, which takes a folder and raises `NotFound` where there is none."""

    def __init__(self, tree_at: TreeAt) -> None:
        self._tree_at = tree_at
        self._trees: dict[Path, Tree] = {}
        self._seen: dict[Path, Seen] = {}

    def sheet(self, path: Path) -> Sheet | None:
        """A file by its place on the disk; None if it is in no operations repository."""
        path = path.parent.resolve() / path.name
        folder = next((one for one in self._trees if one in path.parents), None) or self._found(path.parent)
        if folder is None or folder not in path.parents:
            return None
        inside = path.relative_to(folder).as_posix()
        return Sheet(folder=folder, path=inside, file=file_at(inside))

    def _found(self, folder: Path) -> Path | None:
        there = next((one for one in (folder, *folder.parents) if one.is_dir()), folder)
        try:
            tree = self._tree_at(there)
        except NotFound:
            return None
        top = tree.folder.resolve()
        self._trees[top] = tree
        return top

    def look(self, folder: Path, unsaved: Mapping[str, bytes]) -> Seen:
        """What stands in a tree now, with unsaved texts by their paths below it; it is remembered."""
        found = self._trees[folder].seen(unsaved)
        self._seen[folder] = found
        return found

    def refresh(self, folder: Path) -> None:
        """Read refs and tags anew at the next look."""
        self._trees[folder] = self._tree_at(folder)

    def has_seen(self, folder: Path) -> bool:
        """Whether the tree was looked at."""
        return folder in self._seen

    def known(self, folder: Path) -> Known:
        """What the tree had when it was last looked at."""
        return self._seen[folder].known if folder in self._seen else Known()

    def problems(self, sheet: Sheet) -> tuple[Problem, ...]:
        """What was wrong with a file when its tree was last looked at."""
        seen = self._seen.get(sheet.folder)
        if seen is None:
            return ()
        place = self.place(sheet)
        return tuple(problem for problem in seen.problems if problem.place.path == place)

    def place(self, sheet: Sheet) -> str:
        """How problems and places name a file."""
        return printable(f"{self._trees[sheet.folder].prefix}{sheet.path}")

    def path(self, folder: Path, named: str) -> Path:
        """Where on the disk a file is that a place of this tree names."""
        return folder / named.removeprefix(self._trees[folder].prefix)
