"""Runs, steps, gates and workflows as the HTTP API shows them (INTERFACES). Pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pointsman.intake.catalog import WorkflowEntry
from pointsman.model.plan import CONTAINERS, Gate, Plan, PlannedStep
from pointsman.model.run import UNTOUCHED, Decision, Row, StepState
from pointsman.run.quorum import needed
from pointsman.run.tree import Run
from pointsman.store.events import Entry
from pointsman.store.runs import RunHeader
from pointsman.web.errors import problem_json

Shape = dict[str, Any]


def moment(at: float | None) -> str | None:
    """RFC 3339 in UTC, with milliseconds."""
    if at is None:
        return None
    # cut, never rounded: `?since=` this moment has to find what happened in it
    seconds, milliseconds = divmod(int(at * 1000), 1000)
    whole = datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)
    return whole.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_moment(at: float, timezone: str) -> str:
    """RFC 3339 in a time zone, to the second."""
    return datetime.fromtimestamp(int(at), ZoneInfo(timezone)).isoformat()


def run_shape(header: RunHeader, plan: Plan, *, url: str, blocked_by: tuple[int, ...] = ()) -> Shape:
    """A run without its steps."""
    return {
        "id": header.id,
        "number": header.number,
        "url": f"{url}/runs/{header.number}",
        "workflow": header.workflow,
        "name": plan.name,
        "version": header.version,
        "tag": plan.tag,
        "commits": {pinned.path: pinned.commit for pinned in plan.pinned},
        "inventory_commit": plan.inventory_commit,
        "plan_digest": header.plan_digest,
        "state": header.state,
        "attempt": header.attempt,
        "started_by": header.started_by,
        "created_at": moment(header.created_at),
        "started_at": moment(header.started_at),
        "finished_at": moment(header.finished_at),
        "properties": plan.properties,
        "metadata": header.metadata,
        "blocked_by": list(blocked_by),
        "step_count": len(plan.steps),
    }


def steps_shape(plan: Plan, row_of: Callable[[int], Row], *, gate_ids: str = "") -> list[Shape]:
    """The root's children with all below them. `gate_ids` is the run's number for the ids of gates."""
    return _children(plan, plan.steps[0], row_of, gate_ids)


def run_steps_shape(header: RunHeader, run: Run) -> list[Shape]:
    """The steps of a run as they stand."""
    return steps_shape(run.plan, run.row, gate_ids=str(header.number))


def plan_shape(plan: Plan) -> Shape:
    """A plan that has no run."""
    return {
        "workflow": plan.workflow,
        "version": plan.version,
        "digest": plan.digest,
        "commits": {pinned.path: pinned.commit for pinned in plan.pinned},
        "inventory_commit": plan.inventory_commit,
        "step_count": len(plan.steps),
        "steps": steps_shape(plan, lambda _: UNTOUCHED),
    }


def _children(plan: Plan, step: PlannedStep, row_of: Callable[[int], Row], run: str) -> list[Shape]:
    return [_step(plan, place, row_of, run) for place in step.children]


def _step(plan: Plan, place: int, row_of: Callable[[int], Row], run: str) -> Shape:
    step, row = plan.steps[place], row_of(place)
    shape: Shape = {"key": step.key, "name": step.name, "kind": step.kind, "state": row.state}
    if step.id:
        shape["id"] = step.id
    if step.kind in CONTAINERS:
        shape["run_as"] = step.run_as
    if step.target:
        shape.update(target=step.target, action=step.action, attempt=row.attempt, exit_code=row.exit_code)
    if row.reason:
        shape["reason"] = row.reason
    if row.outputs is not None:
        shape["outputs"] = row.outputs
    if row.due is not None:
        shape["due"] = moment(row.due)
    shape["started_at"], shape["finished_at"] = moment(row.started_at), moment(row.finished_at)
    if step.gate is not None:
        shape["gate"] = _step_gate(step, step.gate, row, run)
    shape["children"] = _children(plan, step, row_of, run)
    return shape


def _step_gate(step: PlannedStep, gate: Gate, row: Row, run: str) -> Shape:
    return {
        "id": f"{run}:{step.key}" if run else None,
        "opening": row.opening,
        "approvers": approvers_shape(gate),
        "needed": needed(gate, row.decisions) if row.state is StepState.WAITING and gate.approvers else 0,
        "decisions": [decision_shape(given) for given in row.decisions],
    }


def approvers_shape(gate: Gate) -> Shape | None:
    """Who may approve; None for a wait."""
    if gate.approvers is None:
        return None
    return {"user_names": list(gate.approvers.user_names), "ldap_groups": list(gate.approvers.ldap_groups)}


def decision_shape(given: Decision) -> Shape:
    """What one person said."""
    return {
        "actor": given.actor,
        "decision": given.decision,
        "message": given.message,
        "at": moment(given.at),
        "groups": list(given.groups),
    }


def workflow_shape(entry: WorkflowEntry) -> Shape:
    """A workflow with its versions and drafts."""
    project, workflow = entry.path.split("/")[2], entry.path.split("/")[4]
    facts = entry.facts
    return {
        "project": project,
        "workflow": workflow,
        "path": entry.path,
        "name": (facts.name if facts else "") or workflow,
        "description": facts.description if facts else "",
        "latest": entry.latest,
        "versions": [
            {
                "version": version.shown,
                "tag": version.tag,
                "commit": version.commit,
                "state": "valid" if version.valid else "invalid",
                "published_at": moment(version.published_at),
                "problems": [problem_json(problem) for problem in version.problems],
            }
            for version in entry.versions
        ],
        "drafts": [
            {
                "branch": draft.branch,
                "commit": draft.commit,
                "state": "valid" if draft.valid else "invalid",
                "problems": [problem_json(problem) for problem in draft.problems],
            }
            for draft in entry.drafts
        ],
    }


def entry_shape(entry: Entry, plan: Plan | None = None) -> Shape:
    """One record of the log. Inside a run, a step is named by its key."""
    data = dict(entry.body)
    place = data.pop("step", None)
    if plan is not None and isinstance(place, int):
        place = plan.steps[place].key
    return {
        "id": entry.id,
        "run": entry.run if entry.run is not None else data.get("run"),
        "seq": entry.seq,
        "at": moment(entry.at),
        "type": entry.type,
        "actor": entry.actor,
        "step": entry.step or (place if isinstance(place, str) else None),
        "cause": entry.cause,
        "data": data,
    }


def page_of(items: list[Shape], limit: int, cursor: Callable[[Shape], int]) -> Mapping[str, Any]:
    """A list as the API gives it: `limit` items and where to go on, from one more than were asked for."""
    more = len(items) > limit
    items = items[:limit]
    return {"items": items, "next_cursor": str(cursor(items[-1])) if more and items else None}
