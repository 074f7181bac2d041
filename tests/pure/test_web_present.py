"""What the pages say, from values to values: rows, gates, what follows, logs, records and words."""

import json
from dataclasses import replace

import pytest

from fakes.trees import tree
from fakes.worlds import World
from pointsman.act.output import PAIR
from pointsman.model.plan import Plan
from pointsman.model.problem import Code, Place, Problem, Severity
from pointsman.model.run import RunState, StepState
from pointsman.store.events import Entry
from pointsman.store.runs import RunHeader
from pointsman.web.ansi import LONGEST_LINE, PLAIN, Span, harmless, spans
from pointsman.web.catalogue import field_views, problem_views, source_lines
from pointsman.web.consequences import cleaning_up, held_back, next_steps, work_below
from pointsman.web.facts import outputs_text, tally
from pointsman.web.gate_views import GateView, gate_card, gate_view
from pointsman.web.live import Mark, title_data
from pointsman.web.log import log_lines, log_view
from pointsman.web.present import (
    RunView,
    chosen_place,
    detail_view,
    plan_tree,
    run_line,
    run_view,
    shown_attempt,
)
from pointsman.web.railway import Line, RowView, changed_places
from pointsman.web.records import record
from pointsman.web.states import SIGNS, WORDS, icon, tab_title
from pointsman.web.words import ago, clock, counted, iso, listed, stamp, took

NOON = 1_782_475_200.0  # 2026-06-26 12:00:00 UTC


def header(world: World, **changes: object) -> RunHeader:
    """The header that the store would have of a world's run."""
    state = RunState(world.state)
    known = RunHeader(
        number=12, id="01J", project="p", workflow="/projects/p/workflows/w", version="1",
        plan_digest=world.plan.digest, state=state, attempt=1, seq=world.run.seq, started_by="olive",
        created_at=NOON, started_at=NOON, finished_at=None, metadata={},
    )  # fmt: skip
    return replace(known, **changes)  # type: ignore[arg-type]  # each test knows the fields


def seen(world: World, *, may_decide: tuple[str, ...] = ()) -> RunView:
    """The run's page, a minute after noon."""
    return run_view(header(world), world.plan, world.run.rows, now=NOON + 60, may_decide=may_decide)


def row(world: World, name: str, **wishes: object) -> RowView:
    """One row of the run's tree, a minute after noon."""
    line = Line(plan=world.plan, rows=world.run.rows, now=NOON + 60, run=12)
    return replace(line, **wishes).row(world.place(name))  # type: ignore[arg-type]  # each test knows the fields


def gate(world: World, name: str, *, me: str = "ann", barred: str = "") -> GateView:
    """One gate's page, a minute after noon."""
    place = world.place(name)
    return gate_view(header(world), world.plan, world.run.rows, place, now=NOON + 60, me=me, barred=barred)


def following(plan: Plan, name: str) -> list[str]:
    """The names of what a gate lets start."""
    place = next(place for place, step in enumerate(plan.steps) if step.name == name)
    return [plan.steps[each].name for each in next_steps(plan, place)]


# Words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0s"), (0, "0s"), (59.9, "59s"), (65, "1m 05s"), (7_620, "2h 07m"), (273_600, "3d 04h")],
)
def test_a_length_of_time_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert took(seconds) == words


def test_a_time_is_told_by_its_distance_from_now() -> None:
    assert [ago(NOON - gap, now=NOON) for gap in (5, 240, 7_200, 200_000)] == ["just now", "4m ago", "2h ago", "2d ago"]
    assert [ago(NOON + gap, now=NOON) for gap in (5, 240)] == ["in a moment", "in 4m"]


def test_the_date_is_shown_only_where_it_is_not_todays() -> None:
    assert clock(NOON, now=NOON + 60) == "12:00:00"
    assert clock(NOON - 86_400, now=NOON) == "2026-06-25 12:00"
    assert (stamp(NOON), iso(NOON)) == ("2026-06-26 12:00:00 UTC", "2026-06-26T12:00:00Z")


def test_a_time_beyond_all_calendars_is_no_error() -> None:
    assert clock(1e18, now=NOON).startswith("9999-12-31")


