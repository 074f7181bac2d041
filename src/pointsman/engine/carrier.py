"""Carries changes out: from a claimed attempt to its supervisor, and from its end back to an event."""

import asyncio
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pointsman.act.bundles import Bundles, FolderFiles
from pointsman.act.paths import AttemptId, AttemptPaths
from pointsman.act.specification import StepLimits, content_secrets, specification, step_environment
from pointsman.act.standing import Ended, Leftovers, NeverStarted, Vanished
from pointsman.act.supervisors import End, Supervisors
from pointsman.model.event import Input, StepFailed, StepLost, StepSucceeded, StepUnstarted
from pointsman.model.names import workflow_codes
from pointsman.model.problem import PointsmanError
from pointsman.model.values import JsonObject
from pointsman.run.tree import Run
from pointsman.store.runs import RunHeader

REPORTED_FAILURE_DELAY = 1.0


class CannotStartError(Exception):
    """An attempt cannot be carried out, for a reason that trying again would not change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What attempts need besides their plan. `tree_files` gives a template folder's files from Git."""

    data: Path
    limits: StepLimits
    external_url: str
    boot: str
    tree_files: Callable[[str], FolderFiles]


class Carrier:
    """All attempts under way. `on_end` hears each end once, on the event loop, as the event it comes to."""

    def __init__(self, around: Surroundings, on_end: Callable[[AttemptId, Input], None]) -> None:
        self._around, self._report = around, on_end
        self._bundles = Bundles(around.data, around.tree_files)
        self._supervisors = Supervisors(around.data, self._ended)
        self._adopting: dict[AttemptId, tuple[str, str, str]] = {}

    def open(self) -> None:
        """Get ready to start processes."""
        self._bundles.forget_before(self._around.boot)
        self._supervisors.open()

    def tidy(self, active: Collection[AttemptId]) -> None:
        """Remove the working copies that killed supervisors of other attempts left behind."""
        kept = {str(attempt) for attempt in active}
        for folder in (self._around.data / "work").iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Let go of all attempts; they go on."""
        self._supervisors.close()

    def paths(self, attempt: AttemptId) -> AttemptPaths:
        """The files of an attempt."""
        return self._supervisors.paths(attempt)

    def launch(self, attempt: AttemptId, header: RunHeader, run: Run) -> None:
        """Begin a claimed attempt. An attempt that cannot begin ends like any other, with an event that says why."""
        self._adopting[attempt] = (header.id, run.plan.steps[attempt.step].key, "")
        try:
            self._supervisors.launch(attempt, self._order(attempt, header, run))
        except CannotStartError as error:
            self._soon(attempt, Ended(reason=str(error)))
        except PointsmanError as error:
            # the claim stands and nothing runs: the fence makes that certain, the next attempt waits a moment
            delay = asyncio.get_running_loop().call_later
            delay(REPORTED_FAILURE_DELAY, self._supervisors.adopt, attempt)
            self._adopting[attempt] = (header.id, run.plan.steps[attempt.step].key, error.says)

    def adopt(self, attempt: AttemptId, header: RunHeader, key: str, claimed_boot: str) -> None:
        """Take over an attempt of an earlier daemon. After a reboot, what left no record is lost: it may have run."""
        rebooted = "" if claimed_boot == self._around.boot else "the machine was restarted before it left a result"
        self._adopting[attempt] = (header.id, key, rebooted and f"!{rebooted}")
        self._supervisors.adopt(attempt)

    def stop(self, attempt: AttemptId) -> None:
        """TERM, then KILL after the grace period."""
        self._supervisors.stop(attempt)

    def _soon(self, attempt: AttemptId, end: End) -> None:
        asyncio.get_running_loop().call_soon(self._ended, attempt, end)

    def _order(self, attempt: AttemptId, header: RunHeader, run: Run) -> Mapping[str, object]:
        content = run.plan.contents[run.plan.steps[attempt.step].content]
        secrets = content_secrets(content)
        if secrets:
            raise CannotStartError(f"{secrets[0]} cannot be resolved: this daemon has no provider of secrets")
        try:
            bundle = self._bundles.folder(content.tree)
        except (OSError, PointsmanError) as error:
            raise CannotStartError(f"the folder of the template cannot be read: {error}") from error
        return specification(
            self.paths(attempt),
            content,
            bundle=bundle,
            env=step_environment(self._around.limits, self._facts(attempt, header, run)),
            context=self._context(attempt, header, run),
            limits=self._around.limits,
        )

    def _facts(self, attempt: AttemptId, header: RunHeader, run: Run) -> dict[str, str]:
        step = run.plan.steps[attempt.step]
        codes = step.target.strip("/").split("/")
        levels = dict(zip(codes[::2], codes[1::2], strict=False))
        return {
            "RUN_ID": header.id,
            "RUN_URL": f"{self._around.external_url}/runs/{header.number}",
            "STEP": step.key,
            "ATTEMPT": str(attempt.attempt),
            "PROJECT": levels.get("projects", ""),
            "ENVIRONMENT": levels.get("environments", ""),
            "ASSET": levels.get("assets", ""),
            "TARGET": step.target,
            "ACTION": step.action,
            "WORKFLOW": "/".join(workflow_codes(header.workflow)),
            "VERSION": header.version,
            "COMMIT": run.plan.pinned[0].commit,
            "ACTOR": header.started_by,
        }

    def _context(self, attempt: AttemptId, header: RunHeader, run: Run) -> JsonObject:
        outputs = {run.plan.steps[place].id: run.row(place).outputs for place in run.plan.named}
        return {
            "run": {"id": header.id, "number": header.number, "started_by": header.started_by},
            "workflow": {
                "path": header.workflow,
                "version": header.version,
                "commit": run.plan.pinned[0].commit,
                "properties": run.plan.properties,
            },
            "inventory_commit": run.plan.inventory_commit,
            "step": {"key": run.plan.steps[attempt.step].key, "attempt": attempt.attempt},
            "metadata": header.metadata,
            "steps": {name: {"outputs": found} for name, found in outputs.items() if found is not None},
        }

    def _ended(self, attempt: AttemptId, end: End) -> None:
        run_id, key, note = self._adopting.pop(attempt, ("", "", ""))
        step, number = attempt.step, attempt.attempt
        if isinstance(end, Ended):
            self._report(attempt, _result(attempt, end))
        elif isinstance(end, NeverStarted) and not note.startswith("!"):
            reason = note or "the daemon ended before it began"
            self._report(attempt, StepUnstarted(step=step, attempt=number, reason=reason))
        else:
            reason = note.removeprefix("!") or "its supervisor ended without a result"
            lost = StepLost(step=step, attempt=number, reason=f"outcome unknown: {reason}")
            leftovers = Leftovers(run_id, key, number)
            killing = asyncio.get_running_loop().run_in_executor(None, leftovers.kill)
            killing.add_done_callback(lambda _: self._report(attempt, lost))

    def vanished(self, attempt: AttemptId) -> None:
        """Say that an attempt is lost without looking."""
        self._ended(attempt, Vanished())


def _result(attempt: AttemptId, end: Ended) -> Input:
    """The event that an exit record comes to."""
    if end.reason:
        return StepFailed(
            step=attempt.step,
            attempt=attempt.attempt,
            reason=end.reason,
            exit_code=end.exit_code,
            stopped=end.stopped,
            log_bytes=end.log_bytes,
            log_sha256=end.log_sha256,
        )
    return StepSucceeded(
        step=attempt.step,
        attempt=attempt.attempt,
        outputs=end.outputs,
        log_bytes=end.log_bytes,
        log_sha256=end.log_sha256,
    )
