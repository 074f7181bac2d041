"""What is shown about commits, and which commit a text stands for."""

from itertools import pairwise
from pathlib import Path

import pytest
from pygit2.enums import ObjectType

from fakes.git import FIRST_TIME, NAME, Repository
from pointsman.model.problem import Invalid, NotFound
from pointsman.repo.files import CommitFacts, commit_facts, resolve_commit


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A repository with one commit on `main`."""
    made = Repository.create(tmp_path / "ops")
    made.commit({"a": "1"}, "Begin\n\nWith more to say.\n")
    return made


def commit_object(of: Repository, *, author: bytes, committer: bytes, message: bytes, more: bytes = b"") -> str:
    """The id of a commit that says what it is told to."""
    tree = of.write_tree()
    head = b"tree " + tree.encode() + b"\nauthor " + author + b"\ncommitter " + committer + b"\n" + more
    return of.write(ObjectType.COMMIT, head + b"\n" + message)


def test_facts_of_a_commit(ops: Repository) -> None:
    """Author, time, first line."""
    tree = ops.git("rev-parse", "main^{tree}")

    assert commit_facts(ops.opened, ops.head()) == CommitFacts(
        id=ops.head(), tree=tree, author=NAME, committed_at=FIRST_TIME + 60, subject="Begin"
    )


def test_an_odd_commit_has_facts_fit_to_be_shown(ops: Repository) -> None:
    """Hostile 61: ESC in the author, impossible time, message that is no UTF-8."""
    odd = commit_object(
        ops,
        author=b"E\x1b[31mve <e@v> 1700000000 +0000",
        committer=b"Eve <e@v> 999999999999999999999 +9999",
        message=b"gr\xfc\xdf\x07 " + b"x" * 5000,
    )

    facts = commit_facts(ops.opened, odd)

    assert facts.author == "E\\x1b[31mve"
    assert facts.committed_at == 1_700_000_000
    assert facts.subject.startswith("gr\\xfc\\xdf\\x07 xxx")
    assert len(facts.subject) < 300
    assert facts.subject.isprintable()


def test_the_encoding_a_commit_names_is_used_if_it_is_a_plain_one(ops: Repository) -> None:
    """Hostile 61."""
    who = b"M\xfcller <m@example.com> 1700000000 +0000"
    latin = commit_object(ops, author=who, committer=who, message=b"gr\xfc\xdf", more=b"encoding ISO-8859-1\n")
    strange = commit_object(ops, author=who, committer=who, message=b"\\ud800", more=b"encoding unicode_escape\n")

    assert (commit_facts(ops.opened, latin).author, commit_facts(ops.opened, latin).subject) == ("Müller", "grüß")
    assert commit_facts(ops.opened, strange).subject == "\\ud800"


def test_a_commit_with_next_to_nothing_in_it_has_facts(ops: Repository) -> None:
    """Hostile 61: no author, no committer, no message."""
    bare = ops.write(ObjectType.COMMIT, f"tree {ops.write_tree()}\n".encode())

    facts = commit_facts(ops.opened, bare)

    assert (facts.author, facts.committed_at, facts.subject) == ("", None, "")


def test_what_is_no_commit_has_no_facts(ops: Repository) -> None:
    """Damaged, huge, of another kind, missing."""
    damaged = ops.write(ObjectType.COMMIT, b"tree nonsense\n")
    huge = ops.write(ObjectType.COMMIT, b"tree " + b"0" * 2_000_000)
    for commit in (damaged, huge, ops.write(ObjectType.BLOB, b"x"), "f" * 40):
        with pytest.raises(Invalid):
            commit_facts(ops.opened, commit)


def test_a_commit_is_found_by_branch_tag_id_and_full_name(ops: Repository) -> None:
    """Loose and packed alike."""
    first = ops.head()
    annotated = ops.tag("p/w/v1")
    ops.git("branch", "feature/x")
    second = ops.commit({"a": "2"})
    ops.git("update-ref", "refs/remotes/origin/main", first)
    names = {
        "main": second, "refs/heads/main": second, "HEAD": second, "feature/x": first, "p/w/v1": first,
        "refs/tags/p/w/v1": first, first: first, first[:7]: first, first[:4].upper(): first, annotated: first,
        annotated[:12]: first, "origin/main": first,
    }  # fmt: skip
    for _ in range(2):
        for text, commit in names.items():
            assert resolve_commit(ops.opened, text) == commit, text
        ops.git("pack-refs", "--all")


def test_a_linked_worktree_has_its_own_head(tmp_path: Path, ops: Repository) -> None:
    """And the refs of the repository it belongs to."""
    first = ops.head()
    ops.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    second = ops.commit({"a": "2"})
    side = Repository(tmp_path / "side")

    assert resolve_commit(side.opened, "HEAD") == first
    assert resolve_commit(side.opened, "main") == second


def test_no_branch_takes_the_place_of_a_tag_or_an_id(ops: Repository) -> None:
    """Whoever may push branches must not change what a pinned version means."""
    first = ops.head()
    ops.tag("v1")
    ops.commit({"a": "2"}, branch="v1")
    other = ops.commit({"a": "3"}, branch="other")
    ops.write_ref(f"refs/heads/{first}", other)
    ops.write_ref(f"refs/heads/{'f' * 40}", other)
    ops.write_ref(f"refs/heads/{first[:8]}", other)

    assert resolve_commit(ops.opened, "v1") == first
    assert resolve_commit(ops.opened, first) == first
    with pytest.raises(NotFound):
        resolve_commit(ops.opened, "f" * 40)
    with pytest.raises(Invalid, match="name of a branch and the beginning of a commit id"):
        resolve_commit(ops.opened, first[:8])
    assert resolve_commit(ops.opened, f"refs/heads/{first[:8]}") == other


def test_a_name_that_is_nothing_is_not_found_with_the_nearest(ops: Repository) -> None:
    """One sentence, and what was probably meant."""
    ops.tag("hello/deploy/v1")

    with pytest.raises(NotFound, match="there is no branch, tag or commit 'mian'") as caught:
        resolve_commit(ops.opened, "mian")
    assert caught.value.hint == "did you mean 'main'?"
    with pytest.raises(NotFound) as caught:
        resolve_commit(ops.opened, "hello/deplyo/v1")
    assert caught.value.hint == "did you mean 'hello/deploy/v1'?"


@pytest.mark.parametrize(
    "text",
    [
        "", "--all", "-rf", "--upload-pack=x", "$(id)", "`id`", "main;id", "main~1", "main^{tree}", "main:a", ":/Begin",
        "@{-1}", "../../config", "refs/../config", "main\n", "ma\0in", "\udcff", "config", "a" * 10_000, "ffff", "*",
    ],
)  # fmt: skip
def test_text_is_only_ever_looked_up(ops: Repository, text: str) -> None:
    """Hostile 48: no option, no pattern, no revision syntax, no path."""
    with pytest.raises(NotFound) as caught:
        resolve_commit(ops.opened, text)
    assert caught.value.says.isprintable()
    assert len(caught.value.says) < 400


def test_names_of_what_is_no_commit_and_beginnings_of_several_are_invalid(ops: Repository) -> None:
    """A tag on a blob, a blob's id; and too short a beginning."""
    blob = ops.write(ObjectType.BLOB, b"x")
    ops.write_ref("refs/tags/on-blob", blob)
    for number in range(1500):
        ops.write(ObjectType.BLOB, f"{number}".encode())
    ids = [line.split()[0] for line in ops.git("cat-file", "--batch-all-objects", "--batch-check").splitlines()]
    double = next(one[:4] for one, other in pairwise(ids) if one[:4] == other[:4])

    with pytest.raises(Invalid, match=r"on-blob: object .* is a file, not a commit"):
        resolve_commit(ops.opened, "on-blob")
    with pytest.raises(Invalid, match="is a file, not a commit"):
        resolve_commit(ops.opened, blob)
    with pytest.raises(Invalid, match="beginning of several"):
        resolve_commit(ops.opened, double)
