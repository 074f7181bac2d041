"""Triggers with the real daemon: a tag that is pushed starts its run, and schedules are seen before they come."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.daemon import Daemon
from fakes.git import Repository
from fakes.lab import LAB, served_lab
from pointsman.cli.main import cli

CHANGE = "steps: [{target: /projects/lab/assets/one, action: say}]\n"
ON_PUBLISH = "on: {publish: true}\n" + CHANGE
SCHEDULED = """\
on:
  publish: true
  schedule:
    - {cron: '* * * * *', timezone: Europe/Berlin}
    - {cron: 0 3 29 2 *, properties: {words: leap}}
steps:
  - type: wait
    name: Look
"""
HIDDEN = "on: {schedule: [{cron: 0 3 29 2 *}]}\nsteps: [{type: wait, name: Look}]\n"


class World:
    """A daemon on the lab's repository, and a clone to push from."""

    def __init__(self, folder: Path, daemon: Daemon) -> None:
        self.daemon = daemon
        self.clone = Repository.clone(Repository(folder / "ops.git"), folder / "clone")

    def push(self, *tags: str, **files: str) -> None:
        """Workflows by `project_code`, and tags on them, pushed together."""
        named = {f"projects/{'/workflows/'.join(name.split('_'))}.yaml": text for name, text in files.items()}
        self.clone.commit(named)
        for tag in tags:
            self.clone.tag(tag)
        self.clone.git("push", "-q", "--atomic", "origin", "main", *tags)

    def runs(self, code: str) -> list[dict[str, object]]:
        """The runs of a workflow of the lab, oldest first."""
        found: list[dict[str, object]] = self.daemon.get(f"runs?workflow={LAB.format(code)}")["items"]
        return found[::-1]

    def done(self, *words: str) -> Result:
        """What a command comes to."""
        environ = {"POINTSMAN_SERVER": self.daemon.url, "POINTSMAN_TOKEN": self.daemon.token}
        return CliRunner().invoke(cli, words, env=environ)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("triggers")
    with served_lab(folder) as daemon:
        yield World(folder, daemon)


def test_a_pushed_tag_starts_a_run_of_its_version_that_succeeds_once(world: World) -> None:
    """DESIGN section 4, `R110`: also over `kill -9`."""
    world.push("lab/auto/v1", lab_auto=ON_PUBLISH)
    run = world.daemon.until(lambda: world.runs("auto"), "the run of what was published")[0]
    assert (run["version"], run["started_by"]) == ("1", "system:publish")
    metadata = run["metadata"]
    assert isinstance(metadata, dict)
    assert (metadata["trigger"], metadata["tag"]) == ("publish", "lab/auto/v1")
    world.daemon.run_in(str(run["number"]), "succeeded")

    world.daemon.kill()
    world.daemon.start()
    world.push("lab/auto/v2", lab_auto=f"name: Again\n{ON_PUBLISH}")
    world.daemon.until(lambda: len(world.runs("auto")) == 2, "the run of the second version")
    assert [one["version"] for one in world.runs("auto")] == ["1", "2"]
    assert world.daemon.get("events?type=trigger_refused")["items"] == []


def test_a_schedule_is_listed_before_it_comes(world: World) -> None:
    """INTERFACES: over the API, by the command and on the workflow's page, for those who may view its project."""
    world.push("lab/scheduled/v1", "secret/scheduled/v1", lab_scheduled=SCHEDULED, secret_scheduled=HIDDEN)
    items = world.daemon.until(
        lambda: len(found := world.daemon.get("schedules")["items"]) == 3 and found, "the schedules"
    )
    every, leap, _ = items
    assert (every["cron"], every["timezone"], every["version"]) == ("* * * * *", "Europe/Berlin", "1")
    assert every["next_at"].endswith(":00.000Z")
    assert every["next_local"][-6:] in {"+01:00", "+02:00"}
    assert (leap["properties"], leap["next_at"][5:], leap["last"]) == ({"words": "leap"}, "02-29T03:00:00.000Z", None)

    printed = world.done("schedules")
    assert (printed.exit_code, printed.stdout.count("lab/scheduled@1")) == (0, 2), printed.output
    assert world.done("schedules", "--json").exit_code == 0
    page = world.daemon.ask("GET", "//workflows/lab/scheduled", Accept="text/html").body.decode()
    assert "Each version that is published starts a run." in page
    assert "0 3 29 2 * in UTC starts a run: next at 20" in page

    with world.daemon.acting_as(world.daemon.tokens["guest"]):
        assert {one["workflow"] for one in world.daemon.get("schedules")["items"]} == {LAB.format("scheduled")}
