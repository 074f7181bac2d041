"""What a repository answers to a push before it accepts it; pushes through Git itself are in whole/test_push.py."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from fakes.following import BAD, GOOD, Following, call
from fakes.git import Repository
from fakes.hostile import delta_bomb
from fakes.signing import Key, signed_tag
from fakes.sources import INVENTORY, files_of, repository
from pointsman.intake.receive import Change, Push, answers
from pointsman.intake.ref_answers import RefAnswer
from pointsman.model.problem import Unavailable
from pointsman.store.ledger_file import ledger_in
from pointsman.store.versions import LedgerRow

NOW = 1_780_000_000.0


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A repository whose branch `main` has one good workflow."""
    return repository(tmp_path / "ops.git", good=GOOD)


def pushed(
    ops: Repository, *changes: tuple[str, str, str], strict: bool = False, ledger: Sequence[LedgerRow] | None = None
) -> list[RefAnswer]:
    """What is said to a push of (ref, old, new)."""
    made = [Change(ref=f"refs/{ref}", old=old, new=new) for ref, old, new in changes]
    push = Push(repository=ops.path, changes=made, refuse_drafts=strict, ledger=ledger, at=NOW)
    return asyncio.run(answers(push))


def words(answer: RefAnswer) -> str:
    """All that is said of one ref."""
    return "\n".join([*map(str, answer.problems), answer.says, answer.hint])


def object_of(ops: Repository, tag: str) -> str:
    """The object of a tag that Git has not been told of yet: made, and taken away again."""
    made = ops.git("rev-parse", f"refs/tags/{tag}")
    ops.delete_tag(tag)
    return made


def unpushed(ops: Repository, name: str, commit: str = "") -> tuple[str, str, str]:
    """A new annotated tag that is being pushed."""
    ops.tag(name, commit or None)
    return f"tags/{name}", "", object_of(ops, name)


def side_commit(ops: Repository, **workflows: str) -> str:
    """A commit beside `main` that is on no branch."""
    made = ops.commit({**INVENTORY, **files_of(**workflows)}, branch="side", executable={"templates/server/act.sh"})
    ops.opened.references.delete("refs/heads/side")
    return made


def test_a_good_version_passes_and_a_bad_one_is_refused_with_its_place(ops: Repository) -> None:
    """`R20`: what a developer sees locally, with what to do next."""
    bad = side_commit(ops, good=BAD)

    (good,) = pushed(ops, unpushed(ops, "p/good/v1"))
    (refused,) = pushed(ops, unpushed(ops, "p/good/v1", bad))

    assert (good.refused, good.problems, good.says) == (False, (), "tag p/good/v1: p/good 1 can be published")
    assert refused.refused
    assert "projects/p/workflows/good.yaml:1:18: error[PM030]" in words(refused)
    assert "git tag -f -a p/good/v1" in refused.hint


def test_a_repository_tag_is_refused_if_any_workflow_in_it_is_invalid(ops: Repository) -> None:
    """`R20`; the tag of one workflow cares for no other."""
    both = side_commit(ops, good=GOOD, bad=BAD)

    of_all, of_one = pushed(ops, unpushed(ops, "v1", both), unpushed(ops, "p/good/v1", both))

    assert of_all.refused
    assert "invalid: p/bad" in of_all.says
    assert not of_one.refused
    assert of_one.problems == ()


def test_a_tag_of_something_else_is_nobodys_business(ops: Repository) -> None:
    """No version, no workflow in it, or no tag and no branch."""
    app = ops.commit({"README.md": "x"}, branch="app")

    said = pushed(ops, unpushed(ops, "nightly"), unpushed(ops, "v7", app), ("notes/x", "", app), ("heads/app", app, ""))

    assert [answer.says for answer in said] == [""]
    assert not any(answer.refused for answer in said)


