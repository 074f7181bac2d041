"""The daemon's side of attempts, without a daemon: launches them for real and waits for their ends.

An action tells a test that it has come somewhere by writing to a `Meeting`, so nobody has to sleep.
"""

import asyncio
import os
import select
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pointsman.act.paths import AttemptId, AttemptPaths
from pointsman.act.specification import StepLimits, specification, step_environment
from pointsman.act.standing import Ended, Leftovers
from pointsman.act.supervisors import End, Supervisors
from pointsman.model.plan import Content, Phase

PATIENCE = 60.0
FIRST = AttemptId(1, 1, 1)


class Acting:
    """One daemon's supervisors over a data directory. Leaving it lets go of what is under way, as a daemon does."""

    def __init__(self, data: Path, *, environ: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.environ = environ or {}
        self.ends: dict[AttemptId, list[End]] = {}
        self.supervisors = Supervisors(data, self._hear)
        self._runner = asyncio.Runner()
        self._heard = asyncio.Event()

    def __enter__(self) -> Self:
        self.supervisors.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._runner:
            self.do(self.supervisors.close)

    def _hear(self, attempt: AttemptId, end: End) -> None:
        self.ends.setdefault(attempt, []).append(end)
        self._heard.set()

    def do(self, call: Callable[..., None], *arguments: Any) -> None:
        """Call something on the event loop."""

        async def called() -> None:
            call(*arguments)

        self._runner.run(called())

    def paths(self, attempt: AttemptId = FIRST) -> AttemptPaths:
        """The files of an attempt."""
        return self.supervisors.paths(attempt)

    def spec(
        self,
        script: str = "",
        *,
        attempt: AttemptId = FIRST,
        command: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        phases: Sequence[Phase] = (),
        timeout: int | None = None,
        properties: Mapping[str, Any] | None = None,
        bundle: Path | None = None,
        grace: float = 10,
        log_limit: int = 1 << 26,
    ) -> dict[str, Any]:
        """The order for an action of one phase, or of those given."""
        phase = Phase(name="configure", command=tuple(command), script=script, env=env or {})
        content = Content(
            target="/projects/p",
            action="configure",
            tree="",
            phases=tuple(phases) or (phase,),
            properties=dict(properties or {}),
            timeout_seconds=timeout,
        )
        limits = StepLimits(grace_seconds=grace, log_limit_bytes=log_limit, environ=self.environ)
        facts = {"RUN_ID": self.run_id(attempt), "STEP": str(attempt.step), "ATTEMPT": str(attempt.attempt)}
        return specification(
            self.paths(attempt),
            content,
            bundle=str(bundle or ""),
            env=step_environment(limits, facts),
            context={"run": {"number": attempt.run}},
            limits=limits,
        )

    def launch(self, script: str = "", *, attempt: AttemptId = FIRST, **wishes: Any) -> AttemptId:
        """Begin an attempt; the wishes are those of `spec`."""
        self.do(self.supervisors.launch, attempt, self.spec(script, attempt=attempt, **wishes))
        return attempt

    def adopt(self, attempt: AttemptId = FIRST) -> None:
        """Take over what an earlier daemon began."""
        self.do(self.supervisors.adopt, attempt)

    def stop(self, attempt: AttemptId = FIRST) -> None:
        """Ask for the end of an attempt."""
        self.do(self.supervisors.stop, attempt)

    def end(self, attempt: AttemptId = FIRST) -> End:
        """How the attempt ended, as soon as it has."""

        async def heard() -> None:
            async with asyncio.timeout(PATIENCE):
                while attempt not in self.ends:
                    self._heard.clear()
                    await self._heard.wait()

        self._runner.run(heard())
        return self.ends[attempt][0]

    def ended(self, script: str = "", **wishes: Any) -> Ended:
        """How an action ends, by its exit record."""
        end = self.end(self.launch(script, **wishes))
        assert isinstance(end, Ended)
        return end

    def log(self, attempt: AttemptId = FIRST) -> str:
        """What the action wrote."""
        path = self.paths(attempt).log
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def supervisor(self, attempt: AttemptId = FIRST) -> int:
        """The process id of the supervisor, which it wrote into its lock."""
        return int(self.paths(attempt).lock.read_text())

    def run_id(self, attempt: AttemptId) -> str:
        """The id of the attempt's run, which no other test has: leftovers are looked for on the whole machine."""
        return f"{self.data}-{attempt.run}"

    def leftovers(self, attempt: AttemptId = FIRST) -> Leftovers:
        """What is left of an attempt without a supervisor."""
        return Leftovers(self.run_id(attempt), str(attempt.step), attempt.attempt)

    def nothing_of(self, attempt: AttemptId = FIRST) -> bool:
        """Whether the working copy is gone with the supervisor, which removes it after it told the end."""
        return gone(self.supervisor(attempt)) and not self.paths(attempt).work.exists()

    @property
    def zygote(self) -> int:
        """The process id of the warm process."""
        assert self.supervisors._zygote is not None
        return self.supervisors._zygote.pid


class Meeting:
    """A named pipe at which an action meets its test: `echo word > $PLACE` waits for `word()`."""

    def __init__(self, folder: Path, name: str = "meeting") -> None:
        self.path = folder / name
        os.mkfifo(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def word(self) -> str:
        """What the next visitor says, when it has come."""
        handle = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            said = b""
            while not said.endswith(b"\n"):
                readable, _, _ = select.select([handle], [], [], PATIENCE)
                assert readable, "nobody came"
                said += os.read(handle, 4096)
        finally:
            os.close(handle)
        return said.decode().strip()

    def number(self) -> int:
        """The process id that the next visitor says."""
        return int(self.word())


def gone(pid: int) -> bool:
    """Whether a process has ended, after waiting for that."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        readable, _, _ = select.select([handle], [], [], PATIENCE)
        return bool(readable)
    finally:
        os.close(handle)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def killed(pid: int) -> None:
    """Kill a process and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
