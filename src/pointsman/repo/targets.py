"""Which object each branch and tag names, read from the ref files themselves.

git and libgit2 give up on a whole repository over one bad line, or are slow; neither is allowed to one bad ref here.
"""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.model.problem import Unavailable
from pointsman.repo.objects import OBJECT_ID
from pointsman.repo.printable import printable_name

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"

Stamp = tuple[int, int, int, int]

_FOLLOWED = (BRANCHES, TAGS)
_SYMBOLIC = "ref: "
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)|[./]\Z")
# nearly every line is like this, and these can be read at once without looking at each for what is forbidden
_PLAIN_LINE = re.compile(
    r"^([0-9a-f]{40}) (refs/(?:heads|tags)/[A-Za-z0-9_+-]+(?:[./][A-Za-z0-9_+-]+)*)$", re.MULTILINE
)
_LONGEST_CHAIN = 5
# anything else, such as too many open files, is no reason to take a ref for gone
_ONE_FILES_FAULT = frozenset({errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG})


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Object ids by full ref name. A loose ref wins over a packed one; a `bad` one (name → sentence) is in neither.

    `stamp` tells whether packed-refs is still the file that was read.
    """

    loose: Mapping[str, str] = field(default_factory=dict)
    packed: Mapping[str, str] = field(default_factory=dict)
    stamp: Stamp | None = None
    bad: Mapping[str, str] = field(default_factory=dict)
    bad_packed: Mapping[str, str] = field(default_factory=dict)

    def object_id(self, name: str) -> str | None:
        """What a ref names; None if there is no such ref or it is bad."""
        if name in self.bad:
            return None
        return self.loose.get(name) or self.packed.get(name)

    def whole(self) -> dict[str, str]:
        """Every usable ref with what it names."""
        known = {**self.packed, **self.loose}
        for name in self.bad:
            known.pop(name, None)
        return known


def is_ref_name(name: str) -> bool:
    """Whether Git would take this as the name of a ref, and it can be shown as it is."""
    return name.isprintable() and _FORBIDDEN.search(name) is None


def read_targets(folder: Path, before: Targets | None = None) -> Targets:
    """Every branch and tag of a Git folder, as of some moment during the call.

    Loose refs are read first: `pack-refs` writes packed-refs before it removes them, so none is ever missed. An
    unchanged packed-refs is taken from `before`. `Unavailable` if the files as a whole cannot be read now.
    """
    loose, bad = _loose(folder)
    if before is not None:
        # a folder listing may miss a file that is being replaced; what seems gone is asked for by name
        for name in before.loose.keys() - loose.keys():
            _take(folder, name, loose, bad)
    stamp, packed, bad_packed = _packed(folder, before)
    _follow(loose, packed, bad)
    if not (folder / "refs").is_dir():
        # unmounted, removed or just being replaced: this must not look as if everything had been deleted
        raise Unavailable(f"{folder} has no refs any more", hint="look whether the repository is still there")
    return Targets(loose=loose, packed=packed, stamp=stamp, bad={**bad_packed, **bad}, bad_packed=bad_packed)


def one_target(folder: Path, name: str, *, head: Path | None = None) -> str | None:
    """What one ref names, by its full name (`refs/remotes/…` too); None if it is not there or bad.

    `HEAD` is looked for in the folder `head`, as every linked worktree has its own.
    """
    for _ in range(_LONGEST_CHAIN):
        if not (is_ref_name(name) and (name == "HEAD" or name.startswith("refs/"))):
            return None
        found: dict[str, str] = {}
        bad: dict[str, str] = {}
        _take(head if head is not None and name == "HEAD" else folder, name, found, bad)
        if not found:
            return None if bad else _packed_target(folder, name)
        value = found[name]
        if not value.startswith(_SYMBOLIC):
            return value
        name = value.removeprefix(_SYMBOLIC)
    return None


def _packed_target(folder: Path, name: str) -> str | None:
    try:
        data = (folder / "packed-refs").read_bytes()
    except FileNotFoundError:
        return None
    end = data.find(b" " + name.encode() + b"\n")
    object_id = data[max(0, end - 40) : end].decode("ascii", "replace") if end >= 0 else ""
    return object_id if OBJECT_ID.fullmatch(object_id) else None


def _loose(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    loose: dict[str, str] = {}
    bad: dict[str, str] = {}
    for raw, regular in _ref_files(folder):
        name = printable_name(raw)
        if regular and name.encode("utf-8", "surrogateescape") == raw and is_ref_name(name):
            _take(folder, name, loose, bad)
        else:
            bad[name] = "its name is not one that Git allows" if regular else "it is neither a file nor a folder"
    return loose, bad


def _ref_files(folder: Path) -> Iterator[tuple[bytes, bool]]:
    """Full name of everything that could be a branch or tag, and whether it is a plain file."""
    top = os.fsencode(folder)
    waiting = [prefix.rstrip("/").encode() for prefix in _FOLLOWED]
    while waiting:
        name = waiting.pop()
        try:
            listing = list(os.scandir(top + b"/" + name))
        except (FileNotFoundError, NotADirectoryError):  # what was in it is packed or gone
            continue
        except OSError as error:
            raise _unavailable(name.decode("utf-8", "backslashreplace"), error) from error
        for entry in listing:
            # .lock files are halves of a push, names with a dot in front are no refs
            if entry.name.startswith(b".") or entry.name.endswith(b".lock"):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(name + b"/" + entry.name)
            else:
                yield name + b"/" + entry.name, entry.is_file(follow_symlinks=False)


def _take(folder: Path, name: str, loose: dict[str, str], bad: dict[str, str]) -> None:
    """Read one loose ref into `loose`, or say in `bad` what is wrong with it; nothing if it is not there."""
    try:
        # O_NONBLOCK: a pipe in the place of a ref must not hold up everything
        handle = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)  # noqa: PTH118 -- called for every loose ref
        try:
            text = os.read(handle, 4200)
        finally:
            os.close(handle)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return
    except OSError as error:
        if error.errno not in _ONE_FILES_FAULT:
            raise _unavailable(name, error) from error
        bad[name] = f"its file cannot be read: {error.strerror}"
        return
    value = text.decode("utf-8", "replace").rstrip()
    if OBJECT_ID.fullmatch(value):
        loose[name] = value
    elif value.startswith(_SYMBOLIC) and is_ref_name(value[len(_SYMBOLIC) :].strip()):
        loose[name] = _SYMBOLIC + value[len(_SYMBOLIC) :].strip()
    else:
        bad[name] = "its file is empty or damaged"


def _packed(folder: Path, before: Targets | None) -> tuple[Stamp | None, Mapping[str, str], Mapping[str, str]]:
    path = folder / "packed-refs"
    try:
        if before is not None and before.stamp == _stamp(path.stat()):
            return before.stamp, before.packed, before.bad_packed
        with path.open("rb") as file:
            stamp = _stamp(os.fstat(file.fileno()))
            data = file.read()
    except FileNotFoundError:
        if before is not None and before.stamp is None:
            return None, before.packed, before.bad_packed
        return None, {}, {}
    except OSError as error:
        raise _unavailable("packed-refs", error) from error
    return stamp, *_parsed(data.decode("utf-8", "surrogateescape"))


def _unavailable(name: str, error: OSError) -> Unavailable:
    return Unavailable(f"{name} of the repository cannot be read now: {error.strerror}", hint="it is tried again")


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _parsed(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Names with what they name, and bad names with a sentence, from the text of packed-refs."""
    plain = _PLAIN_LINE.findall(text)
    if len(plain) == sum(text.count(f" {prefix}") for prefix in _FOLLOWED) and ".lock" not in text:
        return {name: object_id for object_id, name in plain}, {}
    packed: dict[str, str] = {}
    bad: dict[str, str] = {}
    for line in text.split("\n"):
        name = line[41:]
        if not name.startswith(_FOLLOWED):  # the header, `^` lines with what a tag is on, refs of others
            continue
        if not is_ref_name(name):
            bad[printable_name(name.encode("utf-8", "surrogateescape"))] = "its name is not one that Git allows"
        elif OBJECT_ID.match(line) and line[40] == " ":
            packed[name] = line[:40]
        else:
            bad[name] = "its line in packed-refs is damaged"
    return packed, bad


def _follow(loose: dict[str, str], packed: Mapping[str, str], bad: dict[str, str]) -> None:
    """Put the objects that symbolic refs stand for in their place."""
    for name in [name for name, value in loose.items() if value.startswith(_SYMBOLIC)]:
        value: str | None = loose[name]
        for _ in range(_LONGEST_CHAIN):
            if value is None or not value.startswith(_SYMBOLIC):
                break
            target = value.removeprefix(_SYMBOLIC)
            value = loose.get(target) or packed.get(target)
        if value is None or value.startswith(_SYMBOLIC):
            del loose[name]
            bad[name] = "it is a symbolic ref that leads nowhere"
        else:
            loose[name] = value
