"""Plans from one line of text: `seq(a, par[fail_fast](b, c), gate, d[retry=2])`.

A word is a step, and what it begins with is its kind: `gate` a wait, `approval` an approval, `seq`, `par` and `call`
steps with children (`call` is a called workflow), anything else a change. `kind:label` gives those a name of their own.
Options stand in brackets: `always`, `on_failure`, `coe` (continue_on_error), `fail_fast`, `max=2` (max_parallel),
`start=60` (start_time), `retry=2` or `retry=2/30` (with its delay), `timeout=60`, `on_timeout=continue`, `min=2`
(min_approvals), `each` (one_from_each_group), `users=ann+bob`, `groups=dev+ops`. A `seq` at the top is the root;
anything else is put below one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pointsman.model.definition import Approvers, Kind, OnTimeout, RunAs, When
from pointsman.model.inventory import Retry
from pointsman.model.plan import ROOT_KEY, Gate, PinnedWorkflow, Plan, PlannedStep
from pointsman.model.wire import plan_digest

_TOKEN = re.compile(r"\s*([A-Za-z_][\w:]*|\[[^\]]*\]|[(),])")
_CONTAINERS = {
    "seq": (Kind.STAGE, RunAs.SEQUENTIAL),
    "par": (Kind.STAGE, RunAs.PARALLEL),
    "call": (Kind.WORKFLOW, RunAs.SEQUENTIAL),
}


@dataclass(frozen=True, slots=True)
class Node:
    """One step of the notation; its text is the notation again."""

    word: str
    options: Mapping[str, str] = field(default_factory=dict)
    children: tuple["Node", ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value}" if value else name for name, value in self.options.items())
        inner = ", ".join(map(str, self.children))
        return self.word + (f"[{shown}]" if shown else "") + (f"({inner})" if self.children else "")


def tree(notation: str) -> Plan:
    """The plan that a line of the notation stands for; `ValueError` if it cannot be read."""
    return plan_of(node(notation))


def node(notation: str) -> Node:
    """A line of the notation, read."""
    tokens = [match[1] for match in _TOKEN.finditer(notation)]
    if "".join(tokens) != re.sub(r"\s(?![^\[]*\])", "", notation):
        raise ValueError(f"cannot read {notation!r}")
    tokens.reverse()
    top = _read(tokens)
    if tokens:
        raise ValueError(f"nothing may follow the tree in {notation!r}")
    return top


def plan_of(top: Node) -> Plan:
    """The plan of a tree of nodes, numbered as a planner would."""
    root = top if top.word == "seq" else Node("seq", {}, (top,))
    steps: list[PlannedStep] = []
    _add(steps, root, -1, ROOT_KEY)
    steps[0] = replace(steps[0], kind=Kind.WORKFLOW)
    return planned(tuple(steps))


def planned(steps: tuple[PlannedStep, ...]) -> Plan:
    """A plan around steps that are there already, with its digest."""
    pinned = PinnedWorkflow(path="/projects/p/workflows/w", version="1", commit="c" * 40, tag="v1")
    plan = Plan(
        workflow=pinned.path, name="w", pinned=(pinned,), inventory_commit="d" * 40, steps=steps, contents={},
        properties={},
    )  # fmt: skip
    return replace(plan, digest=plan_digest(plan))


def flat(count: int, run_as: RunAs, *, max_parallel: int | None = None) -> Plan:
    """A root with so many changes directly below it."""
    root = PlannedStep(
        key=ROOT_KEY, kind=Kind.WORKFLOW, name="w", run_as=run_as, max_parallel=max_parallel,
        children=tuple(range(1, count + 1)),
    )  # fmt: skip
    changes = (PlannedStep(key=f"{n}", kind=Kind.CHANGE, name=f"s{n}", parent=0) for n in range(1, count + 1))
    return planned((root, *changes))


def _read(tokens: list[str]) -> Node:
    word = tokens.pop()
    options: dict[str, str] = {}
    if tokens and tokens[-1].startswith("["):
        options = dict(_options(tokens.pop()[1:-1]))
    children: list[Node] = []
    if tokens and tokens[-1] == "(":
        while tokens.pop() in "(,":
            children.append(_read(tokens))
    return Node(word, options, tuple(children))


def _options(text: str) -> Iterator[tuple[str, str]]:
    for option in text.split(","):
        name, _, value = option.strip().partition("=")
        yield name, value


def _add(steps: list[PlannedStep], top: Node, parent: int, key: str) -> int:
    place = len(steps)
    steps.append(_step(top, parent, key))
    prefix = "" if parent < 0 else f"{key}."
    children = tuple(_add(steps, child, place, f"{prefix}{n}") for n, child in enumerate(top.children, start=1))
    steps[place] = replace(steps[place], children=children)
    return place


def _step(top: Node, parent: int, key: str) -> PlannedStep:
    word, _, label = top.word.partition(":")
    options = dict(top.options)
    common: dict[str, Any] = {
        "key": key,
        "name": label or word,
        "parent": parent,
        "when": _when(options),
        "continue_on_error": options.pop("coe", None) is not None,
        "start_time": _number(options.pop("start", None)),
    }
    if word in _CONTAINERS:
        kind, run_as = _CONTAINERS[word]
        common |= {"kind": kind, "run_as": run_as, "fail_fast": options.pop("fail_fast", None) is not None}
        common["max_parallel"] = int(options.pop("max")) if "max" in options else None
    elif word.startswith(("gate", "approval")):
        common |= {"kind": Kind.WAIT if word.startswith("gate") else Kind.APPROVAL, "gate": _gate(word, options)}
    else:
        tries, _, delay = options.pop("retry", "0").partition("/")
        common |= {"kind": Kind.CHANGE, "retry": Retry(max=int(tries), delay_seconds=int(delay or 0))}
    if options:
        raise ValueError(f"{top.word} has no option {next(iter(options))}")
    return PlannedStep(**common)


def _when(options: dict[str, str]) -> When:
    found = [When(name) for name in ("always", "on_failure") if options.pop(name, None) is not None]
    return found[0] if found else When.ON_SUCCESS


def _gate(word: str, options: dict[str, str]) -> Gate:
    users, groups = options.pop("users", ""), options.pop("groups", "")
    approvers = Approvers(user_names=_names(users), ldap_groups=_names(groups))
    return Gate(
        approvers=approvers if word.startswith("approval") else None,
        min_approvals=int(options.pop("min", "1")),
        one_from_each_group=options.pop("each", None) is not None,
        timeout_seconds=int(options.pop("timeout")) if "timeout" in options else None,
        on_timeout=OnTimeout(options.pop("on_timeout", "reject")),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split("+")) if text else ()


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
