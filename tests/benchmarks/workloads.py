"""The shapes of work that steps are timed on, as a workflow, as a makefile, as ninja's file, and as a bare loop."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass

PROJECT = "projects/bench"
ARGV = ("/bin/sh", "-c", ":")
TEMPLATE = """\
name: A machine on which nothing is done
actions:
  pass:
    command: [/bin/sh, -c, ":"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Stages one after another, in each of them lanes side by side, in each of these so many steps in order."""

    name: str
    stages: int
    lanes: int
    depth: int
    workers: int

    @property
    def steps(self) -> int:
        """How many processes a run of it starts."""
        return self.stages * self.lanes * self.depth

    def lane(self, stage: int, lane: int) -> list[str]:
        """The names of a lane's steps in their order."""
        return [f"s{stage}-{lane}-{number}" for number in range(self.depth)]

    def edges(self) -> Iterator[tuple[str, str]]:
        """Every step with what it waits for; a stage's end is a name of its own, and waits for several."""
        before = ""
        for stage in range(self.stages):
            lanes = [self.lane(stage, lane) for lane in range(self.lanes)]
            for lane in lanes:
                yield from zip(lane, [before, *lane], strict=False)
            before = f"stage{stage}"
            yield before, " ".join(lane[-1] for lane in lanes)


SEQ100 = Shape(name="seq100", stages=100, lanes=1, depth=1, workers=1)
PAR200 = Shape(name="par200", stages=1, lanes=200, depth=1, workers=2)
TREE1000 = Shape(name="tree1000", stages=10, lanes=10, depth=10, workers=2)
WARM_UP = Shape(name="warm-up", stages=2, lanes=1, depth=1, workers=1)


def asset(number: int) -> str:
    """The path of one of the targets."""
    return f"/{PROJECT}/assets/a{number}"


def workflow(shape: Shape) -> str:
    """The workflow of a shape. In a stage no two changes have the same target, so that none waits for a lock."""
    lines = ["steps:"]
    for _ in range(shape.stages):
        lanes = [
            _change([asset(lane * shape.depth + step) for step in range(shape.depth)]) for lane in range(shape.lanes)
        ]
        if shape.lanes == 1:
            lines += [f"- {lanes[0]}"]
        else:
            lines += ["- name: Stage", "  run_as: parallel", "  children:", *(f"  - {lane}" for lane in lanes)]
    return "\n".join(lines) + "\n"


def _change(targets: list[str]) -> str:
    what = f"target: {targets[0]}" if len(targets) == 1 else f"targets: [{', '.join(targets)}]"
    return f"{{{what}, action: pass}}"


def makefile(shape: Shape) -> str:
    """The shape for make, which leaves out `:` alone: it knows that nothing would be done."""
    lines = [f"all: stage{shape.stages - 1}"]
    for name, waits_for in shape.edges():
        lines += [f".PHONY: {name}", f"{name}: {waits_for}"]
        lines += [] if name.startswith("stage") else ["\t@: ; :"]
    return "\n".join(lines) + "\n"


def ninja_file(shape: Shape) -> str:
    """The shape for ninja, which runs every command in `/bin/sh -c`."""
    lines = ["rule pass", "  command = :"]
    lines += [
        f"build {name}: {'phony' if name.startswith('stage') else 'pass'} {waits_for}"
        for name, waits_for in shape.edges()
    ]
    return "\n".join([*lines, f"default stage{shape.stages - 1}"]) + "\n"


def spawn_all(shape: Shape) -> None:
    """The floor: every step spawned and waited for, by as many threads as there are workers; nothing is kept."""
    for _ in range(shape.stages):
        lanes = iter(range(shape.lanes))
        threads = [threading.Thread(target=_spawn_lanes, args=(lanes, shape.depth)) for _ in range(shape.workers - 1)]
        for thread in threads:
            thread.start()
        _spawn_lanes(lanes, shape.depth)
        for thread in threads:
            thread.join()


def _spawn_lanes(lanes: Iterator[int], depth: int) -> None:
    while next(lanes, None) is not None:  # one thread at a time is in `next`: a range's iterator holds the lock
        for _ in range(depth):
            os.waitpid(os.posix_spawn(ARGV[0], ARGV, os.environ), 0)
