"""The schema for editors takes all that Pointsman takes, and finds the usual mistakes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from fakes.editing import OTHER, world
from fakes.sources import DEV
from pointsman.editor.files import FileKind, file_at
from pointsman.editor.known import Known, Versions, known
from pointsman.editor.schema import schema
from pointsman.editor.shapes import DOCUMENT, reached, shape
from pointsman.load.assemble import assemble
from pointsman.load.marked_yaml import parsed
from pointsman.load.nodes import plain
from pointsman.load.step_types import DOCUMENTS
from pointsman.load.working_tree import working_tree
from pointsman.model.problem import Severity
from pointsman.model.source import Source

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden"
FOLDERS = [
    ROOT / "src/pointsman/example/hello_world",
    *sorted(folder for folder in (ROOT / "examples").iterdir() if (folder / "projects").is_dir()),
    *sorted((GOLDEN / "problems").glob("valid-*")),
]


def laid_out(folder: Path) -> tuple[Source, Versions]:
    """The files of a folder, those of the golden tests over the ones that are given, and what is published there."""
    laid = working_tree(folder)
    if GOLDEN not in folder.parents:
        return laid, {}
    versions: dict[str, tuple[str, ...]] = {}
    for release in sorted(folder.glob("published/*")):
        for file in release.glob("projects/*/workflows/*.yaml"):
            path = f"/{file.relative_to(release).with_suffix('').as_posix()}"
            versions[path] = (release.name, *versions.get(path, ()))
    return replace(laid, entries={**working_tree(GOLDEN / "given").entries, **laid.entries}), versions


def files() -> Iterator[Any]:
    """Every file of every folder in which there is no error, with the names that the folder has."""
    for folder in FOLDERS:
        laid, versions = laid_out(folder)
        loaded = assemble(laid)
        assert not any(problem.severity is Severity.ERROR for problem in loaded.problems), folder
        names = known(loaded, laid, versions=versions)
        for path, entry in laid.entries.items():
            file = file_at(path)
            if file is not None and entry.data is not None:
                yield pytest.param(file.kind, entry.data, names, id=f"{folder.name}/{path}")


def mistakes(text: str, kind: FileKind = FileKind.WORKFLOW) -> list[str]:
    """Where the schema of `fakes.editing`'s world finds something wrong in a file."""
    node, problems = parsed(text.encode(), "file.yaml")
    assert node is not None, problems
    found = Draft7Validator(schema(kind, world())).iter_errors(plain(node))
    return sorted(".".join(map(str, error.absolute_path)) for error in found)


@pytest.mark.parametrize("kind", FileKind)
def test_it_is_a_schema(kind: FileKind) -> None:
    Draft7Validator.check_schema(schema(kind, world()))
    Draft7Validator.check_schema(schema(kind, Known()))


@pytest.mark.parametrize(("kind", "data", "names"), list(files()))
def test_whatever_is_valid_is_valid_in_it(kind: FileKind, data: bytes, names: Known) -> None:
    node, _ = parsed(data, "file.yaml")
    assert node is not None

    assert [error.message for error in Draft7Validator(schema(kind, names)).iter_errors(plain(node))] == []


def test_its_keys_are_those_of_the_documents_with_a_sentence_for_each() -> None:
    for kind, document in DOCUMENT.items():
        assert shape(kind)["properties"].keys() == document.model_fields.keys()
    step = reached(FileKind.WORKFLOW, ("steps", 0, "children", 3)).keys
    assert step.keys() == {key for document in DOCUMENTS.values() for key in document.model_fields}
    told = [value["description"] for kind in FileKind for value in keys_below(shape(kind))]
    assert len(told) > 80
    assert "" not in told


def keys_below(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is said of each key of a schema and of its definitions."""
    for table in (made, *made["definitions"].values()):
        yield from table["properties"].values()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("steps: []", "steps"),
        ("name: x", ""),
        ("steps:\n- target: /projects/p/assets/db\n  acton: deploy", "steps.0"),
        ("steps:\n- target: /projects/p/assets/bd\n  action: deploy", "steps.0.target"),
        ("steps:\n- target: /projects/p/assets/db\n  action: check", "steps.0.action"),
        ("steps:\n- targets: [/projects/p/assets/db]\n  action: check", "steps.0.action"),
        ("steps:\n- name: x", "steps.0"),
        ("steps:\n- type: chang\n  action: x", "steps.0.type"),
        ("steps:\n- action: check", "steps.0"),
        ("steps:\n- type: stage\n  children: [{type: wait}]", "steps.0"),
        ("steps:\n- type: wait\n  children: [{type: wait}]", "steps.0"),
        ("steps:\n- type: wait\n  min_approvals: 2", "steps.0"),
        ("steps:\n- type: wait\n  timeout: soon", "steps.0.timeout"),
        (f"steps:\n- type: workflow\n  target: {DEV}", "steps.0.target"),
        (f"steps:\n- target: {OTHER}\n  action: check", "steps.0.target"),
        ("steps:\n- type: wait\n  requires_approval_from: {user_names: ['{{ who }}']}", ""),
        ("steps:\n- type: change\n  action: check\n  target: x\n  start_time: tomorrow", "steps.0.start_time"),
    ],
)
def test_the_usual_mistakes_are_found(text: str, where: str) -> None:
    found = mistakes(text)

    assert found
    assert any(place == where or (not where and place) for place in found) or found == [where], found


def test_a_value_with_a_variable_is_no_mistake() -> None:
    assert mistakes('steps:\n- target: "/projects/p/environments/{{ env }}/assets/web"\n  action: "{{ what }}"') == []
    assert mistakes('steps:\n- type: workflow\n  target: "{{ which }}"\n  version: "{{ v }}"') == []


def test_other_files_are_judged_too() -> None:
    assert mistakes("template: nothing", FileKind.ASSET) == ["template"]
    assert mistakes("template: nothing\ntemplate_version: v1", FileKind.ASSET) == []
    assert mistakes("actions: {a: {}}", FileKind.TEMPLATE) == ["actions.a"]
    assert mistakes("actions: {A b: {run: x}}", FileKind.TEMPLATE) == ["actions"]
    assert mistakes("properties: {pointsman: {files: {a: {mode: 9}}}}", FileKind.ENVIRONMENT)
    assert mistakes("policy: {runs: {}}", FileKind.PROJECT) == ["policy"]
    assert mistakes("inventory: tags", FileKind.REPOSITORY) == ["inventory"]


def test_people_versions_and_templates_are_examples_that_are_not_enforced() -> None:
    made = schema(FileKind.WORKFLOW, world())
    people = made["definitions"]["ApproversDocument"]["properties"]

    assert people["user_names"]["items"]["examples"] == ["Mira Bell", "olive"]
    assert people["ldap_groups"]["items"]["examples"] == ["ops"]
    assert mistakes("steps:\n- type: wait\n  requires_approval_from: {user_names: [nobody]}") == []
    assert mistakes(f"steps:\n- type: workflow\n  target: {OTHER}\n  version: 9") == []
