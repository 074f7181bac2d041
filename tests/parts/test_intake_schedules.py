"""Schedules over a real repository, ledger and engine, with a clock that is set by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.sources import DEV, repository
from fakes.triggering import HOURLY, MINUTELY, PUBLISH, WAIT, Triggering, seconds
from pointsman.intake.triggers import LONGEST_SLEEP


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Triggering]:
    """A daemon that has looked once at a repository with an inventory and no workflow, at 12:00:30."""
    with Triggering(repository(tmp_path / "ops.git")) as triggering:
        triggering.look()
        yield triggering


def test_a_schedule_starts_the_latest_version_with_its_properties_when_its_time_comes(world: Triggering) -> None:
    """DESIGN section 4: 03:00 in Berlin is 01:00 in UTC in summer."""
    nightly = "on: {schedule: [{cron: 0 3 * * *, timezone: Europe/Berlin, properties: {who: you}}]}\n"
    world.publish("v1", w=nightly + "steps: [{type: wait, name: 'Ask {{ who }}'}]")
    world.look()
    world.clock("2026-06-05T00:59:59Z")
    assert world.started() == []

    world.clock("2026-06-05T01:00:00Z")
    world.act()

    assert world.started() == ["w@1 by system:schedule"]
    (run,) = world.runs
    assert run.metadata == {"trigger": "schedule", "cron": "0 3 * * *", "due_at": "2026-06-05T01:00:00Z"}
    assert world.engine.run(run.number).plan.properties == {"who": "you"}


def test_the_loop_sleeps_until_the_first_time_and_never_long(world: Triggering) -> None:
    """One timer for all; the clock of the machine may be set while it sleeps."""
    assert world.act() is None
    world.publish("v1", w=MINUTELY, x=HOURLY)
    world.look()
    world.at = seconds("2026-06-04T12:00:50Z")
    assert world.act() == 10
    world.publish("v2", w=WAIT, x=HOURLY)
    world.look()
    assert world.act() == LONGEST_SLEEP


def test_a_schedule_does_not_come_for_times_before_its_publication(world: Triggering) -> None:
    """DESIGN section 4; one that is written otherwise is another one and starts anew."""
    world.restart("2026-06-04T12:59:00Z")
    world.publish("v1", w=HOURLY)
    world.clock("2026-06-04T13:00:30Z")
    world.look()
    assert world.due() == []

    world.at = seconds("2026-06-04T14:10:00Z")
    world.publish("v2", w=HOURLY.replace("0 *", "5 *"))
    world.look()
    assert world.due() == []
    world.clock("2026-06-04T15:10:00Z")
    assert world.due() == ["2026-06-04T15:05:00Z"]


def test_only_the_latest_version_is_scheduled_and_never_a_draft_or_a_pre_release(world: Triggering) -> None:
    """`R21`, `R22`."""
    world.publish("v1", w=HOURLY)
    world.publish("v2rc1", w=MINUTELY)
    world.look()
    assert [line.schedule.cron for line in world.loop.schedules.lines()] == ["0 * * * *"]

    world.publish("v2", w=WAIT)
    world.repository.commit({"projects/p/workflows/w.yaml": MINUTELY}, branch="topic")
    world.look()
    world.clock("2026-06-04T14:00:00Z")
    assert (world.started(), world.loop.schedules.lines()) == ([], [])


def test_a_schedule_goes_on_in_a_new_version_that_has_it_too(world: Triggering) -> None:
    """DESIGN section 4: its last run and time are still known."""
    world.publish("v1", w=HOURLY)
    world.look()
    world.clock("2026-06-04T13:00:00Z")
    world.end(1)
    world.publish("v2", w="name: Again\n" + HOURLY)
    world.look()
    assert (world.line().row.version, world.line().row.run) == ("2", 1)

    world.clock("2026-06-04T14:00:00Z")
    assert world.started() == ["w@1 by system:schedule", "w@2 by system:schedule"]


def test_a_schedule_stays_when_the_tag_of_its_version_is_deleted(world: Triggering) -> None:
    """`R25`: the version stays, and so does what it does."""
    world.publish("v1", w=HOURLY)
    world.look()
    world.repository.delete_tag("v1")
    world.restart("2026-06-04T13:00:00Z")
    world.look()

    assert world.due() == ["2026-06-04T13:00:00Z"]


def test_a_schedule_whose_run_has_not_ended_skips_the_time_with_one_event(world: Triggering) -> None:
    """`R98`."""
    world.publish("v1", w=HOURLY)
    world.look()
    world.clock("2026-06-04T13:00:00Z")
    world.clock("2026-06-04T14:00:00Z")
    world.act()

    assert world.due() == ["2026-06-04T13:00:00Z"]
    (told,) = world.told("schedule_skipped")
    assert (told["due_at"], told["says"]) == ("2026-06-04T14:00:00Z", "run 1 of this schedule had not ended")
    assert "run 1 of this schedule has not ended" in world.line().blocked

    world.end(1)
    world.clock("2026-06-04T15:00:00Z")
    assert world.due() == ["2026-06-04T13:00:00Z", "2026-06-04T15:00:00Z"]


def test_a_run_that_a_person_started_holds_no_schedule_up(world: Triggering) -> None:
    """`R98` is about the run of the schedule; `R95` lets the new one wait."""
    world.publish("v1", w=HOURLY + "properties: {who: me}", x=PUBLISH)
    world.look()
    world.publish("p/w/v0.1", w=PUBLISH)
    world.look()
    world.clock("2026-06-04T13:00:00Z")

    assert world.started()[-1] == "w@1 by system:schedule"
    assert world.runs[-1].state == "pending"


def test_of_the_times_that_were_missed_one_comes(world: Triggering) -> None:
    """`R98`: the last one; the others are gone."""
    world.publish("v1", w=MINUTELY)
    world.look()
    world.restart("2026-06-07T08:30:20Z")
    world.look()
    world.act()

    assert world.due() == ["2026-06-07T08:30:00Z"]
    assert world.told("schedule_skipped") == []


def test_a_clock_that_jumps_forward_brings_one_run(world: Triggering) -> None:
    """`R98`."""
    world.publish("v1", w=MINUTELY)
    world.look()
    world.clock("2027-01-01T00:00:00Z")

    assert world.due() == ["2027-01-01T00:00:00Z"]


def test_a_clock_that_is_set_back_brings_nothing_twice(world: Triggering) -> None:
    """`R98`."""
    world.publish("v1", w=HOURLY)
    world.look()
    world.clock("2026-06-04T14:00:00Z")
    world.end(1)
    world.clock("2026-06-04T12:59:00Z")
    world.clock("2026-06-04T13:00:00Z")
    world.clock("2026-06-04T14:00:00Z")
    assert world.due() == ["2026-06-04T14:00:00Z"]

    world.clock("2026-06-04T15:00:00Z")
    assert world.due() == ["2026-06-04T14:00:00Z", "2026-06-04T15:00:00Z"]


def test_a_clock_that_was_years_ahead_does_not_silence_a_schedule_for_years(world: Triggering) -> None:
    """`R98`: what it was set back by is more than any correction, so it was wrong before."""
    world.publish("v1", w=HOURLY)
    world.look()
    world.clock("2036-06-04T14:00:00Z")
    world.end(1)
    world.clock("2026-06-04T14:30:00Z")
    world.clock("2026-06-04T15:00:00Z")

    assert world.due() == ["2036-06-04T14:00:00Z", "2026-06-04T15:00:00Z"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_time_survives_the_daemons_death(world: Triggering, when: str) -> None:
    """`R110`: exactly one run for the minute, and the run is known to be the schedule's."""
    world.publish("v1", w=HOURLY)
    world.look()
    world.dies(when, "2026-06-04T13:00:00Z")
    world.look()
    assert world.due() == ["2026-06-04T13:00:00Z"]

    world.clock("2026-06-04T14:00:00Z")
    assert len(world.runs) == 1
    assert len(world.told("schedule_skipped")) == 1