def test_a_tag_that_names_no_workflow_or_no_commit_is_refused(ops: Repository) -> None:
    """Hostile 37 in part."""
    blob = ops.write_blob()

    gone, odd, odd_too = pushed(ops, unpushed(ops, "p/gone/v1"), ("tags/p/good/v1", "", blob), ("tags/v1", "", blob))

    assert "names /projects/p/workflows/gone, which is not at its commit" in words(gone)
    assert "PM050" in words(odd)
    assert "PM050" in words(odd_too)
    assert all(answer.refused for answer in (gone, odd, odd_too))


def test_a_published_tag_neither_moves_nor_vanishes(ops: Repository) -> None:
    """`R25`, hostile 29 and 30: without a ledger, what the tag was is judged."""
    old = ops.tag("p/good/v1")
    other = side_commit(ops, good=GOOD, more=GOOD)
    again = unpushed(ops, "p/good/v2", other)[2]

    moved, deleted = pushed(ops, ("tags/p/good/v1", old, again)), pushed(ops, ("tags/p/good/v1", old, ""))

    assert "never moves" in moved[0].says
    assert "never vanishes" in deleted[0].says
    assert "git fetch -f origin tag p/good/v1" in moved[0].hint
    assert moved[0].refused
    assert deleted[0].refused


def test_a_tag_that_never_was_a_version_may_be_moved_and_deleted(ops: Repository) -> None:
    """`R25`: tried again until it is good. A tag that is made anew on its commit has not moved."""
    bad = ops.tag("p/good/v1", side_commit(ops, good=BAD))
    good = ops.tag("p/good/v2")
    ops.delete_tag("p/good/v2")
    same = ops.tag("p/good/v2")

    (moved,) = pushed(ops, ("tags/p/good/v1", bad, ops.head()))
    (remade,) = pushed(ops, ("tags/p/good/v2", good, same))

    assert (moved.refused, remade.refused) == (False, False)
    assert pushed(ops, ("tags/p/good/v1", bad, "")) == []


def test_a_version_that_the_other_kind_of_tag_gave_stays(ops: Repository) -> None:
    """`R25`: also where the version is written in another way; on the same commit there is no conflict."""
    ops.tag("v1.0")
    other = side_commit(ops, good=GOOD, more=GOOD)

    elsewhere, same = pushed(ops, unpushed(ops, "p/good/v1", other), unpushed(ops, "p/good/v1.0.0"))

    assert elsewhere.refused
    assert "p/good has version 1 already, by tag v1.0" in elsewhere.says
    assert same.refused, "two tags of one push may not give one version two commits either"
    (alone,) = pushed(ops, unpushed(ops, "p/good/v1.0.0"))
    assert not alone.refused


def test_a_tag_sees_the_branch_and_the_tags_that_come_with_it(ops: Repository) -> None:
    """`R24`: a child that the same push publishes is published."""
    commit = side_commit(ops, good=GOOD, parent=call("good", ", version: 1"))

    together = pushed(
        ops,
        unpushed(ops, "p/parent/v1", commit),
        unpushed(ops, "p/good/v1", commit),
        ("heads/main", ops.head(), commit),
    )
    (alone,) = pushed(ops, unpushed(ops, "p/parent/v1", side_commit(ops, parent=call("good", ", version: 9"))))

    assert [answer.says for answer in together] == [
        "tag p/parent/v1: p/parent 1 can be published",
        "tag p/good/v1: p/good 1 can be published",
    ]
    assert alone.refused


def test_an_invalid_draft_is_warned_about_and_refused_only_on_request(ops: Repository) -> None:
    """A branch drafts; `--branches` keeps even that clean."""
    bad = side_commit(ops, good=BAD)

    (warned,) = pushed(ops, ("heads/main", ops.head(), bad))
    (refused,) = pushed(ops, ("heads/main", ops.head(), bad), strict=True)

    assert (warned.refused, warned.says) == (False, "the draft on branch main is invalid")
    assert refused.refused
    assert "PM030" in words(warned)
    assert pushed(ops, ("heads/x", "", ops.head())) == []


def test_everything_wrong_in_one_push_is_said(ops: Repository) -> None:
    """One bad ref refuses all of it; each is told."""
    bad = side_commit(ops, good=BAD)

    said = pushed(ops, unpushed(ops, "v1", bad), unpushed(ops, "p/good/v2"), unpushed(ops, "p/good/v3", bad))

    assert [answer.refused for answer in said] == [True, False, True]


