"""From a resolved path to what will be done: targets, actions, template versions, properties, the environment."""

from dataclasses import replace

import pytest

from fakes.sources import DEV, INVENTORY, PROD, TEMPLATE, World, content_of, loaded, source, told
from pointsman.load.assemble import template_of
from pointsman.model.inventory import Layer, Template
from pointsman.plan.environment import LARGEST_VARIABLE
from pointsman.plan.library import Shelf
from pointsman.plan.planner import plan

WORLD = World()


def on(target: str, *, action: str = "check", more: str = "") -> str:
    """A workflow of one change."""
    return f'steps: [{{target: "{target}", action: "{action}"{more}}}]'


# Targets and actions


def test_a_target_that_does_not_exist_is_named_with_its_parent_and_the_nearest() -> None:
    """`R35`"""
    assert WORLD.refusal(on("/projects/p/environments/{{ env }}/assets/wep"), env="dev") == (
        "projects/p/workflows/deploy.yaml:1:18: error[PM030]: step 1: there is no target "
        "/projects/p/environments/dev/assets/wep; /projects/p/environments/dev exists\n"
        f"hint: did you mean {DEV}?"
    )


def test_an_action_that_does_not_exist_is_named_with_the_nearest() -> None:
    """`R35`: or with all there are."""
    assert WORLD.refusal(on(DEV, action="bakcup")).endswith(
        f"error[PM031]: step 1: {DEV} has no action 'bakcup'\nhint: did you mean backup?"
    )
    assert WORLD.refusal(on(DEV, action="xyz")).endswith(
        "hint: its actions are: check, backup, configure, start, default"
    )


def test_a_target_without_a_template_has_no_actions() -> None:
    """`R35`"""
    assert WORLD.refusal(on("/projects/p")).endswith(
        "error[PM031]: step 1: /projects/p has no template and so no actions\n"
        "hint: add template: to projects/p/project.yaml"
    )


def test_a_project_or_environment_with_a_template_is_a_target() -> None:
    """DESIGN section 2"""
    world = World(
        files={
            "projects/p/project.yaml": "template: server\nproperties: {hostname: all}\n",
            "projects/p/environments/dev/environment.yaml": "template: server\n",
        }
    )

    assert content_of(world.plan(on("/projects/p", action="backup")), "1").phases[0].command[-1] == "all"
    assert content_of(world.plan(on("/projects/p/environments/dev", action="backup")), "1").target.endswith("/dev")


@pytest.mark.parametrize(
    "env", ["dev/assets/web/../../../prod", "..", "dev/../prod", "", "DEV", "dev ", "dév", "dev\n", "./dev", "dev//x"]
)
def test_a_value_cannot_lead_out_of_its_place_in_a_path(env: str) -> None:
    """`R36`: every segment of a resolved path matches the code pattern."""
    refusal = WORLD.refusal(on("/projects/p/environments/{{ env }}/assets/web"), env=env)

    assert "error[PM040]" in refusal
    assert "is no path of a target" in refusal


def test_a_value_that_adds_segments_names_what_it_resolves_to() -> None:
    """`R36`: policy looks at the resolved target; here the path happens to be one."""
    found = WORLD.plan(on("/projects/{{ rest }}"), rest="p/environments/prod/assets/web")

    assert (found.steps[1].target, content_of(found, "1").target) == (PROD, PROD)


def test_a_target_whose_file_is_broken_is_said_to_be_so() -> None:
    """`R15`, `R35`: it is there; what is wrong with it was told at its file."""
    inventory = loaded({"templates/server/template.yaml": "x: 1\n"}).inventory

    found = plan(WORLD.request(on(DEV)), Shelf(inventory=inventory, broken={DEV}))

    assert told(found) == (
        f"projects/p/workflows/deploy.yaml:1:18: error[PM030]: step 1: {DEV} cannot be used: "
        "there is an error in its file, its template or a file above it\nhint: correct that first"
    )


# Versions of templates


def older() -> dict[tuple[str, str], Template]:
    """The template as it was in version 1: another port, and no backup."""
    text = TEMPLATE.replace("port: 80", "port: 1").replace("backup", "restore")
    template, problems = template_of(source({**INVENTORY, "templates/server/template.yaml": text}), "templates/server")
    assert template is not None, problems
    return {("templates/server", "1"): template}


