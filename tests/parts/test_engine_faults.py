"""News that breaks a turn for no reason of the disk's is set aside, and everything else goes on (R58)."""

from pathlib import Path
from typing import Any

import pytest

from fakes.engines import Playing
from pointsman.engine.turn import Turn
from pointsman.model.event import StepSucceeded, Told
from pointsman.model.problem import Unavailable


@pytest.fixture(autouse=True)
def _breaks_on_step_a(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault as a programming error would be: whatever says that step `a` succeeded raises."""
    monkeypatch.setattr("pointsman.engine.local.RETRY_AFTER", 0.02)
    whole = Turn.tell

    def broken(turn: Turn, number: int, told: Told) -> Any:
        if isinstance(told.event, StepSucceeded) and turn._load(number).plan.steps[told.event.step].name == "a":
            raise ZeroDivisionError("planted")
        return whole(turn, number, told)

    monkeypatch.setattr(Turn, "tell", broken)


def test_a_result_that_breaks_the_turn_fails_its_step_and_says_so(tmp_path: Path) -> None:
    """R58."""
    with Playing(tmp_path / "data") as playing:
        run = playing.create("seq(a, b)")
        assert playing.reach(run, "succeeded", "failed") == "failed"
        assert "could not be recorded" in playing.row(run, "1").reason
        assert "planted" in playing.row(run, "1").reason


def test_other_news_of_the_same_turn_is_not_lost_with_it(tmp_path: Path) -> None:
    """R58."""
    with Playing(tmp_path / "data") as playing:
        run = playing.create("par(a, b, c)")
        assert playing.reach(run, "succeeded", "failed") == "failed"
        assert [playing.row(run, key).state for key in ("1.2", "1.3")] == ["succeeded", "succeeded"]


def test_whoever_asked_for_what_broke_the_turn_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever."""
    with Playing(tmp_path / "data") as playing:
        run = playing.create("seq(gate)")
        playing.reach(run, "waiting")

        def broken(*_: Any) -> Any:
            raise ZeroDivisionError("planted")

        monkeypatch.setattr(Turn, "tell", broken)
        with pytest.raises(Unavailable, match="fault"):
            playing.decide(run, "1", "continue")
