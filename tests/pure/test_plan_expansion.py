"""A workflow becomes one tree: wrappers, keys, names, order."""

import pytest

from fakes.hello import COMPLETE_PIPELINE
from fakes.sources import DEV, PROD, STAGING, World, content_of, outline
from pointsman.model.definition import Kind, RunAs, When
from pointsman.model.plan import Plan

WORLD = World()
BACKUP = f"steps: [{{target: {DEV}, action: backup}}]"
ALL = f"[{DEV}, {STAGING}, {PROD}]"


def change(**keys: str) -> str:
    """A workflow of one change step."""
    written = {"action": "check", **keys}
    return f"steps: [{{{', '.join(f'{key}: {value}' for key, value in written.items())}}}]"


def test_the_complete_pipeline_has_seventeen_steps() -> None:
    """`R40`: the root, a stage with a wrapper of three changes, three stages of two changes, two gates."""
    plan = seed_pipeline()

    assert len(plan.steps) == 17
    assert [step.kind for step in plan.steps].count(Kind.CHANGE) == 9
    assert [step.key for step in plan.steps if step.kind in {Kind.WAIT, Kind.APPROVAL}] == ["4", "5"]
    assert [step.run_as for step in plan.steps if step.key in {"1", "1.1"}] == [RunAs.PARALLEL] * 2


def seed_pipeline() -> Plan:
    """The seed's pipeline, planned with its own project."""
    template = "actions: {disk_check: {run: 'true'}, backup: {run: 'true'}, default: {run: 'true'}}\n"
    files = {
        f"projects/hello_world/environments/{name}/assets/managed_server.yaml": "template: managed\n"
        for name in ("dev", "staging", "prod")
    }
    return World(files={**files, "templates/managed/template.yaml": template}).plan(COMPLETE_PIPELINE)


def test_a_list_of_one_target_has_a_wrapper() -> None:
    """`R12`: a wrapper of targets is a stage, even of one."""
    plan = WORLD.plan(change(targets=f"[{DEV}]", name="Check"))

    assert outline(plan)[1:] == ["1 stage Check", "1.1 change dev › web"]


def test_a_single_target_has_no_wrapper() -> None:
    """`R12`"""
    assert outline(WORLD.plan(change(target=DEV)))[1:] == ["1 change check dev › web"]


def test_a_list_of_one_override_has_a_wrapper() -> None:
    """`R12`: a wrapper of overrides is a workflow; the entry is one too."""
    world = World(published={"backup@1": BACKUP})
    call = "steps: [{type: workflow, target: /projects/p/workflows/backup, property_overrides: %s}]"

    assert outline(world.plan(call % "[{env: dev}]"))[1:] == [
        "1 workflow backup",
        "1.1 workflow env: dev",
        "1.1.1 change backup dev › web",
    ]
    assert outline(world.plan(call % "{env: dev}"))[1:] == ["1 workflow backup", "1.1 change backup dev › web"]


def test_what_the_author_wrote_about_the_step_belongs_to_the_wrapper() -> None:
    """`R12`: name, id, when, start_time and continue_on_error are the wrapper's alone."""
    plan = WORLD.plan(
        change(
            targets=f"[{DEV}, {PROD}]",
            name="Check all",
            id="checked",
            when="always",
            start_time="2026-06-04T22:00:00Z",
            continue_on_error="true",
        )
    )
    wrapper, *inner = plan.steps[1:]

    assert (wrapper.name, wrapper.id, wrapper.when) == ("Check all", "checked", When.ALWAYS)
    assert (wrapper.start_time, wrapper.continue_on_error) == (1780610400.0, True)
    assert {(one.id, one.when, one.start_time, one.continue_on_error) for one in inner} == {
        ("", When.ON_SUCCESS, None, False)
    }


def test_a_wait_and_an_approval_without_a_name_are_named() -> None:
    """`R12`"""
    plan = WORLD.plan("steps: [{type: wait}, {type: wait, requires_approval_from: {user_names: [ann]}}]")

    assert outline(plan)[1:] == ["1 wait Wait", "2 approval Approval"]


def test_targets_without_run_as_run_in_order() -> None:
    """`R41`: also in a parallel stage."""
    inner = f"{{targets: {ALL}, action: check}}"
    plan = WORLD.plan(f"steps: [{{name: All, run_as: parallel, children: [{inner}]}}]")

    assert [(step.key, step.run_as) for step in plan.steps[1:3]] == [
        ("1", RunAs.PARALLEL),
        ("1.1", RunAs.SEQUENTIAL),
    ]


