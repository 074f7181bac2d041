"""Hints about refs that may have moved, in a repository that real git writes to."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from fakes.git import Repository
from pointsman.model.problem import NotFound
from pointsman.repo.refs import compare, read_refs
from pointsman.repo.watch import ref_changes

LONG = 60.0
QUIET = 0.35


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A bare repository with one commit on `main`."""
    made = Repository.create(tmp_path / "ops.git", bare=True)
    made.commit({"a": "1"})
    return made


class Hints:
    """The hints of one watcher, awaited one at a time without losing any."""

    def __init__(self, changes: AsyncIterator[None]) -> None:
        self.changes = changes
        self.next: asyncio.Task[None] | None = None

    async def one(self, within: float = 20.0) -> bool:
        """Whether a hint comes in time."""
        if self.next is None:
            self.next = asyncio.ensure_future(anext(self.changes))
        done, _ = await asyncio.wait({self.next}, timeout=within)
        if done:
            self.next.result()
            self.next = None
        return bool(done)

    async def settle(self) -> None:
        """Take hints until none comes for a while."""
        while await self.one(QUIET):
            pass

    async def until(self, condition: Callable[[], bool]) -> None:
        """Take hints until the condition holds after one; fails if hints stop before that."""
        while not condition():
            assert await self.one(), "no hint came, though the refs have changed"

    async def close(self) -> None:
        """Cancel what waits, and close."""
        if self.next is not None:
            self.next.cancel()
            await asyncio.gather(self.next, return_exceptions=True)
        await self.changes.aclose()  # type: ignore[attr-defined]  # it is a generator


def watching(
    path: Path, story: Callable[[Hints], Awaitable[None]], *, poll_seconds: float = LONG, settled: bool = True
) -> None:
    """Tell a story to a watcher, and see that its thread is gone afterwards."""

    async def told() -> None:
        hints = Hints(ref_changes(path, poll_seconds=poll_seconds))
        try:
            if settled:
                await hints.settle()
            await story(hints)
        finally:
            await hints.close()
        assert "ref-watch" not in {thread.name for thread in threading.enumerate()}

    asyncio.run(told())


def test_a_hint_comes_at_once(ops: Repository) -> None:
    """So that whoever follows refs looks at them at the start."""

    async def story(hints: Hints) -> None:
        assert await hints.one()

    watching(ops.path, story, settled=False)


def test_there_must_be_a_repository(tmp_path: Path) -> None:
    """At the start only."""
    with pytest.raises(NotFound):
        watching(tmp_path / "nowhere", Hints.settle)


@pytest.mark.parametrize(
    "command",
    [
        ("branch", "new"),
        ("branch", "a/b/c/d"),
        ("tag", "v1"),
        ("tag", "p/w/v1"),
        ("tag", "-f", "old", "main~0"),
        ("tag", "-d", "old"),
        ("update-ref", "-d", "refs/tags/packed"),
        ("symbolic-ref", "HEAD", "refs/heads/other"),
        ("pack-refs", "--all"),
    ],
)
def test_every_way_a_ref_moves_gives_a_hint(ops: Repository, command: tuple[str, ...]) -> None:
    """Hostile 59: new nested folders and packed refs among them."""
    ops.tag("packed")
    ops.git("pack-refs", "--all")
    ops.tag("old")

    async def story(hints: Hints) -> None:
        ops.git(*command)
        assert await hints.one()

    watching(ops.path, story)


def test_a_push_into_new_nested_folders_is_never_missed(tmp_path: Path, ops: Repository) -> None:
    """Hostile 59: after the last hint the refs are read as they are, push after push."""
    local = Repository.create(tmp_path / "local")
    local.commit({"a": "1"})

    async def story(hints: Hints) -> None:
        before = read_refs(ops.opened)
        for number in range(8):
            name = f"team{number}/deep/er/x"
            await asyncio.to_thread(local.git, "push", "-q", str(ops.path), f"main:{name}", f"main:refs/tags/{name}")
            await hints.until(lambda name=name: name in read_refs(ops.opened).other_tags)  # type: ignore[misc]  # bound now
            after = read_refs(ops.opened, before)
            assert compare(before, after).branches_created == (name,)
            before = after

    watching(ops.path, story)


def test_objects_and_locks_give_no_hint(ops: Repository) -> None:
    """Hostile 60: the watcher would wake for every object of a push."""

    async def story(hints: Hints) -> None:
        ops.git("hash-object", "-w", "--stdin", stdin=b"new")
        (ops.path / "refs/heads/main.lock").write_text("half")
        (ops.path / "packed-refs.lock").write_text("half")
        (ops.path / "HEAD.lock").write_text("half")
        (ops.path / "FETCH_HEAD").write_text("")
        assert not await hints.one(QUIET)

    watching(ops.path, story)


def test_refs_that_are_removed_and_made_again_are_watched_again(ops: Repository) -> None:
    """By a restored backup, say."""

    async def story(hints: Hints) -> None:
        shutil.copytree(ops.path / "refs", ops.path / "saved")
        shutil.rmtree(ops.path / "refs")
        assert await hints.one()
        await hints.settle()
        (ops.path / "saved").rename(ops.path / "refs")
        assert await hints.one()
        await hints.settle()
        ops.git("tag", "v1")
        assert await hints.one()

    watching(ops.path, story)


def test_a_repository_that_is_replaced_as_a_whole_is_watched_again(ops: Repository) -> None:
    """By a rename of its folder, which no event on it tells."""

    async def story(hints: Hints) -> None:
        shutil.copytree(ops.path, ops.path.with_suffix(".new"))
        ops.path.rename(ops.path.with_suffix(".old"))
        ops.path.with_suffix(".new").rename(ops.path)
        assert await hints.one()
        await hints.settle()
        ops.git("tag", "v1")
        assert await hints.one()

    watching(ops.path, story)


def test_without_any_event_the_clock_gives_hints(ops: Repository) -> None:
    """Even while the repository is gone."""

    async def story(hints: Hints) -> None:
        assert await hints.one()
        shutil.rmtree(ops.path)
        for _ in range(5):
            assert await hints.one()

    watching(ops.path, story, poll_seconds=0.05, settled=False)


def test_cancelling_whoever_listens_ends_the_thread(ops: Repository) -> None:
    """Nothing is left behind when the daemon stops."""

    async def listen() -> None:
        async for _ in ref_changes(ops.path, poll_seconds=LONG):
            pass

    async def told() -> None:
        listener = asyncio.create_task(listen())
        await asyncio.wait({listener}, timeout=0.05)
        listener.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listener
        assert "ref-watch" not in {thread.name for thread in threading.enumerate()}

    asyncio.run(told())
