"""A step's document → its definition, once nothing is wrong with it. Pure."""

from typing import Any

from pointsman.load.fields import ApproversDocument
from pointsman.load.nodes import Items, Mapping, Places, entry, plain_object
from pointsman.load.step_documents import (
    ApprovalDocument,
    CallDocument,
    ChangeDocument,
    StageDocument,
    StepDocument,
    WaitDocument,
)
from pointsman.model.definition import (
    Approvers,
    CallDefinition,
    ChangeDefinition,
    GateDefinition,
    OnTimeout,
    RunAs,
    StageDefinition,
    StepDefinition,
    When,
)
from pointsman.model.values import JsonObject


def approvers(document: ApproversDocument) -> Approvers:
    """Who is named."""
    return Approvers(user_names=tuple(document.user_names), ldap_groups=tuple(document.ldap_groups))


def definition(
    node: Mapping, number: str, document: StepDocument, children: tuple[StepDefinition, ...]
) -> StepDefinition:
    """What the step is, with its children."""
    common: dict[str, Any] = {
        "place": node.start,
        "number": number,
        "places": Places(node, without={"children"}),
        "name": document.name,
        "id": document.id,
        "continue_on_error": document.continue_on_error,
        "when": When(document.when),
    }
    match document:
        case ChangeDocument():
            return _change(document, node, common)
        case StageDocument():
            return StageDefinition(
                **common,
                run_as=RunAs(document.run_as),
                children=children,
                max_parallel=document.max_parallel or None,
                fail_fast=document.fail_fast,
            )
        case WaitDocument():
            return _gate(document, common)
        case CallDocument():
            return _call(document, node, common)
        case _:
            raise TypeError(f"no step is made of {type(document).__name__}")


def _change(document: ChangeDocument, node: Mapping, common: dict[str, Any]) -> ChangeDefinition:
    targets = tuple(document.targets) or (document.target,)
    versions: tuple[str | None, ...] = tuple(document.template_versions)
    if document.template_version:
        versions = (document.template_version,) * len(targets)
    return ChangeDefinition(
        **common,
        targets=targets,
        action=document.action,
        listed="targets" in node.entries,
        run_as=RunAs(document.run_as),
        template_versions=versions,
        property_overrides=plain_object(entry(node, "property_overrides")),
        start_time=document.start_time if "start_time" in document.model_fields_set else None,
    )


def _gate(document: WaitDocument, common: dict[str, Any]) -> GateDefinition:
    named = {**common, "name": common["name"] or ("Approval" if isinstance(document, ApprovalDocument) else "Wait")}
    gate = GateDefinition(
        **named,
        reset_on_retry=document.reset_on_retry,
        timeout_seconds=document.timeout or None,
        on_timeout=OnTimeout(document.on_timeout),
    )
    if not isinstance(document, ApprovalDocument):
        return gate
    return GateDefinition(
        **named,
        approvers=approvers(document.requires_approval_from),
        min_approvals=document.min_approvals,
        one_from_each_group=document.one_from_each_group,
        allow_self_approval=document.allow_self_approval,
        reset_on_retry=gate.reset_on_retry,
        timeout_seconds=gate.timeout_seconds,
        on_timeout=gate.on_timeout,
    )


def _call(document: CallDocument, node: Mapping, common: dict[str, Any]) -> CallDefinition:
    overrides = entry(node, "property_overrides")
    entries: tuple[JsonObject, ...] = ()
    if isinstance(overrides, Items):
        entries = tuple(plain_object(item) for item in overrides.items)
    elif overrides is not None:
        entries = (plain_object(overrides),)
    return CallDefinition(
        **common,
        target=document.target,
        version=document.version or None,
        run_as=RunAs(document.run_as),
        listed=isinstance(overrides, Items),
        property_overrides=entries,
        start_time=document.start_time if "start_time" in document.model_fields_set else None,
    )
