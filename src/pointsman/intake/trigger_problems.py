"""What would keep a workflow from starting by itself, told when it is judged: nobody is there to help it then."""

from collections.abc import Iterator

from pointsman.intake.inputs import input_problems
from pointsman.intake.library import GitLibrary
from pointsman.model.definition import Schedule, WorkflowDefinition
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Place, Problem, Severity, has_errors
from pointsman.model.values import JsonObject
from pointsman.plan.planner import Planned, Request, plan


def trigger_problems(
    definition: WorkflowDefinition, pinned: PinnedWorkflow, planned: Planned, *, library: GitLibrary
) -> list[Problem]:
    """The problems of `on`. `planned` is the lenient plan without properties.

    Properties that break `inputs` are errors: both are in the file. What depends on the inventory is a warning.
    """
    on = definition.on
    found: list[Problem] = []
    if on.publish:
        found += _against_inputs(definition, {}, on.place, library)
        found += _without_value("a publication", on.place, planned)
    for schedule in on.schedule:
        found += _against_inputs(definition, schedule.properties, schedule.place, library)
        found += _of_plan(definition, pinned, schedule, planned, library)
    return found


def _against_inputs(
    definition: WorkflowDefinition, properties: JsonObject, place: Place, library: GitLibrary
) -> tuple[Problem, ...]:
    return input_problems(definition, properties, place, project=library.project_properties(definition.path))


def _of_plan(
    definition: WorkflowDefinition,
    pinned: PinnedWorkflow,
    schedule: Schedule,
    planned: Planned,
    library: GitLibrary,
) -> Iterator[Problem]:
    """What is different when the workflow is planned with the properties of a schedule."""
    if schedule.properties:
        request = Request(pinned=pinned, definition=definition, properties=schedule.properties, lenient=True)
        known, planned = set(planned.problems), plan(request, library)
        for problem in planned.problems:
            if problem not in known and has_errors([problem]):
                says = f"this schedule could start no run: {problem.message}"
                yield Problem(
                    place=schedule.place,
                    code=problem.code,
                    severity=Severity.WARNING,
                    says=says,
                    hint=problem.hint,
                )
    yield from _without_value("this schedule", schedule.place, planned)


def _without_value(what: str, place: Place, planned: Planned) -> Iterator[Problem]:
    if planned.variables:
        yield Problem(
            place=place,
            code=Code.UNRESOLVED,
            severity=Severity.WARNING,
            says=f"{what} could start no run: there is no value for {', '.join(planned.variables)}",
            hint="give one under properties in the workflow, or in the schedule",
        )
