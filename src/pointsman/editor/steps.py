"""What the step around a cursor says about its target and action, as far as it is written. Pure."""

import re
from collections.abc import Iterator, Mapping

from pointsman.editor.known import Known
from pointsman.editor.outline import Outline, Step, Tree, Way
from pointsman.load.step_documents import StepDocument
from pointsman.load.step_types import DOCUMENTS
from pointsman.model.definition import Kind

_VARIABLE = re.compile(r"\{\{.*?\}\}")


def step_way(way: tuple[Step, ...]) -> Way | None:
    """The way to the innermost step that a way leads into; None if it leads into none."""
    for length in range(len(way), 1, -1):
        if isinstance(way[length - 1], int) and way[length - 2] in {"steps", "children"}:
            return way[:length] if "property_overrides" not in way[:length] else step_way(way[: length - 1])
    return None


def documents(step: Mapping[str, Tree]) -> tuple[type[StepDocument], ...]:
    """The documents that a step with these keys can still become."""
    kinds: tuple[Kind, ...] = tuple(Kind)
    if "requires_approval_from" in step:
        kinds = (Kind.APPROVAL,)
    elif step.get("type") == "wait":
        kinds = (Kind.WAIT, Kind.APPROVAL)
    elif step.get("type") in {"change", "stage", "workflow"}:
        kinds = (Kind(str(step["type"])),)
    elif "children" in step:
        kinds = (Kind.STAGE,)
    elif "action" in step or "targets" in step:
        kinds = (Kind.CHANGE,)
    elif "target" in step:
        kinds = (Kind.CHANGE, Kind.WORKFLOW)
    return tuple(DOCUMENTS[kind] for kind in kinds)


def is_call(step: Mapping[str, Tree]) -> bool:
    """Whether a step calls a workflow."""
    return step.get("type") == "workflow"


def targets_of(step: Mapping[str, Tree], known: Known) -> list[str]:
    """The targets that a step names; where a variable is in a path, every target that it may come to."""
    several = step.get("targets")
    written = [step.get("target"), *(several if isinstance(several, list) else [])]
    return [path for text in written if isinstance(text, str) and text for path in fitting(text, known.targets)]


def fitting(written: str, paths: Mapping[str, object]) -> list[str]:
    """The paths that a text may mean: itself, or with variables in it whatever fits."""
    if "{{" not in written:
        return [written] if written in paths else []
    parts = [re.escape(part) for part in _VARIABLE.split(written)]
    pattern = re.compile("[^/]+".join(parts))
    return [path for path in paths if pattern.fullmatch(path)]


def actions_of(step: Mapping[str, Tree], known: Known) -> list[str]:
    """The actions that a step may name: what its targets have in common, or all there are while it has no target."""
    targets = targets_of(step, known)
    if not targets:
        return sorted({action for path in known.targets for action in known.actions(path)})
    if any("{{" in str(text) for text in (step.get("target"), *_items(step.get("targets")))):
        return sorted({action for path in targets for action in known.actions(path)})
    common = set(known.actions(targets[0])).intersection(*(known.actions(path) for path in targets))
    return sorted(common)


def _items(value: Tree) -> list[Tree]:
    return value if isinstance(value, list) else []


def variables(found: Outline, project: str, known: Known) -> Iterator[str]:
    """The names that a workflow's variables may have: its own properties and inputs, and its project's properties."""
    yield from _names(found.mapping(("properties",)))
    yield from found.mapping(("inputs", "properties"))
    target = known.targets.get(f"/projects/{project}")
    for layer in target.layers if target else ():
        yield from (name for name in layer.places if not any(part.isdigit() for part in name.split(".")))


def _names(mapping: Mapping[str, Tree], prefix: str = "") -> Iterator[str]:
    for key, value in mapping.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _names(value, f"{prefix}{key}.")
