"""What people may write in a step, one model for each kind. Read by `load` and `editor`.

No field takes null: a key that is there has a value, and `model_fields_set` tells whether it is there. Values that are
texts whatever they look like (`version: 1.10`) reach these models as the text that was written.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from pointsman.load.fields import (
    ApproversDocument,
    Count,
    Document,
    Label,
    Moment,
    RunAsWord,
    SomeDuration,
    VersionWord,
    Word,
)


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
    targets: Annotated[list[Word], Field(min_length=1)] = Field(default_factory=list)
    action: Word
    run_as: RunAsWord = "sequential"
    template_version: Word = ""
    template_versions: list[Word | None] = Field(default_factory=list)
    property_overrides: dict[str, Any] = Field(default_factory=dict)
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
    version: VersionWord = ""
    run_as: RunAsWord = "sequential"
    property_overrides: Any = None
    start_time: Moment = 0.0
