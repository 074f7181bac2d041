"""What the follower makes of the refs: versions, drafts, the inventory, and what it does when it cannot look."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.following import BAD, GOOD, Following, call, entry, path, versions
from fakes.sources import DEV, files_of, repository
from pointsman.intake.alarms import Alarms
from pointsman.model.problem import Code, Severity, Unavailable
from pointsman.store.versions import LedgerRow


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Following]:
    """A repository with an inventory, and nothing in it that could be run."""
    following = Following(repository(tmp_path / "ops.git"))
    yield following
    following.close()


# Publication


def test_a_repository_tag_publishes_every_valid_workflow_at_once(world: Following) -> None:
    """`R20`: the invalid one is recorded and shown, with its problems, and is in no ledger."""
    commit = world.release("v1", a=GOOD, b=BAD, c="steps: [")

    catalog = world.look()

    assert world.ledger() == {"a@1": ("v1", commit)}
    assert world.events("version_published") == [f"{path('a')}@1"]
    assert [versions(catalog, code) for code in "abc"] == [[("1", True)], [("1", False)], [("1", False)]]
    assert entry(catalog, "b").latest is None
    assert Code.UNKNOWN_TARGET in {one.code for one in entry(catalog, "b").versions[0].problems}


def test_a_workflow_tag_publishes_that_one(world: Following) -> None:
    """DESIGN section 3"""
    commit = world.release("p/a/v1.2.0", a=GOOD, b=GOOD)

    catalog = world.look()

    assert world.ledger() == {"a@1.2": ("p/a/v1.2.0", commit)}
    assert entry(catalog, "a").latest == "1.2.0"
    assert entry(catalog, "b").latest is None


def test_other_tags_publish_nothing(world: Following) -> None:
    """DESIGN section 3"""
    world.release("release-1", a=GOOD)
    for tag in ("1", "vx", "p/v1", "v1+local", "p/a/b/v1"):
        world.repository.tag(tag)

    world.look()

    assert world.ledger() == {}


def test_a_tag_of_a_workflow_that_is_not_at_its_commit_is_invalid(world: Following) -> None:
    """`R20`"""
    world.release("p/z/v1", a=GOOD)

    catalog = world.look()

    assert versions(catalog, "z") == [("1", False)]
    assert "tag p/z/v1 names /projects/p/workflows/z, which is not at its commit" in {
        one.says for one in entry(catalog, "z").versions[0].problems
    }


def test_a_tag_on_something_else_than_a_commit_is_invalid(world: Following) -> None:
    """`R20`: and stands in nobody's way."""
    world.repository.write_ref("refs/tags/p/a/v1", world.repository.write_blob())
    world.release("p/a/v2", a=GOOD)

    assert versions(world.look(), "a") == [("1", False), ("2", True)]


def test_the_latest_is_the_highest_valid_version(world: Following) -> None:
    """`R22`: v1 good, v3 invalid, v4 a pre-release."""
    world.release("v1", a=GOOD)
    world.release("v3", a=BAD)
    world.release("v4rc1", a=GOOD)

    catalog = world.look()

    assert entry(catalog, "a").latest == "1"
    assert versions(catalog, "a") == [("1", True), ("3", False), ("4rc1", True)]


def test_what_is_published_later_is_seen_at_the_next_look(world: Following) -> None:
    """`R23`: and a look costs nothing while the refs stand still."""
    world.release("v1", a=GOOD)
    assert entry(world.look(), "a").latest == "1"
    world.look()
    assert world.looks == 1

    world.release("v2", a=GOOD)

    assert entry(world.look(), "a").latest == "2"
    assert world.looks == 2


