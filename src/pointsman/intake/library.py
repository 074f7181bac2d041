"""A planner's library over the objects of a Git repository: everything pinned to commits, read once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pointsman.intake.definitions import Definitions
from pointsman.intake.published import Published
from pointsman.load.assemble import Loaded
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.inventory import Inventory, Policy, Template
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Invalid


@dataclass(frozen=True, kw_only=True)
class GitLibrary:
    """Answers for one plan. `drafts` are the workflows that may be taken from the tree being judged (R24)."""

    definitions: Definitions
    loaded: Loaded
    published: Published
    policies: Mapping[str, Policy]
    drafts: Mapping[str, WorkflowDefinition] = field(default_factory=dict)
    judged: Mapping[PinnedWorkflow, WorkflowDefinition] = field(default_factory=dict)
    _read: dict[PinnedWorkflow, WorkflowDefinition | None] = field(default_factory=dict, init=False)
    _templates: dict[tuple[str, str], Template | None] = field(default_factory=dict, init=False)

    @property
    def inventory(self) -> Inventory:
        """The targets at the one inventory commit."""
        return self.loaded.inventory

    def pinned(self, path: str, version: str | None) -> PinnedWorkflow | None:
        """The published workflow at this version, or the latest; else the draft in the tree being judged."""
        found = self.published.find(path, version)
        if found is None and path in self.drafts:
            return PinnedWorkflow(path=path, version="", commit=self.loaded.inventory.commit)
        return found

    def definition(self, pinned: PinnedWorkflow) -> WorkflowDefinition | None:
        """What a pinned workflow says, from the commit it is pinned to."""
        if not pinned.version:
            return self.drafts.get(pinned.path)
        if pinned in self.judged:
            return self.judged[pinned]
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
        return self._templates[path, version]

    def policy(self, project: str) -> Policy:
        """The project's policy, from the head of the inventory branch."""
        return self.policies.get(project, Policy())

    def workflows(self) -> Iterable[str]:
        """Every workflow there is a version or a draft of."""
        return {*self.published.paths(), *self.drafts}

    def unusable(self, path: str) -> bool:
        """Whether the file of a target or workflow, or one above it, has an error in the tree that is planned in."""
        root = self.definitions.root.strip("/")
        place = f"{root}{path}" if root else path.lstrip("/")
        files = (f"{place}.yaml", f"{place}/environment.yaml", f"{place}/project.yaml")
        return any(file in self.loaded.broken for file in files)


def policies(loaded: Loaded) -> dict[str, Policy]:
    """Every project's policy; `load` gives one that cannot be read a policy under which nobody may run anything."""
    return {code: project.policy for code, project in loaded.inventory.projects.items()}
