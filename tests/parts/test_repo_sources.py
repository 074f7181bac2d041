"""The sources of one commit after another: what was read once is not read again, and never makes a difference."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from fakes.git import Repository
from pointsman.model.problem import Invalid
from pointsman.model.source import Mode
from pointsman.repo import sources, walk
from pointsman.repo.sources import Sources, source_at

FILES: Mapping[str, str] = {
    "projects/p/project.yaml": "name: P\n",
    "projects/p/workflows/a.yaml": "steps: [{type: wait}]\n",
    "projects/q/workflows/a.yaml": "steps: [{type: wait}]\n",
    "templates/t/template.yaml": "actions: {a: {run: x}}\n",
    "templates/t/lib/x.sh": "#!/bin/sh\n",
    "pointsman.yaml": "name: Ops\n",
    "README.md": "x",
}


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    made = Repository.create(tmp_path / "ops.git", bare=True)
    made.commit(FILES)
    return made


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of folders and files that were read from the repository."""
    found: list[str] = []
    listed, data = walk.folder_entries, walk.measured_data

    def entries(*arguments: object, **more: object) -> object:
        found.append(f"{arguments[1].path}/")  # type: ignore[attr-defined]
        return listed(*arguments, **more)  # type: ignore[arg-type]

    def content(*arguments: object, **more: object) -> object:
        found.append(arguments[1].path)  # type: ignore[attr-defined]
        return data(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(sources, "folder_entries", entries)
    monkeypatch.setattr(sources, "measured_data", content)
    return found


def test_a_push_reads_the_files_and_folders_that_it_changed(ops: Repository, opened: list[str]) -> None:
    """Issue 3: one file, and the folders above it."""
    reader = Sources(ops.opened)
    reader.at(ops.head())
    opened.clear()

    reader.at(ops.commit({"projects/p/workflows/a.yaml": "steps: []\n"}))

    assert sorted(opened) == ["projects/", "projects/p/", "projects/p/workflows/", "projects/p/workflows/a.yaml"]


def test_a_commit_of_the_same_tree_reads_nothing_but_its_top(ops: Repository, opened: list[str]) -> None:
    """Issue 3."""
    reader = Sources(ops.opened)
    first = reader.at(ops.head())
    opened.clear()

    again = reader.at(ops.commit({"README.md": "y"}))

    assert (opened, again.entries, again.trees) == ([], first.entries, first.trees)


def test_equal_files_are_read_once(ops: Repository, opened: list[str]) -> None:
    """Hostile 44: by their blob, at whichever path."""
    Sources(ops.opened).at(ops.head())

    assert len([path for path in opened if path.endswith("workflows/a.yaml")]) == 1


@pytest.mark.parametrize("root", ["", "ops"])
@pytest.mark.parametrize(
    "change",
    [
        {"projects/p/workflows/a.yaml": "steps: []\n"},
        {"projects/p/workflows/b.yaml": "steps: [{type: wait}]\n"},
        {"projects/p/workflows/a.yaml": None},
        {"projects/p/workflows/a.yaml": None, "projects/p/workflows/a.yaml/x.yaml": "x: 1\n"},
        {"templates/t/lib/x.sh": "#!/bin/bash\n"},
        {"templates/t/template.yaml": None, "templates/t/lib/x.sh": None},
        {"pointsman.yaml": None, "pointsman.yml": "name: Ops\n"},
        {"projects/q/workflows/a.sh": "steps: [{type: wait}]\n"},
    ],
)
def test_a_source_after_others_is_that_of_somebody_who_read_none(
    tmp_path: Path, root: str, change: dict[str, str | None]
) -> None:
    """DESIGN section 2: with every entry, mode, size, content and tree, and its own commit."""
    made = Repository.create(tmp_path / "r.git", bare=True)
    above = f"{root}/" if root else ""
    commits = [made.commit({f"{above}{path}": text for path, text in FILES.items()})]
    commits.append(made.commit({f"{above}{path}": text for path, text in change.items()}))
    reader = Sources(made.opened)

    for commit in (*commits, commits[0]):
        for place in (root, "", "nowhere"):
            assert reader.at(commit, place) == source_at(made.opened, commit, place)


def test_a_mode_that_changes_alone_is_noticed(ops: Repository) -> None:
    """Hostile 45: the blob stays, the tree does not."""
    reader = Sources(ops.opened)
    reader.at(ops.head())

    head = ops.commit({"templates/t/lib/x.sh": "#!/bin/sh\n"}, executable={"templates/t/lib/x.sh"})

    assert reader.at(head).entries["templates/t/lib/x.sh"].mode is Mode.EXECUTABLE


def test_what_was_refused_is_read_once_it_is_there(ops: Repository) -> None:
    """Hostile 46: a fetch may bring a tree before its blobs."""
    text = b"name: Late\n"
    other = Repository.create(ops.path.parent / "other.git", bare=True).write_blob(text)
    head = ops.commit_project(("100644", b"project.yaml", other))
    reader = Sources(ops.opened)
    with pytest.raises(Invalid, match=r"projects/p/project\.yaml"):
        reader.at(head)

    assert ops.write_blob(text) == other

    assert reader.at(head).entries["projects/p/project.yaml"].data == text


@pytest.mark.parametrize("most", ["MOST_FOLDERS_KEPT", "MOST_BYTES_KEPT"])
def test_what_is_forgotten_is_read_again(ops: Repository, monkeypatch: pytest.MonkeyPatch, most: str) -> None:
    """Hostile 45: what is kept is limited, and no commit notices."""
    monkeypatch.setattr(sources, most, 1)
    reader = Sources(ops.opened)
    for number in range(4):
        head = ops.commit({"projects/p/project.yaml": f"name: P{number}\n"})
        assert reader.at(head) == source_at(ops.opened, head)


def test_too_many_bytes_are_refused_alike_whatever_was_read_before(
    ops: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hostile 44: equal files count once, also where they had to be forgotten in between."""
    monkeypatch.setattr(sources, "MOST_DEFINITION_BYTES", 40_000)
    monkeypatch.setattr(sources, "MOST_BYTES_KEPT", 20_000)
    texts = [str(number) * 10_000 for number in range(6)]
    fits = {f"projects/{code}/workflows/{n}.yaml": text for code in "abc" for n, text in enumerate(texts[:3])}
    reader, before = Sources(ops.opened), ops.head()

    head = ops.commit(fits)
    for commit in (before, head, before, head):
        assert len(reader.at(commit).entries) == len(source_at(ops.opened, commit).entries)
    head = ops.commit({f"projects/a/workflows/more{n}.yaml": text for n, text in enumerate(texts[3:])})
    for one in (reader, Sources(ops.opened)):
        with pytest.raises(Invalid) as refused:
            one.at(head)
        assert str(refused.value) == "projects: there are more than 0 MiB of YAML files"
