"""Every merged value with who set it and what that overrode (`R100`, `R101`)."""

from fakes.editing import WORLD
from fakes.sources import DEV, source
from pointsman.editor.explained import ExplainedValue, explained, merged_properties, template_version
from pointsman.load.assemble import assemble

FILES = {
    **WORLD,
    "pointsman.yaml": "properties: {a: 1, deep: {x: 1, y: 1}, list: [1, 2], gone: {b: 1}}\n",
    "projects/p/project.yaml": "properties:\n  a: 2\n  deep:\n    x: 2\n  gone: 5\n",
    "projects/p/environments/dev/environment.yaml": "properties: {list: [3], nothing: null, empty: {}}\n",
    "projects/p/environments/dev/assets/web.yaml": "template: server\nproperties: {a: 3, gone: {c: 1}, hostname: h}\n",
}


def values() -> dict[str, ExplainedValue]:
    """What is told of the development server, by name."""
    return {one.name: one for one in explained(assemble(source(FILES)).inventory.targets[DEV])}


def settings(name: str) -> list[str]:
    """Value, level and place of each setting of a value, the one that counts first."""
    one = values()[name]
    every = (one.setting, *one.overrode)
    return [f"{each.value} {each.level} {each.place.path}:{each.place.line}" for each in every]


def test_a_value_is_told_with_all_that_it_overrode_latest_first() -> None:
    assert settings("a") == [
        "3 asset projects/p/environments/dev/assets/web.yaml:2",
        "2 project projects/p/project.yaml:2",
        "1 repository pointsman.yaml:1",
    ]


def test_objects_are_told_by_what_is_in_them_and_lists_whole() -> None:
    assert settings("deep.x") == ["2 project projects/p/project.yaml:4", "1 repository pointsman.yaml:1"]
    assert settings("deep.y") == ["1 repository pointsman.yaml:1"]
    assert settings("list") == [
        "[3] environment projects/p/environments/dev/environment.yaml:1",
        "[1, 2] repository pointsman.yaml:1",
    ]
    assert "deep" not in values()


def test_an_object_says_which_single_value_it_replaced() -> None:
    assert settings("gone.c") == [
        "1 asset projects/p/environments/dev/assets/web.yaml:2",
        "5 project projects/p/project.yaml:5",
    ]
    assert "gone.b" not in values()


def test_null_and_an_empty_object_are_values() -> None:
    assert settings("nothing")[0].startswith("None environment")
    assert settings("empty")[0].startswith("{} environment")


def test_the_defaults_of_the_template_stand_between_environment_and_asset() -> None:
    assert settings("port") == ["80 template templates/server/template.yaml:2"]


def test_the_names_and_values_are_those_of_the_merged_properties() -> None:
    target = assemble(source(FILES)).inventory.targets[DEV]

    assert merged_properties(target)["gone"] == {"c": 1}
    assert {name.partition(".")[0] for name in values()} == set(merged_properties(target))


def test_the_version_of_the_template_is_read_from_the_file_as_it_is_written() -> None:
    pinned = source({**FILES, "projects/p/assets/db.yaml": "template: own\ntemplate_version: 1.10\n"})
    own = assemble(source(FILES)).inventory.targets["/projects/p/assets/db"]

    assert template_version(own, pinned) == "1.10"
    assert template_version(own, source(FILES)) == ""
