"""What changes are made to: projects, environments, assets, their templates and properties at one commit. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pointsman.model.definition import Approvers
from pointsman.model.problem import Place
from pointsman.model.values import JsonObject


class TargetKind(StrEnum):
    """The three levels of targets."""

    PROJECT = "project"
    ENVIRONMENT = "environment"
    ASSET = "asset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often an action is tried again after it failed, and after how long."""

    max: int = 0
    delay_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a template can do: exactly one of `command`, `run` and `steps` (other actions, in order) is given."""

    name: str
    place: Place
    description: str = ""
    command: tuple[str, ...] = ()
    run: str = ""
    steps: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: int | None = None
    retry: Retry = field(default_factory=Retry)
    idempotent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The properties that one file sets, and where it sets them (dotted name → place)."""

    file: str
    properties: JsonObject = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)


def set_at(layers: Sequence[Layer], way: Sequence[str | int]) -> Place | None:
    """Where the value at the end of `way`, or what is around it, was set last; None if no layer sets it."""
    for length in range(len(way), 0, -1):
        name = ".".join(map(str, way[:length]))
        for layer in reversed(layers):
            if name in layer.places:
                return layer.places[name]
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A folder of scripts with the actions that run them. `tree` is its Git tree id, which names its content."""

    path: str
    tree: str
    file: str
    name: str = ""
    defaults: Layer = field(default_factory=lambda: Layer(file=""))
    properties_schema: JsonObject | None = None
    actions: Mapping[str, Action] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The folder's name."""
        return self.path.rsplit("/", 1)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something an action can be run on. `layers` are in merge order, the template's defaults in their place (R100)."""

    path: str
    kind: TargetKind
    file: str
    layers: tuple[Layer, ...]
    name: str = ""
    description: str = ""
    template: Template | None = None
    worker: str = ""
    allow_parallel_changes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who may do what in a project; a verb that is None is everybody's who is logged in (DESIGN section 8)."""

    view: Approvers | None = None
    run: Approvers | None = None
    publish: Approvers | None = None
    allow_self_approval: bool = True
    min_approvals: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project's own facts; its targets are in the inventory."""

    code: str
    name: str = ""
    description: str = ""
    properties: JsonObject = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything that changes can be made to. `commit` is empty for a working tree.

    `signed_tags`: whether tags must be signed; None if `pointsman.yaml`, which would say so, cannot be read.
    """

    commit: str = ""
    targets: Mapping[str, Target] = field(default_factory=dict)
    projects: Mapping[str, Project] = field(default_factory=dict)
    from_tag: bool = False
    signed_tags: bool | None = False
