"""How long after a `git push` its outcome can be seen, beside what the push itself takes."""

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from benchmarks.figures import Figure, Table, by_name, ratio
from benchmarks.places import Task, daemon_on, published
from benchmarks.workloads import PROJECT, asset
from fakes.daemon import Daemon
from fakes.git import ENVIRONMENT, Repository

FEW, MANY = 3, 1_000
LOOK_SECONDS = 0.005
LONGEST_SECONDS = 60
TO_PUSH = 0.6
TEXT = f"steps:\n- {{target: {asset(0)}, action: pass}}\n- {{target: {asset(1)}, action: pass}}\n"


def tables(task: Task) -> Iterator[Table]:
    """A table for each number of workflows in the repository."""
    for count in (FEW,) if task.quick else (FEW, MANY):
        folder = task.folder / str(count)
        bare = published(folder / "repository.git", {f"w{number:04}": TEXT for number in range(count)}, assets=2)
        for name, value in (("receive.autogc", "false"), ("gc.auto", "0")):
            bare.git("config", name, value)
        clone = Repository.clone(bare, folder / "clone")
        with daemon_on(bare, folder / "data") as daemon:
            pushes = _Pushes(clone, daemon)
            pushes.round(1)  # readers start with the first questions
            found = by_name(pushes.round(number) for number in range(2, task.rounds + 2))
        yield Table(
            title=f"push: {count:,} workflows",
            says=f"One workflow's file is changed; `GET workflows` is asked every {LOOK_SECONDS * 1e3:.0f} ms.",
            figures=tuple(_figures(found)),
        )


def _figures(found: dict[str, tuple[float, ...]]) -> Iterator[Figure]:
    for what in _Pushes.KINDS:
        yield Figure(what=f"{what}: git push", unit="ms", values=found[f"{what} push"])
        yield Figure(what=f"{what}: seen after its end", unit="ms", values=found[f"{what} after"])
        yield ratio(f"{what}: seen after / git push", found[f"{what} after"], found[f"{what} push"], at_most=TO_PUSH)


@dataclass(frozen=True, slots=True)
class _Pushes:
    """Pushes from a clone to what the daemon follows: a branch, a workflow's own tag, a tag of the repository."""

    clone: Repository
    daemon: Daemon
    KINDS: ClassVar = ("branch", "workflow tag", "repository tag")

    def round(self, number: int) -> dict[str, float]:
        """Milliseconds of each push, and from its end until it was seen (0 if it was seen before)."""
        commit = self.clone.commit({f"{PROJECT}/workflows/w0000.yaml": f"name: Change {number}\n{TEXT}"})
        own, whole = f"bench/w0000/v{2 * number}", f"v{2 * number + 1}"
        for tag in (own, whole):
            self.clone.tag(tag, commit)
        return {
            **self._pushed("branch", "main", lambda entry: entry["drafts"][0]["commit"] == commit),
            **self._pushed("workflow tag", own, lambda entry: _is_latest(entry, own)),
            **self._pushed("repository tag", whole, lambda entry: _is_latest(entry, whole)),
        }

    def _pushed(self, what: str, ref: str, seen: Callable[[dict[str, Any]], bool]) -> dict[str, float]:
        command = ["git", "push", "--quiet", "origin", ref]
        begin = time.perf_counter()
        ended = shown = 0.0
        with subprocess.Popen(command, cwd=self.clone.path, env=ENVIRONMENT) as push:
            while not (ended and shown):
                now = time.perf_counter()
                if now - begin > LONGEST_SECONDS:
                    push.kill()
                    raise TimeoutError(f"the push of {ref} was not seen within {LONGEST_SECONDS} s")
                if not ended and push.poll() is not None:
                    ended = now
                if not shown and seen(self.daemon.get("workflows?limit=1")["items"][0]):
                    shown = time.perf_counter()
                time.sleep(LOOK_SECONDS)
        if push.returncode:
            raise RuntimeError(f"git push ended with {push.returncode}")
        return {f"{what} push": (ended - begin) * 1e3, f"{what} after": max(0.0, shown - ended) * 1e3}


def _is_latest(entry: dict[str, Any], tag: str) -> bool:
    return any(version["tag"] == tag and version["state"] == "valid" for version in entry["versions"])
