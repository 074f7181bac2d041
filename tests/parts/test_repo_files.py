"""Files of commits, as they are in Git: good ones, and what a hostile push can hold."""

from pathlib import Path

import pytest
from pygit2.enums import ObjectType

from fakes.git import Repository
from pointsman.model.problem import Invalid
from pointsman.model.source import Mode
from pointsman.repo.files import commit_facts, folder_at, resolve_commit, root_tree_id
from pointsman.repo.opening import open_repository
from pointsman.repo.refs import read_refs
from pointsman.repo.sources import source_at

HELLO = {
    "pointsman.yaml": "properties: {}\n",
    "README.md": "Hello\n",
    "templates/server/template.yaml": "name: Server\n",
    "templates/server/run.sh": "#!/bin/sh\n",
    "templates/server/lib/more.sh": "true\n",
    "projects/p/project.yaml": "name: P\n",
    "projects/p/templates/own/template.yaml": "name: Own\n",
    "projects/p/environments/dev/assets/a.yaml": "template: server\n",
    "projects/p/workflows/deploy.yaml": "steps: []\n",
}


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A bare, empty repository."""
    return Repository.create(tmp_path / "ops.git", bare=True)


def test_a_source_has_definitions_with_data_and_everything_else_measured(ops: Repository) -> None:
    """DESIGN section 2."""
    commit = ops.commit(HELLO, executable={"templates/server/run.sh"})

    source = source_at(ops.opened, commit)

    assert set(source.entries) == HELLO.keys() - {"README.md"}
    assert list(source.entries) == sorted(source.entries)
    assert source.entries["projects/p/workflows/deploy.yaml"].data == b"steps: []\n"
    script = source.entries["templates/server/run.sh"]
    assert (script.mode, script.size, script.data) == (Mode.EXECUTABLE, 10, None)
    assert source.entries["projects/p/project.yaml"].mode is Mode.FILE
    assert (source.commit, source.prefix) == (commit, "")


def test_every_template_folder_has_its_tree_id(ops: Repository) -> None:
    """And it changes with what is in it only."""
    before = source_at(ops.opened, ops.commit(HELLO)).trees
    after = source_at(ops.opened, ops.commit({"templates/server/lib/more.sh": "false\n"})).trees

    assert set(before) == {"templates/server", "projects/p/templates/own"}
    assert before["templates/server"] == ops.git("rev-parse", "main~1:templates/server")
    assert before["projects/p/templates/own"] == after["projects/p/templates/own"]
    assert before["templates/server"] != after["templates/server"]


def test_a_root_in_a_subfolder_leaves_the_rest_alone(ops: Repository) -> None:
    """`root:` in the daemon's configuration: paths are relative to it, and messages say where it is."""
    commit = ops.commit({f"deploy/ops/{path}": data for path, data in HELLO.items()} | {"projects/x/y.yaml": "no\n"})

    source = source_at(ops.opened, commit, "deploy/ops/")

    assert set(source.entries) == HELLO.keys() - {"README.md"}
    assert source.prefix == "deploy/ops/"
    assert root_tree_id(ops.opened, commit, "deploy/ops") == ops.git("rev-parse", f"{commit}:deploy/ops")
    assert root_tree_id(ops.opened, commit) == ops.git("rev-parse", f"{commit}^{{tree}}")


def test_a_root_that_is_not_there_has_no_entries(ops: Repository) -> None:
    """A branch of an application need not have one yet."""
    commit = ops.commit({"README.md": "x"})

    assert not source_at(ops.opened, commit, "deploy").entries
    assert root_tree_id(ops.opened, commit, "deploy") == ""


@pytest.mark.parametrize("root", ["..", "a/../b", "a//b", ".git", "./a", ".GIT/x"])
def test_a_root_that_leads_elsewhere_is_refused(ops: Repository, root: str) -> None:
    """Hostile 38: even where the tree has such an entry."""
    tree = ops.write_tree(("40000", b"..", ops.write_tree()), ("40000", b"a", ops.write_tree()))

    with pytest.raises(Invalid, match="path of folder names"):
        source_at(ops.opened, ops.commit_tree(tree), root)


