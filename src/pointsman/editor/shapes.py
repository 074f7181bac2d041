"""What may be written in each kind of file, as JSON Schema (draft-07), made of `load`'s own documents.

Nothing in it is about one repository; `schema` adds that.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from pointsman.editor.files import FileKind
from pointsman.editor.sentences import sentence
from pointsman.load.documents import (
    ActionDocument,
    AssetDocument,
    EnvironmentDocument,
    FileDocument,
    ProjectDocument,
    RepositoryDocument,
    ReservedDocument,
    TemplateDocument,
    WorkflowDocument,
)
from pointsman.load.fields import Document
from pointsman.load.step_types import DOCUMENTS, NOUNS
from pointsman.model.names import CODE

Schema: TypeAlias = dict[str, Any]
Step: TypeAlias = str | int

STEP = "step"
TYPES = ("change", "stage", "wait", "workflow")


DOCUMENT: dict[FileKind, type[Document]] = {
    FileKind.WORKFLOW: WorkflowDocument,
    FileKind.ASSET: AssetDocument,
    FileKind.PROJECT: ProjectDocument,
    FileKind.ENVIRONMENT: EnvironmentDocument,
    FileKind.TEMPLATE: TemplateDocument,
    FileKind.REPOSITORY: RepositoryDocument,
}
_MAY_BE_EMPTY = {FileKind.PROJECT, FileKind.ENVIRONMENT, FileKind.REPOSITORY}
_REFERENCE = "#/definitions/{model}"

_STEPS = {"items": {"$ref": _REFERENCE.format(model=STEP)}}
_DURATION = {
    "type": ["string", "integer"],
    "pattern": "^(?=.)([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$|^[0-9]+$",
    "patternErrorMessage": "a duration is 30s, 10m, 2h, 1d, 1h30m or a number of seconds",
    "minimum": 0,
    "examples": ["30s", "10m", "2h"],
}
_MOMENT = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:?\d{2})$",
    "patternErrorMessage": "write a date and time with its offset, such as 2026-06-04T22:00:00+10:00",
}
_PERSON = {
    "type": "string",
    "pattern": r"^(?![\s\S]*\{\{)[\s\S]*\S",
    "patternErrorMessage": "write the name itself: approvers take no variables",
}
_PEOPLE = {"items": _PERSON}
_PROPERTIES = {"properties": {"pointsman": {"$ref": _REFERENCE.format(model="ReservedDocument")}}}
_OVERRIDES = {**_PROPERTIES, "type": "object"}

# What the documents check with functions of their own, which no schema can be made of.
_BY_KEY: dict[str, Schema] = {
    "timeout": _DURATION,
    "delay": _DURATION,
    "start_time": _MOMENT,
    "user_names": _PEOPLE,
    "ldap_groups": _PEOPLE,
    "properties": _PROPERTIES,
    "type": {"enum": [*TYPES]},
    "children": _STEPS,
    "WorkflowDocument.steps": _STEPS,
    "ChangeDocument.property_overrides": _OVERRIDES,
    "CallDocument.property_overrides": {"type": ["object", "array"], **_PROPERTIES, "minItems": 1, "items": _OVERRIDES},
    "CallDocument.version": {"type": ["string", "number"], "pattern": r"\S"},
    "TemplateDocument.actions": {
        "additionalProperties": {"$ref": _REFERENCE.format(model="ActionDocument")},
        "propertyNames": {"pattern": f"^{CODE.pattern}$"},
    },
    "ReservedDocument.env": {"additionalProperties": {"type": ["string", "number", "boolean"]}},
    "ReservedDocument.files": {"additionalProperties": {"$ref": _REFERENCE.format(model="FileDocument")}},
    # a workflow's properties are variables, among which no name is reserved
    "WorkflowDocument.properties": {},
    "ScheduleDocument.properties": {},
}


@cache
def _shape(kind: FileKind) -> Schema:
    definitions: Schema = {}
    top = _table(DOCUMENT[kind], definitions)
    if kind in _MAY_BE_EMPTY:
        top["type"] = ["object", "null"]
    if kind is FileKind.WORKFLOW:
        definitions[STEP] = _step(definitions)
    # these are named in _BY_KEY alone
    for document in (ReservedDocument, FileDocument, *((ActionDocument,) if kind is FileKind.TEMPLATE else ())):
        definitions[document.__name__] = _table(document, definitions)
    return {"$schema": "http://json-schema.org/draft-07/schema#", **top, "definitions": definitions}


def shape(kind: FileKind) -> Schema:
    """The schema of a kind of file, the caller's own to change. Its definitions are named for `load`'s documents."""
    # through text, because parts that are the same are one object here, and are not to change together
    made: Schema = json.loads(json.dumps(_shape(kind)))
    return made


def _table(document: type[Document], definitions: Schema) -> Schema:
    """A mapping with the keys of a document; the documents within it are put among the definitions."""
    made: Schema = document.model_json_schema(ref_template=_REFERENCE)
    inner = made.pop("$defs", {})
    documents = {one.__name__: one for one in _documents(Document)}
    for name, nested in inner.items():
        definitions[name] = _told(nested, documents[name])
    return _told(made, document)


def _documents(document: type[Document]) -> Iterator[type[Document]]:
    for one in document.__subclasses__():
        yield one
        yield from _documents(one)


def _told(made: Schema, document: type[Document]) -> Schema:
    properties = {}
    for key, found in made["properties"].items():
        value = {name: part for name, part in found.items() if name not in {"title", "default"}}
        if isinstance(found.get("default"), bool) or "enum" in found:
            value["default"] = found.get("default")
        if key in document.texts:
            value = _as_written(value, booleans=key in {"command", "env"})
        own = f"{document.__name__}.{key}"
        value |= _BY_KEY[own] if own in _BY_KEY else _BY_KEY.get(key, {})
        properties[key] = {**value, "description": sentence(document, key)}
    required = {"required": made["required"]} if "required" in made else {}
    return {"type": "object", "additionalProperties": False, "properties": properties, **required}


def _as_written(value: Any, *, booleans: bool) -> Any:  # noqa: ANN401 - any part of a schema
    """Where source text is taken, a number is as good as a text (R22)."""
    if isinstance(value, list):
        return [_as_written(one, booleans=booleans) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _as_written(one, booleans=booleans) for key, one in value.items()}
    if value.get("type") == "string":
        made["type"] = ["string", "number", *(["boolean"] if booleans else [])]
    return made


def _step(definitions: Schema) -> Schema:
    """One mapping for all kinds of steps: editors tell nothing useful about a choice among five."""
    properties: Schema = {}
    said: dict[str, dict[str, str]] = {}
    for kind, document in DOCUMENTS.items():
        # of a key that several kinds have, the last of them, a workflow step, takes the most
        properties |= _table(document, definitions)["properties"]
        for key in document.model_fields:
            said.setdefault(key, {}).setdefault(sentence(document, key), NOUNS[kind])
    for key, sentences in said.items():
        several = " ".join(f"In {noun}: {text}" for text, noun in sentences.items())
        properties[key]["description"] = next(iter(sentences)) if len(sentences) == 1 else several
    return {"title": STEP, "type": "object", "additionalProperties": False, "properties": properties}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What may stand at a place in a file. `owner` is the definition that its key belongs to, empty at the top."""

    shape: Schema
    owner: str = ""
    key: str = ""

    @property
    def keys(self) -> dict[str, Schema]:
        """The keys of the mapping that may stand here, with what may stand at each."""
        found: dict[str, Schema] = self.shape.get("properties", {})
        return found


def reached(kind: FileKind, way: Sequence[Step]) -> Reached:
    """What may stand where `way` leads in a file; an empty shape where nothing is known about it."""
    top = _shape(kind)
    here, owner, key, mapping = top, "", "", DOCUMENT[kind].__name__
    for part in way:
        if isinstance(part, int):
            here = here.get("items", {})
        else:
            owner, key = mapping, part
            more = here.get("additionalProperties")
            here = here.get("properties", {}).get(part) or (more if isinstance(more, dict) else {})
        if "$ref" in here:
            mapping = here["$ref"].rsplit("/", 1)[1]
            here = top["definitions"][mapping]
        elif isinstance(part, str):
            mapping = ""
    return Reached(shape=here, owner=owner, key=key)
