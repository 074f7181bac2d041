"""What is thought of one commit: every problem, and which of its workflows are good. Travels as plain JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from pointsman.intake.library import GitLibrary
from pointsman.intake.trigger_problems import trigger_problems
from pointsman.load.assemble import Loaded
from pointsman.model.definition import GateDefinition, StageDefinition, StepDefinition, Triggers, WorkflowDefinition
from pointsman.model.names import nearest, same_name
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Problem, Severity, has_errors, sorted_problems
from pointsman.model.values import JsonObject
from pointsman.plan.planner import Request, plan


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowVerdict:
    """One workflow: whether it may be published, and what a form or list shows of it.

    `defaults` are the values that its inputs have where a run gives none. `problems` are those of its file and of its
    plan, which may stand in another file.
    """

    valid: bool
    file: str
    name: str = ""
    description: str = ""
    variables: tuple[str, ...] = ()
    inputs: JsonObject | None = None
    defaults: JsonObject = field(default_factory=dict)
    step_count: int = 0
    on: Triggers = field(default_factory=Triggers)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Everything about one commit; `others` are the problems of no single workflow.

    It may be another once a workflow of `calls` has a new version (`*`: one that had none), or, if `by_tags`, once a
    tag has moved. `ground` names the inventory; `unfinished` counts the workflows that were not looked at yet.
    """

    others: tuple[Problem, ...] = ()
    workflows: Mapping[str, WorkflowVerdict] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    by_tags: bool = False
    ground: str = ""
    unfinished: int = 0

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, in file and line order (R15)."""
        own = (problem for found in self.workflows.values() for problem in found.problems)
        return sorted_problems([*self.others, *own])

    @property
    def valid(self) -> bool:
        """Whether there is no error in any file."""
        return not has_errors(self.problems)


def joined(shares: Sequence[Verdict]) -> Verdict:
    """The verdict on a commit from those on all shares of its workflows."""
    return replace(
        shares[0],
        workflows={path: one for share in shares for path, one in share.workflows.items()},
        calls=tuple(sorted({path for share in shares for path in share.calls})),
        by_tags=any(share.by_tags for share in shares),
    )


def workflow_verdict(
    path: str,
    loaded: Loaded,
    library: GitLibrary,
    *,
    pins: Mapping[str, PinnedWorkflow],
    users: tuple[str, ...] | None,
) -> WorkflowVerdict:
    """Judge one workflow. `pins` says what each workflow is; `users` are all local users, if known."""
    read = loaded.translation(path)
    if read is None:
        raise KeyError(path)
    definition = read.definition or read.rest
    problems = [*read.problems]
    if definition is None:
        return WorkflowVerdict(valid=False, file=loaded.files[path], problems=sorted_problems(problems))
    unpinned = PinnedWorkflow(path=path, version="", commit=loaded.inventory.commit)
    pinned = pins.get(path, unpinned)
    planned = plan(Request(pinned=pinned, definition=definition, lenient=True), library)
    problems += planned.problems
    if has_errors(read.problems):
        return WorkflowVerdict(valid=False, file=definition.file, problems=sorted_problems(problems))
    problems += unknown_approvers(definition, users)
    problems += trigger_problems(definition, pinned, planned, library=library)
    return WorkflowVerdict(
        valid=not has_errors(problems),
        file=definition.file,
        name=definition.name,
        description=definition.description,
        variables=planned.variables,
        inputs=definition.inputs,
        defaults=_defaults(definition, library),
        step_count=len(planned.outline.steps) if planned.outline else 0,
        on=definition.on,
        problems=sorted_problems(problems),
    )


def _defaults(definition: WorkflowDefinition, library: GitLibrary) -> JsonObject:
    """What stands for an input in the workflow's properties or else its project's, if no default of the input does."""
    declared = (definition.inputs or {}).get("properties")
    if not isinstance(declared, dict):
        return {}
    known = {**library.project_properties(definition.path), **definition.properties}
    return {name: known[name] for name in declared if name in known}


def unknown_approvers(definition: WorkflowDefinition, users: tuple[str, ...] | None) -> list[Problem]:
    """A warning for each approver who is no local user, where the local users are all there are (R17)."""
    if users is None:
        return []
    found = []
    for step in _gates(definition.steps):
        names = step.approvers.user_names if step.approvers else ()
        for index, name in enumerate(names):
            if not any(same_name(name, user) for user in users):
                near = nearest(name, users)
                found.append(
                    Problem(
                        place=step.at(f"requires_approval_from.user_names.{index}"),
                        code=Code.UNKNOWN_APPROVER,
                        severity=Severity.WARNING,
                        says=f"nobody here is called {name!r}",
                        hint=f"did you mean {near}?"
                        if near
                        else "add the user, or correct the name; until then this person cannot approve",
                        step=step.number,
                    )
                )
    return found


def _gates(steps: tuple[StepDefinition, ...]) -> list[GateDefinition]:
    gates: list[GateDefinition] = []
    for step in steps:
        if isinstance(step, StageDefinition):
            gates += _gates(step.children)
        elif isinstance(step, GateDefinition):
            gates.append(step)
    return gates
