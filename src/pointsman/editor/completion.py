"""What may stand at a cursor: keys, types, targets, then only that target's actions, versions, people. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from pointsman.editor.explained import merged_properties
from pointsman.editor.files import File, FileKind
from pointsman.editor.known import Known
from pointsman.editor.outline import Outline, Spot, Tree
from pointsman.editor.sentences import sentence
from pointsman.editor.shapes import STEP, Reached, Schema, reached
from pointsman.editor.sketch import outline
from pointsman.editor.steps import actions_of, documents, is_call, step_way, targets_of, variables
from pointsman.load.step_documents import StepDocument
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.values import JsonObject
from pointsman.model.values import reached as reached_in

MOST_ITEMS = 1_000

# A name that is a text in YAML without quotes.
_PLAIN = re.compile(r"(?!(?:true|false|null)$)[A-Za-z_][A-Za-z0-9_@. -]*[A-Za-z0-9_]|[A-Za-z_]", re.IGNORECASE)


class ItemKind(StrEnum):
    """What a completion is, for its icon."""

    KEY = "key"
    VALUE = "value"
    TARGET = "target"
    ACTION = "action"
    WORKFLOW = "workflow"
    VERSION = "version"
    PERSON = "person"
    TEMPLATE = "template"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One completion: what is listed, what is written instead of the word at the cursor, and a sentence about it."""

    label: str
    kind: ItemKind
    insert: str
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What may be written from `start` to `end` in a line, all counted from 0 in characters, best first."""

    line: int = 0
    start: int = 0
    end: int = 0
    items: tuple[Item, ...] = ()
    is_complete: bool = True


def completion(text: str, line: int, column: int, *, file: File, known: Known) -> Completion:
    """What may stand at a cursor (counted from 0, in characters) in a text that may be half-written."""
    found = outline(text, line=line, column=column)
    spot = found.spot
    if spot is None:
        return Completion(line=line, start=column, end=column)
    start, items = spot.start, _Items(found, spot, file, known)
    opened = spot.before.rfind("{{")
    if not spot.is_key and opened > spot.before.rfind("}}"):
        start += opened + 2 + len(spot.before[opened + 2 :]) - len(spot.before[opened + 2 :].lstrip())
        every = items.variables()
        end = column
    else:
        every = items.keys() if spot.is_key else items.values()
        end = spot.end
    here = text.split("\n")[line]
    typed = here[start:column].casefold()
    fit = [_inserted(item, here[:start], here[end:]) for item in dict.fromkeys(every) if typed in item.label.casefold()]
    return Completion(
        line=line, start=start, end=end, items=tuple(fit[:MOST_ITEMS]), is_complete=len(fit) <= MOST_ITEMS
    )


def _inserted(item: Item, before: str, after: str) -> Item:
    """The item as it is to be written between what stands around it."""
    if item.kind is ItemKind.KEY:
        return replace(item, insert=item.label) if after.lstrip(" ").startswith(":") else item
    if item.kind is not ItemKind.PERSON or before[-1:] in {'"', "'"} or _PLAIN.fullmatch(item.insert):
        return item
    return replace(item, insert=json.dumps(item.insert, ensure_ascii=False))


class _Items:
    """The completions of one cursor, before what was typed is looked at."""

    def __init__(self, found: Outline, spot: Spot, file: File, known: Known) -> None:
        self._found = found
        self._spot = spot
        self._file = file
        self._known = known
        way = step_way(spot.way) if file.kind is FileKind.WORKFLOW else None
        self._step: Mapping[str, Tree] = found.mapping(way) if way is not None else {}

    def keys(self) -> Iterator[Item]:
        """The keys that a mapping does not have yet."""
        place = reached(self._file.kind, self._spot.way)
        there = {key for key in self._found.mapping(self._spot.way) if key != self._spot.word}
        if _is_step(place):
            yield from self._step_keys(there)
            return
        for key, value in place.keys.items():
            if key not in there:
                yield _key_item(key, value, value.get("description", ""))
        if self._file.kind is FileKind.WORKFLOW and "property_overrides" in self._spot.way:
            for name, standing in self._overridable().items():
                if name not in there:
                    yield _key_item(name, {"type": "object"} if isinstance(standing, dict) else {}, "")

    def _step_keys(self, there: set[str]) -> Iterator[Item]:
        shapes = reached(self._file.kind, ("steps", 0)).keys
        possible = documents({key: value for key, value in self._step.items() if key in there})
        for key in dict.fromkeys(key for document in possible for key in document.model_fields):
            if key not in there:
                yield _key_item(key, shapes.get(key, {}), _says(key, possible))

    def _overridable(self) -> JsonObject:
        """The properties that may be overridden where the cursor is: those of the target, or a workflow's variables."""
        way = self._spot.way
        inner = [part for part in way[way.index("property_overrides") + 1 :] if isinstance(part, str)]
        if is_call(self._step):
            return _inside(_variables_of(self._known.workflows.get(str(self._step.get("target")))), inner)
        paths = targets_of(self._step, self._known)
        return _inside(merged_properties(self._known.targets[paths[0]]), inner) if paths else {}

    def values(self) -> Iterator[Item]:
        """The values that a key may have; the keys where it wants a mapping."""
        place = reached(self._file.kind, self._spot.way)
        known = self._known
        match place.owner, place.key:
            case "step", "target" | "targets":
                yield from self._targets()
            case "step", "action":
                yield from (self._action(name) for name in actions_of(self._step, known))
            case "step", "version":
                versions = known.versions.get(str(self._step.get("target")), ())
                yield from _plain(versions, ItemKind.VERSION)
            case "ApproversDocument", "user_names":
                yield from _plain(self._others(known.user_names), ItemKind.PERSON)
            case "ApproversDocument", "ldap_groups":
                yield from _plain(self._others(known.ldap_groups), ItemKind.PERSON)
            case _, "template":
                yield from _plain(known.template_codes(self._file.project), ItemKind.TEMPLATE)
            case "ActionDocument", "steps":
                yield from _plain(self._others(self._found.mapping(("actions",))), ItemKind.ACTION)
            case _ if place.keys:
                yield from self.keys()
            case _:
                yield from _plain(_choices(place.shape), ItemKind.VALUE)

    def _targets(self) -> Iterator[Item]:
        known, action = self._known, str(self._step.get("action") or "")
        if not is_call(self._step):
            able = [path for path in known.targets if known.actions(path)]
            fitting_action = [path for path in able if action in known.actions(path)] if action else able
            for path in self._others(fitting_action or able):
                target = known.targets[path]
                says = f"{target.description or target.name} ({', '.join(known.actions(path))})"
                yield Item(label=path, kind=ItemKind.TARGET, insert=path, says=says)
        if is_call(self._step) or not ({"type", "action", "targets"} & self._step.keys()):
            for path, definition in known.workflows.items():
                says = (definition.description or definition.name) if definition else "published"
                yield Item(label=path, kind=ItemKind.WORKFLOW, insert=path, says=says)

    def _action(self, name: str) -> Item:
        paths = targets_of(self._step, self._known) or list(self._known.targets)
        templates = (self._known.targets[path].template for path in paths)
        says = next((one.actions[name].description for one in templates if one and name in one.actions), "")
        return Item(label=name, kind=ItemKind.ACTION, insert=name, says=says)

    def _others(self, names: Iterable[str]) -> Iterator[str]:
        """The names that the list around the cursor does not have yet."""
        around = self._found.at(self._spot.way[:-1])
        there = set(map(str, around)) - {self._spot.word} if isinstance(around, list) else set()
        return (name for name in names if name not in there)

    def variables(self) -> Iterator[Item]:
        """The variables that may stand in braces."""
        names = variables(self._found, self._file.project, self._known)
        return _plain(names, ItemKind.VARIABLE)


