"""Verdicts on whole commits. What was thought of a workflow is kept by content, so a push costs what it changed.

A workflow's verdict follows from the content of its file, from the inventory, from the local users, and from what was
looked up beside it: called workflows and templates at a version. That is remembered with the answers, and asked again.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from zlib import crc32

from pointsman.intake.differences import Side
from pointsman.intake.library import Asked
from pointsman.intake.verdict import Verdict, WorkflowVerdict, workflow_verdict
from pointsman.load.assemble import Loaded
from pointsman.model.problem import Code
from pointsman.model.values import digest

EVERY_NAME = "*"
MOST_KEPT = 150_000  # more than a repository may have, so that one look never pushes out what it needs itself

Share = tuple[int, int]
_Key = tuple[str, str, str]
WHOLE: Share = (0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A verdict, and what was asked for it, with the answers; with calls, the version that it was judged as."""

    verdict: WorkflowVerdict
    asked: Asked
    version: str | None


class Judging:
    """Judges commits, one after another. `looked_at` counts the workflows that were not known already."""

    def __init__(self) -> None:
        self._kept: dict[_Key, _Kept] = {}
        self.looked_at = 0

    def verdict(
        self,
        side: Side,
        *,
        users: tuple[str, ...] | None = None,
        only: str = "",
        share: Share = WHOLE,
        most: int | None = None,
    ) -> Verdict:
        """What is thought of all that stands at a commit; of the workflows, `only` one, or those of one share.

        Not more than `most` workflows of a share are looked at: how many are left out is `Verdict.unfinished`, and
        asking again goes on from there. Of the whole, none is looked at if that would be more: it is to be shared.
        """
        loaded, asking = side.loaded, replace(side, library=replace(side.library, asked=Asked()))
        ground = _ground(loaded, users)
        if most is not None and share == WHOLE and not only:
            unknown = sum((ground, path, blob) not in self._kept for path, blob in loaded.blobs.items())
            if unknown > most:
                return Verdict(others=loaded.inventory_problems, ground=loaded.ground, unfinished=unknown)
        paths = [only] if only in loaded.files else [] if only else _share_of(loaded, share)
        workflows = {}
        unfinished, before = 0, self.looked_at
        calls, by_tags = set[str](), loaded.by_tags
        with _uncollected():
            for path in paths:
                key = (ground, path, loaded.blobs.get(path, ""))
                kept = self._kept.pop(key, None) if ground else None
                if kept is None or not _stands(kept, path, side):
                    if most is not None and self.looked_at - before >= most:
                        unfinished += 1
                        continue
                    self.looked_at += 1
                    kept = _looked_at(path, asking, users)
                if ground:
                    self._kept[key] = kept
                workflows[path] = kept.verdict
                calls |= _calls(kept.asked)
                by_tags = by_tags or bool(kept.asked.templates)
        for key in list(islice(self._kept, max(0, len(self._kept) - MOST_KEPT))):
            del self._kept[key]
        return Verdict(
            others=loaded.inventory_problems,
            workflows=workflows,
            calls=tuple(sorted(calls)),
            by_tags=by_tags,
            ground=loaded.ground,
            unfinished=unfinished,
        )


def _ground(loaded: Loaded, users: tuple[str, ...] | None) -> str:
    return digest([loaded.ground, None if users is None else list(users)]) if loaded.ground else ""


def _share_of(loaded: Loaded, share: Share) -> Iterable[str]:
    """Always the same workflows, so that each reader can keep what it thought of them."""
    number, of = share
    return loaded.files if of == 1 else (path for path in loaded.files if crc32(path.encode()) % of == number)


def _calls(asked: Asked) -> set[str]:
    """Whose versions were looked for."""
    named = {path for path, _ in asked.pinned}
    return named | {EVERY_NAME} if asked.names else named


def _looked_at(path: str, side: Side, users: tuple[str, ...] | None) -> _Kept:
    assert side.library.asked is not None
    found = workflow_verdict(path, side.loaded, side.library, pins=side.pins, users=users)
    asked = side.library.asked.taken()
    # a draft that calls itself asks nobody
    calls = asked.pinned or any(problem.code is Code.CYCLE for problem in found.problems)
    return _Kept(verdict=found, asked=asked, version=_version(path, side) if calls else None)


def _stands(kept: _Kept, path: str, side: Side) -> bool:
    """Whether what was asked beside the workflow's own file still has the same answers."""
    asked, library = kept.asked, side.library
    return (
        (kept.version is None or kept.version == _version(path, side))
        and (not asked.names or asked.names == library.names)
        and all(library.identity(library.pinned(*name)) == known for name, known in asked.pinned.items())
        and all(library.tree_of(*name) == known for name, known in asked.templates.items())
        and all(library.unusable(name) == known for name, known in asked.unusable.items())
    )


def _version(path: str, side: Side) -> str:
    pinned = side.pins.get(path)
    return pinned.version if pinned else ""


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for cycles: what is made here has none, and looking would take a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
