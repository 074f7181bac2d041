"""`validate`, `plan`, `versions` and `publish` on real repositories."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fakes.git import Repository
from fakes.hello import PIPELINE, PROJECT, hello_world
from pointsman.cli.main import cli

BROKEN = "steps:\n- type: change\n  target: /projects/hello_world/environments/dev/assets/nothing\n  action: backup\n"


def done(repository: Repository | Path, *words: str) -> Result:
    """What a command comes to in a repository or folder."""
    folder = repository.path if isinstance(repository, Repository) else repository
    return CliRunner().invoke(cli, [words[0], "-C", str(folder), *words[1:]])


def data(result: Result) -> Any:
    """What a command that must succeed printed as JSON."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def hello(tmp_path: Path) -> Repository:
    return hello_world(tmp_path / "ops", bare=False)


# validate


def test_a_good_working_tree_is_valid_and_says_what_is_in_it(hello: Repository) -> None:
    hello.tag("v1")
    result = done(hello, "validate")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "valid: 3 workflows, 7 targets\n"


def test_validation_prints_exactly_the_fields_of_the_contract(hello: Repository) -> None:
    file = hello.path / PROJECT / "workflows/broken.yaml"
    file.write_text(BROKEN)

    result = done(hello, "validate", "--format", "json")

    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert set(told) == {"valid", "problems"}
    assert told["valid"] is False
    found = [problem for problem in told["problems"] if problem["severity"] == "error"]
    assert len(found) == 1
    assert set(found[0]) == {"path", "line", "column", "code", "severity", "message", "hint"}
    place = {name: found[0][name] for name in ("path", "line", "column", "code")}
    assert place == {"path": f"{PROJECT}/workflows/broken.yaml", "line": 3, "column": 11, "code": "PM030"}


def test_problems_go_to_standard_output_and_their_number_to_standard_error(hello: Repository) -> None:
    (hello.path / PROJECT / "workflows/broken.yaml").write_text("stepss: []\n")
    hello.tag("v1")

    result = done(hello, "validate")

    assert result.exit_code == 1
    assert f"{PROJECT}/workflows/broken.yaml:1:1: error[PM010]: " in result.stdout
    assert "\nhint: did you mean steps?\n" in result.stdout
    assert result.stderr == "2 errors in 12 files\n"
    assert "\x1b" not in result.output


def test_a_child_that_no_tag_publishes_is_a_warning_which_strict_takes_for_an_error(hello: Repository) -> None:
    """R24."""
    assert data(done(hello, "validate", "--format", "json"))["valid"] is True
    strict = done(hello, "validate", "--strict", "--format", "json")
    assert strict.exit_code == 1
    assert {problem["severity"] for problem in json.loads(strict.stdout)["problems"]} == {"error"}

    hello.tag("hello_world/backup-environment/v1")
    assert done(hello, "validate", "--strict").exit_code == 0


def test_a_release_tag_is_judged_with_the_versions_that_it_gives(hello: Repository) -> None:
    """R24: no warning about a child that the tag itself publishes."""
    hello.tag("v1")
    assert data(done(hello, "validate", "v1", "--format", "json"))["problems"] == []


def test_a_ref_is_judged_as_it_is_committed_and_an_unknown_one_is_not_found(hello: Repository) -> None:
    (hello.path / PROJECT / "workflows/broken.yaml").write_text(BROKEN)
    assert done(hello, "validate", "main").exit_code == 0
    assert done(hello, "validate", "mian").exit_code == 6


def test_a_bare_repository_is_judged_by_its_refs(tmp_path: Path) -> None:
    bare = hello_world(tmp_path / "ops.git")
    assert done(bare, "validate", "main").exit_code == 0
    assert done(bare, "validate").exit_code == 6


def test_a_folder_that_is_no_repository_is_judged_if_it_holds_projects(hello: Repository, tmp_path: Path) -> None:
    (hello.path / "projects").rename(tmp_path / "loose-projects")
    loose = tmp_path / "loose"
    loose.mkdir()
    (tmp_path / "loose-projects").rename(loose / "projects")

    assert done(loose, "validate").exit_code == 0
    assert done(loose, "plan", "rollout-pipeline", "--ref", ".").stdout.endswith("17 steps\n")
    assert done(loose, "plan", "rollout-pipeline").exit_code == 6
    assert done(tmp_path, "validate").exit_code == 6


