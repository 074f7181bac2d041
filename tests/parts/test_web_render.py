"""The templates, rendered for real: whole without a script, strict, inert to hostile content, and quick."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError

import pointsman.web
from fakes.trees import flat, tree
from fakes.worlds import World
from pointsman.model.definition import RunAs
from pointsman.model.plan import Plan
from pointsman.model.problem import Code, Place, Problem
from pointsman.model.run import RunState, StepState
from pointsman.store.events import Entry
from pointsman.store.runs import RunHeader
from pointsman.web.catalogue import (
    DraftLine,
    FieldView,
    RefView,
    RunForm,
    VersionLine,
    WorkflowLine,
    WorkflowView,
    problem_views,
    source_lines,
)
from pointsman.web.gate_views import gate_card, gate_view
from pointsman.web.log import NO_LOG, LogView, log_view
from pointsman.web.present import Filters, chosen_place, detail_view, plan_tree, run_line, run_view
from pointsman.web.railway import Line, moment
from pointsman.web.records import record
from pointsman.web.render import ENVIRONMENT, Flash, Frame, fragments, render

NOON = 1_782_475_200.0
PATH = "/projects/p/workflows/w"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
FRAME = Frame(me="olive", csrf="the-token", inbox=1, now=NOON, flash=Flash("Done."))
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "path", "circle", "rect", "use"}


class Page(HTMLParser):
    """A page taken apart; building it fails if its elements are not properly nested."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag, f"{tag} closes something else"

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def one(self, key: str, value: str) -> dict[str, str]:
        """The attributes of the one element that has this attribute."""
        (found,) = [attributes for _, attributes in self.elements if attributes.get(key) == value]
        return found


def header(world: World, **changes: object) -> RunHeader:
    """The header that the store would have of a world's run."""
    known = RunHeader(
        number=12, id="01J", project="p", workflow=PATH, version="1", plan_digest=world.plan.digest,
        state=RunState(world.state), attempt=1, seq=world.run.seq, started_by="olive", created_at=NOON,
        started_at=NOON, finished_at=None, metadata={"ticket": HOSTILE},
    )  # fmt: skip
    return replace(known, **changes)  # type: ignore[arg-type]  # each test knows the fields


def run_page(world: World, *, key: str | None = None, log: LogView = NO_LOG, may_run: bool = True) -> str:
    """The page of a world's run, as the person who may decide its gates sees it."""
    place = chosen_place(world.plan, world.run.rows, key)
    shown = header(world)
    keys = [step.key for step in world.plan.steps if step.gate]
    said = Entry(
        id=1, run=12, seq=1, at=NOON, type="gate_decided", actor=HOSTILE, step="1", cause=None, project="p",
        body={"decision": "continue", "message": HOSTILE},
    )  # fmt: skip
    return render(
        "run.html",
        frame=FRAME,
        run=run_view(shown, world.plan, world.run.rows, now=NOON, chosen=place, may_decide=keys, may_run=may_run),
        detail=detail_view(shown, world.plan, world.run.rows, place, now=NOON, log=log),
        record=record([said], world.plan, now=NOON),
        more_record=True,
    )


def gate_page(world: World, name: str, *, template: str = "gate.html", me: str = "ann", barred: str = "") -> str:
    """The page of a world's gate."""
    place = world.place(name)
    view = gate_view(header(world), world.plan, world.run.rows, place, now=NOON, me=me, barred=barred)
    return render(template, frame=FRAME, gate=view)


