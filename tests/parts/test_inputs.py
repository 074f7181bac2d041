"""`inputs` and templates' schemas on real repositories: published children, versions of templates, the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.git import Repository
from fakes.hello import PROJECT, hello_world
from fakes.sources import DEV, TEMPLATE, files_of, repository, told
from pointsman.cli.main import cli
from pointsman.intake.reading import PlanQuestion, Reading
from pointsman.model.plan import PinnedWorkflow

BACKUP = """\
inputs:
  required: [env]
  additionalProperties: false
  properties:
    env: {enum: [dev, staging, prod]}
    count: {type: integer, minimum: 1, default: 3}
    ticket: {type: string, default: none}
    disk: {properties: {label: {type: string}, size: {type: integer}}}
steps:
  - name: "{{ env }} {{ count }} {{ ticket }}"
    target: /projects/hello_world/environments/{{ env }}/assets/managed_server
    action: backup
"""


@pytest.fixture
def hello(tmp_path: Path) -> Repository:
    made = hello_world(tmp_path / "ops", bare=False)
    (made.path / PROJECT / "workflows/backup-environment.yaml").write_text(BACKUP)
    return made


def done(hello: Repository, *words: str) -> Result:
    """What a command comes to in the working tree."""
    return CliRunner().invoke(cli, [words[0], "-C", str(hello.path), *words[1:]])


def planned(hello: Repository, *settings: str) -> Result:
    options = [word for setting in settings for word in ("--set", setting)]
    return done(hello, "plan", "backup-environment", "--ref", ".", "--json", *options)


def test_set_gives_values_of_the_types_that_the_inputs_declare(hello: Repository) -> None:
    """INTERFACES: `--set k=v`."""
    result = planned(hello, "env=dev", "count=2", "ticket=007", "disk.label=1", "disk.size=1")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["steps"][0]["name"] == "dev 2 007"
    assert json.loads(planned(hello, "env=dev").stdout)["steps"][0]["name"] == "dev 3 none"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (("env=prdo",), "the input env is 'prdo'; it must be 'dev', 'staging' or 'prod'\nhint: did you mean prod?"),
        (("env=dev", "count=many"), "the input count is the text 'many'; it must be of type integer"),
        (("env=dev", "count=0"), "the input count is 0; it must be at least 1"),
        (("env=dev", "disk.size=big"), "the input disk.size is the text 'big'; it must be of type integer"),
        (("env=dev", "cuont=2"), "the input cuont is not in the schema\nhint: did you mean count?"),
        ((), "the input env is missing; it must be 'dev', 'staging' or 'prod'\nhint: give it with"),
    ],
)  # fmt: skip
def test_a_value_that_an_input_does_not_take_is_a_problem_and_no_wrong_usage(
    hello: Repository, settings: tuple[str, ...], says: str
) -> None:
    """INTERFACES: exit code 1, problems found."""
    result = planned(hello, *settings)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"error[PM041]: {says}" in result.stderr


def test_a_local_run_takes_the_same_texts(hello: Repository) -> None:
    options = ("--local", "--ref", ".", "--set", "env=dev")
    assert (
        "error[PM041]: the input count is the text 'x'"
        in done(hello, "run", "backup-environment", *options, "--set", "count=x").stderr
    )
    result = done(hello, "run", "backup-environment", *options, "--set", "count=5", "--json")
    assert result.exit_code == 2, result.output
    assert done(hello, "run", "backup-environment", *options, "--set", "count=5").exit_code == 0


def test_validate_tells_what_can_never_be_right_in_the_caller_and_in_the_file_itself(hello: Repository) -> None:
    """R24, R102."""
    folder = hello.path / PROJECT
    (folder / "workflows/nightly.yaml").write_text(
        "steps:\n- type: workflow\n  target: /projects/hello_world/workflows/backup-environment\n"
        "  property_overrides: {env: dev, count: many}\n"
    )
    (folder / "workflows/wrong.yaml").write_text("properties: {env: qa}\n" + BACKUP)
    result = done(hello, "validate", "--format", "json")
    errors = [one for one in json.loads(result.stdout)["problems"] if one["severity"] == "error"]
    assert [(one["path"].rsplit("/", 1)[1], one["line"], one["column"], one["code"]) for one in errors] == [
        ("nightly.yaml", 4, 41, "PM041"),
        ("wrong.yaml", 1, 19, "PM041"),
    ]


def test_a_published_child_is_held_to_the_inputs_of_the_version_that_is_called(tmp_path: Path) -> None:
    """R22, R31: at validation and in the plan."""
    step = f"steps: [{{target: {DEV}, action: backup}}]\n"
    ops = repository(tmp_path / "ops.git")
    reading = Reading(ops.path)
    for version, choices in (("1", "[dev]"), ("2", "[prod]")):
        commit = ops.commit(files_of(child=f"inputs: {{properties: {{env: {{enum: {choices}}}}}}}\n{step}"))
        pinned = PinnedWorkflow(path="/projects/p/workflows/child", version=version, commit=commit, tag=f"v{version}")
        reading.published.add(pinned)
    call = (
        "steps: [{type: workflow, target: /projects/p/workflows/child, version: %s, property_overrides: {env: dev}}]\n"
    )
    commit = ops.commit(files_of(one=call % "1", two=call % "2"))

    problems = reading.judge(commit).problems

    assert [(one.place.path.rsplit("/", 1)[1], one.says) for one in problems if one.code == "PM041"] == [
        ("two.yaml", "p/child@2: the input env is 'dev'; it must be 'prod'")
    ]
    question = PlanQuestion(workflow="/projects/p/workflows/two", inventory=commit, draft=commit)
    assert "two.yaml:1:101: error[PM041]: step 1: p/child@2: the input env is 'dev'" in told(reading.plan(question))


def test_an_asset_with_a_template_version_meets_the_schema_of_that_version(tmp_path: Path) -> None:
    """R102: the error is at the line of the asset that sets the value, whatever the present template says."""
    ops = repository(tmp_path / "ops.git")
    strict = "properties_schema: {properties: {hostname: {pattern: '^[a-z]+$'}}}\n"
    ops.commit({"templates/server/template.yaml": TEMPLATE + strict})
    ops.tag("t1")
    asset = "projects/p/environments/dev/assets/web.yaml"
    commit = ops.commit({
        "templates/server/template.yaml": TEMPLATE,
        asset: "template: server\ntemplate_version: t1\nproperties: {hostname: WEB}\n",
    })  # fmt: skip
    (found,) = Reading(ops.path).judge(commit).problems
    assert str(found).startswith(f"{asset}:3:24: error[PM025]: {DEV}: the property hostname is 'WEB'; it must fit")


def test_an_asset_that_breaks_its_schema_can_be_changed_only_with_overrides_that_mend_it(tmp_path: Path) -> None:
    """R102: a run's plan holds the properties of each change against the schema."""
    change = f"steps: [{{target: {DEV}, action: backup%s}}]\n"
    ops = repository(tmp_path / "ops.git", deploy=change % "", mended=change % ", property_overrides: {port: 81}")
    commit = ops.commit({
        "templates/server/template.yaml": TEMPLATE + "properties_schema: {properties: {port: {type: integer}}}\n",
        "projects/p/environments/dev/assets/web.yaml": "template: server\nproperties: {hostname: web, port: http}\n",
    })  # fmt: skip
    reading = Reading(ops.path)

    problems = [one for one in reading.judge(commit).problems if one.code == "PM025"]
    assert [one.place.path for one in problems] == ["projects/p/environments/dev/assets/web.yaml"]
    plans = {
        name: reading.plan(PlanQuestion(workflow=f"/projects/p/workflows/{name}", inventory=commit, draft=commit))
        for name in ("deploy", "mended")
    }
    assert "web.yaml:2:35: error[PM025]" in told(plans["deploy"])
    assert plans["mended"].plan is not None