def test_a_template_version_gives_actions_and_defaults_of_that_version() -> None:
    """`R100`: its defaults stand where the template's own would."""
    world = World(templates=older())
    found = world.plan(on(DEV, action="restore", more=", template_version: 1"))

    assert content_of(found, "1").tree == older()["templates/server", "1"].tree
    assert content_of(found, "1").properties["port"] == 1
    assert content_of(WORLD.plan(on(DEV)), "1").tree != content_of(found, "1").tree


def test_each_target_of_a_list_has_its_own_template_version() -> None:
    """`R10`: null means the default."""
    world = World(templates=older())
    found = world.plan(f"steps: [{{targets: [{DEV}, {PROD}], action: check, template_versions: [1, null]}}]")

    assert [content_of(found, key).properties["port"] for key in ("1.1", "1.2")] == [1, 80]


def test_a_template_version_may_be_a_variable() -> None:
    """`R30`: variables stand in versions too."""
    world = World(templates=older())
    text = on(DEV, more=', template_version: "{{ version }}"')

    assert content_of(world.plan(text, version=1), "1").properties["port"] == 1
    assert "version (step 1)" in world.refusal(text)


def test_a_template_version_that_does_not_exist_is_refused_at_its_place() -> None:
    """`R10`: there is no falling back to the default."""
    assert WORLD.refusal(on(DEV, more=", template_version: 9")).startswith(
        "projects/p/workflows/deploy.yaml:1:96: error[PM032]: step 1: the template server has no version 9"
    )
    listed = f"steps: [{{targets: [{DEV}, {PROD}], action: check, template_versions: [null, 9]}}]"
    assert f":1:{listed.index('9]') + 1}: error[PM032]" in WORLD.refusal(listed)


# Properties


def test_the_six_layers_merge_in_their_order() -> None:
    """`R100`: repository, project, environment, template, asset, step; each wins over those before it."""
    names = ("repository", "project", "environment", "template", "asset", "step")
    layers = [{f"from_{name}": place for name in names[place:]} for place in range(6)]
    written = [", ".join(f"{name}: {value}" for name, value in layer.items()) for layer in layers]
    world = World(
        files={
            "pointsman.yaml": f"properties: {{{written[0]}}}\n",
            "projects/p/project.yaml": f"properties: {{{written[1]}}}\n",
            "projects/p/environments/dev/environment.yaml": f"properties: {{{written[2]}}}\n",
            "templates/server/template.yaml": f"properties: {{{written[3]}}}\nactions: {{check: {{run: 'true'}}}}\n",
            "projects/p/environments/dev/assets/web.yaml": f"template: server\nproperties: {{{written[4]}}}\n",
        }
    )

    found = world.plan(on(DEV, more=f", property_overrides: {{{written[5]}}}"))

    assert content_of(found, "1").properties == {f"from_{name}": place for place, name in enumerate(names)}


@pytest.mark.parametrize(
    ("lower", "upper", "result"),
    [
        ("{a: {b: 1, c: 2}}", "{a: {c: 3, d: 4}}", {"a": {"b": 1, "c": 3, "d": 4}}),
        ("{a: [1, 2]}", "{a: [3]}", {"a": [3]}),
        ("{a: {b: 1}}", "{a: 7}", {"a": 7}),
        ("{a: 7}", "{a: {b: 1}}", {"a": {"b": 1}}),
        ("{a: {b: 1}}", "{a: null}", {"a": None}),
        ("{a: null}", "{a: {b: 1}}", {"a": {"b": 1}}),
        ("{a: {b: null}}", "{a: {}}", {"a": {"b": None}}),
    ],
)
def test_objects_merge_deep_lists_are_replaced_and_null_stays(lower: str, upper: str, result: object) -> None:
    """`R100`"""
    world = World(
        files={
            "templates/server/template.yaml": "actions: {check: {run: 'true'}}\n",
            "projects/p/environments/dev/assets/web.yaml": f"template: server\nproperties: {lower}\n",
        }
    )

    assert content_of(world.plan(on(DEV, more=f", property_overrides: {upper}")), "1").properties == result


