"""`pointsman lsp` over its standard input and output, as an editor speaks with it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.hello import PROJECT, TEMPLATE, hello_world
from fakes.language import Editor

WORKFLOWS = f"{PROJECT}/workflows"
ASSET = f"{PROJECT}/environments/dev/assets/managed_server.yaml"
DEV = f"/{ASSET.removesuffix('.yaml')}"
SERVER = (sys.executable, "-m", "pointsman", "lsp")
CURSOR = "‸"

BROKEN_ONCE = """
from pathlib import Path
from pointsman.cli.lsp import tree_at
from pointsman.editor.desk import Desk
from pointsman.editor.server import language_server
from pointsman.editor.tree import Tree

def breaking(self, opened):
    if any(b"BREAK" in data for data in opened.values()):
        raise RuntimeError("a bug")
    return seen(self, opened)

seen, Tree.seen = Tree.seen, breaking
language_server(lambda folder: tree_at(folder, None)).start_io()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = hello_world(tmp_path_factory.mktemp("lsp") / "ops", bare=False)
    repository.tag("v1")
    return repository.path


@pytest.fixture(scope="module")
def editor(folder: Path) -> Iterator[Editor]:
    with Editor(SERVER, folder) as running:
        yield running


def asked(editor: Editor, request: str, text: str, path: str) -> Any:
    """The answer to a question about the cursor in a text that is open and not saved."""
    before, _, after = text.partition(CURSOR)
    editor.open(path, before + after)
    character = len(before[before.rfind("\n") + 1 :].encode("utf-16-le")) // 2
    return editor.at(request, path, before.count("\n"), character)


def labels(editor: Editor, text: str, path: str) -> list[str]:
    """The labels of what may stand at the cursor."""
    return [item["label"] for item in asked(editor, "completion", text, path)["items"]]


def test_a_target_is_completed_and_then_only_its_actions(editor: Editor) -> None:
    path = f"{WORKFLOWS}/targets.yaml"

    assert DEV in labels(editor, "steps:\n- type: change\n  target: ‸\n", path)
    found = labels(editor, f"steps:\n- type: change\n  target: {DEV}\n  action: ‸\n", path)
    assert found == ["backup", "configure", "default", "disk_check", "start"]


def test_what_is_completed_replaces_the_word_at_the_cursor_in_the_units_of_the_editor(editor: Editor) -> None:
    text = f"steps:\n- {{name: 🎉é, target: {DEV[:-7]}‸{DEV[-7:]}, action: backup}}\n"
    found = asked(editor, "completion", text, f"{WORKFLOWS}/units.yaml")

    start = len("- {name: 🎉é, target: ") + 1  # the first letter of the name takes two units
    assert found["items"][0]["textEdit"] == {
        "newText": DEV,
        "range": {"start": {"line": 1, "character": start}, "end": {"line": 1, "character": start + len(DEV)}},
    }


def test_a_half_written_file_is_completed(editor: Editor) -> None:
    above = 'name: "never closed\nsteps:\n- type: stage\n  children: [\n'
    text = f"{above}- type: change\n  target: {DEV}\n  act‸\n- type: wai"

    assert "action" in labels(editor, text, f"{WORKFLOWS}/half.yaml")


def test_versions_and_people_are_completed(editor: Editor) -> None:
    call = "steps:\n- type: workflow\n  target: /projects/hello_world/workflows/backup-environment\n  version: ‸\n"
    assert labels(editor, call, f"{WORKFLOWS}/call.yaml") == ["1"]
    people = "steps:\n- type: wait\n  requires_approval_from:\n    user_names: [‸]\n"
    assert labels(editor, people, f"{WORKFLOWS}/people.yaml") == ["opschain"]


def test_problems_are_those_of_validate_at_their_places_while_nothing_is_saved(editor: Editor) -> None:
    path = f"{WORKFLOWS}/problems.yaml"
    editor.open(
        path, f"steps:\n- name: 🎉é\n  target: {DEV}\n  acton: backup\n- {{name: 🎉, target: {DEV}, action: bakup}}\n"
    )

    unknown, action = editor.diagnostics(path, when=lambda found: len(found) > 1)[-2:]

    assert (unknown["code"], unknown["severity"], unknown["source"]) == ("PM010", 1, "pointsman")
    assert unknown["message"].endswith("\ndid you mean action?")
    assert unknown["range"] == {"start": {"line": 3, "character": 2}, "end": {"line": 3, "character": 7}}
    start = len("- {name: 🎉, target: ") + 1 + len(DEV) + len(", action: ")
    assert action["code"] == "PM031"
    assert action["range"]["start"] == {"line": 4, "character": start}
    assert action["range"]["end"]["character"] == start + len("bakup")


def test_problems_go_when_they_are_mended_and_when_the_file_is_closed(editor: Editor) -> None:
    path = f"{WORKFLOWS}/mended.yaml"
    editor.open(path, "stepss: []\n")
    assert editor.diagnostics(path, when=bool)
    editor.change(path, f"steps:\n- target: {DEV}\n  action: backup\n")
    assert editor.diagnostics(path) == []
    editor.change(path, "stepss: []\n", version=3)
    assert editor.diagnostics(path, when=bool)
    editor.tell("textDocument/didClose", {"textDocument": {"uri": editor.uri(path)}})
    assert editor.diagnostics(path) == []


