"""`plan(request, library)`: a workflow and what it is run with, expanded into one tree with everything resolved. Pure.

The tree is walked depth first, and counted before each step is added, so that a plan past its limits is refused
before it is expanded past them (R45). Every problem is collected; a plan comes out only if there was no error.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Required, TypedDict

from pointsman.model.definition import (
    CallDefinition,
    ChangeDefinition,
    GateDefinition,
    Kind,
    StageDefinition,
    StepDefinition,
    When,
    WorkflowDefinition,
)
from pointsman.model.names import project_of, workflow_codes
from pointsman.model.plan import ROOT_KEY, Gate, PinnedWorkflow, Plan, PlannedStep
from pointsman.model.problem import Code, Place, Problem, has_errors, sorted_problems
from pointsman.model.values import JsonObject
from pointsman.model.wire import plan_digest
from pointsman.plan.findings import Findings
from pointsman.plan.frame import Frame
from pointsman.plan.inputs import Inputs, call_problem, run_problem
from pointsman.plan.library import Library
from pointsman.plan.naming import crumbs, entry_names, shortened, target_names
from pointsman.plan.targets import Aim, Targets, called_workflow, version_key
from pointsman.plan.variables import LARGEST_VALUE, MOST_VALUE_LEVELS, room_left

MOST_LEVELS = 32
MOST_STEPS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be planned: a definition, what it is pinned to, and the run's overrides.

    `lenient` is for validation: a variable without a value is no problem, what depends on it is left unchecked, and
    of called workflows only cycles and sizes are looked at (R24).
    """

    pinned: PinnedWorkflow
    definition: WorkflowDefinition
    properties: JsonObject = field(default_factory=dict)
    lenient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The plan, unless there was an error; every problem; and the variables that had no value.

    A lenient request never has a plan. It has an `outline`, for looking at and never for running: as far as the tree
    could be expanded, with what has no value yet as it was written, and without a digest.
    """

    plan: Plan | None
    problems: tuple[Problem, ...]
    variables: tuple[str, ...]
    outline: Plan | None = None


def plan(request: Request, library: Library) -> Planned:
    """The plan of a workflow, or every reason why there is none."""
    planner = _Planner(request, library)
    planner.expand()
    problems, variables = sorted_problems(planner.found.all()), planner.found.variables
    if request.lenient:
        return Planned(plan=None, problems=problems, variables=variables, outline=planner.outline())
    if has_errors(problems) or planner.found.unresolved:
        return Planned(plan=None, problems=problems, variables=variables)
    outline = planner.outline()
    return Planned(plan=replace(outline, digest=plan_digest(outline)), problems=problems, variables=variables)


class _Common(TypedDict, total=False):
    """What every step has. A step is made once, of this and of what is its own: making one of another takes longer."""

    name: Required[str]
    key: Required[str]
    parent: Required[int]
    id: str
    continue_on_error: bool
    when: When
    start_time: float | None


@dataclass(frozen=True, slots=True)
class _Shot:
    """One of a change step's targets."""

    step: ChangeDefinition
    index: int
    aim: Aim


class _TooLargeError(Exception):
    """The tree has reached a limit; nothing more is expanded."""