def test_a_version_that_needs_another_of_the_same_push_is_found_valid(world: Following) -> None:
    """`R24`: at the first start all tags are new, and the child of the older is in no tree of the younger."""
    world.release("p/z/v1", z=GOOD)
    world.repository.commit({f"projects/p/workflows/{code}.yaml": None for code in "z"})
    world.release("p/y/v1", y=call("z"))
    world.repository.commit({f"projects/p/workflows/{code}.yaml": None for code in "y"})
    world.release("p/a/v1", a=call("y"))

    world.look()

    assert sorted(world.ledger()) == ["a@1", "y@1", "z@1"]


def test_the_readers_know_what_was_published(world: Following) -> None:
    """`R22`: and after a restart they know it from the ledger."""
    commit = world.release("p/a/v1", a=GOOD)
    world.look()

    for _ in range(2):
        found = world.planned("a").plan
        assert found is not None
        assert (found.tag, found.pinned[0].commit) == ("p/a/v1", commit)
        world.restart()


# Drafts


def test_every_branch_is_a_draft(world: Following) -> None:
    """DESIGN section 3: each with its own verdict, and all of them in the catalog."""
    world.repository.commit(files_of(a=GOOD))
    world.repository.write_ref("refs/heads/topic", world.repository.head())
    world.repository.commit(files_of(a=BAD, b="steps: ["), branch="topic")

    catalog = world.look()

    drafts = {one.branch: (one.valid, len(one.problems)) for one in entry(catalog, "a").drafts}
    assert drafts == {"main": (True, 0), "topic": (False, 2)}
    assert [one.branch for one in entry(catalog, "b").drafts] == ["topic"]
    assert entry(catalog, "a").latest is None


def test_a_branch_that_breaks_its_reader_leaves_the_others_alone(world: Following) -> None:
    """DESIGN section 4: a look ends with a verdict on every ref."""
    world.repository.commit_tree("1" * 40, branch="missing")
    world.repository.commit_tree(world.repository.write_blob(), branch="wrong")
    world.release("v1", a=GOOD)

    catalog = world.look()

    assert entry(catalog, "a").latest == "1"
    assert [one.branch for one in entry(catalog, "a").drafts] == ["main"]


def test_a_warning_about_a_child_goes_when_the_child_is_published(world: Following) -> None:
    """`R24`: although the branch has not moved."""
    world.repository.commit(files_of(a=call("b"), b=GOOD))
    assert [one.code for one in entry(world.look(), "a").drafts[0].problems] == [Code.UNPUBLISHED]

    world.repository.tag("p/b/v1")

    assert entry(world.look(), "a").drafts[0].problems == ()


def test_an_error_about_a_template_goes_when_its_tag_appears(world: Following) -> None:
    """DESIGN section 2: although the branch has not moved, and the tag publishes nothing."""
    old = world.repository.head()
    asset = "template: server\ntemplate_version: stable\nproperties: {hostname: x}\n"
    world.repository.commit({**files_of(a=GOOD), "projects/p/environments/dev/assets/web.yaml": asset})
    assert entry(world.look(), "a").drafts[0].valid is False

    world.repository.tag("stable", old)

    assert entry(world.look(), "a").drafts[0].valid


def test_the_inventory_is_that_of_the_inventory_branch(world: Following) -> None:
    """DESIGN section 3: with its policies; while it cannot be read the catalog says so."""
    world.repository.commit({"projects/p/project.yaml": "policy: {run: {user_names: [ann]}}\n"})
    catalog = world.look()
    assert (catalog.head, catalog.head_trouble) == (world.repository.head(), "")
    assert catalog.policy("p").run is not None
    assert DEV in {target["path"] for target in catalog.targets}

    world.repository.opened.references.delete("refs/heads/main")

    catalog = world.look()
    assert (catalog.head, catalog.head_trouble) == ("", "there is no branch main")


