"""What changes between two plans of a workflow, gates first: what a reviewer must see. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pointsman.model.definition import Approvers, Kind, OnTimeout
from pointsman.model.names import same_name
from pointsman.model.plan import Content, Gate, Plan, PlannedStep
from pointsman.model.values import Json, JsonObject, canonical
from pointsman.plan.guards import Guards
from pointsman.plan.matching import GATES, Matching, matching

MOST_SHOWN = 100  # a plan may have 10,000 approvals with as many changes behind each


class Change(StrEnum):
    """What became of a step."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    RETARGETED = "retargeted"
    CHANGED = "changed"


class Opened(StrEnum):
    """How a gate holds less than before."""

    REMOVED = "removed"
    LOOSENED = "loosened"
    BYPASSED = "bypassed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One thing about a step or workflow as it was and as it is; empty where it was not there."""

    name: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDifference:
    """A gate that holds less than before. `reasons` are sentences; `stood_before` are changes that it no longer stops,
    with how many `more` there are than are named.

    `before` and `after` are the keys of the gate, `after` empty if it is gone.
    """

    opened: Opened
    kind: Kind
    name: str
    before: str
    after: str = ""
    reasons: tuple[str, ...] = ()
    stood_before: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDifference:
    """A step that is not as it was; `below` counts the steps in it that came or went with it."""

    changes: tuple[Change, ...]
    kind: Kind
    name: str
    before: str = ""
    after: str = ""
    target: str = ""
    action: str = ""
    below: int = 0
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyDifference:
    """A property of a target that is not as it was: canonical JSON, empty where it was not set."""

    target: str
    name: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDifference:
    """What a workflow would do otherwise than before. False if nothing."""

    gates: tuple[GateDifference, ...] = ()
    steps: tuple[StepDifference, ...] = ()
    properties: tuple[PropertyDifference, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.gates or self.steps or self.properties)


def difference(before: Plan, after: Plan) -> PlanDifference:
    """What changes from one plan of a workflow to another."""
    found = matching(before.steps, after.steps)
    return PlanDifference(
        gates=tuple(_gates(before, after, found)),
        steps=tuple(_steps(before, after, found)),
        properties=tuple(dict.fromkeys(_properties(before, after, found))),
    )


# Gates


def _gates(before: Plan, after: Plan, found: Matching) -> Iterator[GateDifference]:
    partner, stood, stands = dict(found.pairs), Guards(before), Guards(after)
    newly = _newly_aimed(before, after, found)
    for place, step in enumerate(before.steps):
        if step.kind not in GATES:
            continue
        other = partner.get(place)
        stopped = stood.behind(place)
        left = [partner[change] for change in stopped if change in partner]
        if other is None:
            yield _less(Opened.REMOVED, step, None, stood_before=left, after=after)
            continue
        now = after.steps[other]
        reasons = tuple(_loosened(step, now))
        if reasons:
            yield _less(Opened.LOOSENED, step, now, reasons=reasons, after=after)
        aims = {_aim(before.steps[change]) for change in stopped} if newly else set()
        again = [change for change in newly if _aim(after.steps[change]) in aims]
        free = {*left, *again}.difference(stands.behind(other))
        if free and now.kind is Kind.APPROVAL:
            yield _less(Opened.BYPASSED, step, now, stood_before=sorted(free), after=after)


def _newly_aimed(before: Plan, after: Plan, found: Matching) -> list[int]:
    """The changes that are new, or do another thing than before: what an approval stopped may be among them."""
    retargeted = [now for then, now in found.pairs if _aim(before.steps[then]) != _aim(after.steps[now])]
    return [place for place in (*retargeted, *found.added) if after.steps[place].kind is Kind.CHANGE]


def _aim(step: PlannedStep) -> tuple[str, str]:
    return step.target, step.action


def _less(
    opened: Opened,
    step: PlannedStep,
    now: PlannedStep | None,
    *,
    after: Plan,
    reasons: tuple[str, ...] = (),
    stood_before: Sequence[int] = (),
) -> GateDifference:
    return GateDifference(
        opened=opened,
        kind=step.kind,
        name=step.name,
        before=step.key,
        after=now.key if now else "",
        reasons=reasons,
        stood_before=tuple(_shown(after.steps[change]) for change in stood_before[:MOST_SHOWN]),
        more=max(0, len(stood_before) - MOST_SHOWN),
    )


def _shown(step: PlannedStep) -> str:
    return f"{step.action} on {step.target} (step {step.key})"


def _loosened(step: PlannedStep, now: PlannedStep) -> Iterator[str]:
    """In which ways a gate asks for less than before."""
    then, gate = step.gate or Gate(), now.gate or Gate()
    if then.approvers is not None and gate.approvers is None:
        yield "it is a plain wait now: whoever may run the workflow can continue it"
    elif then.approvers is not None and gate.approvers is not None:
        yield from _easier_approval(then, then.approvers, gate, gate.approvers)
    if gate.on_timeout is OnTimeout.CONTINUE and gate.timeout_seconds is not None:
        unattended = then.on_timeout is OnTimeout.CONTINUE and then.timeout_seconds is not None
        if not unattended or gate.timeout_seconds < (then.timeout_seconds or 0):
            yield f"it continues by itself after {gate.timeout_seconds} s"
    if then.reset_on_retry and not gate.reset_on_retry:
        yield "a retry no longer asks again"


