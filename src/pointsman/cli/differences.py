"""Differences between plans in words: for a terminal, and in Markdown for a pull request."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from pointsman.cli.checkout import WORKING_TREE
from pointsman.cli.output import painted
from pointsman.intake.differences import WorkflowDifference
from pointsman.model.names import workflow_codes
from pointsman.plan.difference import (
    Change,
    Detail,
    GateDifference,
    Opened,
    PlanDifference,
    PropertyDifference,
    StepDifference,
)
from pointsman.web.words import counted

FILES = "template files"
LONGEST_VALUE = 120
MOST_NAMED = 5

_COLOURS = {"+": "green", "-": "red", "~": "yellow"}
_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-"}
# all that Markdown, HTML and mentions are made of, and what would become a link by itself
_MARKUP = re.compile(r"[^A-Za-z0-9 /,.()→›:;'-]|:(?=//)")


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence with a sign before it; `grave` if it must not be overlooked."""

    sign: str
    words: str
    grave: bool = False


def text_lines(found: Sequence[WorkflowDifference], stream: TextIO) -> Iterator[str]:
    """The differences, workflow by workflow; on a terminal in colour."""
    for index, one in enumerate(found):
        if index:
            yield ""
        yield painted(_title(one), stream, bold=True)
        for line in _lines(one):
            yield f"  {painted(f'{line.sign} {line.words}', stream, _COLOURS[line.sign], bold=line.grave)}"


def markdown(found: Sequence[WorkflowDifference], *, before: str, after: str) -> str:
    """The differences for a pull request; nothing that stands in the repository can be more than text in it."""
    names = f"{escaped(before)} → {escaped('working tree' if after == WORKING_TREE else after)}"
    lines = [f"## Workflows: {names}", "", summary(found)]
    for one in found:
        lines += ["", f"### {escaped(_title(one))}", ""]
        for line in _lines(one):
            words = escaped(line.words)
            lines.append(f"- {f'**{words}**' if line.grave else words}")
    return "\n".join(lines)


def escaped(text: str) -> str:
    """Text that means nothing in Markdown: no link, no mention, no markup."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};" if found[0] > " " else " ", text)


def summary(found: Sequence[WorkflowDifference]) -> str:
    """How much differs, in a sentence."""
    if not found:
        return "no workflow would do anything else"
    gates = sum(len(one.plan.gates) for one in found)
    words = f"{counted(len(found), 'workflow')} {'differs' if len(found) == 1 else 'differ'}"
    return f"{words}; {counted(gates, 'gate')} {'holds' if gates == 1 else 'hold'} less than before" if gates else words


def _title(one: WorkflowDifference) -> str:
    name = "/".join(workflow_codes(one.path))
    return name if one.change is Change.CHANGED else f"{name} ({one.change})"


def _lines(one: WorkflowDifference) -> Iterator[Line]:
    for gate in one.plan.gates:
        yield Line("-" if gate.opened is Opened.REMOVED else "~", _gate(gate), grave=True)
    for problem in one.errors:
        yield Line("-", f"cannot be planned: {problem.place.path}:{problem.place.line}: {problem.message}", grave=True)
    for detail in one.settings:
        yield Line("~", f"{detail.name}: {_turned(detail)}")
    yield from _steps(one.plan)
    for changed in one.plan.properties:
        yield _property(changed)


def _gate(gate: GateDifference) -> str:
    what = f"{gate.kind} {gate.name!r} (step {gate.before})"
    if gate.opened is Opened.LOOSENED:
        return f"{what} asks for less: {'; '.join(gate.reasons)}"
    stood = _some(gate.stood_before, more=gate.more)
    if gate.opened is Opened.BYPASSED:
        return f"{what} no longer stands before {stood}"
    return f"{what} is removed; it stood before {stood}" if stood else f"{what} is removed"


def _some(names: Sequence[str], *, more: int = 0) -> str:
    more += len(names) - MOST_NAMED
    return "; ".join([*names[:MOST_NAMED], *([f"and {counted(more, 'more change')}"] if more > 0 else [])])


def _steps(plan: PlanDifference) -> Iterator[Line]:
    """Step by step; changes that only have other template files are one line together."""
    files = [step for step in plan.steps if [detail.name for detail in step.details] == [FILES]]
    for step in plan.steps:
        if step not in files or step.changes != (Change.CHANGED,):
            yield _step(step)
    only = [step for step in files if step.changes == (Change.CHANGED,)]
    if only:
        yield Line("~", f"other {FILES} for {_some([f'{step.name} (step {step.after})' for step in only])}")


def _step(step: StepDifference) -> Line:
    key = f"step {step.before} → {step.after}" if Change.MOVED in step.changes else f"step {step.after or step.before}"
    words = f"{step.kind} {step.name!r} ({key})"
    if step.changes[0] in _SIGNS:
        aim = f": {step.action} on {step.target}" if step.target else ""
        below = f" with {counted(step.below, 'step')}" if step.below else ""
        return Line(_SIGNS[step.changes[0]], f"{words} {step.changes[0]}{below}{aim}")
    moved = " moved" if Change.MOVED in step.changes else ""
    details = "; ".join(f"{detail.name} {_turned(detail)}" for detail in step.details)
    return Line("~", f"{words}{moved}{': ' if details else ''}{details}")


def _property(changed: PropertyDifference) -> Line:
    sign = "+" if not changed.before else "-" if not changed.after else "~"
    value = _turned(Detail(name=changed.name, before=changed.before, after=changed.after))
    return Line(sign, f"{changed.target}: {changed.name}: {value}")


def _turned(detail: Detail) -> str:
    nothing = "draft" if detail.name == "version" else "not set"
    return f"{_short(detail.before) or nothing} → {_short(detail.after) or nothing}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
