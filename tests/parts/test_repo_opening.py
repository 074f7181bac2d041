"""Opening repositories, and saying why one cannot be opened."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.git import Repository
from pointsman.model.problem import Invalid, NotFound, PointsmanError
from pointsman.repo.opening import common_folder, discover, open_repository

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


@pytest.mark.parametrize("bare", [True, False])
def test_bare_and_working_repositories_are_opened(tmp_path: Path, bare: bool) -> None:  # noqa: FBT001 -- a parameter
    """And a `.git` folder by itself."""
    made = Repository.create(tmp_path / "ops", bare=bare)

    assert open_repository(tmp_path / "ops").is_bare is bare
    assert open_repository(Path(made.opened.path)).path == made.opened.path


def test_a_path_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    """One sentence with the path, and what to give instead."""
    with pytest.raises(NotFound, match=r"nowhere does not exist") as caught:
        open_repository(tmp_path / "nowhere")
    assert caught.value.hint


def test_a_file_is_no_repository(tmp_path: Path) -> None:
    """Nor is a pipe, which must not be waited for."""
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")

    for name in ("file", "pipe"):
        with pytest.raises(Invalid, match="is a file, not a repository"):
            open_repository(tmp_path / name)


def test_a_folder_that_is_no_repository_is_not_looked_for_above(tmp_path: Path) -> None:
    """A daemon given a subfolder by mistake must not serve what is above it."""
    made = Repository.create(tmp_path / "ops")
    (made.path / "inside").mkdir()

    with pytest.raises(NotFound, match="is not a Git repository"):
        open_repository(made.path / "inside")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"extensions.refstorage": "reftable"}, "reftable"),
        ({"extensions.objectformat": "sha256"}, "SHA-256"),
        ({"core.repositoryformatversion": "7"}, "cannot be opened"),
    ],
)
def test_a_format_that_is_not_supported_is_named(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    """With what to do about it."""
    made = Repository.create(tmp_path / "ops", bare=True)
    for name, value in {"core.repositoryformatversion": "1", **settings}.items():
        made.git("config", name, value)

    with pytest.raises(Invalid, match=says) as caught:
        open_repository(made.path)
    assert caught.value.hint


def test_a_broken_configuration_is_a_sentence(tmp_path: Path) -> None:
    """Not an exception from inside the library."""
    made = Repository.create(tmp_path / "ops", bare=True)
    (made.path / "config").write_text("[broken")

    with pytest.raises(Invalid, match="cannot be opened"):
        open_repository(made.path)


@pytest.mark.parametrize("path", ["a\0b", "\udcff", "x" * 5000])
def test_a_path_that_is_none_is_a_sentence(path: str) -> None:
    """Whatever the command line was given."""
    with pytest.raises(PointsmanError) as caught:
        open_repository(Path(path))
    assert caught.value.says.isprintable()


@NEEDS_ROOT
def test_a_repository_of_another_user_is_refused_with_the_one_exception_to_make(tmp_path: Path) -> None:
    """Hostile 54: never a blanket `safe.directory`."""
    made = Repository.create(tmp_path / "ops", bare=True)
    os.chown(made.path, 12345, 12345)

    with pytest.raises(Invalid, match="belongs to another user") as caught:
        open_repository(made.path)
    assert str(made.path) in caught.value.hint
    assert "*" not in caught.value.hint


@NEEDS_ROOT
def test_a_repository_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    """Tried as a user who may not."""
    made = Repository.create(tmp_path / "ops", bare=True)
    made.path.chmod(0o700)
    lock = tmp_path
    while lock != lock.parent:  # pytest's folders are the owner's alone
        lock.chmod(lock.stat().st_mode | 0o011)
        lock = lock.parent
    program = (
        "import os, sys; from pathlib import Path\n"
        "from pointsman.repo.opening import open_repository\n"
        "os.setgid(12345); os.setuid(12345)\n"
        "try: open_repository(Path(sys.argv[1]))\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )

    said = subprocess.run(
        [sys.executable, "-c", program, str(made.path)], capture_output=True, text=True, check=True
    ).stdout

    assert said.startswith("Invalid")
    assert "cannot be read by this user" in said


def test_the_command_line_finds_the_repository_upwards(tmp_path: Path) -> None:
    """And says so where there is none."""
    made = Repository.create(tmp_path / "ops")
    made.commit({"projects/p/project.yaml": "name: P\n"})

    assert discover(made.path / "projects" / "p") == made.path / ".git"
    with pytest.raises(NotFound, match="is not inside a Git repository"):
        discover(tmp_path)


def test_a_linked_worktree_shares_the_refs(tmp_path: Path) -> None:
    """Its own Git folder holds none."""
    made = Repository.create(tmp_path / "ops")
    made.commit({"a": "1"})
    made.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))

    assert common_folder(open_repository(tmp_path / "side")) == made.path / ".git"