def test_the_steps_own_run_as_governs_its_targets() -> None:
    """`R41`: whatever the stage around it says."""
    inner = f"{{targets: {ALL}, action: check, run_as: parallel}}"
    plan = WORLD.plan(f"steps: [{{name: All, run_as: sequential, children: [{inner}]}}]")

    assert [(step.key, step.run_as) for step in plan.steps[1:3]] == [
        ("1", RunAs.SEQUENTIAL),
        ("1.1", RunAs.PARALLEL),
    ]


def test_one_mapping_of_overrides_reaches_every_target() -> None:
    """`R42`"""
    plan = WORLD.plan(change(targets=ALL, property_overrides="{disk: {threshold: 99}}"))

    assert [content_of(plan, key).phases[0].command for key in ("1.1", "1.2", "1.3")] == [
        ("./act.sh", "check", "99")
    ] * 3


def test_generated_steps_are_told_apart_by_their_targets() -> None:
    """`R42`: with the project where they differ in it, with a number where nothing else differs."""
    other = World(files={"projects/q/assets/web.yaml": "template: server\nproperties: {hostname: q}\n"})

    assert [step.name for step in WORLD.plan(change(targets=ALL)).steps[2:]] == [
        "dev › web",
        "staging › web",
        "prod › web",
    ]
    assert [step.name for step in other.plan(change(targets=f"[{DEV}, /projects/q/assets/web]")).steps[2:]] == [
        "p › dev › web",
        "q › web",
    ]
    assert [step.name for step in WORLD.plan(change(targets=f"[{DEV}, {DEV}]")).steps[2:]] == [
        "dev › web",
        "dev › web (2)",
    ]


def test_the_same_target_twice_in_parallel_is_planned_as_two_exclusive_changes() -> None:
    """`R43`, `R96`: they share one content; the setting on a target lifts the lock."""
    twice = change(targets=f"[{DEV}, {DEV}]", run_as="parallel")
    lifted = World(files={"projects/p/project.yaml": "settings: {allow_parallel_changes: true}\n"})

    plan = WORLD.plan(twice)
    assert plan.steps[2].content == plan.steps[3].content
    assert content_of(plan, "1.1").exclusive
    assert not content_of(lifted.plan(twice), "1.1").exclusive


def test_an_action_of_several_others_has_a_phase_for_each() -> None:
    """DESIGN section 2: these actions in order, one working copy."""
    plan = WORLD.plan(change(target=DEV, action="default"))

    assert [(phase.name, phase.command, phase.script) for phase in content_of(plan, "1").phases] == [
        ("configure", (), './act.sh "$HOSTNAME"'),
        ("start", ("./act.sh", "start"), ""),
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_a_step_that_its_author_did_not_name_says_what_it_does(count: int) -> None:
    """`R42`: never the variable, always its value."""
    targets = ", ".join([DEV, STAGING, PROD][:count])
    plan = WORLD.plan(change(targets=f"[{targets}]", action='"{{ what }}"'), what="backup")

    assert plan.steps[1].name == f"backup on {count} targets"


def test_long_names_are_cut() -> None:
    """hostile.md 3.1, 27: 500 characters fit no line of the tree."""
    plan = WORLD.plan(change(target=DEV, name="x" * 500))

    assert plan.steps[1].name == "x" * 199 + "…"


def test_stages_keep_how_their_children_run() -> None:
    """DESIGN section 4: max_parallel and fail_fast."""
    plan = WORLD.plan(
        "steps: [{name: S, run_as: parallel, max_parallel: 2, fail_fast: true, "
        f"children: [{{target: {DEV}, action: check}}]}}]"
    )

    assert (plan.steps[1].max_parallel, plan.steps[1].fail_fast, plan.steps[1].children) == (2, True, (2,))


def test_start_times_are_kept_on_changes_and_calls() -> None:
    """`R59`: seconds since 1970, whatever the offset."""
    world = World(published={"backup@1": BACKUP})
    plan = world.plan(
        f"steps:\n- {{target: {DEV}, action: check, start_time: '1970-01-01T01:00:00+01:00'}}\n"
        "- {type: workflow, target: /projects/p/workflows/backup, start_time: '1970-01-02T00:00:00Z'}"
    )

    assert [step.start_time for step in plan.steps[1:]] == [0.0, 86400.0, None]
