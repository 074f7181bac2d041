"""From a wish to a run: may this actor, does it plan, is everything there that its steps need."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pointsman.access.people import Actor, Directory
from pointsman.access.policy import may
from pointsman.engine.local import Engine
from pointsman.intake.catalog import Catalog, WorkflowEntry
from pointsman.intake.readers import Readers
from pointsman.intake.reading import PlanQuestion
from pointsman.model.names import nearest, project_of, workflow_codes
from pointsman.model.plan import Plan
from pointsman.model.problem import Forbidden, Invalid, NotFound, Refused, has_errors
from pointsman.model.values import JsonObject
from pointsman.plan.planner import Planned
from pointsman.run.skipping import skipped_keys
from pointsman.store.runs import NewRun, RunHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be run. `workflow` is a path, `project/workflow`, or a code that is unique.

    `run_id` is set where a repeat of the wish must not make a second run, `digest` where a plan was shown before.
    """

    workflow: str
    version: str | None = None
    properties: JsonObject = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    metadata: JsonObject = field(default_factory=dict)
    skip_steps: Sequence[str] = ()
    run_id: str = ""
    digest: str = ""


class Starter:
    """Plans and starts runs. `catalog` gives the present one."""

    def __init__(self, engine: Engine, readers: Readers, directory: Directory, catalog: Callable[[], Catalog]) -> None:
        self._engine, self._readers, self._directory, self._catalog = engine, readers, directory, catalog

    def entry(self, actor: Actor, name: str) -> WorkflowEntry:
        """The workflow of this name among those that the actor may view; `NotFound` with the nearest otherwise."""
        visible = {
            path: entry
            for path, entry in self._catalog().workflows.items()
            if not self.refused(actor, "view", entry.project)
        }
        return visible[found_workflow(name, list(visible))]

    def refused(self, actor: Actor, verb: str, project: str) -> str:
        """Why the actor may not; empty if they may. The daemon itself may view everything."""
        if verb == "view" and actor.source == "system":
            return ""
        return may(
            actor,
            verb,  # type: ignore[arg-type] # one of view, run, publish
            self._catalog().policy(project),
            lambda: self._directory.groups_of(actor.name),
        )

    async def planned(self, actor: Actor, question: PlanQuestion) -> Planned:
        """A plan, with what it touches seen by the actor."""
        reason = self.refused(actor, "view", project_of(question.workflow))
        if reason:
            raise NotFound(f"there is no workflow {question.workflow}")
        return await self._readers.plan(question)

    async def start(self, actor: Actor, wish: Wish, *, now: float) -> RunHeader:
        """A new run. `NotFound`, `Forbidden`, `Invalid` (with every problem) or `Refused` say why there is none."""
        entry = self.entry(actor, wish.workflow)
        # what is published in a project may start itself there; other projects' policies are asked as of anybody
        own = [entry.project] if actor.source == "system" else []
        self._check_run(actor, [entry.project], apart=own)
        if not self._catalog().head:
            raise Refused(f"nothing can be run: {self._catalog().head_trouble}", hint="push the inventory branch")
        question = PlanQuestion(
            workflow=entry.path,
            version=wish.version,
            inventory=self._catalog().head,
            properties=wish.properties,
            texts=wish.texts,
        )
        planned = await self._readers.plan(question)
        if planned.plan is None:
            count = sum(1 for problem in planned.problems if has_errors([problem]))
            problems = f"{count} problem{'s' if count != 1 else ''}"
            raise Invalid(f"{entry.path} cannot be run: {problems}", planned.problems)
        if wish.digest and wish.digest != planned.plan.digest:
            raise Refused("the plan is another one than was shown", hint="look at it and run it again")
        self._check_run(actor, touched_projects(planned.plan), apart=own)
        trees = {content.tree for content in planned.plan.contents.values()} - {""}
        # before the run is there: a gate may wait for weeks while branches are rewritten
        await self._readers.keep({*trees, planned.plan.inventory_commit, *(one.commit for one in planned.plan.pinned)})
        for tree in trees:
            await self._readers.export(tree)
        skip = skipped_keys(planned.plan, wish.skip_steps)
        new = NewRun(
            id=wish.run_id or secrets.token_hex(8),
            plan=planned.plan,
            started_by=actor.name,
            created_at=now,
            metadata=wish.metadata,
        )
        return await self._engine.create(new, skip)

    def _check_run(self, actor: Actor, projects: Sequence[str], *, apart: Sequence[str]) -> None:
        for project in projects:
            reason = "" if project in apart else self.refused(actor, "run", project)
            if reason:
                raise Forbidden(f"{reason} (project {project})")


def touched_projects(plan: Plan) -> list[str]:
    """The projects of a plan's workflow, of its children and of every target."""
    found = [project_of(pinned.path) for pinned in plan.pinned]
    found += [project_of(content.target) for content in plan.contents.values()]
    return list(dict.fromkeys(found))


def found_workflow(name: str, paths: Sequence[str]) -> str:
    """The path that a path, `project/workflow` or unique code means; `NotFound` or `Refused` otherwise."""
    if name in paths:
        return name
    fits = [path for path in paths if "/".join(workflow_codes(path)) == name or workflow_codes(path)[1] == name]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise Refused(f"{name} could be {', '.join(fits)}", hint="write project/workflow")
    near = nearest(name, [*paths, *(workflow_codes(path)[1] for path in paths)])
    raise NotFound(f"there is no workflow {name}", hint=f"did you mean {near}?" if near else "")
