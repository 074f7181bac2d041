"""A folder on disk as a `Source`: the files that Git would have, without asking Git."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pointsman.load.layout import REPOSITORY_FILE
from pointsman.model.source import LARGEST_DEFINITION, Entry, Mode, Source

MOST_FILES = 200_000
DEEPEST_FOLDER = 64

_TOPS = (REPOSITORY_FILE, "templates", "projects")


def working_tree(folder: Path) -> Source:
    """The definitions and scripts below a folder; links are named, never followed, and `.git` is not entered."""
    entries: dict[str, Entry] = {}
    for path, found in _files(folder):
        entries[path] = _entry(found)
        if len(entries) >= MOST_FILES:
            break
    return Source(entries=entries, trees=dict.fromkeys(_template_folders(entries), ""))


def _files(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    waiting: list[tuple[str, os.DirEntry[str]]] = [
        (one.name, one) for one in os.scandir(folder) if one.name in _TOPS or one.name.lower() in _LOOK_ALIKES
    ]
    while waiting:
        path, found = waiting.pop()
        if not found.is_dir(follow_symlinks=False):
            yield path, found
        elif path.count("/") < DEEPEST_FOLDER:
            waiting += [(f"{path}/{one.name}", one) for one in os.scandir(found.path) if one.name != ".git"]


# `pointsman.yml` and `Projects/` mean nothing; they are looked at so that this can be said (R18).
_LOOK_ALIKES = frozenset({"pointsman.yaml", "pointsman.yml", "templates", "projects"})


def _entry(found: os.DirEntry[str]) -> Entry:
    about = found.stat(follow_symlinks=False)
    mode = _mode(about.st_mode)
    wanted = mode in {Mode.FILE, Mode.EXECUTABLE} and found.name.lower().endswith((".yaml", ".yml"))
    data = _content(found.path) if wanted and about.st_size <= LARGEST_DEFINITION else None
    return Entry(mode=mode, size=about.st_size if data is None else len(data), data=data)


def _mode(mode: int) -> Mode:
    if stat.S_ISLNK(mode):
        return Mode.SYMLINK
    if not stat.S_ISREG(mode):
        return Mode.UNKNOWN
    return Mode.EXECUTABLE if mode & 0o111 else Mode.FILE


def _content(path: str) -> bytes | None:
    """The file's bytes, one more than the limit at most; None if it is no longer there or may not be read."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            return file.read(LARGEST_DEFINITION + 1)
    except OSError:
        return None


def _template_folders(entries: dict[str, Entry]) -> Iterator[str]:
    for path in entries:
        match path.split("/"):
            case ["templates", code, _, *_]:
                yield f"templates/{code}"
            case ["projects", project, "templates", code, _, *_]:
                yield f"projects/{project}/templates/{code}"
            case _:
                pass
