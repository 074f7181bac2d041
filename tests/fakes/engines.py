"""An engine without a daemon, for tests: a real database, real supervisors and processes, a clock that is set by hand.

Between two calls of a test nothing happens: the event loop runs only while the test waits for something.
"""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from fakes.trees import tree
from pointsman.access.people import Actor, NoDirectory
from pointsman.act.specification import StepLimits
from pointsman.engine.carrier import Surroundings
from pointsman.engine.decide import Gates, Verdict
from pointsman.engine.local import Engine
from pointsman.model.definition import Concurrency, Kind, OnNew
from pointsman.model.event import Input, RunCancelled
from pointsman.model.inventory import Policy
from pointsman.model.names import SYSTEM
from pointsman.model.plan import Content, Phase, Plan
from pointsman.model.run import Decision, DecisionWord, Row
from pointsman.model.wire import plan_digest
from pointsman.store.database import Database
from pointsman.store.events import Entry, Events
from pointsman.store.runs import NewRun, RunHeader

T = TypeVar("T")
PATIENCE = 60.0
LOOK = 0.05
START = 1_800_000_000.0
TARGET = "/projects/p/environments/e/assets/"


def runnable(
    notation: str,
    scripts: Mapping[str, str] | None = None,
    *,
    on: Mapping[str, str] | None = None,
    workflow: str = "w",
    limit: int = 1,
    on_new: OnNew = OnNew.QUEUE,
    exclusive: bool = True,
) -> Plan:
    """The plan of a line of the notation whose changes run shell scripts (by the steps' names; `:` without one).

    Every change has the action `act` on a target of its own name, or on the one that `on` gives it.
    """
    plan = tree(notation)
    path = f"/projects/p/workflows/{workflow}"
    contents: dict[str, Content] = {}
    steps = []
    for step in plan.steps:
        if step.kind is Kind.CHANGE:
            target = TARGET + (on or {}).get(step.name, step.name.replace("_", "-"))
            phase = Phase(name="act", script=(scripts or {}).get(step.name, ":"))
            contents[step.key] = Content(
                target=target, action="act", tree="", phases=(phase,), properties={}, exclusive=exclusive
            )
            step = replace(step, target=target, action="act", content=step.key)  # noqa: PLW2901 - the step, filled in
        steps.append(step)
    plan = replace(
        plan,
        workflow=path,
        pinned=(replace(plan.pinned[0], path=path),),
        steps=tuple(steps),
        contents=contents,
        concurrency=Concurrency(limit=limit, on_new=on_new),
    )
    return replace(plan, digest=plan_digest(plan))


class Playing:
    """One engine over a data directory, which the next one may take over. Leaving it is the daemon's end."""

    def __init__(self, data: Path, *, workers: int = 2, at: float = START, grace: float = 10) -> None:
        self.data, self.at = data, at
        self.database = Database(data / "state.db")
        self.events = Events(self.database)
        around = Surroundings(
            data=data,
            limits=StepLimits(grace_seconds=grace),
            external_url="http://127.0.0.1:1",
            boot="boot",
            tree_files=lambda _: (),
        )
        epoch = self.database.new_epoch(at, "boot")
        self.engine = Engine(self.database, around, workers=workers, epoch=epoch, now=lambda: self.at)
        self.gates = Gates(self.engine, NoDirectory())
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self.call(self.engine.start)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._runner:
            self.call(self.engine.drain)
            self.call(self.engine.close)
        self.database.close()

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What something on the event loop comes to."""
        return self._runner.run(coroutine)

    def call(self, function: Callable[[], T]) -> T:
        """What a function that needs the event loop returns."""

        async def called() -> T:
            return function()

        return self.do(called())

    # What people do

    def new(self, plan: Plan | str, *, run_id: str = "", by: str = "ann") -> NewRun:
        """A run to create."""
        plan = runnable(plan) if isinstance(plan, str) else plan
        return NewRun(id=run_id or uuid.uuid4().hex, plan=plan, started_by=by, created_at=self.at, metadata={})

    def create(self, plan: Plan | str, *, skip: tuple[str, ...] = (), run_id: str = "", by: str = "ann") -> int:
        """The number of a new run."""
        return self.do(self.engine.create(self.new(plan, run_id=run_id, by=by), skip)).number

    def tell(self, number: int, event: Input, *, by: str = SYSTEM) -> None:
        """Tell a run something."""
        self.do(self.engine.tell(number, event, actor=by))

    def cancel(self, number: int, *, by: str = "ann") -> None:
        """Somebody cancels a run."""
        self.tell(number, RunCancelled(), by=by)

    def decide(
        self,
        number: int,
        key: str,
        decision: DecisionWord,
        *,
        by: str = "ann",
        policy: Policy | None = None,
        **more: Any,
    ) -> Decision:
        """Somebody decides a gate."""
        return self.do(self.deciding(number, key, decision, by=by, policy=policy, **more))

    async def deciding(
        self,
        number: int,
        key: str,
        decision: DecisionWord,
        *,
        by: str = "ann",
        policy: Policy | None = None,
        **more: Any,
    ) -> Decision:
        """The same, to be awaited beside others."""
        gate = self.gates.find(self.engine.runs.header(number), key)
        verdict = Verdict(decision=decision, **more)
        return await self.gates.decide(gate, Actor(by, "local"), verdict, policy or Policy())

    # What is to be seen

    def header(self, number: int) -> RunHeader:
        """The run as it is written."""
        return self.engine.runs.header(number)

    def row(self, number: int, key: str) -> Row:
        """A step as it is written, by its key."""
        plan = self.engine.runs.plan(self.header(number).plan_digest)
        return self.engine.runs.rows(number).get(plan.index[key], Row())

    def states(self, number: int, keys: str) -> str:
        """The states of these steps as they are written, in one line like their keys."""
        return " ".join(self.row(number, key).state.value for key in keys.split())

    def record(self, number: int) -> list[Entry]:
        """The run's log."""
        return self.events.of_run(number)

    def until(self, what: Callable[[], T], words: str) -> T:
        """The first true value of `what`, looked at whenever something was committed, and now and then besides."""

        async def waited() -> T:
            with self.engine.feed.following(None) as news:
                async with asyncio.timeout(PATIENCE):
                    while not (value := what()):
                        with suppress(TimeoutError):
                            await asyncio.wait_for(news.wait(), LOOK)
                        news.clear()
            return value

        try:
            return self.do(waited())
        except TimeoutError:
            raise AssertionError(f"{words} did not happen") from None

    def reach(self, number: int, *states: str) -> str:
        """The run's state once it is one of these."""
        self.until(lambda: self.header(number).state in states, f"run {number} in {' or '.join(states)}")
        return self.header(number).state.value

    def reach_step(self, number: int, key: str, state: str) -> None:
        """Wait until a step is in this state."""
        self.until(lambda: self.row(number, key).state == state, f"step {key} of run {number} in {state}")
