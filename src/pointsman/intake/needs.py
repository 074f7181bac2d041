"""What published versions need of an inventory: what one lacks that another had (R27, R28)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pointsman.intake.definitions import Definitions
from pointsman.intake.library import GitLibrary, policies
from pointsman.intake.published import Published
from pointsman.load.assemble import Loaded
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.inventory import Target, Template
from pointsman.model.names import project_of, workflow_codes
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Invalid, Place, Problem, Severity, sorted_problems
from pointsman.plan.planner import Planned, Request, plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """The versions of one repository, and the commits that they are read from."""

    definitions: Definitions
    published: Published

    def latest(self, known: Iterable[str] = ()) -> Iterator[tuple[PinnedWorkflow, WorkflowDefinition]]:
        """The latest valid version of every workflow that has one, also of those that are `known`, in path order."""
        for path in sorted({*self.published.paths(), *known}):
            pinned = self.published.find(path, None)
            definition = None if pinned is None else self.definition(pinned)
            if pinned is not None and definition is not None:
                yield pinned, definition

    def definition(self, pinned: PinnedWorkflow) -> WorkflowDefinition | None:
        """What a version says; None if its commit cannot be read any more."""
        try:
            return self.definitions.at(pinned.commit).workflows.get(pinned.path)
        except Invalid:
            return None

    def lost(
        self, pinned: PinnedWorkflow, definition: WorkflowDefinition, *, before: Loaded, after: Loaded
    ) -> tuple[Problem, ...]:
        """The errors that a run of a workflow would be refused with in one inventory, and would not in another."""
        if after.inventory.from_tag:
            return ()
        if before.inventory.from_tag:
            before = self.definitions.at(pinned.commit)
        request = Request(pinned=pinned, definition=definition)
        once, now = (plan(request, self._library(loaded)) for loaded in (before, after))
        known = {(problem.place, problem.target) for problem in _errors(once)}
        found = [problem for problem in _errors(now) if (problem.place, problem.target) not in known]
        gone = [name for name in now.variables if name not in once.variables]
        return sorted_problems([*found, *(_without_value(name, definition) for name in gone)])

    def _library(self, loaded: Loaded) -> GitLibrary:
        return GitLibrary(
            definitions=self.definitions, loaded=loaded, published=self.published, policies=policies(loaded)
        )


def lacking(releases: Releases, pinned: PinnedWorkflow, *, inventory: str) -> tuple[Problem, ...]:
    """Warnings: what a workflow finds in the inventory of its own commit, and not at the commit `inventory` (R28)."""
    definition = releases.definition(pinned)
    if definition is None:
        return ()
    before, after = releases.definitions.at(pinned.commit), releases.definitions.at(inventory)
    found = releases.lost(pinned, definition, before=before, after=after)
    return tuple(replace(problem, severity=Severity.WARNING) for problem in found)


def breakage(releases: Releases, *, before: Loaded, after: Loaded) -> tuple[Problem, ...]:
    """An error for whatever a change of the inventory takes from the latest version of a workflow (R27).

    Each names the version with its steps, and stands at the file that is missing or lost something. What `before`
    lacks already is no matter of the change.
    """
    problems = []
    # the newest release may have lost a workflow, or hold it broken, while an older version of it can still be run
    known = {*before.files, *after.files}
    for pinned, definition in releases.latest(known):
        steps: dict[tuple[Place, str], list[str]] = {}
        for problem in releases.lost(pinned, definition, before=before, after=after):
            place = _place(problem, definition, before, after)
            steps.setdefault((place, problem.says), []).append(_step(problem, definition))
        problems += [_broken(pinned, place, says, found) for (place, says), found in steps.items()]
    return sorted_problems(problems)


def _errors(planned: Planned) -> list[Problem]:
    """What refuses a plan, apart from variables that a run would be given."""
    return [
        problem
        for problem in planned.problems
        if problem.severity is Severity.ERROR and (problem.code is not Code.UNRESOLVED or problem.target)
    ]


def _without_value(name: str, definition: WorkflowDefinition) -> Problem:
    return Problem(
        place=Place(definition.file),
        code=Code.UNRESOLVED,
        says=f"the variable {name} has no value",
        hint=f"set {name} under properties in the project",
        target=f"/projects/{project_of(definition.path)}",
    )


def _broken(pinned: PinnedWorkflow, place: Place, says: str, steps: list[str]) -> Problem:
    name = "/".join(workflow_codes(pinned.path))
    named = [step for step in dict.fromkeys(steps) if step]
    at = f" at step{'s' if len(named) > 1 else ''} {', '.join(named)}" if named else ""
    return Problem(
        place=place,
        code=Code.BREAKS_PUBLISHED,
        says=f"a run of the published {name} {pinned.version} would be refused{at}: {says}",
        hint=f"bring it back, or first publish a version of {name} that does without it",
    )


def _step(problem: Problem, definition: WorkflowDefinition) -> str:
    """The step's number, with the name of its workflow's file if that is a called one."""
    if problem.place.path == definition.file:
        return problem.step
    called = problem.place.path.rsplit("/", 1)[-1].removesuffix(".yaml")
    return f"{problem.step} of {called}"


def _place(problem: Problem, definition: WorkflowDefinition, before: Loaded, after: Loaded) -> Place:
    """Where in the changed tree something is missing: in a template, in a target's file, or that file itself."""
    had = before.inventory.targets.get(problem.target)
    has = after.inventory.targets.get(problem.target)
    if had is None:
        return Place(definition.file)
    if problem.code is Code.UNKNOWN_ACTION and has is not None and has.template and had.template:
        if has.template.path == had.template.path:
            return _beside(had.template, has.template)
        return Place(has.file)
    return Place(had.file or _file_of(had, definition))


def _beside(had: Template, has: Template) -> Place:
    """Where the first action was that is gone: the place of the one before it."""
    place = Place(has.file)
    for name in had.actions:
        if name not in has.actions:
            break
        place = has.actions[name].place
    return place


def _file_of(target: Target, definition: WorkflowDefinition) -> str:
    """The file that a project or environment without one could have, in the folder that the workflow is in."""
    root = definition.file[: -len(f"{definition.path}.yaml") + 1]
    return f"{root}{target.path[1:]}/{target.kind}.yaml"
