"""The one place where a repository is opened, and where it is said why that is not possible."""

import os
from pathlib import Path

import pygit2
from pygit2.enums import RepositoryOpenFlag

from pointsman.model.problem import Invalid, NotFound, PointsmanError
from pointsman.repo.printable import printable_text


def open_repository(path: Path) -> pygit2.Repository:
    """The repository at exactly this path: a bare one, a working folder with `.git` in it, or a `.git` folder.

    `NotFound` if there is none, `Invalid` if it cannot be used: it is another user's, not readable, or in a format
    that is not supported. No command is started and nothing that the repository configures is carried out.
    """
    _checked_folder(path)
    try:
        return pygit2.Repository(str(path), RepositoryOpenFlag.NO_SEARCH)
    except (pygit2.GitError, ValueError, OSError) as error:
        raise _reason(path, str(error)) from error


def discover(path: Path) -> Path:
    """The Git folder of the repository that `path` is in, looking upwards; `NotFound` if it is in none."""
    _checked_folder(path)
    try:
        found = pygit2.discover_repository(str(path.absolute()))
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        raise _reason(path, str(error)) from error
    if found is None:
        raise NotFound(
            f"{_shown(path)} is not inside a Git repository",
            hint="go to a folder of your repository, or make one with: pointsman init",
        )
    return Path(found)


def common_folder(repository: pygit2.Repository) -> Path:
    """The folder that holds the refs: the Git folder itself, or for a linked worktree the one it shares."""
    folder = Path(repository.path)
    try:
        shared = (folder / "commondir").read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return folder
    except (OSError, ValueError) as error:
        raise Invalid(f"{_shown(folder)}: its file commondir cannot be read: {error}") from error
    return (folder / shared).resolve()


def _checked_folder(path: Path) -> None:
    try:
        is_folder = path.is_dir()
        exists = is_folder or path.exists()
    except ValueError:
        raise Invalid(f"{_shown(path)} is no path") from None
    except PermissionError:
        raise _unreadable(path) from None
    except OSError as error:
        raise Invalid(f"{_shown(path)} cannot be read: {error.strerror}") from error
    if not exists:
        raise NotFound(f"{_shown(path)} does not exist", hint="give the folder of a Git repository")
    if not is_folder:
        raise Invalid(f"{_shown(path)} is a file, not a repository", hint="give the folder of a Git repository")
    if not os.access(path, os.R_OK | os.X_OK):
        raise _unreadable(path)


def _reason(path: Path, error: str) -> PointsmanError:
    shown = _shown(path)
    if "is not owned by" in error:
        return Invalid(
            f"{shown} belongs to another user, so Git does not trust it",
            hint="run Pointsman as its owner, or trust exactly this folder: "
            f"git config --global --add safe.directory {shown}",
        )
    if "refstorage" in error:
        return Invalid(
            f"{shown} keeps its refs as reftable, which is not supported",
            hint="change it with: git refs migrate --ref-format=files",
        )
    if "object format" in error or "objectformat" in error:
        return Invalid(
            f"{shown} names its objects by SHA-256, which is not supported",
            hint="use a repository made with: git init --object-format=sha1",
        )
    if any(os.path.lexists(part) and not os.access(part, os.R_OK) for part in _parts(path)):
        return _unreadable(path)
    if "not found" in error.lower():
        return NotFound(
            f"{shown} is not a Git repository",
            hint="give a bare repository, or a working folder that has .git in it",
        )
    return Invalid(f"{shown} cannot be opened: {printable_text(error)}", hint="check it with: git fsck")


def _parts(path: Path) -> list[Path]:
    folders = [path, path / ".git"]
    return [folder / part for folder in folders for part in ("", "HEAD", "config", "objects", "refs")]


def _unreadable(path: Path) -> Invalid:
    return Invalid(
        f"{_shown(path)} cannot be read by this user",
        hint="give the user who runs Pointsman the right to read the whole repository",
    )


def _shown(path: Path) -> str:
    return printable_text(os.fsencode(path).decode("utf-8", "backslashreplace"))
