"""The one function that decides gates: who may, in which order it checks, and what two people at once come to."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.acting import Meeting
from fakes.engines import Playing, runnable
from pointsman.access.people import Actor
from pointsman.model.definition import Approvers
from pointsman.model.inventory import Policy
from pointsman.model.problem import Forbidden, NotFound, PointsmanError, Refused
from pointsman.model.run import DecisionWord


@pytest.fixture
def playing(tmp_path: Path) -> Iterator[Playing]:
    with Playing(tmp_path / "data") as playing:
        yield playing


def _refusals(playing: Playing, run: int) -> list[tuple[str, str | None, object]]:
    """Who was refused at which step, and why, by the run's record."""
    return [
        (entry.actor, entry.step, entry.body["reason"]) for entry in playing.record(run) if entry.type == "gate_refused"
    ]


def test_a_wait_is_continued_by_anyone_who_may_run_and_the_words_are_kept(playing: Playing) -> None:
    """R70."""
    run = playing.create("seq(gate, a)")
    playing.at += 60
    given = playing.decide(run, "1", "continue", by="mira", message="dev looks good")
    assert (given.actor, given.decision, given.message, given.at) == (
        "mira", "continue", "dev looks good", playing.at,
    )  # fmt: skip
    assert playing.reach(run, "succeeded", "failed") == "succeeded"


def test_who_may_not_run_may_not_continue(playing: Playing) -> None:
    """R70."""
    run = playing.create("seq(gate, a)")
    policy = Policy(run=Approvers(user_names=("mira",)))
    with pytest.raises(Forbidden, match="guest may not run in this project: its policy gives that to mira"):
        playing.decide(run, "1", "continue", by="guest", policy=policy)
    assert playing.header(run).state == "waiting"
    assert [actor for actor, _, _ in _refusals(playing, run)] == ["guest"]


def test_who_is_not_listed_is_refused_with_the_reason_and_only_the_refusal_is_recorded(playing: Playing) -> None:
    """R72."""
    run = playing.create("seq(approval[users=opschain, groups=release-managers], a)")
    before = playing.row(run, "1")
    with pytest.raises(Forbidden, match="guest is not listed as an approver of this step: opschain, members of"):
        playing.decide(run, "1", "approve", by="guest")
    assert (playing.header(run).state, playing.row(run, "1")) == ("waiting", before)
    ((actor, step, reason),) = _refusals(playing, run)
    assert (actor, step) == ("guest", "1")
    assert "not listed as an approver" in str(reason)


@pytest.mark.parametrize(
    ("notation", "said", "right"),
    [("seq(gate, a)", "approve", "continue"), ("seq(approval[users=ann], a)", "continue", "approve")],
)
def test_the_wrong_verb_is_refused_and_the_right_one_named(
    playing: Playing, notation: str, said: DecisionWord, right: str
) -> None:
    """R72: 422."""
    run = playing.create(notation)
    with pytest.raises(Refused, match=f"use {right}") as refused:
        playing.decide(run, "1", said)
    assert refused.value.status == 422
    assert playing.header(run).state == "waiting"


def test_the_same_again_by_the_same_person_is_a_success_and_changes_nothing(playing: Playing) -> None:
    """R73."""
    run = playing.create("seq(gate, gate:second)")
    first = playing.decide(run, "1", "continue", message="one")
    seq = playing.header(run).seq
    assert playing.decide(run, "1", "continue", message="two") == first
    assert playing.decide(run, "1", "continue", by=" ANN ", message="two") == first
    assert playing.header(run).seq == seq
    assert _refusals(playing, run) == []


def test_another_decision_later_is_told_which_one_stands(playing: Playing) -> None:
    """R73: 409 with the decision that stands; after the run too."""
    run = playing.create("seq(gate, gate:second)")
    playing.decide(run, "1", "continue", by="mira")
    for by, word in (("ann", "continue"), ("mira", "reject")):
        with pytest.raises(Refused, match="it was decided: continue by mira") as refused:
            playing.decide(run, "1", word, by=by)  # type: ignore[arg-type] # mypy widens the literal
        assert refused.value.status == 409


