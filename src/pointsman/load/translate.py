"""A workflow file → `WorkflowDefinition`, or every problem in it."""

from dataclasses import dataclass

from pointsman.load.documents import OnDocument, WorkflowDocument
from pointsman.load.nodes import Items, Mapping, Node, Scalar, entry, places, plain_object
from pointsman.load.schemas import inputs_problems
from pointsman.load.shape import About, fit
from pointsman.load.steps import Steps
from pointsman.model.definition import Concurrency, OnNew, Schedule, Triggers, WorkflowDefinition
from pointsman.model.problem import Code, Problem, Severity, has_errors, sorted_problems


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowTranslation:
    """The definition, unless there was an error, and the problems.

    `rest` is what else could be read of a file with an error, for looking into and never for running.
    """

    definition: WorkflowDefinition | None
    problems: tuple[Problem, ...]
    rest: WorkflowDefinition | None = None


def workflow(node: Node, path: str, *, file: str) -> WorkflowTranslation:
    """What a workflow file says; `path` is the workflow's, `file` the file's place in the repository."""
    if _is_nothing(node):
        says, hint = "the file is empty", "write steps: and at least one step"
        problem = Problem(place=node.place, code=Code.MISSING_KEY, says=says, hint=hint)
        return WorkflowTranslation(definition=None, problems=(problem,))
    steps = Steps()
    read = steps.read(entry(node, "steps"))
    shape = fit(node, WorkflowDocument, About(noun="a workflow"))
    inputs = entry(node, "inputs")
    faults = inputs_problems(inputs, entry(node, "properties"))
    problems = sorted_problems((*steps.problems, *shape.problems, *faults, *_without_effect(node)))
    document = shape.document
    if document is None or has_errors(problems):
        rest = WorkflowDefinition(path=path, file=file, steps=read) if read else None
        return WorkflowTranslation(definition=None, problems=problems, rest=rest)
    definition = WorkflowDefinition(
        path=path,
        file=file,
        steps=read,
        name=document.name,
        description=document.description,
        properties=plain_object(entry(node, "properties")),
        inputs=plain_object(inputs) if inputs is not None else None,
        on=_triggers(node, document.on),
        notify=plain_object(entry(node, "notify")),
        concurrency=Concurrency(limit=document.concurrency.limit, on_new=OnNew(document.concurrency.on_new)),
        places={} if inputs is None else {"inputs": inputs.place, **places(inputs, "inputs.")},
    )
    return WorkflowTranslation(definition=definition, problems=problems)


def _triggers(node: Node, document: OnDocument) -> Triggers:
    """What starts the workflow by itself. The properties of a schedule are as YAML meant them, null included."""
    on = entry(node, "on")
    if on is None:
        return Triggers()
    written = entry(on, "schedule")
    entries = written.items if isinstance(written, Items) else ()
    return Triggers(
        publish=document.publish,
        schedule=tuple(
            Schedule(
                cron=one.cron,
                timezone=one.timezone,
                properties=plain_object(entry(found, "properties")),
                place=found.place,
            )
            for one, found in zip(document.schedule, entries, strict=True)
        ),
        place=on.place,
    )


_LATER = {
    "notify": "gates and ends are seen on the page, in the inbox and in the event log",
}


def _without_effect(node: Node) -> list[Problem]:
    """A warning for each key that is understood and does nothing yet: nobody is to rely on it."""
    return [
        Problem(
            place=node.key_place(key),
            code=Code.UNSUPPORTED,
            severity=Severity.WARNING,
            says=f"{key} has no effect in this version",
            hint=instead,
        )
        for key, instead in _LATER.items()
        if isinstance(node, Mapping) and entry(node, key) is not None
    ]


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None
