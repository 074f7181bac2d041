"""Refs of Pointsman's own, under the real `git gc`."""

import asyncio
from pathlib import Path

import pytest

from fakes.git import Repository
from pointsman.intake.readers import Readers
from pointsman.model.problem import Unavailable
from pointsman.repo.keeping import KEPT, keep


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A bare repository with one commit on `main`."""
    made = Repository.create(tmp_path / "ops.git", bare=True)
    made.commit({"a": "1"})
    return made


def rewrite(of: Repository) -> None:
    """Nothing of what was there is on a branch any more, and all that nothing names is collected."""
    of.git("update-ref", "refs/heads/main", of.git("commit-tree", "-m", "Other", of.write_tree()))
    of.git("reflog", "expire", "--expire=now", "--all")
    of.git("gc", "--quiet", "--prune=now")


def is_there(of: Repository, object_id: str) -> bool:
    """Whether the repository has an object, looked at afresh."""
    return object_id in Repository(of.path).opened.odb


def test_what_is_kept_outlives_history_and_what_is_not_does_not(ops: Repository) -> None:
    """Hostile 63: a commit with all that it is made of, and a template's folder by itself."""
    commit, second = ops.head(), ops.commit({"a": "2", "t/template.yaml": "name: T\n"})
    folder = ops.git("rev-parse", f"{second}:t")
    keep(ops.opened, [commit, folder])

    rewrite(ops)

    assert is_there(ops, commit)
    assert is_there(ops, folder)
    assert not is_there(ops, second)


def test_keeping_again_is_nothing_new_loose_or_packed(ops: Repository) -> None:
    keep(ops.opened, [ops.head()])
    keep(ops.opened, [ops.head()])
    ops.git("pack-refs", "--all", "--prune")
    keep(ops.opened, [ops.head()])

    assert ops.git("for-each-ref", "--format=%(refname)", KEPT) == f"{KEPT}{ops.head()}"
    assert not (ops.path / KEPT / ops.head()).exists()


def test_a_ref_that_somebody_put_on_something_else_keeps_nothing_from_being_kept(ops: Repository) -> None:
    """Whoever may push may make refs like these beforehand."""
    first, second = ops.head(), ops.commit({"a": "2"})
    ops.git("update-ref", f"{KEPT}{second}", first)
    ops.git("symbolic-ref", f"{KEPT}{first}", "refs/heads/main")
    keep(ops.opened, [first, second])

    rewrite(ops)

    assert is_there(ops, first)
    assert is_there(ops, second)


def test_what_is_gone_already_is_passed_over(ops: Repository) -> None:
    """A ref on nothing would stop `git gc` for good."""
    keep(ops.opened, ["f" * 40, ops.head()])

    assert ops.git("for-each-ref", "--format=%(objectname)", KEPT) == ops.head()
    ops.git("gc", "--quiet")


def test_a_repository_that_cannot_be_written_is_told_with_the_reason(ops: Repository) -> None:
    (ops.path / "refs/pointsman").write_text("in the way")

    with pytest.raises(Unavailable, match="cannot be written") as refused:
        keep(ops.opened, [ops.head()])
    assert "may be collected" in refused.value.hint


def test_a_daemon_that_cannot_keep_says_it_once_and_goes_on(ops: Repository, caplog: pytest.LogCaptureFixture) -> None:
    """A repository may be readable only."""
    (ops.path / "refs/pointsman").write_text("in the way")
    readers = Readers(ops.path, "", ops.path.parent / "data")

    async def story() -> None:
        await readers.keep([ops.head()])
        await readers.keep([ops.head(), "f" * 40])
        assert await readers.resolve("main") == ops.head()
        await readers.close()

    asyncio.run(story())
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "cannot be written into the repository" in caplog.text
