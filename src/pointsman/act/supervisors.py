"""The daemon's side of its supervisors: start one, adopt one of an earlier daemon, stop one, hear how it ended."""

import asyncio
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pointsman.act.paths import AttemptId, AttemptPaths
from pointsman.act.standing import Alive, Ended, NeverStarted, Vanished, standing
from pointsman.act.zygote import HEAD
from pointsman.model.problem import Unavailable

PACKAGES = str(Path(__file__).resolve().parents[2])
START = f"import sys; sys.path.insert(0, {PACKAGES!r}); from pointsman.act.zygote import main; main()"
BETWEEN_LOOKS = 0.02
AFTER_TROUBLE = 1.0
End = Ended | Vanished | NeverStarted
OnEnd = Callable[[AttemptId, End], None]


class Supervisors:
    """All attempts that are under way. `on_end` is called on the event loop, once for each."""

    def __init__(self, data: Path, on_end: OnEnd) -> None:
        self._data, self._on_end = data, on_end
        self._zygote: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._watched: dict[AttemptId, _Watched] = {}
        self._later: dict[AttemptId, asyncio.TimerHandle] = {}
        self._stops: set[AttemptId] = set()

    def __len__(self) -> int:
        return len(self._watched)

    def paths(self, attempt: AttemptId) -> AttemptPaths:
        """The files of an attempt."""
        return AttemptPaths(self._data, attempt)

    def open(self) -> None:
        """Start the warm process."""
        (self._data / "runs").mkdir(parents=True, exist_ok=True)
        (self._data / "work").mkdir(parents=True, exist_ok=True, mode=0o700)
        self._requests, theirs = socket.socketpair()
        self._requests.settimeout(10)
        with theirs:
            self._zygote = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", START],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8"},
                start_new_session=True,
                cwd="/",
            )

    def close(self) -> None:
        """Let go of everything; what is under way goes on without the daemon (R113)."""
        for watched in self._watched.values():
            watched.close()
        self._watched.clear()
        for look in self._later.values():
            look.cancel()
        self._later.clear()
        if self._requests is not None:
            self._requests.close()
        if self._zygote is not None:
            self._zygote.wait(10)

    def launch(self, attempt: AttemptId, spec: Mapping[str, Any]) -> None:
        """Begin an attempt whose claim is committed. `Unavailable` if it certainly did not begin."""
        body = json.dumps(spec).encode()
        try:
            self.paths(attempt).folder.mkdir(exist_ok=True)
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise Unavailable(f"no process can be started: {error}") from error
        with theirs:
            try:
                self._sent(body, theirs)
            except OSError as error:
                ours.close()
                raise Unavailable(f"no process can be started: {error}") from error
        ours.setblocking(False)
        self._watched[attempt] = _Watched(self, attempt, ours.detach(), is_socket=True)

    def _sent(self, body: bytes, news: socket.socket) -> None:
        """The request, to a new warm process if the present one is gone."""
        try:
            self._send(body, news)
        except OSError:
            self._reopen()
            self._send(body, news)

    def _send(self, body: bytes, news: socket.socket) -> None:
        assert self._requests is not None, "open() comes first"
        socket.send_fds(self._requests, [HEAD.pack(len(body))], [news.fileno()])
        self._requests.sendall(body)

    def _reopen(self) -> None:
        """The warm process died, killed or out of memory; its supervisors live on."""
        if self._requests is not None:
            self._requests.close()
        if self._zygote is not None:
            self._zygote.kill()
            self._zygote.wait()
        self.open()

    def adopt(self, attempt: AttemptId) -> None:
        """Take over an attempt of an earlier daemon: hear of its end now if it has ended, else when it does."""
        self._later.pop(attempt, None)
        try:
            found = self._found(attempt)
        except OSError:  # a full disk, or no descriptor left: nobody can tell yet (R112)
            self._look_again(attempt, AFTER_TROUBLE)
            return
        if found is None:
            self._look_again(attempt, BETWEEN_LOOKS)
        elif isinstance(found, int):
            self._watched[attempt] = _Watched(self, attempt, found, is_socket=False)
            if attempt in self._stops:
                self.stop(attempt)
        else:
            self._on_end(attempt, found)
        if attempt not in self._later:
            self._stops.discard(attempt)

    def _found(self, attempt: AttemptId) -> End | int | None:
        """Its end, or a handle on its living supervisor; None if it ended, or has just begun, between two looks."""
        found = standing(self.paths(attempt))
        if not isinstance(found, Alive):
            return found
        if not found.pid:
            return None
        try:
            handle = os.pidfd_open(found.pid)
        except ProcessLookupError:
            return None
        if _held(self.paths(attempt).lock):
            return handle
        os.close(handle)
        return None

    def _look_again(self, attempt: AttemptId, delay: float) -> None:
        self._later[attempt] = asyncio.get_running_loop().call_later(delay, self.adopt, attempt)

    def stop(self, attempt: AttemptId) -> None:
        """Ask for the end of an attempt: TERM, then KILL after the grace period. Nothing happens if it has ended."""
        if attempt in self._watched:
            self._watched[attempt].stop()
        elif attempt in self._later:
            self._stops.add(attempt)

    def ended(self, attempt: AttemptId, end: End | None) -> None:
        """A watched attempt said how it ended, or fell silent (None): then its files tell."""
        watched = self._watched.pop(attempt, None)
        if watched is not None:
            watched.close()
        if end is None:
            self.adopt(attempt)
        else:
            self._on_end(attempt, end)


class _Watched:
    """One attempt under way: by its socket for news, or by its process if an earlier daemon began it."""

    def __init__(self, owner: Supervisors, attempt: AttemptId, handle: int, *, is_socket: bool) -> None:
        self._owner, self._attempt, self._handle, self._is_socket = owner, attempt, handle, is_socket
        self._received = b""
        self._again: asyncio.TimerHandle | None = None
        asyncio.get_running_loop().add_reader(handle, self._read if is_socket else self._exited)

    def close(self) -> None:
        if self._again is not None:
            self._again.cancel()
        asyncio.get_running_loop().remove_reader(self._handle)
        os.close(self._handle)

    def _exited(self) -> None:
        self._owner.ended(self._attempt, None)

    def _read(self) -> None:
        try:
            data = os.read(self._handle, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            news = json.loads(line)
            if "reason" in news:
                known = {name: value for name, value in news.items() if name in Ended.__slots__}
                self._owner.ended(self._attempt, Ended(**known))
                return
        if not data:
            self._owner.ended(self._attempt, None)

    def stop(self) -> None:
        """TERM to the supervisor; if it has not taken its lock yet, as soon as it has."""
        lock = self._owner.paths(self._attempt).lock
        try:
            pid = int(lock.read_bytes() or b"0")
        except (FileNotFoundError, ValueError):
            pid = 0
        if not pid:
            self._again = asyncio.get_running_loop().call_later(BETWEEN_LOOKS, self.stop)
            return
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            # the lock is held, so the process that wrote its number there lives, and this handle means no other
            if _held(lock):
                signal.pidfd_send_signal(handle, signal.SIGTERM)
        finally:
            os.close(handle)


def _held(lock: Path) -> bool:
    handle = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
