"""The schema in the real yaml-language-server, over its standard input and output.

It is found in `.venv/node`, on PATH, or where POINTSMAN_YAML_LS says.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from fakes.hello import PROJECT, hello_world
from fakes.language import Editor
from pointsman.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / ".venv/node/node_modules/.bin/yaml-language-server"
FOUND = os.environ.get("POINTSMAN_YAML_LS") or (str(HERE) if HERE.exists() else shutil.which("yaml-language-server"))
SETTINGS = {"yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}}
WORKFLOWS = f"{PROJECT}/workflows"
DEV = "/projects/hello_world/environments/dev/assets/managed_server"
MODELINE = "# yaml-language-server: $schema=../../../schemas/{}.json\n"

pytestmark = pytest.mark.skipif(
    FOUND is None and os.environ.get("CI") != "true",
    reason="yaml-language-server is missing: npm install --prefix .venv/node yaml-language-server@1.25.0",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = hello_world(tmp_path_factory.mktemp("yaml-ls") / "ops", bare=False)
    repository.tag("v2")
    (repository.path / "schemas").mkdir()
    for kind in ("workflow", "template", "asset"):
        words = [
            "schema",
            "-C",
            str(repository.path),
            "--kind",
            kind,
            "-o",
            str(repository.path / f"schemas/{kind}.json"),
        ]
        assert CliRunner().invoke(cli, words).exit_code == 0
    return repository.path


@pytest.fixture(scope="module")
def editor(folder: Path) -> Iterator[Editor]:
    assert FOUND is not None, "yaml-language-server is missing"
    with Editor((FOUND, "--stdio"), folder, settings=SETTINGS) as running:
        yield running


def opened(editor: Editor, name: str, text: str) -> str:
    """The path of a workflow that is open with this text below a line that names the schema."""
    path = f"{WORKFLOWS}/{name}.yaml"
    editor.open(path, MODELINE.format("workflow") + text)
    return path


def messages(editor: Editor, path: str) -> list[str]:
    """What is said of a file, with the line (from 1, that of the schema not counted)."""
    return [f"{one['range']['start']['line']}: {one['message']}" for one in editor.diagnostics(path)]


def test_it_completes_a_target(editor: Editor) -> None:
    path = opened(editor, "target", "steps:\n- type: change\n  action: backup\n  target: \n")

    found = editor.at("completion", path, 4, 10)

    assert DEV in [item["insertText"] for item in found["items"]]


def test_it_completes_the_actions_of_the_target(editor: Editor) -> None:
    path = opened(editor, "action", f"steps:\n- target: {DEV}\n  action: \n")

    assert editor.labels(path, 3, 10) == ["backup", "configure", "default", "disk_check", "start"]


def test_it_completes_keys_people_and_versions(editor: Editor) -> None:
    assert {"type", "target", "children"} < set(editor.labels(opened(editor, "keys", "steps:\n- na\n"), 2, 4))
    people = opened(editor, "people", "steps:\n- type: wait\n  requires_approval_from:\n    user_names:\n    - \n")
    assert editor.labels(people, 5, 6) == ["opschain"]
    call = "steps:\n- type: workflow\n  target: /projects/hello_world/workflows/backup-all\n  version: \n"
    assert editor.labels(opened(editor, "version", call), 4, 11) == ["2"]


def test_it_tells_what_a_key_means(editor: Editor) -> None:
    path = opened(editor, "hover", f"steps:\n- target: {DEV}\n  action: backup\n")

    assert "The action of the target's template to run." in json.dumps(editor.at("hover", path, 3, 4))


@pytest.mark.parametrize(
    ("name", "step", "says"),
    [
        ("key", f"target: {DEV}\n  acton: backup", "2: Property acton is not allowed."),
        ("name", f"target: {DEV}\n  action: bakup", '2: Value is not accepted. Valid values: "backup"'),
        ("kind", "name: x", '1: Missing property "type".'),
        ("foreign", "type: wait\n  children: [{type: wait}]", "2: Property children is not allowed."),
        ("missing", f"type: change\n  target: {DEV}", '1: Missing property "action".'),
        ("duration", "type: wait\n  timeout: soon", "2: a duration is 30s, 10m"),
        ("people", "type: wait\n  requires_approval_from: {user_names: ['{{ x }}']}", "2: write the name itself"),
        ("call", "target: /projects/hello_world/workflows/backup-all\n  action: x", "1: this is a workflow: call"),
    ],
)  # fmt: skip
def test_it_finds_the_usual_mistakes(editor: Editor, name: str, step: str, says: str) -> None:
    found = messages(editor, opened(editor, f"wrong-{name}", f"steps:\n- {step}\n"))

    # the line of the schema is line 0
    line, _, sentence = says.partition(": ")
    assert any(one.startswith(f"{int(line) + 1}: {sentence}") for one in found), found


def test_it_finds_nothing_in_the_files_of_the_seed(editor: Editor, folder: Path) -> None:
    for file in sorted((folder / WORKFLOWS).glob("*.yaml")):
        path = opened(editor, f"seed-{file.stem}", file.read_text())
        assert messages(editor, path) == [], file.name
    for kind, file in (
        ("template", next(folder.rglob("template.yaml"))),
        ("asset", next(folder.rglob("assets/*.yaml"))),
    ):
        path = f"{WORKFLOWS}/seed-{kind}-file.yaml"
        editor.open(path, MODELINE.format(kind) + file.read_text())
        assert messages(editor, path) == [], file.name