def test_numbers_and_lists_read_like_sentences() -> None:
    assert (counted(1, "step"), counted(1_200, "step")) == ("1 step", "1,200 steps")
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_every_state_has_a_word_a_sign_and_an_icon() -> None:
    states = {state.value for state in StepState}
    assert states == set(WORDS) == set(SIGNS)
    assert all(icon(state).startswith("data:image/svg+xml,") and '"' not in icon(state) for state in states)
    assert icon("waiting") != icon("failed") != icon()


def test_the_title_says_the_state_first_and_whom_it_waits_for() -> None:
    assert tab_title("waiting", "w #12", mine=True) == "❚❚ Waiting for you · w #12"
    assert tab_title("waiting", "w #12") == "❚❚ Waiting · w #12"
    assert tab_title("failed", "w #12", mine=True) == "✕ Failed · w #12"


# A run


def test_a_run_waits_for_you_only_if_an_open_gate_is_yours() -> None:
    world = World("seq(a, gate, b)", at=NOON)
    world.succeeds("a")
    assert (seen(world).word, seen(world, may_decide=("2",)).word) == ("Waiting", "Waiting for you")
    assert seen(world, may_decide=("2",)).title == "❚❚ Waiting for you · w #12"
    assert not seen(world, may_decide=("1", "99")).mine


def test_the_tree_shows_every_step_but_the_root_below_its_parent() -> None:
    world = World("seq(par:P(a, b), call:C(c))", at=NOON)
    shown = [
        (step.row.name, step.run_as, [child.row.name for child in step.children])
        for step in plan_tree(world.plan, now=0)
    ]
    assert shown == [("P", "par", ["a", "b"]), ("C", "seq", ["c"])]
    assert seen(world).step_count == 6


def test_the_tally_counts_changes_and_gates_with_what_ended_first() -> None:
    world = World("seq(par:P(a, b), gate, c)", at=NOON)
    world.succeeds("a")
    counts = [(entry.state, entry.count) for entry in tally(world.plan, world.run.rows)]
    assert counts == [("succeeded", 1), ("queued", 1), ("pending", 2)]


def test_a_pending_run_names_what_blocks_it() -> None:
    """R95"""
    world = World("seq(a)", at=NOON, admitted=False)
    blocked = run_view(header(world, started_at=None), world.plan, world.run.rows, now=NOON, blockers=(11,))
    assert (blocked.state, blocked.blockers, blocked.started, blocked.took) == ("pending", (11,), None, "")
    assert run_line(header(world, started_at=None), now=NOON, blockers=(11,)).blockers == (11,)


def test_what_may_be_done_follows_from_the_state_and_from_rights() -> None:
    world = World("seq(a)", at=NOON)
    assert (seen(world).may_cancel, seen(world).may_retry) == (True, False)
    world.fails("a")
    assert (seen(world).may_cancel, seen(world).may_retry) == (False, True)
    barred = run_view(header(world), world.plan, world.run.rows, now=NOON, may_run=False)
    assert (barred.may_run, barred.may_cancel, barred.may_retry) == (False, False, False)


def test_time_goes_on_only_for_what_is_under_way() -> None:
    world = World("seq(a, b)", at=NOON)
    world.starts("a")
    assert (row(world, "a").took, row(world, "a").since) == ("1m 00s", NOON)
    world.at = NOON + 5
    world.succeeds("a")
    assert (row(world, "a").took, row(world, "a").since) == ("5s", 0)
    assert (row(world, "b").took, row(world, "b").reached) == ("", False)


def test_a_row_says_what_its_step_needs_or_why_it_ended_so() -> None:
    world = World("seq(a[retry=1/60], gate[timeout=120], approval[users=ann+bob, groups=ops, min=2])", at=NOON)
    assert row(world, "a").note == "waits for a worker"
    assert row(world, "a", waits_for={1: "waits for run 11"}).note == "waits for run 11"
    world.fails("a")
    assert row(world, "a").note == "attempt 1 failed: exit code 1; starts at 12:01:00 UTC"
    world.fires("a")
    world.succeeds("a")
    assert row(world, "gate").note == "anyone with run permission can continue; is rejected by itself at 12:03:00 UTC"
    assert row(world, "approval").note == "needs 2 of ann, bob, @ops"
    assert row(world, "a").attempt == 2


def test_a_failed_row_gives_the_reason_and_an_aborted_one_none() -> None:
    world = World("seq(a, gate)", at=NOON)
    world.fails("a")
    assert (row(world, "a").note, row(world, "gate").note) == ("exit code 1", "")
    assert (row(world, "gate").word, row(world, "gate").reached) == ("Aborted", False)


