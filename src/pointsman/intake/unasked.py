"""Starting runs that nobody asked for: in whose name, and what is told where there is no run."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pointsman.access.people import Actor
from pointsman.engine.local import Engine
from pointsman.intake.start import Starter, Wish
from pointsman.model.names import BY_PUBLICATION, SYSTEM, project_of
from pointsman.model.problem import Invalid, NotFound, PointsmanError, Unavailable, has_errors
from pointsman.model.run import OPEN_RUN_STATES
from pointsman.model.values import JsonObject
from pointsman.store.events import Events

# No user name has a colon in it, so nobody can be who started these runs.
PUBLISH = Actor(BY_PUBLICATION, "system")
SCHEDULE = Actor(f"{SYSTEM}:schedule", "system")
MOST_PROBLEMS = 10

log = logging.getLogger("pointsman.intake")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The run that there is now, or why there is none."""

    run: int | None
    says: str = ""


class UnaskedRuns:
    """Starts runs for the daemon itself. What it is asked for twice with one run id is one run."""

    def __init__(self, starter: Starter, engine: Engine, events: Events, now: Callable[[], float]) -> None:
        self._starter, self._engine, self._events, self._now = starter, engine, events, now

    @property
    def stopping(self) -> bool:
        """Whether nothing more is started."""
        return self._engine.stopping

    def number_of(self, run_id: str) -> int | None:
        """The number of the run with this id, if it exists."""
        return self._engine.runs.number_of(run_id)

    def is_open(self, number: int) -> bool:
        """Whether a run has not ended."""
        try:
            return self._engine.runs.header(number).state in OPEN_RUN_STATES
        except NotFound:
            return False

    async def start(self, actor: Actor, wish: Wish) -> Outcome:
        """The run of a wish that has a run id. `Unavailable` if that cannot be told now: ask again later."""
        number = self.number_of(wish.run_id)
        if number is not None:
            return Outcome(number)
        try:
            return Outcome((await self._starter.start(actor, wish, now=self._now())).number)
        except Unavailable:
            raise
        except PointsmanError as error:
            return Outcome(None, _reason(error))
        except Exception as error:
            log.exception("a run of %s could not be started", wish.workflow)
            return Outcome(None, f"the daemon has a fault: {error!r}; its log says more")

    def tell_refused(self, actor: Actor, workflow: str, body: JsonObject) -> None:
        """Record that something should have started a run and could not; `body` has the reason as `says`."""
        body = {"workflow": workflow, **body}
        self._events.add(
            "trigger_refused", at=self._now(), actor=actor.name, body=body, project=project_of(workflow)
        )  # fmt: skip

    def tell_skipped(self, actor: Actor, workflow: str, body: JsonObject) -> None:
        """Record that a time came while the run before had not ended (R98)."""
        body = {"workflow": workflow, **body}
        self._events.add(
            "schedule_skipped", at=self._now(), actor=actor.name, body=body, project=project_of(workflow)
        )  # fmt: skip


def run_id(*parts: str) -> str:
    """A run id that is the same for the same cause, also after a crash."""
    return hashlib.sha256("\0".join((SYSTEM, *parts)).encode()).hexdigest()[:16]


def moment(at: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


def _reason(error: PointsmanError) -> str:
    """The sentence of an error with its problems, as one line."""
    problems = [problem for problem in error.problems if has_errors([problem])] if isinstance(error, Invalid) else []
    shown = [f"{one.place.path}:{one.place.line}: {one.message}" for one in problems[:MOST_PROBLEMS]]
    return "; ".join([error.says, *shown])
