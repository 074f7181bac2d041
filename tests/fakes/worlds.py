"""A world around one run: it tells the run what happened, by the steps' names, and keeps a ledger of what was ordered.

The ledger is made of effects and records alone, never of rows, so that tests can hold it against the rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fakes.trees import tree
from pointsman.model.definition import Kind
from pointsman.model.effect import ArmTimer, DisarmTimer, Effect, ForgetChange, OpenGate, StartChange, StopChange
from pointsman.model.event import (
    GateDecided,
    Input,
    Record,
    RunAdmitted,
    RunCancelled,
    RunCreated,
    RunEnded,
    StepEnded,
    StepFailed,
    StepLost,
    StepStarted,
    StepSucceeded,
    StepUnstarted,
    TimerFired,
    Told,
)
from pointsman.model.names import SYSTEM
from pointsman.model.plan import Plan
from pointsman.model.run import DecisionWord, Row, RunState
from pointsman.run.advance import Advance, advance
from pointsman.run.tree import Run

ENDS_AN_ATTEMPT = (StepSucceeded, StepFailed, StepLost, StepUnstarted)


@dataclass(slots=True)
class Ledger:
    """What was ordered and is not answered yet, by the place of the step: attempts, openings and due times."""

    queued: dict[int, int] = field(default_factory=dict)
    running: dict[int, int] = field(default_factory=dict)
    stopping: dict[int, int] = field(default_factory=dict)
    gates: dict[int, int] = field(default_factory=dict)
    timers: dict[int, float] = field(default_factory=dict)
    ended: RunState | None = None

    def enter(self, result: Advance) -> None:
        """Note one event with its consequences, and then the orders that it led to."""
        for record in result.records:
            self._note(record)
        for effect in result.effects:
            self._order(effect)

    def orders(self) -> set[Effect]:
        """What would have to be carried out again if the world forgot everything but processes."""
        return {
            *(StartChange(step=place, attempt=attempt) for place, attempt in self.queued.items()),
            *(StopChange(step=place, attempt=attempt) for place, attempt in self.stopping.items()),
            *(ArmTimer(step=place, due=due) for place, due in self.timers.items()),
        }

    def _note(self, record: Record) -> None:
        event = record.event
        if isinstance(event, StepStarted):
            assert self.queued.pop(event.step) == event.attempt, "started without having been ordered"
            self.running[event.step] = event.attempt
        elif isinstance(event, ENDS_AN_ATTEMPT):
            del self.running[event.step]
            self.stopping.pop(event.step, None)
        elif isinstance(event, TimerFired):
            del self.timers[event.step]
        elif isinstance(event, StepEnded):
            self.gates.pop(event.step, None)
        elif isinstance(event, RunEnded):
            self.ended = event.state

    def _order(self, effect: Effect) -> None:
        match effect:
            case StartChange(step=place, attempt=attempt):
                assert place not in self.queued, "ordered twice"
                self.queued[place] = attempt
            case ForgetChange(step=place):
                del self.queued[place]
            case StopChange(step=place, attempt=attempt):
                assert self.running[place] == attempt, "stopped though it does not run"
                self.stopping[place] = attempt
            case OpenGate(step=place, opening=opening):
                self.gates[place] = opening
            case ArmTimer(step=place, due=due):
                self.timers[place] = due
            case DisarmTimer(step=place):
                self.timers.pop(place, None)
            case _:
                assert self.ended is effect.state, "the run ended without a record"


class World:
    """One run of a tree, created and, unless `admitted=False`, admitted. The clock stands still until it is moved."""

    def __init__(
        self, notation: str | Plan, *, skip: Iterable[str] = (), at: float = 0.0, admitted: bool = True
    ) -> None:
        self.plan = tree(notation) if isinstance(notation, str) else notation
        self.run, self.at = Run(self.plan), at
        self.ledger = Ledger()
        self.history: list[Advance] = []
        self._places = {step.name: place for place, step in enumerate(self.plan.steps) if place}
        keys = [self.plan.steps[self.place(name)].key for name in skip]
        self.tell(RunCreated(plan_digest=self.plan.digest, skip=tuple(keys)))
        if admitted:
            self.tell(RunAdmitted())

    # What happens

    def tell(self, event: Input, *, actor: str = SYSTEM) -> Advance:
        """Tell the run; `Refused` if it does not fit."""
        result = advance(self.run, Told(at=self.at, actor=actor, event=event))
        self.ledger.enter(result)
        self.history.append(result)
        return result

    def starts(self, *names: str) -> None:
        """Each of these changes gets a worker."""
        for name in names:
            self.tell(StepStarted(step=self.place(name), attempt=self.row(name).attempt + 1))

    def succeeds(self, *names: str) -> None:
        """Each of these changes ends well, after it was started if it was not."""
        for name in names:
            self.tell(StepSucceeded(step=self.place(name), attempt=self._under_way(name)))

    def fails(self, *names: str, stopped: bool = False) -> None:
        """Each of these changes fails with exit code 1, after it was started if it was not."""
        for name in names:
            attempt = self._under_way(name)
            event = StepFailed(
                step=self.place(name), attempt=attempt, reason="exit code 1", exit_code=1, stopped=stopped
            )
            self.tell(event)

    def loses(self, name: str) -> None:
        """Nobody can know how this change ended."""
        self.tell(StepLost(step=self.place(name), attempt=self._under_way(name), reason="the machine restarted"))

    def unstarts(self, name: str) -> None:
        """The change was claimed and never ran."""
        self.tell(StepUnstarted(step=self.place(name), attempt=self._under_way(name), reason="it never began"))

    def decides(
        self,
        name: str,
        decision: DecisionWord,
        *,
        by: str = "ann",
        groups: Sequence[str] = (),
        opening: int | None = None,
    ) -> None:
        """A person decides a gate, at its present opening unless another is given."""
        shown = self.row(name).opening if opening is None else opening
        event = GateDecided(
            step=self.place(name), opening=shown, decision=decision, named=not groups, groups=tuple(groups)
        )
        self.tell(event, actor=by)

    def fires(self, name: str) -> None:
        """The time a step was waiting for has come; the clock is moved to it."""
        due = self.ledger.timers[self.place(name)]
        self.at = max(self.at, due)
        self.tell(TimerFired(step=self.place(name), due=due))

    def cancels(self, *, by: str = "ann") -> None:
        """Somebody cancels the run."""
        self.tell(RunCancelled(), actor=by)

    # What is to be seen

    def place(self, name: str) -> int:
        """The place of the step of this name; `root` is the root."""
        return 0 if name == "root" else self._places[name]

    def row(self, name: str) -> Row:
        """The row of the step of this name."""
        return self.run.row(self.place(name))

    def states(self, names: str) -> str:
        """The states of these steps, as words in one line like their names."""
        return " ".join(self.row(name).state.value for name in names.split())

    @property
    def records(self) -> list[Record]:
        """The whole log."""
        return [record for result in self.history for record in result.records]

    @property
    def effects(self) -> list[Effect]:
        """What the last event ordered."""
        return list(self.history[-1].effects)

    @property
    def state(self) -> str:
        """The run's state."""
        return self.run.state.value

    def named(self, places: Iterable[int]) -> list[str]:
        """The names of the steps at these places, in the plan's order."""
        return [self.plan.steps[place].name for place in sorted(places)]

    @property
    def queued(self) -> list[str]:
        """The changes that were given out to start and have not started."""
        return self.named(self.ledger.queued)

    @property
    def stopping(self) -> list[str]:
        """The running changes that were told to stop."""
        return self.named(self.ledger.stopping)

    @property
    def open_gates(self) -> list[str]:
        """The gates that are open."""
        return self.named(self.ledger.gates)

    @property
    def timers(self) -> dict[str, float]:
        """The armed timers by the names of their steps."""
        return {self.plan.steps[place].name: due for place, due in sorted(self.ledger.timers.items())}

    def _under_way(self, name: str) -> int:
        place = self.place(name)
        if place in self.ledger.queued and self.plan.steps[place].kind is Kind.CHANGE:
            self.starts(name)
        return self.row(name).attempt