def test_chips_tell_how_children_follow_and_what_is_special_about_a_step() -> None:
    world = World("seq(par:P[max=2, fail_fast](a, gate), b[always, coe], c[on_failure])")
    assert row(world, "P").chips == ("in parallel, 2 at a time, stops at the first failure",)
    assert row(world, "b").chips == ("always runs", "may fail")
    assert row(world, "c").chips == ("only after a failure",)


def test_an_open_gate_has_a_button_that_fits_its_kind_and_the_person() -> None:
    """R72"""
    world = World("par:P(gate, approval[users=ann], a)", at=NOON)
    mine = {"may_decide": ("1.1", "1.2")}
    assert row(world, "gate", **mine).gate_button == "Continue…"
    assert row(world, "approval", **mine).gate_button == "Approve or reject…"
    assert row(world, "approval").gate_button == "Details…"
    assert row(world, "gate").gate_href == "/runs/12/gate/1.1"
    assert row(world, "a").gate_href == row(world, "gate", run=0).gate_href == ""


def test_a_decided_gate_says_who_decided_and_how() -> None:
    """R70"""
    world = World("seq(gate, a)", at=NOON)
    world.decides("gate", "continue", by="bob")
    (given,) = row(world, "gate").said
    assert (given.actor, given.verb, given.when.full) == ("bob", "continued", "2026-06-26 12:00:00 UTC")


def test_only_rows_that_changed_are_sent_again() -> None:
    world = World("seq(a, b, c)", at=NOON)
    before = dict(world.run.rows)
    world.succeeds("a")
    assert world.named(changed_places(before, world.run.rows)) == ["a", "b"]
    assert changed_places(world.run.rows, world.run.rows) == ()


# The chosen step


def test_without_a_choice_the_page_shows_what_runs_then_what_failed_then_what_ended_last() -> None:
    world = World("par:P(a, b, c)", at=NOON)
    assert chosen_place(world.plan, world.run.rows, None) == world.place("a")
    world.succeeds("b")
    assert chosen_place(world.plan, world.run.rows, None) == world.place("b")
    world.fails("a")
    assert chosen_place(world.plan, world.run.rows, None) == world.place("a")
    world.starts("c")
    assert chosen_place(world.plan, world.run.rows, None) == world.place("c")


def test_a_choice_that_is_nowhere_counts_as_none() -> None:
    world = World("seq(gate, a)", at=NOON)
    assert chosen_place(world.plan, world.run.rows, "2") == world.place("a")
    gate_place = world.place("gate")
    assert {chosen_place(world.plan, world.run.rows, key) for key in ("9.9", "0", "", None)} == {gate_place}


def test_the_shown_attempt_is_the_one_asked_for_if_it_exists() -> None:
    """R61"""
    world = World("seq(a[retry=1], gate)", at=NOON)
    world.fails("a")
    world.fires("a")
    world.starts("a")
    shown = [shown_attempt(world.plan, world.run.rows, world.place("a"), asked) for asked in (None, 1, 2, 3, 0)]
    assert shown == [2, 1, 2, 2, 2]
    assert shown_attempt(world.plan, world.run.rows, world.place("gate"), 1) == 0


def test_the_stream_goes_on_behind_what_the_page_shows() -> None:
    world = World("seq(a)", at=NOON)
    world.starts("a")
    log = log_view(b"one\ntw", b"", ended=False)
    detail = detail_view(header(world), world.plan, world.run.rows, 1, now=NOON, log=log, follows=True)
    assert detail.live == f"/runs/12/live?after={world.run.seq}-4&step=1&attempt=1&follow=1"
    assert detail.raw_href == "/api/v1/runs/12/steps/1/log?attempt=1"
    world.succeeds("a")
    assert detail_view(header(world), world.plan, world.run.rows, 1, now=NOON).live == ""


def test_outputs_are_shown_one_a_line() -> None:
    """R105"""
    assert outputs_text({"url": "https://example.com", "count": 3, "hosts": ["a"]}) == (
        'url = https://example.com\ncount = 3\nhosts = ["a"]'
    )
    assert outputs_text(None) == ""


