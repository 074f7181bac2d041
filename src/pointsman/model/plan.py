"""The fully expanded tree of one run, with everything resolved, as one frozen value. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pointsman.model.definition import Approvers, Concurrency, Kind, OnTimeout, RunAs, When
from pointsman.model.inventory import Retry
from pointsman.model.values import JsonObject

ROOT = 0
ROOT_KEY = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What opens when a wait or approval is reached; `approvers` is None for a wait."""

    approvers: Approvers | None = None
    min_approvals: int = 1
    one_from_each_group: bool = False
    allow_self_approval: bool = True
    reset_on_retry: bool = True
    timeout_seconds: int | None = None
    on_timeout: OnTimeout = OnTimeout.REJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One process of a change: `command` is an argument list, or `script` a text for bash; both final."""

    name: str
    command: tuple[str, ...] = ()
    script: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All that a change does, and to what (R79). `tree` is the Git tree of the template's folder."""

    target: str
    action: str
    tree: str
    phases: tuple[Phase, ...]
    properties: JsonObject
    retry: Retry = field(default_factory=Retry)
    timeout_seconds: int | None = None
    idempotent: bool = False
    worker: str = ""
    exclusive: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """A node of the plan. `parent` and `children` are places in `Plan.steps`, parents first, the root at 0."""

    key: str
    kind: Kind
    name: str
    parent: int = -1
    children: tuple[int, ...] = ()
    id: str = ""
    run_as: RunAs = RunAs.SEQUENTIAL
    max_parallel: int | None = None
    fail_fast: bool = False
    continue_on_error: bool = False
    when: When = When.ON_SUCCESS
    start_time: float | None = None
    target: str = ""
    action: str = ""
    content: str = ""
    retry: Retry = field(default_factory=Retry)
    gate: Gate | None = None
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedWorkflow:
    """A workflow version that takes part in a plan, and the commit it is read from."""

    path: str
    version: str
    commit: str
    tag: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one run will do. `pinned` holds the workflow itself, then its children in order of their first call."""

    workflow: str
    name: str
    pinned: tuple[PinnedWorkflow, ...]
    inventory_commit: str
    steps: tuple[PlannedStep, ...]
    contents: Mapping[str, Content]
    properties: JsonObject
    concurrency: Concurrency = field(default_factory=Concurrency)
    digest: str = ""

    @property
    def version(self) -> str:
        """The version of the workflow itself; empty for a draft."""
        return self.pinned[0].version

    @property
    def tag(self) -> str:
        """The tag that published it; empty for a draft."""
        return self.pinned[0].tag

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The place of every step by its key."""
        return {step.key: place for place, step in enumerate(self.steps)}

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """For each step the place behind the last step below it: `range(i, ends[i])` is its subtree."""
        ends = list(range(1, len(self.steps) + 1))
        for place in range(len(self.steps) - 1, 0, -1):
            parent = self.steps[place].parent
            ends[parent] = max(ends[parent], ends[place])
        return tuple(ends)

    @cached_property
    def gated(self) -> tuple[bool, ...]:
        """For each step whether it is a gate or has one below it."""
        gated = [step.gate is not None for step in self.steps]
        for place in range(len(self.steps) - 1, 0, -1):
            if gated[place]:
                gated[self.steps[place].parent] = True
        return tuple(gated)

    @cached_property
    def named(self) -> tuple[int, ...]:
        """The places of steps that have an id."""
        return tuple(place for place, step in enumerate(self.steps) if step.id)

    @cached_property
    def lanes(self) -> Mapping[int, tuple[int, ...]]:
        """The order in which a step opens its children; in parallel, those for failures come last."""
        return {place: _lane(step, self.steps) for place, step in enumerate(self.steps) if step.kind in CONTAINERS}


CONTAINERS = frozenset({Kind.STAGE, Kind.WORKFLOW})


def _lane(step: PlannedStep, steps: tuple[PlannedStep, ...]) -> tuple[int, ...]:
    if step.run_as is RunAs.SEQUENTIAL:
        return step.children
    return tuple(sorted(step.children, key=lambda child: steps[child].when is When.ON_FAILURE))