def _variables_of(definition: WorkflowDefinition | None) -> JsonObject:
    """The variables that a workflow declares, with their defaults where it has some."""
    if definition is None:
        return {}
    declared = (definition.inputs or {}).get("properties")
    return {**definition.properties, **(declared if isinstance(declared, dict) else {})}


def _inside(properties: JsonObject, way: list[str]) -> JsonObject:
    """The object at the end of a way; an empty one if there is none."""
    found = reached_in(properties, ".".join(way))[1] if way else properties
    return found if isinstance(found, dict) else {}


def _is_step(place: Reached) -> bool:
    return place.shape.get("title") == STEP


def _says(key: str, possible: Iterable[type[StepDocument]]) -> str:
    return next((sentence(document, key) for document in possible if key in document.model_fields), "")


def _key_item(key: str, value: Schema, says: str) -> Item:
    nested = "$ref" in value or value.get("type") in ({"type": "object"}, "object", "array")
    return Item(label=key, kind=ItemKind.KEY, insert=f"{key}:" if nested else f"{key}: ", says=says)


def _choices(value: Schema) -> list[str]:
    if "enum" in value:
        return [str(one) for one in value["enum"]]
    if value.get("type") == "boolean":
        return ["true", "false"]
    return [str(one) for one in value.get("examples", ())]


def _plain(names: Iterable[str], kind: ItemKind) -> Iterator[Item]:
    return (Item(label=name, kind=kind, insert=name) for name in names)
