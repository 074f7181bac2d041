"""How an attempt stands, from its files alone: what a new daemon asks about the attempts of the old one (R110)."""

import fcntl
import json
import os
import signal
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pointsman.act.paths import AttemptPaths

FENCED = b"fenced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The attempt ended, and this is its exit record; `reason` is empty for success."""

    reason: str
    exit_code: int | None = None
    outputs: dict[str, Any] | None = None
    stopped: bool = False
    log_bytes: int = 0
    log_sha256: str = ""
    log_trouble: str = ""
    ended_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Vanished:
    """It was begun, nobody supervises it, and it left no exit record: its outcome is unknown."""


@dataclass(frozen=True, slots=True)
class NeverStarted:
    """It was never begun, and from now on cannot be."""


@dataclass(frozen=True, slots=True)
class Alive:
    """Its supervisor lives; 0 if it has not said its process id yet."""

    pid: int


Standing: TypeAlias = Ended | Vanished | NeverStarted | Alive


def ended(data: bytes) -> Ended:
    """An exit record read back; one that cannot be read is a failure that says so (R58)."""
    try:
        fields = json.loads(data)
        return Ended(**{name: fields[name] for name in Ended.__slots__ if name in fields})
    except (ValueError, TypeError, KeyError) as error:
        return Ended(reason=f"the exit record cannot be read: {error}")


def standing(paths: AttemptPaths) -> Standing:
    """How an attempt stands. One that was never begun is fenced on the way, so that it cannot begin later."""
    if paths.exit.exists():
        return ended(paths.exit.read_bytes())
    paths.folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return Alive(_pid(os.read(lock, 32)))
        if paths.exit.exists():  # it ended between the two looks
            return ended(paths.exit.read_bytes())
        content = os.read(lock, 32)
        if content and content != FENCED:
            return Vanished()
        if not content:
            os.write(lock, FENCED)
        return NeverStarted()
    finally:
        os.close(lock)


def _pid(content: bytes) -> int:
    return int(content) if content.isdigit() else 0


@dataclass(slots=True)
class Leftovers:
    """The processes of an attempt whose supervisor is gone, known by the variables that every step carries."""

    run_id: str
    step: str
    attempt: int
    marks: tuple[bytes, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.marks = (
            f"POINTSMAN_RUN_ID={self.run_id}".encode(),
            f"POINTSMAN_STEP={self.step}".encode(),
            f"POINTSMAN_ATTEMPT={self.attempt}".encode(),
        )

    def kill(self) -> int:
        """Kill them until none is left; how many there were."""
        killed: set[int] = set()
        while found := [pid for pid in self._found() if pid not in killed]:
            for pid in found:
                killed.add(pid)
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        return len(killed)

    def _found(self) -> list[int]:
        """The processes that carry the marks, and those in one session with them, which may have dropped theirs."""
        sessions: dict[int, int] = {}
        marked: set[int] = set()
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                try:
                    sessions[int(name)] = _session(name)
                    with open(f"/proc/{name}/environ", "rb") as file:
                        variables = set(file.read().split(b"\0"))
                except OSError:
                    continue
                if variables.issuperset(self.marks):
                    marked.add(int(name))
        theirs = {sessions[pid] for pid in marked} - {os.getsid(0)}
        return [pid for pid, session in sessions.items() if pid in marked or session in theirs]


def _session(pid: str) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[3])
