"""The files of one commit → inventory and workflows: layers, templates, settings, policies, and what is left out."""

import pytest

from pointsman.load.assemble import Loaded, assemble, template_of
from pointsman.model.definition import Approvers
from pointsman.model.inventory import Action, Layer, Retry, TargetKind, Template
from pointsman.model.problem import Code, Place, Severity
from pointsman.model.source import LARGEST_DEFINITION, Entry, Mode, Source
from pointsman.model.values import JsonObject, merged

ASSET = "projects/p/environments/dev/assets/web.yaml"
TEMPLATE = "templates/server/template.yaml"
WEB = "/projects/p/environments/dev/assets/web"
WAIT = "steps: [{type: wait}]\n"


def source(files: dict[str, str | bytes | Entry], **more: str) -> Source:
    """Files as a source; scripts are executable."""
    entries: dict[str, Entry] = {}
    for path, content in files.items():
        if isinstance(content, Entry):
            entries[path] = content
            continue
        data = content.encode() if isinstance(content, str) else content
        mode = Mode.EXECUTABLE if path.endswith(".sh") else Mode.FILE
        entries[path] = Entry(mode=mode, size=len(data), data=data if path.endswith((".yaml", ".yml")) else None)
    return Source(entries=entries, trees={"templates/server": "tree-of-server"}, **more)


def loaded(files: dict[str, str | bytes | Entry], **more: str) -> Loaded:
    return assemble(source(files, **more))


def codes(found: Loaded) -> list[tuple[Code, str]]:
    return [(problem.code, problem.place.path) for problem in found.problems]


LAYERED: dict[str, str | bytes | Entry] = {
    "pointsman.yaml": "properties: {who: repository, repository: 1}\n",
    "projects/p/project.yaml": "properties: {who: project, project: 1}\n",
    "projects/p/environments/dev/environment.yaml": "template: server\nproperties: {who: environment}\n",
    ASSET: "template: server\nproperties:\n  who: asset\n  deep: {a: [1, {b: 2}]}\n",
    TEMPLATE: "properties: {who: template, template: 1}\nactions: {a: {run: df}}\n",
}


def test_layers_are_in_merge_order_and_leave_out_what_does_not_apply() -> None:
    """`R100`: repository, project, environment, template, asset."""
    targets = loaded(LAYERED).inventory.targets

    def order(path: str) -> list[str]:
        return [str(layer.properties["who"]) for layer in targets[path].layers]

    assert order(WEB) == ["repository", "project", "environment", "template", "asset"]
    assert order("/projects/p/environments/dev") == ["repository", "project", "environment", "template"]
    assert order("/projects/p") == ["repository", "project"]


def test_the_defaults_in_the_layers_are_the_templates_own() -> None:
    """A pinned template is put in their place later, so they must be told from the other layers."""
    target = loaded(LAYERED).inventory.targets[WEB]
    assert target.template is not None
    assert any(layer is target.template.defaults for layer in target.layers)


def test_every_value_of_a_layer_has_its_place() -> None:
    """`R101`."""
    layer: Layer = loaded(LAYERED).inventory.targets[WEB].layers[-1]
    assert layer.file == ASSET
    assert layer.places == {
        "who": Place(ASSET, 3, 8),
        "deep": Place(ASSET, 4, 9),
        "deep.a": Place(ASSET, 4, 13),
        "deep.a.0": Place(ASSET, 4, 14),
        "deep.a.1": Place(ASSET, 4, 17),
        "deep.a.1.b": Place(ASSET, 4, 21),
    }


def test_merged_layers_replace_lists_and_keep_null() -> None:
    """`R100`."""
    found = loaded(
        {
            "pointsman.yaml": "properties: {a: {b: 1, c: [1, 2]}, d: 1, e: 1}\n",
            "projects/p/project.yaml": "properties: {a: {c: [3]}, d: {x: 1}, e: }\n",
        }
    )
    properties: JsonObject = {}
    for layer in found.inventory.targets["/projects/p"].layers:
        properties = merged(properties, layer.properties)
    assert properties == {"a": {"b": 1, "c": [3]}, "d": {"x": 1}, "e": None}
    assert found.inventory.projects["p"].properties == properties


