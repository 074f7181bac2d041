"""The laws of the run machine, on random trees and whatever may befall them: what runs after what, and why."""

from hypothesis import given

from fakes.stories import Story, played
from fakes.worlds import World
from pointsman.model.definition import Kind, RunAs, When
from pointsman.model.event import RunCreated
from pointsman.model.plan import ROOT
from pointsman.model.run import Halt, StepState
from pointsman.run.tree import Run
from property.oracles import BAD, NEVER_RAN, breaks, is_over, is_untouched
from property.strategies import often, stories


@often
@given(stories)
def test_in_a_sequence_nothing_leaves_pending_before_its_elder_has_ended(story: Story) -> None:
    """R50"""

    def watch(world: World) -> None:
        for step in world.plan.steps:
            if step.kind in {Kind.STAGE, Kind.WORKFLOW} and step.run_as is RunAs.SEQUENTIAL:
                for elder, younger in zip(step.children, step.children[1:], strict=False):
                    assert is_untouched(world.run, younger) or is_over(world.run, elder)

    played(story, watch)


@often
@given(stories)
def test_no_step_is_under_way_outside_of_a_running_parent_or_after_its_end(story: Story) -> None:
    """R51, R57"""

    def watch(world: World) -> None:
        for place, step in enumerate(world.plan.steps):
            if place != ROOT and not is_untouched(world.run, place) and not is_over(world.run, place):
                assert world.run.row(step.parent).state is StepState.RUNNING

    played(story, watch)


@often
@given(stories)
def test_at_most_max_parallel_children_are_under_way_and_they_open_in_order(story: Story) -> None:
    """R54"""

    def watch(world: World) -> None:
        run = world.run
        for place, step in enumerate(world.plan.steps):
            opened = [not is_untouched(run, child) for child in step.children if step.max_parallel]
            ordinary = [child for child in step.children if world.plan.steps[child].when is not When.ON_FAILURE]
            touched = [not is_untouched(run, child) for child in ordinary]
            assert touched == sorted(touched, reverse=True)
            if opened and run.row(place).state is StepState.RUNNING:
                active = [child for child in step.children if not is_untouched(run, child) and not is_over(run, child)]
                assert len(active) <= (step.max_parallel or 0)

    played(story, watch)


@often
@given(stories)
def test_after_a_failure_ordinary_steps_are_aborted_and_only_then(story: Story) -> None:
    """R50, R53, R91"""

    def watch(world: World) -> None:
        run = world.run
        for place, step in enumerate(world.plan.steps):
            if run.row(place).started_at is None or step.run_as is not RunAs.SEQUENTIAL:
                continue
            for number, child in enumerate(step.children):
                after_trouble = any(breaks(run, elder) for elder in step.children[:number])
                row = run.row(child)
                if run.plan.steps[child].when is When.ON_SUCCESS and not row.skip and not is_untouched(run, child):
                    ends = {StepState.ABORTED, StepState.CANCELLED} if run.row(place).halt else {StepState.ABORTED}
                    assert not after_trouble or row.state in ends
                assert after_trouble or row.state is not StepState.ABORTED

    played(story, watch)


@often
@given(stories)
def test_steps_for_failures_run_after_trouble_and_only_then(story: Story) -> None:
    """R53"""

    def watch(world: World) -> None:
        run = world.run
        for place, step in enumerate(run.plan.steps):
            if step.when is not When.ON_FAILURE or place == ROOT or is_untouched(run, place):
                continue
            around = run.plan.steps[step.parent].children
            others = around[: around.index(place)] if run.plan.steps[step.parent].run_as is RunAs.SEQUENTIAL else around
            trouble = any(breaks(run, other) for other in others if other != place)
            if run.row(place).state not in NEVER_RAN or run.row(place).due is not None:
                assert trouble or run.row(step.parent).halt

    played(story, watch)


@often
@given(stories)
def test_fail_fast_leaves_no_ordinary_sibling_alone(story: Story) -> None:
    """R51"""

    def watch(world: World) -> None:
        run = world.run
        for step in run.plan.steps:
            if not step.fail_fast or not any(breaks(run, child) for child in step.children):
                continue
            ordinary = [child for child in step.children if run.plan.steps[child].when is When.ON_SUCCESS]
            for child in ordinary:
                # one that waits for room behind a step that cleans up stays pending until its turn
                if not is_over(run, child) and not is_untouched(run, child):
                    assert run.plan.steps[child].children or child in world.ledger.stopping
                    assert run.row(child).halt

    played(story, watch)


@often
@given(stories)
def test_a_skipped_step_never_runs_nor_does_what_is_below_it(story: Story) -> None:
    """R90"""
    world = played(story)
    created = world.records[0].event
    assert isinstance(created, RunCreated)
    for key in created.skip:
        place = world.plan.index[key]
        assert is_untouched(world.run, place) or world.run.row(place).state in NEVER_RAN
        for below in range(place, world.plan.ends[place]):
            row = world.run.row(below)
            assert (row.attempt, row.opening, row.started_at) == (0, 0, None)


@often
@given(stories)
def test_a_step_with_children_ends_as_they_did(story: Story) -> None:
    """R50, R51, R53, R60, R74, R91"""

    def expected(run: Run, place: int) -> StepState:
        children = run.plan.steps[place].children
        states = {run.row(child).state for child in children}
        below = range(place + 1, run.plan.ends[place])
        if any(run.row(step).state in BAD and run.plan.steps[step].when is not When.ON_SUCCESS for step in below):
            return StepState.FAILED
        if run.row(place).halt >= Halt.CANCEL:
            return StepState.CANCELLED
        if StepState.REJECTED in states:
            return StepState.REJECTED
        if any(run.row(child).state in BAD and breaks(run, child) for child in children):
            return StepState.FAILED
        return StepState.CANCELLED if StepState.CANCELLED in states else StepState.SUCCEEDED

    run = played(story).run
    for place, step in enumerate(run.plan.steps):
        if step.children and is_over(run, place) and run.row(place).started_at is not None:
            assert run.row(place).state is expected(run, place)
