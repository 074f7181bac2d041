"""What a plan is made from: answers that were fixed before planning began. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pointsman.model.breach import Breach
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.inventory import Inventory, Policy, Template
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.values import JsonObject
from pointsman.plan.contents import Contents


class Library(Protocol):
    """Definitions by name and version. The same question always has the same answer while a plan is made."""

    @property
    def inventory(self) -> Inventory:
        """The targets at the one inventory commit."""
        ...

    @property
    def contents(self) -> Contents:
        """What the changes of all plans that are made from this library come to."""
        ...

    def pinned(self, path: str, version: str | None) -> PinnedWorkflow | None:
        """The workflow at this version, or the latest; `version` is what the author wrote. None if there is none."""
        ...

    def definition(self, pinned: PinnedWorkflow) -> WorkflowDefinition | None:
        """What a pinned workflow says."""
        ...

    def template(self, path: str, version: str) -> Template | None:
        """A template as it was at a tag or commit."""
        ...

    def policy(self, project: str) -> Policy:
        """The project's policy, from the head of the inventory branch."""
        ...

    def breaches(self, schema: JsonObject, values: JsonObject, *, partial: bool = False) -> tuple[Breach, ...]:
        """How values break an author's JSON Schema; `partial`: there are more of them, not known yet."""
        ...

    def workflows(self) -> Collection[str]:
        """The paths of all workflows there are, good or not, for suggestions."""
        ...

    def unusable(self, path: str) -> bool:
        """Whether the target or workflow of this path is there, but an error in a file keeps it from being used."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A library held in plain values: `releases` by path in ascending order, `drafts` for what is not published."""

    inventory: Inventory
    releases: Mapping[str, tuple[PinnedWorkflow, ...]] = field(default_factory=dict)
    definitions: Mapping[PinnedWorkflow, WorkflowDefinition] = field(default_factory=dict)
    drafts: Mapping[str, WorkflowDefinition] = field(default_factory=dict)
    templates: Mapping[tuple[str, str], Template] = field(default_factory=dict)
    broken: Collection[str] = ()
    contents: Contents = field(default_factory=Contents, compare=False)

    def pinned(self, path: str, version: str | None) -> PinnedWorkflow | None:
        """The release with exactly this version text, or the last one; a draft where nothing is published."""
        for release in reversed(self.releases.get(path, ())):
            if version is None or release.version == version:
                return release
        if path in self.drafts:
            return PinnedWorkflow(path=path, version="", commit="")
        return None

    def definition(self, pinned: PinnedWorkflow) -> WorkflowDefinition | None:
        """What a pinned workflow says."""
        return self.drafts.get(pinned.path) if not pinned.version else self.definitions.get(pinned)

    def template(self, path: str, version: str) -> Template | None:
        """A template as it was at a tag or commit."""
        return self.templates.get((path, version))

    def policy(self, project: str) -> Policy:
        """The project's policy in the inventory."""
        found = self.inventory.projects.get(project)
        return found.policy if found else Policy()

    def breaches(self, schema: JsonObject, values: JsonObject, *, partial: bool = False) -> tuple[Breach, ...]:  # noqa: ARG002 - as it says
        """None: a shelf knows no JSON Schema."""
        return ()

    def workflows(self) -> Collection[str]:
        """The paths of all workflows on the shelf."""
        return {*self.releases, *self.drafts}

    def unusable(self, path: str) -> bool:
        """Whether the path is one of those that are broken."""
        return path in self.broken
