"""What people may write in a file, key by key: one model for each kind of file. Read by `load` and `editor`.

No field takes null: a key that is there has a value, and `model_fields_set` tells whether it is there.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from pointsman.load.fields import (
    ApproversDocument,
    Count,
    Cron,
    Document,
    Duration,
    Label,
    SomeDuration,
    Timezone,
    Word,
)


class ScheduleDocument(Document):
    """One entry of `on.schedule`."""

    cron: Cron
    timezone: Timezone = "UTC"
    properties: dict[str, Any] = Field(default_factory=dict)


class OnDocument(Document):
    """What starts a workflow by itself."""

    publish: bool = False
    schedule: Annotated[list[ScheduleDocument], Field(min_length=1)] = Field(default_factory=list)


class NotifyDocument(Document):
    """Which states of a run are told, and to whom."""

    on: Annotated[
        list[Literal["running", "waiting", "succeeded", "failed", "rejected", "cancelled"]], Field(min_length=1)
    ] = Field(default_factory=list)
    to: Annotated[list[Word], Field(min_length=1)] = Field(default_factory=list)


class ConcurrencyDocument(Document):
    """How many runs of a workflow may be under way, and what becomes of a new one (R95, R97)."""

    limit: Count = 1
    on_new: Literal["queue", "replace", "skip"] = "queue"


class WorkflowDocument(Document):
    """A workflow file."""

    steps: Annotated[list[Any], Field(min_length=1)]
    name: Word = ""
    description: str = ""
    properties: dict[str, Any] = Field(default_factory=dict)
    inputs: dict[str, Any] = Field(default_factory=dict)
    on: OnDocument = Field(default_factory=OnDocument)
    concurrency: ConcurrencyDocument = Field(default_factory=ConcurrencyDocument)
    notify: NotifyDocument = Field(default_factory=NotifyDocument)


class SettingsDocument(Document):
    """Settings that targets inherit downwards."""

    allow_parallel_changes: bool = False


class PolicyDocument(Document):
    """Who may do what in a project."""

    view: ApproversDocument = Field(default_factory=ApproversDocument)
    run: ApproversDocument = Field(default_factory=ApproversDocument)
    publish: ApproversDocument = Field(default_factory=ApproversDocument)
    allow_self_approval: bool = True
    min_approvals: Count = 1
    protected: Any = None


class RepositoryDocument(Document):
    """`pointsman.yaml`."""

    properties: dict[str, Any] = Field(default_factory=dict)
    settings: SettingsDocument = Field(default_factory=SettingsDocument)
    inventory: Literal["branch", "tag"] = "branch"
    signed_tags: Literal["required", "optional"] = "optional"


class TargetDocument(Document):
    """What projects, environments and assets have in common."""

    texts: ClassVar[frozenset[str]] = frozenset({"template_version"})

    name: Word = ""
    description: str = ""
    properties: dict[str, Any] = Field(default_factory=dict)
    settings: SettingsDocument = Field(default_factory=SettingsDocument)
    template: Word = ""
    template_version: Word = ""


class ProjectDocument(TargetDocument):
    """`project.yaml`."""

    policy: PolicyDocument = Field(default_factory=PolicyDocument)


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
    command: Annotated[list[str], Field(min_length=1)] = Field(default_factory=list)
    run: Word = ""
    steps: Annotated[list[Word], Field(min_length=1)] = Field(default_factory=list)
    env: dict[str, str] = Field(default_factory=dict)
    timeout: SomeDuration = 0
    retry: RetryDocument = Field(default_factory=RetryDocument)
    idempotent: bool = False


class TemplateDocument(Document):
    """`template.yaml`."""

    name: Word = ""
    description: str = ""
    properties: dict[str, Any] = Field(default_factory=dict)
    properties_schema: dict[str, Any] = Field(default_factory=dict)
    actions: dict[str, Any] = Field(default_factory=dict)


class FileDocument(Document):
    """One entry of `pointsman.files` in the properties (R103)."""

    texts: ClassVar[frozenset[str]] = frozenset({"mode"})

    content: Any
    mode: Annotated[str, StringConstraints(pattern=r"^[0-7]{3,4}$")] = "0600"
    format: Literal["raw", "json", "base64"] = "raw"


class ReservedDocument(Document):
    """`pointsman` in the properties, the one reserved name."""

    env: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, Any] = Field(default_factory=dict)