def every_page() -> dict[str, str]:
    """Every full page, with something in each of its places and hostile text wherever people write."""
    world = World("seq(a, gate, par:P(b, approval[users=ann]))", at=NOON)
    world.succeeds("a")
    card = gate_card(header(world), world.plan, world.run.rows, world.place("gate"), now=NOON)
    version = VersionLine(
        version="1", tag="v1", commit="c" * 40, state="valid", published=moment(NOON, now=NOON), is_latest=True
    )
    bad = VersionLine(version="2", tag="v2", commit="c" * 40, state="conflict", note=HOSTILE)
    draft = DraftLine(branch=HOSTILE, commit="c" * 40, state="invalid", problems=2)
    line = WorkflowLine(path=PATH, name=HOSTILE, description=HOSTILE, latest=version, bad=(bad,), drafts=(draft,))
    problems = problem_views(
        [Problem(place=Place("w.yaml", 1, 2), code=Code.UNKNOWN_KEY, says=HOSTILE, hint=HOSTILE)], file="w.yaml"
    )
    shown = RefView(
        label=HOSTILE, ref="v1", state="valid", commit="c" * 40, file="w.yaml", version="1", problems=problems,
        source=source_lines(HOSTILE, problems),
    )  # fmt: skip
    view = WorkflowView(
        path=PATH, name=HOSTILE, description=HOSTILE, versions=(bad, version), drafts=(draft,), alarms=(HOSTILE,)
    )
    field = FieldView(name=HOSTILE, value=HOSTILE, title=HOSTILE, hint=HOSTILE, options=(HOSTILE, "b"), error=HOSTILE)
    free = FieldView(name="n", value=HOSTILE, required=True, hint=HOSTILE)
    form = RunForm(
        path=PATH, name=HOSTILE, versions=("1",), version="1", fields=(field, free), overrides=f"\n{HOSTILE}",
        metadata=HOSTILE, digest="d" * 64, inventory="e" * 40,
    )  # fmt: skip
    steps = plan_tree(world.plan, now=NOON)
    log = log_view(f"{HOSTILE}\n\x1b[31m{HOSTILE}\x1b[0m\n".encode(), b"", ended=True)
    return {
        "runs": render(
            "runs.html", frame=FRAME, gates=[card],
            runs=[run_line(header(world), now=NOON, name=HOSTILE, blockers=(1,))],
            filters=Filters(state="failed", workflow=PATH, started_by=HOSTILE), states=["failed"], workflows=[PATH],
            next_href="/?cursor=1",
        ),
        "no runs": render(
            "runs.html", frame=FRAME, gates=[], runs=[], filters=Filters(), states=[], workflows=[], next_href=""
        ),
        "inbox": render("inbox.html", frame=FRAME, gates=[card]),
        "empty inbox": render("inbox.html", frame=FRAME, gates=[]),
        "run": run_page(world, key="1", log=log),
        "gate": gate_page(world, "gate"),
        "workflows": render(
            "workflows.html", frame=FRAME, projects=[("p", [line])], unusable=dict.fromkeys([HOSTILE, "x"], HOSTILE)
        ),
        "no workflows": render("workflows.html", frame=FRAME, projects=[], unusable={}),
        "workflow": render("workflow.html", frame=FRAME, workflow=view, shown=shown, tree=steps),
        "empty workflow": render(
            "workflow.html", frame=FRAME, workflow=WorkflowView(path=PATH, name="w"), shown=None, tree=None
        ),
        "form": render("run_new.html", frame=FRAME, form=form, tree=steps, problems=(), workflows=()),
        "form with problems": render("run_new.html", frame=FRAME, form=form, tree=(), problems=problems, workflows=()),
        "choice": render("run_new.html", frame=FRAME, form=None, tree=(), problems=(), workflows=[line]),
        "login": render("login.html", frame=Frame(csrf="the-token"), next=HOSTILE, user=HOSTILE, error=HOSTILE),
        "error": render("error.html", frame=Frame(), status=404, sentence=HOSTILE, hint=HOSTILE),
    }  # fmt: skip


PAGES = every_page()


@pytest.fixture(params=sorted(PAGES))
def page(request: pytest.FixtureRequest) -> Page:
    """Each page in turn."""
    return Page(PAGES[request.param])


def test_every_page_has_one_heading_one_main_part_and_a_title(page: Page) -> None:
    assert [len(page.all(tag)) for tag in ("h1", "main", "title")] == [1, 1, 1]
    assert {"href": "#main", "class": "skip"}.items() <= page.one("class", "skip").items()