def _easier_approval(then: Gate, were: Approvers, gate: Gate, approvers: Approvers) -> Iterator[str]:
    more = [*_surplus(were.user_names, approvers.user_names), *_surplus(were.ldap_groups, approvers.ldap_groups)]
    if more:
        yield f"{', '.join(more)} may approve too"
    if gate.min_approvals < then.min_approvals:
        yield f"{gate.min_approvals} of {then.min_approvals} approvals are enough"
    if then.one_from_each_group and not gate.one_from_each_group:
        yield "it no longer needs one from each group"
    elif then.one_from_each_group and (fewer := [*_surplus(approvers.ldap_groups, were.ldap_groups)]):
        yield f"it no longer needs one from {', '.join(fewer)}"
    if gate.allow_self_approval and not then.allow_self_approval:
        yield "who started the run may approve it"


def _surplus(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    return (name for name in after if not any(same_name(name, known) for known in before))


# Steps


def _steps(before: Plan, after: Plan, found: Matching) -> Iterator[StepDifference]:
    """In the order of the new tree, with what is gone where it stood; gates that are gone are told as gates."""
    removed, added = frozenset(found.removed), frozenset(found.added)
    then, now = before.steps, after.steps
    gone = [place for place in found.removed if then[place].parent not in removed and then[place].kind not in GATES]
    came = [place for place in found.added if now[place].parent not in added]
    rows = [(_order(then[place].key), _lone(before, place, Change.REMOVED, removed)) for place in gone]
    rows += [(_order(now[place].key), _lone(after, place, Change.ADDED, added)) for place in came]
    for pair in found.pairs[1:]:
        row = _pair(then[pair[0]], now[pair[1]], before, after, moved=pair in found.moved)
        if row is not None:
            rows.append((_order(row.after), row))
    yield from (row for _, row in sorted(rows, key=lambda entry: entry[0]))


def _order(key: str) -> tuple[int, ...]:
    return tuple(int(part) for part in key.split("."))


def _lone(plan: Plan, place: int, change: Change, alone: frozenset[int]) -> StepDifference:
    step = plan.steps[place]
    return StepDifference(
        changes=(change,),
        kind=step.kind,
        name=step.name,
        before=step.key if change is Change.REMOVED else "",
        after=step.key if change is Change.ADDED else "",
        target=step.target,
        action=step.action,
        below=sum(below in alone for below in range(place + 1, plan.ends[place])),
    )


def _pair(then: PlannedStep, now: PlannedStep, before: Plan, after: Plan, *, moved: bool) -> StepDifference | None:
    details = [
        *_details(then, now),
        *_content_details(before.contents.get(then.content), after.contents.get(now.content)),
    ]
    aim = {"target", "action"}
    changes = [Change.MOVED] if moved else []
    if any(detail.name in aim for detail in details):
        changes.append(Change.RETARGETED)
        # a name that was made from the target says nothing more
        details = [detail for detail in details if detail.name != "name"]
    if any(detail.name not in aim for detail in details):
        changes.append(Change.CHANGED)
    if not changes:
        return None
    return StepDifference(
        changes=tuple(changes),
        kind=now.kind,
        name=now.name,
        before=then.key,
        after=now.key,
        target=now.target,
        action=now.action,
        details=tuple(details),
    )


_SHOWN = (
    "kind", "name", "id", "target", "action", "run_as", "max_parallel", "fail_fast", "when", "continue_on_error",
    "start_time", "version", "retry",
)  # fmt: skip
_GATE = (
    "approvers", "min_approvals", "one_from_each_group", "allow_self_approval", "reset_on_retry", "timeout_seconds",
    "on_timeout",
)  # fmt: skip


def _details(then: PlannedStep, now: PlannedStep) -> Iterator[Detail]:
    for name in _SHOWN:
        yield from _detail(name, getattr(then, name), getattr(now, name))
    if then.gate is not None and now.gate is not None:
        for name in _GATE:
            yield from _detail(name, getattr(then.gate, name), getattr(now.gate, name))


def _content_details(then: Content | None, now: Content | None) -> Iterator[Detail]:
    """What a change does, as far as its properties do not say it."""
    if then is None or now is None or then.target != now.target or then.action != now.action:
        return
    if then.tree != now.tree:
        yield Detail(name="template files", before=then.tree[:10], after=now.tree[:10])
    yield from _detail("worker", then.worker, now.worker)
    yield from _detail("one at a time", then.exclusive, now.exclusive)


def _detail(name: str, before: object, after: object) -> Iterator[Detail]:
    if before != after:
        yield Detail(name=name, before=_text(before), after=_text(after))


def _text(value: object) -> str:
    if isinstance(value, Approvers):
        groups = [f"group {group}" for group in value.ldap_groups]
        return ", ".join([*value.user_names, *groups])
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


# Properties


def _properties(before: Plan, after: Plan, found: Matching) -> Iterator[PropertyDifference]:
    for one, other in found.pairs:
        then, now = before.contents.get(before.steps[one].content), after.contents.get(after.steps[other].content)
        if then is not None and now is not None and then.target == now.target:
            for name, old, new in changed_values(then.properties, now.properties):
                yield PropertyDifference(target=now.target, name=name, before=old, after=new)


def changed_values(before: JsonObject, after: JsonObject, above: str = "") -> Iterator[tuple[str, str, str]]:
    """Dotted name, value before and value after of all that differs; a value that is not there is an empty text."""
    for name in sorted(before.keys() | after.keys()):
        dotted = f"{above}{name}"
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from changed_values(old, new, f"{dotted}.")
        elif name not in before or name not in after or _differ(old, new):
            yield dotted, canonical(old) if name in before else "", canonical(new) if name in after else ""


def _differ(old: Json, new: Json) -> bool:
    # 1 == True and 1 == 1.0 in Python, not in JSON
    return canonical(old) != canonical(new)
