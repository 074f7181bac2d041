"""The pages about what there is to run: all workflows, and one with its versions and drafts."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pointsman.intake.alarms import alarm_words
from pointsman.intake.catalog import DraftEntry, VersionEntry, WorkflowEntry
from pointsman.intake.reading import PlanQuestion
from pointsman.model.names import workflow_path
from pointsman.model.plan import Plan
from pointsman.model.problem import NotFound, PointsmanError
from pointsman.web.catalogue import (
    DraftLine,
    RefView,
    VersionLine,
    WorkflowLine,
    WorkflowView,
    errors_in,
    problem_views,
    source_lines,
)
from pointsman.web.pages import Visit
from pointsman.web.present import plan_tree
from pointsman.web.railway import moment
from pointsman.web.starts import starts


def entries_for(visit: Visit) -> list[WorkflowEntry]:
    """The workflows that the visitor may view."""
    visible = set(visit.office.projects(visit.actor))
    return [entry for entry in visit.office.catalog.workflows.values() if entry.project in visible]


def _version_line(visit: Visit, entry: WorkflowEntry, version: VersionEntry) -> VersionLine:
    alarm = alarm_words(visit.office.catalog.troubles.get(version.tag, ""), entry.path)
    state = "invalid" if not version.valid else "conflict" if alarm else "valid"
    return VersionLine(
        version=version.shown,
        tag=version.tag,
        commit=version.commit,
        state=state,
        note=alarm,
        published=None if version.published_at is None else moment(version.published_at, now=visit.now),
        is_latest=version.shown == entry.latest,
    )


def _draft_line(draft: DraftEntry) -> DraftLine:
    state = "valid" if draft.valid else "invalid"
    return DraftLine(branch=draft.branch, commit=draft.commit, state=state, problems=errors_in(draft.problems))


def workflow_line(visit: Visit, entry: WorkflowEntry) -> WorkflowLine:
    """One workflow in a list."""
    versions = [_version_line(visit, entry, version) for version in entry.versions]
    facts = entry.facts
    return WorkflowLine(
        path=entry.path,
        name=(facts.name if facts else "") or entry.path.rsplit("/", 1)[1],
        description=facts.description if facts else "",
        latest=next((version for version in versions if version.is_latest), None),
        bad=tuple(version for version in versions if version.state != "valid"),
        drafts=tuple(_draft_line(draft) for draft in entry.drafts),
        may_run=not visit.office.starter.refused(visit.actor, "run", entry.project),
    )


async def workflows(request: Request) -> Response:
    """All workflows, by project."""
    visit = Visit.of(request)
    lines = [workflow_line(visit, entry) for entry in entries_for(visit)]
    projects = sorted({line.project for line in lines})
    grouped = [(project, [line for line in lines if line.project == project]) for project in projects]
    everything = visit.office.catalog.project_codes() <= set(visit.office.projects(visit.actor))
    unusable = visit.office.catalog.unusable if everything else {}
    return visit.page("workflows.html", projects=grouped, unusable=unusable)


async def workflow(request: Request) -> Response:
    """One workflow: its versions and drafts, and one of them with its source and tree."""
    visit = Visit.of(request)
    path = workflow_path(request.path_params["project"], request.path_params["workflow"])
    entry = next((entry for entry in entries_for(visit) if entry.path == path), None)
    if entry is None:
        raise NotFound(f"there is no workflow {path}")
    line = workflow_line(visit, entry)
    alarms, tags = visit.office.catalog.troubles, {version.tag for version in entry.versions}
    view = WorkflowView(
        path=path,
        name=line.name,
        description=line.description,
        versions=tuple(_version_line(visit, entry, version) for version in reversed(entry.versions)),
        drafts=line.drafts,
        alarms=tuple(
            f"tag {tag}: {words}"
            for tag, found in alarms.items()
            if (tag in tags or path in found) and (words := alarm_words(found, path))
        ),
        starts=starts(visit, entry),
        may_run=line.may_run,
    )
    shown, tree = await _shown(visit, entry, request.query_params.get("ref"))
    return visit.page("workflow.html", workflow=view, shown=shown, tree=tree)


async def _shown(visit: Visit, entry: WorkflowEntry, ref: str | None) -> tuple[RefView | None, Any]:
    """The version or draft that is asked for, or the latest, with its source and its plan if it has one."""
    versions = {version.tag: version for version in entry.versions}
    drafts = {draft.branch: draft for draft in entry.drafts}
    latest = next((version for version in entry.versions if version.shown == entry.latest), None)
    chosen = versions.get(ref or "") or drafts.get(ref or "")
    chosen = chosen or latest or next(iter(drafts.values()), None) or next(iter(versions.values()), None)
    if chosen is None:
        return None, None
    is_version = isinstance(chosen, VersionEntry)
    facts = chosen.facts
    file = facts.file if facts else f"{entry.path.removeprefix('/')}.yaml"
    problems = problem_views(chosen.problems, file=file)
    try:
        text = await visit.office.readers.text(chosen.commit, file)
    except PointsmanError:
        text = ""
    plan = await _plan_of(visit, entry, chosen) if chosen.valid else None
    view = RefView(
        label=f"v{chosen.shown}" if isinstance(chosen, VersionEntry) else f"draft on {chosen.branch}",
        ref=chosen.tag if isinstance(chosen, VersionEntry) else chosen.branch,
        state="valid" if chosen.valid else "invalid",
        commit=chosen.commit,
        file=file,
        version=chosen.shown if isinstance(chosen, VersionEntry) and is_version else "",
        problems=problems,
        source=source_lines(text, problems),
    )
    return view, plan_tree(plan, now=visit.now) if plan else None


async def _plan_of(visit: Visit, entry: WorkflowEntry, chosen: VersionEntry | DraftEntry) -> Plan | None:
    head = visit.office.catalog.head
    if isinstance(chosen, VersionEntry):
        question = PlanQuestion(workflow=entry.path, inventory=head, version=chosen.shown)
    else:
        question = PlanQuestion(workflow=entry.path, inventory=head, draft=chosen.commit)
    try:
        return (await visit.office.readers.plan(question)).plan
    except PointsmanError:
        return None
