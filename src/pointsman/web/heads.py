"""What identifies a run wherever it is shown: its workflow, version, commits and plan. Pure."""

from dataclasses import dataclass

from pointsman.model.names import workflow_codes
from pointsman.model.plan import Plan
from pointsman.store.runs import RunHeader

SHORT_COMMIT = 7
SHORT_DIGEST = 12


@dataclass(frozen=True, slots=True)
class Hash:
    """A commit or digest: how it is shown, and all of it."""

    short: str
    full: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHead:
    """A run's identity. `workflow` is `project/workflow`; `version` is empty for a draft."""

    number: int
    id: str
    name: str
    href: str
    project: str
    workflow: str
    path: str
    workflow_href: str
    version: str
    tag: str
    commit: Hash
    inventory: Hash
    digest: Hash
    started_by: str


def run_head(header: RunHeader, plan: Plan) -> RunHead:
    """The identity of a run with this plan."""
    project, code = workflow_codes(header.workflow)
    return RunHead(
        number=header.number,
        id=header.id,
        name=plan.name or code,
        href=f"/runs/{header.number}",
        project=project,
        workflow=f"{project}/{code}",
        path=header.workflow,
        workflow_href=f"/workflows/{project}/{code}",
        version=header.version,
        tag=plan.tag,
        commit=commit_hash(plan.pinned[0].commit),
        inventory=commit_hash(plan.inventory_commit),
        digest=digest_hash(header.plan_digest),
        started_by=header.started_by,
    )


def commit_hash(commit: str) -> Hash:
    """A commit's id, shortened as Git does."""
    return Hash(commit[:SHORT_COMMIT], commit)


def digest_hash(digest: str) -> Hash:
    """A plan's digest, shortened."""
    return Hash(digest[:SHORT_DIGEST], digest)
