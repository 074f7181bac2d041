"""The checks of a pull request as their hosts run them: GitHub's action, GitLab's and Gitea's pipelines, pre-commit."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from fakes.git import ENVIRONMENT, Repository
from fakes.hello import PROJECT, hello_world

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / ".github/actions/validate"
BROKEN = f"{PROJECT}/workflows/rollout-pipeline.yaml"
PROD = f"{PROJECT}/environments/prod/assets/managed_server.yaml"
MERGE = "refs/pull/1/merge"


class Ended(NamedTuple):
    """How a script ended, what it printed, and the summary it wrote."""

    code: int
    out: str
    err: str
    summary: str


def read(path: Path) -> Any:
    """A YAML file."""
    return YAML(typ="safe").load(path)


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    """A host's repository: `main` is published as v1; pull request 1 loses an approval, a target and its last line."""
    repository = hello_world(tmp_path / "origin.git")
    repository.tag("v1")
    text = (repository.git("show", f"main:{BROKEN}") + "\n").replace("action: default", "action: defualt", 1)
    before, _, after = text.partition("- type: wait\n  name: Approve")
    text = f"{before}- name: Rollout production{after.partition('- name: Rollout production')[2]}"
    repository.opened.references.create("refs/heads/change", repository.head())
    repository.commit({BROKEN: text, PROD: None}, branch="change")
    work = Repository.clone(repository, tmp_path / "work")
    work.git("checkout", "-q", "main")
    work.git("merge", "-q", "--no-ff", "origin/change")
    work.git("push", "-q", "origin", f"HEAD:{MERGE}")
    return repository


def checked_out(origin: Repository, folder: Path) -> Path:
    """The merge of a pull request, as actions/checkout leaves it: the commit alone, no branch, no tag."""
    folder.mkdir()
    for words in (
        ["init", "-q"],
        ["remote", "add", "origin", f"file://{origin.path}"],
        ["fetch", "-q", "--no-tags", "--depth=1", "origin", f"+{MERGE}:refs/remotes/pull/1/merge"],
        ["checkout", "-q", "--force", "refs/remotes/pull/1/merge"],
    ):
        subprocess.run(["git", *words], cwd=folder, env=ENVIRONMENT, check=True)
    return folder


def run(script: str, folder: Path, given: Mapping[str, str]) -> Ended:
    """Run lines of a pipeline as its runner would, with `pointsman` on the path."""
    home = folder.parent / "home"
    (home / "bin").mkdir(parents=True, exist_ok=True)
    command = home / "bin/pointsman"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pointsman "$@"\n')
    command.chmod(0o755)
    summary = home / "summary.md"
    summary.unlink(missing_ok=True)
    env = {
        **ENVIRONMENT,
        "PATH": f"{home}/bin:{os.environ['PATH']}",
        "RUNNER_TEMP": str(home),
        "GITHUB_STEP_SUMMARY": str(summary),
        **given,
    }
    words = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    ended = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return Ended(ended.returncode, ended.stdout, ended.stderr, summary.read_text("utf-8") if summary.exists() else "")


def github(folder: Path, *, base_ref: str = "main", command: str = "pointsman", **inputs: str) -> Ended:
    """The last step of the action, with the environment that its file gives it."""
    action = read(ACTION / "action.yml")
    values = {name: inputs.get(name, about["default"]) for name, about in action["inputs"].items()}
    step = action["runs"]["steps"][-1]
    env = {
        name: values.get(re.sub(r"\$\{\{ inputs\.(\w+) \}\}", r"\1", text), "") for name, text in step["env"].items()
    }
    given = {"GITHUB_ACTION_PATH": str(ACTION), "GITHUB_BASE_REF": base_ref, "POINTSMAN": command, **env}
    return run(step["run"], folder, given)


def test_the_action_annotates_the_lines_of_a_pull_request_and_shows_what_changes(
    origin: Repository, tmp_path: Path
) -> None:
    """R27, from a shallow clone without tags."""
    folder = checked_out(origin, tmp_path / "checkout")

    ended = github(folder)

    assert ended.code == 1, ended
    lines = [line for line in ended.out.splitlines() if line.startswith("::error")]
    text = (folder / BROKEN).read_text().splitlines()
    [typo] = [line for line in lines if "title=PM031" in line]
    number = 1 + next(at for at, line in enumerate(text) if "defualt" in line)
    assert typo.startswith(f"::error file={BROKEN},line={number},endLine={number},col=15,endColumn=22,title=PM031 ")
    assert "%0Ahint: did you mean default?" in typo
    [lost] = [line for line in lines if "title=PM044" in line and "rollout-pipeline 1 " in line]
    assert lost.startswith(f"::error file={PROD},line=1,")
    assert "Approve the production rollout" in ended.summary
    assert ended.summary.startswith("## Pointsman\n\n    ")
    assert re.search(r"^ {4}\d+ errors", ended.summary, re.MULTILINE)


def test_the_action_passes_what_is_valid_and_strict_refuses_its_warnings(origin: Repository, tmp_path: Path) -> None:
    folder = checked_out(origin, tmp_path / "checkout")
    subprocess.run(["git", "fetch", "-q", "origin", "main"], cwd=folder, env=ENVIRONMENT, check=True)
    subprocess.run(["git", "checkout", "-q", "FETCH_HEAD"], cwd=folder, env=ENVIRONMENT, check=True)
    (folder / "projects/odd.txt").write_text("")

    assert github(folder, base_ref="").code == 0
    assert github(folder).code == 0
    strict = github(folder, strict="true", base="HEAD")
    assert strict.code == 1
    assert "::error file=projects/odd.txt," in strict.out
    assert github(folder, root="nowhere").code == 6


