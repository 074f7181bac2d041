"""The reader process: hostile content is read here, with limits on memory and processor time and without secrets.

Messages are a length and then JSON, in both directions. It ends when its input does.
"""

import contextlib
import hashlib
import json
import math
import os
import resource
import struct
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pointsman.intake.reading import ANSWERS, Answer, Reading, asked_users
from pointsman.intake.tag_answers import ANSWERS as ABOUT_TAGS
from pointsman.intake.verdict import WorkflowVerdict
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Invalid, NotFound, PointsmanError, Refused, Unavailable
from pointsman.model.values import digest
from pointsman.model.wire import to_json
from pointsman.repo.keeping import keep
from pointsman.repo.refs import RefSnapshot

HEAD = struct.Struct("<I")
MEMORY_BYTES = 512 * 1024 * 1024
OUT_OF_MEMORY = 71  # the exit code that says so; any other is a fault


class Reader:
    """Answers one request after another."""

    def __init__(self, repository: Path, root: str) -> None:
        self._reading = Reading(repository, root)
        self._mark = ""
        self._refs: RefSnapshot | None = None
        self._told: Mapping[str, WorkflowVerdict] = {}

    def answer(self, ask: Answer) -> Answer:
        """The answer to a request, or the error as data."""
        for path, version, commit, tag in ask.get("ledger", ()):
            self._reading.published.add(PinnedWorkflow(path=path, version=version, commit=commit, tag=tag))
        try:
            if ask["op"] == "refs":
                return {"ok": self._moved(ask["seen"])}
            if ask["op"] == "judge":
                return {"ok": self._judged(ask)}
            if ask["op"] == "keep":
                keep(self._reading.definitions.repository, ask["objects"])
                return {"ok": True}
            if ask["op"] == "export":
                return {"ok": _exported(self._reading, ask["tree"], Path(ask["folder"]))}
            return {"ok": (ANSWERS.get(ask["op"]) or ABOUT_TAGS[ask["op"]])(self._reading, ask)}
        except PointsmanError as error:
            return _error(error)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - the daemon must hear of it, whatever it is
            return {"error": "Invalid", "says": f"the reader failed: {error!r}", "hint": "", "problems": []}

    def _judged(self, ask: Answer) -> Answer:
        """What differs from what was told last of workflows, so that a push that changed one file is told in a line."""
        found = self._reading.judge(
            ask["commit"], ask["publishes"], asked_users(ask), share=tuple(ask["share"]), most=ask["most"]
        )
        told, now = self._told, found.workflows
        changed = {path: to_json(one) for path, one in now.items() if told.get(path) is not one}
        gone = [] if found.unfinished else [path for path in told if path not in now]
        self._told = {**told, **now} if found.unfinished else now
        return {
            "rest": to_json(replace(found, workflows={})),
            "changed": changed,
            "gone": gone,
        }

    def _moved(self, seen: str) -> Answer:
        """All refs, unless they are those of the mark that the daemon has seen, from whichever reader."""
        found = self._reading.refs()
        known = found is self._refs
        if known and self._mark == seen:
            return {"mark": self._mark, "refs": None}
        refs = _plain(found)
        if not known:
            self._refs, self._mark = found, digest(refs)
        return {"mark": self._mark, "refs": None if self._mark == seen else refs}


def _plain(found: RefSnapshot) -> Answer:
    """What the daemon needs to know of the refs: of tags that release nothing, only whether one has moved."""
    tags = {
        name: {
            "object": tag.object_id,
            "commit": tag.commit,
            "tagger": tag.tagger_email or tag.tagger_name,
            "tagged_at": tag.tagged_at,
            "trouble": tag.trouble,
        }
        for name, tag in found.tags.items()
    }
    others = hashlib.sha256("\n".join(f"{target} {name}" for name, target in sorted(found.other_tags.items())).encode())
    return {
        "branches": dict(found.branches),
        "tags": tags,
        "other_tags": others.hexdigest(),
        "unusable": dict(found.unusable),
    }


def _exported(reading: Reading, tree: str, folder: Path) -> bool:
    """Write a template's files into a fresh folder."""
    for path, executable, data in reading.export(tree):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o755 if executable else 0o644)
    return True


def _error(error: PointsmanError) -> Answer:
    kind = next((kind for kind in (NotFound, Invalid, Refused, Unavailable) if isinstance(error, kind)), Invalid)
    problems = error.problems if isinstance(error, Invalid) else ()
    return {"error": kind.__name__, "says": error.says, "hint": error.hint, "problems": to_json(problems)}


def _limit_processor_time(seconds: int) -> None:
    """The next request may take so much and no more: the kernel ends the process otherwise."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = math.ceil(used.ru_utime + used.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, resource.RLIM_INFINITY))


def serve(repository: str, root: str, *, cpu_seconds: int) -> None:
    """Answer on standard input and output until the input ends. No answer may take more processor time than this."""
    asked, told = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # not the address space: packs of many gigabytes are mapped, and cost nothing
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reader: Reader | None = None
    while head := asked.read(HEAD.size):
        ask: dict[str, Any] = json.loads(asked.read(HEAD.unpack(head)[0]))
        _limit_processor_time(cpu_seconds)
        try:
            reader = reader or Reader(Path(repository), root)
            answer = reader.answer(ask)
        except PointsmanError as error:
            answer = _error(error)
        body = json.dumps(answer).encode("utf-8", "surrogatepass")
        told.write(HEAD.pack(len(body)) + body)
        told.flush()


if __name__ == "__main__":
    try:
        with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
            serve(sys.argv[1], sys.argv[2], cpu_seconds=int(sys.argv[3]))
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)
