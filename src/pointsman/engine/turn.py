"""One turn of the engine: every event that is due, told to its run in memory, and written in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pointsman.act.paths import AttemptId
from pointsman.model.event import Record, StepStarted, Told
from pointsman.model.plan import Plan
from pointsman.model.run import RunState
from pointsman.run.advance import Advance, advance
from pointsman.run.tree import Run
from pointsman.store.runs import Change, Runs


@dataclass(slots=True)
class Moved:
    """A run that this turn has changed, with what has to be written about it."""

    run: Run
    read_seq: int
    records: list[Record] = field(default_factory=list)
    touched: dict[int, None] = field(default_factory=dict)


class Turn:
    """Tells runs and collects what follows. Nothing is written before `save`, nothing is done to the world at all."""

    def __init__(self, runs: Runs, load: Callable[[int], Run], *, epoch: int) -> None:
        self._runs, self._load, self._epoch = runs, load, epoch
        self.moved: dict[int, Moved] = {}
        self.started: list[AttemptId] = []
        self.ended: dict[int, RunState] = {}
        self.last_event = 0

    def tell(self, number: int, told: Told) -> Advance:
        """Tell a run; `Refused` if it does not fit, and then nothing has changed."""
        run = self._load(number)
        moved = self.moved.get(number) or Moved(run, run.seq)
        result = advance(run, told)
        self.moved[number] = moved
        moved.records.extend(result.records)
        moved.touched.update(dict.fromkeys(result.touched))
        return result

    def start(self, number: int, place: int, *, at: float, actor: str) -> AttemptId:
        """Give a queued change to a worker: claimed in the transaction that this turn ends with."""
        attempt = self._load(number).row(place).attempt + 1
        self.tell(number, Told(at=at, actor=actor, event=StepStarted(step=place, attempt=attempt)))
        started = AttemptId(number, place, attempt)
        self.started.append(started)
        return started

    def save(self, at: float) -> None:
        """Write all of it; call it inside the transaction."""
        for number, moved in self.moved.items():
            change = Change(
                number=number,
                read_seq=moved.read_seq,
                seq=moved.run.seq,
                state=moved.run.state,
                at=at,
                records=moved.records,
                rows=[(place, moved.run.row(place)) for place in moved.touched],
            )
            self.last_event = self._runs.save(change, moved.run.plan)
        for attempt in self.started:
            self._runs.claim(attempt.run, attempt.step, attempt.attempt, epoch=self._epoch)


def lock_of(plan: Plan, place: int) -> tuple[str, str] | None:
    """The lock of a change: its target and action, unless the target allows parallel changes (R96)."""
    step = plan.steps[place]
    content = plan.contents.get(step.content)
    if content is not None and not content.exclusive:
        return None
    return (step.target, step.action)
