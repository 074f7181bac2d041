"""What an inventory lacks of what a version needs, as the daemon asks for it when the version appears."""

from pathlib import Path

import pytest

from fakes.git import Repository
from fakes.hello import PIPELINE, PROJECT, TEMPLATE, hello_world
from pointsman.intake.reading import ANSWERS, Reading
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Problem, Severity
from pointsman.model.wire import from_json, to_json

PROD = f"{PROJECT}/environments/prod/assets/managed_server.yaml"


@pytest.fixture
def hello(tmp_path: Path) -> Repository:
    return hello_world(tmp_path / "ops.git")


def lacked(repository: Repository, path: str, *, commit: str) -> list[Problem]:
    """What the head of `main` lacks of what a workflow at a commit needs."""
    pinned = PinnedWorkflow(path=path, version="1", commit=commit, tag="v1")
    reading = Reading(repository.path)
    reading.published.add(pinned)
    answer = ANSWERS["lacking"](reading, {"pinned": to_json(pinned), "inventory": repository.head()})
    return [from_json(Problem, problem) for problem in answer]


def test_a_version_that_could_not_run_with_the_inventory_branch_gets_warnings_at_its_own_lines(
    hello: Repository,
) -> None:
    """R28."""
    commit = hello.head()
    hello.commit({PROD: None})

    found = lacked(hello, PIPELINE, commit=commit)

    assert {(problem.code, problem.severity) for problem in found} == {(Code.UNKNOWN_TARGET, Severity.WARNING)}
    assert [problem.step for problem in found] == ["1.1", "6.1", "6.2"]
    assert {problem.place.path for problem in found} == {f"{PROJECT}/workflows/rollout-pipeline.yaml"}


def test_a_version_that_the_inventory_branch_has_everything_for_gets_none(hello: Repository) -> None:
    """R28: what the branch has more, and a variable that only a run gives, is nothing to warn of."""
    commit = hello.head()
    hello.commit({f"{PROJECT}/environments/qa/environment.yaml": "name: QA\n"})
    assert lacked(hello, PIPELINE, commit=commit) == []
    assert lacked(hello, PIPELINE.replace("rollout-pipeline", "backup-environment"), commit=commit) == []


def test_versions_that_take_their_targets_from_their_own_commit_lack_nothing(hello: Repository) -> None:
    """R28: `inventory: tag`."""
    commit = hello.head()
    hello.commit({PROD: None, "pointsman.yaml": "inventory: tag\n"})
    assert lacked(hello, PIPELINE, commit=commit) == []


def test_what_an_error_keeps_from_being_used_is_lacked_too(hello: Repository) -> None:
    """R28."""
    commit = hello.head()
    hello.commit({f"{TEMPLATE}/template.yaml": "actions: []\n"})
    found = lacked(hello, PIPELINE, commit=commit)
    assert len(found) == 9
    assert all("cannot be used" in problem.says for problem in found)
