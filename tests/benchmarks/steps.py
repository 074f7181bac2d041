"""What a step costs: the same work through a daemon, by bare spawns, by make and by ninja, one after another."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.figures import Figure, Table, by_name, ratio
from benchmarks.places import Task, daemon_on, published, run_to_end
from benchmarks.workloads import (
    PAR200,
    SEQ100,
    TREE1000,
    WARM_UP,
    Shape,
    makefile,
    ninja_file,
    spawn_all,
    workflow,
)
from fakes.daemon import Daemon

TO_BARE = {"seq100": 6.0, "par200": 6.0, "tree1000": 6.0}
GROWTH = 1.3
PEERS: Mapping[str, tuple[str, Callable[[Shape], str], tuple[str, ...]]] = {
    "make": ("Makefile", makefile, ("make", "--silent", "--jobs")),
    "ninja": ("build.ninja", ninja_file, ("ninja", "--quiet", "-j")),
}
LONGEST_PEER_SECONDS = 120
Rounds = Mapping[str, tuple[float, ...]]


def missing_peers() -> list[str]:
    """The peers that are not installed; their rows are left out."""
    return [peer for peer in PEERS if shutil.which(peer) is None]


def tables(task: Task) -> Iterator[Table]:
    """A table for each shape, then how the cost of a step grows from the flat shape to the large tree."""
    shapes = (SEQ100, PAR200) if task.quick else (SEQ100, PAR200, TREE1000)
    texts = {shape.name: workflow(shape) for shape in (*shapes, WARM_UP)}
    repository = published(task.folder / "repository.git", texts, assets=PAR200.steps)
    found: dict[str, Rounds] = {}
    with daemon_on(repository, task.folder / "data") as daemon:
        run_to_end(daemon, WARM_UP.name)
        for shape in shapes:
            folder = _written(shape, task.folder)
            found[shape.name] = by_name(_round(shape, folder, daemon) for _ in range(task.rounds))
            yield Table(
                title=f"steps: {shape.name}",
                says=f"{shape.steps} times `/bin/sh -c :`, {shape.workers} at a time; the times are for one step.",
                figures=tuple(_figures(found[shape.name], TO_BARE[shape.name])),
            )
    if not task.quick:
        own = [found[shape.name]["pointsman"] for shape in (TREE1000, PAR200)]
        figure = ratio("tree1000 / par200", *own, at_most=GROWTH)
        yield Table(
            title="steps: growth", says="A step in the large tree over one in the flat shape.", figures=(figure,)
        )


def _written(shape: Shape, parent: Path) -> Path:
    """A folder with the files of the peers."""
    folder = parent / shape.name
    folder.mkdir()
    for name, text, _ in PEERS.values():
        (folder / name).write_text(text(shape), "utf-8")
    return folder


def _round(shape: Shape, folder: Path, daemon: Daemon) -> dict[str, float]:
    """Milliseconds of a step by each way there is; `accepted` is until the submission of the run was answered."""
    begin = time.perf_counter()
    spawn_all(shape)
    seconds = {"bare": time.perf_counter() - begin}
    ran = run_to_end(daemon, shape.name)
    seconds["pointsman"] = ran.ended
    for peer, (_, _, command) in PEERS.items():
        if shutil.which(peer):
            begin = time.perf_counter()
            subprocess.run([*command, str(shape.workers)], cwd=folder, check=True, timeout=LONGEST_PEER_SECONDS)
            seconds[peer] = time.perf_counter() - begin
    found = {name: value / shape.steps * 1e3 for name, value in seconds.items()}
    return {**found, "accepted": ran.accepted * 1e3}


def _figures(found: Rounds, to_bare: float) -> Iterator[Figure]:
    names = {"bare": "bare spawn and wait", "pointsman": "pointsman, from submission to end"}
    for name in ("bare", "pointsman", *PEERS):
        if name in found:
            yield Figure(what=names.get(name, name), unit="ms", values=found[name])
    yield Figure(what="submission, once a run", unit="ms", values=found["accepted"])
    yield ratio("pointsman / bare spawn", found["pointsman"], found["bare"], at_most=to_bare)
    for peer in PEERS:
        if peer in found:
            yield ratio(f"pointsman / {peer}", found["pointsman"], found[peer])
