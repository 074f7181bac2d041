"""What people may write, key by key: one model for each kind of file and of step. Private to `load`.

No field takes null: a key that is there has a value, and `model_fields_set` tells whether it is there.
Values that are texts whatever they look like (`version: 1.10`) reach these models as the text that was written.
"""

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, StringConstraints
from pydantic_core import PydanticCustomError

from pointsman.load.times import cron_trouble, epoch_seconds, seconds_of, timezone_trouble
from pointsman.model.problem import Code


def refusal(code: Code, says: str, *, hint: str = "") -> PydanticCustomError:
    """What a validator raises: `says` follows the name of the key, as in `timeout must be …`."""
    return PydanticCustomError(code.value, "{says}", {"says": says, "hint": hint})


def _duration(value: object) -> int:
    try:
        return seconds_of(value)
    except ValueError as error:
        raise refusal(Code.BAD_TIME, str(error)) from None


def _some_duration(value: object) -> int:
    seconds = _duration(value)
    if seconds < 1:
        raise refusal(Code.BAD_TIME, "must be at least 1s")
    return seconds


def _moment(value: object) -> float:
    if not isinstance(value, str):
        raise refusal(Code.BAD_TIME, "must be a date and time such as 2026-06-04T22:00:00+10:00")
    try:
        return epoch_seconds(value)
    except ValueError as error:
        hint = "add the offset from UTC: Z, or +10:00" if "offset" in str(error) else ""
        raise refusal(Code.BAD_TIME, str(error), hint=hint) from None


def _cron(value: str) -> str:
    if trouble := cron_trouble(value):
        raise refusal(Code.BAD_TIME, trouble)
    return value


def _timezone(value: str) -> str:
    if trouble := timezone_trouble(value):
        raise refusal(Code.BAD_TIME, trouble, hint="write a name such as Europe/Berlin, or UTC")
    return value


def _person(value: object) -> str:
    """A name of a user or group: never a variable, so that nobody can choose their own approvers (R9)."""
    if not isinstance(value, str):
        raise refusal(Code.BAD_APPROVERS, "must be a name", hint="put the name in quotes")
    if not value.strip():
        raise refusal(Code.BAD_APPROVERS, "is an empty name")
    if "{{" in value:
        raise refusal(Code.BAD_APPROVERS, "takes no variables", hint="write the name itself")
    return value.strip()


def _label(value: str) -> str:
    if "{{" in value or any(letter.isspace() or letter == "." for letter in value):
        raise refusal(Code.BAD_NAME, "takes no space, dot or variable")
    return value


