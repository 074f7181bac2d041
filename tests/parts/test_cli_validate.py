"""`pointsman validate` on real repositories: its formats, what a change breaks for published versions, and people."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fakes.git import ENVIRONMENT, Repository
from fakes.hello import ACTIONS, PROJECT, TEMPLATE, hello_world
from pointsman.cli.main import cli

ENVIRONMENTS = f"{PROJECT}/environments"
PROD = f"{ENVIRONMENTS}/prod/assets/managed_server.yaml"
BROKEN = "steps:\n- type: change\n  target: /projects/hello_world/environments/dev/assets/nothing\n  action: backup\n"


def done(repository: Repository | Path, *words: str, env: dict[str, str] | None = None) -> Result:
    """What `validate` comes to in a repository or folder."""
    folder = repository.path if isinstance(repository, Repository) else repository
    return CliRunner().invoke(cli, ["validate", "-C", str(folder), *words], env=env)


def broken(repository: Repository, *words: str) -> list[dict[str, Any]]:
    """What `validate` says that published versions lose."""
    problems = json.loads(done(repository, *words, "--format", "json").stdout)["problems"]
    return [problem for problem in problems if problem["code"] == "PM044"]


def places(problems: list[dict[str, Any]]) -> list[str]:
    """Where each problem is, as far as the line."""
    return [f"{problem['path']}:{problem['line']}" for problem in problems]


@pytest.fixture
def hello(tmp_path: Path) -> Repository:
    """The seed's project, published as v1, with the branch `change` shown in the working tree."""
    repository = hello_world(tmp_path / "ops", bare=False)
    repository.tag("v1")
    repository.git("checkout", "-qb", "change")
    return repository


# --base


def test_a_change_that_breaks_nothing_says_nothing(hello: Repository) -> None:
    """R27."""
    hello.commit({f"{ENVIRONMENTS}/qa/assets/managed_server.yaml": "template: managed_server\n"}, branch="change")
    assert broken(hello, "--base", "main") == []
    assert done(hello, "--base", "main").exit_code == 0


def test_a_target_that_is_gone_is_named_with_the_versions_and_steps_that_need_it(hello: Repository) -> None:
    """R27: also where only the overrides of a call lead to it."""
    (hello.path / PROD).unlink()

    found = broken(hello, "--base", "main")

    assert places(found) == [f"{PROD}:1", f"{PROD}:1"]
    pipeline = next(problem for problem in found if "rollout-pipeline 1 " in problem["message"])
    assert "at steps 1.1, 6.1, 6.2: there is no target /projects/hello_world/environments/prod" in pipeline["message"]
    assert "first publish a version of hello_world/rollout-pipeline" in pipeline["hint"]
    assert {problem["severity"] for problem in found} == {"error"}
    caller = next(problem for problem in found if "backup-all 1 " in problem["message"])
    assert "at step 1 of backup-environment: " in caller["message"]
    assert done(hello, "--base", "main").exit_code == 1
    assert broken(hello) == []


def test_an_action_that_is_gone_is_told_in_its_template_beside_where_it_was(hello: Repository) -> None:
    """R27."""
    backup = '  backup:\n    command: [./act.sh, backup, "{{ hostname }}"]\n'
    assert backup in ACTIONS
    hello.commit({f"{TEMPLATE}/template.yaml": ACTIONS.replace(backup, "")}, branch="change")

    found = broken(hello, "change", "--base", "main")

    line = ACTIONS.splitlines().index("  disk_check:") + 1
    assert set(places(found)) == {f"{TEMPLATE}/template.yaml:{line}"}
    assert any("has no action 'backup'" in problem["message"] for problem in found)


def test_a_template_that_is_gone_takes_its_targets_with_it(hello: Repository) -> None:
    """R27."""
    hello.commit({f"{TEMPLATE}/template.yaml": None, f"{TEMPLATE}/act.sh": None}, branch="change")
    found = broken(hello, "--base", "main")
    assert {problem["path"] for problem in found} == {
        f"{ENVIRONMENTS}/{env}/assets/managed_server.yaml" for env in ("dev", "staging", "prod")
    }


def test_another_template_and_a_lost_property_are_told_at_the_target(hello: Repository) -> None:
    """R27: a plan needs the properties that an action's templates name, too."""
    other = "actions: {backup: {run: 'true'}, disk_check: {run: 'true'}, default: {run: 'true'}, configure: {run: x}}\n"
    hello.commit(
        {
            "templates/other/template.yaml": other.replace("default: {run: 'true'}, ", ""),
            PROD: "template: other\n",
            f"{ENVIRONMENTS}/dev/assets/managed_server.yaml": "template: managed_server\n",
        },
        branch="change",
    )
    messages = {problem["path"]: problem["message"] for problem in broken(hello, "--base", "main")}
    assert "has no action 'default'" in messages[PROD]
    assert "the property hostname has no value" in messages[f"{ENVIRONMENTS}/dev/assets/managed_server.yaml"]


