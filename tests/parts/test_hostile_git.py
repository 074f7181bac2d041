"""Damage and bombs in a repository, met by the real readers and the real follower: a verdict, and never the end."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import flips
from fakes.following import GOOD, Following, call, entry, path, versions
from fakes.git import Repository
from fakes.hostile import delta_bomb
from fakes.sources import files_of, repository
from pointsman.intake import follow
from pointsman.intake import readers as reader_pool
from pointsman.intake.catalog import Catalog
from pointsman.intake.readers import Readers
from pointsman.intake.verdict import Verdict
from pointsman.model.problem import Code

MUTATIONS = 300
MIB = 1024 * 1024
BOMB = f"{GOOD}\n# a file of its own\n".encode()


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    """A repository with one good workflow."""
    return repository(tmp_path / "ops.git", deploy=GOOD)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Following]:
    """A repository with an inventory, and a follower."""
    following = Following(repository(tmp_path / "ops.git"))
    yield following
    following.close()


def verdicts(made: Repository, *commits: str, cpu_seconds: int = 8) -> list[Verdict]:
    """What readers think of commits, one after another."""

    async def asked() -> list[Verdict]:
        readers = Readers(made.path, "", made.path.parent / "data", cpu_seconds=cpu_seconds)
        try:
            return [await readers.verdict(commit) for commit in commits]
        finally:
            await readers.close()

    return asyncio.run(asked())


def limits(found: Verdict) -> list[str]:
    """What the reader's limits say of a commit."""
    return [problem.says for problem in found.problems if problem.code is Code.READER_LIMIT]


def with_workflows(made: Repository, *ids: str) -> str:
    """A commit whose only files are workflows with these contents."""
    workflows = made.write_tree(*(("100644", b"w%d.yaml" % number, one) for number, one in enumerate(ids)))
    return made.commit_project(("40000", b"workflows", workflows))


# Damage


