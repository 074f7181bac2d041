"""What the next turn of the engine is told, and who waits to hear what came of it."""

import asyncio
from collections import deque
from dataclasses import dataclass

from pointsman.model.event import Told
from pointsman.model.problem import PointsmanError
from pointsman.store.runs import NewRun


@dataclass(slots=True)
class News:
    """Something told to a run, or (`new`) a run to create. `answer` hears what came of it; `last`: it is dropped if
    it fails again.
    """

    told: Told
    run: int = 0
    new: NewRun | None = None
    skip: tuple[str, ...] = ()
    answer: "asyncio.Future[int] | None" = None
    last: bool = False

    def settle(self, answer: int | PointsmanError) -> None:
        """Tell whoever waits, once."""
        if self.answer is None or self.answer.done():
            return
        if isinstance(answer, PointsmanError):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class Inbox:
    """News in the order in which it came."""

    def __init__(self) -> None:
        self._news: list[News] = []
        self._suspects: deque[News] = deque()

    def __bool__(self) -> bool:
        return bool(self._news or self._suspects)

    def put(self, news: News) -> None:
        """One more for the next turn."""
        self._news.append(news)

    def put_back(self, news: list[News]) -> None:
        """What a turn could not write comes first in the next one."""
        self._news[:0] = news

    def suspect(self, news: list[News]) -> None:
        """One of these broke a turn: each of them has the next turns for itself, so that the others go on."""
        self._suspects.extend(news)

    def take(self) -> list[News]:
        """What the next turn is told."""
        if self._suspects:
            return [self._suspects.popleft()]
        taken, self._news = self._news, []
        return taken
