"""From a path and an action to what will be done, and from a call to the workflow it means. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pointsman.model.breach import Breach
from pointsman.model.definition import CallDefinition, ChangeDefinition, WorkflowDefinition
from pointsman.model.inventory import Action, Retry, Target, Template
from pointsman.model.names import existing_parent, is_target_path, is_workflow_path, nearest
from pointsman.model.plan import Content, PinnedWorkflow
from pointsman.model.problem import Code, Problem, Severity
from pointsman.model.values import JsonObject
from pointsman.plan.contents import Contents, Made, merged_properties
from pointsman.plan.library import Library
from pointsman.plan.schema_problems import Aimed, schema_problem
from pointsman.plan.variables import Trouble

_TARGETS = "write /projects/<project>/environments/<environment>/assets/<asset>, or a part of it"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a change is aimed at; None where a variable had no value. No `template_version` is the target's own."""

    path: str | None
    action: str | None
    overrides: JsonObject | None
    template_version: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """The content's hash and the action's retries, or why there are none."""

    content: str = ""
    retry: Retry = field(default_factory=Retry)
    problems: tuple[Problem, ...] = ()


class Targets:
    """Looks up what changes are aimed at, and collects the contents they come to."""

    def __init__(self, library: Library, contents: Contents, *, lenient: bool) -> None:
        self._library, self._contents, self._lenient = library, contents, lenient
        self._breaches: dict[str, tuple[Breach, ...]] = {}
        self.contents: dict[str, Content] = {}

    def hit(self, aim: Aim, step: ChangeDefinition, index: int) -> Hit:
        """What one change comes to (R35, R36, R100)."""
        if aim.path is None:
            return Hit()
        key = f"targets.{index}" if step.listed else "target"
        target = self._library.inventory.targets.get(aim.path)
        if target is None:
            return Hit(problems=(self._unknown_target(aim.path, step, key),))
        if aim.action is None or aim.template_version is None:
            return Hit()
        template = self._template(target, aim.template_version)
        action = template.actions.get(aim.action) if template else None
        if template is None or action is None:
            return Hit(problems=(_unknown_action(target, template, aim, step, index),))
        if aim.overrides is None:
            return Hit()
        made = self._contents.of(target, template, action, aim.overrides)
        if made.trouble:
            return Hit(problems=tuple(_impossible(target, action, made.trouble, step)))
        if broken := self._broken(target, template, aim.overrides, made):
            shot = Aimed(step=step, index=index, target=target, template=template, overrides=aim.overrides)
            return Hit(problems=tuple(schema_problem(breach, shot) for breach in broken))
        self.contents.setdefault(made.hash, made.content)
        return Hit(content=made.hash, retry=action.retry)

    def _broken(self, target: Target, template: Template, overrides: JsonObject, made: Made) -> tuple[Breach, ...]:
        """How the properties that a change comes to break its template's schema (R102).

        What the inventory alone says was held against its own template when it was read, and told there; a run is
        refused for it all the same.
        """
        schema, own = template.properties_schema, template is target.template
        if schema is None:
            return ()
        known = own and self._library.unusable(target.path)
        if own and not overrides and (self._lenient or not known):
            return ()
        if made.hash not in self._breaches:
            self._breaches[made.hash] = self._library.breaches(schema, made.content.properties)
        found = self._breaches[made.hash]
        if not (found and known and self._lenient):
            return found
        told = set(self._library.breaches(schema, merged_properties(target, template, {})))
        return tuple(breach for breach in found if breach not in told)

    def _template(self, target: Target, version: str) -> Template | None:
        if target.template is None or not version:
            return target.template
        return self._library.template(target.template.path, version)

    def _unknown_target(self, path: str, step: ChangeDefinition, key: str) -> Problem:
        targets: Mapping[str, Target] = self._library.inventory.targets
        if not is_target_path(path):
            near = nearest(path.lower(), targets)
            hint = f"did you mean {near}?" if near else _TARGETS
            if is_workflow_path(path):
                hint = "write type: workflow, without action, to call the workflow"
            says = f"{path!r} is no path of a target"
            return Problem(place=step.at(key), code=Code.BAD_PATH, says=says, hint=hint, step=step.number)
        if self._library.unusable(path):
            says = f"{path} cannot be used: there is an error in its file, its template or a file above it"
            hint = "correct that first"
            return Problem(place=step.at(key), code=Code.UNKNOWN_TARGET, says=says, hint=hint, step=step.number)
        parent, near = existing_parent(path, targets), nearest(path, targets)
        exists = f"; {parent} exists" if parent else ""
        return Problem(
            place=step.at(key),
            code=Code.UNKNOWN_TARGET,
            says=f"there is no target {path}{exists}",
            hint=f"did you mean {near}?" if near else "",
            step=step.number,
        )


