"""Verdicts over a restart: what is believed, what is judged again, and what happens where they cannot be stored."""

import asyncio
import contextlib
import logging
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.following import BAD, GOOD, Following, call, entry, path, versions
from fakes.sources import files_of, repository
from pointsman.intake.judging import EVERY_NAME
from pointsman.intake.known_verdicts import KnownVerdicts
from pointsman.intake.validator import CODE, PACKAGES, validator_id
from pointsman.intake.verdict import Verdict, WorkflowVerdict
from pointsman.model.problem import Code, Place, Problem
from pointsman.model.values import digest
from pointsman.store.database import Database
from pointsman.store.verdicts import VerdictRows

COMMIT = "c" * 40
ODD = "Grüße \ud800\n\x00"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Following]:
    """A repository with an inventory, and nothing in it that could be run."""
    following = Following(repository(tmp_path / "ops.git"))
    yield following
    following.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A state of its own."""
    opened = Database(tmp_path / "state.db")
    yield opened
    opened.close()


def remembered(database: Database, *verdicts: tuple[str, Verdict], validator: str = "1") -> KnownVerdicts:
    """What a start finds after a look that thought this of commits."""
    before = KnownVerdicts(VerdictRows(database, validator))
    before.begin(users=None, tags="tags")
    for commit, verdict in verdicts:
        before.standing(commit, {})
        before.add(commit, {}, verdict)
    asyncio.run(before.finish())
    return restarted(database, validator)


def restarted(database: Database, validator: str = "1", *, tags: str = "tags") -> KnownVerdicts:
    """What a start finds."""
    known = KnownVerdicts(VerdictRows(database, validator))
    known.begin(users=None, tags=tags)
    return known


def broken(code: Code) -> Verdict:
    """A commit with one problem."""
    return Verdict(others=(Problem(place=Place("."), code=code, says="No."),))


# Over a restart


def test_a_restart_judges_nothing_again_and_shows_the_same(world: Following) -> None:
    """Issue 3: a verdict is cached by content and by the validator's version."""
    world.release("v1", a=GOOD, b=BAD, c=call("a"))
    world.repository.commit(files_of(a=f"description: {GOOD[:9]!r}\n{GOOD}", d=call("nowhere")))
    before = world.look()
    assert len(world.judged()) >= 2

    world.restart()

    assert world.look().workflows == before.workflows
    assert world.judged() == []


def test_another_validator_believes_nothing(world: Following) -> None:
    """Issue 3: and what it finds itself takes the place of what was found before."""
    commit = world.release("v1", a=GOOD)
    world.look()

    world.restart("another")
    world.look()
    assert set(world.judged()) == {commit}

    world.restart("another")
    world.look()
    assert world.judged() == []


def test_a_push_after_a_restart_is_judged_alone(world: Following) -> None:
    """R20: what was known stays known, and what is new is entered."""
    world.release("v1", a=GOOD)
    world.look()
    world.restart()

    commit = world.release("v2", a=GOOD, b=GOOD)

    assert versions(world.look(), "a") == [("1", True), ("2", True)]
    assert set(world.judged()) == {commit}


def test_what_came_while_the_daemon_was_away_counts(world: Following) -> None:
    """`R24`: the draft was stored when its child had no version, and is asked again as soon as it has one."""
    world.repository.commit(files_of(a=call("b"), b=GOOD))
    assert [one.code for one in entry(world.look(), "a").drafts[0].problems] == [Code.UNPUBLISHED]

    world.repository.tag("p/b/v1")
    world.restart()

    assert entry(world.look(), "a").drafts[0].problems == ()


def test_what_no_look_asks_for_is_forgotten(world: Following) -> None:
    """The table holds what the refs hold."""
    topic = world.repository.commit(files_of(a=GOOD))
    world.repository.write_ref("refs/heads/topic", topic)
    main = world.repository.commit(files_of(a=BAD))
    world.look()
    assert world.rows.names() == {(topic, ""), (main, "")}

    world.repository.opened.references.delete("refs/heads/topic")
    world.look()

    assert world.rows.names() == {(main, "")}


def test_what_could_not_be_read_is_asked_again(world: Following) -> None:
    """`PM050`: objects may come back."""
    world.repository.commit_tree("1" * 40, branch="missing")
    world.look()
    world.judged()

    world.restart()
    world.look()

    assert world.judged() == [world.repository.head("missing")]


@pytest.mark.parametrize("code", [Code.READER_LIMIT, Code.BAD_REF])
def test_bad_luck_is_not_stored(database: Database, code: Code) -> None:
    """DESIGN section 4: such a verdict is never cached over a restart; until then it is known."""
    known = remembered(database, (COMMIT, broken(code)))

    assert known.standing(COMMIT, {}) is None
    assert VerdictRows(database, "1").names() == set()


def test_what_was_good_and_then_was_too_much_is_not_in_the_store_either(database: Database) -> None:
    """DESIGN section 4."""
    known = remembered(database, (COMMIT, Verdict(by_tags=True)))
    known.begin(users=None, tags="others")
    assert known.standing(COMMIT, {}) is None
    known.add(COMMIT, {}, broken(Code.READER_LIMIT))
    asyncio.run(known.finish())

    assert known.last(COMMIT) == broken(Code.READER_LIMIT)
    assert VerdictRows(database, "1").names() == set()