@pytest.mark.parametrize("text", ["12-2048", "12"])
def test_a_mark_is_read_as_it_was_written(text: str) -> None:
    assert Mark.parse(text) in (Mark(12, 2048), Mark(12))
    assert Mark.parse(str(Mark(12, 2048))) == Mark(12, 2048)


@pytest.mark.parametrize("text", ["", "x", "-1", "1-", "1-2-3", "٣", "9" * 40])
def test_a_mark_that_is_none_is_the_beginning(text: str) -> None:
    assert Mark.parse(text) == Mark(0)


def test_the_title_travels_as_json() -> None:
    assert json.loads(title_data("a\nb", icon("failed"))) == {"title": "a\nb", "icon": icon("failed")}


# Gates and what follows


@pytest.mark.parametrize(
    ("notation", "names"),
    [
        ("seq(gate, a, b)", ["a", "b"]),
        ("seq(gate, a, approval, b)", ["a", "approval"]),
        ("seq(gate, a, seq:S(b, gate2), c)", ["a", "S"]),
        ("seq(seq:S(gate, a), b)", ["a", "b"]),
        ("seq(seq:S(seq:T(gate)), b)", ["b"]),
        ("seq(par:P(gate, a), b)", []),
        ("seq(par:P(seq:S(gate, a), c), b)", ["a"]),
        ("seq(gate, a[on_failure], b[always])", ["b"]),
        ("seq(a, gate)", []),
    ],
)
def test_a_gate_lets_start_what_comes_after_it_up_to_the_next_gate(notation: str, names: list[str]) -> None:
    assert following(tree(notation), "gate") == names


def test_rejecting_holds_back_all_that_comes_after_in_any_sequence_around_it() -> None:
    """R74"""
    world = World("seq(par:P(seq:S(gate, a), b), seq:T(c, d), e[always])")
    place = world.place("gate")
    assert world.named(held_back(world.plan, place)) == ["a", "T"]
    assert world.named(cleaning_up(world.plan, place)) == ["e"]
    assert world.named(work_below(world.plan, world.place("T"))) == ["c", "d"]
    assert (gate(world, "gate").held_back, gate(world, "gate").cleaning_up) == (3, ("e",))


def test_a_gates_page_carries_what_the_decision_must_carry() -> None:
    """R79"""
    world = World("seq(approval[users=ann], a)", at=NOON)
    view = gate(world, "approval")
    assert (view.is_open, view.opening, view.run.digest.full) == (True, 1, world.plan.digest)
    assert (view.verb, view.title) == ("approve", "❚❚ Waiting for you · approval · w #12")
    assert [(step.name, step.is_gate) for step in view.next] == [("a", False)]


def test_a_gates_page_counts_approvals_and_knows_who_gave_theirs() -> None:
    """R71"""
    world = World("seq(approval[users=ann+bob, min=2], a)", at=NOON)
    assert gate(world, "approval").more_needed == 2
    world.decides("approval", "approve", by="ann")
    assert gate(world, "approval").more_needed == 1
    assert gate(world, "approval", me=" ANN").already_approved
    assert not gate(world, "approval", me="bob").already_approved
    card = gate_card(header(world), world.plan, world.run.rows, 1, now=NOON)
    assert card.progress == "1 approval so far, 1 more needed"


def test_a_gate_that_is_not_open_says_what_happened() -> None:
    """R80"""
    world = World("seq(gate, gate2, a)", at=NOON)
    assert gate(world, "gate2").outcome == "This wait was not reached yet."
    world.decides("gate", "continue")
    assert gate(world, "gate").outcome == "This wait does not wait any longer: it was decided."
    world.cancels()
    assert gate(world, "gate2").outcome == "This wait does not wait for anybody: it is cancelled."


def test_a_gates_card_says_in_a_sentence_what_comes_next() -> None:
    world = World("seq(gate, a, seq:S(b, c), approval[users=ann])", at=NOON)
    card = gate_card(header(world), world.plan, world.run.rows, world.place("gate"), now=NOON, may=False)
    assert card.next == "Continuing lets a and S (2 steps) start; the next gate is approval."
    assert card.button == "Details…"
    world.decides("gate", "continue")
    direct = World("seq(gate, approval[users=ann])", at=NOON)
    card = gate_card(header(direct), direct.plan, direct.run.rows, direct.place("gate"), now=NOON)
    assert card.next == "Continuing leads to the next gate: approval."


