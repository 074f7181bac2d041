"""The daemon's readers: warm processes that answer questions about the repository, replaced after a limit was hit."""

import asyncio
import json
import logging
import math
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from pointsman.intake.judging import WHOLE, Share
from pointsman.intake.reader import HEAD, OUT_OF_MEMORY
from pointsman.intake.reading import PlanQuestion
from pointsman.intake.tag_answers import Received
from pointsman.intake.verdict import Verdict, WorkflowVerdict, joined
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Invalid, NotFound, Place, PointsmanError, Problem, Refused, Unavailable
from pointsman.model.wire import from_json, to_json
from pointsman.plan.planner import Planned

CPU_SECONDS = 8
WALL_SECONDS = 20.0
MOST_READERS = 2
MOST_LOOKED_AT = 1_000  # workflows in one answer; more than that are shared among the readers
KEPT_AT_ONCE = 500
LARGEST_ANSWER = 256 * 1024 * 1024
ERRORS: Mapping[str, type[PointsmanError]] = {
    "NotFound": NotFound,
    "Invalid": Invalid,
    "Refused": Refused,
    "Unavailable": Unavailable,
}
LedgerRow = tuple[str, str, str, str]
_UNDIVIDED: tuple[Share | None, ...] = (None, WHOLE)

log = logging.getLogger("pointsman.intake")


class ReaderLimitError(PointsmanError):
    """A question broke its reader or took too long, twice."""


