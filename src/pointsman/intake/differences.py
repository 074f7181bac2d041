"""What changes between two states of a repository, workflow by workflow, as their plans would."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pointsman.intake.library import GitLibrary
from pointsman.load.assemble import Loaded
from pointsman.model.definition import Kind, WorkflowDefinition
from pointsman.model.plan import ROOT_KEY, PinnedWorkflow, Plan, PlannedStep
from pointsman.model.problem import Problem, Severity, sorted_problems
from pointsman.model.values import canonical
from pointsman.model.wire import to_json
from pointsman.plan.difference import Change, Detail, PlanDifference, changed_values, difference
from pointsman.plan.planner import Request, plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two states: what it defines, and where called workflows come from. `pins` as a tag gives them."""

    loaded: Loaded
    library: GitLibrary
    pins: Mapping[str, PinnedWorkflow] = field(default_factory=dict)

    def definition(self, path: str) -> WorkflowDefinition | None:
        """A workflow, or as much as can be read of one with an error."""
        found = self.loaded.translation(path)
        return None if found is None else found.definition or found.rest

    def problems(self, path: str) -> tuple[Problem, ...]:
        """What is wrong with a workflow's file by itself."""
        found = self.loaded.translation(path)
        return found.problems if found else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowDifference:
    """A workflow that is not as it was. `errors` keep its new state from being planned, and may hide differences."""

    path: str
    change: Change
    plan: PlanDifference = field(default_factory=PlanDifference)
    settings: tuple[Detail, ...] = ()
    errors: tuple[Problem, ...] = ()


def differences(before: Side, after: Side, *, only: str = "") -> Iterator[WorkflowDifference]:
    """Every workflow that differs, or `only` one, those in which a gate holds less than before first."""
    paths = [only] if only else sorted({*before.loaded.files, *after.loaded.files})
    found = [one for path in paths if (one := _difference(path, before, after)) is not None]
    yield from sorted(found, key=lambda one: not one.plan.gates)


def _difference(path: str, before: Side, after: Side) -> WorkflowDifference | None:
    old, new = before.definition(path), after.definition(path)
    errors: tuple[Problem, ...] = ()
    outlines = []
    for side, definition in ((before, old), (after, new)):
        outline, errors = (None, ()) if definition is None else _outline(side, definition)
        outlines.append(outline or _nothing(path))
    found = WorkflowDifference(
        path=path,
        change=Change.ADDED if old is None else Change.REMOVED if new is None else Change.CHANGED,
        plan=difference(outlines[0], outlines[1]),
        settings=tuple(_settings(old, new)) if old is not None and new is not None else (),
        errors=errors,
    )
    differs = found.plan or found.settings or found.change is not Change.CHANGED
    return found if differs else None


def _outline(side: Side, definition: WorkflowDefinition) -> tuple[Plan | None, tuple[Problem, ...]]:
    unpinned = PinnedWorkflow(path=definition.path, version="", commit=side.loaded.inventory.commit)
    pinned = side.pins.get(definition.path, unpinned)
    planned = plan(Request(pinned=pinned, definition=definition, lenient=True), side.library)
    problems = sorted_problems([*side.problems(definition.path), *planned.problems])
    errors = tuple(problem for problem in problems if problem.severity is Severity.ERROR)
    # the version of the workflow itself differs between any two of its tags
    outline = planned.outline
    assert outline is not None
    return replace(outline, steps=(replace(outline.steps[0], version=""), *outline.steps[1:])), errors


def _nothing(path: str) -> Plan:
    """The plan of a workflow that is not there: its root alone."""
    return Plan(
        workflow=path,
        name="",
        pinned=(PinnedWorkflow(path=path, version="", commit=""),),
        inventory_commit="",
        steps=(PlannedStep(key=ROOT_KEY, kind=Kind.WORKFLOW, name=""),),
        contents={},
        properties={},
    )


def _settings(old: WorkflowDefinition, new: WorkflowDefinition) -> Iterator[Detail]:
    """What is around the steps."""
    for name in ("name", "concurrency", "on", "notify"):
        was, now = _as_json(getattr(old, name)), _as_json(getattr(new, name))
        if was != now:
            yield Detail(name=name, before=was, after=now)
    for name, one, other in (("properties", old.properties, new.properties), ("inputs", old.inputs, new.inputs)):
        for dotted, was, now in changed_values(one or {}, other or {}, f"{name}."):
            yield Detail(name=dotted, before=was, after=now)


def _as_json(value: object) -> str:
    return value if isinstance(value, str) else canonical(to_json(value))
