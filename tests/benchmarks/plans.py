"""What planning costs: 10,000 steps over 1,000 targets, in this process and asked of a daemon."""

import json
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from benchmarks.figures import Figure, Table, by_name, ratio
from benchmarks.places import Task, daemon_on, files, published
from benchmarks.workloads import PROJECT, asset
from fakes.daemon import Daemon
from pointsman.load.assemble import Loaded, assemble
from pointsman.model.plan import PinnedWorkflow, Plan
from pointsman.model.source import Entry, Mode, Source
from pointsman.model.wire import to_json
from pointsman.plan.library import Shelf
from pointsman.plan.planner import Request, plan

TARGETS, TIMES = 1_000, 10
PATH = f"/{PROJECT}/workflows/wide"
Value = TypeVar("Value")


def wide_workflow() -> str:
    """Ten changes on the same thousand targets: 10,011 steps with the root and the ten steps above the changes."""
    targets = ", ".join(asset(number) for number in range(TARGETS))
    first = f"- {{targets: &all [{targets}], action: pass}}"
    return "\n".join(["steps:", first, *["- {targets: *all, action: pass}"] * (TIMES - 1)]) + "\n"


def tables(task: Task) -> Iterator[Table]:
    """One table: the planner, the same through `POST /api/v1/plan`, and the plan's JSON made and read as the floor."""
    texts = {"wide": wide_workflow()}
    loaded = _loaded(files(texts, assets=TARGETS))
    repository = published(task.folder / "repository.git", texts, assets=TARGETS)
    with daemon_on(repository, task.folder / "data") as daemon:
        _asked(daemon)  # the reader assembles the commit once
        found = by_name(_round(loaded, daemon) for _ in range(task.rounds))
    yield Table(
        title="plan",
        says=f"A plan of {TARGETS * TIMES:,} changes on {TARGETS:,} targets.",
        figures=(
            *(Figure(what=name, unit="ms", values=values) for name, values in found.items()),
            *(ratio(f"{name} / JSON", found[name], found["JSON, made and read"]) for name in ("planner", "POST plan")),
        ),
    )


def _loaded(texts: dict[str, str]) -> Loaded:
    entries = {path: Entry(mode=Mode.FILE, size=len(text), data=text.encode("utf-8")) for path, text in texts.items()}
    loaded = assemble(Source(entries=entries, trees={f"{PROJECT}/templates/idle": "1" * 40}, commit="2" * 40))
    if loaded.problems:
        raise RuntimeError(str(loaded.problems[0]))
    return loaded


def _round(loaded: Loaded, daemon: Daemon) -> dict[str, float]:
    made, planning = _timed(lambda: _planned(loaded))
    data = to_json(made)
    text, writing = _timed(lambda: json.dumps(data))
    _, reading = _timed(lambda: json.loads(text))
    _, asking = _timed(lambda: _asked(daemon))
    seconds = {"JSON, made and read": writing + reading, "planner": planning, "POST plan": asking}
    return {name: value * 1e3 for name, value in seconds.items()}


def _planned(loaded: Loaded) -> Plan:
    pinned = PinnedWorkflow(path=PATH, version="1", commit="2" * 40, tag="v1")
    definition = loaded.workflows[PATH]
    shelf = Shelf(inventory=loaded.inventory, releases={PATH: (pinned,)}, definitions={pinned: definition})
    made = plan(Request(pinned=pinned, definition=definition), shelf).plan
    if made is None or len(made.steps) != TARGETS * TIMES + TIMES + 1:
        raise RuntimeError("this is another plan than the one that is to be timed")
    return made


def _asked(daemon: Daemon) -> None:
    answer = daemon.ask("POST", "plan", {"workflow": PATH})
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.body[:500]!r}")


def _timed(what: Callable[[], Value]) -> tuple[Value, float]:
    begin = time.perf_counter()
    value = what()
    return value, time.perf_counter() - begin