Word: TypeAlias = Annotated[str, StringConstraints(pattern=r"\S")]
Label: TypeAlias = Annotated[Word, AfterValidator(_label)]
Person: TypeAlias = Annotated[str, PlainValidator(_person)]
Duration: TypeAlias = Annotated[int, PlainValidator(_duration)]
SomeDuration: TypeAlias = Annotated[int, PlainValidator(_some_duration)]
Moment: TypeAlias = Annotated[float, PlainValidator(_moment)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
RunAsWord: TypeAlias = Literal["sequential", "parallel"]


class Document(BaseModel):
    """Keys that are not named here are errors; nothing is converted. `texts` are the keys read as source text."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    texts: ClassVar[frozenset[str]] = frozenset()


class ApproversDocument(Document):
    """`requires_approval_from`, and the verbs of a policy."""

    user_names: Annotated[list[Person], Field(min_length=1)] = []
    ldap_groups: Annotated[list[Person], Field(min_length=1)] = []


class StepDocument(Document):
    """The keys that every step may have."""

    type: Any = None
    name: Word = ""
    id: Label = ""
    continue_on_error: bool = False
    when: Literal["on_success", "always", "on_failure"] = "on_success"


class ChangeDocument(StepDocument):
    """A change: an action on one target or several."""

    texts: ClassVar[frozenset[str]] = frozenset({"template_version", "template_versions"})

    target: Word = ""
    targets: Annotated[list[Word], Field(min_length=1)] = []
    action: Word
    run_as: RunAsWord = "sequential"
    template_version: Word = ""
    template_versions: list[Word | None] = []
    property_overrides: dict[str, Any] = {}
    start_time: Moment = 0.0


class StageDocument(StepDocument):
    """A stage: children, one after another or together."""

    name: Word
    run_as: RunAsWord
    children: Annotated[list[Any], Field(min_length=1)]
    max_parallel: Count = 0
    fail_fast: bool = False


class WaitDocument(StepDocument):
    """A wait: anyone who may run the workflow continues it."""

    reset_on_retry: bool = True
    timeout: SomeDuration = 0
    on_timeout: Literal["reject", "continue"] = "reject"


class ApprovalDocument(WaitDocument):
    """An approval: a wait that names who decides."""

    requires_approval_from: ApproversDocument
    min_approvals: Count = 1
    one_from_each_group: bool = False
    allow_self_approval: bool = True


class CallDocument(StepDocument):
    """A workflow step: another workflow's steps, once or for each of a list of overrides."""

    texts: ClassVar[frozenset[str]] = frozenset({"version"})

    target: Word
    version: Word = ""
    run_as: RunAsWord = "sequential"
    property_overrides: Any = None
    start_time: Moment = 0.0


class ScheduleDocument(Document):
    """One entry of `on.schedule`."""

    cron: Annotated[Word, AfterValidator(_cron)]
    timezone: Annotated[Word, AfterValidator(_timezone)] = "UTC"
    properties: dict[str, Any] = {}


class OnDocument(Document):
    """What starts a workflow by itself."""

    publish: bool = False
    schedule: Annotated[list[ScheduleDocument], Field(min_length=1)] = []


class NotifyDocument(Document):
    """Which states of a run are told, and to whom."""

    on: Annotated[
        list[Literal["running", "waiting", "succeeded", "failed", "rejected", "cancelled"]], Field(min_length=1)
    ] = []
    to: Annotated[list[Word], Field(min_length=1)] = []


class ConcurrencyDocument(Document):
    """How many runs of a workflow may be under way, and what becomes of a new one (R95, R97)."""

    limit: Count = 1
    on_new: Literal["queue", "replace", "skip"] = "queue"


class WorkflowDocument(Document):
    """A workflow file."""

    steps: Annotated[list[Any], Field(min_length=1)]
    name: Word = ""
    description: str = ""
    properties: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    on: OnDocument = OnDocument()
    concurrency: ConcurrencyDocument = ConcurrencyDocument()
    notify: NotifyDocument = NotifyDocument()


class SettingsDocument(Document):
    """Settings that targets inherit downwards."""

    allow_parallel_changes: bool = False


class PolicyDocument(Document):
    """Who may do what in a project."""

    view: ApproversDocument = ApproversDocument()
    run: ApproversDocument = ApproversDocument()
    publish: ApproversDocument = ApproversDocument()
    allow_self_approval: bool = True
    min_approvals: Count = 1
    protected: Any = None


class RepositoryDocument(Document):
    """`pointsman.yaml`."""

    properties: dict[str, Any] = {}
    settings: SettingsDocument = SettingsDocument()
    inventory: Literal["branch", "tag"] = "branch"


class TargetDocument(Document):
    """What projects, environments and assets have in common."""

    texts: ClassVar[frozenset[str]] = frozenset({"template_version"})

    name: Word = ""
    description: str = ""
    properties: dict[str, Any] = {}
    settings: SettingsDocument = SettingsDocument()
    template: Word = ""
    template_version: Word = ""


class ProjectDocument(TargetDocument):
    """`project.yaml`."""

    policy: PolicyDocument = PolicyDocument()


class EnvironmentDocument(TargetDocument):
    """`environment.yaml`."""


class AssetDocument(TargetDocument):
    """An asset's file."""

    template: Word
    worker: Label = ""


class RetryDocument(Document):
    """How often an action is tried again."""

    max: Annotated[int, Field(ge=0, le=100)] = 0
    delay: Duration = 0


class ActionDocument(Document):
    """One action of a template."""

    texts: ClassVar[frozenset[str]] = frozenset({"command", "env"})

    description: str = ""
    command: Annotated[list[str], Field(min_length=1)] = []
    run: Word = ""
    steps: Annotated[list[Word], Field(min_length=1)] = []
    env: dict[str, str] = {}
    timeout: SomeDuration = 0
    retry: RetryDocument = RetryDocument()
    idempotent: bool = False


class TemplateDocument(Document):
    """`template.yaml`."""

    name: Word = ""
    description: str = ""
    properties: dict[str, Any] = {}
    properties_schema: dict[str, Any] = {}
    actions: dict[str, Any] = {}


class FileDocument(Document):
    """One entry of `pointsman.files` in the properties (R103)."""

    texts: ClassVar[frozenset[str]] = frozenset({"mode"})

    content: Any
    mode: Annotated[str, StringConstraints(pattern=r"^[0-7]{3,4}$")] = "0600"
    format: Literal["raw", "json", "base64"] = "raw"


class ReservedDocument(Document):
    """`pointsman` in the properties, the one reserved name."""

    env: dict[str, Any] = {}
    files: dict[str, Any] = {}