def test_a_commit_is_judged_once_however_many_refs_are_on_it(ops: Repository) -> None:
    """Hostile 57: a thousand branches in one push take about as long as one."""
    bad = side_commit(ops, good=BAD)

    said = pushed(ops, *((f"heads/b{number}", "", bad) for number in range(1000)))

    assert len({answer.problems for answer in said}) == 1
    assert len(said) == 1000


def test_a_push_that_breaks_the_reader_is_refused_with_the_reason(ops: Repository) -> None:
    """Hostile 192: its limits are those of the daemon."""
    folders = "/".join("d" for _ in range(60))
    bad = ops.commit({f"projects/p/{folders}/x.yaml": "x"}, branch="deep")
    ops.opened.references.delete("refs/heads/deep")

    (refused,) = pushed(ops, unpushed(ops, "v1", bad))

    assert refused.refused
    assert "nested more than" in words(refused)


def test_a_tag_that_cannot_be_read_any_more_neither_moves_nor_vanishes(ops: Repository) -> None:
    """Who may push can make what a tag is on dear to read, in the same push: that must not open the door (R25)."""
    (dear,) = delta_bomb(ops, 600 * 1024 * 1024, f"{GOOD}\n# of its own\n".encode())
    workflows = ops.write_tree(("100644", b"good.yaml", dear))
    good, old = ops.head(), ops.commit_project(("40000", b"workflows", workflows))
    ops.git("update-ref", "refs/heads/main", good)

    moved = pushed(ops, ("tags/p/good/v1", old, good))
    deleted = pushed(ops, ("tags/p/good/v1", old, ""))
    after_others = pushed(
        ops, *((f"heads/b{n}", "", old) for n in range(3)), ("tags/v1", old, ""), ("tags/p/good/v2", good, "")
    )

    for answer in (*moved, *deleted, *after_others[-2:]):
        assert answer.refused


def test_the_refs_that_keep_what_was_published_are_nobodys(ops: Repository) -> None:
    """`docs/operations.md`: without them `git gc` may remove a version."""
    made, moved, gone = pushed(
        ops,
        ("pointsman/keep/" + "1" * 40, "", ops.head()),
        ("pointsman/keep/" + ops.head(), ops.head(), "1" * 40),
        ("pointsman/keep/" + ops.head(), ops.head(), ""),
    )

    assert made.refused
    assert moved.refused
    assert gone.refused
    assert f"refs/pointsman/keep/{ops.head()}" in gone.says


# With the ledger of a daemon


@pytest.fixture
def followed(ops: Repository) -> Iterator[Following]:
    """A daemon's follower over the repository."""
    made = Following(ops)
    yield made
    made.close()


def test_the_ledger_knows_what_was_published_whatever_the_tags_say(ops: Repository, followed: Following) -> None:
    """`R25`, hostile 30: published, deleted on the server's disk, and made again elsewhere."""
    ops.tag("p/good/v1")
    followed.look()
    ops.delete_tag("p/good/v1")
    ledger = ledger_in(ops.path.parent / "data")

    (again,) = pushed(ops, unpushed(ops, "p/good/v1", side_commit(ops, good=GOOD, more=GOOD)), ledger=ledger)

    assert again.refused
    assert "has version 1 already" in again.says
    assert not pushed(ops, unpushed(ops, "p/good/v1"), ledger=ledger)[0].refused


def test_what_is_in_no_ledger_may_move(ops: Repository, followed: Following) -> None:
    """`R25`: the daemon never saw it."""
    followed.look()
    old = ops.tag("p/good/v1")
    ledger = ledger_in(ops.path.parent / "data")

    assert ledger == []
    assert pushed(ops, ("tags/p/good/v1", old, ""), ledger=ledger) == []
    assert pushed(ops, ("tags/p/good/v1", old, ""))[0].refused


