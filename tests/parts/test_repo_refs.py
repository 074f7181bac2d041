"""Refs as real git writes, packs and removes them, and as nobody should."""

import subprocess
import sys
from pathlib import Path

import pytest

from fakes.git import EMAIL, ENVIRONMENT, FIRST_TIME, NAME, Repository
from pointsman.model.problem import Unavailable
from pointsman.repo import targets
from pointsman.repo.refs import RefSnapshot, compare, read_refs


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A bare repository with one commit on `main`."""
    made = Repository.create(tmp_path / "ops.git", bare=True)
    made.commit({"projects/p/project.yaml": "name: P\n"})
    return made


def refs(of: Repository, before: RefSnapshot | None = None) -> RefSnapshot:
    """What is read now."""
    return read_refs(of.opened, before)


def test_branches_and_tags_are_read_loose_and_packed(ops: Repository) -> None:
    """With the commit that an annotated tag is on, who tagged and when."""
    ops.commit({"a": "1"}, branch="feature/x")
    annotated = ops.tag("v1")
    ops.tag("p/w/v2", annotated=False)
    loose = refs(ops)
    ops.git("pack-refs", "--all")

    packed = refs(ops)

    assert packed == loose
    assert packed.branches == {"main": ops.head(), "feature/x": ops.head("feature/x")}
    first = packed.tags["v1"]
    assert (first.object_id, first.commit, first.trouble) == (annotated, ops.head(), "")
    assert (first.tagger_name, first.tagger_email) == (NAME, EMAIL)
    assert first.tagged_at is not None
    assert first.tagged_at > FIRST_TIME
    assert packed.tags["p/w/v2"].commit == ops.head()
    assert packed.tags["p/w/v2"].tagged_at is None


def test_other_refs_are_nobodys_business(ops: Repository) -> None:
    """Only full names below refs/heads and refs/tags count."""
    ops.git("update-ref", "refs/pull/1/head", ops.head())
    ops.git("update-ref", "refs/notes/heads/x", ops.head())
    ops.git("pack-refs", "--all")
    ops.git("update-ref", "refs/remotes/origin/main", ops.head())

    assert list(refs(ops).branches) == ["main"]
    assert not refs(ops).unusable


def test_an_unchanged_repository_gives_the_same_snapshot(ops: Repository) -> None:
    """Nothing is resolved again, and callers see it by identity."""
    ops.tag("v1")
    before = refs(ops)

    assert refs(ops, before) is before
    ops.git("pack-refs", "--all")
    repacked = refs(ops, before)
    assert not compare(before, repacked)
    assert refs(ops, repacked) is repacked


def test_what_moved_is_read_and_nothing_else(ops: Repository) -> None:
    """Created, moved, deleted; loose, packed, and packed under loose."""
    for name in ("v1", "v2", "v3"):
        ops.tag(name)
    ops.git("pack-refs", "--all")
    before = refs(ops)
    second = ops.commit({"a": "1"})
    ops.git("tag", "-f", "v2", second)
    ops.git("tag", "-d", "v3")
    ops.git("branch", "new", second)

    after = refs(ops, before)

    assert after == refs(ops)
    moves = compare(before, after)
    assert (moves.branches_created, moves.branches_moved) == (("new",), ("main",))
    assert (moves.tags_created, moves.tags_moved, moves.tags_deleted) == ((), ("v2",), ("v3",))
    assert after.tags["v1"] is before.tags["v1"]


def test_a_tag_that_can_release_nothing_is_never_opened(ops: Repository) -> None:
    """Most tags are other people's; what they name, and that they moved, is known all the same."""
    ops.write_ref("refs/tags/build/1", "f" * 40)
    ops.tag("build/2")
    ops.tag("p/w/v1")
    before = refs(ops)
    assert before.other_tags["build/1"] == "f" * 40
    assert set(before.other_tags) == {"build/1", "build/2"}
    assert set(before.tags) == {"p/w/v1"}
    assert not before.troubled

    ops.git("tag", "-f", "build/2", ops.commit({"a": "1"}))
    ops.git("tag", "-d", "build/1")
    after = refs(ops, before)

    assert after.other_tags == {"build/2": ops.head()}
    assert compare(before, after).tags_moved == ("build/2",)
    assert compare(before, after).tags_deleted == ("build/1",)


