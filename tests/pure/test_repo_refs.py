"""What moved between two snapshots, and names fit to be shown."""

import pytest

from pointsman.repo.printable import LONGEST_LINE, printable_line, printable_name
from pointsman.repo.refs import RefMoves, RefSnapshot, compare
from pointsman.repo.tags import TagRef
from pointsman.repo.targets import is_ref_name

ONE, TWO = "1" * 40, "2" * 40


def snapshot(branches: dict[str, str], tags: dict[str, str]) -> RefSnapshot:
    """A snapshot with lightweight tags."""
    made = {name: TagRef(name=name, object_id=commit, commit=commit) for name, commit in tags.items()}
    return RefSnapshot(branches=branches, tags=made)


def test_every_created_moved_and_deleted_ref_is_named_once_and_sorted() -> None:
    """R25: a tag that moves or vanishes is noticed."""
    before = snapshot({"main": ONE, "old": ONE, "same": ONE}, {"v1": ONE, "v2": ONE, "v3": ONE})
    after = snapshot({"new": ONE, "main": TWO, "same": ONE}, {"v5": ONE, "v4": ONE, "v3": ONE, "v2": TWO})

    moves = compare(before, after)

    assert moves == RefMoves(
        branches_created=("new",),
        branches_moved=("main",),
        branches_deleted=("old",),
        tags_created=("v4", "v5"),
        tags_moved=("v2",),
        tags_deleted=("v1",),
    )
    assert moves


def test_nothing_moves_between_equal_snapshots() -> None:
    """Equal, or the very same."""
    before = snapshot({"main": ONE}, {"v1": ONE})

    assert not compare(before, before)
    assert not compare(before, snapshot({"main": ONE}, {"v1": ONE}))


def test_a_tag_annotated_anew_on_the_same_commit_has_moved() -> None:
    """R25: the tag object is another one, and may be signed by somebody else."""
    before = RefSnapshot(tags={"v1": TagRef(name="v1", object_id=ONE, commit=TWO)})
    after = RefSnapshot(tags={"v1": TagRef(name="v1", object_id=TWO, commit=TWO)})

    assert compare(before, after).tags_moved == ("v1",)


@pytest.mark.parametrize(
    "name",
    [
        "refs/tags/v1;id", "refs/tags/$(id)", "refs/tags/`id`", "refs/heads/-rf", "refs/heads/--upload-pack=x",
        "refs/tags/'\"", 'refs/tags/"><script>', "refs/heads/übung", "refs/heads/a./b", "refs/heads/lock",
    ],
)  # fmt: skip
def test_odd_names_that_git_allows_are_names(name: str) -> None:
    """Hostile 48: shown as they are; escaping is for the page."""
    assert is_ref_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "refs/tags/../x", "refs/tags/../../../etc/x", "refs/heads/.hidden", "refs/heads/a/.b", "refs/heads/a.lock",
        "refs/heads/a.lock/b", "refs/heads//a", "refs/heads/a/", "refs/heads/a.", "refs/heads/a b", "refs/heads/a\nb",
        "refs/heads/a\x1b", "refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/a*",
        "refs/heads/a[b", "refs/heads/a\\b", "refs/heads/a@{1}", "refs/heads/\u202egnp", "refs/heads/\udcff",
    ],
)  # fmt: skip
def test_names_that_git_refuses_or_cannot_be_shown_are_none(name: str) -> None:
    """Hostile 47, 51."""
    assert not is_ref_name(name)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain.yaml", "plain.yaml"), ("übung".encode(), "übung"), (b"a\nb", "a\\nb"), (b"a\x1b[31m", "a\\x1b[31m"),
        (b"a\xff", "a\\xff"), (b"a\\nb", "a\\\\nb"), ("a\u202eb".encode(), "a\\u202eb"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        ("\u0085".encode(), "\\u0085"), ("\U000e0001".encode(), "\\U000e0001"), (b"-rf", "-rf"), (b"a.", "a."),
    ],
)  # fmt: skip
def test_names_are_shown_escaped_and_never_alike(raw: bytes, shown: str) -> None:
    """Hostile 47: newline, ESC, invalid UTF-8; no surrogate gets out."""
    assert printable_name(raw) == shown
    assert shown.isprintable()
    shown.encode()


def test_lines_are_cut_and_any_encoding_gives_text() -> None:
    """Hostile 61."""
    assert printable_line(b"M\xfcller", "latin-1") == "Müller"
    assert printable_line(b"M\xfcller") == "M\\xfcller"
    assert printable_line(b"x", "no-such-encoding") == "x"
    assert printable_line(b"\\ud800", "unicode_escape") == "\\ud800"
    assert printable_line(b"a\x1b[2Jb") == "a\\x1b[2Jb"
    assert len(printable_line(b"x" * 100_000)) == LONGEST_LINE
