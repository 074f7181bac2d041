"""Everything that requests are answered from."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pointsman.access.login import Login
from pointsman.access.people import Actor, Directory
from pointsman.engine.accounts import StoredAccounts
from pointsman.engine.decide import Gates, OpenGate
from pointsman.engine.local import Engine
from pointsman.intake.catalog import Catalog
from pointsman.intake.follow import Follower
from pointsman.intake.readers import Readers
from pointsman.intake.start import Starter
from pointsman.intake.triggers import TriggerLoop
from pointsman.model.problem import NotFound
from pointsman.store.events import Events
from pointsman.store.runs import RunHeader


@dataclass(slots=True, kw_only=True)
class Office:
    """The daemon's parts, as the web sees them. `hosts` are the names it answers to; `now` is seconds since 1970."""

    engine: Engine
    events: Events
    readers: Readers
    gates: Gates
    starter: Starter
    follower: Follower
    triggers: TriggerLoop
    accounts: StoredAccounts
    login: Login
    directory: Directory
    operator: str
    secret: str
    external_url: str
    hosts: frozenset[str]
    version: str
    now: Callable[[], float]
    streams: int = field(default=0)

    @property
    def operator_mode(self) -> bool:
        """Whether there are no users, so that whoever reaches the daemon is its one operator."""
        return not self.accounts.any_user()

    @property
    def catalog(self) -> Catalog:
        """What there is to run."""
        return self.follower.catalog

    def projects(self, actor: Actor, *, verb: str = "view") -> list[str]:
        """The projects in which the actor may do this."""
        known = self.catalog.project_codes()
        return sorted(code for code in known if not self.starter.refused(actor, verb, code))

    def check_view(self, actor: Actor, project: str, words: str) -> None:
        """`NotFound` if the actor may not view the project: what one may not see does not exist."""
        if self.starter.refused(actor, "view", project):
            raise NotFound(f"there is no {words}")

    def run(self, actor: Actor, name: str) -> RunHeader:
        """A run by its number or id, if the actor may view it."""
        header = self.engine.runs.find(name)
        self.check_view(actor, header.project, f"run {name}")
        return header

    def gate(self, actor: Actor, name: str) -> OpenGate:
        """A gate by `RUN:STEP`, if the actor may view its run."""
        number, colon, key = name.partition(":")
        if not colon:
            raise NotFound(f"{name} is no gate; write RUN:STEP, such as 12:4")
        return self.gates.find(self.run(actor, number), key)

    def open_gates(self, actor: Actor, *, all_visible: bool) -> list[OpenGate]:
        """The open gates that the actor may decide, or all that they may view, oldest first."""
        found = []
        visible = set(self.projects(actor))
        for number, place, _ in self.engine.runs.open_gates():
            header = self.engine.runs.header(number)
            if header.project not in visible:
                continue
            run = self.engine.run(number)
            gate = self.gates.find(header, run.plan.steps[place].key)
            if all_visible or not self.gates.reason_against(gate, actor, self.catalog.policy(header.project)):
                found.append(gate)
        return sorted(found, key=lambda gate: gate.row.started_at or 0.0)
