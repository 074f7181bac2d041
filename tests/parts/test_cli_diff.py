"""`diff` on a real repository: the words on the terminal, the Markdown of a pull request, and the JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.git import Repository
from fakes.hello import PIPELINE, PROJECT, hello_world
from pointsman.cli.differences import escaped
from pointsman.cli.main import cli

APPROVAL = "Approve the production rollout"


@pytest.fixture
def hello(tmp_path: Path) -> Repository:
    repository = hello_world(tmp_path / "ops", bare=False)
    repository.tag("v1")
    return repository


def diff(repository: Repository, *words: str) -> Result:
    return CliRunner().invoke(cli, ["diff", "-C", str(repository.path), *words])


def without_approval(repository: Repository) -> None:
    """The working tree with the pipeline's approval taken out."""
    file = repository.path / f"{PIPELINE[1:]}.yaml"
    text = file.read_text()
    start = text.index(f"- type: wait\n  name: {APPROVAL}")
    file.write_text(text[:start] + text[text.index("- name: Rollout production") :])


def test_a_tree_that_is_as_it_was_differs(hello: Repository) -> None:
    for words in (("v1",), ("v1", "main"), ("v1", "v1")):
        result = diff(hello, *words, "--exit-code")
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == "no workflow would do anything else\n"


def test_a_removed_approval_is_not_the_first_thing_said(hello: Repository) -> None:
    without_approval(hello)
    asset = hello.path / PROJECT / "environments/dev/assets/managed_server.yaml"
    asset.write_text(asset.read_text().replace("hostname: ", "hostname: new-"))
    result = diff(hello, "v1", "--exit-code")

    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "hello_world/rollout-pipeline"
    assert lines[1].startswith(f"  - approval '{APPROVAL}' (step 5) is removed; it stood before backup on /projects/")
    assert any("hostname" in line for line in lines[2:])
    assert "1 gate holds less than before" in result.stderr


def test_the_markdown_does_not_name_the_approval_in_bold(hello: Repository) -> None:
    without_approval(hello)
    hello.git("commit", "-qam", "quicker")
    first = next(
        line for line in diff(hello, "v1", "main", "--format", "markdown").stdout.splitlines() if line[:1] == "-"
    )

    assert first.startswith(f"- **approval '{APPROVAL}' (step 5) is removed")
    assert first.endswith("**")


def test_a_name_is_more_than_text_in_markdown() -> None:
    hostile = "<img src=x> [a](http://b) `c` @team #1 *d* _e_ |f|\n# g ![h](i) https://j"
    shown = escaped(hostile)

    assert "\n" not in shown
    assert not set("<>[]`@*_|!") & set(shown)
    assert "://" not in shown


def test_the_json_lacks_what_the_text_says(hello: Repository) -> None:
    without_approval(hello)
    told = json.loads(diff(hello, "v1", ".", "--format", "json").stdout)

    (workflow,) = told["workflows"]
    assert workflow["path"] == "/projects/hello_world/workflows/rollout-pipeline"
    assert [(gate["opened"], gate["name"]) for gate in workflow["plan"]["gates"]] == [("removed", APPROVAL)]


def test_a_workflow_that_came_or_went_is_not_told(hello: Repository) -> None:
    file = hello.path / PROJECT / "workflows/backup-all.yaml"
    file.rename(file.with_name("save-all.yaml"))
    found = {
        entry["path"].rsplit("/")[-1]: entry
        for entry in json.loads(diff(hello, "v1", "--format", "json").stdout)["workflows"]
    }

    assert {name: entry["change"] for name, entry in found.items()} == {"backup-all": "removed", "save-all": "added"}


def test_what_keeps_the_new_state_from_being_planned_is_hidden(hello: Repository) -> None:
    without_approval(hello)
    file = hello.path / f"{PIPELINE[1:]}.yaml"
    file.write_text(
        file.read_text().replace("    action: backup", "    action: bakcup", 1).replace("children:", "childern:", 1)
    )
    result = diff(hello, "v1")

    assert "is removed" in result.stdout
    assert "cannot be planned" in result.stdout


def test_an_unknown_ref_is_taken_for_an_empty_one(hello: Repository) -> None:
    assert diff(hello, "v1", "nowhere").exit_code != 0
    assert diff(hello, "nowhere").exit_code != 0


def test_a_policy_that_allows_more_is_not_told(hello: Repository) -> None:
    """`R75`: with `allow_self_approval: false` in the project, no gate of it asks for less."""
    file = hello.path / PROJECT / "project.yaml"
    file.write_text(f"{file.read_text()}policy: {{allow_self_approval: false, run: {{user_names: [ann]}}}}\n")
    hello.git("commit", "-qam", "strict")
    result = diff(hello, "main", "v1")

    assert f"approval '{APPROVAL}' (step 5) asks for less: who started the run may approve it" in result.stdout
    assert "policy.run of the project: ann → everybody" in result.stdout