def test_an_environment_that_is_a_target_itself_is_missed_where_its_file_was(hello: Repository) -> None:
    """R27."""
    lab = f"{ENVIRONMENTS}/lab"
    look = "steps: [{target: /projects/hello_world/environments/lab, action: backup}]\n"
    files = {f"{lab}/environment.yaml": "template: managed_server\nproperties: {hostname: lab}\n"}
    hello.tag("hello_world/look/v1", hello.commit({**files, f"{PROJECT}/workflows/look.yaml": look}, branch="main"))
    hello.git("checkout", "-q", "main")
    (hello.path / lab / "environment.yaml").unlink()
    assert places(broken(hello, "--base", "HEAD")) == [f"{lab}/environment.yaml:1"]


def test_a_variable_that_the_project_gave_is_missed(hello: Repository) -> None:
    """R27, R31."""
    given = "properties: {env: dev}\n"
    hello.commit({f"{PROJECT}/project.yaml": given}, branch="main")
    hello.git("checkout", "-q", "main")
    (hello.path / PROJECT / "project.yaml").write_text("name: Hello\n")

    found = broken(hello, "--base", "main")

    assert places(found) == [f"{PROJECT}/project.yaml:1"]
    assert "hello_world/backup-environment 1 would be refused: the variable env has no value" in found[0]["message"]


def test_only_what_the_change_breaks_is_told_not_what_was_broken_before(hello: Repository) -> None:
    """R27: prod went on main, without a check; the change takes dev away."""
    hello.commit({PROD: None}, branch="main")
    hello.git("reset", "-q", "--hard", "main")
    (hello.path / ENVIRONMENTS / "dev/assets/managed_server.yaml").unlink()
    found = broken(hello, "--base", "main")
    assert set(places(found)) == {f"{ENVIRONMENTS}/dev/assets/managed_server.yaml:1"}


def test_what_the_base_has_got_since_the_branches_parted_is_no_part_of_the_change(hello: Repository) -> None:
    """R27: v2 on main uses a target that the branch has never had."""
    qa = f"{ENVIRONMENTS}/qa/assets/managed_server.yaml"
    use = "steps: [{target: /projects/hello_world/environments/qa/assets/managed_server, action: backup}]\n"
    asset = "template: managed_server\nproperties: {hostname: qa}\n"
    main = hello.commit({qa: asset, f"{PROJECT}/workflows/backup-environment.yaml": use}, branch="main")
    hello.tag("hello_world/backup-environment/v2", main)
    assert broken(hello, "--base", "main") == []
    assert broken(hello, "change", "--base", "main") == []
    hello.commit({qa: None}, branch="main")
    assert places(broken(hello, "main", "--base", main)) == [f"{qa}:1"]


def test_only_the_latest_valid_version_counts_even_if_the_newest_tag_is_invalid(hello: Repository) -> None:
    """R27, R22: version 2 needs dev no longer, version 3 is invalid."""
    without_dev = "steps: [{target: /projects/hello_world/environments/prod/assets/managed_server, action: backup}]\n"
    path = f"{PROJECT}/workflows/rollout-pipeline.yaml"
    hello.tag("hello_world/rollout-pipeline/v2", hello.commit({path: without_dev}, branch="main"))
    hello.tag("v3", hello.commit({path: "steps: []\n"}, branch="main"))
    hello.git("reset", "-q", "--hard", "main")
    (hello.path / ENVIRONMENTS / "dev/assets/managed_server.yaml").unlink()
    (hello.path / PROD).unlink()

    messages = [problem["message"] for problem in broken(hello, "--base", "main")]

    assert [message for message in messages if "rollout-pipeline 1 " in message] == []
    [own] = [message for message in messages if "rollout-pipeline 2 " in message]
    assert "/environments/prod/" in own


def test_versions_that_take_their_targets_from_their_own_tag_need_nothing_of_the_change(hello: Repository) -> None:
    """R27: `inventory: tag`."""
    hello.commit({"pointsman.yaml": "inventory: tag\n", PROD: None}, branch="change")
    assert broken(hello, "change", "--base", "main") == []


def test_a_base_that_is_not_there_is_not_found_and_without_tags_it_says_why_nothing_is_compared(
    tmp_path: Path, hello: Repository
) -> None:
    assert done(hello, "--base", "mian").exit_code == 6
    hello.delete_tag("v1")
    assert "a shallow clone may lack the tags" in done(hello, "--base", "main").stderr
    loose = tmp_path / "loose"
    (loose / "projects").mkdir(parents=True)
    assert done(loose, "--base", "main").exit_code == 6


