"""`pointsman run --local`: the embedded engine in this process, for one run."""

import asyncio
import getpass
import os
import secrets
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pointsman.access.accounts import is_user_name
from pointsman.act.bundles import FolderFiles
from pointsman.act.paths import AttemptId
from pointsman.act.specification import StepLimits
from pointsman.cli.answers import Answers, Question
from pointsman.cli.checkout import Checkout, Wanted
from pointsman.cli.follow import event_line
from pointsman.cli.logs import LogPrinter
from pointsman.cli.main import INTERRUPTED
from pointsman.cli.output import Finding, RunRefused, put, say
from pointsman.cli.plan import planned_here
from pointsman.cli.watch import AT_GATE, EXIT_CODES
from pointsman.engine.carrier import Surroundings
from pointsman.engine.local import Engine
from pointsman.model.event import GateDecided, RunCancelled
from pointsman.model.names import workflow_codes
from pointsman.model.plan import Plan
from pointsman.model.problem import Invalid, Refused
from pointsman.model.run import OPEN_RUN_STATES, RunState, StepState
from pointsman.model.values import JsonObject
from pointsman.run.skipping import skipped_keys
from pointsman.store.database import Database
from pointsman.store.events import Entry, Events
from pointsman.store.runs import NewRun
from pointsman.web.words import counted

