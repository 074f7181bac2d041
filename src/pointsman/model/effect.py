"""What a run asks of the world: orders, to be carried out only after the event that led to them is committed. Pure."""

from dataclasses import dataclass
from typing import TypeAlias

from pointsman.model.run import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChange:
    """Give this change to a worker as soon as one is free; `attempt` is the number it will have."""

    step: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetChange:
    """Take this change out of the queue: it must not start any more."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopChange:
    """End this running attempt: TERM, then KILL after the grace period."""

    step: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGate:
    """Tell whom it concerns that a gate is open."""

    step: int
    opening: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTimer:
    """Tell the run `timer_fired` at `due`, seconds since 1970 in UTC."""

    step: int
    due: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DisarmTimer:
    """Nothing waits for this step's timer any longer."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRun:
    """The run is over."""

    state: RunState


Effect: TypeAlias = StartChange | ForgetChange | StopChange | OpenGate | ArmTimer | DisarmTimer | EndRun
