"""JSON Schema for editors, with one repository's targets, actions, workflows, templates and people in it. Pure.

The shape is the one that yaml-language-server makes the most of: one mapping for all steps, and conditions that say
what a certain kind of step, or a certain target, allows. Whatever `load` takes it takes; not the other way round.
"""

from collections.abc import Iterable

from pointsman.editor.files import FileKind
from pointsman.editor.known import Known
from pointsman.editor.shapes import STEP, Schema, shape
from pointsman.load.step_types import DOCUMENTS
from pointsman.model.definition import Kind

TEMPLATED: Schema = {"type": "string", "pattern": r"\{\{"}
# A list of targets would be offered twice.
_NO_WORKFLOW: Schema = {
    "pattern": r"^(?!/projects/[^/]*/workflows/)",
    "patternErrorMessage": "this is a workflow: call it with type: workflow, without an action",
}
_UNTOLD = "cannot tell the type of this step: add type, or children with run_as, or a target with its action"
_NO_ACTION = "an action has one of command, run and steps"
_NO_TARGET = "target or targets is missing"


def schema(kind: FileKind, known: Known) -> Schema:
    """The schema of a kind of file in this repository."""
    made = shape(kind)
    definitions = made["definitions"]
    if "ApproversDocument" in definitions:
        people = definitions["ApproversDocument"]["properties"]
        people["user_names"]["items"]["examples"] = list(known.user_names)
        people["ldap_groups"]["items"]["examples"] = list(known.ldap_groups)
    if kind is FileKind.WORKFLOW:
        _complete_step(definitions[STEP], known)
    elif kind is FileKind.TEMPLATE:
        ways = [{"required": [key]} for key in ("command", "run", "steps")]
        definitions["ActionDocument"] |= {"anyOf": ways, "errorMessage": _NO_ACTION}
    elif "template" in made["properties"]:
        _complete_template(made, known)
    return {"title": kind.value, **made}


def _complete_template(made: Schema, known: Known) -> None:
    """A template of another commit need not be here any more."""
    codes = list(known.template_codes())
    made["properties"]["template"]["examples"] = codes
    if codes:
        here = {"properties": {"template": {"enum": codes}}}
        made["if"], made["then"] = {"not": {"required": ["template_version"]}}, here


def _complete_step(step: Schema, known: Known) -> None:
    keys = step["properties"]
    targets = [path for path in known.targets if known.actions(path)]
    keys["target"] |= _or_templated([*targets, *known.workflows])
    keys["targets"]["items"] |= _or_templated(targets)
    keys["action"] |= _or_templated(sorted({action for path in targets for action in known.actions(path)}))
    step["allOf"] = [
        {"anyOf": [{"required": [key]} for key in ("type", "children", "action")], "errorMessage": _UNTOLD},
        *(_rules(kind, only) for kind, only in _certain().items()),
        _if({"required": ["action"]}, {"anyOf": [_having("target"), _having("targets")], "errorMessage": _NO_TARGET}),
        _if(_typed("workflow"), {"properties": {"target": _or_templated(known.workflows)}}),
        _if(_having("action"), {"properties": {"target": _NO_WORKFLOW}}),
        *(rule for actions, paths in _by_actions(targets, known).items() for rule in _narrowing(actions, paths)),
        *(_versions(path, versions) for path, versions in known.versions.items() if versions),
    ]


def _certain() -> dict[Kind, Schema]:
    """What makes a step one of a kind beyond doubt (R3-R7)."""
    untyped = {"not": _having("type")}
    approvers = _having("requires_approval_from")
    return {
        Kind.CHANGE: {"anyOf": [_typed("change"), {"allOf": [untyped, _having("action")]}]},
        Kind.STAGE: {"anyOf": [_typed("stage"), {"allOf": [untyped, _having("children")]}]},
        Kind.WAIT: {"allOf": [_typed("wait"), {"not": approvers}]},
        Kind.APPROVAL: {"allOf": [_typed("wait"), approvers]},
        Kind.WORKFLOW: _typed("workflow"),
    }


def _rules(kind: Kind, only: Schema) -> Schema:
    """The keys that a step of this kind must have, and that it cannot have."""
    fields = DOCUMENTS[kind].model_fields
    every = {key for document in DOCUMENTS.values() for key in document.model_fields}
    then: Schema = {"required": [key for key, field in fields.items() if field.is_required()]}
    refused = every - fields.keys()
    then["properties"] = dict.fromkeys(sorted(refused), False)
    return _if(only, then)


def _by_actions(targets: Iterable[str], known: Known) -> dict[tuple[str, ...], list[str]]:
    """Targets by the actions that they have."""
    found: dict[tuple[str, ...], list[str]] = {}
    for path in targets:
        found.setdefault(tuple(sorted(known.actions(path))), []).append(path)
    return found


def _narrowing(actions: tuple[str, ...], paths: list[str]) -> list[Schema]:
    then = {"properties": {"action": _or_templated(actions)}}
    one = {"properties": {"target": {"enum": paths}}, "required": ["target", "action"]}
    several = {"properties": {"targets": {"contains": {"enum": paths}}}, "required": ["targets", "action"]}
    return [_if(one, then), _if(several, then)]


def _versions(path: str, versions: Iterable[str]) -> Schema:
    examples = [int(version) if version.isdecimal() else version for version in versions]
    asked = {"properties": {"target": {"const": path}}, "required": ["target", "version"]}
    return _if(asked, {"properties": {"version": {"examples": examples}}})


def _or_templated(names: Iterable[str]) -> Schema:
    """One of these, or a text with a variable in it; anything where there are no names."""
    listed = list(names)
    return {"anyOf": [{"enum": listed}, TEMPLATED]} if listed else {}


def _if(condition: Schema, then: Schema) -> Schema:
    return {"if": condition, "then": then}


def _having(key: str) -> Schema:
    return {"required": [key]}


def _typed(word: str) -> Schema:
    return {"properties": {"type": {"const": word}}, "required": ["type"]}
