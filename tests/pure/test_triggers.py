"""`on`: what files say about it, and when a cron expression comes, over days whose clocks are put forward and back."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from fakes.sources import loaded
from pointsman.access.accounts import is_user_name
from pointsman.intake.unasked import PUBLISH, SCHEDULE, run_id
from pointsman.load.times import cron_trouble, firing_after, last_firing, timezone_trouble
from pointsman.model.definition import Schedule, Triggers
from pointsman.model.problem import Code
from pointsman.model.wire import from_json, to_json

BERLIN = "Europe/Berlin"
WAIT = "steps: [{type: wait}]\n"


def at(text: str, fold: int = 0) -> float:
    """Seconds since 1970 at a time on the clocks of Berlin; `fold` 1 is the second of two."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN), fold=fold).timestamp()


def times(cron: str, day: str, zone: str = BERLIN) -> Iterator[str]:
    """When a cron expression comes on a day, with the offset from UTC."""
    after = at(day) - 1
    end = after + 86_400
    while (found := firing_after(cron, zone, after=after)) is not None and found <= end:
        yield datetime.fromtimestamp(found, ZoneInfo(zone)).strftime("%H:%M%z")[:-2]
        after = found


# Files


def test_a_workflow_says_what_starts_it_by_itself() -> None:
    """DESIGN section 4: without a zone, UTC; properties keep their null."""
    text = "on:\n  publish: true\n  schedule:\n    - {cron: 0 3 * * *, timezone: Europe/Berlin}\n"
    text += "    - {cron: 5 * * * *, properties: {env: null}}\n"
    made = loaded({}, deploy=text + WAIT)

    assert made.problems == ()
    on = made.workflows["/projects/p/workflows/deploy"].on
    assert on.publish
    assert [(one.cron, one.timezone, one.properties, one.place.line) for one in on.schedule] == [
        ("0 3 * * *", BERLIN, {}, 4),
        ("5 * * * *", "UTC", {"env": None}, 5),
    ]
    assert from_json(Triggers, to_json(on)) == on


def test_a_workflow_without_on_is_started_by_nothing() -> None:
    """R1."""
    assert loaded({}, deploy=WAIT).workflows["/projects/p/workflows/deploy"].on == Triggers()


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("cron: 0 0 30 2 *", "never comes"),
        ("cron: 0 0 31 4 *", "never comes"),
        ("cron: 0 25 * * *", "bad hour"),
        ("cron: 0 0 1 13 *", "bad month"),
        ("cron: '@daily'", "five fields"),
        ("cron: '* * * * * *'", "five fields"),
        ("cron: 0 3 * * *, timezone: Mars/Olympus", "no time zone"),
    ],
)
def test_a_time_that_never_comes_is_an_error_where_it_is_written(entry: str, says: str) -> None:
    """DESIGN section 4."""
    (problem,) = loaded({}, deploy=f"on: {{schedule: [{{{entry}}}]}}\n{WAIT}").problems

    assert (problem.code, says in problem.says, problem.place.line) == (Code.BAD_TIME, True, 1), problem


# Cron


def test_on_most_days_a_time_is_the_one_on_the_clocks() -> None:
    assert list(times("30 2 * * *", "2026-06-04")) == ["02:30+02"]
    assert list(times("0 */8 * * *", "2026-06-04")) == ["00:00+02", "08:00+02", "16:00+02"]


def test_what_stands_in_the_hour_that_is_left_out_comes_right_after_it() -> None:
    """As in Debian's cron: on 2026-03-29, 02:00 is 03:00 at once."""
    assert list(times("30 2 * * *", "2026-03-29")) == ["03:00+02"]
    assert list(times("30 2 * * *", "2026-03-30")) == ["02:30+02"]


def test_what_stands_in_the_hour_that_comes_twice_comes_once() -> None:
    """As in Debian's cron: on 2026-10-25, the hour from 02:00 comes twice."""
    assert list(times("30 2 * * *", "2026-10-25")) == ["02:30+02"]
    assert firing_after("30 2 * * *", BERLIN, after=at("2026-10-25 02:10", fold=1)) == at("2026-10-26 02:30")


def test_what_comes_every_hour_goes_by_time_that_passes() -> None:
    """As in Debian's cron."""
    assert list(times("15 * * * *", "2026-03-29"))[1:3] == ["01:15+01", "03:15+02"]
    assert list(times("15 * * * *", "2026-10-25"))[2:4] == ["02:15+02", "02:15+01"]


def test_a_time_is_after_the_moment_that_is_asked_for() -> None:
    """And after the fraction of a second that has passed."""
    assert firing_after("* * * * *", "UTC", after=120.0) == 180.0
    assert firing_after("* * * * *", "UTC", after=119.9) == 120.0
    assert firing_after("* * * * *", "UTC", after=120.1) == 180.0


@pytest.mark.parametrize("cron", ["* * * * *", "30 2 * * *", "45 2,3 * * *", "*/7 1-3 * * 0", "0 */2 * * *"])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_the_last_time_is_the_one_that_all_times_in_order_end_with(cron: str, day: str) -> None:
    """`R98`: found by halving, over both changes of the clocks."""
    begin = at(day) - 86_400
    every = [begin]
    while (found := firing_after(cron, BERLIN, after=every[-1])) is not None and found < begin + 3 * 86_400:
        every.append(found)
    assert all(one < other for one, other in pairwise(every))
    for until in range(int(begin) + 1, int(begin) + 3 * 86_400, 8 * 3600 + 61):
        last = max((one for one in every[1:] if one <= until), default=None)
        assert last_firing(cron, BERLIN, after=begin, until=until) == last


def test_the_last_of_a_lifetime_of_minutes_is_found_at_once() -> None:
    """`R98`."""
    assert last_firing("* * * * *", BERLIN, after=0, until=1_800_000_030.0) == 1_800_000_000.0
    assert last_firing("* * * * *", BERLIN, after=60, until=60) is None
    assert last_firing("* * * * *", BERLIN, after=3600, until=60) is None


def test_expressions_of_cron_that_are_good() -> None:
    for cron in ("0 3 * * *", "*/5 8-18 * * MON-FRI", "0 0 L * *", "0 0 29 2 *", "0 0 1 feb *", "0 0 * * MON#1"):
        assert cron_trouble(cron) == ""
    for zone in ("UTC", BERLIN, "America/St_Johns"):
        assert timezone_trouble(zone) == ""


# Who


def test_nobody_can_have_the_name_that_unasked_runs_are_started_in() -> None:
    """DESIGN section 8: so nobody is their starter, and `allow_self_approval: false` keeps nobody from approving."""
    for actor in (PUBLISH, SCHEDULE):
        assert not is_user_name(actor.name)


def test_the_id_of_a_run_follows_from_its_cause_alone() -> None:
    """`R110`."""
    assert run_id("publish", "/projects/p/workflows/w", "1") == run_id("publish", "/projects/p/workflows/w", "1")
    assert len({run_id("a", "b"), run_id("ab"), run_id("a", "b", ""), run_id("b", "a")}) == 4
    assert Schedule(cron="0 3 * * *") == from_json(Schedule, to_json(Schedule(cron="0 3 * * *")))