def test_a_root_that_is_a_symlink_is_refused(ops: Repository) -> None:
    """Hostile 40."""
    tree = ops.write_tree(("120000", b"ops", ops.write_blob(b"/etc")))

    with pytest.raises(Invalid, match="ops: it is no folder"):
        source_at(ops.opened, ops.commit_tree(tree), "ops/x")


@pytest.mark.parametrize("name", [b"..", b".", b".git", b".GIT", b"git~1", b"/etc", b"a/b", b""])
@pytest.mark.parametrize("mode", ["100644", "40000"])
def test_names_that_lead_elsewhere_are_refused(ops: Repository, name: bytes, mode: str) -> None:
    """Hostile 38: accepted by a plain push, and libgit2 reads through a literal `..`."""
    of = ops.write_blob() if mode == "100644" else ops.write_tree(("100644", b"x.yaml", ops.write_blob()))
    commit = ops.commit_project(("100644", b"project.yaml", ops.write_blob()), (mode, name, of))

    with pytest.raises(Invalid, match=r"projects/p/.*: no file or folder may have this name") as caught:
        source_at(ops.opened, commit)
    assert [problem.place.path for problem in caught.value.problems] == [f"projects/p/{name.decode()}"]


def test_such_names_outside_the_definitions_are_nobodys_business(ops: Repository) -> None:
    """An application keeps what it likes beside them."""
    tree = ops.write_tree(("40000", b"..", ops.write_tree()), ("100644", b"pointsman.yaml", ops.write_blob()))

    assert list(source_at(ops.opened, ops.commit_tree(tree)).entries) == ["pointsman.yaml"]


def test_two_entries_of_one_name_are_refused(ops: Repository) -> None:
    """One would hide the other."""
    entry = ("100644", b"project.yaml", ops.write_blob())
    with pytest.raises(Invalid, match="two entries of this name"):
        source_at(ops.opened, ops.commit_project(entry, entry))

    top = ops.write_tree(("40000", b"projects", ops.write_tree()), ("100644", b"projects", ops.write_blob()))
    with pytest.raises(Invalid, match="two entries of this name"):
        source_at(ops.opened, ops.commit_tree(top))


def test_symlinks_are_told_and_their_text_is_no_content(ops: Repository) -> None:
    """Hostile 40: as a file, and in the place of a folder."""
    link = ops.write_blob(b"../../../../etc/passwd.yaml")
    commit = ops.commit_project(("120000", b"project.yaml", link), ("120000", b"workflows", link))

    entries = source_at(ops.opened, commit).entries

    assert {path: (entry.mode, entry.data) for path, entry in entries.items()} == {
        "projects/p/project.yaml": (Mode.SYMLINK, None),
        "projects/p/workflows": (Mode.SYMLINK, None),
    }
    top = ops.write_tree(("120000", b"projects", link), ("120000", b"templates", link))
    assert {entry.mode for entry in source_at(ops.opened, ops.commit_tree(top)).entries.values()} == {Mode.SYMLINK}


def test_submodules_are_told_and_never_fetched(ops: Repository) -> None:
    """Hostile 43: the commit of a submodule is not even looked for."""
    commit = ops.commit_project(("160000", b"sub", "f" * 40), ("100644", b".gitmodules", ops.write_blob(b"ext::")))

    entries = source_at(ops.opened, commit).entries

    assert entries["projects/p/sub"].mode is Mode.SUBMODULE
    assert entries["projects/p/.gitmodules"].data is None


def test_other_modes_are_unknown(ops: Repository) -> None:
    """Set-uid, group-writable and nonsense."""
    modes = ["104755", "100664", "100600", "777", "140000"]
    commit = ops.commit_project(*((mode, f"{mode}.yaml".encode(), ops.write_blob()) for mode in modes))

    entries = source_at(ops.opened, commit).entries

    assert len(entries) == len(modes)
    assert {(entry.mode, entry.data) for entry in entries.values()} == {(Mode.UNKNOWN, None)}


