"""Live answers: a run's log of events, and a step's log as it grows, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from pointsman.model.plan import Plan
from pointsman.model.problem import Unavailable
from pointsman.model.run import OPEN_RUN_STATES, StepState
from pointsman.store.events import Entry
from pointsman.store.runs import RunHeader
from pointsman.web.calls import Ask
from pointsman.web.office import Office
from pointsman.web.shapes import entry_shape

MOST_STREAMS = 500
PING_SECONDS = 15
LOOK_SECONDS = 0.2
COALESCE_SECONDS = 0.05
MOST_ENTRIES = 500
CHUNK = 64 * 1024
Events = AsyncIterator[ServerSentEvent | bytes]


def wants_stream(request: Request) -> bool:
    """Whether the asker wants events as they come."""
    return request.method == "GET" and "text/event-stream" in request.headers.get("accept", "")


def stream_response(office: Office, events: Events) -> Response:
    """An event stream, unless there are too many already (`Unavailable`)."""
    if office.streams >= MOST_STREAMS:
        raise Unavailable("too many live views are open", hint="close some, or try again later")
    office.streams += 1

    async def counted() -> Events:
        try:
            async for event in events:
                yield event
        finally:
            office.streams -= 1

    return EventSourceResponse(counted(), ping=PING_SECONDS, headers={"X-Accel-Buffering": "no"})


def last_seen(request: Request) -> int:
    """The sequence number after which the stream goes on."""
    text = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def event_stream(ask: Ask, header: RunHeader) -> Response:
    """A run's records from `Last-Event-ID` on; it ends with the run."""
    return stream_response(ask.office, _run_events(ask, header.number, last_seen(ask.request)))


async def _run_events(ask: Ask, number: int, after: int) -> Events:
    office = ask.office
    plan = office.engine.runs.plan(office.engine.runs.header(number).plan_digest)
    with office.engine.feed.following(number) as news:
        while True:
            news.clear()
            ended = office.engine.runs.header(number).state not in OPEN_RUN_STATES
            entries = office.events.of_run(number, after=after, limit=MOST_ENTRIES)
            if entries:
                # one message for all that is there: each has its price on the loop that the runs need, too
                after = entries[-1].seq or after
                yield b"".join(_encoded(entry, plan) for entry in entries)
            if len(entries) == MOST_ENTRIES:
                continue
            if ended or office.engine.stopping:
                return
            await news.wait()
            await asyncio.sleep(COALESCE_SECONDS)


def _encoded(entry: Entry, plan: Plan) -> bytes:
    return ServerSentEvent(json.dumps(entry_shape(entry, plan)), id=str(entry.seq), event=entry.type).encode()


def log_stream(ask: Ask, header: RunHeader, place: int, attempt: int, path: Path) -> Response:
    """A step's log from `?offset=` or `Last-Event-ID` on; it ends with the attempt."""
    return stream_response(
        ask.office, _log_events(ask.office, header.number, (place, attempt), path, last_seen(ask.request))
    )


async def _log_events(office: Office, number: int, attempt: tuple[int, int], path: Path, offset: int) -> Events:
    while True:
        row = office.engine.run(number).row(attempt[0])
        ended = row.attempt != attempt[1] or row.state is not StepState.RUNNING
        data = await asyncio.to_thread(_read, path, offset)
        if data:
            offset += len(data)
            yield ServerSentEvent(json.dumps(data.decode("utf-8", "replace")), id=str(offset), event="log")
        elif ended or office.engine.stopping:
            yield ServerSentEvent("", event="end")
            return
        else:
            await asyncio.sleep(LOOK_SECONDS)


def _read(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(CHUNK)
    except FileNotFoundError:
        return b""
