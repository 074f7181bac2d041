"""Runs of versions that are published, over a real repository, ledger and engine, and what `on` says that is wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.sources import repository
from fakes.triggering import PUBLISH, WAIT, KilledError, Triggering
from pointsman.intake.reading import Reading
from pointsman.model.problem import Unavailable
from pointsman.store.schedules import TriggerRows

OTHER_TARGET = "steps: [{target: /projects/q/assets/one, action: check}]\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Triggering]:
    """A daemon that has looked once at a repository with an inventory and no workflow, at 12:00:30."""
    with Triggering(repository(tmp_path / "ops.git")) as triggering:
        triggering.look()
        yield triggering


# Publication


def test_a_version_that_is_published_starts_a_run_of_exactly_itself(world: Triggering) -> None:
    """DESIGN section 4: attributed to nobody, with the tag as information."""
    world.publish("p/w/v1.0", w=PUBLISH)
    world.look()
    world.look()

    assert world.started() == ["w@1.0 by system:publish"]
    assert world.runs[0].metadata["tag"] == "p/w/v1.0"
    assert world.runs[0].metadata["trigger"] == "publish"


def test_what_is_there_at_the_first_start_starts_nothing(tmp_path: Path) -> None:
    """`R25`: it is taken as first seen then; it may have been rolled out long ago."""
    with Triggering(repository(tmp_path / "ops.git")) as world:
        world.publish("v1", w=PUBLISH)
        world.look()
        world.restart()
        world.look()
        assert world.started() == []

        world.publish("v2", w=PUBLISH)
        world.look()
        assert world.started() == ["w@2 by system:publish"]


def test_what_arrives_while_the_daemon_is_away_starts_a_run_once(world: Triggering) -> None:
    """DESIGN section 4."""
    world.restart()
    world.publish("v1", w=PUBLISH)
    world.look()
    world.restart()
    world.look()

    assert world.started() == ["w@1 by system:publish"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_publication_survives_the_daemons_death(world: Triggering, when: str) -> None:
    """`R110`: the trigger is written with the ledger's row, and its run's id follows from the version."""
    world.publish("v1", w=PUBLISH)
    world.unasked.death = when
    with pytest.raises(KilledError):
        world.look()
    world.restart()
    world.look()
    world.look()

    assert world.started() == ["w@1 by system:publish"]


def test_a_publication_waits_until_its_version_is_in_the_catalog(world: Triggering) -> None:
    """Between the ledger's row and the catalog of that look, something else may wake the loop."""
    world.publish("v1", w=PUBLISH)
    world.look_while_acting()
    world.act()

    assert world.started() == ["w@1 by system:publish"]
    assert world.told("trigger_refused") == []


def test_a_version_that_the_disk_refused_to_enter_starts_its_run_when_it_is_entered(world: Triggering) -> None:
    """`R112`: neither the version nor its trigger is there before both are."""
    world.publish("v1", w=PUBLISH)
    world.database._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(Unavailable):
        world.look()
    assert (world.follower._alarms.ledger.rows(), world.rows.due_publications()) == ([], [])
    world.database._connection.execute("PRAGMA query_only = OFF")
    world.look()

    assert world.started() == ["w@1 by system:publish"]


def test_versions_that_are_pushed_together_start_in_their_order_and_queue(world: Triggering) -> None:
    """`R95`: 10 is higher than 9, whatever the order of their tags."""
    for version in ("10", "9", "2.0rc1"):
        world.publish(f"p/w/v{version}", w=PUBLISH)
    world.look()

    assert world.started() == [f"w@{version} by system:publish" for version in ("2.0rc1", "9", "10")]
    assert [run.state for run in world.runs] == ["waiting", "pending", "pending"]


def test_a_version_without_the_trigger_and_an_invalid_one_start_nothing(world: Triggering) -> None:
    """`R20`."""
    world.publish("v1", w=WAIT, bad="on: {publish: true}\nsteps: [{target: /projects/p/assets/gone, action: check}]")
    world.look()

    assert world.started() == []
    assert world.told("trigger_refused") == []


def test_a_publication_that_cannot_be_planned_is_told_once_and_not_tried_again(world: Triggering) -> None:
    """`R32`."""
    world.publish("v1", w="on: {publish: true}\nsteps: [{type: wait, name: '{{ who }}'}]")
    world.look()
    world.restart()
    world.look()

    assert world.started() == []
    (told,) = world.told("trigger_refused")
    assert (told["version"], told["trigger"]) == ("1", "publish")
    assert "who" in told["says"]
    kept = world.loop.publication("/projects/p/workflows/w", "1")
    assert kept is not None
    assert kept.says == told["says"]


