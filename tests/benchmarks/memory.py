"""What the processes of an idle daemon hold in memory after a run, beside bare ones that import the same modules."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pointsman
from benchmarks.figures import Figure, Table, by_name, ratio
from benchmarks.places import Task, daemon_on, published, run_to_end
from benchmarks.workloads import SEQ100, workflow
from fakes.git import Repository

TO_IMPORTS = 2.0
READ_SELF = "print(open('/proc/self/smaps_rollup').read())"
IMPORTS: Mapping[str, tuple[str, ...]] = {
    "daemon": ("-c", f"import pointsman.cli.main, pointsman.daemon; {READ_SELF}"),
    "reader": ("-I", "-c", f"import pointsman.intake.reader; {READ_SELF}"),
    "warm": ("-I", "-S", "-c", f"import sys; sys.path.append(sys.argv[1]); import pointsman.act.zygote; {READ_SELF}"),
}
MARKS = {"pointsman.intake.reader": "reader", "zygote": "warm"}
NAMES = {"daemon": "the daemon itself", "reader": "its readers", "warm": "its warm process"}


def tables(task: Task) -> Iterator[Table]:
    """One table: resident memory of each process and of the bare ones; a new daemon for every round."""
    repository = published(task.folder / "repository.git", {SEQ100.name: workflow(SEQ100)}, assets=SEQ100.steps)
    found = by_name(_round(repository, task.folder / f"data{number}") for number in range(task.rounds))
    figures = [Figure(what=name, unit="MiB", values=values) for name, values in found.items() if "," in name]
    figures.append(Figure(what="readers there are", unit="", values=found["readers"]))
    for kind in ("daemon", "warm"):
        over, under = found[f"{NAMES[kind]}, RSS"], found[f"{kind}: the same imports, RSS"]
        figures.append(ratio(f"{NAMES[kind]} / the same imports", over, under, at_most=TO_IMPORTS))
    says = "An idle daemon after a run of 100 steps. RSS counts shared pages in full, PSS each process's part of them."
    yield Table(title="memory", says=says, figures=tuple(figures))


def _round(repository: Repository, data: Path) -> dict[str, float]:
    with daemon_on(repository, data) as daemon:
        run_to_end(daemon, SEQ100.name)
        assert daemon.process is not None
        processes = {"daemon": [daemon.process.pid], "reader": [], "warm": []}
        for pid in _children(daemon.process.pid):
            command = Path(f"/proc/{pid}/cmdline").read_text("utf-8")
            kind = next((kind for mark, kind in MARKS.items() if mark in command), None)
            if kind is not None:
                processes[kind].append(pid)
        found = {"readers": float(len(processes["reader"]))}
        for kind, pids in processes.items():
            texts = [Path(f"/proc/{pid}/smaps_rollup").read_text("ascii") for pid in pids]
            for measure in ("Rss", "Pss"):
                found[f"{NAMES[kind]}, {measure.upper()}"] = sum(_mebibytes(text, measure) for text in texts)
    for kind, arguments in IMPORTS.items():
        found[f"{kind}: the same imports, RSS"] = _mebibytes(_imported(arguments), "Rss")
    return found


def _imported(arguments: tuple[str, ...]) -> str:
    """What a bare process says of its memory after its imports."""
    above = str(Path(pointsman.__file__).parents[1])
    command = [sys.executable, *arguments, above]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def _mebibytes(rollup: str, measure: str) -> float:
    match = re.search(rf"^{measure}:\s+(\d+) kB$", rollup, re.MULTILINE)
    if match is None:
        raise RuntimeError(f"the kernel does not say {measure} in smaps_rollup")
    return int(match[1]) / 1024
