"""Stories: a tree, and a seed that chooses again and again what happens next, some of it late, repeated or nonsense.

Whether news fits is decided here from the ledger, without a look at the machine's rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from fakes.trees import Node, plan_of
from fakes.worlds import ENDS_AN_ATTEMPT, World
from pointsman.model.definition import Kind
from pointsman.model.event import (
    GateDecided,
    Input,
    RunAdmitted,
    RunCancelled,
    RunCreated,
    StepFailed,
    StepLost,
    StepStarted,
    StepSucceeded,
    StepUnstarted,
    TimerFired,
)
from pointsman.model.names import SYSTEM, same_name
from pointsman.model.plan import Plan
from pointsman.model.problem import Refused
from pointsman.model.run import DecisionWord

PEOPLE = {"ann": ("dev", "ops"), "bob": ("dev",), "cid": (" OPS",), " ANN ": ("dev", "ops")}
MUCH_TOO_LATE = 5
VERBS: tuple[DecisionWord, ...] = ("continue", "approve", "reject")

News = tuple[Input, str]
Watch = Callable[[World], None]


@dataclass(frozen=True, slots=True, repr=False)
class Story:
    """What befalls one run: as many things as its `length`. `skip` numbers steps that are left out."""

    top: Node
    seed: int
    length: int
    skip: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"Story(node({str(self.top)!r}), {self.seed}, {self.length}, {self.skip})"


def beginning(story: Story) -> World:
    """The world in which a story begins: the run is created and not admitted."""
    plan = plan_of(story.top)
    free = [place for place in range(1, len(plan.steps)) if not _holds_approval(plan, place)]
    chosen = sorted({free[number % len(free)] for number in story.skip}) if free else []
    return World(plan, skip=[plan.steps[place].name for place in chosen], at=10.0, admitted=False)


def _holds_approval(plan: Plan, place: int) -> bool:
    return any(step.kind is Kind.APPROVAL for step in plan.steps[place : plan.ends[place]])


def played(story: Story, watch: Watch = lambda _: None) -> World:
    """The world at the end of a story. `watch` looks at it after its beginning and after each event that fitted."""
    world = beginning(story)
    watch(world)
    for event, actor in news(world, story):
        try:
            world.tell(event, actor=actor)
        except Refused:
            continue
        watch(world)
    return world


def news(world: World, story: Story) -> Iterator[News]:
    """What happens next in this world, for as long as the story goes on; the clock moves along."""
    random, past = Random(f"{story.seed}/{story.top}"), list[News]()
    late = 0
    for _ in range(story.length):
        late += world.ledger.ended is not None
        if late > MUCH_TOO_LATE:
            return
        world.at += random.choice((0, 0, 5, 20))
        event, actor = _chosen(random, world, past)
        if isinstance(event, TimerFired):
            world.at = max(world.at, event.due)
        past.append((event, actor))
        yield event, actor


def _chosen(random: Random, world: World, past: list[News]) -> News:
    chance, fitting = random.random(), answers(world)
    if chance < 0.04 and is_admitted(world):
        return RunCancelled(), "ann"
    if chance < 0.12 and past:
        return random.choice(past)
    if chance < 0.18 or not fitting:
        return _nonsense(random, world)
    event, actor = random.choice(random.choice(fitting))
    return (_beside(random, event), actor) if chance < 0.28 else (event, actor)


def _beside(random: Random, event: Input) -> Input:
    """Almost the same event: of an attempt, opening or arming before or after."""
    off = random.choice((-1, 1))
    match event:
        case GateDecided(opening=opening):
            return replace(event, opening=opening + off)
        case TimerFired(due=due):
            return replace(event, due=due + off)
        case RunCreated() | RunAdmitted() | RunCancelled():
            return event
        case _:
            return replace(event, attempt=event.attempt + off)


def answers(world: World) -> list[list[News]]:
    """For each order or open gate that waits for it, what may be answered: the good news first, the likely twice."""
    ledger = world.ledger
    found: list[list[News]] = []
    if not is_admitted(world) and ledger.ended is None:
        found.append([(RunAdmitted(), SYSTEM)])
    found.extend([(StepStarted(step=place, attempt=number), SYSTEM)] for place, number in sorted(ledger.queued.items()))
    for place, attempt in sorted(ledger.running.items()):
        found.append([(event, SYSTEM) for event in _ends(place, attempt)])
    for place, opening in sorted(ledger.gates.items()):
        found.append([given for given in _decisions(world, place, opening) if fits(world, *given)])
    found.extend([(TimerFired(step=place, due=due), SYSTEM)] for place, due in sorted(ledger.timers.items()))
    return found


def _ends(place: int, attempt: int) -> Iterator[Input]:
    for _ in range(5):
        yield StepSucceeded(step=place, attempt=attempt, outputs={"n": attempt})
    yield StepFailed(step=place, attempt=attempt, reason="exit code 1", exit_code=1)
    yield StepFailed(step=place, attempt=attempt, reason="exit code 1", exit_code=1)
    yield StepFailed(step=place, attempt=attempt, reason="cancelled", stopped=True)
    yield StepLost(step=place, attempt=attempt, reason="the machine restarted")
    yield StepUnstarted(step=place, attempt=attempt, reason="it never began")


def _decisions(world: World, place: int, opening: int) -> Iterator[News]:
    if world.plan.steps[place].kind is Kind.WAIT:
        for _ in range(5):
            yield GateDecided(step=place, opening=opening, decision="continue"), "ann"
    else:
        for person, groups in PEOPLE.items():
            yield GateDecided(step=place, opening=opening, decision="approve", groups=groups), person
    yield GateDecided(step=place, opening=opening, decision="reject", message="no"), "bob"


def _nonsense(random: Random, world: World) -> News:
    place, number = random.randint(-1, len(world.plan.steps)), random.randint(0, 2)
    events: list[Input] = [
        RunCreated(plan_digest=world.plan.digest),
        RunAdmitted(),
        StepStarted(step=place, attempt=number),
        *_ends(place, number),
        *(GateDecided(step=place, opening=number, decision=verb) for verb in VERBS),
        TimerFired(step=place, due=float(number)),
        TimerFired(step=place, due=world.ledger.timers.get(place, 0.0) + number),
    ]
    return random.choice(events), "ann"


def is_admitted(world: World) -> bool:
    """Whether the log says that the run was let go."""
    return any(isinstance(result.records[0].event, RunAdmitted) for result in world.history)


def cancels(world: World) -> int:
    """How often the run was cancelled, by the log."""
    return sum(isinstance(result.records[0].event, RunCancelled) for result in world.history)


def fits(world: World, event: Input, actor: str) -> bool:
    """Whether this is news that the run should take, by what was ordered and not answered (R57)."""
    ledger = world.ledger
    match event:
        case RunCreated():
            return not world.history
        case RunAdmitted():
            return ledger.ended is None and not is_admitted(world)
        case RunCancelled():
            return ledger.ended is None and cancels(world) < 2
        case StepStarted(step=step, attempt=attempt):
            return ledger.queued.get(step) == attempt
        case GateDecided():
            return _decision_fits(world, event, actor)
        case TimerFired(step=step, due=due):
            return ledger.timers.get(step) == due
        case _:
            assert isinstance(event, ENDS_AN_ATTEMPT)
            return ledger.running.get(event.step) == event.attempt


def _decision_fits(world: World, event: GateDecided, actor: str) -> bool:
    if world.ledger.gates.get(event.step) != event.opening:
        return False
    if event.decision != "approve":
        return event.decision == "reject" or world.plan.steps[event.step].kind is Kind.WAIT
    earlier = (result.records[0] for result in world.history)
    repeated = any(
        isinstance(record.event, GateDecided) and record.event.step == event.step and same_name(record.actor, actor)
        for record in earlier
    )
    return world.plan.steps[event.step].kind is Kind.APPROVAL and not repeated