def test_steps_that_will_be_skipped_are_not_announced() -> None:
    """R89"""
    world = World("seq(gate, a, b)", skip=["a"], at=NOON)
    assert [step.name for step in gate(world, "gate").next] == ["b"]


# Logs


def text_of(line: tuple[Span, ...]) -> str:
    """A line without its colours."""
    return "".join(span.text for span in line)


def test_colours_become_classes_and_go_on_until_they_are_reset() -> None:
    line, pen = spans("a \x1b[1;31mb\x1b[0m c \x1b[92;44md")
    assert line == (Span("a "), Span("b", "b f1"), Span(" c "), Span("d", "f10 g4"))
    assert spans("e", pen)[0] == (Span("e", "f10 g4"),)


@pytest.mark.parametrize(
    ("codes", "classes"),
    [
        ("38;5;1", "f1"), ("38;5;196", "f1"), ("38;2;0;170;0", "f2"), ("48;5;21", "g4"), ("38:2:0:170:0", "f2"),
        ("58;5;3;4", "u"), ("2;3;7", "dim i inv"), ("1;22", ""), ("31;39", ""), ("999", ""), ("38;5", "f0"), ("38", ""),
        ("8", ""), ("99999999999999999999", ""),
    ],
)  # fmt: skip
def test_every_way_to_name_a_colour_ends_in_the_palette(codes: str, classes: str) -> None:
    assert spans(f"\x1b[{codes}mx")[0] == (Span("x", classes),)


@pytest.mark.parametrize(
    "line",
    [
        "a\x1b]0;title\x07b", "a\x1b]8;;javascript:alert(1)\x1b\\b\x1b]8;;\x1b\\", "a\x1b[2J\x1b[1;2Hb", "a\x1b[?25lb",
        "a\x1bPq#1\x1b\\b", "a\x1b_x\x1b\\b", "a\x1b(Bb", "a\x1b7b", "a\x9b31mb", "ab\x1b", "ab\x1b[", "ab\x1b[31;",
        "ab\x1b]8;;http://x", "gone\rab",
    ],
)  # fmt: skip
def test_whatever_else_a_terminal_would_do_is_dropped_whole(line: str) -> None:
    assert text_of(spans(line)[0]) == "ab"


def test_what_could_deceive_the_eye_is_shown_by_its_number() -> None:
    assert text_of(spans("abc\u202edef\x00\u200b")[0]) == "abc□202Edef□0000□200B"
    assert harmless("a\tb") == "a\tb"
    assert harmless("b\x08bo\x08o") == "bo"


def test_an_endless_line_is_cut_and_says_so() -> None:
    (first, second) = spans("x" * 1_000_000)[0]
    assert (len(first.text), second.classes) == (LONGEST_LINE, "dim")


def test_hostile_bytes_never_fail() -> None:
    lines = log_lines(bytes(range(256)) * 3, b"\x01" * 31, first_line=1)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))


def test_each_line_has_the_time_at_which_its_first_byte_arrived() -> None:
    times = PAIR.pack(0, int(NOON * 1000)) + PAIR.pack(4, int(NOON * 1000) + 5_000) + b"half"
    lines = log_lines(b"one\ntwo\nthree\n", times, first_line=1)
    assert [(line.number, line.time) for line in lines] == [(1, "12:00:00"), (2, "12:00:05"), (3, "12:00:05")]
    (later,) = log_lines(b"two\n", times, first_line=2, offset=4)
    assert (later.number, later.time) == (2, "12:00:05")


def test_the_page_holds_the_end_of_a_log_and_counts_what_is_before() -> None:
    data = b"".join(b"line %d\n" % number for number in range(1, 11))
    view = log_view(data, b"", ended=True, most=3)
    assert ([line.number for line in view.lines], view.earlier, view.end) == ([8, 9, 10], 7, len(data))
    assert [line.number for line in log_view(data, b"", ended=True, most=10).lines] == list(range(1, 11))


def test_a_line_that_is_still_being_written_waits_for_its_end() -> None:
    growing = log_view(b"one\ntwo", b"", ended=False)
    assert ([text_of(line.spans) for line in growing.lines], growing.end) == (["one"], 4)
    assert [text_of(line.spans) for line in log_view(b"one\ntwo", b"", ended=True).lines] == ["one", "two"]
    assert log_view(b"", b"", ended=True).lines == ()


