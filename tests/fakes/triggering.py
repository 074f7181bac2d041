"""A follower, an engine and the loop that starts runs by itself, for tests: all real, with a clock set by hand."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from fakes.engines import PATIENCE
from fakes.git import Repository
from fakes.sources import files_of
from pointsman.access.people import Actor, NoDirectory
from pointsman.act.specification import StepLimits
from pointsman.engine.carrier import Surroundings
from pointsman.engine.local import Engine
from pointsman.intake.alarms import Alarms
from pointsman.intake.follow import Follower
from pointsman.intake.followed import Follow
from pointsman.intake.known_verdicts import KnownVerdicts
from pointsman.intake.readers import Readers
from pointsman.intake.schedules import ScheduleLine
from pointsman.intake.start import Starter, Wish
from pointsman.intake.triggers import TriggerLoop
from pointsman.intake.unasked import Outcome, UnaskedRuns
from pointsman.model.event import RunCancelled
from pointsman.model.names import workflow_path
from pointsman.store.database import Database
from pointsman.store.events import EntryFilter, Events
from pointsman.store.runs import RunFilter, RunHeader
from pointsman.store.schedules import TriggerRows
from pointsman.store.verdicts import VerdictRows

WAIT = "steps: [{type: wait, name: Look}]\n"
PUBLISH = "on: {publish: true}\n" + WAIT
HOURLY = "on: {schedule: [{cron: '0 * * * *'}]}\n" + WAIT
MINUTELY = "on: {schedule: [{cron: '* * * * *'}]}\n" + WAIT


def seconds(text: str) -> float:
    """Seconds since 1970 at a moment such as `2026-06-04T12:00Z`."""
    return datetime.fromisoformat(text).timestamp()


class KilledError(BaseException):
    """The daemon dies here."""


class Mortal(UnaskedRuns):
    """Starts runs until it is told when to die: before a run is made, or right after it."""

    death = ""

    async def start(self, actor: Actor, wish: Wish) -> Outcome:
        if self.death == "before":
            raise KilledError
        outcome = await super().start(actor, wish)
        if self.death == "after":
            raise KilledError
        return outcome


class Triggering:
    """A daemon without its web over a repository. It looks, and starts what is due, when it is told to."""

    def __init__(self, made: Repository, *, at: str = "2026-06-04T12:00:30Z") -> None:
        self.repository, self.at = made, seconds(at)
        self._runner = asyncio.Runner()
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()
        self._runner.close()

    def _begin(self) -> None:
        data = self.repository.path.parent / "data"
        self.database = Database(data / "state.db")
        self.log = Events(self.database)
        self.readers = Readers(self.repository.path, "", data)
        around = Surroundings(
            data=data,
            limits=StepLimits(grace_seconds=1),
            external_url="http://127.0.0.1:1",
            boot="boot",
            tree_files=lambda _: (),
        )
        epoch = self.database.new_epoch(self.at, "boot")
        self.engine = Engine(self.database, around, workers=2, epoch=epoch, now=lambda: self.at)
        starter = Starter(self.engine, self.readers, NoDirectory(), lambda: self.follower.catalog)
        self.unasked = Mortal(starter, self.engine, self.log, lambda: self.at)
        self.rows = TriggerRows(self.database)
        self.loop = TriggerLoop(self.rows, self.unasked, lambda: self.follower.catalog, lambda: self.at)
        self.follower = Follower(
            Follow(repository=self.repository.path, inventory_branch="main", poll_seconds=1),
            self.readers,
            Alarms(self.database, self.log),
            KnownVerdicts(VerdictRows(self.database, "test")),
            users=lambda: None,
            now=lambda: self.at,
            on_look=self._looked,
            on_publish=self.loop.published,
        )
        self._runner.run(self._call(self.engine.start))

    async def _looked(self) -> None:
        self.loop.looked()

    async def _call(self, function: Callable[[], Any]) -> Any:
        return function()

    def _end(self) -> None:
        self._runner.run(self._call(self.engine.close))
        self._runner.run(self.readers.close())
        self.database.close()

    def restart(self, at: str = "") -> None:
        """The daemon is gone, and back at this moment; it has not looked yet."""
        self._end()
        self.at = seconds(at) if at else self.at
        self._begin()

    # What happens

    def publish(self, tag: str, **workflows: str) -> None:
        """A tag is pushed whose commit has these workflows by their codes."""
        self.repository.tag(tag, self.repository.commit(files_of(**workflows)))

    def look(self) -> None:
        """One look at the refs, with all that it starts."""
        self._runner.run(self.follower.look())
        self.act()

    def look_while_acting(self) -> None:
        """One look at the refs, while the loop is woken again and again."""
        self._runner.run(self._look_while_acting())

    async def _look_while_acting(self) -> None:
        look = asyncio.create_task(self.follower.look())
        while not look.done():
            await self.loop.act()
            await asyncio.sleep(0)
        await look

    def act(self) -> float | None:
        """Start what is due; how long the loop would sleep then."""
        return self._runner.run(self.loop.act())

    def clock(self, at: str) -> None:
        """It is this moment now, and what is due is started."""
        self.at = seconds(at)
        self.act()

    def dies(self, when: str, at: str) -> None:
        """At this moment something is due, and the daemon is killed over it, before or after the run is made."""
        self.at, self.unasked.death = seconds(at), when
        try:
            self.act()
        except KilledError:
            self.restart()
        else:
            raise AssertionError("nothing was due")

    def end(self, number: int) -> None:
        """Somebody cancels a run, and it has ended."""
        self._runner.run(self.engine.tell(number, RunCancelled(), actor="ann"))
        self._runner.run(self._ended(number))

    async def _ended(self, number: int) -> None:
        with self.engine.feed.following(number) as news:
            async with asyncio.timeout(PATIENCE):
                while self.engine.runs.header(number).finished_at is None:
                    await news.wait()
                    news.clear()

    # What is to be seen

    @property
    def runs(self) -> list[RunHeader]:
        """All runs, oldest first."""
        return self.engine.runs.listed(RunFilter(projects=("p", "q")))[::-1]

    def started(self) -> list[str]:
        """Every run as `workflow@version by whom`, oldest first."""
        return [f"{run.workflow.rsplit('/', 1)[1]}@{run.version} by {run.started_by}" for run in self.runs]

    def due(self) -> list[str]:
        """The times that runs were started for, oldest first."""
        return [str(run.metadata["due_at"]) for run in self.runs]

    def told(self, kind: str) -> list[Mapping[str, Any]]:
        """The bodies of the events of this kind, oldest first."""
        return [one.body for one in reversed(self.log.listed(EntryFilter(projects=("", "p", "q"), type=kind)))]

    def line(self, code: str = "w") -> ScheduleLine:
        """The one schedule of a workflow as it is shown."""
        (line,) = [one for one in self.loop.schedules.lines() if one.row.workflow == workflow_path("p", code)]
        return line
