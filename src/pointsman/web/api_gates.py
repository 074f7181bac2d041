"""The API about gates."""

from starlette.responses import Response

from pointsman.engine.decide import OpenGate, Verdict
from pointsman.model.run import StepState
from pointsman.run.quorum import needed
from pointsman.store.runs import RunFilter
from pointsman.web.bodies import DecisionBody, body_of, cursor_of, limit_of
from pointsman.web.calls import Ask, Call, answered
from pointsman.web.changes import changes
from pointsman.web.consequences import next_steps
from pointsman.web.shapes import Shape, approvers_shape, decision_shape, moment, page_of


def gate_shape(found: OpenGate) -> Shape:
    """A gate, with what it lets start."""
    row, step = found.row, found.step
    return {
        "id": found.name,
        "run": found.header.number,
        "run_id": found.header.id,
        "workflow": found.header.workflow,
        "version": found.header.version,
        "started_by": found.header.started_by,
        "step": step.key,
        "opening": row.opening,
        "kind": step.kind,
        "name": step.name,
        "state": row.state,
        "opened_at": moment(row.started_at) if row.opening else None,
        "expires_at": moment(row.due),
        "approvers": approvers_shape(found.gate),
        "needed": needed(found.gate, row.decisions) if row.state is StepState.WAITING and found.gate.approvers else 0,
        "decisions": [decision_shape(given) for given in row.decisions],
        "digest": found.header.plan_digest,
        "next_steps": [
            {"key": after.key, "name": after.name, "kind": after.kind, "target": after.target, "action": after.action}
            for after in (found.run.plan.steps[place] for place in next_steps(found.run.plan, found.place))
        ],
    }


async def list_gates(ask: Ask) -> Response:
    """The open gates that the asker may decide, or with `all=true` all that they may view, oldest first."""
    everything = ask.request.query_params.get("all", "").lower() in {"true", "1"}
    start, limit = cursor_of(ask.request) or 0, limit_of(ask.request)
    found = ask.office.open_gates(ask.actor, all_visible=everything)
    items = [gate_shape(gate) for gate in found[start : start + limit + 1]]
    return answered(page_of(items, limit, lambda _: start + limit))


async def one_gate(ask: Ask) -> Response:
    """One gate, open or not, with what is different since the workflow last succeeded."""
    found = ask.office.gate(ask.actor, ask.path("gate"))
    return answered({**gate_shape(found), "changes_since_last_success": _changes(ask, found)})


def _changes(ask: Ask, found: OpenGate) -> dict[str, object] | None:
    runs, header = ask.office.engine.runs, found.header
    wanted = RunFilter(
        projects=[header.project], states=["succeeded"], workflow=header.workflow, before=header.number, limit=1
    )
    last = next(iter(runs.listed(wanted)), None)
    return None if last is None else changes(runs.plan(last.plan_digest), found.run.plan, last)


async def decide(ask: Ask) -> Response:
    """Continue, approve or reject."""
    found = ask.office.gate(ask.actor, ask.path("gate"))
    body = await body_of(ask.request, DecisionBody)
    verdict = Verdict(decision=body.decision, message=body.message, opening=body.opening, digest=body.digest)
    policy = ask.office.catalog.policy(found.header.project)
    await ask.office.gates.decide(found, ask.actor, verdict, policy)
    return answered(gate_shape(ask.office.gate(ask.actor, ask.path("gate"))))


CALLS = (
    Call(method="GET", path="/gates", answer=list_gates, says=list_gates.__doc__ or "", parameters=("all",)),
    Call(method="GET", path="/gates/{gate}", answer=one_gate, says=one_gate.__doc__ or ""),
    Call(method="POST", path="/gates/{gate}/decision", answer=decide, says=decide.__doc__ or "", body=DecisionBody),
)
