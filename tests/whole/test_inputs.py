"""`inputs` over HTTP, from the command line to a daemon, and in the form: one function decides what a text means."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from fakes.daemon import Daemon
from fakes.git import Repository
from fakes.hello import PROJECT, hello_world
from pointsman.cli.main import cli

WORKFLOW = "/projects/hello_world/workflows/backup-environment"
BACKUP = """\
inputs:
  required: [env]
  properties:
    env: {enum: [dev, staging, prod]}
    count: {type: integer, default: 3}
    ticket: {type: string, default: none}
steps:
  - name: "{{ env }} {{ count }} {{ ticket }}"
    target: /projects/hello_world/environments/{{ env }}/assets/managed_server
    action: backup
"""
CALLER = """\
steps:
  - type: workflow
    target: /projects/hello_world/workflows/backup-environment
    property_overrides: {env: "{{ where }}"}
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("inputs")
    ops: Repository = hello_world(folder / "ops.git")
    workflows = Path(PROJECT) / "workflows"
    ops.commit({str(workflows / "backup-environment.yaml"): BACKUP, str(workflows / "caller.yaml"): CALLER})
    ops.tag("v1")
    daemon = Daemon(folder / "ops.git", folder / "data", ("--operator", "opschain")).start()
    yield daemon
    daemon.kill()


def done(daemon: Daemon, *words: str) -> Result:
    return CliRunner().invoke(cli, words, env={"POINTSMAN_SERVER": daemon.url})


@pytest.mark.parametrize("call", ["runs", "plan"])
@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ({"properties": {"env": "prdo"}}, 4, "the input env is 'prdo'; it must be 'dev', 'staging' or 'prod'"),
        ({"set": {"env": "dev", "count": "many"}}, 5, "the input count is the text 'many'; it must be of type integer"),
        ({"properties": {"env": "dev", "ticket": 7}}, 6, "the input ticket is a number (7); it must be of type string"),
    ],
)
def test_what_the_inputs_do_not_take_is_422_with_the_place_where_they_say_so(
    daemon: Daemon, call: str, body: dict[str, object], line: int, message: str
) -> None:
    """INTERFACES: `POST runs`, `POST plan`."""
    answer = daemon.ask("POST", call, {"workflow": WORKFLOW, **body})
    assert answer.status == 422, answer.body
    told = [(one["line"], one["code"], one["message"]) for one in answer.json["errors"] if one["code"] == "PM041"]
    assert told == [(line, "PM041", message)]


def test_texts_are_converted_and_kept_with_the_run_as_what_they_became(daemon: Daemon) -> None:
    body = {"workflow": WORKFLOW, "properties": {"env": "prod"}, "set": {"env": "dev", "count": "5", "ticket": "007"}}
    run = daemon.post("runs", body)
    assert run["properties"] == {"env": "dev", "count": 5, "ticket": "007"}
    assert daemon.run_in(run["number"], "succeeded")["steps"][0]["name"] == "dev 5 007"
    assert daemon.post("plan", {"workflow": WORKFLOW, "set": {"env": "dev"}})["steps"][0]["name"] == "dev 3 none"


def test_set_of_the_command_line_says_the_same_of_a_daemon_as_of_a_plan_here(daemon: Daemon) -> None:
    """INTERFACES: `run --set k=v`; 7, the run was refused."""
    refused = done(daemon, "run", "backup-environment", "--set", "env=prdo")
    assert refused.exit_code == 7, refused.output
    assert "the input env is 'prdo'; it must be 'dev', 'staging' or 'prod'" in refused.stderr
    assert "did you mean prod?" in refused.stderr
    made = done(daemon, "run", "backup-environment", "--set", "env=dev", "--set", "ticket=12", "--json", "--wait")
    assert made.exit_code == 0, made.output
    assert '"ticket": "12"' in made.stdout


def test_a_run_whose_child_does_not_take_its_overrides_is_refused_at_the_step_that_calls_it(daemon: Daemon) -> None:
    """R24: no step starts."""
    path = WORKFLOW.replace("backup-environment", "caller")
    answer = daemon.ask("POST", "runs", {"workflow": path, "set": {"where": "qa"}})
    assert answer.status == 422
    (error,) = [one for one in answer.json["errors"] if one["code"] == "PM041"]
    assert error["path"].endswith("caller.yaml")
    assert (error["line"], error["column"]) == (4, 31)
    assert error["message"].startswith("step 1: hello_world/backup-environment@1: the input env is 'qa'; it must be")


def test_the_fields_of_the_form_mean_what_the_texts_of_set_mean(daemon: Daemon) -> None:
    with httpx.Client(base_url=daemon.url) as client:
        page = client.get("/runs/new", params={"workflow": WORKFLOW}).text
        proof = re.search(r'name="csrf" value="([^"]+)"', page)
        assert proof is not None
        fields = {"csrf": proof[1], "workflow": WORKFLOW, "version": "1", "do": "run", "var.env": "dev"}
        refused = client.post("/runs/new", data={**fields, "var.count": "many"})
        assert refused.status_code == 422
        assert "the input count is the text &#39;many&#39;; it must be of type integer" in refused.text
        made = client.post("/runs/new", data={**fields, "var.count": "4", "overrides": "ticket=08"})
    assert made.status_code == 303, made.text
    run = daemon.get(f"runs/{made.headers['location'].rsplit('/', 1)[1]}")
    assert run["properties"] == {"env": "dev", "count": 4, "ticket": "08"}
