"""Template folders of a working tree, each named by what is in it, so that they can be run without a commit."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

File = tuple[str, bool, bytes]


class TemplateFolders:
    """The template folders below a folder: their names, and their files by these names."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._paths: dict[str, Path] = {}

    def tree(self, path: str) -> str:
        """The id of the Git tree that one template folder would be if it were committed as it is."""
        folder = self._top / path
        tree = _tree_id([(name.split("/"), executable, data) for name, executable, data in _files(folder)])
        self._paths[tree] = folder
        return tree

    def __contains__(self, tree: str) -> bool:
        return tree in self._paths

    def files(self, tree: str) -> list[File]:
        """Path, whether executable, and content of every file in a folder that was named."""
        return list(_files(self._paths[tree]))


def _tree_id(files: Sequence[tuple[list[str], bool, bytes]]) -> str:
    """The id of a tree of files (path in parts, whether executable, content), as Git computes it."""
    inside: dict[str, list[tuple[list[str], bool, bytes]]] = {}
    entries: list[tuple[bytes, bytes, str]] = []  # what it is sorted by, mode and name, object
    for parts, executable, data in files:
        if len(parts) > 1:
            inside.setdefault(parts[0], []).append((parts[1:], executable, data))
        else:
            name = os.fsencode(parts[0])
            entries.append((name, (b"100755 " if executable else b"100644 ") + name, _object_id(b"blob", data)))
    for folder, below in inside.items():
        name = os.fsencode(folder)
        entries.append((name + b"/", b"40000 " + name, _tree_id(below)))
    return _object_id(b"tree", b"".join(named + b"\0" + bytes.fromhex(of) for _, named, of in sorted(entries)))


def _object_id(kind: bytes, data: bytes) -> str:
    return hashlib.sha1(b"%s %d\0" % (kind, len(data)) + data, usedforsecurity=False).hexdigest()


def _files(folder: Path) -> Iterator[File]:
    """Every plain file, in the order of their paths; links are not followed."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            file = Path(place) / name
            if file.is_file() and not file.is_symlink():
                executable = bool(file.stat().st_mode & 0o111)
                yield file.relative_to(folder).as_posix(), executable, file.read_bytes()
