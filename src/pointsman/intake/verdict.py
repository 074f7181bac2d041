"""What is thought of one commit: every problem, and which of its workflows are good. Travels as plain JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pointsman.intake.library import GitLibrary
from pointsman.load.assemble import Loaded
from pointsman.model.definition import GateDefinition, StageDefinition, StepDefinition, WorkflowDefinition
from pointsman.model.names import same_name
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Problem, Severity, has_errors, sorted_problems
from pointsman.model.values import JsonObject
from pointsman.plan.planner import Request, plan


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowVerdict:
    """One workflow: whether it may be published, and what a form or list shows of it."""

    valid: bool
    file: str
    name: str = ""
    description: str = ""
    variables: tuple[str, ...] = ()
    inputs: JsonObject | None = None
    step_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Everything about one commit; `problems` are in file and line order (R15)."""

    problems: tuple[Problem, ...] = ()
    workflows: Mapping[str, WorkflowVerdict] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """Whether there is no error in any file."""
        return not has_errors(self.problems)


def verdict(
    loaded: Loaded, library: GitLibrary, *, pins: Mapping[str, PinnedWorkflow], users: tuple[str, ...] | None
) -> Verdict:
    """Judge all that stands at a commit. `pins` says what each workflow is; `users` are all local users, if known."""
    problems = list(loaded.problems)
    judged: dict[str, WorkflowVerdict] = {}
    broken = {problem.place.path for problem in loaded.problems if problem.severity is Severity.ERROR}
    for path, definition in sorted(loaded.workflows.items()):
        pinned = pins.get(path, PinnedWorkflow(path=path, version="", commit=loaded.inventory.commit))
        planned = plan(Request(pinned=pinned, definition=definition, lenient=True), library)
        found = [*planned.problems, *_unknown_approvers(definition, users)]
        problems += found
        judged[path] = WorkflowVerdict(
            valid=not has_errors(found) and definition.file not in broken,
            file=definition.file,
            name=definition.name,
            description=definition.description,
            variables=planned.variables,
            inputs=definition.inputs,
            step_count=0 if planned.plan is None else len(planned.plan.steps),
        )
    for path, rest in sorted(loaded.rest.items()):
        unpinned = PinnedWorkflow(path=path, version="", commit=loaded.inventory.commit)
        problems += plan(Request(pinned=unpinned, definition=rest, lenient=True), library).problems
    for file in loaded.broken:
        path = _workflow_of(file)
        if path and path not in judged:
            judged[path] = WorkflowVerdict(valid=False, file=file)
    return Verdict(problems=sorted_problems(problems), workflows=judged)


def _workflow_of(file: str) -> str:
    """The path of the workflow that a file would be, empty if it is none."""
    parts = file.removesuffix(".yaml").split("/")
    at = len(parts) - 4
    if at >= 0 and parts[at] == "projects" and parts[at + 2] == "workflows" and file.endswith(".yaml"):
        return "/" + "/".join(parts[at:])
    return ""


def _unknown_approvers(definition: WorkflowDefinition, users: tuple[str, ...] | None) -> list[Problem]:
    """A warning for each approver who is no local user, where the local users are all there are (R17)."""
    if users is None:
        return []
    found = []
    for step in _gates(definition.steps):
        names = step.approvers.user_names if step.approvers else ()
        for index, name in enumerate(names):
            if not any(same_name(name, user) for user in users):
                found.append(
                    Problem(
                        place=step.at(f"requires_approval_from.user_names.{index}"),
                        code=Code.UNKNOWN_APPROVER,
                        severity=Severity.WARNING,
                        says=f"nobody here is called {name!r}",
                        hint="add the user, or correct the name; until then this person cannot approve",
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