def test_an_action_is_read_with_everything_it_has() -> None:
    text = (
        "name: Server\nactions:\n  deploy:\n    description: D\n    command: [./run.sh, 80, true, '{{ x }}']\n"
        "    env: {PORT: 8080, RATE: 1.10}\n    timeout: 10m\n    retry: {max: 2, delay: 30s}\n    idempotent: true\n"
        "  script: {run: 'echo {{ never }}'}\n  all: {steps: [deploy, script]}\n"
    )
    template, problems = template_of(source({TEMPLATE: text, "templates/server/run.sh": ""}), "templates/server")
    assert problems == ()
    assert template is not None
    assert (template.code, template.name, template.tree, template.file) == (
        "server",
        "Server",
        "tree-of-server",
        TEMPLATE,
    )
    assert template.actions["deploy"] == Action(
        name="deploy",
        place=Place(TEMPLATE, 3, 3),
        description="D",
        command=("./run.sh", "80", "true", "{{ x }}"),
        env={"PORT": "8080", "RATE": "1.10"},
        timeout_seconds=600,
        retry=Retry(max=2, delay_seconds=30),
        idempotent=True,
    )
    assert template.actions["script"].run == "echo {{ never }}"
    assert template.actions["all"].steps == ("deploy", "script")


def test_there_is_no_template_where_there_is_no_folder_or_a_broken_one() -> None:
    assert template_of(source({}), "templates/server") == (None, ())
    template, problems = template_of(source({TEMPLATE: "actions: []\n", ASSET: "broken"}), "templates/server")
    assert template is None
    assert [problem.code for problem in problems] == [Code.WRONG_VALUE]


def test_a_projects_own_template_wins_over_a_shared_one() -> None:
    found = loaded(
        {
            TEMPLATE: "name: Shared\n",
            "projects/p/templates/server/template.yaml": "name: Own\n",
            ASSET: "template: server\n",
            "projects/q/assets/web.yaml": "template: server\n",
        }
    )
    names = {path: target.template.name for path, target in found.inventory.targets.items() if target.template}
    assert names == {WEB: "Own", "/projects/q/assets/web": "Shared"}


def test_a_template_version_is_asked_for_by_its_source_text_and_own_templates_first() -> None:
    """`R22`."""
    asked: list[tuple[str, str]] = []
    old = Template(path="templates/server", tree="old", file=TEMPLATE, defaults=Layer(file="old"))

    def pinned(path: str, version: str) -> Template | None:
        asked.append((path, version))
        return old if path == "templates/server" else None

    files: dict[str, str | bytes | Entry] = {ASSET: "template: server\ntemplate_version: 1.10\n"}
    found = assemble(source(files), pinned=pinned)
    assert asked == [("projects/p/templates/server", "1.10"), ("templates/server", "1.10")]
    assert found.problems == ()
    assert found.inventory.targets[WEB].template is old
    assert [layer.file for layer in found.inventory.targets[WEB].layers] == ["old", ASSET]


def test_a_template_version_that_is_nowhere_is_an_error() -> None:
    found = loaded({TEMPLATE: "", ASSET: "template: server\ntemplate_version: 7\n", "projects/p/project.yaml": ""})
    assert (Code.UNKNOWN_TEMPLATE, ASSET) in codes(found)
    assert WEB not in found.inventory.targets


def test_settings_are_inherited_downwards_until_something_else_is_said() -> None:
    found = loaded(
        {
            "pointsman.yaml": "settings: {allow_parallel_changes: true}\n",
            "projects/p/environments/dev/environment.yaml": "settings: {allow_parallel_changes: false}\n",
            "projects/p/assets/a.yaml": "template: server\n",
            ASSET: "template: server\n",
            "projects/p/environments/dev/assets/own.yaml": "template: server\n"
            "settings: {allow_parallel_changes: true}\n",
            TEMPLATE: "name: Server\n",
        }
    )
    assert {path: target.allow_parallel_changes for path, target in found.inventory.targets.items()} == {
        "/projects/p": True,
        "/projects/p/assets/a": True,
        "/projects/p/environments/dev": False,
        WEB: False,
        "/projects/p/environments/dev/assets/own": True,
    }


def test_names_kinds_and_labels_of_targets_are_read() -> None:
    found = loaded(
        {
            "projects/p/project.yaml": "name: Project\ndescription: D\n",
            ASSET: "name: Web\ntemplate: server\nworker: eu\n",
            TEMPLATE: "name: Server\n",
        }
    )
    targets = found.inventory.targets
    assert [(targets[path].kind, targets[path].name) for path in sorted(targets)] == [
        (TargetKind.PROJECT, "Project"),
        (TargetKind.ENVIRONMENT, "dev"),
        (TargetKind.ASSET, "Web"),
    ]
    assert (targets[WEB].worker, targets[WEB].file) == ("eu", ASSET)
    assert found.inventory.projects["p"].description == "D"


def test_the_inventory_is_taken_from_the_tag_only_where_that_is_said() -> None:
    assert loaded({}).inventory.from_tag is False
    assert loaded({"pointsman.yaml": "inventory: branch\n"}).inventory.from_tag is False
    assert loaded({"pointsman.yaml": "inventory: tag\n"}).inventory.from_tag is True


