"""What it costs to judge very many workflows, beside a bare parse of the same files that keeps lines and columns."""

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Aim, Figure, Table, by_name, ratio
from benchmarks.places import Task
from fakes.git import ENVIRONMENT, Repository
from pointsman.intake.readers import Readers
from pointsman.intake.verdict import Verdict
from pointsman.load.marked_yaml import parsed

WORKFLOWS, PROJECTS = 10_000, 10
COLD, CHANGED = 1.5, 0.01
COMMAND_MS = 500
ENVIRONMENTS = ("dev", "staging", "prod")
ASSETS = range(3)
TEMPLATE = "name: Server\nactions:\n  check: {command: [./act.sh]}\n  deploy: {command: [./act.sh]}\n"


def tables(task: Task) -> Iterator[Table]:
    """One repository with very many workflows, judged as the daemon does it; and `validate` on a small one."""
    count = WORKFLOWS // 10 if task.quick else WORKFLOWS
    texts = {_path(number): workflow(number) for number in range(count)}
    repository = Repository.create(task.folder / "ops.git", bare=True)
    repository.commit({**inventory(), **texts}, executable={"templates/server/act.sh"})
    found = by_name(_round(repository, task.folder / "data", texts, number) for number in range(task.rounds))
    yield Table(
        title=f"verdicts: {count:,} workflows of {len(workflow(0).splitlines())} lines",
        says="The parse is this program's own, in one process; the verdicts come from fresh readers, start included.",
        figures=tuple(_figures(found)),
    )
    yield _command(task)


def _figures(found: dict[str, tuple[float, ...]]) -> Iterator[Figure]:
    for what, values in found.items():
        yield Figure(what=what, unit="ms", values=values)
    yield ratio("cold / bare parse", found["cold"], found["bare parse"], at_most=COLD)
    yield ratio("one file changed / cold", found["one file changed"], found["cold"], at_most=CHANGED)


def _round(repository: Repository, data: Path, texts: dict[str, str], number: int) -> dict[str, float]:
    """Milliseconds of each, one after another."""
    contents = [text.encode() for text in texts.values()]
    bare = _timed(lambda: [parsed(content, "x.yaml") for content in contents])
    return {"bare parse": bare, **asyncio.run(_judged(repository, data, number))}


async def _judged(repository: Repository, data: Path, number: int) -> dict[str, float]:
    readers = Readers(repository.path, "", data)
    try:
        commits = [repository.head()]
        for change in range(3):
            text = f"# {number}.{change}\n{workflow(0)}"
            commits.append(repository.commit({_path(0): text}))
        took = []
        for commit in (*commits, repository.commit({}, message="Nothing")):
            begin = time.perf_counter()
            verdict: Verdict = await readers.verdict(commit)
            took.append((time.perf_counter() - begin) * 1e3)
            if not verdict.valid:
                raise RuntimeError("the repository should be valid")
    finally:
        await readers.close()
    return {"cold": took[0], "one file changed": sorted(took[1:4])[1], "same tree": took[4]}


def _timed(work: object) -> float:
    assert callable(work)
    gc.collect()
    gc.disable()
    begin = time.perf_counter()
    work()
    took = (time.perf_counter() - begin) * 1e3
    gc.enable()
    return took


def _command(task: Task) -> Table:
    """`validate` of a small repository, from the prompt to the end, beside an interpreter that does nothing."""
    folder = task.folder / "small"
    subprocess.run(
        [sys.executable, "-m", "pointsman", "init", folder], check=True, capture_output=True, env=ENVIRONMENT
    )
    values: dict[str, list[float]] = {"python -c pass": [], "pointsman validate": []}
    for _ in range(task.rounds):
        for what, command in (
            ("python -c pass", ["-c", "pass"]),
            ("pointsman validate", ["-m", "pointsman", "validate"]),
        ):
            begin = time.perf_counter()
            subprocess.run(
                [sys.executable, *command],
                cwd=folder,
                check=True,
                capture_output=True,
                env={**os.environ, **ENVIRONMENT},
            )
            values[what].append((time.perf_counter() - begin) * 1e3)
    figures = [
        Figure(what=what, unit="ms", values=tuple(took), aim=Aim(at_most=COMMAND_MS) if "validate" in what else None)
        for what, took in values.items()
    ]
    return Table(title="validate: the hello_world example", says="A whole process each time.", figures=tuple(figures))


def inventory() -> dict[str, str]:
    """What the workflows act on."""
    files = {"templates/server/template.yaml": TEMPLATE, "templates/server/act.sh": "#!/bin/sh\n"}
    for project in range(PROJECTS):
        files[f"projects/p{project}/project.yaml"] = f"name: Project {project}\n"
        for environment in ENVIRONMENTS:
            for asset in ASSETS:
                path = f"projects/p{project}/environments/{environment}/assets/a{asset}.yaml"
                files[path] = "template: server\nproperties: {hostname: host.example.com}\n"
    return files


def _path(number: int) -> str:
    return f"projects/p{number % PROJECTS}/workflows/w{number:05}.yaml"


def workflow(number: int) -> str:
    """A workflow of sixty lines: three stages of four changes, an approval, and checks on three targets."""
    project = f"/projects/p{number % PROJECTS}"
    lines = [f"name: Workflow {number}", "description: Rolls out, environment by environment", "properties:"]
    lines += ["  region: eu", "steps:"]
    for environment in ENVIRONMENTS:
        lines += [f"  - name: Roll out {environment}", "    run_as: sequential", "    children:"]
        for asset in ASSETS:
            lines += [
                f"      - name: Deploy a{asset} in {environment}",
                f"        target: {project}/environments/{environment}/assets/a{asset}",
                "        action: deploy",
            ]
        lines += [f"      - target: {project}/environments/{environment}/assets/a0", "        action: check"]
    lines += ["  - name: Approve", "    type: wait", "    requires_approval_from:", "      user_names: [ann]"]
    lines += ["      ldap_groups:", "        - release-managers", "  - name: Check all", "    targets:"]
    lines += [f"      - {project}/environments/{name}/assets/a1" for name in ENVIRONMENTS]
    return "\n".join([*lines, "    action: check", "    run_as: parallel"]) + "\n"
