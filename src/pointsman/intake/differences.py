"""What changes between two states of a repository, workflow by workflow, as their plans would."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pointsman.intake.library import GitLibrary
from pointsman.load.assemble import Loaded
from pointsman.model.definition import (
    Approvers,
    CallDefinition,
    ChangeDefinition,
    Kind,
    StageDefinition,
    StepDefinition,
    WorkflowDefinition,
)
from pointsman.model.inventory import Policy
from pointsman.model.names import project_of
from pointsman.model.plan import ROOT_KEY, PinnedWorkflow, Plan, PlannedStep
from pointsman.model.problem import Problem, Severity, sorted_problems
from pointsman.model.values import canonical
from pointsman.model.wire import to_json
from pointsman.plan.difference import Change, Detail, PlanDifference, changed_values, difference
from pointsman.plan.matching import matching
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

    def policy(self, path: str) -> Policy:
        """What the project of a workflow allows, if this side is the inventory branch."""
        return self.library.policy(project_of(path))

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


@dataclass(frozen=True, slots=True)
class _State:
    """A workflow on one side: what it would do, and what keeps it from being planned."""

    definition: WorkflowDefinition | None
    outline: Plan
    errors: tuple[Problem, ...]
    policy: Policy


def _difference(path: str, before: Side, after: Side) -> WorkflowDifference | None:
    was, now = _state(path, before), _state(path, after)
    came, went = path not in before.loaded.files, path not in after.loaded.files
    found = WorkflowDifference(
        path=path,
        change=Change.ADDED if came else Change.REMOVED if went else Change.CHANGED,
        plan=difference(was.outline, now.outline),
        settings=tuple(_written(was, now)),
        errors=now.errors,
    )
    known = {(problem.code, problem.says) for problem in was.errors}
    news = any((problem.code, problem.says) not in known for problem in now.errors)
    differs = found.plan or found.settings or found.change is not Change.CHANGED or news
    return found if differs else None


def _state(path: str, side: Side) -> _State:
    definition, problems, outline = side.definition(path), side.problems(path), None
    if definition is not None:
        unpinned = PinnedWorkflow(path=path, version="", commit=side.loaded.inventory.commit)
        pinned = side.pins.get(path, unpinned)
        planned = plan(Request(pinned=pinned, definition=definition, lenient=True), side.library)
        problems += planned.problems
        outline = planned.outline
    if outline is not None:
        strict = not side.policy(path).allow_self_approval
        # the version of the workflow itself differs between any two of its tags
        steps = (replace(outline.steps[0], version=""), *(_under(step, strict=strict) for step in outline.steps[1:]))
        outline = replace(outline, steps=steps)
    errors = tuple(problem for problem in sorted_problems(problems) if problem.severity is Severity.ERROR)
    return _State(definition, outline or _nothing(path), errors, side.policy(path))


def _under(step: PlannedStep, *, strict: bool) -> PlannedStep:
    """A step as the project's policy has it: a gate asks for no less than that."""
    if step.gate is None or not strict or not step.gate.allow_self_approval:
        return step
    return replace(step, gate=replace(step.gate, allow_self_approval=False))


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


def _written(was: _State, now: _State) -> Iterator[Detail]:
    """What is around the steps, and what of them is only known in a run."""
    if was.definition is not None and now.definition is not None:
        yield from _settings(was.definition, now.definition)
        for verb in ("view", "run", "publish"):
            before, after = (_people(getattr(state.policy, verb)) for state in (was, now))
            if before != after:
                yield Detail(name=f"policy.{verb} of the project", before=before, after=after)
        old, new = (dict(_steps(state.definition.steps)) for state in (was, now) if state.definition)
        for one, other in matching(was.outline.steps, now.outline.steps).pairs:
            then, step = old.get(was.outline.steps[one].key), new.get(now.outline.steps[other].key)
            if then is not None and step is not None:
                yield from _unresolved(then, step)


def _steps(steps: Sequence[StepDefinition]) -> Iterator[tuple[str, StepDefinition]]:
    for step in steps:
        yield step.number, step
        if isinstance(step, StageDefinition):
            yield from _steps(step.children)


def _unresolved(then: StepDefinition, now: StepDefinition) -> Iterator[Detail]:
    """How a step with variables is written otherwise: what they come to, and so what it does, is in no outline."""
    if type(then) is not type(now) or not isinstance(now, ChangeDefinition | CallDefinition):
        return
    names = ("target", "version", "property_overrides", "targets", "action", "template_versions")
    texts = [(name, *(_as_json(getattr(step, name, "")) for step in (then, now))) for name in names]
    if any("{{" in text for _, *both in texts for text in both):
        for name, before, after in texts:
            if before != after:
                yield Detail(name=f"{name} of step {now.number}", before=before, after=after)


def _people(named: Approvers | None) -> str:
    return "everybody" if named is None else ", ".join((*named.user_names, *map("group {}".format, named.ldap_groups)))


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
