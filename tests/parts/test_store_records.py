"""The log over everything, the ledger of versions, and accounts: what is added stays as it was added."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.storing import Store
from fakes.worlds import World
from pointsman.model.problem import Refused
from pointsman.store.accounts import AccountRows, Answered
from pointsman.store.events import EntryFilter
from pointsman.store.versions import Ledger, LedgerRow

HOSTILE = ["' OR 1=1 --", "'; DROP TABLE events; --", '"', "%", "\\", "x' UNION SELECT 1"]
SEEN = LedgerRow(
    workflow="/projects/p/workflows/w", version="1.0.0", shown="1", tag="v1", tag_object="a" * 40, commit="b" * 40,
    tagger="Ann <ann@example.com>", first_seen=10.0,
)  # fmt: skip


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path / "state.db")) as store:
        yield store


# The log over everything


def test_the_log_lists_newest_first_and_page_by_page(store: Store) -> None:
    ids = [store.events.add("refused", at=float(n), actor="ann", body={"n": n}) for n in range(5)]
    first = store.events.listed(EntryFilter(projects=[""], limit=2))
    second = store.events.listed(EntryFilter(projects=[""], limit=2, before=first[-1].id))
    assert [entry.id for entry in first + second] == ids[:0:-1]
    assert first[0].body == {"n": 4}


def test_the_log_holds_what_happens_to_runs_too(store: Store) -> None:
    number = store.create(World("seq(a)"))
    store.events.add("gate_refused", at=1.0, actor="bob", body={"reason": "not listed"}, project="p", run=number)
    newest = store.events.listed(EntryFilter(projects=["p"]))[0]
    assert (newest.type, newest.run, newest.body) == ("gate_refused", None, {"reason": "not listed", "run": number})
    assert {entry.run for entry in store.events.listed(EntryFilter(projects=["p"]))[1:]} == {number}
    assert all(entry.type != "gate_refused" for entry in store.events.of_run(number))


def test_filters_narrow_the_log_together(store: Store) -> None:
    for at, (kind, actor, project) in enumerate(
        [("a", "Ann", "p"), ("b", "bob", "p"), ("a", "bob", "q"), ("a", "ann", "")]
    ):
        store.events.add(kind, at=float(at), actor=actor, body={}, project=project)

    def found(wanted: EntryFilter) -> list[float]:
        return [entry.at for entry in store.events.listed(wanted)]

    everywhere = ["p", "q", ""]
    assert found(EntryFilter(projects=everywhere)) == [3, 2, 1, 0]
    assert found(EntryFilter(projects=["p"])) == [1, 0]
    assert found(EntryFilter(projects=[])) == []
    assert found(EntryFilter(projects=everywhere, type="a", actor="ANN")) == [3, 0]
    assert found(EntryFilter(projects=everywhere, since=1.5)) == [3, 2]


@pytest.mark.parametrize("text", HOSTILE)
def test_sql_in_a_filter_of_the_log_is_only_text(store: Store, text: str) -> None:
    store.events.add("a", at=0.0, actor="ann", body={"text": text}, project="p")
    for wanted in (
        EntryFilter(projects=[text]),
        EntryFilter(projects=["p"], type=text),
        EntryFilter(projects=["p"], actor=text),
    ):
        assert store.events.listed(wanted) == []
    assert store.events.listed(EntryFilter(projects=["p"]))[0].body == {"text": text}


# The ledger


def test_a_row_of_the_ledger_never_changes(store: Store) -> None:
    """R25."""
    ledger = Ledger(store.database)
    assert ledger.enter(SEEN)
    moved = replace(
        SEEN, commit="c" * 40, tag_object="d" * 40, tag="p/w/v1", shown="1.0", tagger="Eve", first_seen=20.0
    )
    assert not ledger.enter(moved)
    assert ledger.rows() == [SEEN]


def test_the_same_version_of_another_workflow_is_another_row(store: Store) -> None:
    """R20."""
    ledger = Ledger(store.database)
    other = replace(SEEN, workflow="/projects/p/workflows/x")
    newer = replace(SEEN, version="1.10", first_seen=30.0)
    assert [ledger.enter(row) for row in (newer, other, SEEN)] == [True, True, True]
    assert ledger.rows() == [SEEN, newer, other]


def test_the_same_alarm_is_raised_once_until_it_is_cleared(store: Store) -> None:
    """R25."""
    ledger = Ledger(store.database)
    raised = [ledger.alarm("v1", found, at=1.0) for found in ("moved to c", "moved to c", "gone")]
    assert raised == [True, False, True]
    assert ledger.alarm("v2", "gone", at=1.0)
    ledger.clear("v1")
    assert ledger.alarms() == {"v2": "gone"}
    assert ledger.alarm("v1", "moved to c", at=2.0)


def test_a_ledger_survives_its_daemon(store: Store, tmp_path: Path) -> None:
    Ledger(store.database).enter(SEEN)
    with contextlib.closing(Store(tmp_path / "state.db")) as successor:
        assert Ledger(successor.database).rows() == [SEEN]


# Accounts and answers


def test_one_name_is_one_user_however_it_is_written(store: Store) -> None:
    rows = AccountRows(store.database)
    rows.add_user("Ann", "hash-1")
    with pytest.raises(Refused, match="there is a user ANN already"):
        rows.add_user("ANN", "hash-2")
    found = rows.user("  aNN ")
    assert found is not None
    assert (found["name"], found["password_hash"], rows.users()) == ("Ann", "hash-1", ["Ann"])


@pytest.mark.parametrize("text", HOSTILE)
def test_sql_in_a_name_is_only_text(store: Store, text: str) -> None:
    rows = AccountRows(store.database)
    rows.add_user("ann", "hash")
    assert rows.user(text) is None
    assert rows.row("token", id=text) is None
    assert rows.row("session", digest=text) is None
    assert rows.answered("ann", text) is None


def test_a_repeated_request_is_answered_as_the_first(store: Store) -> None:
    rows = AccountRows(store.database)
    first, second = Answered(asked="a", status=201, body="{}"), Answered(asked="b", status=409, body="no")
    rows.remember("ann", "key", first, at=1.0)
    rows.remember("ann", "key", second, at=2.0)
    assert (rows.answered("ann", "key"), rows.answered("bob", "key")) == (first, None)