def test_a_workflows_properties_are_variables_and_no_layer() -> None:
    """`R100`, `R31`: a run's overrides do not reach a step by themselves."""
    found = WORLD.plan(f"properties: {{port: 1}}\n{on(DEV)}", port=2)

    assert content_of(found, "1").properties["port"] == 80


# The environment of a step


def test_variables_of_the_properties_reach_every_process_and_the_actions_own_win() -> None:
    """`R103`: numbers and booleans as in JSON."""
    overrides = "{pointsman: {env: {HOSTNAME: other, COUNT: 3, FLAG: true}}}"
    found = WORLD.plan(on(DEV, action="default", more=f", property_overrides: {overrides}"))
    configure, start = content_of(found, "1").phases

    assert configure.env == {"HOSTNAME": "dev-web", "COUNT": "3", "FLAG": "true"}
    assert start.env == {"HOSTNAME": "other", "COUNT": "3", "FLAG": "true"}


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "BASH_ENV", "GIT_DIR", "POINTSMAN_RUN_ID", "PYTHONPATH", "IFS"])
def test_no_variable_that_changes_what_runs_reaches_a_step(name: str) -> None:
    """`R37`, `R103`: reading refuses such files, and planning does so again whatever it is given."""
    shelf = WORLD.shelf()
    target = shelf.inventory.targets[DEV]
    layer = Layer(file="", properties={"pointsman": {"env": {name: "x"}}})
    hostile = replace(target, layers=(*target.layers, layer))

    found = plan(WORLD.request(on(DEV)), replace(shelf, inventory=replace(shelf.inventory, targets={DEV: hostile})))

    assert f"check on {DEV}: {name} may not be set: it changes what runs" in told(found)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("a\0b", "the value of TOKEN holds a NUL byte"),
        ("x" * (LARGEST_VARIABLE + 1), "the value of TOKEN is longer than 64 KiB"),
    ],
)
def test_a_value_that_no_process_can_be_given_is_refused(value: str, says: str) -> None:
    """`R37`: before there is a run."""
    text = on(DEV, more=', property_overrides: {pointsman: {env: {TOKEN: "{{ token }}"}}}')

    assert says in WORLD.refusal(text, token=value)


@pytest.mark.parametrize("value", ["a\0b", "x" * (130 * 1024)])
def test_an_argument_that_no_process_can_be_given_is_refused(value: str) -> None:
    """`R37`: the kernel takes 128 KiB and no NUL byte."""
    text = on(DEV, action="backup", more=', property_overrides: {hostname: "{{ name }}"}')

    assert "an argument of backup holds a NUL byte or is longer than 120 KiB" in WORLD.refusal(text, name=value)


def test_the_text_of_run_is_never_templated() -> None:
    """`R37`: a property cannot become code."""
    template = 'actions: {check: {run: "echo {{ hostname }}"}}\n'
    world = World(files={"templates/server/template.yaml": template})

    assert content_of(world.plan(on(DEV)), "1").phases[0].script == "echo {{ hostname }}"


def test_a_command_is_a_list_whatever_its_values_hold() -> None:
    """`R36`: no shell sees them."""
    text = on(DEV, action="backup", more=', property_overrides: {hostname: "{{ name }}"}')
    hostile = '"; rm -rf / #\n$(id) `id`'

    assert content_of(WORLD.plan(text, name=hostile), "1").phases[0].command == ("./act.sh", "backup", hostile)


def test_what_an_action_says_about_itself_is_in_the_plan() -> None:
    """`R61`, `R86`: its retries, its time and whether it may run again; the content is shared by equal changes."""
    found = WORLD.plan(f"steps: [{{target: {DEV}, action: configure}}, {{target: {DEV}, action: backup}}]")
    configure, backup = content_of(found, "1"), content_of(found, "2")

    assert (configure.timeout_seconds, configure.retry.max, configure.retry.delay_seconds) == (600, 2, 30)
    assert (found.steps[1].retry, configure.idempotent, backup.idempotent) == (configure.retry, False, True)


def test_the_label_of_the_workers_that_reach_an_asset_is_in_the_plan() -> None:
    """DESIGN section 2"""
    asset = "template: server\nworker: dmz\nproperties: {hostname: x}\n"
    world = World(files={"projects/p/environments/dev/assets/web.yaml": asset})

    assert content_of(world.plan(on(DEV)), "1").worker == "dmz"
