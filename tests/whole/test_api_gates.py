"""The API about gates: shapes, who may decide, every refusal with its status, and two people at once."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from fakes.daemon import Answer, Daemon
from fakes.lab import served_lab, started

PAIRS = 20


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with served_lab(tmp_path_factory.mktemp("gates")) as daemon:
        yield daemon


@pytest.fixture
def run(daemon: Daemon) -> Iterator[int]:
    """A run of the lab that waits for an approval of opschain or mira."""
    run = started(daemon, "agreed")
    daemon.run_in(run, "waiting")
    yield run
    daemon.ask("POST", f"runs/{run}/cancel")


def _decided(daemon: Daemon, gate: str, who: str, decision: str, **more: object) -> Answer:
    bearer = f"Bearer {daemon.tokens[who]}"
    return daemon.ask("POST", f"gates/{gate}/decision", {"decision": decision, **more}, Authorization=bearer)


def test_a_gate_has_the_shape_that_the_contract_gives_it(daemon: Daemon, run: int) -> None:
    """INTERFACES: `GET gates/{id}`."""
    gate = daemon.get(f"gates/{run}:1")
    assert {key: gate[key] for key in ("id", "run", "step", "opening", "kind", "name", "expires_at", "needed")} == {
        "id": f"{run}:1", "run": run, "step": "1", "opening": 1, "kind": "approval", "name": "Agree",
        "expires_at": None, "needed": 1,
    }  # fmt: skip
    assert gate["approvers"] == {"user_names": ["opschain", "mira"], "ldap_groups": []}
    assert gate["decisions"] == []
    assert gate["digest"] == daemon.get(f"runs/{run}")["plan_digest"]
    assert [(step["key"], step["target"], step["action"]) for step in gate["next_steps"]] == [
        ("2", "/projects/lab/assets/two", "say")
    ]


def test_the_inbox_lists_what_i_may_decide_and_all_what_i_may_see(daemon: Daemon, run: int) -> None:
    """INTERFACES: `GET gates`."""

    def listed(who: str, query: str = "") -> list[str]:
        answer = daemon.ask("GET", f"gates{query}", Authorization=f"Bearer {daemon.tokens[who]}")
        return [gate["id"] for gate in answer.json["items"]]

    assert listed("mira") == [f"{run}:1"]
    assert listed("guest") == []
    assert listed("guest", "?all=true") == [f"{run}:1"]


def test_gates_are_listed_oldest_first_and_in_pages(daemon: Daemon) -> None:
    """INTERFACES: lists have a cursor."""
    runs = [started(daemon, name) for name in ("gated", "agreed", "replacing", "alone")]
    for run in runs:
        daemon.run_in(run, "waiting")
    seen, cursor = [], ""
    while cursor is not None:
        page = daemon.get(f"gates?limit=3{cursor and f'&cursor={cursor}'}")
        seen += [gate["run"] for gate in page["items"]]
        cursor = page["next_cursor"]
    for run in runs:
        daemon.post(f"runs/{run}/cancel")
    assert seen == runs


def test_who_may_not_run_may_not_continue_a_wait(daemon: Daemon) -> None:
    """R70: 403 with the reason; the state is unchanged."""
    run = started(daemon, "gated")
    before = daemon.run_in(run, "waiting")
    answer = _decided(daemon, f"{run}:1", "guest", "continue")
    assert (answer.status, answer.json["title"]) == (403, "Forbidden")
    assert "guest may not run in this project" in answer.json["detail"]
    assert daemon.get(f"runs/{run}") == before
    assert _decided(daemon, f"{run}:1", "mira", "continue", message="fine").status == 200
    daemon.run_in(run, "succeeded")


def test_a_listed_person_approves_and_the_answer_is_the_decided_gate(daemon: Daemon, run: int) -> None:
    """R71."""
    answer = _decided(daemon, f"{run}:1", "mira", "approve", message="go")
    assert (answer.status, answer.json["state"]) == (200, "succeeded")
    (given,) = answer.json["decisions"]
    assert (given["actor"], given["decision"], given["message"]) == ("mira", "approve", "go")
    daemon.run_in(run, "succeeded")


def test_the_wrong_verb_answers_422_and_names_the_right_one(daemon: Daemon, run: int) -> None:
    """R72."""
    answer = _decided(daemon, f"{run}:1", "opschain", "continue")
    assert (answer.status, "use approve" in answer.json["detail"]) == (422, True)
    assert daemon.get(f"gates/{run}:1")["decisions"] == []


def test_the_same_again_is_200_and_anything_else_409_with_what_stands(daemon: Daemon, run: int) -> None:
    """R73: a gate decided twice."""
    assert _decided(daemon, f"{run}:1", "mira", "approve").status == 200
    daemon.run_in(run, "succeeded")
    before = daemon.get(f"runs/{run}/events?limit=200")
    assert _decided(daemon, f"{run}:1", "mira", "approve").status == 200
    assert daemon.get(f"runs/{run}/events?limit=200") == before
    for who, decision in (("opschain", "approve"), ("mira", "reject")):
        answer = _decided(daemon, f"{run}:1", who, decision)
        assert (answer.status, "approve by mira" in answer.json["detail"]) == (409, True)
    assert len(daemon.get(f"gates/{run}:1")["decisions"]) == 1


def test_a_rejection_ends_the_run(daemon: Daemon, run: int) -> None:
    """R74."""
    assert _decided(daemon, f"{run}:1", "opschain", "reject", message="not now").status == 200
    found = daemon.run_in(run, "rejected")
    assert [step["state"] for step in found["steps"]] == ["rejected", "aborted"]


def test_another_digest_or_opening_is_a_conflict(daemon: Daemon, run: int) -> None:
    """R79."""
    gate = daemon.get(f"gates/{run}:1")
    for bound in ({"digest": "0" * 64}, {"opening": 2}, {"opening": 0}):
        assert _decided(daemon, gate["id"], "mira", "approve", **bound).status == 409
    good = {"digest": gate["digest"], "opening": gate["opening"]}
    assert _decided(daemon, gate["id"], "mira", "approve", **good).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {}, {"decision": "maybe"}, {"decision": None}, {"decision": ["approve"]}, {"decision": "approve", "message": 7},
        {"decision": "approve", "opening": "1"}, {"decision": "approve", "opening": True},
        {"decision": "approve", "actor": "opschain"}, {"decision": "approve", "message": "x" * 2001},
    ],
)  # fmt: skip
def test_a_decision_of_another_shape_is_refused(daemon: Daemon, run: int, body: object) -> None:
    """Nothing is guessed about a decision."""
    assert daemon.ask("POST", f"gates/{run}:1/decision", body).status == 422
    assert daemon.get(f"gates/{run}:1")["decisions"] == []


def test_a_gate_that_expired_answers_410(daemon: Daemon) -> None:
    """R73, R78."""
    run = started(daemon, "timed")
    gate = daemon.get(f"gates/{run}:1")
    assert gate["expires_at"] > gate["opened_at"]
    daemon.run_in(run, "succeeded")
    (given,) = daemon.get(f"gates/{run}:1")["decisions"]
    assert (given["actor"], given["decision"]) == ("system", "continue")
    assert _decided(daemon, f"{run}:1", "mira", "reject").status == 410


def test_twenty_pairs_of_people_deciding_at_once_make_one_transition_each(daemon: Daemon) -> None:
    """R73."""
    runs = []
    for number in range(PAIRS):
        run = started(daemon, "agreed" if number % 2 else "gated")
        daemon.run_in(run, "waiting")
        words = (("mira", "approve" if number % 2 else "continue"), ("opschain", "reject"))
        answers = _at_once(daemon, f"{run}:1", words)
        assert sorted(answer.status for answer in answers) == [200, 409]
        runs.append(run)
        daemon.run_in(run, "succeeded", "rejected")
    for run in runs:
        events = Counter(event["type"] for event in daemon.get(f"runs/{run}/events?limit=200")["items"])
        assert events["gate_decided"] == 1
        assert len(daemon.get(f"gates/{run}:1")["decisions"]) == 1


def test_one_person_deciding_twice_at_once_succeeds_twice_with_one_transition(daemon: Daemon) -> None:
    """R73: a double click."""
    run = started(daemon, "agreed")
    daemon.run_in(run, "waiting")
    answers = _at_once(daemon, f"{run}:1", [("mira", "approve")] * 8)
    assert [answer.status for answer in answers] == [200] * 8
    assert len(daemon.get(f"gates/{run}:1")["decisions"]) == 1


def _at_once(daemon: Daemon, gate: str, words: Sequence[tuple[str, str]]) -> list[Answer]:
    barrier, answers = threading.Barrier(len(words)), []

    def decide(who: str, decision: str) -> None:
        barrier.wait()
        answers.append(_decided(daemon, gate, who, decision))

    threads = [threading.Thread(target=decide, args=pair) for pair in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_the_refusals_are_in_the_audit_log(daemon: Daemon, run: int) -> None:
    """R72: an event that says who, what and why; in the run's own log too."""
    _decided(daemon, f"{run}:1", "guest", "approve")
    refusal = daemon.get("events?type=gate_refused&actor=guest&limit=1")["items"][0]
    assert (refusal["run"], refusal["step"], refusal["data"]["decision"]) == (run, "1", "approve")
    assert "guest may not run" in refusal["data"]["reason"]
    assert daemon.get(f"runs/{run}/events")["items"][-1] == refusal