def test_every_part_of_a_verdict_survives(database: Database) -> None:
    """Also text that is no Unicode, and line breaks, which part the rows."""
    problem = Problem(place=Place("a.yaml", line=3, column=4), code=Code.SYNTAX, says=ODD, hint=ODD)
    facts = WorkflowVerdict(valid=False, file=ODD, name=ODD, variables=(ODD,), inputs={ODD: [ODD]}, problems=(problem,))
    verdict = Verdict(others=(problem,), workflows={ODD: facts}, calls=(ODD,), by_tags=True, ground="g")

    assert remembered(database, (COMMIT, verdict)).standing(COMMIT, {}) == verdict


# What a verdict depends on


def test_a_verdict_stands_until_what_it_depends_on_is_another(database: Database) -> None:
    """`R24`: versions of the workflows that were looked for; names, if all were gone through; tags; users."""
    verdicts = {
        "alone": Verdict(),
        "calls": Verdict(calls=(path("b"),)),
        "names": Verdict(calls=(EVERY_NAME,)),
        "tags": Verdict(by_tags=True),
    }
    known = remembered(database, *verdicts.items())

    def standing(**look: object) -> set[str]:
        known.begin(users=("ann",) if look.get("users") else None, tags=str(look.get("tags", "tags")))
        return {name for name in verdicts if known.standing(name, {}) is not None}

    assert standing() == set(verdicts)
    assert standing(tags="others") == {"alone", "calls", "names"}
    assert standing(users=True) == set()
    known.published([path("a")])
    assert standing() == {"alone", "calls", "tags"}
    known.published([path("b"), path("b")])
    assert standing() == {"alone", "tags"}
    known.begin(users=None, tags="others")
    assert known.standing("tags", {}, entered=True) is not None


# Damage


@pytest.mark.parametrize(
    "body", [b"", b"\x00", zlib.compress(b"{"), zlib.compress(b"[1]"), zlib.compress(b'{}\n["x"]')]
)
def test_a_damaged_row_is_ignored_and_replaced(world: Following, body: bytes) -> None:
    """Nothing that is stored may keep a look from ending."""
    world.release("v1", a=GOOD)
    before = world.look()
    world.database._connection.execute("UPDATE verdicts SET body = ?", (body,))
    world.restart()

    assert world.look().workflows == before.workflows
    assert world.judged() != []
    world.restart()
    world.look()
    assert world.judged() == []


def fill(database: Database) -> None:
    """Let the disk be full, to the last hundred bytes."""
    connection = database._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    with contextlib.suppress(sqlite3.OperationalError):
        for _ in range(1_000):
            connection.execute("INSERT INTO facts (name, value) VALUES (hex(randomblob(50)), '')")


def test_a_verdict_that_cannot_be_stored_is_used_all_the_same(
    world: Following, caplog: pytest.LogCaptureFixture
) -> None:
    """`R112`: a full disk keeps no look from ending; it is said once, and put right when there is room."""
    world.look()
    fill(world.database)
    with caplog.at_level(logging.WARNING):
        for number in (100, 200):
            texts = {f"w{one}": f"name: {digest(one)}\n{GOOD}" for one in range(number)}
            world.repository.commit(files_of(**texts))
            assert entry(world.look(), f"w{number - 1}").drafts[0].valid
    assert len([one for one in caplog.messages if "not kept over a restart" in one]) == 1
    assert world.rows.names() != {(world.repository.head(), "")}

    world.database._connection.execute("PRAGMA max_page_count=1000000")
    world.repository.commit(files_of(b=GOOD))
    world.look()

    assert world.rows.names() == {(world.repository.head(), "")}


# Costs


def test_a_new_version_has_no_entered_tag_judged_again(world: Following) -> None:
    """5,000 tags must not be judged again for each new version; a draft that calls it is asked again."""
    world.release("p/b/v1", b=GOOD)
    released = world.release("p/a/v1", a=call("b"))
    draft = world.repository.commit(files_of(a=f"name: New\n{call('b')}"))
    world.look()
    world.judged()

    second = world.release("p/b/v2", b=f"name: Two\n{GOOD}")
    world.repository.write_ref("refs/heads/topic", draft)
    world.look()

    assert released not in world.judged()
    assert second in {row.commit for row in world.alarms.ledger.rows()}


def test_a_look_that_finds_nothing_new_writes_nothing(world: Following) -> None:
    """One small write for what is new, and none otherwise."""
    world.release("v1", a=GOOD)
    world.look()
    before = world.database._connection.total_changes

    world.repository.commit({}, message="Nothing")
    world.look()
    assert world.database._connection.total_changes - before == 2  # a row more, and one less
    world.restart()
    before = world.database._connection.total_changes
    world.look()

    assert world.database._connection.total_changes == before


# The validator


def test_another_code_or_root_is_another_validator(tmp_path: Path) -> None:
    """Issue 3: by the validator's version."""
    for package in PACKAGES:
        shutil.copytree(CODE / package, tmp_path / package)
    same = validator_id("", code=tmp_path)
    (tmp_path / "plan" / "__pycache__" / "planner.cpython-399.pyc").write_bytes(b"")

    assert validator_id("", code=tmp_path) == same == validator_id("")
    assert validator_id("ops") != same
    with (tmp_path / "plan" / "planner.py").open("a") as file:
        file.write("\n")
    assert validator_id("", code=tmp_path) != same
