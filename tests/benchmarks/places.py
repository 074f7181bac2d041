"""What benchmarks run against: repositories, daemons, and runs followed to their end over the event stream."""

import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.workloads import PROJECT, TEMPLATE
from fakes.daemon import Daemon
from fakes.git import Repository

LONGEST_RUN_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """How a benchmark is to be done. It may leave whatever it likes in `folder`, which is new and empty."""

    rounds: int
    quick: bool
    folder: Path


def files(workflows: Mapping[str, str], *, assets: int) -> dict[str, str]:
    """A project with these workflows, and so many assets whose one action does nothing."""
    found = {f"{PROJECT}/project.yaml": "name: Bench\n", f"{PROJECT}/templates/idle/template.yaml": TEMPLATE}
    found |= {f"{PROJECT}/assets/a{number}.yaml": "template: idle\n" for number in range(assets)}
    return found | {f"{PROJECT}/workflows/{name}.yaml": text for name, text in workflows.items()}


def published(folder: Path, workflows: Mapping[str, str], *, assets: int) -> Repository:
    """A bare repository with `files` on `main`, released as version 1."""
    repository = Repository.create(folder, bare=True)
    repository.commit(files(workflows, assets=assets))
    repository.tag("v1")
    return repository


@contextmanager
def daemon_on(repository: Repository, data: Path) -> Iterator[Daemon]:
    """A daemon with two workers and an operator, on a free port of the loopback address."""
    daemon = Daemon(repository.path, data, args=("--workers", "2", "--operator", "bench")).start()
    try:
        yield daemon
    finally:
        daemon.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A run that has succeeded: seconds until its submission was answered, and until its event stream ended."""

    number: int
    accepted: float
    ended: float


def run_to_end(daemon: Daemon, workflow: str) -> Ran:
    """Submit a run and follow it by its events until it has ended, as a user would; anything but success raises."""
    begin = time.perf_counter()
    number = daemon.post("runs", {"workflow": f"/{PROJECT}/workflows/{workflow}"})["number"]
    accepted = time.perf_counter() - begin
    _follow(f"{daemon.url}/api/v1/runs/{number}/events", begin + LONGEST_RUN_SECONDS)
    ended = time.perf_counter() - begin
    run: Mapping[str, Any] = daemon.get(f"runs/{number}")
    if run["state"] != "succeeded":
        raise RuntimeError(f"run {number} of {workflow} is {run['state']}, not succeeded")
    return Ran(number=number, accepted=accepted, ended=ended)


def _follow(url: str, deadline: float) -> None:
    """Read an event stream until the daemon ends it. The events are not looked at: that would take its processor."""
    request = urllib.request.Request(url, headers={"Accept": "text/event-stream"})
    with urllib.request.urlopen(request, timeout=60) as stream:
        while stream.read1(1 << 16):
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{url} has not ended within {LONGEST_RUN_SECONDS} s")
