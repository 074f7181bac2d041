"""Template folders and commits straight from Git objects; never a checkout, no blob unmeasured."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pygit2

from pointsman.model.names import nearest
from pointsman.model.problem import Code, Invalid, NotFound
from pointsman.model.source import Mode
from pointsman.repo.objects import FOLDER, OBJECT_ID, commit_at
from pointsman.repo.opening import common_folder
from pointsman.repo.printable import printable_text
from pointsman.repo.tags import commit_of
from pointsman.repo.targets import BRANCHES, TAGS, one_target, read_targets
from pointsman.repo.walk import Found, entry_named, leads_elsewhere, measured_data, measured_size, refused, walked

MOST_TEMPLATE_FILES = 2_000
LARGEST_TEMPLATE_FILE = 5 * 1024 * 1024
MOST_TEMPLATE_BYTES = 64 * 1024 * 1024

_MOST_NAMES_COMPARED = 2_000


class FolderFile(NamedTuple):
    """One file of a template folder, by its path in that folder."""

    path: str
    executable: bool
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitFacts:
    """What is shown about a commit: all printable; `committed_at` in seconds since 1970 in UTC, None if impossible."""

    id: str
    tree: str
    author: str
    committed_at: int | None
    subject: str


def root_tree_id(repository: pygit2.Repository, commit: str, root: str = "") -> str:
    """The tree id of the folder `root` at a commit, which changes with anything below it; empty if it is not there.

    `Invalid` if a part of it is no plain folder.
    """
    odb = repository.odb
    tree = commit_at(odb, commit).tree
    parts = root.strip("/").split("/") if root.strip("/") else []
    for count, part in enumerate(parts, start=1):
        path = "/".join(parts[:count])
        if leads_elsewhere(part):
            raise refused(path, "the root is a path of folder names, without '.' and '..'", code=Code.BAD_PATH)
        entry = entry_named(odb, tree, part)
        if entry is None:
            return ""
        if entry[0] != FOLDER:
            raise refused(path, "it is no folder, so it cannot be the root", code=Code.NOT_A_FILE)
        tree = entry[1]
    return tree


def folder_at(repository: pygit2.Repository, tree_id: str) -> list[FolderFile]:
    """Every file of a template folder by its tree id, in the order of their paths, with their bytes.

    All are measured before one is read. `Invalid`, naming the file, for what a step could not get: a symlink, a
    submodule, a name that is not printable, more than 5 MiB, and for more than 2,000 files or 64 MiB in all.
    """
    odb = repository.odb
    measured: list[tuple[Found, int]] = []
    total = 0
    for found in walked(odb, [("", tree_id)], most=MOST_TEMPLATE_FILES):
        if found.mode == FOLDER:
            continue
        size = _template_file_size(odb, found)
        total += size
        if total > MOST_TEMPLATE_BYTES:
            raise refused(
                found.path,
                f"with it the template has more than {MOST_TEMPLATE_BYTES // 1024**2} MiB",
                code=Code.TOO_LARGE,
                hint="keep large files elsewhere and fetch them in the action",
            )
        measured.append((found, size))
    return [
        FolderFile(found.real, found.mode == Mode.EXECUTABLE, measured_data(odb, found, size=size))
        for found, size in sorted(measured, key=lambda pair: pair[0].real)
    ]


def commit_facts(repository: pygit2.Repository, commit: str) -> CommitFacts:
    """Who committed what and when, whatever the commit holds. `Invalid` if it is missing, damaged or no commit."""
    found = commit_at(repository.odb, commit)
    return CommitFacts(
        id=commit,
        tree=found.tree,
        author=found.author.name or found.author.email,
        committed_at=found.committer.at if found.committer.at is not None else found.author.at,
        subject=found.subject,
    )


def resolve_commit(repository: pygit2.Repository, text: str) -> str:
    """The full id of the commit that a tag, branch, full ref name, `HEAD` or (abbreviated) commit id stands for.

    A tag goes before a branch of the same name, and a full id before both, so that no branch can take their place.
    `NotFound` with the nearest name if it is nothing, `Invalid` if it is no commit or could be two. Text is only
    ever compared and looked up; nothing in it is an option, a pattern or a command.
    """
    found = _resolved(repository, text)
    if found is None:
        raise NotFound(f"there is no branch, tag or commit {printable_text(text)!r}", hint=_near(repository, text))
    try:
        return commit_of(repository.odb, found)
    except Invalid as error:
        raise Invalid(f"{printable_text(text)}: {error.says}", hint=error.hint) from error


def _template_file_size(odb: pygit2.Odb, found: Found) -> int:
    if found.mode not in {Mode.FILE, Mode.EXECUTABLE}:
        kinds = {Mode.SYMLINK: "a symbolic link", Mode.SUBMODULE: "a submodule"}
        says = f"it is {kinds.get(Mode(found.mode), 'no plain file')}, which a template must not have"
        raise refused(found.path, says, code=Code.NOT_A_FILE)
    if not found.real:
        raise refused(found.path, "its name has characters that cannot be printed", code=Code.BAD_NAME)
    size = measured_size(odb, found)
    if size > LARGEST_TEMPLATE_FILE:
        says = f"it has {size:,} bytes, more than the {LARGEST_TEMPLATE_FILE // 1024**2} MiB that a file may have"
        raise refused(found.path, says, code=Code.TOO_LARGE)
    return size


def _resolved(repository: pygit2.Repository, text: str) -> str | None:
    folder = common_folder(repository)
    if OBJECT_ID.fullmatch(text):
        return text if repository.odb.exists(text) else None
    tag = one_target(folder, TAGS + text)
    if tag is not None:
        return tag
    by_id = _abbreviated(repository, text)
    names = (BRANCHES + text, text, f"refs/remotes/{text}")
    targets = (one_target(folder, name, head=Path(repository.path)) for name in names)
    named = next((target for target in targets if target is not None), None)
    if named is not None and by_id is not None and by_id != named:
        raise Invalid(
            f"{text} is the name of a branch and the beginning of a commit id",
            hint=f"write {BRANCHES}{text}, or the whole commit id",
        )
    return named or by_id


def _abbreviated(repository: pygit2.Repository, text: str) -> str | None:
    if not (4 <= len(text) <= 40 and all(letter in "0123456789abcdefABCDEF" for letter in text)):
        return None
    try:
        return str(repository.expand_id(text.lower()))
    except KeyError:
        return None
    except ValueError:
        raise Invalid(f"{text} is the beginning of several object ids", hint="write more of the commit id") from None


def _near(repository: pygit2.Repository, text: str) -> str:
    targets = read_targets(common_folder(repository))
    names = [name.removeprefix(BRANCHES).removeprefix(TAGS) for name in targets.whole()]
    # comparing with every name of a large repository would take seconds
    alike = [name for name in names if abs(len(name) - len(text)) <= 3][:_MOST_NAMES_COMPARED]
    near = nearest(text, alike)
    if near:
        return f"did you mean {near!r}?"
    if any(letter in text for letter in "~^:@"):
        return "only names and ids are read here; git rev-parse tells the id of anything else"
    if repository.is_shallow:
        return "this clone is shallow; the rest comes with: git fetch --unshallow --tags"
    return "nothing is committed yet" if repository.head_is_unborn and text == "HEAD" else ""
