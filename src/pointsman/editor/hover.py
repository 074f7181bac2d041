"""What is told about what is pointed at, in Markdown. Pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.editor.explained import explained
from pointsman.editor.files import File, FileKind
from pointsman.editor.known import Known
from pointsman.editor.pointing import Pointed, Pointing, pointing
from pointsman.editor.sentences import sentence
from pointsman.editor.shapes import DOCUMENT, STEP, reached
from pointsman.editor.steps import documents, fitting, targets_of
from pointsman.editor.variables import variable_settings
from pointsman.model.inventory import Action, Target
from pointsman.model.values import Json

LONGEST_VALUE = 60
MOST_VALUES = 40
MOST_TARGETS = 5

# What Markdown would take for more than text; nothing that stands in a repository is to be more (links, HTML, code).
_MARKED = re.compile(r"([\\`*_{}\[\]()<>#+!|~&])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hover:
    """Markdown about what stands from `start` to `end` of the cursor's line (from 0, in characters)."""

    markdown: str
    start: int
    end: int


def hover(text: str, line: int, column: int, *, file: File, known: Known) -> Hover | None:
    """What is to be told at a cursor (counted from 0, in characters); None where there is nothing to tell."""
    pointed = pointing(text, line, column, file=file)
    if pointed is None:
        return None
    told = "\n".join(_TOLD[pointed.what](pointed, file, known))
    return Hover(markdown=told, start=pointed.start, end=pointed.end) if told else None


def _key(pointed: Pointing, file: File, _known: Known) -> Iterator[str]:
    place = reached(file.kind, (*pointed.spot.way, pointed.name))
    if place.owner == STEP:
        step = {key: value for key, value in pointed.step().items() if key}
        own = [one for one in documents(step) if pointed.name in one.model_fields]
        said = sentence(own[0], pointed.name) if own else ""
    elif not pointed.spot.way:
        said = sentence(DOCUMENT[file.kind], pointed.name)
    else:
        said = ""
    around = reached(file.kind, pointed.spot.way).keys.get(pointed.name, {})
    said = said or around.get("description", "")
    if said:
        yield f"**{plain(pointed.name)}**: {said}"
    if values := place.shape.get("enum"):
        yield f"\nOne of {', '.join(f'`{value}`' for value in values)}."


def _target(pointed: Pointing, _file: File, known: Known) -> Iterator[str]:
    paths = fitting(pointed.name, known.targets)
    if len(paths) == 1:
        yield from _one_target(known.targets[paths[0]])
    elif paths:
        yield f"{len(paths)} targets may be meant:\n"
        yield from (f"- `{path}`" for path in paths[: MOST_TARGETS * 2])


def _one_target(target: Target) -> Iterator[str]:
    description = f", {plain(target.description)}" if target.description else ""
    yield f"**{plain(target.name)}**: {target.kind.value}{description}\n"
    template = target.template
    if template is not None:
        actions = ", ".join(f"`{name}`" for name in template.actions)
        yield f"Template {plain(template.path)} with the actions {actions}\n"
    values = explained(target)
    if values:
        yield "| property | value | from |\n|---|---|---|"
    for one in values[:MOST_VALUES]:
        setting = one.setting
        yield f"| {plain(one.name)} | {_shown(setting.value)} | {plain(setting.place.path)}:{setting.place.line} |"
    if len(values) > MOST_VALUES:
        yield f"\nand {len(values) - MOST_VALUES} more"


def _action(pointed: Pointing, file: File, known: Known) -> Iterator[str]:
    if file.kind is FileKind.TEMPLATE:
        own = pointed.found.mapping(("actions", pointed.name))
        if own:
            yield f"**{plain(pointed.name)}**: {plain(str(own.get('description') or 'an action of this template'))}"
        return
    for path in targets_of(pointed.step(), known):
        template = known.targets[path].template
        action = template.actions.get(pointed.name) if template else None
        if action is not None and template is not None:
            yield from _one_action(action, template.path)
            return


def _one_action(action: Action, template: str) -> Iterator[str]:
    yield f"**{plain(action.name)}**: {plain(action.description or 'an action')} ({plain(template)})\n"
    if action.command:
        yield f"    {' '.join(json.dumps(word, ensure_ascii=False) for word in action.command)}"
    elif action.steps:
        yield f"The actions {', '.join(f'`{name}`' for name in action.steps)}, in order."
    else:
        yield from (f"    {line}" for line in action.run.splitlines()[:10])
    if action.timeout_seconds:
        yield f"\nTimeout {action.timeout_seconds} s."
    if action.retry.max:
        yield f"\nUp to {action.retry.max} more attempts after a failure."


def _workflow(pointed: Pointing, _file: File, known: Known) -> Iterator[str]:
    if pointed.name not in known.workflows:
        return
    definition = known.workflows[pointed.name]
    versions = known.versions.get(pointed.name, ())
    name = (definition.name or definition.code) if definition else pointed.name
    description = f": {plain(definition.description)}" if definition and definition.description else ""
    yield f"**{plain(name)}**{description}\n"
    yield f"Versions: {', '.join(f'`{version}`' for version in versions)}." if versions else "Nothing is published yet."
    if definition and definition.properties:
        yield "\n| variable | default |\n|---|---|"
        yield from (f"| {plain(key)} | {_shown(value)} |" for key, value in definition.properties.items())


def _template(pointed: Pointing, _file: File, known: Known) -> Iterator[str]:
    templates = (target.template for target in known.targets.values())
    found = next((one for one in templates if one and one.code == pointed.name), None)
    if found is not None:
        yield f"**{plain(found.name or found.code)}** ({plain(found.path)})\n"
        yield from (f"- `{action.name}` {plain(action.description)}" for action in found.actions.values())


def _variable(pointed: Pointing, file: File, known: Known) -> Iterator[str]:
    settings = variable_settings(pointed.name, pointed.found, file=file, known=known)
    for setting in settings:
        value = "" if setting.value is None else f": {_shown(setting.value)}"
        where = f"line {setting.line + 1} of this file" if not setting.place else str(setting.place.path)
        yield f"**{plain(pointed.name)}**{value} (from {plain(where)})\n"
    if not settings and file.kind is FileKind.WORKFLOW:
        yield f"**{plain(pointed.name)}** has no value here: a run must give it"


def _nothing(_pointed: Pointing, _file: File, _known: Known) -> Iterator[str]:
    return iter(())


_TOLD = {
    Pointed.KEY: _key,
    Pointed.TARGET: _target,
    Pointed.ACTION: _action,
    Pointed.WORKFLOW: _workflow,
    Pointed.TEMPLATE: _template,
    Pointed.VARIABLE: _variable,
    Pointed.OTHER: _nothing,
}


def plain(text: str) -> str:
    """Text from a repository as Markdown that is nothing but this text, on one line."""
    return _MARKED.sub(r"\\\1", " ".join(text.split()))


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return plain(text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…")
