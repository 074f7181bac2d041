"""Tags that are on something else than they say, or on nothing."""

from pathlib import Path

import pytest
from pygit2.enums import ObjectType

from fakes.git import EMAIL, FIRST_TIME, NAME, Repository
from pointsman.repo.refs import RefSnapshot, read_refs

WHO = f"{NAME} <{EMAIL}> {FIRST_TIME} +0000"


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A bare repository with one commit on `main`."""
    made = Repository.create(tmp_path / "ops.git", bare=True)
    made.commit({"projects/p/project.yaml": "name: P\n"})
    return made


def refs(of: Repository, before: RefSnapshot | None = None) -> RefSnapshot:
    """What is read now."""
    return read_refs(of.opened, before)


def tag_object(of: Repository, target: str, kind: str, tagger: str = f"tagger {WHO}\n") -> str:
    """A tag object that says what it is told to."""
    text = f"object {target}\ntype {kind}\ntag t\n{tagger}\nmessage\n"
    return of.write(ObjectType.TAG, text.encode())


def test_tags_on_what_is_no_commit_have_their_trouble(ops: Repository) -> None:
    """Hostile 37: blob, tree, missing, lying, too deep, damaged; and the good one is still there."""
    commit = ops.head()
    blob = ops.write(ObjectType.BLOB, b"x")
    tree = str(ops.opened[commit].peel(ObjectType.TREE).id)
    deep = tag_object(ops, commit, "commit")
    for _ in range(50):
        deep = tag_object(ops, deep, "tag")
    bad = {
        "v0-blob": (blob, "file"),
        "v0-tree": (tree, "folder"),
        "v0-missing": ("f" * 40, "missing"),
        "v0-tagged-blob": (tag_object(ops, blob, "blob"), "file"),
        "v0-tagged-missing": (tag_object(ops, "f" * 40, "commit"), "missing"),
        "v0-lying": (tag_object(ops, blob, "commit"), "says that it is on a commit"),
        "v0-deep": (deep, "more than 10 deep"),
        "v0-damaged": (ops.write(ObjectType.TAG, b"object nonsense\n"), "damaged"),
        "v0-unknown": (tag_object(ops, commit, "banana"), "damaged"),
        "v0-huge": (ops.write(ObjectType.TAG, b"object " + b"0" * 2_000_000), "bytes"),
    }
    for name, (target, _) in bad.items():
        ops.write_ref(f"refs/tags/{name}", target)
    ops.tag("v1")
    twice = tag_object(ops, tag_object(ops, commit, "commit"), "tag")
    ops.write_ref("refs/tags/v2", twice)
    ops.write_ref("refs/heads/blob", blob)

    found = refs(ops)

    assert {name for name, tag in found.tags.items() if tag.trouble} == bad.keys()
    for name, (target, word) in bad.items():
        assert found.tags[name].object_id == target
        assert found.tags[name].commit == ""
        assert word in found.tags[name].trouble
    assert found.tags["v1"].commit == found.tags["v2"].commit == commit
    assert found.branches == {"main": commit}
    assert set(found.unusable) == {"refs/heads/blob"}
    assert refs(ops, found) is found


@pytest.mark.parametrize(
    ("tagger", "name", "at"),
    [
        ("", "", None),
        ("tagger Ada <a@b> 99999999999999999999 +0000\n", "Ada", None),
        ("tagger Ada <a@b> -5 +0000\n", "Ada", None),
        ("tagger Ada <a@b>\n", "Ada", None),
        ("tagger nonsense\n", "nonsense", None),
        ("tagger A\x1b[2Jda <a@b> 1700000000 +9999\n", "A\\x1b[2Jda", 1_700_000_000),
        ("tagger <> 1700000000 +0000\n", "", 1_700_000_000),
    ],
)
def test_a_tag_without_a_sensible_tagger_is_usable(ops: Repository, tagger: str, name: str, at: int | None) -> None:
    """Hostile 61."""
    ops.write_ref("refs/tags/v1", tag_object(ops, ops.head(), "commit", tagger))

    tag = refs(ops).tags["v1"]

    assert (tag.commit, tag.tagger_name, tag.tagged_at, tag.trouble) == (ops.head(), name, at, "")


def test_a_tag_whose_object_comes_later_is_looked_at_again(ops: Repository) -> None:
    """A mirror that is copied file by file may get refs before objects."""
    text = f"object {ops.head()}\ntype commit\ntag v1\n\nmessage\n".encode()
    later = ops.git("hash-object", "-t", "tag", "--stdin", "--literally", stdin=text)
    ops.write_ref("refs/tags/v1", later)
    before = refs(ops)
    assert before.tags["v1"].trouble

    assert ops.write(ObjectType.TAG, text) == later

    assert refs(ops, before).tags["v1"].commit == ops.head()
