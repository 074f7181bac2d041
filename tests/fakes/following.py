"""A follower for tests: real readers, a real ledger, and no daemon; it looks when it is told to."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

from fakes.git import Repository
from fakes.sources import DEV, files_of
from pointsman.intake.alarms import Alarms
from pointsman.intake.catalog import Catalog, WorkflowEntry
from pointsman.intake.follow import Follower
from pointsman.intake.followed import Follow
from pointsman.intake.known_verdicts import KnownVerdicts
from pointsman.intake.readers import Readers
from pointsman.intake.reading import PlanQuestion
from pointsman.intake.verdict import Verdict
from pointsman.plan.planner import Planned
from pointsman.store.database import Database
from pointsman.store.events import EntryFilter, Events
from pointsman.store.verdicts import VerdictRows

GOOD = f"steps: [{{target: {DEV}, action: check}}]"
BAD = "steps: [{target: /projects/p/assets/gone, action: check}]"


def path(code: str) -> str:
    """The path of a workflow of `p`."""
    return f"/projects/p/workflows/{code}"


def call(code: str, more: str = "") -> str:
    """A workflow that calls another."""
    return f"steps: [{{type: workflow, target: {path(code)}{more}}}]"


class NotedReaders(Readers):
    """Readers that note which commits they were asked about."""

    def __init__(self, repository: Path, root: str, data: Path) -> None:
        super().__init__(repository, root, data)
        self.judged: list[str] = []

    async def verdict(
        self, commit: str, *, publishes: Mapping[str, str] | None = None, users: tuple[str, ...] | None = None
    ) -> Verdict:
        """The verdict, and a note."""
        self.judged.append(commit)
        return await super().verdict(commit, publishes=publishes, users=users)


class Following:
    """A follower over a repository, which looks when it is told to, and can be started again on what is left."""

    def __init__(self, made: Repository) -> None:
        self.repository = made
        self._runner = asyncio.Runner()
        self._clock = count(1)
        self.looks = 0
        self.users: tuple[str, ...] | None = None
        self._begin()

    def _begin(self, validator: str = "test") -> None:
        data = self.repository.path.parent / "data"
        self.database = Database(data / "state.db")
        self.log = Events(self.database)
        self.alarms = Alarms(self.database, self.log)
        self.rows = VerdictRows(self.database, validator)
        self.readers = NotedReaders(self.repository.path, "", data)
        self.follower = Follower(
            Follow(repository=self.repository.path, inventory_branch="main", poll_seconds=0.05),
            self.readers,
            self.alarms,
            KnownVerdicts(self.rows),
            users=lambda: self.users,
            now=lambda: float(next(self._clock)),
            on_look=self._looked,
        )

    async def _looked(self) -> None:
        self.looks += 1

    def look(self) -> Catalog:
        """The catalog after one look."""
        self._runner.run(self.follower.look())
        return self.follower.catalog

    def restart(self, validator: str = "test") -> None:
        """The daemon ends and starts again, perhaps as another version of it."""
        self._runner.run(self.readers.close())
        self.database.close()
        self._begin(validator)

    def close(self) -> None:
        """End everything."""
        with self._runner:
            self._runner.run(self.readers.close())
        self.database.close()

    def follow(self, *moments: Callable[[], object]) -> None:
        """Follow the refs as the daemon does until each of these has given something true, one after another."""

        async def following() -> None:
            running = asyncio.create_task(self.follower.run())
            async with asyncio.timeout(30):
                for moment in moments:
                    while not moment():  # noqa: ASYNC110 - a look that fails tells nobody
                        await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        self._runner.run(following())

    def planned(self, code: str) -> Planned:
        """What a reader makes of the latest version of a workflow."""
        question = PlanQuestion(workflow=path(code), inventory=self.repository.head())
        return self._runner.run(self.readers.plan(question))

    def release(self, tag: str, **workflows: str) -> str:
        """The commit of a tag that is pushed with it."""
        commit = self.repository.commit(files_of(**workflows))
        self.repository.tag(tag, commit)
        return commit

    def judged(self) -> list[str]:
        """The commits that readers were asked about since this was last asked."""
        found, self.readers.judged = self.readers.judged, []
        return found

    def move(self, tag: str, commit: str) -> None:
        """Push a tag again at another commit."""
        self.repository.delete_tag(tag)
        self.repository.tag(tag, commit)

    def ledger(self) -> dict[str, tuple[str, str]]:
        """Tag and commit of every version, by `code@version`."""
        return {
            f"{row.workflow.rsplit('/', 1)[1]}@{row.version}": (row.tag, row.commit)
            for row in self.alarms.ledger.rows()
        }

    def events(self, *kinds: str) -> list[str]:
        """What was recorded, oldest first: what an alarm says, or which version was published."""
        found = self.log.listed(EntryFilter(projects=("", "p")))
        return [
            str(one.body.get("says") or f"{one.body['workflow']}@{one.body['version']}")
            for one in reversed(found)
            if one.type in kinds
        ]

    @property
    def told(self) -> list[str]:
        """Every alarm there was an event for."""
        return self.events("tag_moved", "tag_deleted", "version_conflict")


def versions(catalog: Catalog, code: str) -> list[tuple[str, bool]]:
    """The versions of a workflow as their tags wrote them, lowest first, and whether they are valid."""
    return [(one.shown, one.valid) for one in entry(catalog, code).versions]


def entry(catalog: Catalog, code: str) -> WorkflowEntry:
    """A workflow of the catalog."""
    return catalog.workflows[path(code)]
