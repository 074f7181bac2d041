"""Everything below some folders of a commit, by hand and within limits, refusing names that could lead elsewhere.

`tree["a/b"]` would follow an entry that is literally called `..`; here every entry is looked at by itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pygit2
from pygit2.enums import ObjectType

from pointsman.model.problem import Code, Invalid, Place, Problem
from pointsman.repo.objects import FOLDER, header, kind_name, sized_content, tree_entries
from pointsman.repo.printable import printable_name, printable_text

DEEPEST = 40
LONGEST_PATH = 4000

_LEADING_ELSEWHERE = frozenset({"", ".", "..", ".git", "git~1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One entry. `path` is fit to be shown; `real` is the path as it would be on a disk, empty if it is not printable.

    `mode` is `FOLDER` or a `Mode`.
    """

    path: str
    real: str
    mode: int
    object_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A folder to look into; `path` and `real` as in `Found`, `depth` counted from 1."""

    path: str
    real: str
    tree: str
    depth: int = 1


def walked(odb: pygit2.Odb, starts: Iterable[tuple[str, str]], *, most: int, prefix: str = "") -> Iterator[Found]:
    """Every entry below `starts` (path, tree id), a folder before what is in it, in no other order.

    `Invalid`, naming the place with `prefix` before it, for more than `most` entries, and as `folder_entries` says.
    """
    waiting = [Start(path=path, real=path, tree=tree) for path, tree in starts]
    left = most
    while waiting:
        start = waiting.pop()
        for found in folder_entries(odb, start, most=left, limit=most, prefix=prefix):
            left -= 1
            if found.mode == FOLDER:
                waiting.append(Start(path=found.path, real=found.real, tree=found.object_id, depth=start.depth + 1))
            yield found


def folder_entries(odb: pygit2.Odb, start: Start, *, most: int, limit: int, prefix: str = "") -> Iterator[Found]:
    """What lies in one folder.

    `Invalid`, naming the place with `prefix` before it, for more than `most` entries (what is left of `limit`), a
    folder more than `DEEPEST` deep, a path of more than `LONGEST_PATH` letters, a name that leads elsewhere or occurs
    twice, or a missing object.
    """
    seen: set[bytes] = set()
    for mode, raw, object_id in _entries(odb, start.tree, prefix + start.path):
        name = printable_name(raw)
        path = f"{start.path}/{name}" if start.path else name
        _check_name(raw, seen, prefix + path)
        if len(seen) > most:
            raise refused(prefix + path, f"there are more than {limit:,} files and folders", code=Code.LIMIT)
        if len(path) > LONGEST_PATH:
            raise refused(prefix + path, f"its path has more than {LONGEST_PATH:,} characters", code=Code.LIMIT)
        if mode == FOLDER and start.depth >= DEEPEST:
            raise refused(prefix + path, f"folders are nested more than {DEEPEST} deep", code=Code.LIMIT)
        yield Found(path=path, real=_real_path(start.real, raw, start.path), mode=mode, object_id=object_id)


def entry_named(odb: pygit2.Odb, tree: str, name: str) -> tuple[int, str] | None:
    """Mode and object id of the entry of exactly this name in a folder; None if there is none."""
    wanted = name.encode("utf-8", "surrogateescape")
    return next(((mode, object_id) for mode, raw, object_id in tree_entries(odb, tree) if raw == wanted), None)


def measured_size(odb: pygit2.Odb, found: Found, *, prefix: str = "") -> int:
    """The size of a file, from its header alone. `Invalid`, naming it, if it is missing, damaged or no blob."""
    try:
        kind, size = header(odb, found.object_id)
    except Invalid as error:
        raise refused(prefix + found.path, error.says, code=Code.BAD_REF, hint=error.hint) from error
    if kind != ObjectType.BLOB:
        raise refused(prefix + found.path, f"it is listed as a file but is a {kind_name(kind)}", code=Code.NOT_A_FILE)
    return size


def measured_data(odb: pygit2.Odb, found: Found, *, size: int, prefix: str = "") -> bytes:
    """The bytes of a file that was measured. `Invalid`, naming it, if they cannot be read."""
    try:
        return sized_content(odb, found.object_id, size=size, largest=size)
    except Invalid as error:
        raise refused(prefix + found.path, error.says, code=Code.BAD_REF, hint=error.hint) from error


def refused(path: str, says: str, *, code: Code, hint: str = "") -> Invalid:
    """The error that refuses a whole folder because of one path in it."""
    path = printable_text(path)
    return Invalid(f"{path}: {says}", [Problem(place=Place(path), code=code, says=says, hint=hint)], hint=hint)


def leads_elsewhere(name: str) -> bool:
    """Whether a name is none of a file or folder: empty, `.`, `..`, a spelling of `.git`, or with a slash in it."""
    return name.lower() in _LEADING_ELSEWHERE or "/" in name


def _entries(odb: pygit2.Odb, tree: str, path: str) -> Iterator[tuple[int, bytes, str]]:
    try:
        yield from tree_entries(odb, tree)
    except Invalid as error:
        if not path:
            raise
        raise refused(path, error.says, code=Code.BAD_REF, hint=error.hint) from error


def _check_name(raw: bytes, seen: set[bytes], path: str) -> None:
    if leads_elsewhere(raw.decode("latin-1")):
        raise refused(path, "no file or folder may have this name", code=Code.BAD_NAME)
    if raw in seen:
        raise refused(path, "its folder has two entries of this name", code=Code.BAD_NAME)
    seen.add(raw)


def _real_path(real_folder: str, raw: bytes, folder: str) -> str:
    if folder and not real_folder:
        return ""
    name = raw.decode("utf-8", "surrogateescape")
    if not name.isprintable():
        return ""
    return f"{real_folder}/{name}" if real_folder else name