def test_a_policy_is_read_and_a_verb_it_does_not_name_is_none() -> None:
    found = loaded(
        {
            "projects/p/project.yaml": (
                "policy: {run: {user_names: [ann]}, publish: {ldap_groups: [ops]}, allow_self_approval: false, "
                "min_approvals: 2}\n"
            ),
            "projects/q/project.yaml": "",
        }
    )
    policy = found.inventory.projects["p"].policy
    assert (policy.view, policy.run, policy.publish) == (
        None,
        Approvers(user_names=("ann",)),
        Approvers(ldap_groups=("ops",)),
    )
    assert (policy.allow_self_approval, policy.min_approvals) == (False, 2)
    assert found.inventory.projects["q"].policy.run is None


@pytest.mark.parametrize(
    "text",
    [
        "policy: {protected: []}\n",
        "policy: {run: {}}\n",
        "policy: {rnu: {user_names: [a]}}\n",
        "policy:\n",
        "[\n",
        b"\xff",
    ],
)
def test_under_a_broken_policy_nobody_may_run_anything(text: str | bytes) -> None:
    found = loaded({"projects/p/project.yaml": text})
    policy = found.inventory.projects["p"].policy
    assert (policy.run, policy.publish, policy.allow_self_approval) == (Approvers(), Approvers(), False)
    assert found.broken == {"projects/p/project.yaml"}


def test_what_lies_below_a_broken_file_is_not_offered_with_half_its_properties() -> None:
    files = {
        **LAYERED,
        "projects/p/environments/dev/environment.yaml": "propertys: {}\n",
        "projects/q/project.yaml": "",
    }
    found = loaded(files)
    assert set(found.inventory.targets) == {"/projects/p", "/projects/q"}
    assert found.broken == {"projects/p/environments/dev/environment.yaml", ASSET}


@pytest.mark.parametrize("text", ["no: 1\n", "properties: {}\nproperties: {a: 1}\n", "[\n"])
def test_below_a_broken_repository_file_nothing_is_offered_and_nobody_may_run_anything(text: str) -> None:
    found = loaded({**LAYERED, "pointsman.yaml": text})
    assert found.inventory.targets == {}
    assert found.inventory.projects["p"].policy.run == Approvers()
    assert {ASSET, "projects/p/project.yaml", "pointsman.yaml"} <= found.broken


def test_an_asset_of_a_broken_template_is_not_offered_and_not_blamed() -> None:
    found = loaded({TEMPLATE: "actions: {a: {}}\n", ASSET: "template: server\n"})
    assert codes(found) == [(Code.MISSING_KEY, TEMPLATE)]
    assert WEB not in found.inventory.targets
    assert found.broken == {TEMPLATE, ASSET}


def test_a_workflow_with_an_error_is_left_out_and_the_others_stand() -> None:
    """`R15`, `R20`."""
    found = loaded(
        {
            "projects/p/workflows/bad.yaml": "steps: []\n",
            "projects/p/workflows/twice.yaml": WAIT + "name: a\nname: b\n",
            "projects/p/workflows/good.yaml": WAIT,
            "pointsman.yaml": "no: 1\n",
        }
    )
    assert set(found.workflows) == {"/projects/p/workflows/good"}
    assert {"projects/p/workflows/bad.yaml", "projects/p/workflows/twice.yaml"} <= found.broken


def test_properties_that_break_the_schema_are_told_where_they_were_set_and_the_asset_is_broken() -> None:
    """`R102`."""
    found = loaded(
        {
            TEMPLATE: "properties_schema: {required: [host], properties: {port: {type: integer}}}\n",
            "projects/p/environments/dev/environment.yaml": "properties:\n  port: high\n",
            ASSET: "template: server\nproperties:\n  a: 1\n",
        }
    )
    said = [(problem.code, problem.place) for problem in found.problems]
    assert said == [
        (Code.BREAKS_SCHEMA, Place(ASSET, 2, 1)),
        (Code.BREAKS_SCHEMA, Place("projects/p/environments/dev/environment.yaml", 2, 9)),
    ]
    assert all(WEB in problem.says for problem in found.problems)
    assert found.broken == {ASSET}
    assert WEB in found.inventory.targets


def test_a_schema_that_leads_nowhere_ends_in_a_problem() -> None:
    found = loaded({TEMPLATE: 'properties_schema: {$ref: "#"}\n', ASSET: "template: server\n"})
    assert {problem.code for problem in found.problems} == {Code.BREAKS_SCHEMA}


