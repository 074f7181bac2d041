"""A planner's library over the objects of a Git repository: everything pinned to commits, read once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pointsman.intake.definitions import Definitions
from pointsman.intake.published import Published
from pointsman.load.assemble import Loaded
from pointsman.load.schemas import breaches
from pointsman.model.breach import Breach
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.inventory import Inventory, Policy, Template
from pointsman.model.names import project_of
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Invalid
from pointsman.model.values import JsonObject, digest
from pointsman.plan.contents import Contents


@dataclass(slots=True)
class Asked:
    """What was looked up for one workflow beyond its own file and the inventory, and what the answers were.

    `names` stands for the paths of all workflows, empty if nobody asked for them.
    """

    pinned: dict[tuple[str, str | None], str] = field(default_factory=dict)
    templates: dict[tuple[str, str], str] = field(default_factory=dict)
    unusable: dict[str, bool] = field(default_factory=dict)
    names: str = ""

    def taken(self) -> "Asked":
        """What was asked until now; from here on it begins again."""
        found = Asked(self.pinned, self.templates, self.unusable, self.names)
        self.pinned, self.templates, self.unusable, self.names = {}, {}, {}, ""
        return found


@dataclass(frozen=True, kw_only=True)
class GitLibrary:
    """Answers for one plan. `drafts`: workflows may be taken from the tree being judged (R24)."""

    definitions: Definitions
    loaded: Loaded
    published: Published
    policies: Mapping[str, Policy]
    drafts: bool = False
    pins: Mapping[str, PinnedWorkflow] = field(default_factory=dict)
    asked: Asked | None = None
    contents: Contents = field(default_factory=Contents)
    _read: dict[PinnedWorkflow, WorkflowDefinition | None] = field(default_factory=dict, init=False)
    _templates: dict[tuple[str, str], Template | None] = field(default_factory=dict, init=False)

    @property
    def inventory(self) -> Inventory:
        """The targets at the one inventory commit."""
        return self.loaded.inventory

    def pinned(self, path: str, version: str | None) -> PinnedWorkflow | None:
        """The published workflow at this version, or the latest; else the draft in the tree being judged."""
        found = self.published.find(path, version)
        if found is None and self.drafts and path in self.loaded.workflows:
            found = PinnedWorkflow(path=path, version="", commit=self.loaded.inventory.commit)
        if self.asked is not None:
            self.asked.pinned[path, version] = self.identity(found)
        return found

    def identity(self, pinned: PinnedWorkflow | None) -> str:
        """What tells one content of a pinned workflow from another; empty for none."""
        if pinned is None:
            return ""
        here = not pinned.version or self._is_judged(pinned)
        return f"{pinned.version} {self.loaded.blobs.get(pinned.path, '') if here else pinned.commit}"

    def _is_judged(self, pinned: PinnedWorkflow) -> bool:
        return pinned.commit == self.loaded.inventory.commit and self.pins.get(pinned.path) == pinned

    def definition(self, pinned: PinnedWorkflow) -> WorkflowDefinition | None:
        """What a pinned workflow says, from the commit it is pinned to."""
        if not pinned.version or self._is_judged(pinned):
            return self.loaded.workflows.get(pinned.path)
        if pinned not in self._read:
            self._read[pinned] = self._published(pinned)
        return self._read[pinned]

    def _published(self, pinned: PinnedWorkflow) -> WorkflowDefinition | None:
        try:
            return self.definitions.at(pinned.commit).workflows.get(pinned.path)
        except Invalid:  # its objects are damaged: that version cannot be called, all else can
            return None

    def template(self, path: str, version: str) -> Template | None:
        """A template as it was at a tag or commit."""
        if (path, version) not in self._templates:
            self._templates[path, version] = self.definitions.template(path, version)
        if self.asked is not None:
            self.asked.templates[path, version] = self.tree_of(path, version)
        return self._templates[path, version]

    def tree_of(self, path: str, version: str) -> str:
        """What tells one content of a template from another; empty if there is none."""
        found = self._templates[path, version] if (path, version) in self._templates else self.template(path, version)
        return found.tree if found else ""

    def policy(self, project: str) -> Policy:
        """The project's policy, from the head of the inventory branch."""
        return self.policies.get(project, Policy())

    def breaches(self, schema: JsonObject, values: JsonObject, *, partial: bool = False) -> tuple[Breach, ...]:
        """How values break an author's JSON Schema."""
        return breaches(schema, values, partial=partial)

    def project_properties(self, path: str) -> JsonObject:
        """The properties of the project that a workflow or target belongs to."""
        project = self.inventory.projects.get(project_of(path))
        return project.properties if project else {}

    def workflows(self) -> Collection[str]:
        """Every workflow there is a version or a draft of, good or not: to know which would mean to read them all."""
        if self.asked is not None:
            self.asked.names = self.names
        return self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset((*self.published.paths(), *(self.loaded.files if self.drafts else ())))

    @cached_property
    def names(self) -> str:
        """What tells one set of workflows from another."""
        return digest([*sorted(self._names)])

    def unusable(self, path: str) -> bool:
        """Whether the file of a target or workflow, or one above it, has an error in the tree that is planned in."""
        root = self.definitions.root.strip("/")
        place = f"{root}{path}" if root else path.lstrip("/")
        files = (f"{place}.yaml", f"{place}/environment.yaml", f"{place}/project.yaml")
        found = any(file in self.loaded.unusable for file in files) or self.loaded.is_broken(path)
        if self.asked is not None:
            self.asked.unusable[path] = found
        return found


def policies(loaded: Loaded) -> dict[str, Policy]:
    """Every project's policy; `load` gives one that cannot be read a policy under which nobody may run anything."""
    return {code: project.policy for code, project in loaded.inventory.projects.items()}