def judged(repository: Path, folder: Path, start: int) -> dict[int, str]:
    """What became of every mutation from this number on, as far as the process lived."""
    command = [sys.executable, flips.__file__, str(repository), str(folder), str(start), str(MUTATIONS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = {}
    for line in done.stdout.splitlines():
        number, _, outcome = line.partition(" ")
        found[int(number)] = outcome or "died"
    assert done.returncode <= 0, done.stderr
    return found


def test_damage_in_packs_and_indexes_never_changes_a_verdict(made: Repository) -> None:
    """Hostile 53: what libgit2 dies of is a verdict too, given by a reader that is replaced."""
    made.git("repack", "-a", "-d", "-q")
    made.git("pack-refs", "--all")
    folder = made.path.parent
    found: dict[int, str] = {}
    while len(found) < MUTATIONS:
        found |= judged(made.path, folder, len(found))

    assert "WRONG" not in found.values()
    assert list(found.values()).count("told") > MUTATIONS // 2
    for number in (number for number, outcome in found.items() if outcome == "died"):
        (folder / f"{number}.git").rename(folder / "dead.git")
        (answer,) = verdicts(Repository(folder / "dead.git"), made.head())
        assert not answer.valid or answer == verdicts(made, made.head())[0]
        (folder / "dead.git").rename(folder / "buried.git")
        break


# Bombs


def test_a_small_file_that_is_a_change_to_600_mib_is_beyond_the_readers_memory(made: Repository) -> None:
    """Hostile 44, 192: its header says 50 bytes; whoever reads it makes 600 MiB of zeros first."""
    good = made.head()
    bomb = with_workflows(made, *delta_bomb(made, 600 * MIB, BOMB))

    found, after = verdicts(made, bomb, good)

    assert limits(found) == ["the reader hit its limit: it took too much memory"]
    assert after.valid


def test_an_object_that_never_ends_is_beyond_the_readers_patience(
    made: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hostile 192: a pipe in the place of a file takes no memory and no processor time."""
    good, blob = made.head(), "ab" + "2" * 38
    (made.path / "objects" / "ab").mkdir(exist_ok=True)
    os.mkfifo(made.path / "objects" / "ab" / blob[2:])

    with monkeypatch.context() as patch:
        patch.setattr(reader_pool, "WALL_SECONDS", 1.0)
        (found,) = verdicts(made, with_workflows(made, blob))

    assert limits(found) == ["the reader hit its limit: it took more than 1 s"]
    assert verdicts(made, good)[0].valid


# Many at once


class Slow(Following):
    """A follower whose first look does not end before it may."""

    def __init__(self, made: Repository) -> None:
        self.may_end = asyncio.Event()
        super().__init__(made)

    async def _looked(self) -> None:
        await super()._looked()
        await self.may_end.wait()


def test_pushes_while_a_look_is_under_way_cost_one_look_and_no_tag_is_skipped(tmp_path: Path) -> None:
    """Hostile 190: two hundred updates of a branch, and a hundred tags."""
    world = Slow(repository(tmp_path / "ops.git", a=GOOD))
    commit = world.repository.head()

    def pushed() -> bool:
        if world.looks == 1:
            for number in range(100):
                world.repository.write_ref(f"refs/tags/p/a/v{number}", commit)
                world.repository.write_ref("refs/heads/busy", world.repository.head() if number % 2 else commit)
            world.may_end.set()
        return world.may_end.is_set()

    try:
        world.follow(pushed, lambda: len(world.ledger()) == 100)
        assert world.looks <= 4
        assert set(world.ledger()) == {f"a@{number}" for number in range(100)}
    finally:
        world.close()


def test_branches_that_take_everything_hold_up_no_tag(world: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hostile 192: what is pushed while one is judged is shown before all of them are."""
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", 0.3)
    good = world.repository.commit(files_of(a=GOOD))
    (bomb,) = delta_bomb(world.repository, 600 * MIB, BOMB)
    for number in range(3):
        world.repository.write_ref(f"refs/heads/z{number}", with_workflows(world.repository, *[bomb] * (number + 1)))
    world.repository.write_ref("refs/heads/main", good)
    pushed: list[str] = []

    def tagged() -> bool:
        """The first bomb has gone off: a tag is pushed."""
        if world.follower.catalog.unusable and not pushed:
            pushed.append("p/a/v1")
            world.repository.write_ref("refs/tags/p/a/v1", good)
        return bool(pushed)

    world.follow(tagged, lambda: "p/a/v1" in str(world.follower.catalog.workflows))

    assert versions(world.follower.catalog, "a") == [("1", True)]
    assert not world.follower.ready.is_set()
    world.follow(world.follower.ready.is_set)
    assert sorted(name for name in world.follower.catalog.unusable) == [f"refs/heads/z{number}" for number in range(3)]


def test_what_was_thought_of_commits_that_no_ref_names_any_more_is_forgotten(world: Following) -> None:
    """Hostile 190: however many pushes there are, the daemon does not grow with them."""
    for number in range(20):
        world.repository.commit(files_of(a=f"{GOOD}\n# {number}\n"), branch="busy")
        world.look()

    assert len(world.follower._known._known) == len(world.follower.catalog.branches) == 2


# Cycles


def test_two_tags_that_close_a_cycle_when_they_come_together_are_refused_when_run(world: Following) -> None:
    """Hostile 182, `R44`: each is good with the other as it stands at its own commit; "latest" makes the cycle."""
    first = world.repository.commit(files_of(a=call("b"), b=GOOD))
    second = world.repository.commit(files_of(a=GOOD, b=call("a")))
    world.repository.tag("p/a/v1", first)
    world.repository.tag("p/b/v1", second)

    catalog: Catalog = world.look()
    found = world.planned("a")

    assert {code: entry(catalog, code).latest for code in "ab"} == {"a": "1", "b": "1"}
    assert found.plan is None
    assert [problem.code for problem in found.problems] == [Code.CYCLE]
    assert "p/a@1 → p/b@1 → p/a@1" in found.problems[0].says
    assert path("a") in catalog.workflows


def test_two_tags_at_one_commit_that_call_one_another_are_no_versions(world: Following) -> None:
    """Hostile 182, `R44`: directly, and through "latest"."""
    commit = world.repository.commit(files_of(a=call("b"), b=call("a")))
    for tag in ("p/a/v1", "p/b/v1", "v2"):
        world.repository.tag(tag, commit)

    catalog = world.look()

    assert world.ledger() == {}
    assert {shown for code in "ab" for shown in versions(catalog, code)} == {("1", False), ("2", False)}
    assert all(
        Code.CYCLE in {problem.code for problem in one.problems}
        for code in "ab"
        for one in entry(catalog, code).versions
    )
