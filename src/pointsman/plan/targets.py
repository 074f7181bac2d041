"""From a path and an action to what will be done, and from a call to the workflow it means. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pointsman.model.definition import CallDefinition, ChangeDefinition, WorkflowDefinition
from pointsman.model.inventory import Retry, Target, Template
from pointsman.model.names import existing_parent, is_target_path, is_workflow_path, nearest
from pointsman.model.plan import Content, PinnedWorkflow
from pointsman.model.problem import Code, Problem, Severity
from pointsman.model.values import JsonObject
from pointsman.plan.contents import Contents
from pointsman.plan.library import Library


@dataclass(frozen=True, slots=True)
class Aim:
    """What a change is aimed at; None where a variable had no value."""

    path: str | None
    action: str | None
    overrides: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """The content's hash and the action's retries, or why there are none."""

    content: str = ""
    retry: Retry = field(default_factory=Retry)
    problems: tuple[Problem, ...] = ()
    unresolved: tuple[str, ...] = ()


class Targets:
    """Looks up what changes are aimed at, and collects the contents they come to."""

    def __init__(self, library: Library, contents: Contents) -> None:
        self._library, self._contents = library, contents
        self.contents: dict[str, Content] = {}

    def hit(self, aim: Aim, step: ChangeDefinition, index: int, template_version: str | None) -> Hit:
        """What one change comes to (R35, R36, R100)."""
        if aim.path is None:
            return Hit()
        key = f"targets.{index}" if step.listed else "target"
        target = self._library.inventory.targets.get(aim.path)
        if target is None:
            return Hit(problems=(self._unknown_target(aim.path, step, key),))
        if aim.action is None:
            return Hit()
        template = self._template(target, template_version)
        action = template.actions.get(aim.action) if template else None
        if template is None or action is None:
            return Hit(problems=(_unknown_action(target, template, aim.action, template_version, step),))
        made = self._contents.of(target, template, action, aim.overrides)
        if made.trouble:
            problems = tuple(
                Problem(
                    place=step.at("action"),
                    code=Code.WRONG_VALUE,
                    says=f"{aim.action} on {aim.path}: {sentence}",
                    step=step.number,
                )
                for sentence in made.trouble.sentences
            )
            return Hit(problems=problems, unresolved=tuple(made.trouble.unresolved))
        self.contents.setdefault(made.hash, made.content)
        return Hit(content=made.hash, retry=action.retry)

    def _template(self, target: Target, version: str | None) -> Template | None:
        if target.template is None or version is None:
            return target.template
        return self._library.template(target.template.path, version)

    def _unknown_target(self, path: str, step: ChangeDefinition, key: str) -> Problem:
        targets: Mapping[str, Target] = self._library.inventory.targets
        if not is_target_path(path):
            return Problem(
                place=step.at(key),
                code=Code.BAD_PATH,
                says=f"{path!r} is no path of a target",
                hint="write /projects/<project>/environments/<environment>/assets/<asset>, or a part of it",
                step=step.number,
            )
        parent, near = existing_parent(path, targets), nearest(path, targets)
        exists = f"; {parent} exists" if parent else ""
        return Problem(
            place=step.at(key),
            code=Code.UNKNOWN_TARGET,
            says=f"there is no target {path}{exists}",
            hint=f"did you mean {near}?" if near else "",
            step=step.number,
        )


def _unknown_action(
    target: Target, template: Template | None, action: str, version: str | None, step: ChangeDefinition
) -> Problem:
    if target.template is None:
        says, hint = f"{target.path} has no template and so no actions", f"add template: to {target.file}"
        return Problem(place=step.at("action"), code=Code.UNKNOWN_ACTION, says=says, hint=hint, step=step.number)
    if template is None:
        says = f"the template {target.template.code} has no version {version}"
        key = "template_versions" if step.listed else "template_version"
        return Problem(place=step.at(key), code=Code.UNKNOWN_TEMPLATE, says=says, step=step.number)
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
        hint = "write /projects/<project>/workflows/<workflow>"
        problem = Problem(place=step.at("target"), code=Code.BAD_PATH, says=says, hint=hint, step=step.number)
        return None, None, (problem,)
    pinned = library.pinned(path, version)
    definition = library.definition(pinned) if pinned else None
    if pinned is None or definition is None:
        return None, None, (_uncallable(library, step, path, version),)
    if pinned.version:
        return pinned, definition, ()
    warning = Problem(
        place=step.at("target"),
        code=Code.UNPUBLISHED,
        severity=Severity.WARNING,
        says=f"{path} is not published; a run of this workflow is refused until it is",
        hint="publish it before, or with, this workflow",
        step=step.number,
    )
    return pinned, definition, (warning,)


def _uncallable(library: Library, step: CallDefinition, path: str, version: str | None) -> Problem:
    known = set(library.workflows())
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