WORKERS = 4
_ENDS = frozenset({"step_succeeded", "step_failed", "step_lost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalWish:
    """What is to be run here. `data` None: a folder that is gone afterwards."""

    wanted: Wanted
    metadata: JsonObject = field(default_factory=dict)
    skip: Sequence[str] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    data: Path | None = None


def run_locally(checkout: Checkout, wish: LocalWish) -> int:
    """Carry out a run in this process and show it; the exit code that INTERFACES gives its end."""
    plan = _plan(checkout, wish)
    skip = skipped_keys(plan, wish.skip)
    answers = Answers(plan, wish.answers)
    actor = login_name()
    say(f"a local run: no daemon knows of it, and {actor} answers every gate, whoever is to approve")
    with _engine(checkout, wish.data) as (engine, database):
        new = NewRun(
            id=secrets.token_hex(8), plan=plan, started_by=actor, created_at=time.time(), metadata=wish.metadata
        )
        return asyncio.run(_LocalRun(engine, Events(database), answers, actor).carried_out(new, skip))


def login_name() -> str:
    """Who runs this, as far as that can be a name."""
    with suppress(OSError, KeyError):
        name = getpass.getuser()
        if is_user_name(name):
            return name
    return "operator"


def _plan(checkout: Checkout, wish: LocalWish) -> Plan:
    name = wish.wanted.workflow
    try:
        planned = planned_here(checkout, wish.wanted)
    except Invalid as error:
        raise RunRefused(error.says, [Finding.of(problem) for problem in error.problems], hint=error.hint) from error
    if planned.plan is None:
        findings = [Finding.of(problem) for problem in planned.problems]
        raise RunRefused(f"{name} cannot be run: {counted(len(findings), 'problem')}", findings)
    return planned.plan


@contextmanager
def _engine(checkout: Checkout, data: Path | None) -> Iterator[tuple[Engine, Database]]:
    with ExitStack() as stack:
        if data is None:
            temporary = tempfile.TemporaryDirectory(prefix="pointsman-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(temporary))
        else:
            from pointsman.daemon import locked  # noqa: PLC0415 - it brings the web server's libraries with it

            folder = data.absolute()
            stack.callback(os.close, locked(folder))
        database = Database(folder / "state.db")
        stack.callback(database.close)
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        around = Surroundings(
            data=folder,
            limits=StepLimits(environ=os.environ),
            external_url="",
            boot=boot,
            tree_files=lambda tree: _tree_files(checkout, tree),
        )
        epoch = database.new_epoch(time.time(), boot)
        yield Engine(database, around, workers=WORKERS, epoch=epoch, now=time.time), database


def _tree_files(checkout: Checkout, tree: str) -> FolderFiles:
    """A template's files, from Git or from the working tree."""
    return checkout.templates.files(tree) if tree in checkout.templates else checkout.reading.export(tree)


class _LocalRun:
    """One run from its creation to its end, or to a gate that nobody answers."""

    def __init__(self, engine: Engine, events: Events, answers: Answers, actor: str) -> None:
        self._engine, self._events, self._answers, self._actor = engine, events, answers, actor
        self._news = asyncio.Event()
        self._number = 0
        self._seen = 0
        self._cancelled = 0
        self._logs = LogPrinter(raw=False, prefixed=True)

    async def carried_out(self, new: NewRun, skip: tuple[str, ...]) -> int:
        """The exit code of the run."""
        self._engine.start()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._interrupt)
        try:
            header = await self._engine.create(new, skip)
            self._number = header.number
            with self._engine.feed.following(header.number) as self._news:
                return await self._until_over(new.plan)
        finally:
            self._answers.close()
            self._engine.close()

    async def _until_over(self, plan: Plan) -> int:
        names = {step.key: step.name for step in plan.steps}
        while True:
            self._news.clear()
            self._show(names, plan)
            state = self._engine.runs.header(self._number).state
            if state not in OPEN_RUN_STATES:
                shown = "/".join(workflow_codes(plan.workflow))
                say(f"{shown} {'was ' if state in {RunState.REJECTED, RunState.CANCELLED} else ''}{state}")
                return INTERRUPTED if self._cancelled else EXIT_CODES[state]
            if self._cancelled == 0 and not await self._answered(idle=state is RunState.WAITING):
                return AT_GATE
            await self._news.wait()

    def _show(self, names: Mapping[str, str], plan: Plan) -> None:
        """A line for everything that happened since the last look, and the log of what ended."""
        while entries := self._events.of_run(self._number, after=self._seen):
            for entry in entries:
                self._seen = entry.seq or self._seen
                put(event_line(_event(entry), names, "local"))
                if entry.type in _ENDS and entry.step is not None:
                    self._show_log(entry, plan)

    def _show_log(self, entry: Entry, plan: Plan) -> None:
        attempt = entry.body.get("attempt")
        assert isinstance(attempt, int)
        assert entry.step is not None
        paths = self._engine.carrier.paths(AttemptId(self._number, plan.index[entry.step], attempt))
        if paths.log.exists():
            self._logs.write(entry.step, paths.log.read_bytes())

    # Gates

    async def _answered(self, *, idle: bool) -> bool:
        """Decide what can be decided now; False if the run waits for nothing but an answer that nobody gives."""
        run = self._engine.run(self._number)
        waiting = [
            Question(place=place, opening=row.opening, step=run.plan.steps[place])
            for place, row in sorted(run.rows.items())
            if row.state is StepState.WAITING
        ]
        for question in waiting:
            word = self._answers.given(question)
            if word is not None:
                await self._decide(question, word)
                return True
        if not waiting:
            return True
        if self._answers.can_ask:
            self._answers.ask(waiting[0], self._news)
            return True
        if idle:
            for question in waiting:
                say(f"step {question.step.key} waits: {question.step.name}; nobody answers")
                say(f"hint: give an answer with --answer {question.step.key}={question.verbs[0]}")
        return not idle

    async def _decide(self, question: Question, word: str) -> None:
        """Tell the run; where more than one approval is needed, the person at hand stands for all of them."""
        gate = question.step.gate
        assert gate is not None
        groups = gate.approvers.ldap_groups if gate.approvers else ()
        people = max(gate.min_approvals, len(groups) if gate.one_from_each_group else 0) if word == "approve" else 1
        for index in range(people):
            actor = self._actor if index == 0 else f"{self._actor} ({index + 1})"
            decided = GateDecided(
                step=question.place,
                opening=question.opening,
                decision=word,  # type: ignore[arg-type] # one of the three, as Answers promises
                message="answered in a local run",
                named=True,
                groups=groups,
            )
            try:
                await self._engine.tell(self._number, decided, actor=actor)
            except Refused as error:
                say(f"step {question.step.key}: {error.says}")
                return

    def _interrupt(self) -> None:
        """The first time the run is cancelled and cleans up, the second time that is cancelled too."""
        self._cancelled += 1
        self._answers.close()
        say("\ncancelling the run; once more to cancel its cleaning up" if self._cancelled == 1 else "cancelling all")
        task = asyncio.ensure_future(self._cancel())
        task.add_done_callback(lambda _: self._news.set())

    async def _cancel(self) -> None:
        with suppress(Refused):
            await self._engine.tell(self._number, RunCancelled(message="interrupted"), actor=self._actor)


def _event(entry: Entry) -> dict[str, Any]:
    """A record as the API shows it."""
    return {
        "type": entry.type,
        "at": datetime.fromtimestamp(entry.at, UTC).isoformat(),
        "actor": entry.actor,
        "step": entry.step,
        "data": entry.body,
    }
