"""What a cursor points at: a key, a target, an action, a workflow, a template or a variable. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from pointsman.editor.files import File, FileKind
from pointsman.editor.known import Known
from pointsman.editor.outline import Outline, Spot, Tree
from pointsman.editor.shapes import reached
from pointsman.editor.sketch import outline
from pointsman.editor.steps import is_call, step_way

_IN_BRACES = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


class Pointed(StrEnum):
    """What is pointed at."""

    KEY = "key"
    TARGET = "target"
    ACTION = "action"
    WORKFLOW = "workflow"
    TEMPLATE = "template"
    VARIABLE = "variable"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointing:
    """What a cursor points at, what it is called, and where in its line it stands (from 0, in characters)."""

    what: Pointed
    name: str
    spot: Spot
    found: Outline
    start: int
    end: int

    def step(self) -> dict[str, Tree]:
        """The step around the cursor; an empty one if there is none."""
        way = step_way(self.spot.way)
        return self.found.mapping(way) if way is not None else {}


def pointing(text: str, line: int, column: int, *, file: File) -> Pointing | None:
    """What stands at a cursor (counted from 0, in characters); None where nothing does."""
    found = outline(text, line=line, column=column)
    spot = found.spot
    if spot is None or not spot.word:
        return None
    start, end, name, what = spot.start, spot.end, spot.word, Pointed.KEY
    if not spot.is_key:
        what = _value(found, spot, file)
        for variable in _IN_BRACES.finditer(spot.word):
            if variable.start() <= len(spot.before) <= variable.end():
                what, name = Pointed.VARIABLE, variable[1]
                start, end = spot.start + variable.start(1), spot.start + variable.end(1)
    return Pointing(what=what, name=name, spot=spot, found=found, start=start, end=end)


def _value(found: Outline, spot: Spot, file: File) -> Pointed:
    place = reached(file.kind, spot.way)
    match place.owner, place.key:
        case "step", "target" | "targets":
            way = step_way(spot.way)
            calls = is_call(found.mapping(way)) if way is not None else False
            return Pointed.WORKFLOW if calls or "/workflows/" in spot.word else Pointed.TARGET
        case ("step", "action") | ("ActionDocument", "steps"):
            return Pointed.ACTION
        case _, "template":
            return Pointed.TEMPLATE
        case _:
            return Pointed.OTHER


def template_paths(name: str, file: File, known: Known) -> list[str]:
    """The folder of the template that a project's file names; its own before the shared one."""
    wanted = [f"projects/{file.project}/templates/{name}", f"templates/{name}"]
    return [path for path in wanted if path in known.templates][:1]


def is_template(file: File) -> bool:
    """Whether this is a `template.yaml`."""
    return file.kind is FileKind.TEMPLATE