# Formats


def test_paths_are_those_of_the_repository_wherever_it_is_called_and_whatever_its_root_is(hello: Repository) -> None:
    """Annotations land at the right lines only if the host knows the path."""
    (hello.path / "ops").mkdir()
    (hello.path / "projects").rename(hello.path / "ops/projects")
    workflows = hello.path / "ops" / PROJECT / "workflows"
    (workflows / "broken.yaml").write_text(BROKEN)

    for folder, words in ((hello.path, ["--root", "ops"]), (workflows, [])):
        lines = done(folder, *words, "--format", "github").stdout.splitlines()
        [line] = [line for line in lines if line.startswith("::error")]
        assert line == (
            f"::error file=ops/{PROJECT}/workflows/broken.yaml,line=3,endLine=3,col=11,endColumn=64,"
            "title=PM030 unknown target::step 1: there is no target "
            "/projects/hello_world/environments/dev/assets/nothing; /projects/hello_world/environments/dev exists"
            "%0Ahint: did you mean /projects/hello_world/environments/dev/assets/managed_server?"
        )


def test_the_format_may_come_from_the_environment_and_the_flag_wins(hello: Repository) -> None:
    (hello.path / PROJECT / "workflows/broken.yaml").write_text(BROKEN)
    env = {"POINTSMAN_FORMAT": "github"}
    assert done(hello, env=env).stdout.startswith("::error ")
    assert done(hello, "--format", "text", env=env).stdout.startswith(f"{PROJECT}/workflows/broken.yaml:3:11: error[")
    assert done(hello, env={"GITHUB_ACTIONS": "true"}).stdout.startswith(f"{PROJECT}/workflows/")
    assert done(hello, env={"POINTSMAN_FORMAT": "yaml"}).exit_code == 2


@pytest.mark.parametrize("form", ["text", "json", "github", "gitlab", "sarif", "junit"])
def test_every_format_ends_with_0_for_a_valid_tree_and_with_1_for_an_error(hello: Repository, form: str) -> None:
    assert done(hello, "--format", form).exit_code == 0
    (hello.path / PROJECT / "workflows/broken.yaml").write_text(BROKEN)
    assert done(hello, "--format", form).exit_code == 1


def test_hostile_names_of_files_come_out_escaped(hello: Repository) -> None:
    folder = os.fsencode(hello.path / PROJECT / "workflows")
    for name in (b"a\n::error::b.yaml", b"\x1b[2J.yaml", b"\xff\xfe.yaml", b"x,y:z.yaml"):
        Path(os.fsdecode(folder + b"/" + name)).write_text("steps: []\n")
    for form in ("text", "github", "junit"):
        # through a real pipe, as a program would read it
        words = [sys.executable, "-m", "pointsman", "validate", "--format", form]
        ended = subprocess.run(words, cwd=hello.path, env=ENVIRONMENT, capture_output=True, check=False)
        assert ended.returncode in {0, 1}, ended.stderr.decode()
        text = ended.stdout.decode("utf-8")
        assert "\x1b" not in text
        assert "\n::error::b" not in text
        assert "Traceback" not in ended.stderr.decode()


# People


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A daemon's data directory with one user."""
    folder = tmp_path / "data"
    words = ["user", "add", "opscain", "--data", str(folder), "--password-stdin"]
    made = CliRunner().invoke(cli, words, input="a long enough password\n")
    assert made.exit_code == 0, made.output
    return folder


def test_an_approver_who_is_no_user_is_a_warning_and_with_strict_an_error(
    hello: Repository, data: Path, tmp_path: Path
) -> None:
    """R17."""
    assert "PM022" not in done(hello).stdout
    told = done(hello, "--data", str(data))
    assert told.exit_code == 0
    assert f"{PROJECT}/workflows/rollout-pipeline.yaml:41:9: warning[PM022]: " in told.stdout
    assert "hint: did you mean opscain?" in told.stdout
    assert done(hello, "--data", str(data), "--strict").exit_code == 1
    config = tmp_path / "pointsman.toml"
    config.write_text(f'repository = "{hello.path}"\ndata = "{data}"\n')
    assert "PM022" in done(hello, "v1", "--config", str(config)).stdout


def test_a_data_directory_that_is_not_there_is_not_made(hello: Repository, tmp_path: Path) -> None:
    result = done(hello, "--data", str(tmp_path / "nowhere"))
    assert result.exit_code == 6
    assert not (tmp_path / "nowhere").exists()
