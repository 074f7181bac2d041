"""`explain` and `schema` on real repositories (`R101`)."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fakes.git import NAME, Repository
from fakes.hello import PROJECT, TEMPLATE, hello_world
from pointsman.cli.main import cli
from pointsman.repo.blame import committed_lines

ASSET = f"{PROJECT}/environments/dev/assets/managed_server.yaml"
DEV = f"/{ASSET.removesuffix('.yaml')}"


def done(folder: Path, *words: str) -> Result:
    """What a command comes to in a folder."""
    return CliRunner().invoke(cli, [words[0], "-C", str(folder), *words[1:]])


def told(folder: Path, *words: str) -> Any:
    """What `explain --json` prints."""
    result = done(folder, "explain", *words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def value(folder: Path, name: str, *words: str) -> dict[str, Any]:
    """What is told of one value of the development server."""
    found = {one["name"]: one for one in told(folder, DEV, *words)["values"]}
    one: dict[str, Any] = found[name]
    return one


@pytest.fixture
def hello(tmp_path: Path) -> Repository:
    return hello_world(tmp_path / "ops", bare=False)


def test_each_value_names_the_commit_that_last_changed_its_line(hello: Repository) -> None:
    first = hello.head()
    text = (hello.path / ASSET).read_text()
    second = hello.commit({ASSET: f"{text}  added: 1\n"}, "One more")

    assert value(hello.path, "hostname")["commit"]["id"] == first
    added = value(hello.path, "added")
    assert (added["path"], added["line"]) == (ASSET, len(text.splitlines()) + 1)
    assert {name: added["commit"][name] for name in ("id", "author", "subject")} == {
        "id": second,
        "author": NAME,
        "subject": "One more",
    }


def test_a_line_that_is_not_committed_says_so_and_the_others_keep_their_commits(hello: Repository) -> None:
    file = hello.path / ASSET
    file.write_text(f"# a comment that moves every line\n{file.read_text()}  added: 1\n")

    hostname, added = value(hello.path, "hostname"), value(hello.path, "added")

    assert (hostname["uncommitted"], hostname["commit"]["id"]) == (False, hello.head())
    assert (added["uncommitted"], added["commit"]) == (True, None)
    assert "not committed" in done(hello.path, "explain", DEV).stdout


def test_what_a_value_overrode_stands_below_it(hello: Repository) -> None:
    hello.commit({f"{PROJECT}/project.yaml": "properties: {hostname: nobody}\n"}, "Lower")

    overrode = value(hello.path, "hostname", "--ref", "main")["overrode"]

    assert [(one["value"], one["level"], one["path"], one["line"]) for one in overrode] == [
        ("nobody", "project", f"{PROJECT}/project.yaml", 1)
    ]
    assert overrode[0]["commit"]["subject"] == "Lower"


def test_another_ref_is_told_as_it_was(hello: Repository) -> None:
    hello.tag("v1")
    hello.commit({ASSET: "template: managed_server\nproperties: {hostname: other}\n"})

    assert value(hello.path, "hostname", "--ref", "main")["value"] == "other"
    assert value(hello.path, "hostname", "--ref", "v1")["value"] != "other"


def test_actions_are_told_with_the_lines_that_define_them(hello: Repository) -> None:
    actions = {one["name"]: one for one in told(hello.path, DEV)["actions"]}

    lines = (hello.path / TEMPLATE / "template.yaml").read_text().splitlines()
    backup = actions["backup"]
    assert lines[backup["line"] - 1].strip().startswith("backup:")
    assert backup["commit"]["id"] == hello.head()


def test_a_pinned_template_is_told_with_its_version_commit_and_lines(hello: Repository) -> None:
    pinned = hello.head()
    hello.tag("v1")
    text = (hello.path / ASSET).read_text()
    template = (hello.path / TEMPLATE / "template.yaml").read_text()
    hello.commit({ASSET: f"template_version: v1\n{text}", f"{TEMPLATE}/template.yaml": f"# new\n{template}"}, "Later")

    found = told(hello.path, DEV, "--ref", "main")

    assert (found["template"]["version"], found["template"]["commit"]) == ("v1", pinned)
    default = next(one for one in found["values"] if one["level"] == "template")
    assert default["commit"]["id"] == pinned
    assert f"at v1, commit {pinned[:10]}" in done(hello.path, "explain", DEV, "--ref", "main").stdout


def test_a_target_may_be_named_by_the_end_of_its_path_or_by_its_codes(hello: Repository) -> None:
    for name in (DEV, "dev/assets/managed_server", "dev/managed_server", "hello_world/dev/managed_server"):
        assert told(hello.path, name)["target"] == DEV
    assert told(hello.path, "hello_world")["kind"] == "project"


def test_a_name_that_fits_several_or_none_is_refused_with_what_may_be_meant(hello: Repository) -> None:
    several = done(hello.path, "explain", "managed_server")
    assert several.exit_code == 7
    assert DEV in several.stderr
    none = done(hello.path, "explain", "dev/assets/managed_servr")
    assert none.exit_code == 6
    assert "hint: " in none.stderr


def test_a_broken_target_is_told_with_its_problems(hello: Repository) -> None:
    (hello.path / ASSET).write_text("templte: managed_server\n")

    result = done(hello.path, "explain", "dev/assets/managed_server")

    assert result.exit_code == 1
    assert f"{ASSET}:1:1: error[PM010]" in result.stderr


def test_a_target_below_a_broken_file_is_told_with_the_problems_of_that_one(hello: Repository) -> None:
    (hello.path / PROJECT / "environments/dev/environment.yaml").write_text("nme: x\n")

    result = done(hello.path, "explain", "dev/assets/managed_server")

    assert result.exit_code == 1
    assert f"{PROJECT}/environments/dev/environment.yaml:1:1: error[PM010]" in result.stderr
    assert f"error: {ASSET} cannot be used" in result.stderr


def test_a_folder_without_a_repository_has_no_commits(hello: Repository, tmp_path: Path) -> None:
    shutil.copytree(hello.path / "projects", tmp_path / "loose/projects")

    found = value(tmp_path / "loose", "hostname")

    assert (found["commit"], found["uncommitted"]) == (None, False)


def test_before_the_first_commit_nothing_is_committed(hello: Repository, tmp_path: Path) -> None:
    new = Repository.create(tmp_path / "new")
    shutil.copytree(hello.path / "projects", new.path / "projects")

    assert value(new.path, "hostname")["uncommitted"] is True


def test_a_subfolder_that_holds_everything_is_blamed_below_its_name(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "ops")
    files = {
        "sub/projects/p/assets/a.yaml": "template: t\nproperties: {x: 1}\n",
        "sub/templates/t/template.yaml": "actions: {go: {run: 'true'}}\n",
    }
    commit = repository.commit(files)

    for words in (("--ref", "main"), ()):
        result = done(tmp_path / "ops", "explain", "a", "--root", "sub", "--json", *words)
        found = json.loads(result.stdout)["values"][0]
        assert (found["path"], found["commit"]["id"]) == ("sub/projects/p/assets/a.yaml", commit)


def test_a_history_that_was_cut_off_is_no_reason_to_fail(hello: Repository, tmp_path: Path) -> None:
    hello.commit({ASSET: f"{(hello.path / ASSET).read_text()}  added: 1\n"})
    hello.git("clone", "-q", "--depth", "1", f"file://{hello.path}", str(tmp_path / "shallow"))

    assert value(tmp_path / "shallow", "added")["value"] == 1


def test_the_text_is_harmless_to_a_terminal(hello: Repository) -> None:
    (hello.path / ASSET).write_text('template: managed_server\nproperties: {hostname: "\\e[31mred", disk: "a\\nb"}\n')

    result = done(hello.path, "explain", DEV)

    assert "\x1b" not in result.stdout
    assert "\\u001b[31mred" in result.stdout


def test_lines_are_found_again_in_an_edited_text() -> None:
    lines = committed_lines("a\nb\nc\n", "new\na\nc\nb2\n")

    assert [lines.line(number) for number in range(1, 5)] == [None, 1, 3, None]
    assert lines.line(99) is None


# schema


def test_the_schema_is_printed_or_written_with_the_names_of_the_ref(hello: Repository) -> None:
    hello.tag("v3")
    printed = json.loads(done(hello.path, "schema", "--ref", "v3").stdout)
    step = printed["definitions"]["step"]["properties"]

    assert DEV in step["target"]["anyOf"][0]["enum"]
    assert "backup" in step["action"]["anyOf"][0]["enum"]
    assert {"version": {"examples": [3]}} in [rule["then"].get("properties") for rule in printed_rules(printed)]
    out = hello.path / "workflow.json"
    assert done(hello.path, "schema", "-o", str(out)).exit_code == 0
    assert json.loads(out.read_text())["title"] == "workflow"
    assert json.loads(done(hello.path, "schema", "--kind", "template").stdout)["title"] == "template"


def printed_rules(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The conditions of a step."""
    return [rule for rule in schema["definitions"]["step"]["allOf"] if "then" in rule]