def test_a_subfolder_is_found_from_inside_it_or_named_with_root(hello: Repository) -> None:
    hello.git("mv", "projects", "deep")
    (hello.path / "ops").mkdir()
    (hello.path / "deep").rename(hello.path / "ops/projects")
    inside = hello.path / "ops/projects/hello_world"
    (inside / "workflows/broken.yaml").write_text("steps: []\n")

    for result in (done(inside, "validate"), done(hello, "validate", "--root", "ops")):
        assert result.exit_code == 1
        assert result.stdout.startswith("ops/projects/hello_world/workflows/")
    assert "--root" in done(hello, "validate").stderr


# plan


def test_the_seeds_pipeline_prints_as_17_steps_with_its_root(hello: Repository) -> None:
    """R40."""
    hello.tag("v1")
    result = done(hello, "plan", "rollout-pipeline@1")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[-1] == "17 steps"
    assert len(lines) == 18
    assert lines[3].split("  ") == [
        "", "", "", "1.1.1", "dev › managed_server", "[change]",
        "/projects/hello_world/environments/dev/assets/managed_server › disk_check",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [PIPELINE, "hello_world/rollout-pipeline", "rollout-pipeline"])
def test_a_workflow_is_named_by_path_by_project_and_code_or_by_a_unique_code(hello: Repository, name: str) -> None:
    hello.tag("v1")
    found = data(done(hello, "plan", name, "--json"))
    assert {"digest", "commits", "steps", "step_count"} <= set(found)
    assert found["commits"] == {PIPELINE: hello.head()}
    assert (found["workflow"], found["step_count"], len(found["steps"])) == (PIPELINE, 17, 6)


def test_a_code_of_two_projects_is_refused_with_both(hello: Repository) -> None:
    hello.commit({"projects/other/workflows/rollout-pipeline.yaml": "steps: [{type: wait}]\n"})
    result = done(hello, "plan", "rollout-pipeline", "--ref", "main")
    assert result.exit_code == 7
    assert PIPELINE in result.stderr
    assert "/projects/other/workflows/rollout-pipeline" in result.stderr


def test_an_unknown_workflow_is_not_found_and_the_nearest_is_named(hello: Repository) -> None:
    result = done(hello, "plan", "rollout-pipelin", "--ref", "main")
    assert result.exit_code == 6
    assert "did you mean rollout-pipeline?" in result.stderr


def test_without_a_version_the_plan_says_how_to_plan_a_draft(hello: Repository) -> None:
    result = done(hello, "plan", "rollout-pipeline")
    assert result.exit_code == 1
    assert "has no published version" in result.stderr
    assert "--ref" in result.stderr
    assert done(hello, "plan", "rollout-pipeline", "--ref", "main").exit_code == 0


def test_the_latest_valid_version_is_planned_and_an_invalid_one_tells_its_problems(hello: Repository) -> None:
    """R20, R22: v1 is good, v3 is not, v4rc1 is a pre-release: latest is v1."""
    hello.tag("hello_world/backup-environment/v1")
    first = hello.head()
    hello.commit({f"{PROJECT}/workflows/backup-environment.yaml": BROKEN})
    hello.tag("hello_world/backup-environment/v3")
    hello.commit({f"{PROJECT}/workflows/backup-environment.yaml": "steps: [{type: wait}]\n"})
    hello.tag("hello_world/backup-environment/v4rc1")

    found = data(done(hello, "plan", "backup-environment", "--set", "env=dev", "--json"))
    assert (found["version"], list(found["commits"].values())) == ("1", [first])
    assert data(done(hello, "plan", "backup-environment@4rc1", "--json"))["step_count"] == 2

    invalid = done(hello, "plan", "backup-environment@3")
    assert invalid.exit_code == 1
    assert "error[PM030]" in invalid.stderr
    assert done(hello, "plan", "backup-environment@9").exit_code == 6


def test_variables_come_from_set_and_one_without_a_value_ends_with_1(hello: Repository) -> None:
    """R32."""
    missing = done(hello, "plan", "backup-environment", "--ref", "main")
    assert missing.exit_code == 1
    assert missing.stdout == ""
    assert "error[PM038]" in missing.stderr
    given = done(hello, "plan", "backup-environment", "--ref", "main", "--set", "env=prod")
    assert "/environments/prod/" in given.stdout


def test_targets_come_from_the_inventory_branch_not_from_the_tag(hello: Repository) -> None:
    hello.tag("v1")
    hello.commit({f"{PROJECT}/environments/dev/assets/managed_server.yaml": None})
    result = done(hello, "plan", "backup-environment@1", "--set", "env=dev")
    assert result.exit_code == 1
    assert "error[PM030]" in result.stderr