def version_key(step: ChangeDefinition, index: int) -> str:
    """The key that says which version of a target's template is used."""
    return "template_version" if "template_version" in step.places else f"template_versions.{index}"


def _impossible(target: Target, action: Action, trouble: Trouble, step: ChangeDefinition) -> Iterator[Problem]:
    """Why an action cannot be carried out, whatever the run is given: its properties are all known."""
    for name in dict.fromkeys(trouble.unresolved):
        says = f"{action.name} on {target.path}: the property {name} has no value"
        hint = f"set it under properties in {target.file or 'the target'}, or in property_overrides of this step"
        yield Problem(place=step.at("action"), code=Code.UNRESOLVED, says=says, hint=hint, step=step.number)
    for sentence in dict.fromkeys(trouble.sentences):
        says = f"{action.name} on {target.path}: {sentence}"
        yield Problem(place=step.at("action"), code=Code.WRONG_VALUE, says=says, step=step.number)


def _unknown_action(target: Target, template: Template | None, aim: Aim, step: ChangeDefinition, index: int) -> Problem:
    if target.template is None:
        says = f"{target.path} has no template and so no actions"
        hint = f"add template: to {target.file or f'{target.path[1:]}/{target.kind}.yaml'}"
        return Problem(place=step.at("action"), code=Code.UNKNOWN_ACTION, says=says, hint=hint, step=step.number)
    if template is None:
        says = f"the template {target.template.code} has no version {aim.template_version}"
        hint = "a template's version is a tag or a commit at which the template is valid"
        place = step.at(version_key(step, index))
        return Problem(place=place, code=Code.UNKNOWN_TEMPLATE, says=says, hint=hint, step=step.number)
    action = aim.action or ""
    near = nearest(action, template.actions)
    known = ", ".join(template.actions) or "none"
    return Problem(
        place=step.at("action"),
        code=Code.UNKNOWN_ACTION,
        says=f"{target.path} has no action {action!r}",
        hint=f"did you mean {near}?" if near else f"its actions are: {known}",
        step=step.number,
    )


def called_workflow(
    library: Library, step: CallDefinition, path: str, version: str | None
) -> tuple[PinnedWorkflow | None, WorkflowDefinition | None, tuple[Problem, ...]]:
    """The workflow that a step calls, pinned; or why it cannot be called (R21–R24)."""
    if not is_workflow_path(path):
        says = f"{path!r} is no path of a workflow"
        near = nearest(path.lower(), library.workflows())
        hint = f"did you mean {near}?" if near else "write /projects/<project>/workflows/<workflow>"
        if is_target_path(path):
            hint = "leave out type: workflow, and write action, to change the target"
        problem = Problem(place=step.at("target"), code=Code.BAD_PATH, says=says, hint=hint, step=step.number)
        return None, None, (problem,)
    pinned = library.pinned(path, version)
    definition = library.definition(pinned) if pinned else None
    if pinned is None or definition is None:
        return None, None, (_uncallable(library, step, path, version),)
    if pinned.version:
        return pinned, definition, ()
    called = f"{path} {version}" if version else path
    warning = Problem(
        place=step.at("target"),
        code=Code.UNPUBLISHED,
        severity=Severity.WARNING,
        says=f"{called} is not published; a run of this workflow is refused until it is",
        hint="publish it before, or with, this workflow",
        step=step.number,
    )
    return pinned, definition, (warning,)


def _uncallable(library: Library, step: CallDefinition, path: str, version: str | None) -> Problem:
    known = library.workflows()
    if library.unusable(path) and library.pinned(path, None) is None:
        says = f"{path} cannot be called: there is an error in its file"
        hint = "correct that first"
        return Problem(place=step.at("target"), code=Code.UNKNOWN_WORKFLOW, says=says, hint=hint, step=step.number)
    if path in known:
        says = f"{path} has no valid version {version}" if version else f"{path} has no published version"
        hint = "only published versions can be called: tag one, or correct version"
        return Problem(
            place=step.at("version" if version else "target"),
            code=Code.UNKNOWN_VERSION,
            says=says,
            hint=hint,
            step=step.number,
        )
    near = nearest(path, known)
    return Problem(
        place=step.at("target"),
        code=Code.UNKNOWN_WORKFLOW,
        says=f"there is no workflow {path}",
        hint=f"did you mean {near}?" if near else "",
        step=step.number,
    )
