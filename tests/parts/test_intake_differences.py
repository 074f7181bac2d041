"""What `diff` tells of two commits: what cannot be read or is only known in a run is not passed over."""

from collections.abc import Mapping
from pathlib import Path

from fakes.sources import DEV, files_of, repository
from pointsman.intake.differences import WorkflowDifference, differences
from pointsman.intake.reading import Reading
from pointsman.model.problem import Code
from pointsman.plan.difference import Change

GOOD = f"steps: [{{target: {DEV}, action: check}}]"
BROKEN = "steps: [{target: ]"
LATER = (
    "steps: [{target: '/projects/p/environments/{{ env }}/assets/web', action: check, property_overrides: {port: 1}}]"
)
CALL = "steps: [{type: workflow, name: Next, target: '{{ next }}', version: 1}]"


def told(folder: Path, before: Mapping[str, str], after: Mapping[str, str | None]) -> dict[str, WorkflowDifference]:
    """What differs for workflows of these texts, by their codes."""
    made = repository(folder / "ops.git", None, **before)
    first = made.head()
    made.commit(files_of(**after))  # type: ignore[arg-type] # None takes one away
    reading = Reading(made.path)
    old, new = (reading.side(reading.definitions.at(commit)) for commit in (first, made.head()))
    return {one.path.rsplit("/", 1)[1]: one for one in differences(old, new)}


def test_a_workflow_that_is_broken_as_before_does_not_differ(tmp_path: Path) -> None:
    """Issue 3: neither has it come, nor has it gone."""
    assert told(tmp_path, {"a": BROKEN, "b": GOOD}, {"b": f"{GOOD}\n"}) == {}


def test_a_workflow_that_cannot_be_read_any_more_has_not_gone(tmp_path: Path) -> None:
    """Issue 3: its steps have, and why is told."""
    (found,) = told(tmp_path, {"a": GOOD}, {"a": BROKEN}).values()

    assert (found.change, [one.code for one in found.errors]) == (Change.CHANGED, [Code.SYNTAX])
    assert [step.changes for step in found.plan.steps] == [(Change.REMOVED,)]


def test_a_step_that_makes_a_plan_impossible_is_told(tmp_path: Path) -> None:
    """Issue 3: even if all other steps are as they were."""
    gone = GOOD.replace("]", ", {type: workflow, target: /projects/p/workflows/gone}]")

    (found,) = told(tmp_path, {"a": GOOD}, {"a": gone}).values()

    assert (bool(found.plan), [one.code for one in found.errors]) == (False, [Code.UNKNOWN_WORKFLOW])


def test_what_is_only_known_in_a_run_is_compared_as_it_is_written(tmp_path: Path) -> None:
    """Issue 3: a target with a variable has no properties yet, and a call of a variable no steps."""
    after = {"a": LATER.replace("port: 1", "port: 2"), "b": CALL.replace("next }}", "x }}")}

    found = told(tmp_path, {"a": LATER, "b": CALL}, after)

    assert {code: [(one.name, one.before, one.after) for one in told.settings] for code, told in found.items()} == {
        "a": [("property_overrides of step 1", '{"port":1}', '{"port":2}')],
        "b": [("target of step 1", "{{ next }}", "{{ x }}")],
    }
