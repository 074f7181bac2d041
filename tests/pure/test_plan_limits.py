"""The limits on levels and steps: told before anything is expanded past them."""

from fakes.sources import DEV, World, told
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.plan import PinnedWorkflow
from pointsman.plan.library import Shelf
from pointsman.plan.planner import MOST_LEVELS, MOST_STEPS, _Planner, plan

CHECK = f"{{target: {DEV}, action: check}}"
TOO_MANY = "error[PM037]: step %s: with this the plan has more than 20,000 steps"
TOO_DEEP = "error[PM037]: step 1: with this the plan has more than 32 levels"


class CountingShelf(Shelf):
    """A shelf that counts how often a definition was asked for."""

    asked: list[str]

    def definition(self, pinned: PinnedWorkflow) -> WorkflowDefinition | None:
        counted.append(pinned.path)
        return super().definition(pinned)


counted: list[str] = []


def fan_out(code: str, entries: int) -> str:
    """A workflow that calls another this often."""
    overrides = ", ".join(f"{{n: {entry}}}" for entry in range(entries))
    return f"steps: [{{type: workflow, target: /projects/p/workflows/{code}, property_overrides: [{overrides}]}}]"


def nested_calls(levels: int, entries: int) -> World:
    """Workflows that call one another, the last of which makes a change."""
    published = {f"w{level}@1": fan_out(f"w{level + 1}", entries) for level in range(levels)}
    return World(published={**published, f"w{levels}@1": f"steps: [{CHECK}]"})


def test_ten_to_the_ten_steps_are_refused_after_twenty_thousand() -> None:
    """`R45`, hostile.md 3.8, 181: the work that is done is counted, not the time."""
    world = nested_calls(9, 10)
    shelf = world.shelf()
    planner = _Planner(world.request(fan_out("w0", 10)), shelf)

    planner.expand()

    assert len(planner.steps) == MOST_STEPS
    assert [str(problem).split("\n")[0] for problem in planner.found.problems] == [
        f"projects/p/workflows/deploy.yaml:1:10: {TOO_MANY % 1}"
    ]


def test_as_many_steps_as_are_allowed_are_planned() -> None:
    """`R45`: the root, a wrapper of children and their changes: no more and no less."""
    world = World(published={"child@1": f"steps: [{', '.join([CHECK] * 99)}]"})
    two = f"{fan_out('child', 199)[:-1]}, {', '.join([CHECK] * 98)}]"

    assert len(world.plan(two).steps) == MOST_STEPS
    assert TOO_MANY % 100 in world.refusal(f"{two[:-1]}, {CHECK}]")


def test_as_many_levels_as_are_allowed_are_planned() -> None:
    """`R45`: each call is one, and the change at the end is the last."""

    def chain(length: int) -> World:
        calls = {
            f"w{level}@1": f"steps: [{{type: workflow, target: /projects/p/workflows/w{level + 1}}}]"
            for level in range(length)
        }
        return World(published={**calls, f"w{length}@1": f"steps: [{CHECK}]"})

    start = "steps: [{type: workflow, target: /projects/p/workflows/w0}]"

    assert len(chain(MOST_LEVELS - 2).plan(start).steps) == MOST_LEVELS + 1
    assert TOO_DEEP in chain(MOST_LEVELS - 1).refusal(start)


def test_a_wrapper_counts_as_a_level() -> None:
    """`R45`: stages, targets and overrides, however they are nested."""
    assert TOO_DEEP in nested_calls(16, 1).refusal(fan_out("w0", 1))
    assert nested_calls(14, 1).planned(fan_out("w0", 1)).plan is not None


def test_limits_hold_while_validating() -> None:
    """`R45`, `R24`: also for what is only called; the message says what to do."""
    assert (
        nested_calls(9, 10)
        .refusal(fan_out("w0", 10), lenient=True)
        .endswith(f"{TOO_MANY % 1}\nhint: split the workflow, or narrow its lists of targets and overrides")
    )


def test_a_cycle_in_a_large_fan_out_is_found_in_few_questions() -> None:
    """`R44`: each call asks once, whatever it calls."""
    world = World(published={"w0@1": fan_out("w1", 20), "w1@1": fan_out("w0", 20)})
    shelf = world.shelf()
    counted.clear()

    found = plan(
        world.request(fan_out("w0", 20)),
        CountingShelf(inventory=shelf.inventory, releases=shelf.releases, definitions=shelf.definitions),
    )

    assert "calls itself: p/w0@1 → p/w1@1 → p/w0@1" in told(found)
    assert len(counted) == 1 + 20 + 20 * 20
