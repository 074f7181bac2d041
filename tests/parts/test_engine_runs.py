"""The engine moves runs: in order, by few workers, first come first served, one change at a time for each lock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.acting import Meeting
from fakes.engines import Playing, runnable
from pointsman.model.definition import OnNew
from pointsman.model.event import StepFailed, StepSucceeded
from pointsman.model.problem import Refused


@pytest.fixture
def playing(tmp_path: Path) -> Iterator[Playing]:
    with Playing(tmp_path / "data") as playing:
        yield playing


def _noting(trace: Path, *names: str) -> dict[str, str]:
    """Scripts that note their begin and end."""
    return {name: f"echo 'begin {name}' >>{trace}; echo 'end {name}' >>{trace}" for name in names}


def _most_at_once(trace: Path) -> int:
    at_once = most = 0
    for line in trace.read_text("utf-8").splitlines():
        at_once += 1 if line.startswith("begin") else -1
        most = max(most, at_once)
    return most


def _begun(trace: Path) -> list[str]:
    return [line.removeprefix("begin ") for line in trace.read_text("utf-8").splitlines() if line.startswith("begin")]


def test_a_sequence_runs_in_order_and_the_record_says_who_and_what(playing: Playing, tmp_path: Path) -> None:
    """R50, R60."""
    trace = tmp_path / "trace"
    run = playing.create(runnable("seq(a, b, c)", _noting(trace, "a", "b", "c")), by="mira")
    assert playing.reach(run, "succeeded", "failed") == "succeeded"
    assert trace.read_text("utf-8").split("\n")[:-1] == ["begin a", "end a", "begin b", "end b", "begin c", "end c"]
    record = playing.record(run)
    assert [entry.seq for entry in record] == list(range(1, len(record) + 1))
    assert (record[0].type, record[0].actor) == ("run_created", "mira")
    assert {entry.actor for entry in record[1:]} == {"system"}
    assert record[-1].type == "run_ended"


def test_a_failure_ends_the_run_with_its_exit_code_and_what_follows_never_starts(playing: Playing) -> None:
    """R50."""
    run = playing.create(runnable("seq(a, b, seq:later(c))", {"a": "exit 3"}))
    assert playing.reach(run, "succeeded", "failed") == "failed"
    assert playing.states(run, "1 2 3 3.1") == "failed aborted aborted aborted"
    assert (playing.row(run, "1").exit_code, playing.row(run, "1").reason) == (3, "exit code 3")


def test_two_workers_never_run_three_changes_and_the_third_is_queued_until_one_ends(
    playing: Playing, tmp_path: Path
) -> None:
    """R55: first come first served over all runs; whoever waits is `queued`."""
    meetings = {name: Meeting(tmp_path, name) for name in "abcd"}
    scripts = {name: f"echo here >{meeting}" for name, meeting in meetings.items()}
    first = playing.create(runnable("par(a, b)", scripts, workflow="first"))
    second = playing.create(runnable("par(c, d)", scripts, workflow="second"))
    assert playing.states(first, "1.1 1.2") == "running running"
    assert playing.states(second, "1.1 1.2") == "queued queued"
    meetings["a"].word()
    playing.reach_step(second, "1.1", "running")
    assert playing.states(second, "1.2") == "queued"
    for name in "bcd":
        if name == "d":
            playing.reach_step(second, "1.2", "running")
        meetings[name].word()
    assert playing.reach(second, "succeeded", "failed") == "succeeded"


def test_a_hundred_changes_over_ten_runs_never_have_more_than_two_processes_at_once(
    playing: Playing, tmp_path: Path
) -> None:
    """R55."""
    trace = tmp_path / "trace"
    names = "abcdefghij"
    runs = [
        playing.create(runnable(f"par({', '.join(names)})", _noting(trace, *names), workflow=f"w{n}"))
        for n in range(10)
    ]  # fmt: skip
    for run in runs:
        assert playing.reach(run, "succeeded", "failed") == "succeeded"
    assert len(_begun(trace)) == 100
    assert _most_at_once(trace) <= 2


def test_what_came_first_starts_first_whatever_run_it_is_of(tmp_path: Path) -> None:
    """R55: with one worker the order of starting is the order of coming."""
    trace, gate = tmp_path / "trace", Meeting(tmp_path)
    with Playing(tmp_path / "data", workers=1) as playing:
        blocking = playing.create(runnable("seq(z)", {"z": f"echo here >{gate}"}, workflow="z"))
        scripts = _noting(trace, *"abcdef")
        playing.create(runnable("par(a, b)", scripts, workflow="one"))
        playing.create(runnable("par(c, d)", scripts, workflow="two"))
        last = playing.create(runnable("par(e, f)", scripts, workflow="three"))
        gate.word()
        playing.reach(last, "succeeded")
        assert playing.header(blocking).state == "succeeded"
    assert _begun(trace) == list("abcdef")


def test_a_run_waits_only_when_nothing_of_it_runs(playing: Playing, tmp_path: Path) -> None:
    """R56: beside a running sibling of its gate it is `running`."""
    meeting = Meeting(tmp_path)
    run = playing.create(runnable("par(gate, a)", {"a": f"echo here >{meeting}"}))
    assert (playing.header(run).state, playing.states(run, "1.1 1.2")) == ("running", "waiting running")
    meeting.word()
    assert playing.reach(run, "waiting") == "waiting"
    playing.decide(run, "1.1", "continue")
    assert playing.header(run).state == "succeeded"


def test_gates_occupy_no_worker(tmp_path: Path) -> None:
    """R55: with one worker and three open gates a change still runs."""
    with Playing(tmp_path / "data", workers=1) as playing:
        waiting = [playing.create(runnable("seq(gate, a)", workflow=f"w{n}")) for n in range(3)]
        assert [playing.reach(run, "waiting") for run in waiting] == ["waiting"] * 3
        run = playing.create(runnable("seq(a)", workflow="other"))
        assert playing.reach(run, "succeeded", "failed") == "succeeded"


def test_the_same_action_on_the_same_target_waits_and_everything_else_goes_on(playing: Playing, tmp_path: Path) -> None:
    """R96: from any runs one at a time, first come first served; other targets are never held up."""
    meetings = {name: Meeting(tmp_path, name) for name in "ac"}
    scripts = {name: f"echo here >{meeting}" for name, meeting in meetings.items()}
    first = playing.create(runnable("seq(a)", scripts, on={"a": "shared"}, workflow="one"))
    second = playing.create(runnable("par(c, d)", scripts, on={"c": "shared"}, workflow="two"))
    playing.reach_step(second, "1.2", "succeeded")
    assert playing.states(first, "1") == "running"
    assert playing.states(second, "1.1") == "queued"
    place = playing.engine.run(second).plan.index["1.1"]
    assert playing.engine.blocker(second, place) == (first, 1)
    third = playing.create(runnable("seq(e)", on={"e": "shared"}, workflow="three"))
    meetings["a"].word()
    playing.reach_step(second, "1.1", "running")
    assert playing.states(third, "1") == "queued"
    meetings["c"].word()
    assert playing.reach(third, "succeeded", "failed") == "succeeded"


def test_the_same_target_twice_in_one_parallel_step_does_not_deadlock(playing: Playing, tmp_path: Path) -> None:
    """R43."""
    trace = tmp_path / "trace"
    run = playing.create(runnable("par(a, b, c)", _noting(trace, *"abc"), on=dict.fromkeys("abc", "one")))
    assert playing.reach(run, "succeeded", "failed") == "succeeded"
    assert _most_at_once(trace) == 1


def test_a_target_that_allows_parallel_changes_has_no_lock(playing: Playing, tmp_path: Path) -> None:
    """R96: `allow_parallel_changes: true` lifts it."""
    meetings = {name: Meeting(tmp_path, name) for name in "ab"}
    scripts = {name: f"echo here >{meeting}" for name, meeting in meetings.items()}
    run = playing.create(runnable("par(a, b)", scripts, on={"a": "x", "b": "x"}, exclusive=False))
    assert playing.states(run, "1.1 1.2") == "running running"
    for meeting in meetings.values():
        meeting.word()
    assert playing.reach(run, "succeeded", "failed") == "succeeded"


@pytest.mark.parametrize("end", ["succeeded", "failed", "rejected", "cancelled"])
def test_a_second_run_names_its_blocker_and_starts_when_the_first_has_ended_in_any_way(
    playing: Playing, end: str
) -> None:
    """R95."""
    first = playing.create(runnable("seq(gate, a)", {"a": "exit 1" if end == "failed" else ":"}))
    second = playing.create("seq(b)")
    assert playing.header(second).state == "pending"
    assert playing.engine.blockers(playing.header(second)) == (first,)
    if end == "cancelled":
        playing.cancel(first)
    else:
        playing.decide(first, "1", "reject" if end == "rejected" else "continue")
    assert playing.reach(first, "succeeded", "failed", "rejected", "cancelled") == end
    assert playing.reach(second, "succeeded", "failed") == "succeeded"


def test_the_new_runs_own_concurrency_counts(playing: Playing) -> None:
    """R95: two at a time where the new run's version says so; the third waits for one of them."""
    first, second = (playing.create(runnable("seq(gate)", limit=2)) for _ in range(2))
    third = playing.create(runnable("seq(gate)", limit=2))
    strict = playing.create(runnable("seq(gate)", limit=1))
    assert [playing.header(run).state for run in (first, second, third, strict)] == [
        "waiting", "waiting", "pending", "pending",
    ]  # fmt: skip
    playing.decide(second, "1", "continue")
    assert playing.reach(third, "waiting") == "waiting"
    assert playing.header(strict).state == "pending"
    playing.decide(first, "1", "continue")
    playing.decide(third, "1", "continue")
    assert playing.reach(strict, "waiting") == "waiting"


