"""What may be written at a cursor: keys by the kind of step, targets, only their actions, versions and people."""

import pytest

from fakes.editing import OTHER, completed, labels
from fakes.sources import DEV
from pointsman.editor.completion import ItemKind
from pointsman.load.step_documents import ApprovalDocument, ChangeDocument, StageDocument, WaitDocument

DB = "/projects/p/assets/db"
ACTIONS = ["backup", "check", "configure", "default", "start"]
TARGETS = {*(DEV.replace("dev", name) for name in ("dev", "staging", "prod")), DB}


def test_an_empty_file_is_offered_the_keys_of_its_kind() -> None:
    assert "steps" in labels("‸")
    assert "template" in labels("‸", "projects/p/environments/dev/assets/new.yaml")
    assert "actions" in labels("‸", "templates/server/template.yaml")
    assert "policy" in labels("‸", "projects/p/project.yaml")
    assert "inventory" in labels("‸", "pointsman.yaml")


@pytest.mark.parametrize(
    ("step", "keys"),
    [
        ("- type: change\n  ‸", ChangeDocument.model_fields.keys() - {"type"}),
        ("- type: stage\n  ‸", StageDocument.model_fields.keys() - {"type"}),
        ("- type: wait\n  ‸", ApprovalDocument.model_fields.keys() - {"type"}),
        ("- name: x\n  children: []\n  ‸", StageDocument.model_fields.keys() - {"name", "children"}),
        ("- action: x\n  ‸", ChangeDocument.model_fields.keys() - {"action"}),
    ],
)  # fmt: skip
def test_a_step_is_offered_the_keys_of_its_kind_that_it_does_not_have(step: str, keys: set[str]) -> None:
    assert set(labels(f"steps:\n{step}")) == keys


def test_a_step_of_which_nothing_is_known_is_offered_every_key() -> None:
    assert {"type", "children", "action", "requires_approval_from"} < set(labels("steps:\n- ‸"))


def test_a_key_comes_with_its_colon_unless_there_is_one() -> None:
    assert completed("steps:\n- na‸").items[0].insert == "name: "
    assert completed("steps:\n- na‸: x").items[0].insert == "name"
    assert completed("st‸").items[0].insert == "steps:"


def test_what_was_typed_is_replaced_whole_and_decides_what_is_offered() -> None:
    found = completed(f"steps:\n- target: {DEV[:-12]}‸{DEV[-12:]}\n  action: check")

    assert (found.line, found.start, found.end) == (1, 10, 10 + len(DEV))
    assert [item.label for item in found.items] == [DEV]


def test_types_and_other_words_are_offered_from_their_choices() -> None:
    assert labels("steps:\n- type: ‸") == ["change", "stage", "wait", "workflow"]
    assert labels("steps:\n- type: stage\n  run_as: ‸") == ["sequential", "parallel"]
    assert labels("steps:\n- fail_fast: ‸") == ["true", "false"]
    assert labels("concurrency: {on_new: ‸}") == ["queue", "replace", "skip"]
    assert labels("steps:\n- type: wait\n  timeout: ‸") == ["30s", "10m", "2h"]


def test_a_change_is_offered_targets_and_a_call_workflows() -> None:
    assert set(labels("steps:\n- type: change\n  target: ‸")) == TARGETS
    assert labels("steps:\n- type: workflow\n  target: ‸") == [OTHER]
    assert set(labels("steps:\n- target: ‸")) == {*TARGETS, OTHER}


def test_a_target_without_actions_is_not_offered() -> None:
    assert "/projects/p" not in labels("steps:\n- target: ‸")


def test_a_step_with_an_action_is_offered_the_targets_that_have_it() -> None:
    assert labels("steps:\n- action: deploy\n  target: ‸") == [DB]


def test_a_list_of_targets_is_offered_those_that_are_not_in_it() -> None:
    assert set(labels(f"steps:\n- targets:\n  - {DEV}\n  - ‸")) == TARGETS - {DEV}
    assert set(labels(f"steps:\n- targets: [{DEV}, ‸]")) == TARGETS - {DEV}