def test_a_base_that_cannot_be_had_is_a_warning_and_the_rest_is_judged(origin: Repository, tmp_path: Path) -> None:
    folder = checked_out(origin, tmp_path / "checkout")
    shutil.rmtree(origin.path)

    ended = github(folder)

    assert ended.code == 1
    assert "::warning title=Pointsman::the history and the tags could not be fetched" in ended.out
    assert "::error file=" in ended.out


@pytest.mark.parametrize("name", ["$(touch pwned)", "`touch pwned`", "main;touch pwned", "--help", "a b"])
def test_a_name_of_a_ref_is_never_carried_out(origin: Repository, tmp_path: Path, name: str) -> None:
    folder = checked_out(origin, tmp_path / "checkout")

    for ended in (github(folder, base=name, command="true"), github(folder, base_ref=name, command="true")):
        assert "::warning title=Pointsman::the base was not found" in ended.out
        assert ended.code == 0
    assert list(folder.glob("pwned")) == []


def test_the_action_puts_no_expression_into_a_script_and_hands_on_every_input() -> None:
    """What anybody may choose, such as the name of a branch, must not become a part of a script's text."""
    action = read(ACTION / "action.yml")
    step = action["runs"]["steps"][-1]
    assert action["runs"]["using"] == "composite"
    assert [one for one in action["runs"]["steps"] if "${{" in one.get("run", "")] == []
    assert {text for name, text in step["env"].items() if name != "PYTHON"} == {
        f"${{{{ inputs.{name} }}}}" for name in action["inputs"]
    }
    script = (ACTION / "validate.sh").read_text()
    assert [name for name in step["env"] if name not in script] == []
    assert "${{" not in script


def test_gitlab_gets_a_code_quality_report_and_the_difference_in_the_log(origin: Repository, tmp_path: Path) -> None:
    """R27."""
    job = read(ROOT / "examples/gitlab/.gitlab-ci.yml")["pointsman"]
    folder = tmp_path / "checkout"
    Repository.clone(origin, folder).git("checkout", "-q", "origin/change")
    script = [line for line in [*job["before_script"], *job["script"]] if " pip install " not in line]
    given = {"CI_COMMIT_SHA": "HEAD", "CI_MERGE_REQUEST_DIFF_BASE_SHA": origin.head()}

    ended = run("\n".join(script), folder, given)

    assert ended.code == 1, ended
    report = json.loads((folder / job["artifacts"]["reports"]["codequality"]).read_text())
    assert {"PM031", "PM044"} <= {one["check_name"] for one in report}
    assert len({one["fingerprint"] for one in report}) == len(report)
    assert "Approve the production rollout" in ended.out
    assert f"{BROKEN}:" in ended.out

    Repository(folder).git("checkout", "-q", "origin/main")
    ended = run("\n".join(script), folder, {"CI_COMMIT_SHA": "HEAD"})
    assert ended.code == 0, ended
    assert job["variables"]["GIT_DEPTH"] == "0"


def test_gitea_says_in_the_log_what_is_wrong_and_what_changes(origin: Repository, tmp_path: Path) -> None:
    """R27."""
    steps = read(ROOT / "examples/gitea/.gitea/workflows/pointsman.yaml")["jobs"]["validate"]["steps"]
    step = steps[-1]
    folder = tmp_path / "checkout"
    Repository.clone(origin, folder).git("checkout", "-q", "origin/change")

    ended = run(step["run"], folder, {"BASE": "main"})

    assert ended.code == 1, ended
    assert "Approve the production rollout" in ended.out
    assert "error[PM044]" in ended.out
    assert step["env"] == {"BASE": "${{ github.base_ref }}"}
    assert "${{" not in step["run"]
    Repository(folder).git("checkout", "-q", "origin/main")
    assert run(step["run"], folder, {"BASE": ""}).code == 0
    assert steps[0]["with"]["fetch-depth"] == 0


def test_pre_commit_runs_the_hook_when_a_definition_changes(origin: Repository, tmp_path: Path) -> None:
    """As pre-commit itself would, but with the program that is installed here in place of one of its own."""
    pytest.importorskip("pre_commit")
    [hook] = read(ROOT / ".pre-commit-hooks.yaml")
    subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")], check=True
    )
    work = Repository.clone(origin, tmp_path / "clone")
    work.git("checkout", "-q", "main")
    config = {"repos": [{"repo": "local", "hooks": [{**hook, "language": "system"}]}]}
    (work.path / ".pre-commit-config.yaml").write_text(json.dumps(config))
    given = {"PRE_COMMIT_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    pre_commit = f'"{sys.executable}" -m pre_commit run'

    (work.path / "notes.txt").write_text("nothing of Pointsman's")
    work.git("add", ".")
    assert "(no files to check)Skipped" in run(pre_commit, work.path, given).out
    (work.path / BROKEN).write_text("steps: []\n")
    work.git("add", ".")
    ended = run(pre_commit, work.path, given)
    assert ended.code == 1
    assert f"{BROKEN}:1:1: error[PM" in ended.out