def test_a_gate_that_is_not_reached_names_its_state(playing: Playing) -> None:
    """R73."""
    run = playing.create("seq(gate, gate:second)")
    with pytest.raises(Refused, match="the gate is not open, it is pending"):
        playing.decide(run, "2", "continue")
    with pytest.raises(NotFound, match=f"run {run} has no gate at 7"):
        playing.decide(run, "7", "continue")


def test_twenty_times_two_people_at_once_make_exactly_one_transition(playing: Playing) -> None:
    """R73: continue and reject, by two people, in one instant."""
    for _ in range(20):
        run = playing.create("seq(gate)")

        async def both(number: int = run) -> list[object]:
            pair = (
                playing.deciding(number, "1", "continue", by="ann"),
                playing.deciding(number, "1", "reject", by="mira"),
            )
            return [*await asyncio.gather(*pair, return_exceptions=True)]

        outcomes = playing.do(both())
        refused = [found for found in outcomes if isinstance(found, Refused)]
        assert len(refused) == 1
        (stands,) = playing.row(run, "1").decisions
        assert f"{stands.decision} by {stands.actor}" in refused[0].says
        assert Counter(entry.type for entry in playing.record(run))["gate_decided"] == 1
        assert playing.header(run).state == ("succeeded" if stands.decision == "continue" else "rejected")


def test_the_opening_and_the_digest_that_were_shown_must_be_the_gates(playing: Playing) -> None:
    """R79."""
    run = playing.create("seq(gate, a)")
    for bound, words in (({"opening": 2}, "opened again"), ({"digest": "f" * 64}, "the plan is another one")):
        with pytest.raises(Refused, match=words) as refused:
            playing.decide(run, "1", "continue", **bound)
        assert refused.value.status == 409
    playing.decide(run, "1", "continue", opening=1, digest=playing.header(run).plan_digest)
    assert playing.reach(run, "succeeded", "failed") == "succeeded"


def test_a_rejection_ends_the_run_rejected_and_what_follows_never_starts(playing: Playing, tmp_path: Path) -> None:
    """R74: except what is there for failures."""
    trace = tmp_path / "trace"
    scripts = {"tidy": f"echo tidied >>{trace}", "a": f"echo a >>{trace}"}
    run = playing.create(runnable("seq(approval[users=ann], a, tidy[always])", scripts))
    playing.decide(run, "1", "reject", message="not today")
    assert playing.reach(run, "rejected", "failed", "succeeded") == "rejected"
    assert playing.states(run, "1 2 3") == "rejected aborted succeeded"
    assert trace.read_text("utf-8") == "tidied\n"


def test_the_starter_who_is_listed_may_approve_unless_the_project_forbids_it(playing: Playing) -> None:
    """R75."""
    run = playing.create("seq(approval[users=ann], a)", by="ann")
    with pytest.raises(Forbidden, match="ann started this run, and its starter may not approve it"):
        playing.decide(run, "1", "approve", policy=Policy(allow_self_approval=False))
    with pytest.raises(Forbidden, match="started this run"):
        playing.decide(run, "1", "approve", by="ANN ", policy=Policy(allow_self_approval=False))
    playing.decide(run, "1", "approve")
    assert playing.reach(run, "succeeded", "failed") == "succeeded"


@pytest.mark.parametrize("tagger", ["ann@example.com", "Ann"])
def test_who_made_the_tag_that_started_a_run_is_refused_like_its_starter(playing: Playing, tagger: str) -> None:
    """R75, R82: otherwise a listed approver who tags has a rollout with nobody else."""
    new = playing.new("seq(approval[users=ann], a)", by="system:publish")
    run = playing.do(playing.engine.create(replace(new, metadata={"tagger": tagger}), ())).number
    with pytest.raises(Forbidden, match="ann made the tag that started this run"):
        playing.decide(run, "1", "approve", policy=Policy(allow_self_approval=False))
    playing.decide(run, "1", "approve")
    assert playing.reach(run, "succeeded", "failed") == "succeeded"