def test_a_workflow_that_skips_new_runs_refuses_a_publication_with_an_event(world: Triggering) -> None:
    """`R97`."""
    world.publish("v1", w=PUBLISH + "concurrency: {on_new: skip}")
    world.look()
    world.publish("v2", w=PUBLISH + "concurrency: {on_new: skip}\nname: Again")
    world.look()

    assert world.started() == ["w@1 by system:publish"]
    assert "skips new runs" in world.told("trigger_refused")[0]["says"]


def test_a_state_of_an_older_version_has_looked_before(world: Triggering) -> None:
    """DESIGN section 3: after an upgrade, what is in its ledger starts nothing, and what is published then does."""
    world.publish("v1", w=PUBLISH)
    world.look()
    for statement in (
        "DROP TABLE publications",
        "DROP TABLE schedules",
        "DROP TABLE verdicts",
        "DELETE FROM facts",
        "PRAGMA user_version = 1",
    ):
        world.database._connection.execute(statement)
    world.restart()
    assert TriggerRows(world.database).first_look_is_over()
    world.publish("v2", w=PUBLISH + "name: Again")
    world.look()

    assert world.started() == ["w@1 by system:publish", "w@2 by system:publish"]


# Rights


def policies(world: Triggering, **run: str) -> None:
    """Who may run in which project, besides a target in `q`."""
    files = {
        f"projects/{code}/project.yaml": f"policy: {{run: {{user_names: [{who}]}}}}\n" for code, who in run.items()
    }
    world.repository.commit({**files, "projects/q/assets/one.yaml": "template: server\nproperties: {hostname: q}\n"})
    world.look()


def test_a_policy_about_people_does_not_keep_a_project_from_starting_its_own_runs(world: Triggering) -> None:
    """DESIGN section 8: who may push the tag has decided."""
    policies(world, p="ann")
    world.publish("v1", w=PUBLISH)
    world.look()

    assert world.started() == ["w@1 by system:publish"]


def test_another_projects_policy_is_asked_and_may_name_the_trigger(world: Triggering) -> None:
    """DESIGN section 8: a tag in one project gives no right in another."""
    policies(world, q="ann")
    world.publish("v1", w="on: {publish: true}\n" + OTHER_TARGET)
    world.look()
    assert world.started() == []
    assert "system:publish may not run in this project" in world.told("trigger_refused")[0]["says"]

    policies(world, q="'system:publish'")
    world.publish("v2", w="on: {publish: true}\nname: Again\n" + OTHER_TARGET)
    world.look()
    assert world.started() == ["w@2 by system:publish"]


# Validation


def judged(folder: Path, **workflows: str) -> list[str]:
    """Severity, code, line and sentence of every problem of workflows."""
    made = repository(folder / "ops.git", {}, **workflows)
    found = Reading(made.path).judge(made.head(), {"*": "1"}).problems
    return [f"{one.severity} {one.code} {one.place.line} {one.message}" for one in found]


def test_what_would_never_start_is_told_when_the_workflow_is_judged(tmp_path: Path) -> None:
    """`R24`: a variable without a value is no problem for a person's run, and is one where nobody is there to ask."""
    text = (
        "on:\n  publish: true\n  schedule:\n    - {cron: 0 3 * * *}\n    - {cron: 0 4 * * *, properties: {who: me}}\n"
    )

    assert judged(tmp_path, w=text + "steps: [{type: wait, name: '{{ who }}'}]") == [
        "warning PM038 2 a publication could start no run: there is no value for who",
        "warning PM038 4 this schedule could start no run: there is no value for who",
    ]


def test_a_schedule_whose_properties_lead_to_no_target_is_told(tmp_path: Path) -> None:
    """`R35`."""
    text = "on:\n  schedule:\n    - {cron: 0 3 * * *, properties: {env: dev}}\n"
    text += "    - {cron: 0 4 * * *, properties: {env: pord}}\n"
    steps = "steps: [{target: '/projects/p/environments/{{ env }}/assets/web', action: check}]"

    (found,) = judged(tmp_path, w=text + steps)

    assert found.startswith("warning PM030 4 this schedule could start no run: step 1: ")


def test_properties_of_a_schedule_that_break_the_inputs_are_an_error(tmp_path: Path) -> None:
    """DESIGN section 4: `inputs` are for whoever starts a run."""
    text = "inputs: {required: [who], properties: {who: {enum: [you]}}}\n"
    text += "on:\n  schedule:\n    - {cron: 0 3 * * *, properties: {who: me}}\n    - {cron: 0 4 * * *}\n"

    found = judged(tmp_path, w=text + WAIT)

    assert [one.split(" ")[:3] for one in found] == [["error", "PM041", "4"], ["error", "PM041", "5"]], found