def test_a_time_whose_run_cannot_be_planned_is_told_and_the_next_is_tried(world: Triggering) -> None:
    """`R32`, `R35`: what is missing may be there again by then."""
    world.publish("v1", w=f"on: {{schedule: [{{cron: '0 * * * *'}}]}}\nsteps: [{{target: {DEV}, action: check}}]")
    world.look()
    world.repository.commit({"projects/p/environments/dev/assets/web.yaml": None})
    world.look()
    world.clock("2026-06-04T13:00:00Z")
    world.act()

    (told,) = world.told("trigger_refused")
    assert (told["trigger"], told["due_at"]) == ("schedule", "2026-06-04T13:00:00Z")
    assert DEV in told["says"]
    assert world.line().row.says == told["says"]

    world.repository.commit({"projects/p/environments/dev/assets/web.yaml": "template: server\n"})
    world.look()
    assert world.started() == []
    world.clock("2026-06-04T14:00:00Z")
    assert world.due() == ["2026-06-04T14:00:00Z"]
    assert world.line().row.says == ""


def test_one_schedule_that_cannot_start_does_not_hold_up_the_others(world: Triggering) -> None:
    """`R98`."""
    world.publish("v1", a=HOURLY.replace("Look", "'{{ gone }}'"), w=HOURLY)
    world.look()
    world.clock("2026-06-04T13:00:00Z")

    assert world.started() == ["w@1 by system:schedule"]


def test_a_daemon_that_stops_starts_nothing(world: Triggering) -> None:
    """`R113`; what is due comes after the next start."""
    world.publish("v1", w=HOURLY)
    world.look()
    world.engine.drain()
    world.clock("2026-06-04T13:00:00Z")
    assert world.started() == []

    world.restart()
    world.look()
    assert world.due() == ["2026-06-04T13:00:00Z"]
