"""Timers that are rows: one sleep until the first of them is due, whatever their number."""

import asyncio
from collections.abc import Callable

from pointsman.model.problem import Unavailable
from pointsman.store.runs import Runs

LONGEST_SLEEP = 10.0


class Timers:
    """Calls `fire(due, run, step)` for each timer that is due. `now` gives seconds since 1970 in UTC."""

    def __init__(self, runs: Runs, now: Callable[[], float], fire: Callable[[float, int, int], None]) -> None:
        self._runs, self._now, self._fire = runs, now, fire
        self._handle: asyncio.TimerHandle | None = None

    def arm(self) -> None:
        """Sleep until the first timer is due, and never long: the clock of the machine may be set."""
        self.stop()
        try:
            first = self._runs.due(1)
        except Unavailable:
            first = [(self._now() + LONGEST_SLEEP, 0, 0)]
        if first:
            delay = min(max(0.0, first[0][0] - self._now()), LONGEST_SLEEP)
            self._handle = asyncio.get_running_loop().call_later(delay, self._wake)

    def stop(self) -> None:
        """Call nobody any more until armed again."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _wake(self) -> None:
        self._handle = None
        now = self._now()
        try:
            due = [timer for timer in self._runs.due() if timer[0] <= now]
        except Unavailable:
            due = []
        for at, run, step in due:
            self._fire(at, run, step)
        if not due:
            self.arm()