def test_only_the_actions_of_the_target_are_offered() -> None:
    assert labels(f"steps:\n- target: {DEV}\n  action: ‸") == ACTIONS
    assert labels(f"steps:\n- target: {DB}\n  action: ‸") == ["deploy"]
    assert labels(f"steps:\n- action: ‸\n  target: {DB}") == ["deploy"]


def test_several_targets_are_offered_the_actions_that_all_of_them_have() -> None:
    assert labels(f"steps:\n- targets: [{DEV}, {DB}]\n  action: ‸") == []


def test_a_target_with_a_variable_is_offered_the_actions_of_all_that_it_may_be() -> None:
    assert labels("steps:\n- target: /projects/p/environments/{{ env }}/assets/web\n  action: ‸") == ACTIONS


def test_without_a_target_every_action_is_offered() -> None:
    assert labels("steps:\n- action: ‸") == sorted([*ACTIONS, "deploy"])


def test_a_called_workflow_is_offered_with_its_versions_newest_first() -> None:
    assert labels(f"steps:\n- type: workflow\n  target: {OTHER}\n  version: ‸") == ["2", "1"]


def test_overrides_are_offered_the_properties_of_the_target_or_the_variables_of_the_workflow() -> None:
    assert labels(f"steps:\n- target: {DB}\n  action: deploy\n  property_overrides:\n    ‸") == [
        "pointsman",
        "region",
        "net",
        "port",
        "pool",
    ]
    assert labels(f"steps:\n- target: {DB}\n  action: deploy\n  property_overrides: {{pool: {{‸}}}}") == ["size"]
    assert labels(f"steps:\n- type: workflow\n  target: {OTHER}\n  property_overrides: {{‸}}") == ["pointsman", "env"]


def test_people_are_those_who_are_named_anywhere_and_not_yet_here() -> None:
    step = "steps:\n- type: wait\n  requires_approval_from:\n    "
    assert labels(f"{step}user_names: [‸]") == ["Mira Bell", "olive"]
    assert labels(f"{step}user_names: [olive, ‸]") == ["Mira Bell"]
    assert labels(f"{step}ldap_groups:\n    - ‸") == ["ops"]
    assert labels("policy: {view: {user_names: [‸]}}", "projects/p/project.yaml") == ["Mira Bell", "olive"]


def test_a_name_that_yaml_would_take_for_something_else_is_quoted() -> None:
    files = {"projects/q/project.yaml": 'policy: {run: {user_names: ["true", "@b: c"]}}'}
    step = "steps:\n- type: wait\n  requires_approval_from:\n    user_names: [‸]"

    assert {item.insert for item in completed(step, files=files).items} == {'"@b: c"', '"true"', "Mira Bell", "olive"}
    assert {item.insert for item in completed(step.replace("‸", '"‸"'), files=files).items} >= {"@b: c", "true"}


def test_an_asset_is_offered_the_templates_of_its_project_and_the_shared_ones() -> None:
    assert labels("template: ‸", "projects/p/assets/new.yaml") == ["own", "server"]
    assert labels("template: ‸", "projects/q/assets/new.yaml") == ["server"]


def test_an_action_of_actions_is_offered_the_others() -> None:
    text = "actions:\n  a: {run: x}\n  b:\n    ru‸"
    assert labels(text, "templates/server/template.yaml") == ["run"]
    text = "actions:\n  a: {run: x}\n  b: {run: y}\n  c: {steps: [a, ‸]}"
    assert "b" in labels(text, "templates/server/template.yaml")
    assert "a" not in labels(text, "templates/server/template.yaml")


def test_inside_braces_variables_are_offered() -> None:
    text = 'properties: {env: dev}\ninputs: {properties: {size: {}}}\nsteps:\n- name: "x {{ ‸'

    found = completed(text)

    assert [item.label for item in found.items] == ["env", "size", "region", "net", "net.zone"]
    assert {item.kind for item in found.items} == {ItemKind.VARIABLE}


def test_nothing_is_offered_where_nothing_is_known() -> None:
    assert labels("steps:\n- name: ‸") == []
    assert labels("nonsense:\n  ‸") == []


def test_waits_become_approvals_by_a_key_that_is_offered_to_them() -> None:
    assert "requires_approval_from" not in WaitDocument.model_fields
    assert "requires_approval_from" in labels("steps:\n- type: wait\n  req‸")