def test_names_match_without_regard_to_case_and_space(playing: Playing) -> None:
    """R76, R82."""
    run = playing.create("seq(approval[users=OpsChain])")
    playing.decide(run, "1", "approve", by=" opschain")
    assert playing.reach(run, "succeeded") == "succeeded"


def test_two_approvals_need_two_people(playing: Playing) -> None:
    """R71: one person counts once."""
    run = playing.create("seq(approval[min=2, users=ann+mira], a)")
    playing.decide(run, "1", "approve")
    assert playing.decide(run, "1", "approve").actor == "ann"
    assert playing.header(run).state == "waiting"
    playing.decide(run, "1", "approve", by="mira")
    assert playing.reach(run, "succeeded", "failed") == "succeeded"
    assert [given.actor for given in playing.row(run, "1").decisions] == ["ann", "mira"]


def test_a_gate_that_expired_says_so(playing: Playing, monkeypatch: pytest.MonkeyPatch) -> None:
    """R73: 410."""
    monkeypatch.setattr("pointsman.engine.timers.LONGEST_SLEEP", 0.01)
    run = playing.create("seq(gate[timeout=60])")
    playing.at += 61
    assert playing.reach(run, "rejected") == "rejected"
    with pytest.raises(Refused, match="its time was up") as refused:
        playing.decide(run, "1", "continue")
    assert refused.value.status == 410


def test_why_somebody_may_not_decide_is_told_without_deciding(playing: Playing) -> None:
    """What inbox and page ask; nothing is recorded by asking."""
    run = playing.create("seq(approval[users=ann])")
    gate = playing.gates.find(playing.header(run), "1")

    def reason(name: str) -> str:
        return playing.gates.reason_against(gate, Actor(name, "local"), Policy())

    assert reason("ann") == ""
    assert "guest is not listed" in reason("guest")
    playing.decide(run, "1", "approve")
    gate = playing.gates.find(playing.header(run), "1")
    assert reason("ann") == "the gate is not open, it is succeeded"
    assert _refusals(playing, run) == []


def test_every_refusal_is_an_error_that_people_can_read(playing: Playing) -> None:
    """R72: a sentence, recorded with who, what and which gate."""
    run = playing.create("seq(approval[users=opschain])")
    for by in ("guest", "mira"):
        with pytest.raises(PointsmanError):
            playing.decide(run, "1", "approve", by=by)
    assert [actor for actor, _, _ in _refusals(playing, run)] == ["guest", "mira"]
    assert {step for _, step, _ in _refusals(playing, run)} == {"1"}


def test_a_refusal_in_the_record_hinders_nothing_that_follows(playing: Playing, tmp_path: Path) -> None:
    """R72: while the run moves, while it waits for its turn, and after its end, whose time stays."""
    meeting = Meeting(tmp_path)
    run = playing.create(runnable("par(gate, a)", {"a": f"echo here >{meeting}"}))
    pending = playing.create("seq(gate)")
    for number, key in ((run, "1.1"), (pending, "1")):
        with pytest.raises(Refused):
            playing.decide(number, key, "approve")
    meeting.word()
    assert playing.reach(run, "waiting") == "waiting"
    assert playing.header(pending).started_at is None
    playing.decide(run, "1.1", "continue")
    ended = playing.header(run).finished_at
    playing.at += 60
    with pytest.raises(Refused):
        playing.decide(run, "1.1", "reject", by="mira")
    assert (playing.header(run).state, playing.header(run).finished_at) == ("succeeded", ended)
    assert [entry.seq for entry in playing.record(run)] == list(range(1, playing.header(run).seq + 1))
    assert playing.reach(pending, "waiting") == "waiting"
