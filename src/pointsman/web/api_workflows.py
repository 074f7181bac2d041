"""The API about what there is to run: workflows, verdicts, plans, targets."""

from dataclasses import replace

from starlette.responses import Response

from pointsman.intake.reading import PlanQuestion
from pointsman.intake.verdict import Verdict
from pointsman.model.names import is_code, project_of, same_name, workflow_path
from pointsman.model.problem import Invalid, NotFound, Refused, has_errors
from pointsman.web.bodies import (
    BadRequestError,
    PlanBody,
    ValidateBody,
    body_of,
    cursor_of,
    limit_of,
    version_text,
)
from pointsman.web.calls import Ask, Call, answered
from pointsman.web.errors import problem_json
from pointsman.web.shapes import page_of, plan_shape, workflow_shape

LARGEST_SOURCE = 256 * 1024


async def list_workflows(ask: Ask) -> Response:
    """Every workflow that the asker may view, by its path."""
    visible = set(ask.office.projects(ask.actor))
    entries = [entry for entry in ask.office.catalog.workflows.values() if entry.project in visible]
    start, limit = cursor_of(ask.request) or 0, limit_of(ask.request)
    items = [workflow_shape(entry) for entry in entries[start : start + limit + 1]]
    return answered(page_of(items, limit, lambda _: start + limit))


async def validate(ask: Ask) -> Response:
    """What is thought of a ref, or of a source."""
    body = await body_of(ask.request, ValidateBody)
    office = ask.office
    if body.ref is not None:
        verdict = await office.readers.verdict(await office.readers.resolve(body.ref))
        visible = set(office.projects(ask.actor))
        hidden = [path for path in verdict.workflows if project_of(path) not in visible]
        files = {verdict.workflows[path].file for path in hidden}
        problems = tuple(problem for problem in verdict.problems if problem.place.path not in files)
        seen = {path: facts for path, facts in verdict.workflows.items() if path not in hidden}
        verdict = Verdict(
            others=problems, workflows={path: replace(facts, problems=()) for path, facts in seen.items()}
        )
    else:
        project, workflow, source = _draft(ask, body.project, body.workflow, body.source)
        verdict = await office.readers.source_verdict(project, workflow, source, base=_head(ask))
    variables = dict.fromkeys(name for facts in verdict.workflows.values() for name in facts.variables)
    return answered(
        {
            "valid": not has_errors(verdict.problems),
            "problems": [problem_json(problem) for problem in verdict.problems],
            "variables": list(variables),
        }
    )


async def make_plan(ask: Ask) -> Response:
    """A plan that nothing will run."""
    body = await body_of(ask.request, PlanBody)
    planned = await ask.office.starter.planned(ask.actor, await _question(ask, body))
    if planned.plan is None:
        raise Invalid("this cannot be planned", planned.problems)
    shape = plan_shape(planned.plan)
    return answered({**shape, "problems": [problem_json(problem) for problem in planned.problems]})


async def _question(ask: Ask, body: PlanBody) -> PlanQuestion:
    readers = ask.office.readers
    if body.source is not None:
        project, workflow, source = _draft(ask, body.project, body.workflow, body.source)
        return PlanQuestion(
            workflow=workflow_path(project, workflow),
            inventory=_head(ask),
            source=source,
            properties=body.properties,
            texts=body.set,
        )
    if body.workflow is None:
        raise BadRequestError("name a workflow, or send a project and a source")
    entry = ask.office.starter.entry(ask.actor, body.workflow)
    if body.ref is not None:
        commit = await readers.resolve(body.ref)
        return PlanQuestion(
            workflow=entry.path, inventory=_head(ask), draft=commit, properties=body.properties, texts=body.set
        )
    return PlanQuestion(
        workflow=entry.path,
        inventory=_head(ask),
        version=version_text(body.version),
        properties=body.properties,
        texts=body.set,
    )


def _draft(ask: Ask, project: str | None, workflow: str | None, source: str | None) -> tuple[str, str, str]:
    if project is None or source is None:
        raise BadRequestError("send a ref, or a project and a source")
    ask.office.check_view(ask.actor, project, f"project {project}")
    code = workflow.rsplit("/", 1)[-1] if workflow else "draft"
    if not is_code(project) or not is_code(code):
        raise BadRequestError("project and workflow are codes: lower-case letters, digits, '-' and '_'")
    if len(source.encode("utf-8", "surrogatepass")) > LARGEST_SOURCE:
        raise BadRequestError("the source is larger than 256 KiB", status=413)
    return project, code, source


def _head(ask: Ask) -> str:
    head = ask.office.catalog.head
    if not head:
        raise Refused(f"there is no inventory: {ask.office.catalog.head_trouble}", hint="push the inventory branch")
    return head


async def list_targets(ask: Ask) -> Response:
    """Every target that the asker may view, with its actions."""
    visible = set(ask.office.projects(ask.actor))
    targets = [target for target in ask.office.catalog.targets if project_of(target["path"]) in visible]
    start, limit = cursor_of(ask.request) or 0, limit_of(ask.request)
    return answered(
        page_of([dict(target) for target in targets[start : start + limit + 1]], limit, lambda _: start + limit)
    )


async def list_approvers(ask: Ask) -> Response:
    """Local users whose name holds the query, for completion."""
    query = ask.request.query_params.get("query", "").casefold()
    names = [name for name in ask.office.accounts.rows.users() if query in name.casefold()]
    return answered({"items": [{"kind": "user", "name": name} for name in names[:50]], "next_cursor": None})


async def who_am_i(ask: Ask) -> Response:
    """Who the daemon takes the asker for."""
    own = [name for name in ask.office.accounts.rows.users() if same_name(name, ask.actor.name)]
    return answered({"name": ask.actor.name, "source": ask.actor.source, "local": bool(own)})


async def one_workflow(ask: Ask) -> Response:
    """One workflow with its versions and drafts."""
    path = workflow_path(ask.path("project"), ask.path("workflow"))
    visible = set(ask.office.projects(ask.actor))
    entry = ask.office.catalog.workflows.get(path)
    if entry is None or entry.project not in visible:
        raise NotFound(f"there is no workflow {path}")
    return answered(workflow_shape(entry))


CALLS = (
    Call(method="GET", path="/workflows", answer=list_workflows, says=list_workflows.__doc__ or ""),
    Call(method="GET", path="/workflows/{project}/{workflow}", answer=one_workflow, says=one_workflow.__doc__ or ""),
    Call(method="POST", path="/validate", answer=validate, says=validate.__doc__ or "", body=ValidateBody),
    Call(method="POST", path="/plan", answer=make_plan, says=make_plan.__doc__ or "", body=PlanBody),
    Call(method="GET", path="/targets", answer=list_targets, says=list_targets.__doc__ or ""),
    Call(
        method="GET", path="/approvers", answer=list_approvers, says=list_approvers.__doc__ or "", parameters=("query",)
    ),
    Call(method="GET", path="/whoami", answer=who_am_i, says=who_am_i.__doc__ or ""),
)
