"""Following a run live: what happened, as it happens, and the run as it stands, over breaks of the connection."""

import queue
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from json import loads
from typing import Any

from pointsman.cli.client import Client, part
from pointsman.cli.output import say
from pointsman.model.problem import PointsmanError, Unavailable

OPEN_STATES = frozenset({"pending", "running", "waiting"})
TICK_SECONDS = 0.25
PATIENCE_SECONDS = 60.0
BETWEEN_TRIES_SECONDS = 0.5

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """A look at the run: what happened since the last one, and the run as it stands now."""

    events: tuple[Event, ...]
    run: Mapping[str, Any]


@dataclass(slots=True)
class _Stream:
    """The run's events, read in a thread of its own so that the eye is not kept waiting."""

    server: str
    run: str
    events: "queue.SimpleQueue[Event | PointsmanError | None]" = field(default_factory=queue.SimpleQueue)
    is_wanted: bool = True

    def start(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        seen, since, told = "0", time.monotonic(), False
        while self.is_wanted:
            client = Client(self.server)
            try:
                for event in client.events(f"runs/{part(self.run)}/events", after=seen):
                    seen, since, told = event.id, time.monotonic(), False
                    if not self.is_wanted:
                        return
                    self.events.put(loads(event.data))
                if client.get(f"runs/{part(self.run)}")["state"] not in OPEN_STATES:
                    self.events.put(None)
                    return
            except Unavailable as error:
                if time.monotonic() - since > PATIENCE_SECONDS:
                    self.events.put(error)
                    return
                if not told:
                    say(f"{error.says}; trying again, the run goes on without it")
                    told = True
            except PointsmanError as error:
                self.events.put(error)
                return
            finally:
                client.close()
            time.sleep(BETWEEN_TRIES_SECONDS)


def followed(client: Client, run: str) -> Generator[News, None, None]:
    """Looks at a run: one at once, one whenever something happened, and one now and then; the last when it is over.

    `Unavailable` if the daemon stays away longer than `PATIENCE_SECONDS`.
    """
    stream = _Stream(client.server, run)
    stream.start()
    try:
        yield from _looks(client, f"runs/{part(run)}", stream)
    finally:
        stream.is_wanted = False


def _looks(client: Client, address: str, stream: _Stream) -> Iterator[News]:
    shown = client.get(address)
    yield News((), shown)
    untold: list[Event] = []
    next_look = 0.0
    ended = False
    while not ended:
        events, ended = _arrived(stream.events)
        untold += events
        now = time.monotonic()
        if ended or (untold and now >= next_look):
            try:
                shown = client.get(address)
            except Unavailable:
                if ended:
                    raise
                continue  # the stream knows of it too, and has patience
            # a large run takes long to fetch: look at it less often then
            next_look = time.monotonic() + 4 * (time.monotonic() - now)
        elif untold:
            continue
        yield News(tuple(untold), shown)
        untold = []


def _arrived(events: "queue.SimpleQueue[Event | PointsmanError | None]") -> tuple[list[Event], bool]:
    """All that has arrived, after waiting a moment for the first; and whether nothing more will."""
    found: list[Event] = []
    try:
        item = events.get(timeout=TICK_SECONDS)
        while True:
            if isinstance(item, PointsmanError):
                raise item
            if item is None:
                return found, True
            found.append(item)
            item = events.get_nowait()
    except queue.Empty:
        return found, False


_STATES = {
    "run_created": "created",
    "run_admitted": "running",
    "run_cancelled": "cancelling",
    "step_queued": "queued",
    "step_held": "pending",
    "step_started": "running",
    "step_succeeded": "succeeded",
    "step_failed": "failed",
    "step_lost": "lost",
    "step_unstarted": "queued",
    "gate_opened": "waiting",
}


def event_line(event: Event, names: Mapping[str, str], run: object) -> str:
    """One line about an event: time, step, state, name, and what there is to say about it."""
    at = datetime.fromisoformat(event["at"])
    data, kind, step = event.get("data") or {}, event["type"], event.get("step")
    state = data.get("state") or _STATES.get(kind) or kind.replace("_", " ")
    who, notes = event.get("actor"), []
    if kind in {"gate_decided", "gate_expired"}:
        state = data.get("decision", "decided")
        notes.append(f"by {who}")
    elif kind in {"run_created", "run_cancelled"}:
        notes.append(f"by {who}")
    if kind == "step_started" and data.get("attempt", 1) != 1:
        notes.append(f"attempt {data['attempt']}")
    notes += [str(data[name]) for name in ("reason", "note", "message") if data.get(name)]
    if data.get("blocked_by"):
        notes.append("waits for run " + ", ".join(str(number) for number in data["blocked_by"]))
    what = f"{step:8} {state:10} {names.get(step, '')}" if step else f"{f'run {run}':8} {state}"
    said = f"  ({'; '.join(notes)})" if notes else ""
    return f"{at:%H:%M:%S}  {what}{said}".rstrip()