def test_deleting_a_ref_that_is_only_packed_is_seen(ops: Repository) -> None:
    """Hostile 59."""
    ops.tag("v1")
    ops.tag("v2")
    ops.git("pack-refs", "--all")
    before = refs(ops)

    ops.git("update-ref", "-d", "refs/tags/v1")

    assert compare(before, refs(ops, before)).tags_deleted == ("v1",)


def test_a_branch_in_new_nested_folders_is_seen_and_goes_again(ops: Repository) -> None:
    """Hostile 59. Then a branch takes the place of the folder."""
    before = refs(ops)
    ops.git("branch", "a/b/c/d")
    nested = refs(ops, before)
    ops.git("branch", "-D", "a/b/c/d")
    ops.git("branch", "a/b")

    after = refs(ops, nested)

    assert compare(before, nested).branches_created == ("a/b/c/d",)
    assert compare(nested, after).branches_created == ("a/b",)
    assert compare(nested, after).branches_deleted == ("a/b/c/d",)


def test_refs_packed_between_reading_loose_and_packed_ones_are_not_missed(
    ops: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hostile 59: real `git pack-refs` at the worst moments, with and without a snapshot before."""
    for number in range(20):
        ops.tag(f"v{number}")
    before = refs(ops)
    read_packed, read_loose = targets._packed, targets._loose

    def packed_late(*arguments: object) -> object:
        ops.git("pack-refs", "--all")
        return read_packed(*arguments)  # type: ignore[arg-type]  # passed through

    def packed_early(folder: Path) -> object:
        ops.git("pack-refs", "--all")
        return read_loose(folder)

    monkeypatch.setattr(targets, "_packed", packed_late)
    monkeypatch.setattr(targets, "_loose", packed_early)
    assert refs(ops) == before
    ops.git("tag", "-f", "v3", ops.commit({"a": "1"}))
    assert compare(before, refs(ops, before)).tags_moved == ("v3",)
    assert compare(before, refs(ops)).tags_moved == ("v3",)


def test_no_ref_ever_seems_gone_while_others_are_pushed_and_packed(ops: Repository) -> None:
    """Hostile 59: another process tags, packs and collects garbage while refs are read."""
    for number in range(10):
        ops.tag(f"v{number}")
    script = (
        "for i in $(seq 15); do git tag w$i; git pack-refs --all; git branch -f b/$i; git tag -f x main; done\n"
        "git gc -q\n"
    )
    writer = subprocess.Popen(["sh", "-c", script], cwd=ops.path, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    before = refs(ops)
    readings = 0
    while writer.poll() is None or not readings:
        after = refs(ops, before)
        moves = compare(before, after)
        assert not moves.tags_deleted
        assert not moves.branches_deleted
        assert not after.unusable
        before, readings = after, readings + 1

    assert writer.returncode == 0
    after = refs(ops, before)
    assert len(after.tags) + len(after.other_tags) == 26


def test_a_packed_ref_with_a_bad_name_hides_no_other(ops: Repository) -> None:
    """Hostile 51: git itself gives up on the whole repository."""
    ops.tag("v1")
    ops.tag("v2")
    ops.git("pack-refs", "--all")
    packed = ops.path / "packed-refs"
    packed.write_bytes(
        packed.read_bytes()
        + f"{ops.head()} refs/tags/../../../etc/x\n{ops.head()} refs/tags/bad\x1bname\nzz refs/tags/v1\n".encode()
        + f"short refs/tags/x\n{'z' * 40} refs/tags/v7\n".encode()
        + ops.head().encode() + b" refs/tags/\xff\n"
    )  # fmt: skip

    found = refs(ops)

    assert sorted(found.tags) == ["v1", "v2"]
    assert found.branches == {"main": ops.head()}
    assert set(found.unusable) == {
        "refs/tags/../../../etc/x", "refs/tags/bad\\x1bname", "refs/tags/v7", "refs/tags/\\xff",
    }  # fmt: skip
    assert refs(ops, found) is found


def test_a_damaged_loose_ref_hides_no_other_and_never_shows_an_older_packed_one(ops: Repository) -> None:
    """A version must not move back because a file is empty after a crash."""
    ops.tag("v1")
    ops.tag("v2")
    ops.git("pack-refs", "--all")
    (ops.path / "refs/tags/v1").write_bytes(b"")
    (ops.path / "refs/tags/sym").symlink_to(ops.path / "description")
    (ops.path / "refs/heads/bad name").write_text(ops.head())

    found = refs(ops)

    assert list(found.tags) == ["v2"]
    assert set(found.unusable) == {"refs/tags/v1", "refs/tags/sym", "refs/heads/bad name"}


def test_a_repository_that_is_gone_has_not_deleted_its_refs(ops: Repository) -> None:
    """R25: an unmounted disk must not raise an alarm for every version."""
    before = refs(ops)
    ops.path.rename(ops.path.with_suffix(".away"))

    with pytest.raises(Unavailable):
        refs(ops, before)
    ops.path.with_suffix(".away").rename(ops.path)
    assert refs(ops, before) is before

    (ops.path / "packed-refs").mkdir()
    with pytest.raises(Unavailable):
        refs(ops, before)


def test_lock_files_and_hidden_files_are_not_read(ops: Repository) -> None:
    """Hostile 60: a half-written ref."""
    before = refs(ops)
    ops.write_ref("refs/tags/v1.lock", ops.head())
    ops.write_ref("refs/heads/main.lock", "f" * 40)
    ops.write_ref("refs/heads/.tmp", ops.head())
    (ops.path / "packed-refs.lock").write_text(f"{ops.head()} refs/tags/v9\n")

    assert refs(ops, before) is before


def test_symbolic_branches_are_followed_and_loops_are_not(ops: Repository) -> None:
    """A ref that leads out of branches and tags leads nowhere."""
    ops.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    ops.write_ref("refs/heads/one", "ref: refs/heads/two")
    ops.write_ref("refs/heads/two", "ref: refs/heads/one")
    ops.write_ref("refs/heads/out", "ref: refs/heads/../../config")

    found = refs(ops)

    assert found.branches == {"main": ops.head(), "alias": ops.head()}
    assert set(found.unusable) == {"refs/heads/one", "refs/heads/two", "refs/heads/out"}


def test_odd_names_are_names(tmp_path: Path, ops: Repository) -> None:
    """Hostile 48: pushed by real git, and found as they are."""
    odd = ["v1;id", "$(id)", "`id`", "'\"", '"><script>', "-rf", "--upload-pack=x"]
    local = Repository.create(tmp_path / "local")
    commit = local.commit({"a": "1"})
    for name in odd:
        local.git("update-ref", f"refs/tags/{name}", commit)
    local.git("push", "-q", str(ops.path), "refs/tags/*:refs/tags/*")

    found = refs(ops)

    assert set(found.tags) | set(found.other_tags) == set(odd)
    assert not found.unusable


def test_a_thousand_refs_come_in_one_push(tmp_path: Path, ops: Repository) -> None:
    """Hostile 57: none is missed."""
    local = Repository.create(tmp_path / "local")
    commit = local.commit({"a": "1"})
    lines = "".join(f"create refs/tags/v{number} {commit}\n" for number in range(1000))
    local.git("update-ref", "--stdin", stdin=lines.encode())
    before = refs(ops)

    local.git("push", "-q", str(ops.path), "refs/tags/*:refs/tags/*")

    assert len(compare(before, refs(ops, before)).tags_created) == 1000


def test_fifty_thousand_packed_tags_are_read_and_one_more_is_found(ops: Repository) -> None:
    """Hostile 57."""
    packed = "".join(f"{ops.head()} refs/tags/v{number}\n" for number in range(50_000))
    (ops.path / "packed-refs").write_text(f"# pack-refs with: peeled fully-peeled sorted \n{packed}")
    before = refs(ops)
    assert len(before.tags) == 50_000
    assert refs(ops, before) is before

    ops.tag("w1")
    after = refs(ops, before)

    assert compare(before, after).tags_created == ("w1",)
    assert after.targets.packed is before.targets.packed


def test_objects_in_quarantine_are_not_seen(tmp_path: Path, ops: Repository) -> None:
    """Hostile 60: read from inside a pre-receive hook, with all that git puts into its environment."""
    hook = ops.path / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from pathlib import Path\n"
        "from pointsman.repo.opening import open_repository\n"
        "from pointsman.repo.refs import read_refs\n"
        f"repository = open_repository(Path({str(ops.path)!r}))\n"
        "new = sys.stdin.read().split()[1]\n"
        "seen = f'{new in repository.odb} {list(read_refs(repository).branches)}'\n"
        f"Path({str(tmp_path / 'seen')!r}).write_text(seen)\n"
    )
    hook.chmod(0o755)
    local = Repository.create(tmp_path / "local")
    local.commit({"a": "1"}, branch="new")

    local.git("push", "-q", str(ops.path), "new")

    assert (tmp_path / "seen").read_text() == "False ['main']"
    assert "new" in refs(ops).branches
