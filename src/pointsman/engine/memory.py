"""What the engine holds of the store in memory: runs under way, the queue, who has a worker. Never the only truth."""

import logging

from pointsman.act.paths import AttemptId
from pointsman.engine.turn import lock_of
from pointsman.model.definition import Kind
from pointsman.model.problem import NotFound
from pointsman.model.run import StepState
from pointsman.run.queue import StepQueue
from pointsman.run.tree import Run
from pointsman.store.runs import Runs

log = logging.getLogger("pointsman.engine")


class Memory:
    """After `forget` it is worth nothing until `read_back`."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self.loaded: dict[int, Run] = {}
        self.queue = StepQueue()
        self.active: set[AttemptId] = set()
        self.stale = False

    def look(self, number: int) -> Run:
        """A run as it is committed, to look at."""
        if number in self.loaded:
            return self.loaded[number]
        header = self._runs.header(number)
        return Run(self._runs.plan(header.plan_digest), self._runs.rows(number), seq=header.seq)

    def hold(self, number: int) -> Run:
        """A run that is about to be told something; it stays in memory while it has changes queued or running."""
        if number not in self.loaded:
            self.loaded[number] = self.look(number)
        return self.loaded[number]

    def let_go(self, number: int, run: Run) -> None:
        """Drop a run that only gates, times or nothing keep: then it is rows and no object."""
        if not run.running and not run.queued:
            self.loaded.pop(number, None)

    def free(self, attempt: AttemptId, run: Run) -> None:
        """An attempt no longer has a worker, nor its lock."""
        if attempt in self.active:
            self.active.discard(attempt)
            self.queue.release(attempt.run, attempt.step, lock_of(run.plan, attempt.step))

    def forget(self) -> None:
        """A turn was not written. At once: nobody may see a decision that does not stand."""
        self.loaded.clear()
        self.stale = True

    def read_back(self) -> list[tuple[AttemptId, Run]]:
        """Everything from the store: the queue in the order in which it came; the attempts that run."""
        self.loaded.clear()
        self.queue, self.active = StepQueue(), set()
        queued: list[tuple[float, int, int]] = []
        running: list[tuple[AttemptId, Run]] = []
        for number in self._runs.busy():
            run = self._readable(number)
            for place, row in run.rows.items() if run else ():
                if row.state is StepState.QUEUED:
                    queued.append((row.queued_at or 0.0, number, place))
                elif run and row.state is StepState.RUNNING and run.plan.steps[place].kind is Kind.CHANGE:
                    running.append((AttemptId(number, place, row.attempt), run))
        for attempt, run in running:
            self.active.add(attempt)
            self.queue.hold(attempt.run, attempt.step, lock_of(run.plan, attempt.step))
        for _, number, place in sorted(queued):
            self.queue.add(number, place, lock_of(self.loaded[number].plan, place))
        self.stale = False
        return running

    def _readable(self, number: int) -> Run | None:
        """A run from the store; None, and a word in the log, for one that cannot be read: the others go on."""
        try:
            return self.hold(number)
        except (ValueError, KeyError, NotFound):
            log.exception("run %s cannot be read and is set aside", number)
            return None