def test_an_asset_that_is_not_saved_is_known_to_workflows_at_once(editor: Editor) -> None:
    editor.open(f"{PROJECT}/assets/brand_new.yaml", "template: managed_server\nproperties: {hostname: x}\n")
    path = f"{WORKFLOWS}/for-the-new-one.yaml"
    editor.open(path, f"steps:\n- target: /{PROJECT}/assets/brand_new\n  action: backup\n")

    assert editor.diagnostics(path) == []


def test_a_target_tells_its_merged_properties_and_leads_to_its_file(editor: Editor, folder: Path) -> None:
    text, path = f"steps:\n- target: {DEV[:-4]}‸{DEV[-4:]}\n  action: backup\n", f"{WORKFLOWS}/pointed.yaml"

    markdown = asked(editor, "hover", text, path)["contents"]["value"]
    assert "dev-web-01.example.com" in markdown
    assert "managed\\_server.yaml:3" in markdown
    (found,) = asked(editor, "definition", text, path)
    assert found["uri"] == (folder / ASSET).as_uri()


def test_an_action_leads_to_its_line_and_a_variable_to_its_value(editor: Editor, folder: Path) -> None:
    path = f"{WORKFLOWS}/led.yaml"
    (action,) = asked(editor, "definition", f"steps:\n- target: {DEV}\n  action: back‸up\n", path)
    lines = (folder / TEMPLATE / "template.yaml").read_text().splitlines()
    assert action["uri"] == (folder / TEMPLATE / "template.yaml").as_uri()
    assert lines[action["range"]["start"]["line"]].strip() == "backup:"

    (variable,) = asked(
        editor, "definition", 'properties:\n  env: dev\nsteps:\n- name: "{{ e‸nv }}"\n  type: wait\n', path
    )
    assert variable == {
        "uri": editor.uri(path),
        "range": {"start": {"line": 1, "character": 2}, "end": {"line": 1, "character": 2}},
    }


def test_a_file_that_defines_nothing_and_one_outside_of_any_repository_are_left_alone(
    editor: Editor, tmp_path: Path
) -> None:
    editor.open("notes.yaml", "a: b\n")
    assert editor.at("completion", "notes.yaml", 0, 1) is None
    outside = tmp_path / "projects.yaml"
    document = {"uri": outside.as_uri(), "languageId": "yaml", "version": 1, "text": "steps: x\n"}
    editor.tell("textDocument/didOpen", {"textDocument": document})
    where = {"textDocument": {"uri": outside.as_uri()}, "position": {"line": 0, "character": 1}}
    assert editor.asked("textDocument/completion", where) is None
    assert editor.asked("textDocument/hover", where) is None


@pytest.mark.parametrize(
    "text", ["", "\t", "steps:\n- ‸".replace("‸", "\0"), "{" * 500, "steps: &a [*a]", "\ud7ff\u2028x: \r\n- "]
)
def test_no_text_is_too_odd(editor: Editor, text: str) -> None:
    path = f"{WORKFLOWS}/odd.yaml"
    editor.open(path, text)

    for line, character in ((0, 0), (0, 7), (3, 3), (900, 900)):
        editor.at("completion", path, line, character)
        editor.at("hover", path, line, character)
        editor.at("definition", path, line, character)
    assert "steps" in labels(editor, "‸", path)


def test_a_crash_of_the_analysis_does_not_end_the_server(folder: Path) -> None:
    path = f"{WORKFLOWS}/crash.yaml"
    with Editor((sys.executable, "-c", BROKEN_ONCE), folder) as editor:
        editor.open(path, "steps: BREAK\n")
        assert editor.at("completion", path, 0, 0) is not None
        editor.change(path, "stepss: []\n")
        assert editor.diagnostics(path, when=bool)
        told = [one["params"]["message"] for one in editor.notifications if one["method"] == "window/logMessage"]
    assert "pointsman: RuntimeError: a bug" in told


def test_a_subfolder_that_holds_everything_is_found_from_the_file(tmp_path: Path) -> None:
    repository = hello_world(tmp_path / "ops", bare=False)
    below = repository.path / "deploy"
    below.mkdir()
    (repository.path / "projects").rename(below / "projects")
    path = f"deploy/{WORKFLOWS}/new.yaml"

    with Editor(SERVER, repository.path) as editor:
        assert DEV in labels(editor, "steps:\n- target: ‸", path)
        editor.change(path, "stepss: []\n")
        assert editor.diagnostics(path, when=lambda told: [one["code"] for one in told][:1] == ["PM010"])
        (found,) = asked(editor, "definition", f"steps:\n- target: {DEV}‸\n", path)
        assert found["uri"] == (repository.path / "deploy" / ASSET).as_uri()


def test_without_pygls_the_command_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['pygls'] = None; from pointsman.cli.main import main; sys.argv[1:] = ['lsp']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )

    assert done.returncode == 1
    assert "error: the language server needs pygls" in done.stderr
    assert "hint: pip install 'pointsman[lsp]'" in done.stderr
