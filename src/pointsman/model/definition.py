"""What a workflow's author wrote, once it is known to make sense: the steps, before any expansion. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pointsman.model.problem import Place
from pointsman.model.values import JsonObject

NOWHERE = Place("")


class Kind(StrEnum):
    """What a step is."""

    STAGE = "stage"
    CHANGE = "change"
    WAIT = "wait"
    APPROVAL = "approval"
    WORKFLOW = "workflow"


class RunAs(StrEnum):
    """How the children of a step follow one another."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"


class When(StrEnum):
    """When a step runs: only while all went well, in any case, or only after something did not (R53)."""

    ON_SUCCESS = "on_success"
    ALWAYS = "always"
    ON_FAILURE = "on_failure"


class OnTimeout(StrEnum):
    """How a gate is decided when its time is up (R78)."""

    REJECT = "reject"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvers:
    """Who may approve: users by name, and members of LDAP groups."""

    user_names: tuple[str, ...] = ()
    ldap_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDefinition:
    """What every step has. `places` maps a key (`targets.1`, `property_overrides.0.env`) to where its value is."""

    place: Place
    number: str
    places: Mapping[str, Place] = field(default_factory=dict)
    name: str = ""
    id: str = ""
    continue_on_error: bool = False
    when: When = When.ON_SUCCESS
    start_time: float | None = None

    def at(self, key: str) -> Place:
        """Where the value of a key was written; the step's own place if the key is absent."""
        return self.places.get(key, self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDefinition(StepDefinition):
    """An action on one target, or on each of a list (`listed`)."""

    targets: tuple[str, ...]
    action: str
    listed: bool = False
    run_as: RunAs = RunAs.SEQUENTIAL
    template_versions: tuple[str | None, ...] = ()
    property_overrides: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDefinition(StepDefinition):
    """Steps that run one after another or together."""

    run_as: RunAs
    children: tuple[StepDefinition, ...]
    max_parallel: int | None = None
    fail_fast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDefinition(StepDefinition):
    """A wait, or with approvers an approval."""

    approvers: Approvers | None = None
    min_approvals: int = 1
    one_from_each_group: bool = False
    allow_self_approval: bool = True
    reset_on_retry: bool = True
    timeout_seconds: int | None = None
    on_timeout: OnTimeout = OnTimeout.REJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDefinition(StepDefinition):
    """A call of another workflow, once, or once for each of a list of overrides (`listed`)."""

    target: str
    version: str | None = None
    run_as: RunAs = RunAs.SEQUENTIAL
    listed: bool = False
    property_overrides: tuple[JsonObject, ...] = ()


class OnNew(StrEnum):
    """What a new run does to runs of the same workflow that still wait to be admitted (R97)."""

    QUEUE = "queue"
    REPLACE = "replace"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """How many runs of a workflow may be under way (R95)."""

    limit: int = 1
    on_new: OnNew = OnNew.QUEUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One entry of `on.schedule`: when a run starts by itself, in which time zone, and with which properties."""

    cron: str
    timezone: str = "UTC"
    properties: JsonObject = field(default_factory=dict)
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggers:
    """What starts runs of a workflow that nobody asked for: its publication (`publish`), and its schedule."""

    publish: bool = False
    schedule: tuple[Schedule, ...] = ()
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowDefinition:
    """One workflow file. `path` is `/projects/<project>/workflows/<workflow>`, `file` its place in the repository.

    `places` maps a key below `inputs` (`inputs.properties.env`) to where its value is.
    """

    path: str
    file: str
    steps: tuple[StepDefinition, ...]
    name: str = ""
    description: str = ""
    properties: JsonObject = field(default_factory=dict)
    inputs: JsonObject | None = None
    on: Triggers = field(default_factory=Triggers)
    notify: JsonObject = field(default_factory=dict)
    concurrency: Concurrency = field(default_factory=Concurrency)
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The file's name without its suffix."""
        return self.path.rsplit("/", 1)[1]

    def at(self, key: str) -> Place:
        """Where the value of a key was written, or of the nearest key around it; else the file's beginning."""
        while key not in self.places and key:
            key = key.rpartition(".")[0]
        return self.places.get(key, Place(self.file))