def test_names_that_differ_in_case_or_unicode_form_stay_apart(ops: Repository) -> None:
    """Hostile 46: which of them is the odd one is said where codes are checked (R18)."""
    names = ["Deploy.yaml", "deploy.yaml", "\u00fcber.yaml", "u\u0308ber.yaml"]
    commit = ops.commit_project(*(("100644", name.encode(), ops.write_blob()) for name in names))

    assert set(source_at(ops.opened, commit).entries) == {f"projects/p/{name}" for name in names}


def test_names_that_cannot_be_shown_are_escaped(ops: Repository) -> None:
    """Hostile 47: no surrogate gets out, and no two names become one."""
    names = [b"a\nb.yaml", b"a\\nb.yaml", b"\x1b[31m.yaml", b"\xff\xfe.yaml", b"-rf", b"dot.", "\u202ex".encode()]
    commit = ops.commit_project(*(("100644", name, ops.write_blob()) for name in names))

    paths = set(source_at(ops.opened, commit).entries)

    assert {path.removeprefix("projects/p/") for path in paths} == {
        "a\\nb.yaml", "a\\\\nb.yaml", "\\x1b[31m.yaml", "\\xff\\xfe.yaml", "-rf", "dot.", "\\u202ex",
    }  # fmt: skip
    assert all(path.isprintable() for path in paths)


@pytest.mark.parametrize(
    ("mode", "of", "says"),
    [
        ("100644", "f" * 40, "projects/p/x.yaml: object f+ is missing"),
        ("40000", "f" * 40, "projects/p/x.yaml: object f+ is missing"),
        ("100644", "tree", "projects/p/x.yaml: it is listed as a file but is a folder"),
        ("40000", "blob", "projects/p/x.yaml: object .* is a file, not a folder"),
    ],
)
def test_missing_and_lying_objects_are_named_by_their_path(ops: Repository, mode: str, of: str, says: str) -> None:
    """A shallow clone, a damaged repository, a forged tree."""
    of = {"tree": ops.write_tree(), "blob": ops.write_blob()}.get(of, of)

    with pytest.raises(Invalid, match=says):
        source_at(ops.opened, ops.commit_project((mode, b"x.yaml", of)))


def test_a_damaged_tree_is_a_sentence(ops: Repository) -> None:
    """Truncated in the middle of an entry."""
    broken = ops.write(ObjectType.TREE, b"100644 x.yaml\0short")

    with pytest.raises(Invalid, match=r"projects/p/x: the folder .* is damaged"):
        source_at(ops.opened, ops.commit_project(("40000", b"x", broken)))


def test_what_is_no_commit_has_no_source(ops: Repository) -> None:
    """A missing one, a blob, and text that is no id."""
    for commit in ("f" * 40, ops.write_blob(), "--upload-pack=x", ""):
        with pytest.raises(Invalid):
            source_at(ops.opened, commit)


def test_reading_starts_no_command(tmp_path: Path) -> None:
    """Hostile 55: smudge filter, hooks and fsmonitor, which plain git does start here."""
    ops = Repository.create(tmp_path / "ops")
    ran = tmp_path / "ran"
    script = tmp_path / "hook"
    script.write_text(f"#!/bin/sh\necho $0 >> {ran}\ncat\n")
    script.chmod(0o755)
    (tmp_path / "hooks").mkdir()
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        (tmp_path / "hooks" / hook).symlink_to(script)
    commit = ops.commit({**HELLO, ".gitattributes": "* filter=evil\n", "templates/.gitattributes": "* filter=evil\n"})
    ops.git("config", "core.hooksPath", str(tmp_path / "hooks"))
    ops.git("config", "core.fsmonitor", str(script))
    ops.git("config", "filter.evil.smudge", str(script))
    ops.git("config", "filter.evil.process", str(script))

    fresh = open_repository(ops.path)
    tree = source_at(fresh, commit).trees["templates/server"]
    folder_at(fresh, tree)
    commit_facts(fresh, resolve_commit(fresh, "main"))
    read_refs(fresh)

    assert not ran.exists()
    ops.git("checkout", "-q", "-b", "other", check=False)
    assert ran.exists()
