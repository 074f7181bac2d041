"""Which of the five kinds a step is: by its `type`, or by the keys that only one kind has (R3–R7). Pure."""

from collections.abc import Iterator

from pointsman.load.nodes import Mapping, Scalar, entry, plain
from pointsman.load.shape import MOST_SUGGESTIONS
from pointsman.load.step_documents import (
    ApprovalDocument,
    CallDocument,
    ChangeDocument,
    StageDocument,
    StepDocument,
    WaitDocument,
)
from pointsman.load.suggestion import nearest_key
from pointsman.load.wording import brief, kind_of, listed, shown
from pointsman.model.definition import Kind
from pointsman.model.problem import Code, Problem

DOCUMENTS: dict[Kind, type[StepDocument]] = {
    Kind.CHANGE: ChangeDocument,
    Kind.STAGE: StageDocument,
    Kind.WAIT: WaitDocument,
    Kind.APPROVAL: ApprovalDocument,
    Kind.WORKFLOW: CallDocument,
}
NOUNS = {
    Kind.CHANGE: "a change",
    Kind.STAGE: "a stage",
    Kind.WAIT: "a wait",
    Kind.APPROVAL: "an approval",
    Kind.WORKFLOW: "a workflow step",
}
_TYPES = ("change", "stage", "wait", "workflow")
_APPROVAL_HINT = "an approval is type: wait with requires_approval_from"


def keys_elsewhere(kind: Kind) -> dict[str, str]:
    """The keys that this kind of step does not have, and which kinds have them."""
    own = DOCUMENTS[kind].model_fields
    owners: dict[str, list[str]] = {}
    for other, model in DOCUMENTS.items():
        for key in model.model_fields.keys() - own.keys():
            owners.setdefault(key, []).append(NOUNS[other])
    return {key: listed(nouns, last="or") for key, nouns in owners.items()}


ELSEWHERE = {kind: keys_elsewhere(kind) for kind in Kind}
_OF_APPROVALS = ApprovalDocument.model_fields.keys() - WaitDocument.model_fields.keys()
_EVERY_KEY = frozenset(key for model in DOCUMENTS.values() for key in model.model_fields)


def kind_of_step(node: Mapping, number: str) -> Kind | Problem:
    """What the step is, or why that cannot be told."""
    if "type" in node.entries:
        return _declared(node, number)
    keys = node.entries.keys()
    signs = _signs(node)
    if len(signs) > 1:
        return _two_kinds(node, number, signs)
    if "children" in keys:
        return Kind.STAGE if "run_as" in keys else _untold(node, number, "add run_as to make it a stage, or set type")
    if keys & {"target", "targets"}:
        return Kind.CHANGE if "action" in keys else _untold(node, number, _hint_for_target(node))
    if "action" in keys:
        return _untold(node, number, "add target or targets to make it a change, or set type")
    if "requires_approval_from" in keys:
        return _untold(node, number, "add type: wait to make it an approval")
    if keys & _OF_APPROVALS:
        return _untold(node, number, "add type: wait and requires_approval_from to make it an approval")
    if "name" in keys or not keys:
        return _untold(node, number, "add type: wait to make it a wait, or the keys of another type")
    return _untold(node, number, f"set type to {listed(_TYPES, last='or')}")


def unknown_keys(node: Mapping, number: str) -> Iterator[Problem]:
    """The keys of a step of no kind that no kind has: most often one of them is why (R2)."""
    for key in list(node.entries)[:MOST_SUGGESTIONS]:
        if key not in _EVERY_KEY:
            near = nearest_key(key, _EVERY_KEY)
            yield Problem(
                place=node.key_place(key),
                code=Code.UNKNOWN_KEY,
                says=f"no step has a key {shown(key)}",
                hint=f"did you mean {near}?" if near else "remove it",
                step=number,
            )


def _declared(node: Mapping, number: str) -> Kind | Problem:
    value = node.entries["type"]
    if not isinstance(value, Scalar) or value.empty:
        says = (
            "type has no value" if plain(value) is None else f"type must be a word, and this is {kind_of(plain(value))}"
        )
        return Problem(place=node.key_place("type"), code=Code.UNKNOWN_TYPE, says=says, hint=_choice(), step=number)
    if value.value in _TYPES:
        approval = value.value == "wait" and "requires_approval_from" in node.entries
        return Kind.APPROVAL if approval else Kind(str(value.value))
    says = "type takes no variables" if "{{" in value.text else f"there is no type {shown(value.text)}"
    near = nearest_key(value.text.lower(), frozenset((*_TYPES, "approval")))
    hint = _APPROVAL_HINT if near == "approval" else f"did you mean {near}?" if near else _choice()
    return Problem(place=value.place, code=Code.UNKNOWN_TYPE, says=says, hint=hint, step=number)


def _choice() -> str:
    return f"the types are {listed(_TYPES)}"


def _signs(node: Mapping) -> dict[Kind, str]:
    """For each kind that the keys speak for, the first of these keys."""
    signs: dict[Kind, str] = {}
    for key in node.entries:
        if key == "children":
            signs.setdefault(Kind.STAGE, key)
        elif key in {"target", "targets", "action"}:
            signs.setdefault(Kind.CHANGE, key)
        elif key == "requires_approval_from":
            signs.setdefault(Kind.APPROVAL, key)
    return signs


def _two_kinds(node: Mapping, number: str, signs: dict[Kind, str]) -> Problem:
    readings = listed(f"{key} makes it {NOUNS[kind]}" for kind, key in signs.items())
    return Problem(
        place=node.start,
        code=Code.TWO_TYPES,
        says=f"cannot tell the type of this step; {readings}",
        hint=f"keep one of {listed(signs.values())}",
        step=number,
    )


def _hint_for_target(node: Mapping) -> str:
    target = entry(node, "target")
    if isinstance(target, Scalar) and "/workflows/" in target.text:
        return "add type: workflow to call the workflow"
    return "add action to make it a change, or set type"


def _untold(node: Mapping, number: str, hint: str) -> Problem:
    has = listed(brief(key) for key in list(node.entries)[:12]) or "no keys"
    return Problem(
        place=node.start,
        code=Code.UNKNOWN_TYPE,
        says=f"cannot tell the type of this step; it has {has}",
        hint=hint,
        step=number,
    )
