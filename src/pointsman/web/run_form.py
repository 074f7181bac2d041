"""The form that starts a run, and the plan before it starts."""

from collections.abc import Iterable, Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pointsman.intake.catalog import WorkflowEntry
from pointsman.intake.reading import PlanQuestion
from pointsman.intake.start import Wish
from pointsman.intake.verdict import WorkflowVerdict
from pointsman.model.plan import Plan
from pointsman.model.problem import Invalid, Problem, Refused
from pointsman.web.bodies import BadRequestError
from pointsman.web.catalogue import FieldView, RunForm, field_views, problem_views
from pointsman.web.forms import form_of, text_of
from pointsman.web.pages import Visit
from pointsman.web.present import plan_tree
from pointsman.web.workflow_pages import entries_for, workflow_line


async def new_run(request: Request) -> Response:
    """The form that starts a run, and the plan before it starts."""
    visit = Visit.of(request)
    if request.method == "POST":
        return await _posted(visit)
    path = request.query_params.get("workflow", "")
    if not path:
        lines = [workflow_line(visit, entry) for entry in entries_for(visit)]
        return visit.page("run_new.html", form=None, workflows=[x for x in lines if x.latest and x.may_run])
    return await _form_page(visit, path, {}, show=True)


async def _posted(visit: Visit) -> Response:
    form = await form_of(visit.request)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    path = text_of(form, "workflow")
    if text_of(form, "do") != "run":
        return await _form_page(visit, path, fields, show=True)
    try:
        entry = visit.office.starter.entry(visit.actor, path)
        wish = Wish(
            workflow=entry.path,
            version=text_of(form, "version") or None,
            texts=_texts(fields),
            metadata={name: value for name, _, value in _pairs(text_of(form, "metadata"))},
            digest=text_of(form, "digest"),
        )
        header = await visit.office.starter.start(visit.actor, wish, now=visit.now)
    except Invalid as error:
        return await _form_page(visit, path, fields, show=False, problems=error.problems, status=422)
    except Refused as error:
        if error.status != 409 or "plan" not in error.says:
            raise
        return await _form_page(visit, path, fields, show=True, status=409)
    return RedirectResponse(f"/runs/{header.number}", 303)


async def _form_page(
    visit: Visit,
    path: str,
    fields: Mapping[str, str],
    *,
    show: bool,
    problems: Iterable[Problem] = (),
    status: int = 200,
) -> Response:
    entry = visit.office.starter.entry(visit.actor, path)
    runnable = [version for version in reversed(entry.versions) if version.valid]
    if not runnable:
        raise Refused(f"{entry.path} has no valid version", hint="publish one: push a tag")
    version = fields.get("version") or entry.latest or runnable[0].shown
    chosen = next((found for found in runnable if found.shown == version), runnable[0])
    plan: Plan | None = None
    if show:
        plan, problems = await _planned(visit, entry, chosen.shown, fields)
    facts = chosen.facts
    typed = {name.removeprefix("var."): value for name, value in fields.items() if name.startswith("var.")}
    form = RunForm(
        path=entry.path,
        name=(facts.name if facts else "") or entry.path.rsplit("/", 1)[1],
        versions=tuple(found.shown for found in runnable),
        version=chosen.shown,
        fields=_fields(facts, typed),
        overrides=fields.get("overrides", ""),
        metadata=fields.get("metadata", ""),
        digest=plan.digest if plan else "",
        inventory=plan.inventory_commit if plan else "",
    )
    tree = plan_tree(plan, now=visit.now) if plan else None
    # on the first look, what has no value yet is not a mistake
    told = problem_views(problems) if fields else ()
    return visit.page("run_new.html", status, form=form, workflows=[], problems=told, tree=tree)


def _fields(facts: WorkflowVerdict | None, typed: Mapping[str, str]) -> tuple[FieldView, ...]:
    if facts is None:
        return ()
    return field_views(facts.variables, facts.inputs, typed=typed, defaults=facts.defaults)


async def _planned(
    visit: Visit, entry: WorkflowEntry, version: str, fields: Mapping[str, str]
) -> tuple[Plan | None, tuple[Problem, ...]]:
    question = PlanQuestion(
        workflow=entry.path,
        inventory=visit.office.catalog.head,
        version=version,
        texts=_texts(fields),
    )
    try:
        planned = await visit.office.readers.plan(question)
    except Invalid as error:
        return None, error.problems
    return planned.plan, planned.problems


def _pairs(text: str) -> list[tuple[str, str, str]]:
    """`name=value` lines."""
    pairs = [line.strip().partition("=") for line in text.splitlines() if line.strip()]
    for name, equals, _ in pairs:
        if not equals or not name.strip():
            raise BadRequestError(f"{name!r} is no name=value")
    return [(name.strip(), equals, value.strip()) for name, equals, value in pairs]


def _texts(fields: Mapping[str, str]) -> dict[str, str]:
    """The run's overrides as texts: the variables' fields, then the free lines; what they mean, the inputs say."""
    given = {name.removeprefix("var."): value for name, value in fields.items() if name.startswith("var.") and value}
    return {**given, **{name: value for name, _, value in _pairs(fields.get("overrides", ""))}}