class Readers:
    """A small pool. A question that breaks its reader is tried once more, alone, in a fresh one."""

    def __init__(
        self,
        repository: Path,
        root: str,
        data: Path,
        *,
        cpu_seconds: int = CPU_SECONDS,
        most_looked_at: int = MOST_LOOKED_AT,
    ) -> None:
        self._repository, self._root, self._data, self._cpu_seconds = repository, root, data, cpu_seconds
        self._most_looked_at = most_looked_at
        self._idle: list[_Process] = []
        self._places = asyncio.Semaphore(MOST_READERS)
        self._alone = asyncio.Lock()
        self._busy: set[Share | None] = set()
        self._returned = asyncio.Event()
        self.ledger: list[LedgerRow] = []
        self._mark = ""
        self._shares = 1
        self._kept: set[str] = set()
        self._cannot_keep = False

    async def close(self) -> None:
        """End the processes."""
        for process in self._idle:
            await process.close()
        self._idle.clear()

    async def verdict(
        self, commit: str, *, publishes: Mapping[str, str] | None = None, users: tuple[str, ...] | None = None
    ) -> Verdict:
        """What is thought of a commit; one that breaks the reader is invalid, with the reason.

        A repository with more workflows than one reader should look at in one go is shared among all of them.
        """
        question = {"commit": commit, "publishes": publishes, "users": users}
        try:
            if publishes and "*" not in publishes:
                return from_json(Verdict, (await self._answered({"op": "judge_one", **question}, WHOLE))[0])
            if self._shares == 1:
                whole = await self._share(question, WHOLE)
                if whole is not None:
                    return whole
                self._shares = MOST_READERS
            shares = [(number, self._shares) for number in range(self._shares)]
            parts = await asyncio.gather(*(self._share(question, share) for share in shares))
        except (ReaderLimitError, Invalid, NotFound) as error:
            # one ref that cannot be judged must not keep the others from being looked at
            return _refused(error)
        return joined([part for part in parts if part is not None])

    async def _share(self, question: Mapping[str, Any], share: Share) -> Verdict | None:
        """The verdict on one share of the workflows; None if the whole is too much for one reader."""
        request = {"op": "judge", "share": share, "most": self._most_looked_at, **question}
        left, begun_again = math.inf, False
        while True:
            answer, process = await self._answered(request, share)
            process.verdicts.update({
                path: from_json(WorkflowVerdict, one) for path, one in answer["changed"].items()
            })  # fmt: skip
            for path in answer["gone"]:
                process.verdicts.pop(path, None)
            found = from_json(Verdict, answer["rest"])
            if not found.unfinished:
                return replace(found, workflows=dict(process.verdicts))
            if share == WHOLE:
                return None
            if found.unfinished >= left:  # another reader has begun again: once is bad luck
                if begun_again:
                    raise _limit_reached("it never comes to the end")
                begun_again = True
            left = found.unfinished

    async def _verdict(self, op: str, **ask: Any) -> Verdict:  # noqa: ANN401 - JSON
        try:
            return from_json(Verdict, await self._ask(op, **ask))
        except (ReaderLimitError, Invalid, NotFound) as error:
            return _refused(error)

    async def source_verdict(self, project: str, workflow: str, source: str, *, base: str) -> Verdict:
        """What would be thought of one workflow file if it read like this."""
        answer = await self._ask("judge_source", project=project, workflow=workflow, source=source, base=base)
        return from_json(Verdict, answer)

    async def plan(self, question: PlanQuestion) -> Planned:
        """The plan, or every reason why there is none."""
        return from_json(Planned, await self._ask("plan", question=to_json(question)))

    async def lacking(self, pinned: PinnedWorkflow, *, inventory: str) -> tuple[Problem, ...]:
        """Warnings: what a version would lack at the commit `inventory` (R28)."""
        answer = await self._ask("lacking", pinned=to_json(pinned), inventory=inventory)
        return from_json(tuple[Problem, ...], answer)

    async def signing(self, head: str) -> str:
        """The key of the rule about signed tags at the head of the inventory branch; empty if there is none."""
        return str(await self._ask("signing", head=head))

    async def signature(self, tag: str, object_id: str, *, head: str, at: float) -> Problem | None:
        """What is wrong with the signature of a tag first seen at `at`; `Unavailable` if that cannot be told now."""
        answer = await self._ask("signature", tag=tag, object=object_id, head=head, at=at)
        return from_json(Problem, answer) if answer else None

    async def received(self, question: Received) -> Verdict:
        """What is thought of a tag or commit in the repository as it will be after a push."""
        return await self._verdict("received", question=to_json(question))

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

    async def keep(self, object_ids: Iterable[str]) -> None:
        """See to it that these commits and folders outlive what is rewritten and collected.

        Where the repository cannot be written this is said, once, and all goes on: it is a precaution.
        """
        new = sorted(set(object_ids) - self._kept)
        try:
            for start in range(0, len(new), KEPT_AT_ONCE):
                some = new[start : start + KEPT_AT_ONCE]
                await self._ask("keep", objects=some)
                self._kept.update(some)
        except PointsmanError as error:
            if not self._cannot_keep:
                log.warning("%s; %s", error.says, error.hint)
            self._cannot_keep = True

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
        return (await self._answered({"op": op, **ask}))[0]

    async def _answered(self, request: dict[str, Any], share: Share | None = None) -> tuple[Any, "_Process"]:
        """An answer, and who gave it: for a share of the workflows always the same one, who remembers them."""
        async with self._places:
            process = await self._taken(share)
            try:
                return await self._asked(process, request)
            except _BrokenError:
                pass
            finally:
                self._busy.discard(process.share)
                self._returned.set()
        async with self._alone:
            try:
                return await self._asked(self._fresh(share), request)
            except _BrokenError as error:
                raise _limit_reached(str(error)) from error

    async def _taken(self, share: Share | None) -> "_Process":
        """A reader that is idle; the one that remembers this share is waited for, as any other would begin again."""
        in_parts = share not in _UNDIVIDED
        while in_parts and share in self._busy:
            self._returned.clear()
            await self._returned.wait()
        fit = [process for process in self._idle if process.share == share]
        fit = fit or [process for process in self._idle if process.share in _UNDIVIDED or not in_parts]
        process = fit[-1] if fit else self._fresh(share)
        if fit:
            self._idle.remove(process)
        if share is not None and process.share in _UNDIVIDED:
            process.share = share
        self._busy.add(process.share)
        return process

    def _fresh(self, share: Share | None) -> "_Process":
        process = _Process(self._repository, self._root, self._cpu_seconds)
        process.share = share
        return process

    async def _asked(self, process: "_Process", request: dict[str, Any]) -> tuple[Any, "_Process"]:
        news = self.ledger[process.ledger_seen :]
        process.ledger_seen = len(self.ledger)
        try:
            # not wait_for: until Python 3.12 it loses a cancellation that comes together with the answer
            async with asyncio.timeout(WALL_SECONDS):
                answer = await process.answer({**request, "ledger": news})
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
        return answer["ok"], process


def _limit_reached(how: str) -> ReaderLimitError:
    hint = "reading this takes more memory or time than is allowed; make its files smaller or fewer"
    return ReaderLimitError(f"the reader hit its limit: {how}", hint=hint)


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
        self.share: Share | None = None
        self.verdicts: dict[str, WorkflowVerdict] = {}

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
                async with asyncio.timeout(0.5):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
        code = await self._process.wait()
        if code == -signal.SIGXCPU:
            return "it took too much processor time"
        if code == OUT_OF_MEMORY:
            return "it took too much memory"
        return f"it ended by signal {-code}" if code < 0 else f"it ended with exit code {code}"

    async def close(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                async with asyncio.timeout(2):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


def _refused(error: PointsmanError) -> Verdict:
    code = Code.READER_LIMIT if isinstance(error, ReaderLimitError) else Code.BAD_REF
    return Verdict(others=(Problem(place=Place("."), code=code, says=error.says, hint=error.hint),))


def _told(answer: dict[str, Any]) -> PointsmanError:
    kind = ERRORS.get(answer["error"], Invalid)
    if kind is Invalid:
        problems = from_json(tuple[Problem, ...], answer["problems"])
        return Invalid(answer["says"], problems, hint=answer["hint"])
    return kind(answer["says"], hint=answer["hint"])
