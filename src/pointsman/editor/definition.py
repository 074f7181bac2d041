"""Where what is pointed at is defined: a target's or workflow's file, an action's line, a variable's value. Pure."""

from pointsman.editor.files import File
from pointsman.editor.known import Known
from pointsman.editor.pointing import Pointed, Pointing, is_template, pointing, template_paths
from pointsman.editor.steps import fitting, targets_of
from pointsman.editor.variables import variable_settings
from pointsman.model.problem import Place

MOST_PLACES = 50


def definitions(text: str, line: int, column: int, *, file: File, known: Known, path: str) -> tuple[Place, ...]:
    """Every place that defines what stands at a cursor (counted from 0, in characters); `path` is the file's own."""
    pointed = pointing(text, line, column, file=file)
    if pointed is None:
        return ()
    return tuple(dict.fromkeys(_places(pointed, file, known, path)))[:MOST_PLACES]


def _places(pointed: Pointing, file: File, known: Known, path: str) -> list[Place]:
    match pointed.what:
        case Pointed.TARGET:
            targets = [known.targets[one] for one in fitting(pointed.name, known.targets)]
            return [Place(target.file) for target in targets if target.file]
        case Pointed.WORKFLOW:
            workflows = [known.workflows[one] for one in fitting(pointed.name, known.workflows)]
            return [Place(workflow.file) for workflow in workflows if workflow is not None]
        case Pointed.ACTION if is_template(file):
            return _here(pointed.found.places.get(("actions", pointed.name)), path)
        case Pointed.ACTION:
            templates = [known.targets[one].template for one in targets_of(pointed.step(), known)]
            return [one.actions[pointed.name].place for one in templates if one and pointed.name in one.actions]
        case Pointed.TEMPLATE:
            return [Place(f"{known.prefix}{one}/template.yaml") for one in template_paths(pointed.name, file, known)]
        case Pointed.VARIABLE:
            settings = variable_settings(pointed.name, pointed.found, file=file, known=known)
            return [one.place or Place(path, one.line + 1, one.column + 1) for one in settings]
        case Pointed.KEY | Pointed.OTHER:
            return []


def _here(found: tuple[int, int] | None, path: str) -> list[Place]:
    return [] if found is None else [Place(path, found[0] + 1, found[1] + 1)]
