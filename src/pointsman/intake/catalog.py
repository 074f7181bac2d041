"""What there is to run, as the last look at the refs found it: versions, drafts, policies and targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.intake.verdict import WorkflowVerdict
from pointsman.model.inventory import Policy
from pointsman.model.names import project_of
from pointsman.model.problem import Problem
from pointsman.model.wire import from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionEntry:
    """One version of a workflow: in the ledger (`valid`), or found at a tag and not fit to run."""

    version: str
    shown: str
    tag: str
    commit: str
    valid: bool
    published_at: float | None = None
    problems: tuple[Problem, ...] = ()
    facts: WorkflowVerdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftEntry:
    """A workflow on a branch."""

    branch: str
    commit: str
    valid: bool
    problems: tuple[Problem, ...] = ()
    facts: WorkflowVerdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowEntry:
    """All versions (in PEP 440 order) and drafts of one workflow; `latest` is the version as its tag wrote it."""

    path: str
    latest: str | None = None
    versions: tuple[VersionEntry, ...] = ()
    drafts: tuple[DraftEntry, ...] = ()

    @property
    def project(self) -> str:
        """The code of its project."""
        return project_of(self.path)

    @property
    def facts(self) -> WorkflowVerdict | None:
        """Name and description, from the latest version or else from a draft."""
        known = [entry.facts for entry in reversed(self.versions) if entry.valid]
        known += [entry.facts for entry in self.drafts]
        return next((facts for facts in known if facts is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """One look. `head` is the inventory commit, empty while the inventory branch does not exist.

    `troubles` are the alarms that stand, by tag; `unusable` says by full name why nothing is listed of a ref.
    """

    head: str = ""
    head_trouble: str = ""
    workflows: Mapping[str, WorkflowEntry] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    projects: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    targets: tuple[Mapping[str, Any], ...] = ()
    branches: Mapping[str, str] = field(default_factory=dict)
    troubles: Mapping[str, str] = field(default_factory=dict)
    unusable: Mapping[str, str] = field(default_factory=dict)

    def policy(self, project: str) -> Policy:
        """A project's policy at the head of the inventory branch."""
        return self.policies.get(project, Policy())

    def project_codes(self) -> set[str]:
        """Every project that has targets, or that a workflow belongs to."""
        return {*self.projects, *(entry.project for entry in self.workflows.values())}


def policies_from(inventory: Mapping[str, Any]) -> dict[str, Policy]:
    """The policies in a reader's answer."""
    return {code: from_json(Policy, facts["policy"] or {}) for code, facts in inventory["projects"].items()}
