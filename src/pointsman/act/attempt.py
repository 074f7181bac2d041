"""Carrying out one attempt's action, phase by phase, until nothing of it is left. Standard library only."""

import os
import select
import signal
import time
from typing import Any

from pointsman.act.output import Output
from pointsman.act.processes import children, signal_all, some_left
from pointsman.act.program import NotStartedError, spawned
from pointsman.act.reported import ReportError, reported
from pointsman.act.workspace import UnusableError, Workspace

LARGEST_READ = 65536
Spec = dict[str, Any]


class Attempt:
    """The action of one attempt. From the moment it is made it answers TERM: it stops, or never begins (R92)."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.workspace = Workspace(spec["work"])
        self.output = Output(spec["log"], spec["times"], spec["log_limit"])
        self.grace = spec["grace"]
        self.stop_reason = ""
        self.stopped = False
        self.kill_at: float | None = None
        self.child = 0
        self.wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_term)
        self.pipe, self.pipe_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(self.pipe_write, True)

    def _on_term(self, _signal: int, _frame: object) -> None:
        self.stopped = True
        self._stop("stopped")

    def carried_out(self) -> dict[str, Any]:
        """The exit record of the attempt, after everything it started is gone."""
        deadline = _deadline(self.spec["timeout"])
        try:
            self.workspace.make(self.spec["bundle"], self.spec["properties"], self.spec["context"])
        except (UnusableError, OSError, ValueError) as error:
            return self.record(reason=f"the working copy cannot be made: {error}", exit_code=None)
        os.chdir(self.workspace.copy)
        phases = self.spec["phases"]
        for phase in phases:
            if self.stopped:
                return self.record(reason="stopped before it began", exit_code=None)
            if len(phases) > 1:
                self.output.write(f"── {phase['name']} ──\n".encode())
            try:
                reason, code = self._phase(phase, deadline)
            except NotStartedError as error:
                self.output.write(f"{error}\n".encode("utf-8", "replace"))
                reason, code = str(error), None
            if reason:
                named = f"{phase['name']}: {reason}" if len(phases) > 1 else reason
                return self.record(reason=named, exit_code=code)
        return self._good()

    def _good(self) -> dict[str, Any]:
        try:
            outputs = reported(self.workspace.output)
        except ReportError as error:
            self.output.write(f"{error}\n".encode("utf-8", "replace"))
            return self.record(reason=str(error), exit_code=0)
        return self.record(reason="", exit_code=0, outputs=outputs)

    def record(self, *, reason: str, exit_code: int | None, outputs: dict[str, Any] | None = None) -> dict[str, Any]:
        """What is known at the end; `reason` is empty for success."""
        self.output.finish()
        return {
            "reason": reason,
            "exit_code": exit_code,
            "outputs": outputs,
            "stopped": self.stopped,
            "log_bytes": self.output.bytes,
            "log_sha256": self.output.sha256,
            "log_trouble": self.output.trouble,
            "ended_at": time.time(),
        }

    def close(self) -> None:
        """Give back the descriptors of the action's output: the exit record needs one."""
        os.close(self.pipe)
        os.close(self.pipe_write)

    def _phase(self, phase: Spec, deadline: float | None) -> tuple[str, int | None]:
        """Why a phase did not succeed (empty if it did) and its exit code."""
        env = {**self.spec["env"], **phase["env"]}
        env.update(
            TMPDIR=self.workspace.temporary,
            POINTSMAN_PROPERTIES=self.workspace.properties,
            POINTSMAN_CONTEXT=self.workspace.context,
            POINTSMAN_OUTPUT=self.workspace.output,
        )
        self.kill_at, self.stop_reason = None, ""
        self.child = spawned(phase, env, self.pipe_write)
        if self.stopped:
            self._stop("stopped")
        status = self._waited(*self._limit(phase, deadline))
        self.child = 0
        self.end_leftovers()
        return self._judged(status)

    def _limit(self, phase: Spec, deadline: float | None) -> tuple[float | None, str]:
        """When a phase must have ended, by its own limit or the action's, and how that limit was written."""
        own = _deadline(phase["timeout"])
        if own is not None and (deadline is None or own <= deadline):
            return own, _words(phase["timeout"])
        return deadline, _words(self.spec["timeout"])

    def _judged(self, status: int) -> tuple[str, int | None]:
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            name = signal.Signals(number).name if number in set(signal.Signals) else "unknown"
            return self.stop_reason or f"ended by signal {number} ({name})", None
        code = os.WEXITSTATUS(status)
        if self.stop_reason:
            return self.stop_reason, code
        return (f"exit code {code}" if code else ""), code

    def _waited(self, deadline: float | None, limit: str) -> int:
        """The wait status of the phase's process; its output is copied meanwhile."""
        pidfd = os.pidfd_open(self.child)
        poll = select.poll()
        for source in (self.pipe, self.wake, pidfd):
            poll.register(source, select.POLLIN)
        try:
            while True:
                ends = [end for end in (deadline, self.kill_at) if end is not None]
                ready = {source for source, _ in poll.poll(_until(min(ends)) if ends else None)}
                self._copy()
                if self.wake in ready:
                    _drain(self.wake)
                if pidfd in ready:
                    return os.waitpid(self.child, 0)[1]
                now = time.monotonic()
                if deadline is not None and now >= deadline:
                    deadline = None
                    self._stop(f"timed out after {limit}")
                if self.kill_at is not None and now >= self.kill_at:
                    self.kill_at = None
                    signal_all(self.child, signal.SIGKILL)
        finally:
            os.close(pidfd)

    def _stop(self, reason: str) -> None:
        """TERM to the group now, KILL after the grace period (R61, R91)."""
        if self.child and not self.stop_reason:
            self.stop_reason = reason
            self.kill_at = time.monotonic() + self.grace
            signal_all(self.child, signal.SIGTERM)

    def _copy(self) -> None:
        while True:
            try:
                data = os.read(self.pipe, LARGEST_READ)
            except BlockingIOError:
                return
            self.output.write(data)
            if len(data) < LARGEST_READ:
                return

    def end_leftovers(self) -> None:
        """End every process that the phase left behind, also those that made a session of their own."""
        self._copy()
        end = time.monotonic() + self.grace
        sent: set[int] = set()
        while some_left():
            self._copy()
            kill = time.monotonic() >= end
            for pid in children():
                if kill or pid not in sent:
                    sent.add(pid)
                    signal_all(pid, signal.SIGKILL if kill else signal.SIGTERM)
            select.select([self.pipe], [], [], 0.02)
        self._copy()


def _deadline(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds


def _until(end: float) -> int:
    return max(0, round((end - time.monotonic()) * 1000) + 1)


def _drain(handle: int) -> None:
    try:
        while os.read(handle, 512):
            pass
    except BlockingIOError:
        pass


def _words(seconds: float | None) -> str:
    """Seconds as their author would write them: `10m`, `1h30m`, `45s`."""
    left, words = int(seconds or 0), ""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, left = divmod(left, size)
        words += f"{count}{unit}" if count else ""
    return words or "0s"
