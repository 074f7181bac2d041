"""The embedded engine: one process, one store, all runs.

Everything that happens goes through one inbox. A turn takes all of it, tells the runs, gives free workers to what is
queued, writes it in one transaction, and only then lets it out into the world. So the end of a step and the start of
the next are one commit, and events that are due together share one. When the disk refuses, memory is thrown away and
read back: what is in the store is the only truth (R112).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from pointsman.act.paths import AttemptId
from pointsman.engine.admission import blockers
from pointsman.engine.carrier import Carrier, Surroundings
from pointsman.engine.feed import Feed
from pointsman.engine.inbox import Inbox, News
from pointsman.engine.memory import Memory
from pointsman.engine.timers import Timers
from pointsman.engine.turn import Turn, lock_of
from pointsman.model.definition import OnNew
from pointsman.model.effect import ArmTimer, DisarmTimer, EndRun, ForgetChange, StartChange, StopChange
from pointsman.model.event import (
    GateRefused,
    Input,
    Record,
    RunAdmitted,
    RunCancelled,
    RunCreated,
    StepFailed,
    StepSucceeded,
    TimerFired,
    Told,
)
from pointsman.model.names import SYSTEM
from pointsman.model.problem import PointsmanError, Refused, Unavailable
from pointsman.model.run import OPEN_RUN_STATES, RunState, StepState
from pointsman.run.advance import Advance
from pointsman.run.tree import Run
from pointsman.store.database import Database
from pointsman.store.runs import Change, NewRun, RunHeader, Runs

log = logging.getLogger("pointsman.engine")

RETRY_AFTER = 1.0


class Engine:
    """Keeps runs moving. `now` gives seconds since 1970 in UTC."""

    def __init__(
        self, database: Database, around: Surroundings, *, workers: int, epoch: int, now: Callable[[], float]
    ) -> None:
        self._database, self._now, self._workers, self._epoch = database, now, workers, epoch
        self.runs = Runs(database)
        self.feed = Feed()
        self.carrier = Carrier(around, self._ended)
        self._memory = Memory(self.runs)
        self._inbox = Inbox()
        self._turn_due = False
        self._draining = False
        self._timers = Timers(self.runs, now, self._due)

    # From outside

    async def create(self, new: NewRun, skip: tuple[str, ...] = ()) -> RunHeader:
        """A run of a plan; the run exists when this returns. `Refused` where its concurrency says so (R97)."""
        event = RunCreated(plan_digest=new.plan.digest, skip=skip)
        told = Told(at=new.created_at, actor=new.started_by, event=event)
        return self.runs.header(await self._posted(News(told, new=new, skip=skip)))

    async def tell(self, number: int, event: Input, *, actor: str) -> None:
        """Tell a run what somebody did; it is committed when this returns. `Refused` if it does not fit."""
        await self._posted(News(Told(at=self._now(), actor=actor, event=event), number))

    def note(self, number: int, event: GateRefused, *, actor: str) -> None:
        """Add to a run's record what did not change the run. `Unavailable` if that cannot be written."""
        header, at = self.runs.header(number), self._now()
        change = Change(
            number=number,
            read_seq=header.seq,
            seq=header.seq + 1,
            state=header.state,
            at=header.finished_at or at,
            records=[Record(seq=header.seq + 1, at=at, actor=actor, event=event)],
            rows=[],
        )
        with self._database.transaction():
            self.runs.save(change, self.runs.plan(header.plan_digest))
        if number in self._memory.loaded:
            self._memory.loaded[number].seq = change.seq
        self.feed.tell(number)

    def run(self, number: int) -> Run:
        """A run as it is committed, to look at."""
        return self._memory.look(number)

    def blockers(self, header: RunHeader) -> tuple[int, ...]:
        """The numbers of the runs that a pending run waits for."""
        if header.state is not RunState.PENDING:
            return ()
        return tuple(other.number for other in self.runs.open(header.workflow) if other.number < header.number)

    def blocker(self, number: int, place: int) -> tuple[int, int] | None:
        """Run and place of the change that a queued change waits for; None if it waits for a worker."""
        return self._memory.queue.blocker(number, place)

    def start(self) -> None:
        """Take over what an earlier daemon left, and begin (R110)."""
        self.carrier.open()
        for attempt, run in self._memory.read_back():
            self._adopt(attempt, run)
        self.carrier.tidy(self._memory.active)
        self._timers.arm()
        self._wake()

    @property
    def stopping(self) -> bool:
        """Whether nothing more is started."""
        return self._draining

    def drain(self) -> None:
        """Start nothing more; what runs goes on (R113)."""
        self._draining = True
        self.feed.wake_all()

    def close(self) -> None:
        """Let go of everything; what is under way goes on without the daemon."""
        self._draining = True
        self._timers.stop()
        self.feed.wake_all()
        self.carrier.close()

    # The inbox

    def _posted(self, news: News) -> "asyncio.Future[int]":
        news.answer = asyncio.get_running_loop().create_future()
        self._post(news)
        return news.answer

    def _post(self, news: News) -> None:
        self._inbox.put(news)
        self._wake()

    def _wake(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            asyncio.get_running_loop().call_soon(self._take_turn)

    def _ended(self, attempt: AttemptId, event: Input) -> None:
        self._post(News(Told(at=self._now(), actor=SYSTEM, event=event), attempt.run))

    def _due(self, at: float, run: int, step: int) -> None:
        if not self._draining:
            self._post(News(Told(at=self._now(), actor=SYSTEM, event=TimerFired(step=step, due=at)), run))

    # A turn

    def _take_turn(self) -> None:
        self._turn_due = False
        inbox = self._inbox.take()
        now = self._now()
        turn = Turn(self.runs, self._memory.hold, epoch=self._epoch)
        answers: list[tuple[News, int | PointsmanError]] = []
        effects: list[tuple[int, Advance]] = []
        try:
            if self._memory.stale:
                self._memory.read_back()
            with self._database.transaction():
                answers.extend((news, self._heard(turn, news, effects)) for news in inbox)
                self._start_queued(turn, now)
                turn.save(now)
                headers = {attempt.run: self.runs.header(attempt.run) for attempt in turn.started}
        except Exception as error:  # noqa: BLE001 - whatever failed, nothing of this turn happened: forget it and read back
            self._abandon(inbox, error)
            return
        self._carry_out(turn, effects, headers)
        for news, answer in answers:
            news.settle(answer)
        if any(isinstance(news.told.event, TimerFired) for news in inbox):
            self._timers.arm()
        if self._inbox:
            self._wake()

    def _heard(self, turn: Turn, news: News, effects: list[tuple[int, Advance]]) -> int | PointsmanError:
        """What came of one piece of news: the run's number, or the refusal."""
        try:
            number = news.run if news.new is None else self._create(turn, news, effects)
            if news.new is None:
                self._tell(turn, number, news.told, effects)
        except (Refused, Unavailable) as error:
            if isinstance(error, Unavailable):
                raise
            if news.answer is None:
                log.info("an event was refused: %s", error, extra={"run": news.run, "event": news.told.event.type})
            return error
        return number

    def _tell(self, turn: Turn, number: int, told: Told, effects: list[tuple[int, Advance]]) -> None:
        result = turn.tell(number, told)
        effects.append((number, result))
        run = self._memory.loaded[number]
        place = getattr(told.event, "step", None)
        if place is not None and run.row(place).state is not StepState.RUNNING:
            self._memory.free(AttemptId(number, place, run.row(place).attempt), run)
        for effect in result.effects:
            match effect:
                case StartChange(step=step):
                    self._memory.queue.add(number, step, lock_of(run.plan, step))
                case ForgetChange(step=step):
                    self._memory.queue.remove(number, step)
                case EndRun():
                    self._admit_next(turn, number, told.at, effects)
                case _:
                    pass

    def _create(self, turn: Turn, news: News, effects: list[tuple[int, Advance]]) -> int:
        assert news.new is not None
        plan = news.new.plan
        existing = self.runs.number_of(news.new.id)
        if existing is not None:
            return existing
        unknown = [key for key in news.skip if key not in plan.index]
        if unknown:
            raise Refused(f"there is no step {unknown[0]} to skip")
        before = self.runs.open(plan.workflow)
        if before and plan.concurrency.on_new is OnNew.SKIP:
            raise Refused(
                f"run {before[0].number} of {plan.workflow} is {before[0].state}; this workflow skips new runs"
            )
        if plan.concurrency.on_new is OnNew.REPLACE:
            for header in before:
                if header.state is RunState.PENDING:
                    cancelled = RunCancelled(message="replaced by a newer run")
                    self._tell(turn, header.number, replace(news.told, event=cancelled), effects)
            before = [header for header in before if header.state is not RunState.PENDING]
        number = self.runs.create(news.new)
        blocked = blockers(plan, number, before)
        created = RunCreated(plan_digest=plan.digest, skip=news.skip, blocked_by=blocked)
        self._memory.loaded[number] = Run(plan)
        try:
            self._tell(turn, number, replace(news.told, event=created), effects)
        except Refused as error:
            raise RuntimeError(f"a new run refused to exist: {error}") from error  # its row must not be written
        if not blocked:
            self._tell(turn, number, Told(at=news.told.at, actor=SYSTEM, event=RunAdmitted()), effects)
        return number

    def _admit_next(self, turn: Turn, ended: int, at: float, effects: list[tuple[int, Advance]]) -> None:
        """A run has ended: those of its workflow that waited for it may begin (R95)."""
        workflow = self._memory.loaded[ended].plan.workflow
        still_open = [
            header
            for header in self.runs.open(workflow)
            if header.number not in turn.moved or turn.moved[header.number].run.state in OPEN_RUN_STATES
        ]
        for header in still_open:
            run = self._memory.hold(header.number)
            if not run.admitted and not blockers(run.plan, header.number, still_open):
                self._tell(turn, header.number, Told(at=at, actor=SYSTEM, event=RunAdmitted()), effects)

    def _start_queued(self, turn: Turn, now: float) -> None:
        while not self._draining and len(self._memory.active) < self._workers:
            ticket = self._memory.queue.take()
            if ticket is None:
                return
            self._memory.hold(ticket.run)
            self._memory.active.add(turn.start(ticket.run, ticket.step, at=now, actor=SYSTEM))

    # After the commit

    def _carry_out(self, turn: Turn, effects: list[tuple[int, Advance]], headers: Mapping[int, RunHeader]) -> None:
        for attempt in turn.started:
            self.carrier.launch(attempt, headers[attempt.run], self._memory.loaded[attempt.run])
        timers = False
        for number, result in effects:
            for effect in result.effects:
                if isinstance(effect, StopChange):
                    self.carrier.stop(AttemptId(number, effect.step, effect.attempt))
                timers = timers or isinstance(effect, ArmTimer | DisarmTimer)
        if timers:
            self._timers.arm()
        for number, moved in turn.moved.items():
            self._memory.let_go(number, moved.run)
            self.feed.tell(number)

    def _abandon(self, inbox: list[News], error: Exception) -> None:
        """The turn was not written: what is in memory is worth nothing until it is read back.

        Where the disk refused, whoever waits for an answer gets that, and results are told again later (R112). Where
        the turn broke for another reason, each piece of news is tried by itself; the one that breaks is set aside.
        """
        self._memory.forget()
        loop = asyncio.get_running_loop()
        if isinstance(error, Unavailable):
            results = [news for news in inbox if news.answer is None and not isinstance(news.told.event, TimerFired)]
            self._inbox.put_back(results)
            for news in inbox:
                news.settle(error)
            loop.call_later(RETRY_AFTER, self._timers.arm)
        elif len(inbox) > 1:
            self._inbox.suspect(inbox)
        else:
            log.error("a turn failed", exc_info=error)
            for news in inbox:
                news.settle(Unavailable(f"the daemon has a fault: {error!r}", hint="its log says more; report that"))
                self._set_aside(news, error)
        loop.call_later(RETRY_AFTER, self._wake)

    def _set_aside(self, news: News, error: Exception) -> None:
        """A result that cannot be recorded fails its step, rather than every turn from now on (R58)."""
        event = news.told.event
        if isinstance(event, StepSucceeded | StepFailed) and not news.last:
            reason = f"its result could not be recorded: {error!r}"
            failed = StepFailed(step=event.step, attempt=event.attempt, reason=reason)
            self._inbox.put(News(replace(news.told, event=failed), news.run, last=True))

    def _adopt(self, attempt: AttemptId, run: Run) -> None:
        header = self.runs.header(attempt.run)
        boot = self.runs.claim_boot(attempt.run, attempt.step, attempt.attempt)
        self.carrier.adopt(attempt, header, run.plan.steps[attempt.step].key, boot)
        if run.row(attempt.step).halt:
            self.carrier.stop(attempt)