def test_a_draft_becomes_invalid_when_what_it_calls_does(world: Following) -> None:
    """`R44`: the branch has not moved, and the new version of what it calls now calls it."""
    world.release("p/a/v1", a=GOOD)
    world.release("p/b/v1", b=GOOD)
    draft = world.repository.commit(files_of(a=call("b")))
    world.repository.write_ref("refs/heads/topic", draft)
    world.repository.commit(files_of(a=GOOD))
    assert world.look().workflows[path("a")].drafts[1].valid

    world.release("p/b/v2", b=call("a"))

    found = entry(world.look(), "a").drafts[1]
    assert (found.branch, found.valid) == ("topic", False)
    assert Code.CYCLE in {one.code for one in found.problems}


def test_a_draft_becomes_invalid_when_the_tag_of_its_template_moves(world: Following) -> None:
    """DESIGN section 2: to a commit at which the template has no such action."""
    world.repository.tag("stable")
    asset = "template: server\ntemplate_version: stable\nproperties: {hostname: x}\n"
    world.repository.commit({**files_of(a=GOOD), "projects/p/environments/dev/assets/web.yaml": asset})
    assert entry(world.look(), "a").drafts[0].valid

    away = world.repository.commit({"templates/server/template.yaml": "name: Empty\n"}, branch="away")
    world.move("stable", away)

    found = {one.branch: one for one in entry(world.look(), "a").drafts}["main"]
    assert Code.UNKNOWN_ACTION in {one.code for one in found.problems}


def test_a_warning_about_an_approver_goes_when_there_is_such_a_user(world: Following) -> None:
    """`R17`: although no ref has moved."""
    world.users = ("bob",)
    gate = "steps: [{type: wait, requires_approval_from: {user_names: [ann]}}]"
    world.repository.commit(files_of(a=gate))
    assert [one.code for one in entry(world.look(), "a").drafts[0].problems] == [Code.UNKNOWN_APPROVER]

    world.users = ("ann", "bob")

    assert entry(world.look(), "a").drafts[0].problems == ()


# What the inventory branch lacks

WEB = f"{DEV[1:]}.yaml"


def warnings(world: Following, code: str = "a") -> list[list[Code]]:
    """The warnings of each version of a workflow, lowest first; all of them are valid."""
    found = entry(world.look(), code).versions
    assert all(one.valid for one in found)
    assert all(problem.severity is Severity.WARNING for one in found for problem in one.problems)
    return [[problem.code for problem in one.problems] for one in found]


def test_a_version_that_the_inventory_branch_cannot_run_is_published_with_a_warning(world: Following) -> None:
    """`R28`: it is shown with the version, also after a restart, and recorded once."""
    commit = world.release("v1", a=GOOD, b="steps: [{type: wait}]")
    head = world.repository.commit({WEB: None, "projects/p/workflows/a.yaml": None})

    assert warnings(world) == [[Code.UNKNOWN_TARGET]]
    assert warnings(world, "b") == [[]]
    assert world.ledger()["a@1"] == ("v1", commit)
    (told,) = world.events("version_lacking")
    assert told.startswith(f"{path('a')} 1 could not be run at {head[:12]}: ")
    assert DEV in told

    world.restart()

    assert warnings(world) == [[Code.UNKNOWN_TARGET]]
    assert world.events("version_lacking") == [told]


def test_the_warning_goes_when_the_inventory_follows(world: Following) -> None:
    """`R28`: it is about the inventory of now."""
    world.look()
    asset = "template: server\nproperties: {hostname: x}\n"
    new = "projects/p/assets/new.yaml"
    world.repository.write_ref("refs/heads/topic", world.repository.head())
    use = "steps: [{target: /projects/p/assets/new, action: check}]"
    world.repository.tag("p/a/v1", world.repository.commit({new: asset, **files_of(a=use)}, branch="topic"))
    assert warnings(world) == [[Code.UNKNOWN_TARGET]]

    world.repository.commit({new: asset})

    assert warnings(world) == [[]]