def test_no_page_holds_anything_that_the_content_security_policy_refuses(page: Page) -> None:
    assert page.all("script") == [{"src": "/static/app.js", "defer": ""}]
    assert not page.all("style")
    for _, attributes in page.elements:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
    assert {image["src"] for image in page.all("img")} == {"/static/icon.svg"}


def test_every_form_that_posts_carries_the_token_and_every_other_does_not() -> None:
    for name, html in PAGES.items():
        for opening, body in re.findall(r"(<form[^>]*>)(.*?)</form>", html, re.DOTALL):
            posts = 'method="post"' in opening
            assert ('name="csrf" value="the-token"' in body) is posts, f"{name}: {opening}"


def test_ids_are_unique_and_labels_belong_to_fields(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {label["for"] for label in page.all("label") if "for" in label} <= set(ids)
    signs = {use["href"].removeprefix("#") for use in page.all("use")}
    assert signs <= set(ids)


def test_hostile_text_is_shown_and_does_nothing() -> None:
    for name in ("runs", "run", "workflows", "workflow", "form", "form with problems", "login", "error"):
        assert "<script>alert" not in PAGES[name]
        assert "<img src=x" not in PAGES[name]
    assert HOSTILE in Page(PAGES["error"]).text


def test_a_hostile_log_stays_text_also_in_colour() -> None:
    shown = Page(PAGES["run"])
    assert [item["class"] for item in shown.all("i")] == ["f1"]
    assert shown.text.count(HOSTILE) >= 4


def test_a_field_keeps_a_first_line_that_is_empty() -> None:
    # a browser drops the first line end in a textarea
    assert '<textarea id="overrides" name="overrides" rows="3" spellcheck="false">\n\n&lt;script' in PAGES["form"]


def test_a_value_that_a_page_misses_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("inbox.html", frame=FRAME)


def test_every_template_can_be_read() -> None:
    names = ENVIRONMENT.list_templates()
    assert {"page.html", "run.html", "_row.html", "_live.html"} <= set(names)
    for name in names:
        ENVIRONMENT.get_template(name)


def test_the_run_page_shows_the_tree_and_marks_the_chosen_step() -> None:
    world = World("seq(a, par:P(b, c), gate)", at=NOON)
    world.succeeds("a", "b", "c")
    shown = Page(run_page(world, key="2.1"))
    rows = [attributes for _, attributes in shown.elements if attributes.get("class") == "row"]
    assert [(row["id"], row["data-state"]) for row in rows] == [
        ("row-1", "succeeded"), ("row-2", "succeeded"), ("row-2.1", "succeeded"), ("row-2.2", "succeeded"),
        ("row-3", "waiting"),
    ]  # fmt: skip
    assert [row["id"] for row in rows if "aria-current" in row] == ["row-2.1"]
    assert shown.one("id", "gate-3")["href"] == "/runs/12/gate/3"
    assert shown.one("id", "detail")["data-live"].startswith("/runs/12/live?after=")


def test_who_may_not_run_gets_no_button_to_cancel() -> None:
    world = World("seq(a)", at=NOON)
    assert 'action="/runs/12/cancel"' in run_page(world)
    assert 'action="/runs/12/cancel"' not in run_page(world, may_run=False)


def test_a_gates_form_sends_decision_opening_digest_and_token() -> None:
    """R79"""
    world = World("seq(approval[users=ann], a)", at=NOON)
    shown = Page(gate_page(world, "approval"))
    assert {"method": "post", "action": "/runs/12/gate/1"}.items() <= shown.one("action", "/runs/12/gate/1").items()
    assert shown.one("name", "opening")["value"] == "1"
    assert shown.one("name", "digest")["value"] == world.plan.digest
    choices = [button["value"] for button in shown.all("button") if button.get("name") == "decision"]
    assert choices == ["reject", "approve"]


def test_a_wait_offers_continue_and_an_approval_approve() -> None:
    """R72"""
    world = World("seq(gate, a)", at=NOON)
    assert 'name="decision" value="continue"' in gate_page(world, "gate")
    assert 'value="approve"' not in gate_page(world, "gate")


def test_who_may_not_decide_reads_why_and_finds_no_buttons() -> None:
    """R72"""
    world = World("seq(approval[users=ann], a)", at=NOON)
    html = gate_page(world, "approval", barred="bob is not listed")
    assert "bob is not listed" in html
    assert 'name="decision"' not in html


def test_a_gate_that_was_decided_says_so_and_has_no_buttons() -> None:
    """R80"""
    world = World("seq(gate, a)", at=NOON)
    world.decides("gate", "continue", by="bob")
    html = gate_page(world, "gate")
    assert "it was decided" in html
    assert "<b>bob</b>" in html
    assert 'name="decision"' not in html


def test_who_approved_already_is_not_offered_it_again() -> None:
    """R71"""
    world = World("seq(approval[users=ann+bob, min=2], a)", at=NOON)
    world.decides("approval", "approve", by="ann")
    assert 'value="approve"' not in gate_page(world, "approval", me="ann")
    assert 'value="approve"' in gate_page(world, "approval", me="bob")


def test_the_dialog_is_the_gates_page_without_the_rest() -> None:
    world = World("seq(gate, a)", at=NOON)
    fragment = Page(gate_page(world, "gate", template="_gate.html"))
    assert [len(fragment.all(tag)) for tag in ("html", "h1", "h2", "form")] == [0, 0, 1, 1]


def test_the_stream_sends_the_same_rows_that_the_page_holds() -> None:
    world = World("seq(a, gate)", at=NOON)
    world.succeeds("a")
    line = Line(plan=world.plan, rows=world.run.rows, now=NOON, run=12, chosen=1, may_decide=("2",))
    sent = fragments(rows=line.rows_at([0, 1, 2]))
    pieces = re.findall(r'<template data-into="(row-\d)">\s*(.*?)</template>', sent, re.DOTALL)
    assert [name for name, _ in pieces] == ["row-1", "row-2"]
    whole = run_page(world, key="1")
    assert all(piece.strip() in whole for _, piece in pieces)


def test_the_stream_sends_only_what_there_is() -> None:
    assert "<template" not in fragments()
    log = log_view(b"<b>one</b>\n", b"", ended=True)
    sent = fragments(lines=log.lines)
    assert sent.count("<template") == 1
    assert 'data-into="log" data-how="append"' in sent
    assert "&lt;b&gt;one" in sent


def test_every_state_can_be_shown() -> None:
    world = World("seq(a)", at=NOON)
    for state in StepState:
        rows = {1: replace(world.row("a"), state=state, started_at=NOON, finished_at=NOON)}
        sent = fragments(rows=Line(plan=world.plan, rows=rows, now=NOON, run=12).rows_at([1]))
        assert f'data-state="{state.value}"' in sent
        assert f'id="s-{state.value}"' in PAGES["run"]


def deep(levels: int) -> Plan:
    """A change below so many stages."""
    notation = "a"
    for level in range(levels):
        notation = f"seq:L{level}({notation})"
    return tree(f"seq({notation})")


def test_a_tree_of_32_levels_is_drawn() -> None:
    """R45"""
    assert run_page(World(deep(31))).count('<ol class="seq">') == 32


def test_five_thousand_steps_are_drawn() -> None:
    world = World(flat(5_000, RunAs.SEQUENTIAL), at=NOON)
    assert run_page(world).count('class="row"') == 5_000


def test_the_script_and_the_style_sheet_ask_nobody_else() -> None:
    folder = Path(pointsman.web.__file__).parent / "static"
    for file in ("app.js", "style.css", "icon.svg"):
        text = (folder / file).read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"https?:|\beval\b|new Function|@import", text)
