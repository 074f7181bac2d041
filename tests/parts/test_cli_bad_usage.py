"""Commands that are called wrongly, or where they cannot work, say one sentence and what to do."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.git import Repository
from fakes.hello import PIPELINE, hello_world
from pointsman.cli.main import cli

ASSET = "projects/hello_world/environments/dev/assets/managed_server"


def done(*words: str) -> Result:
    """What a command comes to."""
    return CliRunner().invoke(cli, list(words))


@pytest.fixture
def hello(tmp_path: Path) -> Repository:
    return hello_world(tmp_path / "ops", bare=False)


@pytest.mark.parametrize(
    ("text", "hint"),
    [("HEAD~1", "git rev-parse tells the id"), ("v1^{}", "git rev-parse"), ("mian", "did you mean 'main'?")],
)
def test_a_ref_that_is_not_there_comes_with_what_to_write(hello: Repository, text: str, hint: str) -> None:
    result = done("diff", text, "-C", str(hello.path))

    assert result.exit_code == 6
    assert hint in result.stderr


def test_head_before_the_first_commit_says_that_nothing_is_committed(tmp_path: Path) -> None:
    Repository.create(tmp_path / "new")

    assert "hint: nothing is committed yet" in done("validate", "HEAD", "-C", str(tmp_path / "new")).stderr


def test_a_ref_that_a_shallow_clone_lacks_comes_with_how_to_get_it(hello: Repository, tmp_path: Path) -> None:
    hello.git("clone", "-q", "--depth=1", "--no-tags", f"file://{hello.path}", str(tmp_path / "shallow"))

    result = done("diff", "v1", "-C", str(tmp_path / "shallow"))

    assert "hint: this clone is shallow" in result.stderr


def test_a_published_version_runs_in_a_bare_repository_too(tmp_path: Path) -> None:
    bare = hello_world(tmp_path / "ops.git")
    bare.tag("v1")

    result = done("run", PIPELINE, "--local", "--answer", "4=reject", "-C", str(bare.path))

    assert result.exit_code == 5, result.stderr


def test_a_schema_is_written_into_a_folder_that_is_made_for_it(hello: Repository, tmp_path: Path) -> None:
    file = tmp_path / "made/for/workflow.json"

    assert done("schema", "-o", str(file), "-C", str(hello.path)).exit_code == 0
    assert file.is_file()
    below = done("schema", "-o", str(file / "below.json"), "-C", str(hello.path))
    assert below.exit_code == 2
    assert "cannot be written" in below.stderr


def test_what_the_machine_refuses_is_no_bug_of_pointsman(hello: Repository) -> None:
    result = done("validate", "--root", "x" * 300, "-C", str(hello.path))

    assert result.exit_code == 1
    assert "File name too long" in result.stderr
    assert "bug" not in result.stderr


@pytest.mark.parametrize("name", ["dev/managed_server", f"/{ASSET}", "hello_world/dev/managed_server"])
def test_a_target_that_cannot_be_used_is_not_said_to_be_missing(hello: Repository, name: str) -> None:
    (hello.path / "projects/hello_world/project.yaml").write_text("nam: x\n")

    result = done("explain", name, "-C", str(hello.path))

    assert result.exit_code == 1
    assert f"{ASSET}.yaml cannot be used" in result.stderr


def test_a_hook_without_its_data_directory_says_what_it_will_refuse(hello: Repository, tmp_path: Path) -> None:
    result = done("hook", "install", str(hello.path), "--data", str(tmp_path / "later"))

    assert result.exit_code == 0
    assert "the hook refuses every version tag" in result.stderr
