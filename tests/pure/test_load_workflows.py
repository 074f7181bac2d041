"""Workflow files → definitions: what each key comes to, and that nothing is lost on the way."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.load.marked_yaml import parsed
from pointsman.load.translate import workflow
from pointsman.model.definition import (
    Approvers,
    CallDefinition,
    ChangeDefinition,
    Concurrency,
    GateDefinition,
    OnNew,
    OnTimeout,
    RunAs,
    StageDefinition,
    StepDefinition,
    Triggers,
    When,
    WorkflowDefinition,
)
from pointsman.model.problem import Code, Place, Problem, has_errors, sorted_problems
from pointsman.model.values import canonical

PATH, FILE = "/projects/p/workflows/w", "projects/p/workflows/w.yaml"


def loaded(text: str) -> tuple[WorkflowDefinition | None, tuple[Problem, ...]]:
    node, problems = parsed(text.encode(), FILE)
    if node is None:
        return None, problems
    translated = workflow(node, PATH, file=FILE)
    return translated.definition, sorted_problems((*problems, *translated.problems))


def definition(text: str) -> WorkflowDefinition:
    made, problems = loaded(text)
    assert made is not None, problems
    return made


def steps(text: str) -> tuple[StepDefinition, ...]:
    """The steps of a list of them."""
    return definition(f"steps:\n{text}").steps


def only(text: str) -> StepDefinition:
    (step,) = steps(text)
    return step


def complaints(text: str) -> list[tuple[Code, str, str]]:
    """Code, step and sentence of everything that is wrong with a list of steps."""
    return [(p.code, p.step, p.says) for p in loaded(f"steps:\n{text}")[1]]


def test_a_mapping_with_only_steps_is_a_workflow() -> None:
    """`R1`."""
    made = definition("steps:\n  - type: wait\n")
    assert (made.path, made.file, made.code) == (PATH, FILE, "w")
    assert (made.name, made.description, made.properties, made.inputs) == ("", "", {}, None)
    assert (made.on, made.notify, made.concurrency) == (Triggers(), {}, Concurrency())


def test_keys_beside_steps_are_kept() -> None:
    made = definition(
        "steps: [{type: wait}]\nname: Deploy\ndescription: Everything\nproperties: {env: dev, n: 1.10}\n"
        "inputs: {type: object}\non: {publish: true, schedule: [{cron: 0 3 * * *}]}\n"
        "concurrency: {limit: 2, on_new: replace}\nnotify: {on: [failed], to: [ops]}\n"
    )
    assert (made.name, made.description) == ("Deploy", "Everything")
    assert made.properties == {"env": "dev", "n": 1.1}
    assert made.inputs == {"type": "object"}
    assert (made.on.publish, [one.cron for one in made.on.schedule]) == (True, ["0 3 * * *"])
    assert made.concurrency == Concurrency(limit=2, on_new=OnNew.REPLACE)
    assert made.notify == {"on": ["failed"], "to": ["ops"]}


def test_the_type_is_inferred_for_stages_and_changes_and_nothing_else() -> None:
    """`R3`."""
    stage, one, many = steps(
        "  - {name: A, run_as: parallel, children: [{type: wait}]}\n"
        "  - {target: /projects/p, action: a}\n"
        "  - {targets: [/projects/p], action: a}\n"
    )
    assert isinstance(stage, StageDefinition)
    assert isinstance(one, ChangeDefinition)
    assert isinstance(many, ChangeDefinition)


@pytest.mark.parametrize(
    ("step", "rule", "hint"),
    [
        ("{name: A}", "R4", "type: wait"),
        ("{requires_approval_from: {user_names: [ann]}}", "R4", "type: wait"),
        ("{target: /projects/p/workflows/w}", "R5", "type: workflow"),
        ("{name: A, children: [{type: wait}]}", "R6", "run_as"),
        ("{name: A, action: b}", "R7", "add target or targets to make it a change, or set type"),
    ],
)
def test_a_step_of_no_clear_type_is_an_error_that_says_what_is_missing(step: str, rule: str, hint: str) -> None:
    """`R4`, `R5`, `R6`, `R7`."""
    problems = loaded(f"steps: [{step}]\n")[1]
    assert [p.code for p in problems] == [Code.UNKNOWN_TYPE], rule
    assert hint in problems[0].hint
    assert problems[0].says.startswith("cannot tell the type of this step; it has ")


def test_the_message_names_place_code_step_and_keys_in_this_shape() -> None:
    """`R7`."""
    text = (
        "steps:\n  - type: wait\n  - type: wait\n  - name: A\n    run_as: sequential\n    children:\n"
        "      - name: B\n        action: c\n"
    )
    (problem,) = loaded(text)[1]
    assert str(problem) == (
        f"{FILE}:7:9: error[PM013]: step 3.1: cannot tell the type of this step; it has name and action\n"
        "hint: add target or targets to make it a change, or set type"
    )


def test_keys_of_two_kinds_are_an_error_with_both_readings() -> None:
    """`R6`."""
    (found,) = complaints("  - {name: A, children: [{type: wait}], target: /projects/p}\n")
    assert found[0] is Code.TWO_TYPES
    assert "children makes it a stage" in found[2]
    assert "target makes it a change" in found[2]


def test_a_misspelt_key_for_approvers_never_leaves_a_plain_wait() -> None:
    """`R2`, `R9`: the one mistake that would open a gate."""
    made, problems = loaded("steps: [{type: wait, require_approval_from: {user_names: [ann]}}]\n")
    assert made is None
    assert [(p.code, p.hint) for p in problems] == [(Code.UNKNOWN_KEY, "did you mean requires_approval_from?")]


APPROVERS = [
    "",
    "null",
    "{}",
    "[]",
    "[ann]",
    "ann",
    '"{{ approvers }}"',
    "{user_names: }",
    "{user_names: []}",
    "{user_names: ann}",
    '{user_names: ["{{ approver }}"]}',
    '{user_names: "{{ approvers }}"}',
    "{user_names: [ann], ldap_groups: []}",
    "{user_names: [ann], ldap_groups: }",
    "{user_names: [ann, null]}",
    "{user_names: [ann, '']}",
    "{user_names: [ann, ' ']}",
    "{user_names: [ann, 5]}",
    "{user_names: [ann], ldap_groups: [[ops]]}",
]


@pytest.mark.parametrize("approvers", APPROVERS)
def test_approvers_that_are_not_lists_of_names_are_refused(approvers: str) -> None:
    """`R9`."""
    made, problems = loaded(f"steps:\n  - type: wait\n    requires_approval_from: {approvers}\n")
    assert made is None
    assert {p.code for p in problems} == {Code.BAD_APPROVERS}


def test_a_wait_and_an_approval_have_names_and_the_other_steps_keep_none() -> None:
    """`R12`."""
    made = steps(
        "  - type: wait\n  - {type: wait, requires_approval_from: {ldap_groups: [ops]}}\n"
        "  - {target: /projects/p, action: a}\n  - {type: workflow, target: /projects/p/workflows/w}\n"
    )
    assert [step.name for step in made] == ["Wait", "Approval", "", ""]


def test_a_list_is_known_to_be_one_even_of_one_entry() -> None:
    """`R12`."""
    one, listed, called, fanned = steps(
        "  - {target: /a, action: a}\n  - {targets: [/a], action: a}\n"
        "  - {type: workflow, target: /w, property_overrides: {a: 1}}\n"
        "  - {type: workflow, target: /w, property_overrides: [{a: 1}]}\n"
    )
    assert isinstance(one, ChangeDefinition)
    assert isinstance(listed, ChangeDefinition)
    assert isinstance(called, CallDefinition)
    assert isinstance(fanned, CallDefinition)
    assert [step.listed for step in (one, listed, called, fanned)] == [False, True, False, True]
    assert called.property_overrides == fanned.property_overrides == ({"a": 1},)


def test_everything_of_a_change_is_read() -> None:
    step = only(
        "  - {type: change, name: N, id: i, targets: [/a, '{{ b }}'], action: act, run_as: parallel, when: always,"
        " continue_on_error: true, template_versions: [1.10, null], property_overrides: {x: {y: [1]}},"
        " start_time: 1970-01-01T10:00:00+10:00}\n"
    )
    assert isinstance(step, ChangeDefinition)
    assert (step.name, step.id, step.targets, step.action) == ("N", "i", ("/a", "{{ b }}"), "act")
    assert (step.run_as, step.when, step.continue_on_error) == (RunAs.PARALLEL, When.ALWAYS, True)
    assert step.template_versions == ("1.10", None)
    assert step.property_overrides == {"x": {"y": [1]}}
    assert step.start_time == 0.0


def test_one_template_version_holds_for_every_target() -> None:
    """`R10`, `R22`."""
    step = only("  - {targets: [/a, /b], action: c, template_version: 1.10}\n")
    assert isinstance(step, ChangeDefinition)
    assert step.template_versions == ("1.10", "1.10")


def test_template_versions_of_another_length_are_refused_with_both_lengths() -> None:
    """`R10`."""
    (found,) = complaints("  - {targets: [/a, /b, /c], action: d, template_versions: [1]}\n")
    assert found[0] is Code.LENGTHS_DIFFER
    assert "has 1" in found[2]
    assert "has 3" in found[2]


def test_a_list_of_overrides_is_refused_on_a_change() -> None:
    """`R11`."""
    assert [one[0] for one in complaints("  - {target: /a, action: b, property_overrides: [{a: 1}]}\n")] == [
        Code.WRONG_VALUE
    ]


@pytest.mark.parametrize("empty", ["children: []", "targets: []", "property_overrides: []"])
def test_empty_lists_are_refused(empty: str) -> None:
    """`R1`."""
    rest = {
        "children": "name: A, run_as: parallel",
        "targets": "action: a",
        "property_overrides": "type: workflow, target: /w",
    }[empty.split(":", maxsplit=1)[0]]
    (found,) = complaints(f"  - {{{rest}, {empty}}}\n")
    assert found[2] == f"{empty.split(':', maxsplit=1)[0]} is empty"


def test_everything_of_an_approval_is_read() -> None:
    step = only(
        "  - {type: wait, name: N, requires_approval_from: {user_names: [' ann '], ldap_groups: [ops, dev]},"
        " min_approvals: 2, one_from_each_group: true, allow_self_approval: false, reset_on_retry: false,"
        " timeout: 1h30m, on_timeout: reject}\n"
    )
    assert isinstance(step, GateDefinition)
    assert step.approvers == Approvers(user_names=("ann",), ldap_groups=("ops", "dev"))
    assert (step.min_approvals, step.one_from_each_group, step.allow_self_approval) == (2, True, False)
    assert (step.reset_on_retry, step.timeout_seconds, step.on_timeout) == (False, 5400, OnTimeout.REJECT)


def test_a_plain_wait_may_be_continued_by_its_timeout_and_an_approval_may_not() -> None:
    """`R53`, `R78`."""
    wait = only("  - {type: wait, timeout: 30s, on_timeout: continue, when: on_failure, continue_on_error: true}\n")
    assert isinstance(wait, GateDefinition)
    assert (wait.timeout_seconds, wait.on_timeout, wait.when) == (30, OnTimeout.CONTINUE, When.ON_FAILURE)
    for key in ("on_timeout: continue", "when: always", "continue_on_error: true", "continue_on_error: false"):
        found = complaints(f"  - {{type: wait, requires_approval_from: {{user_names: [a]}}, {key}}}\n")
        assert [one[0] for one in found] == [Code.WRONG_VALUE], key


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1d2h3m4s", 93784),
        ("90", 90),
        ("'5'", 5),
    ],
)
def test_a_duration_comes_to_whole_seconds(written: str, seconds: int) -> None:
    step = only(f"  - {{type: wait, timeout: {written}}}\n")
    assert isinstance(step, GateDefinition)
    assert step.timeout_seconds == seconds


@pytest.mark.parametrize(
    "written", ["0", "0s", "-5", "1.5h", "30m1h", "1w", "soon", "h", "true", "[1]", "99999d", "１s"]
)
def test_what_is_no_duration_is_refused(written: str) -> None:
    assert [one[0] for one in complaints(f"  - {{type: wait, timeout: {written}}}\n")] == [Code.BAD_TIME]


@pytest.mark.parametrize(
    "written",
    [
        "2026-06-04T22:00:00",
        "2026-06-04",
        "2026-06-04 22:00",
        "22:00",
        "1780617600",
        "'{{ when }}'",
        "2026-13-01T00:00Z",
    ],
)
def test_a_start_time_without_an_offset_or_that_is_none_is_refused(written: str) -> None:
    """`R59`."""
    found = complaints(f"  - {{target: /a, action: b, start_time: {written}}}\n")
    assert [one[0] for one in found] == [Code.BAD_TIME]


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("1", "1"),
        ("1.10", "1.10"),
        ("'2.0'", "2.0"),
        ("1.2.0rc1", "1.2.0rc1"),
        ("0x10", None),
        ("1e3", None),
        ("{{x", None),
    ],
)
def test_a_version_is_read_as_its_source_text(written: str, version: str | None) -> None:
    """`R22`."""
    made, problems = loaded(f"steps:\n  - type: workflow\n    target: /w\n    version: {written}\n")
    if version is None:
        assert made is None
        assert {p.code for p in problems} <= {Code.BAD_VERSION, Code.UNQUOTED_VARIABLE}
    else:
        assert made is not None
        (step,) = made.steps
        assert isinstance(step, CallDefinition)
        assert step.version == version


@pytest.mark.parametrize("written", ["true", "", "null", "~", "latest", "v1.x", "[1]", "' '"])
def test_booleans_null_and_what_is_no_version_are_refused(written: str) -> None:
    """`R22`."""
    made, problems = loaded(f"steps:\n  - type: workflow\n    target: /w\n    version: {written}\n")
    assert made is None
    assert {p.code for p in problems} <= {Code.BAD_VERSION, Code.WRONG_VALUE}


def test_a_version_may_be_a_variable() -> None:
    """`R30`."""
    step = only("  - {type: workflow, target: '/projects/p/workflows/{{ w }}', version: '{{ v }}'}\n")
    assert isinstance(step, CallDefinition)
    assert step.version == "{{ v }}"


@pytest.mark.parametrize("written", ["PARALLEL", "true", "'parallel '", "'{{ how }}'", "", "[parallel]"])
def test_run_as_is_one_of_two_words(written: str) -> None:
    """`R8`."""
    problems = loaded(f"steps:\n  - name: A\n    children: [{{type: wait}}]\n    run_as: {written}\n")[1]
    assert len(problems) == 1
    assert problems[0].code is Code.WRONG_VALUE


def test_each_missing_key_of_a_stage_is_named() -> None:
    """`R8`."""
    assert [one[2] for one in complaints("  - type: stage\n")] == [
        "name is missing",
        "run_as is missing",
        "children is missing",
    ]


def test_target_beside_targets_is_refused() -> None:
    """`R9`."""
    (found,) = complaints("  - {target: /a, targets: [/b], action: c}\n")
    assert "both" in found[2]


def test_a_wait_in_a_parallel_stage_is_a_warning_and_nothing_is_lost() -> None:
    """`R16`."""
    made, problems = loaded("steps:\n  - {name: A, run_as: parallel, children: [{type: wait}, {type: wait}]}\n")
    assert [(p.code, p.step) for p in problems] == [(Code.WAIT_IN_PARALLEL, "1.1"), (Code.WAIT_IN_PARALLEL, "1.2")]
    assert not has_errors(problems)
    assert made is not None
    (stage,) = made.steps
    assert isinstance(stage, StageDefinition)
    assert len(stage.children) == 2


def test_a_quorum_that_nobody_can_reach_is_a_warning_and_the_gate_stands() -> None:
    made, problems = loaded("steps: [{type: wait, requires_approval_from: {user_names: [ann]}, min_approvals: 2}]\n")
    assert [p.code for p in problems] == [Code.BAD_APPROVERS]
    assert made is not None
    assert len(made.steps) == 1


def test_steps_are_numbered_and_placed_as_they_were_written() -> None:
    (stage,) = steps(
        "  - name: A\n    run_as: sequential\n    children:\n      - type: wait\n"
        "      - targets:\n          - /a\n          - /b\n        action: c\n        property_overrides: {x: {y: 1}}\n"
    )
    assert isinstance(stage, StageDefinition)
    wait, change = stage.children
    assert (stage.number, wait.number, change.number) == ("1", "1.1", "1.2")
    assert (stage.place, wait.place, change.place) == (Place(FILE, 2, 5), Place(FILE, 5, 9), Place(FILE, 6, 9))
    assert change.at("targets.1") == Place(FILE, 8, 13)
    assert change.at("property_overrides.x.y") == Place(FILE, 10, 37)
    assert change.at("no_such_key") == change.place
    assert not any(key.startswith("children.") for key in stage.places)


def test_an_id_is_given_to_one_step_only_even_through_an_alias() -> None:
    text = "steps:\n  - &a {type: wait, id: x}\n  - *a\n"
    assert [(p.code, p.step) for p in loaded(text)[1]] == [(Code.WRONG_VALUE, "2")]


def test_keys_of_overrides_take_no_variables_and_values_do() -> None:
    """`R36`."""
    step = only("  - {target: /a, action: b, property_overrides: {x: '{{ y }}'}}\n")
    assert isinstance(step, ChangeDefinition)
    assert step.property_overrides == {"x": "{{ y }}"}
    assert len(complaints("  - {target: /a, action: b, property_overrides: {x: {'{{ y }}': 1}}}\n")) == 1


def test_all_mistakes_of_a_file_are_told_at_once_in_order() -> None:
    """`R15`."""
    problems = loaded("steps:\n  - {type: wait, a: 1}\n  - {type: wait, b: 1}\nc: 1\nname:\nname: x\n")[1]
    assert [(p.place.line, p.code) for p in problems] == [
        (2, Code.UNKNOWN_KEY),
        (3, Code.UNKNOWN_KEY),
        (4, Code.UNKNOWN_KEY),
        (5, Code.WRONG_VALUE),
        (6, Code.DUPLICATE_KEY),
    ]


WORDS = st.sampled_from(
    ["", "a", "wait", "stage", "change", "workflow", "parallel", "sequential", "{{ x }}", "30s", "1.0"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers(-1, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [
        "type", "name", "id", "when", "target", "targets", "action", "run_as", "version", "timeout", "start_time",
        "property_overrides", "template_versions", "requires_approval_from", "min_approvals", "continue_on_error", "x",
    ]
)  # fmt: skip
STEPS: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=5)
    | st.sampled_from([{"type": "wait"}, {"target": "/a", "action": "b"}, {"type": "workflow", "target": "/w"}]),
    lambda inner: st.fixed_dictionaries(
        {"name": WORDS, "run_as": WORDS, "children": st.lists(inner, min_size=1, max_size=3)},
        optional={"max_parallel": st.integers(0, 2)},
    ),
    max_leaves=6,
)


def count(written: list[Any]) -> int:
    return sum(1 + count(step.get("children", [])) for step in written)


def kept(made: tuple[StepDefinition, ...]) -> int:
    return sum(1 + (kept(step.children) if isinstance(step, StageDefinition) else 0) for step in made)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.lists(STEPS, min_size=1, max_size=3))
def test_whatever_is_written_every_step_is_in_the_definition_or_there_is_an_error(written: list[Any]) -> None:
    made, problems = loaded(canonical({"steps": written}))
    if made is None:
        assert has_errors(problems)
    else:
        assert not has_errors(problems)
        assert kept(made.steps) == count(written)
        gates = canonical(written).count('"requires_approval_from"')
        assert gates == _approvals(made.steps)


def _approvals(made: tuple[StepDefinition, ...]) -> int:
    return sum(
        _approvals(step.children)
        if isinstance(step, StageDefinition)
        else isinstance(step, GateDefinition) and step.approvers is not None
        for step in made
    )
