"""What it costs to look over very many tags, as the daemon does it, beside what listing them costs alone."""

import asyncio
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pygit2

from benchmarks.figures import Aim, Figure, Table, by_name
from benchmarks.places import Task, files
from benchmarks.workloads import PROJECT, asset
from fakes.following import Following
from fakes.git import EMAIL, ENVIRONMENT, FIRST_TIME, NAME, Repository
from pointsman.intake.readers import Readers
from pointsman.repo.opening import open_repository
from pointsman.repo.refs import read_refs

TAGS, COMMITS, EVERY = 100_000, 1_000, 300
RELEASES = 5_000
FIRST_MS, UNCHANGED_MS = 1_000, 20
TEXT = f"steps:\n- {{target: {asset(0)}, action: pass}}\n"
WHO = f"{NAME} <{EMAIL}> {FIRST_TIME} +0000"


def tables(task: Task) -> Iterator[Table]:
    """Most tags are no releases, as in a repository whose builds are tagged; then one where all of them are."""
    tags = TAGS // 10 if task.quick else TAGS
    made = repository(task.folder / "ops.git", tags, every=EVERY)
    found = by_name(_round(made, task.folder / "data", number) for number in range(task.rounds))
    yield Table(
        title=f"tags: {tags:,}, annotated and packed",
        says=f"On {COMMITS:,} commits; one in {EVERY} is a release of the one workflow, the others release nothing.",
        figures=tuple(_figures(found)),
    )
    yield _releases(task, RELEASES // 10 if task.quick else RELEASES)


def _figures(found: dict[str, tuple[float, ...]]) -> Iterator[Figure]:
    aims = {"asked of a reader: first": FIRST_MS, "asked of a reader: unchanged": UNCHANGED_MS}
    aims["follower: nothing moved"] = UNCHANGED_MS
    for what, values in found.items():
        aim = Aim(at_most=aims[what]) if what in aims else None
        yield Figure(what=what, unit="ms", values=values, aim=aim)


def _releases(task: Task, tags: int) -> Table:
    """Every tag is a version: each is judged and entered into the ledger once, at the first look ever."""
    made = repository(task.folder / "all.git", tags, every=1)
    following = Following(made)
    first = _timed(following.look)
    following.restart()
    again = _timed(following.look)
    unchanged = _timed(following.look)
    following.close()
    values = {"first look ever": first, "first look after a restart": again, "nothing moved": unchanged}
    return Table(
        title=f"tags: {tags:,}, every one a release",
        says="The follower's looks, the verdicts and the ledger included; all commits have the same tree. Once.",
        figures=tuple(Figure(what=what, unit="ms", values=(value,)) for what, value in values.items()),
    )


def repository(folder: Path, tags: int, *, every: int) -> Repository:
    """A bare repository with one workflow and so many tags, of which one in `every` publishes it."""
    made = Repository.create(folder, bare=True)
    text = BytesIO()
    text.write(f"commit refs/heads/main\nmark :1\ncommitter {WHO}\ndata 0\n".encode())
    for path, content in files({"w": TEXT}, assets=1).items():
        text.write(f"M 100644 inline {path}\ndata {len(content.encode())}\n{content}\n".encode())
    for mark in range(2, COMMITS + 1):
        text.write(f"commit refs/heads/main\nmark :{mark}\ncommitter {WHO}\ndata 0\nfrom :{mark - 1}\n".encode())
    for number in range(tags):
        name = f"build/{number}" if number % every else f"{PROJECT.split('/')[1]}/w/v{number + 1}"
        text.write(f"tag {name}\nfrom :{number % COMMITS + 1}\ntagger {WHO}\ndata 8\nRelease\n\n".encode())
    made.git("fast-import", "--quiet", stdin=text.getvalue())
    made.git("pack-refs", "--all")
    return made


def _round(made: Repository, data: Path, number: int) -> dict[str, float]:
    listing = pygit2.Repository(str(made.path))
    found = {
        "pygit2: names and targets": _timed(lambda: [ref.target for ref in listing.references.iterator()]),
        "git for-each-ref": _timed(lambda: _listed(made, "%(refname) %(objectname)")),
        "git for-each-ref, with commits": _timed(lambda: _listed(made, "%(refname) %(*objectname)")),
    }
    opened = open_repository(made.path)
    found["read in this process: first"] = _timed(lambda: read_refs(opened))
    with asyncio.Runner() as runner:
        readers = Readers(made.path, "", data)
        runner.run(readers.facts(made.head()))  # the process starts with its first question
        found |= _asked(made, readers, runner.run, number)
        runner.run(readers.close())
    return found | _followed(made, number)


def _asked(
    made: Repository, readers: Readers, run: Callable[[Coroutine[Any, Any, Any]], Any], number: int
) -> dict[str, float]:
    found = {
        "asked of a reader: first": _timed(lambda: run(readers.refs())),
        "asked of a reader: unchanged": _timed(lambda: run(readers.refs())),
    }
    made.tag(f"loose/{number}")
    found["asked of a reader: one tag more"] = _timed(lambda: run(readers.refs()))
    made.git("pack-refs", "--all")
    found["asked of a reader: packed again"] = _timed(lambda: run(readers.refs()))
    return found


def _followed(made: Repository, number: int) -> dict[str, float]:
    following = Following(made)
    following.look()
    found = {"follower: nothing moved": _timed(following.look)}
    made.tag(f"more/{number}")
    found["follower: one tag more"] = _timed(following.look)
    following.close()
    return found


def _listed(made: Repository, form: str) -> None:
    command = ["git", "for-each-ref", f"--format={form}"]
    subprocess.run(command, cwd=made.path, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)


def _timed(what: Callable[[], object]) -> float:
    """Milliseconds."""
    begin = time.perf_counter()
    what()
    return (time.perf_counter() - begin) * 1e3
