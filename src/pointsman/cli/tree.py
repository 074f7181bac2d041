"""Plans and runs as trees of text: one plain line for each step, or with signs and colours for a terminal."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pointsman.cli.output import STATE_COLOURS, clean, has_colour, put
from pointsman.model.plan import CONTAINERS, Plan
from pointsman.plan.naming import crumbs
from pointsman.web.words import counted, took

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

SIGNS = {
    "pending": "○",
    "queued": "◌",
    "running": "▶",
    "waiting": "❚❚",
    "succeeded": "✓",
    "failed": "✕",
    "lost": "?",
    "rejected": "✕",
    "cancelled": "■",
    "aborted": "–",
    "skipped": "↷",
}
_SETTLED = frozenset({"succeeded", "pending", "aborted", "skipped", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A step with those below it. `state` is empty in a plan; times are seconds since 1970, or None."""

    key: str
    name: str
    kind: str
    run_as: str = ""
    target: str = ""
    action: str = ""
    version: str = ""
    state: str = ""
    reason: str = ""
    attempt: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    approvers: tuple[str, ...] = ()
    children: tuple["Node", ...] = ()

    @property
    def kind_words(self) -> str:
        """What it is, and how its children follow one another."""
        words = f"{self.kind}, {self.run_as}" if self.run_as else self.kind
        return f"{words}, version {self.version}" if self.version else words

    @property
    def work(self) -> str:
        """What is done to what; at an approval who may approve."""
        if self.target:
            return f"{self.target} › {self.action}" if self.action else self.target
        return f"by {', '.join(self.approvers)}" if self.approvers else ""

    def below(self) -> Iterator["Node"]:
        """The step itself and every step below it, in the order of their keys."""
        yield self
        for child in self.children:
            yield from child.below()


def plan_node(plan: Plan) -> Node:
    """A plan's root."""
    return _planned(plan, 0)


def _planned(plan: Plan, place: int) -> Node:
    step = plan.steps[place]
    approvers = step.gate.approvers if step.gate else None
    return Node(
        key=step.key,
        name=step.name,
        kind=step.kind.value,
        run_as=step.run_as.value if place and step.kind in CONTAINERS else "",
        target=step.target,
        action=step.action,
        version=step.version,
        approvers=() if approvers is None else _people(approvers.user_names, approvers.ldap_groups),
        children=tuple(_planned(plan, child) for child in step.children),
    )


def run_node(run: Mapping[str, Any]) -> Node:
    """The root of a run as the API shows it."""
    return Node(
        key="0",
        name=str(run.get("name") or run["workflow"]),
        kind="workflow",
        version=str(run["version"]),
        state=str(run["state"]),
        started_at=seconds(run.get("started_at")),
        finished_at=seconds(run.get("finished_at")),
        children=tuple(_shown_step(step) for step in run["steps"]),
    )


def _shown_step(step: Mapping[str, Any]) -> Node:
    approvers = (step.get("gate") or {}).get("approvers") or {}
    return Node(
        key=str(step["key"]),
        name=str(step["name"]),
        kind=str(step["kind"]),
        run_as=str(step.get("run_as") or ""),
        target=str(step.get("target") or ""),
        action=str(step.get("action") or ""),
        state=str(step["state"]),
        reason=str(step.get("reason") or ""),
        attempt=int(step.get("attempt") or 0),
        started_at=seconds(step.get("started_at")),
        finished_at=seconds(step.get("finished_at")),
        approvers=_people(approvers.get("user_names", ()), approvers.get("ldap_groups", ())),
        children=tuple(_shown_step(child) for child in step.get("children", ())),
    )


def seconds(moment: str | None) -> float | None:
    """A time of the API as seconds since 1970."""
    return None if moment is None else datetime.fromisoformat(moment).timestamp()


def _people(users: Sequence[str], groups: Sequence[str]) -> tuple[str, ...]:
    return (*users, *(f"@{group}" for group in groups))


def put_tree(root: Node, *, now: float, stream_is_terminal: bool) -> None:
    """A tree on standard output, and how many steps it has."""
    if stream_is_terminal:
        from rich.console import Console  # noqa: PLC0415 - only where somebody looks

        Console(highlight=False, **console_colours()).print(rich_tree(root, now=now), soft_wrap=True)
    else:
        for line in plain_lines(root, now=now):
            put(line)
    put(counted(sum(1 for _ in root.below()), "step"))


