"""The verdicts that need not be asked for again: kept by commit, also over a restart, with what they depended on.

A commit never changes. What else a verdict depends on is written beside it: the local users, how many versions the
workflows have that were looked for, and, where a template was looked for at a tag, all tags.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from pointsman.intake.judging import EVERY_NAME
from pointsman.intake.verdict import Verdict, WorkflowVerdict
from pointsman.model.problem import Code, Unavailable
from pointsman.model.values import digest
from pointsman.model.wire import from_json, to_json
from pointsman.store.verdicts import Name, VerdictRow, VerdictRows

# Bad luck may be behind these: what comes and goes with the machine is asked for again whenever anything has changed.
PASSING = frozenset({Code.BAD_REF, Code.READER_LIMIT})

log = logging.getLogger("pointsman.intake")


@dataclass(frozen=True, slots=True)
class _Known:
    """A verdict, and what there was `seen` of what it depends on."""

    verdict: Verdict
    seen: str


class KnownVerdicts:
    """Verdicts by commit and by what the commit publishes. Only what a look asked for is kept."""

    def __init__(self, rows: VerdictRows) -> None:
        self._rows = rows
        self._known: dict[Name, _Known] = {}
        self._stored: dict[Name, str] = dict.fromkeys(rows.names(), "")
        self._asked: set[Name] = set()
        self._versions: Counter[str] = Counter()
        self._users = self._tags = ""
        self._texts: dict[str, tuple[WorkflowVerdict, str]] = {}
        self._cannot_store = False

    def published(self, paths: Iterable[str]) -> None:
        """These workflows have one version more."""
        for path in paths:
            self._versions[EVERY_NAME] += path not in self._versions
            self._versions[path] += 1

    def begin(self, *, users: tuple[str, ...] | None, tags: str) -> None:
        """Begin a look: `tags` is another text whenever a tag has moved."""
        self._users, self._tags = digest(None if users is None else list(users)), tags
        self._asked = set()

    def standing(self, commit: str, publishes: Mapping[str, str], *, entered: bool = False) -> Verdict | None:
        """A verdict that would be the same now. Of versions that were `entered` it stands whatever happens (R25)."""
        name = _name(commit, publishes)
        self._asked.add(name)
        known = self._last(name)
        return known.verdict if known and (entered or known.seen == self._seen(known.verdict)) else None

    def last(self, commit: str, publishes: Mapping[str, str] | None = None) -> Verdict | None:
        """What was thought last, even if it would be another now."""
        known = self._last(_name(commit, publishes or {}))
        return known.verdict if known else None

    def add(self, commit: str, publishes: Mapping[str, str], verdict: Verdict) -> None:
        """Remember what was just thought."""
        self._known[_name(commit, publishes)] = _Known(verdict, self._seen(verdict))

    async def finish(self) -> None:
        """End a look: forget what it did not ask for, and store what is new. A full disk only costs the storing."""
        self._known = {name: self._known[name] for name in self._asked if name in self._known}
        lasting = {name: known for name, known in self._known.items() if not _is_passing(known.verdict)}
        gone = self._stored.keys() - lasting.keys()
        new = {name: known for name, known in lasting.items() if self._stored.get(name) != known.seen}
        if not new and not gone:
            return
        try:
            self._rows.update(await asyncio.to_thread(self._packed, new), gone=gone)
        except Unavailable as error:
            if not self._cannot_store:
                log.warning("verdicts are not kept over a restart: %s", error.says)
            self._cannot_store = True
        else:
            self._stored = {name: known.seen for name, known in lasting.items()}
            self._cannot_store = False

    def _seen(self, verdict: Verdict) -> str:
        if _is_passing(verdict):
            return f"{self._users} {self._versions.total()} {self._tags}"
        versions = sum(self._versions[path] for path in verdict.calls)
        return f"{self._users} {versions} {self._tags if verdict.by_tags else ''}"

    def _last(self, name: Name) -> _Known | None:
        if name not in self._known and name in self._stored:
            row = self._rows.row(*name)
            verdict = _unpacked(row.body) if row else None
            if row and verdict:
                self._known[name] = _Known(verdict, row.seen)
                self._stored[name] = row.seen
        return self._known.get(name)

    def _packed(self, new: Mapping[Name, _Known]) -> list[VerdictRow]:
        return [
            VerdictRow(commit=commit, publishes=publishes, seen=known.seen, body=self._text(known.verdict))
            for (commit, publishes), known in new.items()
        ]

    def _text(self, verdict: Verdict) -> str:
        """A line of JSON for each workflow, after one for the rest. A workflow's is made once for many commits."""
        lines = [_line(to_json(replace(verdict, workflows={})))]
        for path, found in verdict.workflows.items():
            made = self._texts.get(path)
            if made is None or made[0] is not found:
                made = self._texts[path] = (found, _line([path, to_json(found)]))
            lines.append(made[1])
        return "\n".join(lines)


def name_of_tags(refs: Mapping[str, Any]) -> str:
    """Another text whenever a tag has moved. `refs` as a reader tells them."""
    lines = (f"{facts['object']} {facts['commit']} {name}" for name, facts in sorted(refs["tags"].items()))
    return sha256("\n".join([refs["other_tags"], *lines]).encode("utf-8", "surrogatepass")).hexdigest()


def _name(commit: str, publishes: Mapping[str, str]) -> Name:
    return (commit, " ".join(f"{path}={version}" for path, version in publishes.items()))


def _is_passing(verdict: Verdict) -> bool:
    return any(problem.code in PASSING for problem in verdict.others)


def _line(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _unpacked(text: str) -> Verdict | None:
    """The verdict of a row; None if it is damaged."""
    try:
        rest, *found = json.loads(f"[{text.replace(chr(10), ',')}]")
        workflows = {path: from_json(WorkflowVerdict, one) for path, one in found}
        return replace(from_json(Verdict, rest), workflows=workflows)
    except (ValueError, TypeError):
        return None
