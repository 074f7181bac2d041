"""Template folders of a working tree, each named by what is in it, so that they can be run without a commit."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

File = tuple[str, bool, bytes]


class TemplateFolders:
    """The template folders below a folder: their names, and their files by these names."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._paths: dict[str, Path] = {}

    def tree(self, path: str) -> str:
        """A name for the content of one template folder, which is another one after any change."""
        folder = self._top / path
        digest = hashlib.sha256()
        for name, executable, data in _files(folder):
            digest.update(f"{name}\0{executable}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
        tree = f"tree-{digest.hexdigest()}"
        self._paths[tree] = folder
        return tree

    def files(self, tree: str) -> list[File]:
        """Path, whether executable, and content of every file in a folder that was named."""
        return list(_files(self._paths[tree]))


def _files(folder: Path) -> Iterator[File]:
    """Every plain file, in the order of their paths; links are not followed."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            file = Path(place) / name
            if file.is_file() and not file.is_symlink():
                executable = bool(file.stat().st_mode & 0o111)
                yield file.relative_to(folder).as_posix(), executable, file.read_bytes()
