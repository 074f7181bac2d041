"""Runs put into a database as the engine puts them: created, told, and saved in one transaction."""

from collections.abc import Mapping
from pathlib import Path

from fakes.worlds import World
from pointsman.model.event import Told
from pointsman.model.values import Json
from pointsman.run.advance import advance
from pointsman.run.tree import Run
from pointsman.store.database import Database
from pointsman.store.events import Events
from pointsman.store.runs import Change, NewRun, Runs


class Store:
    """A database with everything that reads and writes it."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.runs = Runs(self.database)
        self.events = Events(self.database)

    def close(self) -> None:
        """Close it."""
        self.database.close()

    def create(
        self,
        world: World,
        *,
        name: str = "r1",
        by: str = "ann",
        at: float = 10.0,
        metadata: Mapping[str, Json] | None = None,
    ) -> int:
        """The number of a new run with all that has happened in this world so far."""
        new = NewRun(id=name, plan=world.plan, started_by=by, created_at=at, metadata=dict(metadata or {}))
        with self.database.transaction():
            number = self.runs.create(new)
            self.save(world, number)
        return number

    def save(self, world: World, number: int, *, read_seq: int = 0) -> None:
        """Write what has happened in a world after a sequence number."""
        with self.database.transaction():
            self.runs.save(news(world, number, read_seq=read_seq), world.plan)

    def read(self, number: int) -> Run:
        """A run as a new daemon reads it."""
        header = self.runs.header(number)
        return Run(self.runs.plan(header.plan_digest), self.runs.rows(number), seq=header.seq)


def news(world: World, number: int, *, read_seq: int = 0) -> Change:
    """What has happened in a world after a sequence number, as it is saved."""
    return Change(
        number=number,
        read_seq=read_seq,
        seq=world.run.seq,
        state=world.run.state,
        at=world.at,
        records=[record for record in world.records if record.seq > read_seq],
        rows=sorted(world.run.rows.items()),
    )


def replayed(run: Run, inputs: list[Told]) -> Run:
    """A run that was told all of this."""
    for told in inputs:
        advance(run, told)
    return run