def test_the_latest_version_is_warned_about_when_the_inventory_goes_away(world: Following) -> None:
    """`R28`: of those that were there at the start, only that one; it is no publication, so it is not recorded."""
    world.release("v1", a=GOOD)
    world.release("v2", a=GOOD)
    assert warnings(world) == [[], []]

    world.repository.commit({WEB: None})

    assert warnings(world) == [[], [Code.UNKNOWN_TARGET]]
    assert world.events("version_lacking") == []


def test_a_version_that_is_not_the_latest_any_more_is_not_warned_about(world: Following) -> None:
    """`R28`: whether it would plan is not asked any more, so nothing is said about it."""
    world.release("v1", a=GOOD)
    world.look()
    world.repository.commit({WEB: None, **files_of(a="steps: [{type: wait}]")})
    assert warnings(world) == [[Code.UNKNOWN_TARGET]]

    world.repository.tag("v2")

    assert warnings(world) == [[], []]


def test_an_older_version_that_is_published_now_is_warned_about_too(world: Following) -> None:
    """`R28`"""
    commit = world.release("v2", a=GOOD)
    world.repository.commit({WEB: None, **files_of(a="steps: [{type: wait}]")})
    world.repository.tag("v3")
    world.look()

    world.repository.tag("v2.1", commit)

    assert warnings(world) == [[], [Code.UNKNOWN_TARGET], []]
    assert len(world.events("version_lacking")) == 1


def test_a_version_that_takes_its_inventory_from_its_tag_lacks_nothing(world: Following) -> None:
    """`R28`: DESIGN section 3, `inventory: tag`."""
    world.release("v1", a=GOOD)
    world.repository.commit({WEB: None, "pointsman.yaml": "inventory: tag\n"})

    assert warnings(world) == [[]]


# When something goes wrong


def enter(alarms: Alarms, number: int) -> None:
    """So many versions of so many workflows at once."""
    facts = {"version": "1", "shown": "1", "tag": "v1", "tag_object": "o", "commit": "c", "tagger": ""}
    with alarms.transaction():
        for one in range(number):
            alarms.entered(LedgerRow(workflow=path(f"filler{one}"), first_seen=1.0, **facts), at=1.0)


def test_what_could_not_be_recorded_is_not_published_and_is_tried_again(world: Following) -> None:
    """`R112`: the disk is full; all goes on when there is room, although no ref has moved meanwhile."""
    world.look()
    pages = world.database._connection.execute("PRAGMA page_count").fetchone()[0]
    world.database._connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Unavailable):
        enter(world.alarms, 500)
    world.release("v1", a=GOOD)
    long = {f"w{number}": GOOD for number in range(150)}
    world.release("v2", **long)
    with pytest.raises(Unavailable):
        world.look()
    assert world.ledger() == {}
    assert world.readers.ledger == []

    world.database._connection.execute("PRAGMA max_page_count=1000000")

    assert entry(world.look(), "a").latest == "2"
    assert len(world.readers.ledger) == len(world.ledger()) == 152


def test_a_push_is_noticed(world: Following) -> None:
    """INTERFACES, `poll_seconds`: the refs are followed without anybody asking."""
    world.follow(
        world.follower.ready.is_set,
        lambda: world.release("v1", a=GOOD),
        lambda: path("a") in world.follower.catalog.workflows and entry(world.follower.catalog, "a").latest == "1",
    )

    assert list(world.ledger()) == ["a@1"]


def test_a_repository_that_goes_away_is_no_deleted_tag(world: Following) -> None:
    """`R25`: it is said that it could not be looked at; nothing is alarmed, and it is looked at again."""
    world.release("v1", a=GOOD)
    here, away = world.repository.path, world.repository.path.with_name("away.git")

    world.follow(
        world.follower.ready.is_set,
        lambda: here.rename(away),
        lambda: world.follower.trouble,
        lambda: away.rename(here),
        lambda: not world.follower.trouble,
    )

    assert world.told == []
    assert versions(world.look(), "a") == [("1", True)]
