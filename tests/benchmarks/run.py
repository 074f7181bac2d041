"""Every benchmark, with the aims beside the figures: `python tests/benchmarks/run.py`. It never fails on a figure."""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the packages of tests, instead of this folder

from benchmarks import events, memory, plans, push, steps, tags, verdicts  # noqa: E402 - the line above comes first
from benchmarks.figures import Table  # noqa: E402 - as above
from benchmarks.places import Task  # noqa: E402 - as above

BENCHMARKS: Mapping[str, Callable[[Task], Iterator[Table]]] = {
    "steps": steps.tables,
    "push": push.tables,
    "plan": plans.tables,
    "events": events.tables,
    "memory": memory.tables,
    "tags": tags.tables,
    "verdicts": verdicts.tables,
}
ROUNDS = 5


def main() -> None:
    """Do what the command line asks for, and print each table as soon as it is there."""
    options = _options()
    report: dict[str, Any] = {"machine": _machine(), "load_before": os.getloadavg(), "tables": []}
    _say(f"{report['machine']}, load {_load()}")
    missing = steps.missing_peers()
    if missing:
        _say(f"not installed, so left out: {', '.join(missing)}")
    rounds = 1 if options.quick else options.rounds
    # what is there for all of it is removed at the end: a file system is slow for a while after many removals
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-", ignore_cleanup_errors=True) as folder:
        for name in options.only:
            place = Path(folder, name)
            place.mkdir()
            for table in BENCHMARKS[name](Task(rounds=rounds, quick=options.quick, folder=place)):
                _say(f"\n{table}")
                figures = [figure.as_json() for figure in table.figures]
                report["tables"].append({"title": table.title, "says": table.says, "figures": figures})
    _say(f"\n{rounds} round{'s' if rounds > 1 else ''}, load {_load()}")
    if options.json is not None:
        options.json.write_text(json.dumps({**report, "load_after": os.getloadavg()}, indent=1) + "\n", "utf-8")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is what the command is for


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What a daemon does, and what it costs on this machine.")
    parser.add_argument("--rounds", type=_count, default=ROUNDS, help=f"how often each is done ({ROUNDS})")
    parser.add_argument("--only", type=_names, default=list(BENCHMARKS), help=",".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value there too")
    parser.add_argument("--quick", action="store_true", help="one round, without what takes long")
    return parser.parse_args()


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one round")
    return number


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    return names


def _machine() -> str:
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def _load() -> str:
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


if __name__ == "__main__":
    main()