def test_no_byte_of_a_log_is_shown_twice_or_lost_where_the_stream_takes_over() -> None:
    data = b"".join(b"line %d\n" % number for number in range(20))
    for cut in range(len(data)):
        shown = log_view(data[:cut], b"", ended=False)
        rest = log_lines(data[shown.end :], b"", first_line=len(shown.lines) + 1, offset=shown.end)
        assert [line.number for line in (*shown.lines, *rest)] == list(range(1, 21))


def test_a_colour_goes_on_over_the_end_of_a_line() -> None:
    first, second = log_lines(b"\x1b[31mone\ntwo\r\n", b"", first_line=1)
    assert (first.spans, second.spans) == ((Span("one", "f1"),), (Span("two", "f1"),))
    assert PLAIN.classes == ""


# The record


def entry(
    kind: str, *, actor: str = "system", step: str | None = None, cause: int | None = None, **body: object
) -> Entry:
    """A record as the store gives it."""
    return Entry(
        id=1, run=12, seq=3, at=NOON, type=kind, actor=actor, step=step, cause=cause, project="p", body=body,  # type: ignore[arg-type]  # JSON
    )  # fmt: skip


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (entry("run_created"), "created the run"),
        (entry("run_created", blocked_by=[11, 9]), "created the run; it waits for run 11 and run 9"),
        (entry("run_created", skip=["2.1"]), "created the run; to be skipped: 2.1"),
        (entry("step_failed", attempt=2, reason="exit code 3"), "failed, attempt 2: exit code 3"),
        (entry("step_started", attempt=1), "started"),
        (entry("step_queued"), "queued"),
        (entry("step_held", due=NOON, note="it is early"), "held: it is early; until 2026-06-26 12:00:00 UTC"),
        (entry("gate_opened", opening=2), "waits for a decision, opening 2"),
        (entry("gate_decided", decision="approve", groups=["ops"], named=True), "approved (named, @ops)"),
        (entry("gate_expired", decision="reject"), "nobody decided in time: rejected"),
        (entry("run_ended", state="failed"), "the run failed"),
        (entry("run_ended", state="rejected"), "the run was rejected"),
        (entry("decision_refused", reason="not listed"), "decision refused: not listed"),
        (entry("something_new"), "something new"),
    ],
)  # fmt: skip
def test_every_event_is_a_sentence(event: Entry, says: str) -> None:
    (line,) = record([event], tree("seq(a)"), now=NOON)
    assert line.says == says


def test_a_record_names_the_step_and_keeps_the_message() -> None:
    told = entry("gate_decided", actor="ann", step="1", decision="reject", message="not today", cause=2)
    (line,) = record([told], tree("seq(gate)"), now=NOON)
    assert (line.actor, line.step_name, line.message, line.caused) == ("ann", "gate", "not today", True)


# Workflows


def test_problems_know_their_line_only_in_the_file_that_is_shown() -> None:
    """R7"""
    problems = [
        Problem(place=Place("w.yaml", 2, 3), code=Code.UNKNOWN_KEY, says="unknown key", hint="remove it", step="1"),
        Problem(place=Place("p.yaml", 1, 1), code=Code.BAD_NAME, says="bad", severity=Severity.WARNING),
    ]
    shown = problem_views(problems, file="w.yaml")
    assert [(view.place, view.line, view.message) for view in shown] == [
        ("w.yaml:2:3", 2, "step 1: unknown key"),
        ("p.yaml:1:1", 0, "bad"),
    ]
    lines = source_lines("steps:\n- \u202ex: 1\r\n", shown)
    assert [(line.number, line.text, len(line.problems)) for line in lines] == [(1, "steps:", 0), (2, "- □202Ex: 1", 1)]


def test_the_form_has_a_field_for_each_input_and_each_variable_found() -> None:
    inputs = {"properties": {"env": {"title": "Environment", "enum": ["dev", "prod"]}, "dry": {"type": "boolean"}}}
    fields = field_views(["env", "size.max"], inputs, typed={"env": "dev"}, defaults={"size": {"max": 3}})  # type: ignore[arg-type]  # JSON
    assert [(field.name, field.value, field.default, field.required, field.options) for field in fields] == [
        ("env", "dev", "", True, ("dev", "prod")),
        ("dry", "", "", False, ("true", "false")),
        ("size.max", "", "3", False, ()),
    ]
