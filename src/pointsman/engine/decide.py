"""The one function that decides gates. Page, command line, API, webhook and link only translate into it.

It checks in a fixed order (DESIGN section 7): the same decision again is a success; the gate is open; the verb fits;
opening and digest are the gate's; the actor may run in the project; for approvals, the actor is listed or in a listed
group, looked up now; four eyes. What is refused is recorded.
"""

from dataclasses import dataclass

from pointsman.access.people import Actor, Directory
from pointsman.access.policy import Standing, may, standing
from pointsman.engine.local import Engine
from pointsman.model.event import GateDecided, GateRefused
from pointsman.model.inventory import Policy
from pointsman.model.names import BY_PUBLICATION, same_name
from pointsman.model.plan import Gate, PlannedStep
from pointsman.model.problem import Forbidden, NotFound, PointsmanError, Refused
from pointsman.model.run import Decision, DecisionWord, Row, StepState
from pointsman.run.refusal import already_approved_by, decision_refusal
from pointsman.run.transitions import GATE
from pointsman.run.tree import Run
from pointsman.store.runs import RunHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What somebody wants to say at a gate. `opening` and `digest` bind it to what was shown, where they are given."""

    decision: DecisionWord
    message: str = ""
    opening: int | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGate:
    """A gate with all that is needed to decide it or to show it."""

    header: RunHeader
    run: Run
    place: int

    @property
    def step(self) -> PlannedStep:
        """The gate in the plan."""
        return self.run.plan.steps[self.place]

    @property
    def gate(self) -> Gate:
        """What it asks for."""
        assert self.step.gate is not None
        return self.step.gate

    @property
    def row(self) -> Row:
        """Its state and decisions."""
        return self.run.row(self.place)

    @property
    def name(self) -> str:
        """Its id, `RUN:STEP`."""
        return f"{self.header.number}:{self.step.key}"


class Gates:
    """Finds gates and decides them. `policy` is asked anew each time."""

    def __init__(self, engine: Engine, directory: Directory) -> None:
        self._engine, self._directory = engine, directory

    def find(self, header: RunHeader, key: str) -> OpenGate:
        """The gate at a step's key, open or not; `NotFound` if that step is none."""
        run = self._engine.run(header.number)
        place = run.plan.index.get(key)
        if place is None or run.plan.steps[place].gate is None:
            raise NotFound(f"run {header.number} has no gate at {key}")
        return OpenGate(header=header, run=run, place=place)

    async def decide(self, found: OpenGate, actor: Actor, verdict: Verdict, policy: Policy) -> Decision:
        """Decide a gate as this actor. `Refused` (409, 410, 422), `Forbidden` or `Unavailable` say why not."""
        try:
            return await self._decided(found, actor, verdict, policy)
        except (Refused, Forbidden) as error:
            refused = GateRefused(step=found.place, decision=verdict.decision, reason=error.says)
            self._engine.note(found.header.number, refused, actor=actor.name)
            raise

    async def _decided(self, found: OpenGate, actor: Actor, verdict: Verdict, policy: Policy) -> Decision:
        repeated = _same_decision(found, actor, verdict)
        if repeated is not None:
            return repeated
        check_fits(found, verdict)
        way = self.way(found, actor, policy)
        event = GateDecided(
            step=found.place,
            opening=found.row.opening,
            decision=verdict.decision,
            message=verdict.message,
            named=way.named,
            groups=way.groups,
        )
        try:
            await self._engine.tell(found.header.number, event, actor=actor.name)
        except Refused:
            # somebody else was quicker: say what stands now
            found = self.find(self._engine.runs.header(found.header.number), found.step.key)
            repeated = _same_decision(found, actor, verdict)
            if repeated is not None:
                return repeated
            check_fits(found, verdict)
            raise
        decided = self.find(self._engine.runs.header(found.header.number), found.step.key).row.decisions
        return decided[-1]

    def way(self, found: OpenGate, actor: Actor, policy: Policy) -> Standing:
        """By which listing this actor may decide; `Forbidden` with the reason if none (R70, R71, R75)."""

        def groups() -> frozenset[str]:
            return self._directory.groups_of(actor.name)

        reason = may(actor, "run", policy, groups)
        if reason:
            raise Forbidden(reason)
        approvers = found.gate.approvers
        if approvers is None:
            return Standing(named=False, groups=())
        way = standing(actor, approvers, groups, each_group=found.gate.one_from_each_group)
        if not way.listed:
            listed = [*approvers.user_names, *(f"members of {group}" for group in approvers.ldap_groups)]
            raise Forbidden(f"{actor.name} is not listed as an approver of this step: {', '.join(listed)} may decide")
        strict = not (found.gate.allow_self_approval and policy.allow_self_approval)
        part = _part_in(found.header, actor.name) if strict else ""
        if part:
            raise Forbidden(f"{actor.name} {part} this run, and its starter may not approve it")
        if already_approved_by(found.run, found.place, actor.name):
            raise Refused(f"{actor.name} has approved already; another person is needed")
        return way

    def reason_against(self, found: OpenGate, actor: Actor, policy: Policy) -> str:
        """Why this actor may not decide this gate now; empty if they may."""
        if found.row.state is not StepState.WAITING:
            return f"the gate is not open, it is {found.row.state}"
        try:
            self.way(found, actor, policy)
        except PointsmanError as error:
            return error.says
        return ""


def _part_in(header: RunHeader, name: str) -> str:
    """How this person started a run, by themselves or with a tag; empty if they did not.

    Whoever makes a tag can write any name into it: it is good enough to refuse, and gives nobody a right (R82).
    """
    if same_name(name, header.started_by):
        return "started"
    tagger = header.metadata.get("tagger") if header.started_by == BY_PUBLICATION else None
    names = (tagger, tagger.partition("@")[0]) if isinstance(tagger, str) else ()
    return "made the tag that started" if any(same_name(name, one) for one in names) else ""


def _same_decision(found: OpenGate, actor: Actor, verdict: Verdict) -> Decision | None:
    """The decision that this person made here already, if it is the same (R73)."""
    if verdict.opening is not None and verdict.opening != found.row.opening:
        return None
    for given in found.row.decisions:
        if same_name(given.actor, actor.name) and given.decision == verdict.decision:
            return given
    return None


def check_fits(found: OpenGate, verdict: Verdict) -> None:
    """Raise `Refused` with the right status if the decision does not fit the gate as it stands."""
    row, step = found.row, found.step
    if row.state is not StepState.WAITING:
        if row.decisions:
            last = row.decisions[-1]
            expired = last.message == "nobody decided in time" and last.actor == "system"
            says = "its time was up" if expired else f"it was decided: {last.decision} by {last.actor}"
            raise Refused(f"the gate is not open, it is {row.state}: {says}", status=410 if expired else 409)
        raise Refused(f"the gate is not open, it is {row.state}")
    if (verdict.decision, step.kind) not in GATE:
        wrong = GateDecided(step=found.place, opening=row.opening, decision=verdict.decision)
        raise Refused(decision_refusal(found.run, wrong), status=422)
    if verdict.opening is not None and verdict.opening != row.opening:
        raise Refused(f"the gate was opened again since: this is opening {row.opening}, not {verdict.opening}")
    if verdict.digest is not None and verdict.digest != found.header.plan_digest:
        raise Refused(
            "the plan is another one than the decision was made on",
            hint=f"look again: its digest is {found.header.plan_digest}",
        )
