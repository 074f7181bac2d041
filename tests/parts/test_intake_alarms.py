"""Tags that do what published tags must not: an alarm each, once, and the ledger stays as it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.following import BAD, GOOD, Following, entry, path, versions
from fakes.sources import files_of, repository


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Following]:
    """A repository with an inventory, and nothing in it that could be run."""
    following = Following(repository(tmp_path / "ops.git"))
    yield following
    following.close()


def test_a_tag_that_moves_raises_one_alarm_and_changes_nothing(world: Following) -> None:
    """`R25`, hostile 29: the version stays at the commit first seen, over looks and restarts."""
    first = world.release("v1", a=GOOD)
    world.look()
    second = world.repository.commit(files_of(a=GOOD, b=GOOD))
    world.move("v1", second)

    for _ in range(2):
        catalog = world.look()
        world.repository.write_ref(f"refs/heads/{world.looks}", first)
    world.restart()
    world.look()

    assert world.ledger()["a@1"] == ("v1", first)
    assert world.told == [f"tag v1: it was moved from {first[:12]} to {second[:12]}; its versions stay where they were"]
    assert catalog.troubles["v1"] == f"moved {second}"
    assert entry(catalog, "a").versions[0].commit == first


def test_a_tag_that_is_deleted_raises_one_alarm_and_its_versions_stay(world: Following) -> None:
    """`R25`, hostile 30: two workflows of one tag are one alarm."""
    commit = world.release("v1", a=GOOD, b=GOOD)
    world.look()
    world.repository.delete_tag("v1")

    world.look()
    world.restart()
    catalog = world.look()

    assert world.told == ["tag v1: it was deleted; its versions stay"]
    assert versions(catalog, "a") == [("1", True)]
    assert world.ledger()["b@1"] == ("v1", commit)


def test_a_tag_that_stands_right_again_may_alarm_again(world: Following) -> None:
    """`R25`: the alarm goes with its reason."""
    commit = world.release("v1", a=GOOD)
    world.look()
    for _ in range(2):
        world.repository.delete_tag("v1")
        assert world.look().troubles == {"v1": "deleted"}
        world.repository.tag("v1", commit)
        assert world.look().troubles == {}

    assert world.told == ["tag v1: it was deleted; its versions stay"] * 2


def test_a_tag_made_again_on_the_same_commit_is_no_alarm(world: Following) -> None:
    """`R25`: what counts is the commit."""
    commit = world.release("v1", a=GOOD)
    world.look()
    world.move("v1", commit)

    world.look()

    assert world.told == []


def test_a_later_tag_that_would_give_a_version_another_commit_raises_one_alarm(world: Following) -> None:
    """`R25`: of either kind, and however the version is written; for the other workflows it counts."""
    first = world.release("p/a/v2", a=GOOD)
    world.look()
    second = world.release("v2.0", a=GOOD, b=GOOD)

    for _ in range(2):
        catalog = world.look()
        world.repository.write_ref(f"refs/heads/{world.looks}", first)
    world.restart()
    world.look()

    assert world.ledger() == {"a@2": ("p/a/v2", first), "b@2": ("v2.0", second)}
    assert world.told == [f"tag v2.0: it would give {path('a')} version 2.0 another commit than p/a/v2 did"]
    assert catalog.troubles == {"v2.0": f"conflict {path('a')} {second}"}


def test_the_alarm_of_a_conflict_goes_with_its_tag(world: Following) -> None:
    """`R25`"""
    world.release("p/a/v2", a=GOOD)
    world.look()
    world.release("v2", a=GOOD)
    assert world.look().troubles

    world.repository.delete_tag("v2")

    assert world.look().troubles == {}


def test_where_both_kinds_name_a_version_at_the_first_start_the_workflows_own_wins(world: Following) -> None:
    """`R25`, DESIGN section 3: although the repository's is older."""
    shared = world.release("v1", a=GOOD, b=GOOD)
    own = world.release("p/a/v1", a=GOOD)

    world.look()

    assert world.ledger() == {"a@1": ("p/a/v1", own), "b@1": ("v1", shared)}
    assert world.told == [f"tag v1: it would give {path('a')} version 1 another commit than p/a/v1 did"]


def test_both_kinds_on_one_commit_agree(world: Following) -> None:
    """`R25`"""
    commit = world.release("v1", a=GOOD)
    world.repository.tag("p/a/v1", commit)

    world.look()

    assert world.ledger() == {"a@1": ("p/a/v1", commit)}
    assert world.told == []


def test_a_version_that_never_was_valid_may_be_tried_again(world: Following) -> None:
    """`R25`: it is in no ledger, so its tag may be deleted and moved."""
    world.release("v1", a=BAD)
    assert versions(world.look(), "a") == [("1", False)]
    world.repository.delete_tag("v1")
    assert entry(world.look(), "a").versions == ()

    good = world.release("v1", a=GOOD)

    assert versions(world.look(), "a") == [("1", True)]
    assert world.ledger() == {"a@1": ("v1", good)}
    assert world.told == []


def test_a_workflow_that_was_invalid_at_a_tag_may_appear_when_the_tag_moves(world: Following) -> None:
    """`R25`: for the one that was valid there the move is an alarm; for the other it is the first time."""
    first = world.release("v1", a=GOOD, b=BAD)
    world.look()
    second = world.repository.commit(files_of(b=GOOD))
    world.move("v1", second)

    world.look()

    assert world.ledger() == {"a@1": ("v1", first), "b@1": ("v1", second)}
    assert len(world.told) == 1
