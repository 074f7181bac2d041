"""The definition files of commits, straight from Git objects; what was read once is not read again for the next commit.

A folder is known by its tree id and a file by its blob id, so that a push costs the folders and files that it changed.
"""

from dataclasses import dataclass, field

import pygit2

from pointsman.model.problem import Code, Invalid
from pointsman.model.source import LARGEST_DEFINITION, Entry, Mode, Source
from pointsman.repo.files import root_tree_id
from pointsman.repo.objects import FOLDER, tree_entries
from pointsman.repo.walk import Found, Start, folder_entries, measured_data, measured_size, refused

MOST_FILES = 100_000
MOST_DEFINITION_BYTES = 64 * 1024 * 1024
MOST_FOLDERS_KEPT = 20_000
MOST_BYTES_KEPT = 64 * 1024 * 1024

_TOP_FOLDERS = (b"templates", b"projects")
_TOP_FILES = (b"pointsman.yaml", b"pointsman.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """What lies in one folder. `definitions` are the sizes of its definition files by their blob ids."""

    files: dict[str, Entry] = field(default_factory=dict)
    folders: list[Start] = field(default_factory=list)
    templates: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, int] = field(default_factory=dict)


class Sources:
    """Reads the sources of one repository."""

    def __init__(self, repository: pygit2.Repository) -> None:
        self._repository = repository
        self._folders: dict[tuple[Start, str], _Folder] = {}
        self._blobs: dict[str, bytes] = {}
        self._kept_bytes = self._fresh_bytes = 0

    def at(self, commit: str, root: str = "") -> Source:
        """`pointsman.yaml`, `templates/` and `projects/` below `root` at a commit (its full id), as they are in Git.

        Nothing that is larger than a definition may be is read, only measured. No entries if there is no such root.
        `Invalid` with the place for what can be no definitions at all: too many or too deep files, names such as `..`,
        missing or damaged objects.
        """
        prefix = f"{root.strip('/')}/" if root.strip("/") else ""
        tree = root_tree_id(self._repository, commit, root)
        entries: dict[str, Entry] = {}
        trees: dict[str, str] = {}
        sizes: dict[str, int] = {}
        waiting: list[Start] = []
        count = self._fresh_bytes = 0
        self._make_room()
        if tree:
            self._take(self._top(tree, prefix), entries, sizes, waiting)
        while waiting:
            start = waiting.pop()
            folder = self._folder(start, prefix)
            count += len(folder.files) + len(folder.folders)
            if count > MOST_FILES:
                says = f"there are more than {MOST_FILES:,} files and folders"
                raise refused(prefix + start.path, says, code=Code.LIMIT)
            self._take(folder, entries, sizes, waiting)
            trees.update(folder.templates)
        if sum(sizes.values()) > MOST_DEFINITION_BYTES:
            raise _too_many_bytes(prefix)
        return Source(entries=dict(sorted(entries.items())), trees=trees, commit=commit, prefix=prefix)

    def _take(self, folder: _Folder, entries: dict[str, Entry], sizes: dict[str, int], waiting: list[Start]) -> None:
        entries.update(folder.files)
        sizes.update(folder.definitions)
        waiting += folder.folders

    def _top(self, tree: str, prefix: str) -> _Folder:
        """What of the root belongs to definitions."""
        made = _Folder()
        seen: set[str] = set()
        for mode, raw, object_id in tree_entries(self._repository.odb, tree):
            if raw.lower() not in _TOP_FILES and raw.lower() not in _TOP_FOLDERS:
                continue
            name = raw.decode("ascii")
            if name in seen:
                raise refused(prefix + name, "its folder has two entries of this name", code=Code.BAD_NAME)
            seen.add(name)
            if mode == FOLDER:
                made.folders.append(Start(path=name, real=name, tree=object_id, depth=1))
            else:
                self._add(made, Found(path=name, real=name, mode=mode, object_id=object_id), prefix)
        return made

    def _folder(self, start: Start, prefix: str) -> _Folder:
        key = (start, prefix)
        known = self._folders.get(key)
        if known is None:
            known = _Folder()
            for found in folder_entries(self._repository.odb, start, most=MOST_FILES, limit=MOST_FILES, prefix=prefix):
                self._add(known, found, prefix, depth=start.depth + 1)
            self._folders[key] = known
        return known

    def _make_room(self) -> None:
        """Forget all if it has become much; never while a commit is read, or what it has twice would count twice."""
        if len(self._folders) >= MOST_FOLDERS_KEPT or self._kept_bytes > MOST_BYTES_KEPT:
            self._folders.clear()
            self._blobs.clear()
            self._kept_bytes = 0

    def _add(self, folder: _Folder, found: Found, prefix: str, *, depth: int = 0) -> None:
        if found.mode == FOLDER:
            folder.folders.append(Start(path=found.path, real=found.real, tree=found.object_id, depth=depth))
            if _is_template(found.path):
                folder.templates[found.path] = found.object_id
            return
        mode = Mode(found.mode)
        if mode in {Mode.SUBMODULE, Mode.UNKNOWN}:
            folder.files[found.path] = Entry(mode=mode, size=0, oid=found.object_id)
            return
        data = self._blobs.get(found.object_id)
        size = len(data) if data is not None else measured_size(self._repository.odb, found, prefix=prefix)
        if mode is Mode.SYMLINK or size > LARGEST_DEFINITION or not found.path.endswith((".yaml", ".yml")):
            data = None
        else:
            folder.definitions[found.object_id] = size
            if data is None:
                data = self._read(found, size, prefix)
        folder.files[found.path] = Entry(mode=mode, size=size, oid=found.object_id, data=data)

    def _read(self, found: Found, size: int, prefix: str) -> bytes:
        self._fresh_bytes += size
        if self._fresh_bytes > MOST_DEFINITION_BYTES:
            raise _too_many_bytes(prefix)
        data = measured_data(self._repository.odb, found, size=size, prefix=prefix)
        self._blobs[found.object_id] = data
        self._kept_bytes += size
        return data


def _too_many_bytes(prefix: str) -> Invalid:
    """The same words wherever it was noticed, which depends on what was read before."""
    says = f"there are more than {MOST_DEFINITION_BYTES // 1024**2} MiB of YAML files"
    return refused(f"{prefix}projects", says, code=Code.TOO_LARGE)


def _is_template(path: str) -> bool:
    parts = path.split("/")
    return (len(parts) == 2 and parts[0] == "templates") or (
        len(parts) == 4 and parts[0] == "projects" and parts[2] == "templates"
    )


def source_at(repository: pygit2.Repository, commit: str, root: str = "") -> Source:
    """One source, read for itself; as `Sources.at` says."""
    return Sources(repository).at(commit, root)