def test_replace_cancels_the_pending_run_and_never_the_running_one(playing: Playing) -> None:
    """R97."""
    first = playing.create(runnable("seq(gate)", on_new=OnNew.REPLACE))
    second = playing.create(runnable("seq(gate)", on_new=OnNew.REPLACE))
    third = playing.create(runnable("seq(gate)", on_new=OnNew.REPLACE), by="mira")
    assert [playing.header(run).state for run in (first, second, third)] == ["waiting", "cancelled", "pending"]
    cancelled = next(entry for entry in playing.record(second) if entry.type == "run_cancelled")
    assert cancelled.actor == "mira"
    playing.decide(first, "1", "continue")
    assert playing.reach(third, "waiting") == "waiting"


def test_skip_refuses_a_new_run_while_another_is_open_and_leaves_nothing_of_it(playing: Playing) -> None:
    """R97: with 409."""
    first = playing.create(runnable("seq(gate)", on_new=OnNew.SKIP))
    with pytest.raises(Refused, match=f"run {first} of /projects/p/workflows/w is waiting") as refused:
        playing.create(runnable("seq(gate)", on_new=OnNew.SKIP))
    assert refused.value.status == 409
    assert [header.number for header in playing.engine.runs.open()] == [first]
    playing.decide(first, "1", "continue")
    assert playing.create(runnable("seq(gate)", on_new=OnNew.SKIP)) == first + 1


def test_a_run_of_which_every_step_is_skipped_succeeds_at_once(playing: Playing) -> None:
    """R60, R90."""
    run = playing.create("seq(a, gate, b)", skip=("1", "2", "3"))
    assert playing.header(run).state == "succeeded"
    assert playing.states(run, "1 2 3") == "skipped skipped skipped"


def test_a_run_that_exists_is_not_made_twice(playing: Playing) -> None:
    """A repeat with the same id is the same run: what `Idempotency-Key` builds on."""
    run = playing.create("seq(gate)", run_id="same")
    assert playing.create("seq(gate)", run_id="same") == run
    assert len(playing.engine.runs.open()) == 1


def test_a_late_report_about_a_former_attempt_changes_nothing(playing: Playing, tmp_path: Path) -> None:
    """R57."""
    meeting = Meeting(tmp_path)
    run = playing.create(runnable("seq(a)", {"a": f"echo here >{meeting}"}))
    before = playing.header(run).seq
    for event in (StepSucceeded(step=1, attempt=2), StepFailed(step=1, attempt=0, reason="late")):
        with pytest.raises(Refused):
            playing.tell(run, event)
    assert playing.header(run).seq == before
    meeting.word()
    assert playing.reach(run, "succeeded", "failed") == "succeeded"
