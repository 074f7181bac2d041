"""Runs as they survive: what is written is what is read, claims last for ever, and the log is the record."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.storing import Store, news, replayed
from fakes.trees import tree
from fakes.worlds import World
from pointsman.model.event import Told
from pointsman.model.plan import Content, Phase, Plan
from pointsman.model.problem import NotFound, Refused, Unavailable
from pointsman.model.run import RunState
from pointsman.model.values import Json
from pointsman.model.wire import event_from_json, plan_digest
from pointsman.run.tree import Run
from pointsman.store.runs import NewRun, RunFilter

HOSTILE = [
    "' OR 1=1 --",
    "'; DROP TABLE runs; --",
    '"',
    "%",
    "_",
    "*",
    "\\",
    "\0",
    "NULL",
    "1) OR (1=1",
    "x' UNION SELECT 1",
]


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path / "state.db")) as store:
        yield store


def lived() -> World:
    """A run with a bit of everything behind it."""
    world = World("seq(a, par(b[retry=2/30], c), gate, approval[users=ann+bob, min=2], call(d[start=500]), e[always])")
    world.succeeds("a")
    world.starts("b", "c")
    world.fails("b")
    world.loses("c")
    world.fires("b")
    world.starts("b")
    world.cancels(by="bob")
    world.fails("b", stopped=True)
    world.starts("e")
    return world


def gated() -> World:
    """A run that waits at an approval with one of two voices."""
    world = World("seq(a, gate, approval[users=ann+bob, min=2], b)")
    world.succeeds("a")
    world.decides("gate", "continue", by="ann")
    world.decides("approval", "approve", by="bob")
    return world


def rich(plan: Plan) -> Plan:
    """The plan with contents that hold every kind of JSON."""
    properties: dict[str, Json] = {
        "text": "ü\u2028\U0001f600 '\"\\", "deep": {"list": [1, 2.5, True, None, {}]}, "big": 2**60, "": "",
    }  # fmt: skip
    phase = Phase(name="x", command=("a", "{{ not a variable"), env={"A": "1\n2"}, timeout_seconds=60)
    content = Content(target="/projects/p", action="x", tree="t", phases=(phase,), properties=properties)
    changed = replace(plan, contents={"c1": content}, properties=properties, digest="")
    return replace(changed, digest=plan_digest(changed))


# What is written is what is read


@pytest.mark.parametrize("happened", [lived, gated])
def test_a_run_is_read_as_it_was_written(store: Store, happened: Callable[[], World]) -> None:
    world = happened()
    found = store.read(store.create(world))
    assert (found.rows, found.seq, found.state) == (world.run.rows, world.run.seq, world.run.state)
    assert (found.plan, found.plan.digest) == (world.plan, world.plan.digest)
    assert set(found.outstanding()) == world.ledger.orders()


def test_a_plan_is_read_as_it_was_written(store: Store) -> None:
    plan = rich(tree("seq(a, b)"))
    number = store.create(World(plan))
    assert store.read(number).plan == plan
    assert plan_digest(store.read(number).plan) == plan.digest


def test_runs_of_one_plan_share_it(store: Store) -> None:
    first, second = store.create(World("seq(a)"), name="r1"), store.create(World("seq(a)"), name="r2")
    assert second == first + 1
    assert store.database._connection.execute("SELECT count(*) FROM plans").fetchone()[0] == 1


def test_a_header_says_who_when_and_how_far(store: Store) -> None:
    world = World("seq(a)", at=20.0)
    number = store.create(world, by="Ann", at=10.0, metadata={"ticket": "OPS-1", "n": 1})
    header = store.runs.header(number)
    assert (header.id, header.project, header.workflow, header.version) == ("r1", "p", "/projects/p/workflows/w", "1")
    assert (header.started_by, header.metadata, header.attempt) == ("Ann", {"ticket": "OPS-1", "n": 1}, 1)
    assert (header.created_at, header.started_at, header.finished_at) == (10.0, 20.0, None)
    before, world.at = world.run.seq, 30.0
    world.succeeds("a")
    store.save(world, number, read_seq=before)
    header = store.runs.header(number)
    assert (header.state, header.started_at, header.finished_at) == (RunState.SUCCEEDED, 20.0, 30.0)


def test_a_run_that_was_not_admitted_has_not_started(store: Store) -> None:
    header = store.runs.header(store.create(World("seq(a)", admitted=False)))
    assert (header.state, header.started_at) == (RunState.PENDING, None)


def test_a_run_is_found_by_its_number_and_by_its_id(store: Store) -> None:
    number = store.create(World("seq(a)"), name="run-abc")
    assert store.runs.find("run-abc") == store.runs.find(str(number)) == store.runs.header(number)
    assert (store.runs.number_of("run-abc"), store.runs.number_of("run-xyz")) == (number, None)


@pytest.mark.parametrize("name", ["2", "0", "-1", "1.0", "1e0", "٣", "9" * 15, "9" * 40, "", *HOSTILE])
def test_what_is_nowhere_is_not_found(store: Store, name: str) -> None:
    store.create(World("seq(a)"))
    with pytest.raises(NotFound):
        store.runs.find(name)


# All or nothing, once for ever


def test_a_run_that_was_moved_meanwhile_is_not_overwritten(store: Store) -> None:
    """R57."""
    one, other = World("seq(a, b)"), World("seq(a, b)")
    number, seq = store.create(one), one.run.seq
    one.succeeds("a")
    store.save(one, number, read_seq=seq)
    other.fails("a")
    with pytest.raises(Refused, match="changed by somebody else"):
        store.save(other, number, read_seq=seq)
    assert store.read(number).rows == one.run.rows
    assert len(store.events.of_run(number)) == one.run.seq


def test_events_and_rows_are_written_together_or_not_at_all(store: Store) -> None:
    """R112: here the disk fills up between the rows and the last record."""
    world = World("seq(a, b)")
    number, seq = store.create(world), world.run.seq
    before = store.read(number).rows, store.events.of_run(number)
    world.succeeds("a")
    world.fails("b")
    change = news(world, number, read_seq=seq)
    change = replace(change, records=[*change.records[:-1], replace(change.records[-1], actor="x" * 5_000_000)])
    pages = store.database._connection.execute("PRAGMA page_count").fetchone()[0]
    store.database._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(Unavailable), store.database.transaction():
        store.runs.save(change, world.plan)
    assert (store.read(number).rows, store.events.of_run(number)) == before
    assert store.runs.header(number).seq == seq


def test_an_attempt_is_claimed_once_for_ever(store: Store) -> None:
    """R110: whatever the epoch."""
    number = store.create(World("seq(a)"))
    first, second = store.database.new_epoch(1.0, "boot-1"), store.database.new_epoch(2.0, "boot-2")
    store.runs.claim(number, 1, 1, epoch=first)
    for epoch in (first, second):
        with pytest.raises(Refused, match=f"attempt 1 of run {number}, step 1 is claimed already"):
            store.runs.claim(number, 1, 1, epoch=epoch)
    store.runs.claim(number, 1, 2, epoch=second)
    assert [store.runs.claim_boot(number, 1, attempt) for attempt in (1, 2, 3)] == ["boot-1", "boot-2", ""]


def test_a_claim_that_is_refused_takes_its_transaction_along(store: Store) -> None:
    """R110: no step_started without a claim."""
    world = World("seq(a)")
    number, seq = store.create(world), world.run.seq
    epoch = store.database.new_epoch(1.0, "boot")
    store.runs.claim(number, 1, 1, epoch=epoch)
    world.starts("a")

    def start() -> None:
        with store.database.transaction():
            store.save(world, number, read_seq=seq)
            store.runs.claim(number, 1, 1, epoch=epoch)

    with pytest.raises(Refused):
        start()
    assert store.runs.header(number).seq == seq


def test_an_id_names_one_run(store: Store) -> None:
    store.create(World("seq(a)"), name="same")
    new = NewRun(id="same", plan=tree("seq(a)"), started_by="ann", created_at=0.0, metadata={})
    with pytest.raises(Exception, match="UNIQUE"), store.database.transaction():
        store.runs.create(new)
    assert len(store.runs.open()) == 1


# The log


@pytest.mark.parametrize("happened", [lived, gated])
def test_replaying_a_runs_log_gives_its_rows(store: Store, happened: Callable[[], World]) -> None:
    """R110: the log alone tells all that happened."""
    number = store.create(happened())
    entries = store.events.of_run(number)
    inputs = [
        Told(at=entry.at, actor=entry.actor, event=event_from_json(entry.type, entry.body))  # type: ignore[arg-type] # inputs have no cause
        for entry in entries
        if entry.cause is None
    ]
    again = replayed(Run(store.read(number).plan), inputs)
    assert (again.rows, again.seq) == (store.runs.rows(number), store.runs.header(number).seq)
    assert [entry.seq for entry in entries] == list(range(1, again.seq + 1))


def test_a_runs_log_names_steps_by_their_keys(store: Store) -> None:
    number = store.create(lived())
    named = {entry.step for entry in store.events.of_run(number) if entry.step is not None}
    assert {"1", "2.1", "2.2"} <= named
    assert all(entry.project == "p" for entry in store.events.of_run(number))


def test_a_runs_log_goes_on_after_a_sequence_number(store: Store) -> None:
    number = store.create(lived())
    everything = store.events.of_run(number)
    assert store.events.of_run(number, after=3) == everything[3:]
    assert store.events.of_run(number, after=3, limit=2) == everything[3:5]
    assert store.events.of_run(number + 1) == []


# Lists


def test_runs_are_listed_newest_first_and_page_by_page(store: Store) -> None:
    numbers = [store.create(World("seq(a)"), name=f"r{index}") for index in range(7)]
    seen: list[int] = []
    before = None
    while page := store.runs.listed(RunFilter(projects=["p"], before=before, limit=3)):
        assert len(page) <= 3
        seen.extend(header.number for header in page)
        before = seen[-1]
    assert seen == numbers[::-1]


def test_filters_narrow_a_list_together(store: Store) -> None:
    ended = World("seq(a)")
    ended.succeeds("a")
    first = store.create(ended, name="r1", by="Ann", at=10.0, metadata={"ticket": "1", "team": "x"})
    second = store.create(World("seq(a)"), name="r2", by="bob", at=20.0, metadata={"ticket": "2"})

    def found(**wanted: object) -> list[int]:
        return [header.number for header in store.runs.listed(RunFilter(projects=["p"], **wanted))]  # type: ignore[arg-type] # any filter

    assert found() == [second, first]
    assert found(states=["succeeded"]) == [first]
    assert found(states=["running", "succeeded"]) == [second, first]
    assert found(states=[]) == []
    assert found(started_by="ANN") == [first]
    assert found(since=15.0) == [second]
    assert found(workflow="/projects/p/workflows/other") == []
    assert found(metadata={"ticket": "1"}) == [first]
    assert found(metadata={"ticket": "1", "team": "y"}) == []
    assert found(metadata={}) == [second, first]
    assert found(states=["succeeded"], started_by="bob") == []


def test_a_list_holds_nothing_of_projects_that_may_not_be_viewed(store: Store) -> None:
    store.create(World("seq(a)"))
    assert store.runs.listed(RunFilter(projects=[])) == []
    assert store.runs.listed(RunFilter(projects=["q", "P"])) == []
    assert store.runs.counts(["q"]) == {}
    assert store.runs.counts(["p"]) == {"running": 1}


@pytest.mark.parametrize("text", HOSTILE)
def test_sql_in_a_filter_is_only_text(store: Store, text: str) -> None:
    number = store.create(World("seq(a)"), by="ann", metadata={"a": "b"})
    for wanted in (
        RunFilter(projects=[text]),
        RunFilter(projects=["p"], states=[text]),
        RunFilter(projects=["p"], workflow=text),
        RunFilter(projects=["p"], started_by=text),
        RunFilter(projects=["p"], metadata={text: "b"}),
        RunFilter(projects=["p"], metadata={"a": text}),
    ):
        assert store.runs.listed(wanted) == []
    assert store.runs.open(text) == []
    assert [header.number for header in store.runs.open()] == [number]


@pytest.mark.parametrize("text", HOSTILE)
def test_sql_in_a_value_is_kept_as_it_is(store: Store, text: str) -> None:
    number = store.create(World("seq(a)"), name=f"r{text}", by=text, metadata={text: text})
    header = store.runs.header(number)
    assert (header.id, header.started_by, header.metadata) == (f"r{text}", text, {text: text})
    assert store.runs.listed(RunFilter(projects=["p"], started_by=text, metadata={text: text})) == [header]


# What a new daemon asks


def test_open_runs_gates_timers_and_busy_runs_are_found(store: Store) -> None:
    """R110."""
    waiting = gated()
    first = store.create(waiting, name="r1")
    timed = World("seq(par(a[start=300], b[start=200]))")
    second = store.create(timed, name="r2")
    busy = World("seq(par(a, b))")
    busy.starts("a")
    third = store.create(busy, name="r3")
    over = World("seq(a)")
    over.succeeds("a")
    store.create(over, name="r4")
    assert [header.number for header in store.runs.open()] == [first, second, third]
    assert store.runs.busy() == [third], "runs that only wait need no look at the start"
    assert store.runs.open_gates() == [(first, waiting.place("approval"), waiting.row("approval"))]
    assert store.runs.due() == [(200.0, second, timed.place("b")), (300.0, second, timed.place("a"))]
    assert store.runs.due(1) == store.runs.due()[:1]


def test_a_new_daemon_reads_what_the_old_one_committed(store: Store, tmp_path: Path) -> None:
    """R110: also while the old one still has the file open."""
    world = lived()
    number = store.create(world)
    with contextlib.closing(Store(tmp_path / "state.db")) as successor:
        assert successor.read(number).rows == world.run.rows
