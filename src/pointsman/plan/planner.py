"""`plan(request, library)`: a workflow and what it is run with, expanded into one tree with everything resolved. Pure.

The tree is walked depth first, and counted before each step is added, so that a plan past its limits is refused
before it is expanded past them (R45). Every problem is collected; a plan comes out only if there was no error.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pointsman.model.definition import (
    CallDefinition,
    ChangeDefinition,
    GateDefinition,
    Kind,
    StageDefinition,
    StepDefinition,
    WorkflowDefinition,
)
from pointsman.model.names import project_of, workflow_codes
from pointsman.model.plan import ROOT_KEY, Gate, PinnedWorkflow, Plan, PlannedStep
from pointsman.model.problem import Code, Place, Problem, has_errors, sorted_problems
from pointsman.model.values import Json, JsonObject, merged
from pointsman.model.wire import plan_digest
from pointsman.plan.contents import Contents
from pointsman.plan.library import Library
from pointsman.plan.naming import crumbs, entry_names, shortened, target_names
from pointsman.plan.targets import Aim, Targets, called_workflow
from pointsman.plan.variables import Trouble, resolved, resolved_text

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
    """The plan, unless there was an error; every problem; and the variables that had no value."""

    plan: Plan | None
    problems: tuple[Problem, ...]
    variables: tuple[str, ...]


def plan(request: Request, library: Library) -> Planned:
    """The plan of a workflow, or every reason why there is none."""
    planner = _Planner(request, library)
    planner.expand()
    problems = sorted_problems(planner.problems())
    variables = tuple(dict.fromkeys(name for name, _, _ in planner.unresolved))
    ready = not has_errors(problems) and not planner.unresolved
    return Planned(plan=planner.finished() if ready else None, problems=problems, variables=variables)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The workflow whose steps are being expanded, with the values its variables have."""

    definition: WorkflowDefinition
    scope: JsonObject
    above: tuple[PinnedWorkflow, ...]


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
        self.targets = Targets(library, Contents())
        self.steps: list[PlannedStep] = []
        self.children: dict[int, list[int]] = {}
        self.pinned: dict[PinnedWorkflow, None] = {request.pinned: None}
        self.found: list[Problem] = []
        self.unresolved: list[tuple[str, str, Place]] = []

    def problems(self) -> list[Problem]:
        """All that was found, with the unresolved variables as one error (R32)."""
        if not self.unresolved or self.request.lenient:
            return self.found
        steps: dict[str, list[str]] = {}
        for name, step, _ in self.unresolved:
            steps.setdefault(name, []).append(step)
        parts = [f"{name} (step {', '.join(dict.fromkeys(where))})" for name, where in steps.items()]
        word = "variables have" if len(steps) > 1 else "variable has"
        return [
            *self.found,
            Problem(
                place=self.unresolved[0][2],
                code=Code.UNRESOLVED,
                says=f"{len(steps)} {word} no value: {'; '.join(parts)}",
                hint=f"give one with the run (--set {next(iter(steps))}=…) or under properties in the workflow",
            ),
        ]

    def expand(self) -> None:
        frame = self._frame(self.request.definition, self.request.pinned, self.request.properties, ())
        name = self.request.definition.name or self.request.definition.code
        root = PlannedStep(key=ROOT_KEY, kind=Kind.WORKFLOW, name=shortened(name), version=self.request.pinned.version)
        try:
            self._add(root, 0, Place(self.request.definition.file))
            self._expand(0, self.request.definition.steps, frame, 1)
        except _TooLargeError:
            pass

    def finished(self) -> Plan:
        request = self.request
        plan = Plan(
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
        return replace(plan, digest=plan_digest(plan))

    # The tree

    def _frame(
        self,
        definition: WorkflowDefinition,
        pinned: PinnedWorkflow,
        overrides: JsonObject,
        above: tuple[PinnedWorkflow, ...],
    ) -> _Frame:
        """Overrides, then the workflow's properties, then the project's (R31)."""
        project = self.library.inventory.projects.get(workflow_codes(definition.path)[0])
        lower = merged(project.properties if project else {}, definition.properties)
        return _Frame(definition, merged(lower, overrides), (*above, pinned))

    def _add(self, step: PlannedStep, level: int, place: Place) -> int:
        if len(self.steps) >= MOST_STEPS:
            self._limit(place, f"the plan has more than {MOST_STEPS:,} steps")
        if level > MOST_LEVELS:
            self._limit(place, f"the plan is more than {MOST_LEVELS} levels deep")
        index = len(self.steps)
        self.steps.append(step)
        self.children.setdefault(step.parent, []).append(index)
        return index

    def _limit(self, place: Place, says: str) -> None:
        hint = "split the workflow, or narrow its lists of targets and overrides"
        self.found.append(Problem(place=place, code=Code.LIMIT, says=says, hint=hint))
        raise _TooLargeError

    def _expand(self, parent: int, steps: Sequence[StepDefinition], frame: _Frame, level: int) -> None:
        prefix = "" if parent == 0 else f"{self.steps[parent].key}."
        for number, step in enumerate(steps, start=1):
            self._step(f"{prefix}{number}", parent, step, frame, level)

    def _step(self, key: str, parent: int, step: StepDefinition, frame: _Frame, level: int) -> None:
        name = shortened(self._text(step.name, step, "name", frame) or "")
        common = PlannedStep(
            key=key,
            kind=Kind.STAGE,
            name=name,
            parent=parent,
            id=step.id,
            continue_on_error=step.continue_on_error,
            when=step.when,
            start_time=step.start_time,
        )
        match step:
            case StageDefinition():
                planned = replace(
                    common, run_as=step.run_as, max_parallel=step.max_parallel, fail_fast=step.fail_fast
                )  # fmt: skip
                self._expand(self._add(planned, level, step.place), step.children, frame, level + 1)
            case GateDefinition():
                self._add(self._gate(common, step, frame), level, step.place)
            case ChangeDefinition():
                self._change(common, step, frame, level)
            case CallDefinition():
                self._call(common, step, frame, level)
            case _:
                raise TypeError(f"{type(step).__name__} is no step")

    def _gate(self, common: PlannedStep, step: GateDefinition, frame: _Frame) -> PlannedStep:
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
        return replace(common, kind=kind, name=common.name or kind.value.capitalize(), gate=gate)

    # Changes

    def _change(self, common: PlannedStep, step: ChangeDefinition, frame: _Frame, level: int) -> None:
        action = self._text(step.action, step, "action", frame)
        overrides = self._object(step.property_overrides, step, "property_overrides", frame)
        paths = [
            self._text(target, step, f"targets.{index}" if step.listed else "target", frame)
            for index, target in enumerate(step.targets)
        ]
        if not step.listed:
            shot = _Shot(step, 0, Aim(paths[0], action, overrides))
            self._one_change(replace(common, kind=Kind.CHANGE), shot, frame, level)
            return
        shown = target_names([path or target for path, target in zip(paths, step.targets, strict=True)])
        wrapper = self._add(
            replace(
                common, run_as=step.run_as, name=common.name or shortened(f"{step.action} on {len(paths)} targets")
            ),
            level,
            step.place,
        )
        for index, (path, name) in enumerate(zip(paths, shown, strict=True)):
            child = PlannedStep(key=f"{common.key}.{index + 1}", kind=Kind.CHANGE, name=name, parent=wrapper)
            self._one_change(child, _Shot(step, index, Aim(path, action, overrides)), frame, level + 1)

    def _one_change(self, planned: PlannedStep, shot: _Shot, frame: _Frame, level: int) -> None:
        step, index, aim = shot.step, shot.index, shot.aim
        version = step.template_versions[index] if index < len(step.template_versions) else None
        hit = self.targets.hit(aim, step, index, version)
        self._report(hit.problems, frame)
        self._unresolved(hit.unresolved, step, "action", frame)
        name = planned.name or f"{step.action} {crumbs(aim.path or step.targets[index])}"
        self._add(
            replace(
                planned,
                name=shortened(name),
                target=aim.path or "",
                action=aim.action or "",
                content=hit.content,
                retry=hit.retry,
            ),
            level,
            step.at(f"targets.{index}" if step.listed else "target"),
        )

    # Called workflows

    def _call(self, common: PlannedStep, step: CallDefinition, frame: _Frame, level: int) -> None:
        path = self._text(step.target, step, "target", frame)
        version = None if step.version is None else self._text(step.version, step, "version", frame)
        entries = [
            self._object(entry, step, f"property_overrides.{index}" if step.listed else "property_overrides", frame)
            for index, entry in enumerate(step.property_overrides)
        ] or [{}]
        if path is None or (version is None and step.version is not None):
            self._add(replace(common, kind=Kind.WORKFLOW, name=common.name or step.target), level, step.place)
            return
        pinned, definition, problems = called_workflow(self.library, step, path, version)
        self._report(problems, frame)
        if pinned is None or definition is None or self._closes_cycle(pinned, step, frame):
            return
        self.pinned.setdefault(pinned)
        name = common.name or definition.name or definition.code
        called = replace(common, kind=Kind.WORKFLOW, name=shortened(name), version=pinned.version)
        frames = [self._frame(definition, pinned, entry, frame.above) for entry in entries]
        if not step.listed:
            self._expand(self._add(called, level, step.place), definition.steps, frames[0], level + 1)
            return
        wrapper = self._add(replace(called, run_as=step.run_as), level, step.place)
        for index, (inner, shown) in enumerate(zip(frames, entry_names(entries), strict=True)):
            child = PlannedStep(
                key=f"{common.key}.{index + 1}", kind=Kind.WORKFLOW, name=shown, parent=wrapper, version=pinned.version
            )
            self._expand(self._add(child, level + 1, step.place), definition.steps, inner, level + 2)

    def _closes_cycle(self, pinned: PinnedWorkflow, step: CallDefinition, frame: _Frame) -> bool:
        if pinned not in frame.above:
            return False
        start = frame.above.index(pinned)
        chain = " → ".join(_shown(link) for link in (*frame.above[start:], pinned))
        self.found.append(
            Problem(
                place=step.at("target"),
                code=Code.CYCLE,
                says=f"this workflow calls itself: {chain}",
                hint="remove this step, or call another workflow",
                step=step.number,
            )
        )
        return True

    # Values

    def _text(self, text: str, step: StepDefinition, key: str, frame: _Frame) -> str | None:
        trouble = Trouble()
        value = resolved_text(text, frame.scope, trouble)
        return None if self._troubled(trouble, step, key, frame) else value

    def _object(self, value: JsonObject, step: StepDefinition, key: str, frame: _Frame) -> JsonObject:
        trouble = Trouble()
        result: Json = resolved(value, frame.scope, trouble)
        self._troubled(trouble, step, key, frame)
        return result if isinstance(result, dict) else {}

    def _troubled(self, trouble: Trouble, step: StepDefinition, key: str, frame: _Frame) -> bool:
        self._unresolved(trouble.unresolved, step, key, frame)
        place = step.at(key)
        problems = [
            Problem(place=place, code=Code.UNPRINTABLE, says=sentence, step=step.number)
            for sentence in trouble.sentences
        ]
        self._report(problems, frame)
        return bool(trouble)

    def _unresolved(self, names: Sequence[str], step: StepDefinition, key: str, frame: _Frame) -> None:
        if self._reports(frame):
            self.unresolved.extend((name, step.number, step.at(key)) for name in names)

    def _report(self, problems: Sequence[Problem], frame: _Frame) -> None:
        if self._reports(frame):
            self.found.extend(problems)

    def _reports(self, frame: _Frame) -> bool:
        """Whether problems in this frame are told here: when validating, not those of called workflows."""
        return not self.request.lenient or len(frame.above) == 1


def _shown(pinned: PinnedWorkflow) -> str:
    name = "/".join(workflow_codes(pinned.path))
    return f"{name}@{pinned.version}" if pinned.version else name
