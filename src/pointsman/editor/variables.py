"""Where a variable of a workflow, or of a template's action, gets its value from. Pure."""

from dataclasses import dataclass

from pointsman.editor.files import File, FileKind
from pointsman.editor.known import Known
from pointsman.editor.outline import Outline
from pointsman.model.problem import Place
from pointsman.model.values import Json, reached


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableSetting:
    """A place that gives a variable a value: in another file (`place`), or in this one (`line`, `column`, from 0)."""

    value: Json
    place: Place | None = None
    line: int = 0
    column: int = 0


def variable_settings(name: str, found: Outline, *, file: File, known: Known) -> tuple[VariableSetting, ...]:
    """Every place that sets a variable, the one that wins first: this file's properties, then its project's (R31)."""
    settings = []
    parts = tuple(name.split("."))
    own = found.places.get(("properties", *parts)) or found.places.get(("inputs", "properties", *parts))
    if own is not None:
        written = found.at(("properties", *parts))
        default = written if isinstance(written, str) else None
        settings.append(VariableSetting(value=default, line=own[0], column=own[1]))
    project = known.targets.get(f"/projects/{file.project}") if file.kind is FileKind.WORKFLOW else None
    for layer in reversed(project.layers) if project else ():
        there, value = reached(layer.properties, name)
        if there and name in layer.places:
            settings.append(VariableSetting(value=value, place=layer.places[name]))
    return tuple(settings)
