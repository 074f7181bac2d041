"""The record of a run: its events as sentences. Pure: whoever asks brings the time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from pointsman.model.plan import Plan
from pointsman.model.values import Json, JsonObject
from pointsman.store.events import Entry
from pointsman.web.railway import DECIDED, Moment, moment
from pointsman.web.words import listed, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """One event: who, what, of which step, and what they said. `caused`: it followed from the one before."""

    seq: int
    type: str
    when: Moment
    actor: str
    says: str
    step: str
    step_name: str
    message: str
    caused: bool


def record(entries: Iterable[Entry], plan: Plan, *, now: float) -> tuple[RecordLine, ...]:
    """The events of a run, in the order given."""
    return tuple(_line(entry, plan, now) for entry in entries)


def _line(entry: Entry, plan: Plan, now: float) -> RecordLine:
    says = _SENTENCES.get(entry.type, _other)
    place = plan.index.get(entry.step or "")
    return RecordLine(
        seq=entry.seq or 0,
        type=entry.type,
        when=moment(entry.at, now=now),
        actor=entry.actor,
        says=says(entry.body) if says is not _other else _other({"type": entry.type, **entry.body}),
        step=entry.step or "",
        step_name=plan.steps[place].name if place else "",
        message=_text(entry.body, "message"),
        caused=entry.cause is not None,
    )


def _text(body: Mapping[str, Json], key: str) -> str:
    value = body.get(key, "")
    return value if isinstance(value, str) else ""


def _created(body: JsonObject) -> str:
    blockers = [f"run {number}" for number in cast("list[Json]", body.get("blocked_by", []))]
    skipped = [str(key) for key in cast("list[Json]", body.get("skip", []))]
    waits = f"; it waits for {listed(blockers)}" if blockers else ""
    skips = f"; to be skipped: {', '.join(skipped)}" if skipped else ""
    return f"created the run{waits}{skips}"


def _attempted(words: str) -> Callable[[JsonObject], str]:
    def says(body: JsonObject) -> str:
        attempt = body.get("attempt", 1)
        reason = _text(body, "reason")
        return words + (f", attempt {attempt}" if attempt != 1 else "") + (f": {reason}" if reason else "")

    return says


def _noted(words: str) -> Callable[[JsonObject], str]:
    return lambda body: f"{words}: {note}" if (note := _text(body, "note")) else words


def _held(body: JsonObject) -> str:
    due = body.get("due")
    words = _noted("held")(body)
    return f"{words}; until {stamp(due)}" if isinstance(due, int | float) else words


def _decided(body: JsonObject) -> str:
    verb = DECIDED.get(_text(body, "decision"), "decided")
    groups = [f"@{group}" for group in cast("list[Json]", body.get("groups", []))]
    reasons = ["named"] * bool(body.get("named")) + groups
    return f"{verb} ({', '.join(reasons)})" if reasons else verb


def _expired(body: JsonObject) -> str:
    return f"nobody decided in time: {DECIDED.get(_text(body, 'decision'), 'decided')}"


def _opened(body: JsonObject) -> str:
    opening = body.get("opening", 1)
    return "waits for a decision" if opening == 1 else f"waits for a decision, opening {opening}"


def _other(body: JsonObject) -> str:
    """An event that this page has no sentence for: its type in words, and what it says of itself."""
    words = _text(body, "type").replace("_", " ")
    reason = _text(body, "reason") or _text(body, "says")
    return f"{words}: {reason}" if reason else words


_ENDED_ITSELF = ("succeeded", "failed")
_SENTENCES: Mapping[str, Callable[[JsonObject], str]] = {
    "run_created": _created,
    "run_admitted": lambda _: "started the run",
    "run_cancelled": lambda _: "cancelled the run",
    "run_ended": lambda body: f"the run {'' if body.get('state') in _ENDED_ITSELF else 'was '}{_text(body, 'state')}",
    "step_queued": _noted("queued"),
    "step_held": _held,
    "step_started": _attempted("started"),
    "step_succeeded": _attempted("succeeded"),
    "step_failed": _attempted("failed"),
    "step_lost": _attempted("lost"),
    "step_unstarted": _attempted("never began, and is queued again"),
    "step_ended": lambda body: _text(body, "state"),
    "gate_opened": _opened,
    "gate_decided": _decided,
    "gate_expired": _expired,
}