def test_a_ledger_is_read_while_its_daemon_writes_and_after_it_has_ended(tmp_path: Path, followed: Following) -> None:
    """A data directory without a ledger has none; one that cannot be read is an error, and no empty ledger."""
    followed.repository.tag("v1")
    followed.look()
    while_open = ledger_in(tmp_path / "data")
    followed.restart()
    followed.database.close()

    assert while_open == ledger_in(tmp_path / "data")
    assert [row.tag for row in while_open or ()] == ["v1"]
    (tmp_path / "empty").mkdir()
    assert ledger_in(tmp_path / "empty") is None
    (tmp_path / "empty" / "state.db").write_bytes(b"not a database, and long enough to be looked at" * 30)
    for folder in ("empty", "gone"):
        with pytest.raises(Unavailable, match="cannot be read"):
            ledger_in(tmp_path / folder)


# Signed tags


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """Ann's key."""
    return Key.create(tmp_path_factory.mktemp("keys") / "ann")


@pytest.fixture
def signed(ops: Repository, key: Key) -> Callable[[str], tuple[str, str, str]]:
    """Ann's tag, pushed; the inventory branch asks for it to be signed."""
    ops.commit({"pointsman.yaml": "signed_tags: required\n", "allowed_signers": key.allows()})

    def change(name: str) -> tuple[str, str, str]:
        signed_tag(ops, name, key)
        return f"tags/{name}", "", object_of(ops, name)

    return change


def test_where_signatures_are_required_only_signed_tags_pass(
    ops: Repository, signed: Callable[[str], tuple[str, str, str]]
) -> None:
    """`R26`, hostile 32."""
    with_it, without, light = pushed(
        ops, signed("p/good/v1"), unpushed(ops, "p/good/v2"), ("tags/p/good/v3", "", ops.head())
    )

    assert not with_it.refused, words(with_it)
    for answer, why in ((without, "it is not signed"), (light, "a lightweight tag")):
        assert answer.refused
        assert f"error[PM051]: tag {answer.says.split()[1]}: {why}" in words(answer).replace("it is a light", "a light")
        assert "git tag -f -s" in answer.hint


def test_what_was_published_before_signatures_were_required_can_still_be_called(ops: Repository, key: Key) -> None:
    """`R25`: a rule that comes later takes nothing back."""
    ops.tag("p/good/v1")
    ops.commit({"pointsman.yaml": "signed_tags: required\n", "allowed_signers": key.allows()})
    commit = side_commit(ops, parent=call("good", ", version: 1"))
    signed_tag(ops, "p/parent/v1", key, commit)

    (answer,) = pushed(ops, ("tags/p/parent/v1", "", object_of(ops, "p/parent/v1")))

    assert not answer.refused, words(answer)


def test_the_signers_are_those_that_the_push_leaves_on_the_inventory_branch(
    ops: Repository, signed: Callable[[str], tuple[str, str, str]], tmp_path: Path
) -> None:
    """`R26`: a tag pushed together with its branch is judged as it will be; deleting the branch opens nothing."""
    other = Key.create(tmp_path / "other")
    change, head = signed("p/good/v1"), ops.head()
    replaced = ops.commit({"allowed_signers": other.allows()})
    ops.write_ref("refs/heads/main", head)

    assert not pushed(ops, change)[0].refused
    assert pushed(ops, change, ("heads/main", head, replaced))[0].refused
    assert not pushed(ops, change, ("heads/main", head, ""))[0].refused
    assert pushed(ops, unpushed(ops, "p/good/v2"), ("heads/main", head, ""))[0].refused


def test_while_nobody_can_tell_whether_tags_must_be_signed_none_is_good(
    ops: Repository, signed: Callable[[str], tuple[str, str, str]]
) -> None:
    """A slip in `pointsman.yaml` must open no door; nor does a missing file of signers."""
    change = signed("p/good/v1")
    for files, why in (
        ({"pointsman.yaml": "signed_tags: [\n"}, "pointsman.yaml of the inventory branch has an error"),
        ({"pointsman.yaml": "signed_tags: required\n", "allowed_signers": None}, "there is no file allowed_signers"),
    ):
        ops.commit(files)
        (answer,) = pushed(ops, change)
        assert answer.refused
        assert why in words(answer)