def test_a_draft_of_the_working_tree_is_planned_as_it_lies_there(hello: Repository) -> None:
    (hello.path / PROJECT / "workflows/new.yaml").write_text("steps: [{type: wait, name: Look}]\n")
    result = done(hello, "plan", "new", "--ref", ".")
    assert result.exit_code == 0
    assert "1  Look  [wait]" in result.stdout
    assert "only in the working tree" in done(hello, "plan", "new").stderr


# versions and publish


def test_versions_and_drafts_are_listed_with_their_state_and_commit(hello: Repository) -> None:
    hello.tag("v1")
    hello.commit({f"{PROJECT}/workflows/rollout-pipeline.yaml": "steps: []\n"}, branch="main")
    hello.tag("v2")

    item = data(done(hello, "versions", "rollout-pipeline", "--json"))[0]

    assert item["latest"] == "1"
    assert [(version["version"], version["state"], version["tag"]) for version in item["versions"]] == [
        ("1", "valid", "v1"),
        ("2", "invalid", "v2"),
    ]
    assert [(draft["branch"], draft["state"]) for draft in item["drafts"]] == [("main", "invalid")]
    rows = [line.split() for line in done(hello, "versions").stdout.splitlines()]
    assert [
        "hello_world/rollout-pipeline",
        "1",
        "(latest)",
        "valid",
        hello.git("rev-parse", "v1^{}")[:10],
        "v1",
    ] in rows
    assert done(hello, "versions", "rollout-pipeline", "-q").stdout == (
        "hello_world/rollout-pipeline@1\nhello_world/rollout-pipeline@2\n"
    )


def test_publishing_makes_the_next_annotated_tag_and_prints_how_to_push_it(hello: Repository) -> None:
    first = done(hello, "publish", "rollout-pipeline")
    assert (first.exit_code, first.stdout) == (0, "git push origin hello_world/rollout-pipeline/v1\n")
    assert hello.git("cat-file", "-t", "hello_world/rollout-pipeline/v1") == "tag"
    assert hello.git("rev-parse", "hello_world/rollout-pipeline/v1^{commit}") == hello.head()
    assert done(hello, "publish", "rollout-pipeline", "-q").stdout == "hello_world/rollout-pipeline/v2\n"
    assert done(hello, "publish", "rollout-pipeline", "v2.5").exit_code == 0
    assert done(hello, "publish", "rollout-pipeline").stdout.endswith("/v3\n")


def test_a_version_that_exists_is_refused_in_any_spelling_and_by_any_tag(hello: Repository) -> None:
    """R25: a published version never moves."""
    hello.tag("v1")
    for version in ("1", "1.0", "v1.0.0"):
        result = done(hello, "publish", "rollout-pipeline", version)
        assert result.exit_code == 7
        assert "has version 1 already: tag v1" in result.stderr
    assert done(hello, "publish", "rollout-pipeline", "one").exit_code == 2


def test_what_is_not_committed_is_not_published(hello: Repository) -> None:
    (hello.path / PROJECT / "workflows/new.yaml").write_text("steps: [{type: wait}]\n")
    result = done(hello, "publish", "rollout-pipeline")
    assert result.exit_code == 7
    assert f"{PROJECT}/workflows/new.yaml" in result.stderr
    assert hello.git("tag") == ""


def test_an_invalid_workflow_is_not_published_but_its_neighbours_are(hello: Repository) -> None:
    """R20."""
    hello.commit({f"{PROJECT}/workflows/broken.yaml": BROKEN})
    result = done(hello, "publish", "broken")
    assert result.exit_code == 1
    assert "error[PM030]" in result.stderr
    assert hello.git("tag") == ""
    assert done(hello, "publish", "rollout-pipeline").exit_code == 0


def test_publishing_what_the_inventory_branch_has_no_targets_for_warns(hello: Repository) -> None:
    """R28."""
    before = hello.head()
    hello.git("checkout", "-qb", "feature")
    asset = f"{PROJECT}/environments/dev/assets/managed_server.yaml"
    hello.opened.references.create("refs/heads/main", hello.commit({asset: None}), force=True)

    result = done(hello, "publish", "backup-all", "-q")
    assert (result.exit_code, result.stderr) == (0, "")

    result = done(hello, "publish", "rollout-pipeline", "-q")
    assert result.exit_code == 0
    assert "warning[PM030]" in result.stderr
    assert hello.git("rev-parse", "hello_world/rollout-pipeline/v1^{commit}") == before