class _Planner:
    def __init__(self, request: Request, library: Library) -> None:
        self.request, self.library = request, library
        self.targets = Targets(library, library.contents, lenient=request.lenient)
        self.inputs = Inputs(library)
        self.steps: list[PlannedStep] = []
        self.children: dict[int, list[int]] = {}
        self.pinned: dict[PinnedWorkflow, None] = {request.pinned: None}
        self.found = Findings(lenient=request.lenient)
        # the step of the workflow itself that is being expanded: what is wrong with the tree is told there
        self.own_step: StepDefinition = request.definition.steps[0]

    def expand(self) -> None:
        if room_left(self.request.properties, LARGEST_VALUE) < 0:
            most = f"{LARGEST_VALUE // 1024} KiB or deeper than {MOST_VALUE_LEVELS} levels"
            says = f"the properties given with the run are larger than {most}"
            self.found.problems.append(
                Problem(place=Place(self.request.definition.file), code=Code.TOO_LARGE, says=says)
            )
            return
        request = self.request
        given = self.inputs.given(request.definition, request.pinned, request.properties, partial=request.lenient)
        if not request.lenient:
            self.found.problems += [run_problem(breach, request.definition) for breach in given.breaches]
        frame = Frame.root(request.definition, request.pinned, given.scope, found=self.found)
        name = self.request.definition.name or self.request.definition.code
        root = PlannedStep(key=ROOT_KEY, kind=Kind.WORKFLOW, name=shortened(name), version=self.request.pinned.version)
        try:
            self._add(root, 0)
            self._expand(0, self.request.definition.steps, frame, 1)
        except _TooLargeError:
            pass

    def outline(self) -> Plan:
        request = self.request
        return Plan(
            workflow=request.definition.path,
            name=self.steps[0].name,
            pinned=tuple(self.pinned),
            inventory_commit=self.library.inventory.commit,
            steps=tuple(
                replace(step, children=tuple(self.children[index])) if index in self.children else step
                for index, step in enumerate(self.steps)
            ),
            contents=self.targets.contents,
            properties=request.properties,
            concurrency=request.definition.concurrency,
        )

    # The tree

    def _add(self, step: PlannedStep, level: int) -> int:
        if len(self.steps) >= MOST_STEPS:
            self._limit(f"more than {MOST_STEPS:,} steps")
        if level > MOST_LEVELS:
            self._limit(f"more than {MOST_LEVELS} levels")
        index = len(self.steps)
        self.steps.append(step)
        self.children.setdefault(step.parent, []).append(index)
        return index

    def _limit(self, says: str) -> None:
        self.found.problems.append(
            Problem(
                place=self.own_step.place,
                code=Code.LIMIT,
                says=f"with this the plan has {says}",
                hint="split the workflow, or narrow its lists of targets and overrides",
                step=self.own_step.number,
            )
        )
        raise _TooLargeError

    def _expand(self, parent: int, steps: Sequence[StepDefinition], frame: Frame, level: int) -> None:
        prefix = "" if parent == 0 else f"{self.steps[parent].key}."
        for number, step in enumerate(steps, start=1):
            self._step(f"{prefix}{number}", parent, step, frame, level)

    def _step(self, key: str, parent: int, step: StepDefinition, frame: Frame, level: int) -> None:
        if not frame.called:
            self.own_step = step
        name = frame.text(step.name, step, "name")
        common = _Common(
            name=shortened(step.name if name is None else name),
            key=key,
            parent=parent,
            id=step.id,
            continue_on_error=step.continue_on_error,
            when=step.when,
            start_time=step.start_time,
        )
        match step:
            case StageDefinition():
                self._expand(self._add(_stage(common, step), level), step.children, frame, level + 1)
            case GateDefinition():
                self._add(self._gate(common, step, frame), level)
            case ChangeDefinition():
                self._change(common, step, frame, level)
            case CallDefinition():
                self._call(common, step, frame, level)
            case _:
                raise TypeError(f"{type(step).__name__} is no step")

    def _gate(self, common: _Common, step: GateDefinition, frame: Frame) -> PlannedStep:
        approval = step.approvers is not None
        policy = self.library.policy(project_of(frame.definition.path))
        gate = Gate(
            approvers=step.approvers,
            min_approvals=max(step.min_approvals, policy.min_approvals) if approval else 1,
            one_from_each_group=step.one_from_each_group,
            allow_self_approval=step.allow_self_approval,
            reset_on_retry=step.reset_on_retry,
            timeout_seconds=step.timeout_seconds,
            on_timeout=step.on_timeout,
        )
        kind = Kind.APPROVAL if approval else Kind.WAIT
        return _planned(common, kind=kind, name=common["name"] or kind.value.capitalize(), gate=gate)

    # Changes

    def _change(self, common: _Common, step: ChangeDefinition, frame: Frame, level: int) -> None:
        action = frame.text(step.action, step, "action")
        overrides = frame.object(step.property_overrides, step, "property_overrides")
        paths = [
            frame.text(target, step, f"targets.{index}" if step.listed else "target")
            for index, target in enumerate(step.targets)
        ]
        shots = [
            _Shot(step, index, Aim(path, action, overrides, self._template_version(step, index, frame)))
            for index, path in enumerate(paths)
        ]
        if not step.listed:
            self._one_change(common, shots[0], frame, level)
            return
        shown = target_names([path or target for path, target in zip(paths, step.targets, strict=True)])
        name = common["name"] or shortened(f"{action or step.action} on {len(paths)} targets")
        wrapper = self._add(_planned(common, kind=Kind.STAGE, name=name, run_as=step.run_as), level)
        for shot, shown_name in zip(shots, shown, strict=True):
            child = _Common(key=f"{common['key']}.{shot.index + 1}", name=shown_name, parent=wrapper)
            self._one_change(child, shot, frame, level + 1)

    def _template_version(self, step: ChangeDefinition, index: int, frame: Frame) -> str | None:
        written = step.template_versions[index] if index < len(step.template_versions) else None
        return "" if written is None else frame.text(written, step, version_key(step, index))

    def _one_change(self, common: _Common, shot: _Shot, frame: Frame, level: int) -> None:
        step, index, aim = shot.step, shot.index, shot.aim
        hit = self.targets.hit(aim, step, index)
        frame.report([replace(problem, target=aim.path or "") for problem in hit.problems])
        name = common["name"] or f"{aim.action or step.action} {crumbs(aim.path or step.targets[index])}"
        self._add(
            _planned(
                common,
                kind=Kind.CHANGE,
                name=shortened(name),
                target=aim.path or step.targets[index],
                action=aim.action or step.action,
                content=hit.content,
                retry=hit.retry,
            ),
            level,
        )

    # Called workflows

    def _call(self, common: _Common, step: CallDefinition, frame: Frame, level: int) -> None:
        path = frame.text(step.target, step, "target")
        version = None if step.version is None else frame.text(step.version, step, "version")
        written = step.property_overrides or ({},)
        whole = [
            frame.object(entry, step, f"property_overrides.{index}" if step.listed else "property_overrides")
            for index, entry in enumerate(written)
        ]
        entries = [frame.known(entry) if found is None else found for found, entry in zip(whole, written, strict=True)]
        if path is None or (version is None and step.version is not None):
            self._add(_planned(common, kind=Kind.WORKFLOW, name=common["name"] or step.target), level)
            return
        pinned, definition, problems = self._called(step, path, version)
        frame.report(problems)
        if pinned is None or definition is None or self._closes_cycle(pinned, frame):
            return
        self.pinned.setdefault(pinned)
        key, name = common["key"], common["name"] or definition.name or definition.code
        called = _planned(common, kind=Kind.WORKFLOW, name=shortened(name), version=pinned.version)
        places = [f"{key}.{index + 1}." if step.listed else f"{key}." for index in range(len(entries))]
        given = [
            self.inputs.given(definition, pinned, entry, partial=found is None)
            for found, entry in zip(whole, entries, strict=True)
        ]
        for index, one in enumerate(given):
            frame.report([call_problem(breach, step, index, pinned) for breach in one.breaches])
        frames = [frame.inner(definition, pinned, one.scope, at=at) for one, at in zip(given, places, strict=True)]
        if not step.listed:
            self._expand(self._add(called, level), definition.steps, frames[0], level + 1)
            return
        wrapper = self._add(replace(called, run_as=step.run_as), level)
        for index, (inner, shown) in enumerate(zip(frames, entry_names(entries), strict=True)):
            child = PlannedStep(
                key=f"{key}.{index + 1}", kind=Kind.WORKFLOW, name=shown, parent=wrapper, version=pinned.version
            )
            self._expand(self._add(child, level + 1), definition.steps, inner, level + 2)

    def _called(
        self, step: CallDefinition, path: str, version: str | None
    ) -> tuple[PinnedWorkflow | None, WorkflowDefinition | None, tuple[Problem, ...]]:
        root = self.request.pinned
        if version is None and path == root.path and not root.version:
            # published, a draft is the latest version: what calls the latest would call it
            return root, self.request.definition, ()
        return called_workflow(self.library, step, path, version)

    def _closes_cycle(self, pinned: PinnedWorkflow, frame: Frame) -> bool:
        if pinned not in frame.above:
            return False
        start = frame.above.index(pinned)
        chain = " → ".join(_shown(link) for link in (*frame.above[start:], pinned))
        self.found.problems.append(
            Problem(
                place=self.own_step.at("target"),
                code=Code.CYCLE,
                says=f"a workflow calls itself: {chain}",
                hint="remove one of these calls, or call another workflow",
                step=self.own_step.number,
            )
        )
        return True


def _shown(pinned: PinnedWorkflow) -> str:
    name = "/".join(workflow_codes(pinned.path))
    return f"{name}@{pinned.version}" if pinned.version else name


def _planned(common: _Common, **own: Any) -> PlannedStep:  # noqa: ANN401 - the fields of a step
    return PlannedStep(**{**common, **own})


def _stage(common: _Common, step: StageDefinition) -> PlannedStep:
    return _planned(
        common, kind=Kind.STAGE, run_as=step.run_as, max_parallel=step.max_parallel, fail_fast=step.fail_fast
    )
