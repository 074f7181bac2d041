"""News that something was committed, for those who follow it live: a hint to look at the store, never the content."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Feed:
    """Followers of single runs, and of everything."""

    def __init__(self) -> None:
        self._followers: dict[int | None, set[asyncio.Event]] = {}

    def tell(self, run: int | None) -> None:
        """Something about this run (None: about something else) was committed."""
        for key in {run, None}:
            for follower in self._followers.get(key, ()):
                follower.set()

    @contextmanager
    def following(self, run: int | None) -> Iterator[asyncio.Event]:
        """An event that is set at each news; the follower clears it before it looks."""
        news = asyncio.Event()
        self._followers.setdefault(run, set()).add(news)
        try:
            yield news
        finally:
            followers = self._followers[run]
            followers.discard(news)
            if not followers:
                del self._followers[run]

    def wake_all(self) -> None:
        """The daemon stops: every follower looks once more and ends."""
        for followers in self._followers.values():
            for follower in followers:
                follower.set()