def console_colours() -> dict[str, Any]:
    """What rich is told so that `NO_COLOR` leaves bold and dim out too."""
    return {} if has_colour(sys.stdout) else {"color_system": None}


def plain_lines(root: Node, *, now: float, depth: int = 0) -> Iterator[str]:
    """One line for each step, indented by its depth: key, name, what it is, what it does to what."""
    parts = [f"{'  ' * depth}{root.key}", one_line(root.name), f"[{root.kind_words}]", root.work]
    if root.state:
        parts.insert(1, root.state)
        parts.append(" ".join(_notes(root, now)))
    yield "  ".join(part for part in parts if part)
    for child in root.children:
        yield from plain_lines(child, now=now, depth=depth + 1)


def rich_tree(root: Node, *, now: float, room: int = 0) -> "RenderableType":
    """The tree for a terminal; with `room`, what is settled is folded until it has no more lines than that."""
    from rich.tree import Tree  # noqa: PLC0415 - it is slow to import, and few commands draw trees

    folded = _folded(root, room) if room else frozenset[str]()
    top = Tree(_label(root, now, folded), guide_style="dim")
    _grow(top, root, now, folded)
    return top


def _grow(branch: Any, node: Node, now: float, folded: frozenset[str]) -> None:  # noqa: ANN401 - rich is loaded late
    if node.key in folded:
        return
    for child in node.children:
        _grow(branch.add(_label(child, now, folded)), child, now, folded)


def _folded(root: Node, room: int) -> frozenset[str]:
    """The keys of steps whose children are not shown, deepest first, until the tree fits."""
    lines = sum(1 for _ in root.below())
    foldable = [node for node in root.below() if node.children and node.key != "0" and node.state in _SETTLED]
    folded: set[str] = set()
    for node in sorted(foldable, key=lambda node: (node.state == "pending", -node.key.count("."))):
        if lines <= room:
            break
        hidden = sum(1 for _ in _visible(node, folded)) - 1
        folded.add(node.key)
        lines -= hidden
    return frozenset(folded)


def _visible(node: Node, folded: set[str]) -> Iterator[Node]:
    yield node
    if node.key not in folded:
        for child in node.children:
            yield from _visible(child, folded)


def _label(node: Node, now: float, folded: frozenset[str]) -> "Text":
    from rich.text import Text  # noqa: PLC0415 - as above

    text = Text(no_wrap=True, overflow="ellipsis")
    colour = STATE_COLOURS.get(node.state, "")
    if node.state:
        text.append(f"{SIGNS.get(node.state, '·')} ", style=colour or "dim")
    text.append(f"{node.key} ", style="dim")
    text.append(one_line(node.name), style="bold" if node.children else "")
    if node.state not in {"", "pending", "succeeded"}:
        text.append(f"  {node.state}", style=colour)
    if node.target:
        # whole paths would push what is done beyond the edge
        place = crumbs(node.target)
        text.append(clean(f"  {'' if node.name == place else f'{place} '}› {node.action}"), style="cyan")
    elif node.work:
        text.append(f"  {clean(node.work)}", style="cyan")
    elif not node.state or node.kind in {"wait", "approval"}:
        text.append(f"  {node.kind_words}", style="dim")
    notes = _notes(node, now)
    if node.key in folded:
        notes.append(f"({counted(sum(1 for _ in node.below()) - 1, 'step')} below)")
    if notes:
        text.append(f"  {' '.join(notes)}", style="dim")
    return text


def _notes(node: Node, now: float) -> list[str]:
    """How long it took, which attempt it is, and why it ended as it did."""
    notes = []
    if node.started_at is not None:
        notes.append(took((node.finished_at or now) - node.started_at))
    if node.attempt > 1:
        notes.append(f"attempt {node.attempt}")
    if node.reason:
        notes.append(one_line(node.reason))
    return notes


def one_line(text: str) -> str:
    """Text from elsewhere on one line, harmless to a terminal."""
    return clean(" ".join(text.split()))
