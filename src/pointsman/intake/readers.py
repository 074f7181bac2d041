"""The daemon's readers: warm processes that answer questions about the repository, replaced after a limit was hit."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pointsman.intake.reader import HEAD
from pointsman.intake.reading import PlanQuestion
from pointsman.intake.verdict import Verdict
from pointsman.model.problem import Code, Invalid, NotFound, Place, PointsmanError, Problem, Refused, Unavailable
from pointsman.model.wire import from_json, to_json
from pointsman.plan.planner import Planned

CPU_SECONDS = 8
WALL_SECONDS = 20.0
MOST_READERS = 2
LARGEST_ANSWER = 256 * 1024 * 1024
ERRORS: Mapping[str, type[PointsmanError]] = {
    "NotFound": NotFound,
    "Invalid": Invalid,
    "Refused": Refused,
    "Unavailable": Unavailable,
}
LedgerRow = tuple[str, str, str, str]


class ReaderLimitError(PointsmanError):
    """A question broke its reader or took too long, twice."""


class Readers:
    """A small pool. A question that breaks its reader is tried once more, alone, in a fresh one."""

    def __init__(self, repository: Path, root: str, data: Path, *, cpu_seconds: int = CPU_SECONDS) -> None:
        self._repository, self._root, self._data, self._cpu_seconds = repository, root, data, cpu_seconds
        self._idle: list[_Process] = []
        self._places = asyncio.Semaphore(MOST_READERS)
        self._alone = asyncio.Lock()
        self.ledger: list[LedgerRow] = []
        self._mark = ""

    async def close(self) -> None:
        """End the processes."""
        for process in self._idle:
            await process.close()
        self._idle.clear()

    async def verdict(
        self, commit: str, *, publishes: Mapping[str, str] | None = None, users: tuple[str, ...] | None = None
    ) -> Verdict:
        """What is thought of a commit; one that breaks the reader is invalid, with the reason."""
        try:
            answer = await self._ask("judge", commit=commit, publishes=publishes, users=users)
        except ReaderLimitError as error:
            limit = Problem(place=Place("."), code=Code.READER_LIMIT, says=error.says, hint=error.hint)
            return Verdict(problems=(limit,))
        except (Invalid, NotFound) as error:
            # one ref that cannot be judged must not keep the others from being looked at
            return Verdict(problems=(Problem(place=Place("."), code=Code.BAD_REF, says=error.says, hint=error.hint),))
        return from_json(Verdict, answer)

    async def source_verdict(self, project: str, workflow: str, source: str, *, base: str) -> Verdict:
        """What would be thought of one workflow file if it read like this."""
        answer = await self._ask("judge_source", project=project, workflow=workflow, source=source, base=base)
        return from_json(Verdict, answer)

    async def plan(self, question: PlanQuestion) -> Planned:
        """The plan, or every reason why there is none."""
        return from_json(Planned, await self._ask("plan", question=to_json(question)))

    async def inventory(self, commit: str) -> dict[str, Any]:
        """Projects, policies and targets at a commit."""
        return cast("dict[str, Any]", await self._ask("inventory", commit=commit))

    async def text(self, commit: str, file: str) -> str:
        """The text of a definition file."""
        return str(await self._ask("text", commit=commit, file=file))

    async def resolve(self, text: str) -> str:
        """The commit that a branch, tag or commit id means."""
        return str(await self._ask("resolve", text=text))

    async def facts(self, commit: str) -> dict[str, Any]:
        """Author, time and subject of a commit."""
        return cast("dict[str, Any]", await self._ask("facts", commit=commit))

    async def refs(self) -> dict[str, Any] | None:
        """All refs, or None if they are as they were when last asked."""
        answer = await self._ask("refs", seen=self._mark)
        if answer["refs"] is not None:
            self._mark = answer["mark"]
        return cast("dict[str, Any] | None", answer["refs"])

    async def export(self, tree: str) -> None:
        """See to it that the folder of a template is on disk, for its steps."""
        place = self._data / "bundles" / tree
        if place.is_dir():
            return
        fresh = _fresh_folder(place.parent)
        try:
            await self._ask("export", tree=tree, folder=str(fresh))
            fresh.rename(place)
        except OSError as error:
            if not place.is_dir():
                raise Unavailable(f"the folder of a template cannot be written: {error}") from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    async def _ask(self, op: str, **ask: Any) -> Any:  # noqa: ANN401 - JSON
        request = {"op": op, **ask}
        async with self._places:
            try:
                return await self._asked(self._idle.pop() if self._idle else self._fresh(), request)
            except _BrokenError:
                pass
        async with self._alone:
            try:
                return await self._asked(self._fresh(), request)
            except _BrokenError as error:
                says = f"the reader hit its limit: {error}"
                hint = "reading this takes more memory or time than is allowed; make its files smaller or fewer"
                raise ReaderLimitError(says, hint=hint) from error

    def _fresh(self) -> "_Process":
        return _Process(self._repository, self._root, self._cpu_seconds)

    async def _asked(self, process: "_Process", request: dict[str, Any]) -> Any:  # noqa: ANN401
        news = self.ledger[process.ledger_seen :]
        process.ledger_seen = len(self.ledger)
        try:
            answer = await asyncio.wait_for(process.answer({**request, "ledger": news}), WALL_SECONDS)
        except TimeoutError:
            await process.kill()
            raise _BrokenError(f"it took more than {WALL_SECONDS:.0f} s") from None
        except (OSError, EOFError, asyncio.IncompleteReadError) as error:
            raise _BrokenError(await process.kill()) from error
        except BaseException:
            await process.kill()
            raise
        self._idle.append(process)
        if "error" in answer:
            raise _told(answer)
        return answer["ok"]


def _fresh_folder(parent: Path) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="new-", dir=parent))


class _BrokenError(Exception):
    """The process is gone."""


class _Process:
    def __init__(self, repository: Path, root: str, cpu_seconds: int) -> None:
        self._arguments = ("-m", "pointsman.intake.reader", str(repository), root, str(cpu_seconds))
        self._process: asyncio.subprocess.Process | None = None
        self.ledger_seen = 0

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"LANG": "C.UTF-8", "GIT_NO_REPLACE_OBJECTS": "1", "HOME": os.environ.get("HOME", "/")},
                start_new_session=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        body = json.dumps(request).encode("utf-8", "surrogatepass")
        self._process.stdin.write(HEAD.pack(len(body)) + body)
        await self._process.stdin.drain()
        (length,) = HEAD.unpack(await self._process.stdout.readexactly(HEAD.size))
        if length > LARGEST_ANSWER:
            raise EOFError
        return cast("dict[str, Any]", json.loads(await self._process.stdout.readexactly(length)))

    async def kill(self) -> str:
        """End it, and say how it had ended."""
        if self._process is None:
            return "it could not be started"
        if self._process.returncode is None:
            try:
                await asyncio.wait_for(self._process.wait(), 0.5)
            except TimeoutError:
                self._process.kill()
        code = await self._process.wait()
        if code == -signal.SIGXCPU:
            return "it took too much processor time"
        return f"it ended by signal {-code}" if code < 0 else f"it ended with exit code {code}"

    async def close(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                await asyncio.wait_for(self._process.wait(), 2)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


def _told(answer: dict[str, Any]) -> PointsmanError:
    kind = ERRORS.get(answer["error"], Invalid)
    if kind is Invalid:
        problems = from_json(tuple[Problem, ...], answer["problems"])
        return Invalid(answer["says"], problems, hint=answer["hint"])
    return kind(answer["says"], hint=answer["hint"])
