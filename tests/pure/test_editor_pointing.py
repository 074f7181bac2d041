"""What is told about what a cursor is on, and where that is defined."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.editing import OTHER, WORKFLOW, defined, file_of, hovered, world
from fakes.sources import DEV
from pointsman.editor.completion import completion
from pointsman.editor.definition import definitions
from pointsman.editor.files import FileKind, file_at
from pointsman.editor.hover import hover, plain
from pointsman.editor.sentences import KEYS
from pointsman.load import documents, fields, step_documents
from pointsman.load.fields import Document

DEV_FILE = "projects/p/environments/dev/assets/web.yaml"


def told(text: str, path: str = WORKFLOW) -> str:
    """The Markdown at the cursor; empty if there is none."""
    found = hovered(text, path)
    return found.markdown if found else ""


def models() -> list[type[Document]]:
    """Every document of `load`."""
    every = [value for module in (documents, step_documents, fields) for value in vars(module).values()]
    return [one for one in every if isinstance(one, type) and issubclass(one, Document) and one is not Document]


def test_every_key_has_a_sentence_and_no_sentence_is_left_over() -> None:
    own = {model.__name__: set(model.__annotations__) - {"texts"} for model in models()}

    assert {name: set(keys) for name, keys in KEYS.items()} == {name: keys for name, keys in own.items() if keys}


def test_a_key_is_told_by_the_kind_of_its_step() -> None:
    assert "asset, environment or project" in told("steps:\n- tar‸get: x\n  action: y\n")
    assert "workflow to call" in told("steps:\n- type: workflow\n  tar‸get: x\n")
    assert told("steps:\n- type: stage\n  run_‸as: x\n").endswith("One of `sequential`, `parallel`.")
    assert "steps of the workflow" in told("st‸eps: []")
    assert "People by name" in told("steps:\n- requires_approval_from: {user_‸names: []}\n")
    assert "five fields" in told("on:\n  schedule:\n  - cr‸on: x\n").lower()
    assert told("nons‸ense: x") == ""


def test_a_target_is_told_with_its_merged_properties_and_their_places() -> None:
    found = told(f"steps:\n- target: {DEV[:-3]}‸{DEV[-3:]}\n")

    assert "the actions `check`, `backup`, `configure`, `start`, `default`" in found
    assert f'| hostname | "dev-web" | {plain(DEV_FILE)}:2 |' in found
    assert "| disk.threshold | 80 | templates/server/template.yaml:2 |" in found


def test_a_target_with_a_variable_is_told_as_all_that_it_may_be() -> None:
    found = told("steps:\n- target: /pro‸jects/p/environments/{{ env }}/assets/web\n")

    assert found.startswith("3 targets may be meant:")


def test_an_action_a_workflow_and_a_template_are_told() -> None:
    assert '"./act.sh" "backup"' in told(f"steps:\n- target: {DEV}\n  action: back‸up\n")
    assert "Versions: `2`, `1`." in told(f"steps:\n- type: workflow\n  target: {OTHER}‸\n")
    assert "- `check`" in told("template: ser‸ver\n", DEV_FILE)


def test_a_variable_is_told_with_every_value_that_it_may_have() -> None:
    text = 'properties: {region: eu-2}\nsteps:\n- name: "{{ reg‸ion }} and {{ nothing }}"\n'

    assert told(text).splitlines()[0] == '**region**: "eu-2" (from line 1 of this file)'
    assert "projects/p/project.yaml" in told(text)
    assert "a run must give it" in told('steps:\n- name: "{{ noth‸ing }}"\n')


def test_what_stands_in_a_repository_is_text_and_no_markdown() -> None:
    assert plain("[a](http://b) <img> `c`\n# d") == r"\[a\]\(http://b\) \<img\> \`c\` \# d"


def test_a_target_leads_to_its_file_and_an_action_to_its_line() -> None:
    assert defined(f"steps:\n- target: {DEV[:-3]}‸{DEV[-3:]}\n") == [f"{DEV_FILE}:1:1"]
    assert defined(f"steps:\n- target: {DEV}\n  action: back‸up\n") == ["templates/server/template.yaml:5:3"]
    assert len(defined("steps:\n- target: /proj‸ects/p/environments/{{ env }}/assets/web\n")) == 3


def test_a_workflow_a_template_and_an_action_of_actions_lead_to_their_definitions() -> None:
    assert defined(f"steps:\n- type: workflow\n  target: {OTHER}‸\n") == ["projects/p/workflows/other.yaml:1:1"]
    assert defined("template: ow‸n\n", "projects/p/assets/new.yaml") == ["projects/p/templates/own/template.yaml:1:1"]
    template = "actions:\n  a: {run: x}\n  b: {steps: [‸a]}\n"
    assert defined(template, "templates/server/template.yaml") == ["templates/server/template.yaml:2:3"]


def test_a_variable_leads_to_where_its_value_is_set() -> None:
    text = 'properties:\n  region: eu-2\nsteps:\n- name: "{{ reg‸ion }}"\n'

    assert defined(text) == [f"{WORKFLOW}:2:3", "projects/p/project.yaml:3:22"]
    assert defined('steps:\n- name: "{{ net.‸zone }}"\n') == ["projects/p/project.yaml:3:40"]


@pytest.mark.parametrize("text", ["‸", "steps:\n- target: /nowhere‸\n", "steps:\n- action: no‸thing\n", "a: [‸"])
def test_what_is_nowhere_leads_nowhere(text: str) -> None:
    assert defined(text) == []
    assert told(text) == ""


def test_files_are_known_by_their_places() -> None:
    assert file_of("templates/a/template.yaml").kind is FileKind.TEMPLATE
    assert file_of("projects/p/environments/e/environment.yaml").kind is FileKind.ENVIRONMENT
    assert file_of("projects/p/assets/a.yaml").project == "p"
    assert file_at("projects/p/notes.yaml") is None
    assert file_at("projects/p/workflows/a.yml") is None
    assert file_at(str(Path("README.md"))) is None


KNOWN = world()
PIECES = st.sampled_from(
    [
        *("steps:", "\n", "- ", "  ", "type: ", "workflow", "target: ", "action: ", DEV, OTHER, "{{ region }}", "{{"),
        *(
            "[",
            "]",
            "{",
            "}",
            ",",
            ": ",
            '"',
            "'",
            "property_overrides:",
            "pool: ",
            "template: ",
            "own",
            "#",
            "|",
            "é🎉",
        ),
        *("requires_approval_from:", "user_names: ", "actions:", "children:", "policy:", "view: ", "version: "),
    ]
)
PATHS = [WORKFLOW, DEV_FILE, "projects/p/project.yaml", "templates/server/template.yaml", "pointsman.yaml"]


@given(st.lists(PIECES, max_size=30).map("".join), st.integers(0, 10), st.integers(0, 60), st.sampled_from(PATHS))
def test_no_text_and_no_cursor_stop_the_engine(text: str, line: int, column: int, path: str) -> None:
    file = file_of(path)

    completion(text, line, column, file=file, known=KNOWN)
    hover(text, line, column, file=file, known=KNOWN)
    definitions(text, line, column, file=file, known=KNOWN, path=path)