def test_the_prefix_is_put_before_every_path_that_is_told() -> None:
    found = loaded({ASSET: "templat: a\n", "projects/p/workflows/w.yaml": WAIT}, prefix="ops/")
    assert {problem.place.path for problem in found.problems} == {f"ops/{ASSET}"}
    assert found.broken == {f"ops/{ASSET}"}
    assert found.workflows["/projects/p/workflows/w"].file == "ops/projects/p/workflows/w.yaml"


def test_a_file_that_was_too_large_to_be_read_is_told() -> None:
    """`R14`."""
    large = Entry(mode=Mode.FILE, size=LARGEST_DEFINITION + 1)
    found = loaded({"projects/p/workflows/w.yaml": large, TEMPLATE: large, "projects/p/project.yaml": large})
    assert {problem.code for problem in found.problems} == {Code.TOO_LARGE}
    assert len(found.problems) == 3


@pytest.mark.parametrize("mode", [Mode.SYMLINK, Mode.SUBMODULE, Mode.UNKNOWN])
@pytest.mark.parametrize(
    "path",
    [
        "pointsman.yaml",
        "projects",
        "templates",
        "projects/p",
        "projects/p/project.yaml",
        "projects/p/workflows",
        "projects/p/workflows/w.yaml",
        "projects/p/environments/dev",
        "projects/p/templates/own/lib",
        ASSET,
        TEMPLATE,
        "templates/server",
        "templates/server/run.sh",
        "projects/p/notes",
    ],
)
def test_links_and_submodules_are_errors_wherever_definitions_or_scripts_live(path: str, mode: Mode) -> None:
    found = loaded({path: Entry(mode=mode, size=4)})
    assert codes(found) == [(Code.NOT_A_FILE, path)]
    assert path in found.broken


def test_names_that_could_move_a_cursor_are_told_escaped() -> None:
    found = loaded({"projects/p/workflows/a\x1b[2J.yaml": WAIT, "projects/p/b\udcff\n.txt": ""})
    for problem in found.problems:
        assert str(problem).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "path",
    ["projects/p/workflows/w.yml", "projects/p/workflows/w.YAML", "projects/p/notes.txt", "projects/p/x/y/z.yaml"],
)
def test_files_that_mean_nothing_are_warnings_that_name_them(path: str) -> None:
    """`R18`."""
    found = loaded({path: WAIT, "projects/p/workflows/real.yaml": WAIT})
    assert [(problem.code, problem.severity, problem.place.path) for problem in found.problems] == [
        (Code.UNKNOWN_FILE, Severity.WARNING, path)
    ]
    assert set(found.workflows) == {"/projects/p/workflows/real"}


def test_a_clash_of_case_is_a_warning_and_the_right_one_stands() -> None:
    """`R18`."""
    found = loaded({"projects/p/workflows/Deploy.yaml": "broken", "projects/p/workflows/deploy.yaml": WAIT})
    assert [(problem.code, problem.severity) for problem in found.problems] == [(Code.UNKNOWN_FILE, Severity.WARNING)]
    assert set(found.workflows) == {"/projects/p/workflows/deploy"}


def test_any_file_may_lie_beside_a_template_and_beside_the_projects() -> None:
    found = loaded(
        {
            TEMPLATE: "name: Server\n",
            "templates/server/lib/Some File.TXT": "",
            "templates/server/values.yml": "a: [",
            "README.md": "",
            ".github/workflows/check.yml": "a: [",
            "projects/p/workflows/.gitkeep": "",
        }
    )
    assert found.problems == ()


def test_a_variable_that_is_too_long_for_the_environment_is_refused() -> None:
    """`R103`."""
    found = loaded({"pointsman.yaml": "properties: {pointsman: {env: {LONG: " + "x" * (64 * 1024 + 1) + "}}}\n"})
    assert codes(found) == [(Code.WRONG_VALUE, "pointsman.yaml")]
    assert len(found.problems[0].says) < 200


def test_a_file_from_the_properties_counts_as_a_script_of_the_template() -> None:
    """`R103`."""
    text = (
        "properties: {pointsman: {files: {run.sh: {content: df, mode: 0700}}}}\nactions: {a: {command: [./run.sh]}}\n"
    )
    assert loaded({TEMPLATE: text}).problems == ()


def test_actions_nested_without_end_or_measure_are_refused() -> None:
    chain = "".join(f"  a{number}: {{steps: [a{number + 1}]}}\n" for number in range(40))
    found = loaded({TEMPLATE: f"actions:\n{chain}  a40: {{run: df}}\n"})
    assert {problem.code for problem in found.problems} == {Code.LIMIT}
