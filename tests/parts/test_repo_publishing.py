"""Tags that publish, made in a local repository and read by real git."""

from pathlib import Path

import pytest
from pygit2.enums import ObjectType

from fakes.git import Repository
from pointsman.model.problem import Invalid, Refused
from pointsman.repo.publishing import create_tag, next_version
from pointsman.repo.refs import read_refs

ADA = ("Ada", "ada@example.com")


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A repository with one commit on `main`."""
    made = Repository.create(tmp_path / "ops")
    made.commit({"a": "1"})
    return made


def test_a_tag_is_annotated_and_says_who_made_it(ops: Repository) -> None:
    """And git finds nothing wrong with it."""
    made = create_tag(ops.opened, "hello/deploy/v1", ops.head(), "Deploy, version 1", ADA)

    assert ops.git("cat-file", "-t", made) == "tag"
    assert ops.git("rev-parse", "hello/deploy/v1^{commit}") == ops.head()
    assert "Deploy, version 1" in ops.git("cat-file", "tag", made)
    ops.git("fsck", "--strict")
    tag = read_refs(ops.opened).tags["hello/deploy/v1"]
    assert (tag.object_id, tag.commit, tag.tagger_name, tag.tagger_email) == (made, ops.head(), *ADA)


def test_without_a_tagger_it_is_whom_git_knows(ops: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """`user.name` and `user.email`; without them one is told how to set them."""
    monkeypatch.setenv("HOME", str(ops.path))
    ops.git("config", "user.name", "Grace")
    ops.git("config", "user.email", "grace@example.com")

    create_tag(ops.opened, "v1", ops.head(), "One", None)

    assert read_refs(ops.opened).tags["v1"].tagger_name == "Grace"


@pytest.mark.parametrize("packed", [True, False])
def test_a_tag_that_exists_is_refused_and_stays(ops: Repository, packed: bool) -> None:  # noqa: FBT001 -- a parameter
    """R25: a published version never moves."""
    first = ops.tag("v1")
    if packed:
        ops.git("pack-refs", "--all")
    second = ops.commit({"a": "2"})

    with pytest.raises(Refused, match="the tag v1 exists already") as caught:
        create_tag(ops.opened, "v1", second, "Again", ADA)
    assert caught.value.hint
    assert ops.git("rev-parse", "v1") == first


def test_a_tag_below_the_name_of_another_is_refused(ops: Repository) -> None:
    """Git cannot keep both."""
    ops.tag("v1")

    with pytest.raises(Refused, match="the tag v1/x/v1 could not be made"):
        create_tag(ops.opened, "v1/x/v1", ops.head(), "One", ADA)


@pytest.mark.parametrize("name", ["", "-d", "--delete", "a..b", "a b", "a\nb", "../heads/main", "x.lock", "\udcff"])
def test_a_name_that_git_does_not_take_is_refused(ops: Repository, name: str) -> None:
    """Hostile 48."""
    with pytest.raises(Invalid, match="cannot be the name of a tag"):
        create_tag(ops.opened, name, ops.head(), "One", ADA)


def test_what_is_no_commit_and_who_is_nobody_make_no_tag(ops: Repository) -> None:
    """A missing commit, a blob, an empty tagger."""
    for commit in ("f" * 40, ops.write(ObjectType.BLOB, b"x"), "--all"):
        with pytest.raises(Invalid):
            create_tag(ops.opened, "v1", commit, "One", ADA)
    with pytest.raises(Invalid, match="cannot be a tagger"):
        create_tag(ops.opened, "v1", ops.head(), "One", ("", ""))
    assert not read_refs(ops.opened).tags


def test_no_hook_runs(tmp_path: Path, ops: Repository) -> None:
    """Hostile 55: `reference-transaction` is one that git would run here."""
    hook = ops.path / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    hook.chmod(0o755)

    create_tag(ops.opened, "v1", ops.head(), "One", ADA)

    assert not (tmp_path / "ran").exists()


def test_the_next_version_follows_the_highest() -> None:
    """INTERFACES: publish without VERSION."""
    assert next_version([]) == "1"
    assert next_version(["1", "2.5", "2"]) == "3"
