"""Raw Git objects, whose kind and size are known before they are read.

libgit2 finds, inflates and checks objects; taking them apart is done here, so that a lying type, an impossible time
or a bad name is a sentence and not an exception from somewhere inside.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import pygit2
from pygit2.enums import ObjectType

from pointsman.model.problem import Invalid
from pointsman.model.source import Mode
from pointsman.repo.printable import printable_line

LARGEST_COMMIT = 1024 * 1024
LARGEST_TREE = 32 * 1024 * 1024
LATEST_TIME = 253402300799  # the last second of the year 9999: beyond it no calendar can show a time

_LONGEST_IDENTITY = 2000

OBJECT_ID = re.compile(r"[0-9a-f]{40}")
FOLDER = 0o040000

_KINDS = {ObjectType.COMMIT: "commit", ObjectType.TREE: "folder", ObjectType.BLOB: "file", ObjectType.TAG: "tag"}
_MODES: dict[bytes, int] = {
    b"40000": FOLDER,
    b"040000": FOLDER,
    b"100644": Mode.FILE,
    b"100755": Mode.EXECUTABLE,
    b"120000": Mode.SYMLINK,
    b"160000": Mode.SUBMODULE,
}
_TREE_ENTRY = re.compile(rb"([0-9]{1,7}) ([^\0]*)\0(.{20})", re.DOTALL)
_COMMIT = re.compile(rb"tree ([0-9a-f]{40})\n(?:parent [0-9a-f]{40}\n)*(?:author ([^\n]*)\n)?(?:committer ([^\n]*)\n)?")
_ENCODING = re.compile(rb"^encoding ([^\n]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who made a tag or commit, and when (seconds since 1970 in UTC, None if that is no possible time)."""

    name: str = ""
    email: str = ""
    at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What a commit says. `subject` is the first line of its message, printable."""

    tree: str
    author: Person
    committer: Person
    subject: str


def header(odb: pygit2.Odb, object_id: str) -> tuple[ObjectType, int]:
    """Kind and size of an object, without reading it. `Invalid` if it is missing or damaged."""
    try:
        return odb.read_header(object_id)
    except KeyError:
        raise Invalid(
            f"object {object_id} is missing from the repository",
            hint="a shallow or partial clone does not have everything: fetch the rest, or check with git fsck",
        ) from None
    except (pygit2.GitError, ValueError, OSError) as error:
        raise Invalid(_unreadable(object_id, error), hint="check the repository with git fsck") from error


def content(odb: pygit2.Odb, object_id: str, *, kind: ObjectType, largest: int) -> bytes:
    """The bytes of an object. `Invalid` if it is missing, damaged, of another kind or larger than `largest`."""
    found, size = header(odb, object_id)
    if found != kind:
        raise Invalid(f"object {object_id} is a {kind_name(found)}, not a {kind_name(kind)}")
    return sized_content(odb, object_id, size=size, largest=largest)


def sized_content(odb: pygit2.Odb, object_id: str, *, size: int, largest: int) -> bytes:
    """The bytes of an object whose header was read already. `Invalid` if damaged or larger than `largest`."""
    if size > largest:
        raise Invalid(f"object {object_id} has {size:,} bytes, more than the {largest:,} that are read")
    try:
        return odb.read(object_id)[1]
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        raise Invalid(_unreadable(object_id, error), hint="check the repository with git fsck") from error


def _unreadable(object_id: str, error: Exception) -> str:
    return f"object {object_id} cannot be read: {printable_line(str(error).encode('utf-8', 'replace'))}"


def kind_name(kind: ObjectType) -> str:
    """The word for a kind of object in a sentence."""
    return _KINDS.get(kind, "thing")


def tree_entries(odb: pygit2.Odb, tree: str) -> Iterator[tuple[int, bytes, str]]:
    """Mode (`FOLDER` or a `Mode`), name and object id of everything in a folder, as stored. `Invalid` if damaged."""
    data = content(odb, tree, kind=ObjectType.TREE, largest=LARGEST_TREE)
    position = 0
    while position < len(data):
        match = _TREE_ENTRY.match(data, position)
        if match is None:
            raise Invalid(f"the folder {tree} is damaged", hint="check the repository with git fsck")
        position = match.end()
        yield _MODES.get(match[1], Mode.UNKNOWN), match[2], match[3].hex()


def commit_at(odb: pygit2.Odb, commit: str) -> Commit:
    """What a commit says, however odd its names, times and encoding are. `Invalid` if it is missing or no commit."""
    data = content(odb, commit, kind=ObjectType.COMMIT, largest=LARGEST_COMMIT)
    match = _COMMIT.match(data)
    if match is None:
        raise Invalid(f"the commit {commit} is damaged", hint="check the repository with git fsck")
    head, _, message = data.partition(b"\n\n")
    named = _ENCODING.search(head)
    encoding = named[1].decode("ascii", "replace") if named else "utf-8"
    return Commit(
        tree=match[1].decode(),
        author=person(match[2] or b"", encoding),
        committer=person(match[3] or b"", encoding),
        subject=printable_line(message.strip().partition(b"\n")[0], encoding),
    )


def person(raw: bytes, encoding: str = "utf-8") -> Person:
    """Name, address and time out of an author, committer or tagger line; what cannot be read is left empty."""
    who, closed, when = raw.rpartition(b">")
    name, email = _identity((who if closed else raw)[:_LONGEST_IDENTITY], encoding)
    seconds = when.split(None, 1)[:1] if closed else []
    # the length keeps int() from refusing or toiling at a number of thousands of digits
    at = int(seconds[0]) if seconds and seconds[0].isdigit() and len(seconds[0]) <= 12 else None
    return Person(name=name, email=email, at=at if at is not None and at <= LATEST_TIME else None)


@lru_cache(maxsize=1024)  # the same few people made most of the tags
def _identity(raw: bytes, encoding: str) -> tuple[str, str]:
    name, _, email = raw.partition(b"<")
    return printable_line(name, encoding), printable_line(email, encoding)
