"""How much of a commit is read, whatever it holds."""

import zlib
from pathlib import Path

import pytest

from fakes.git import Repository
from pointsman.model.problem import Invalid
from pointsman.model.source import LARGEST_DEFINITION
from pointsman.repo import sources
from pointsman.repo.files import folder_at
from pointsman.repo.sources import source_at


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A bare, empty repository."""
    return Repository.create(tmp_path / "ops.git", bare=True)


def huge_zeros(of: Repository, size: int) -> str:
    """The id of a loose blob that says it has so many bytes; whoever tries to read them fails."""
    object_id = "ab" + "1" * 38
    path = Path(of.opened.path) / "objects/ab" / object_id[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(b"blob %d\0" % size + bytes(100_000)))
    return object_id


def test_600_mib_of_zeros_are_measured_and_never_read(ops: Repository) -> None:
    """Hostile 44: as a workflow and as a script."""
    size = 600 * 1024 * 1024
    zeros = huge_zeros(ops, size)
    commit = ops.commit_project(("100644", b"deploy.yaml", zeros))
    template = ops.write_tree(("100755", b"run.sh", zeros))

    entry = source_at(ops.opened, commit).entries["projects/p/deploy.yaml"]

    assert (entry.size, entry.data) == (size, None)
    with pytest.raises(Invalid, match=r"run\.sh: it has 629,145,600 bytes"):
        folder_at(ops.opened, template)


def test_only_yaml_files_up_to_the_largest_definition_have_data(ops: Repository) -> None:
    """R14, R18."""
    written = {
        "a.yaml": b"#" * LARGEST_DEFINITION,
        "b.yaml": b"#" * (LARGEST_DEFINITION + 1),
        "c.yml": b"c",
        "d.YAML": b"d",
        "e.json": b"{}",
    }
    commit = ops.commit({f"projects/p/{name}": data for name, data in written.items()})

    entries = source_at(ops.opened, commit).entries

    assert [name[-6:] for name, entry in entries.items() if entry.data is not None] == ["a.yaml", "/c.yml"]
    assert entries["projects/p/b.yaml"].size == LARGEST_DEFINITION + 1


def test_definitions_in_all_are_limited_but_equal_ones_count_once(
    ops: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hostile 44, in many pieces: 100,000 names of one blob cost one blob, and as many blobs are refused."""
    monkeypatch.setattr(sources, "MOST_DEFINITION_BYTES", 1024 * 1024)
    same = ops.write_blob(b"#" * LARGEST_DEFINITION)
    commit = ops.commit_project(*(("100644", f"{number}.yaml".encode(), same) for number in range(1000)))
    entries = source_at(ops.opened, commit).entries
    assert len({id(entry.data) for entry in entries.values()}) == 1

    others = [ops.write_blob(str(number).encode() * (LARGEST_DEFINITION // 2)) for number in range(10)]
    commit = ops.commit_project(*(("100644", f"{of}.yaml".encode(), of) for of in others))
    with pytest.raises(Invalid, match="more than 1 MiB of YAML files"):
        source_at(ops.opened, commit)


def test_more_than_100_000_files_are_refused(ops: Repository) -> None:
    """Hostile 45."""
    of = ops.write_blob()
    commit = ops.commit_project(*(("100644", b"%d" % number, of) for number in range(100_001)))

    with pytest.raises(Invalid, match="more than 100,000 files"):
        source_at(ops.opened, commit)


def test_a_few_trees_that_repeat_one_another_are_refused_by_count(ops: Repository) -> None:
    """Hostile 45: ten folders of ten folders, ten levels, without a single file."""
    tree = ops.write_tree()
    for _ in range(10):
        tree = ops.write_tree(*(("40000", b"%d" % number, tree) for number in range(10)))

    with pytest.raises(Invalid, match="more than 100,000 files"):
        source_at(ops.opened, ops.commit_project(("40000", b"x", tree)))


def test_folders_400_deep_are_refused(ops: Repository) -> None:
    """Hostile 45."""
    tree = ops.write_tree(("100644", b"x.yaml", ops.write_blob()))
    for _ in range(400):
        tree = ops.write_tree(("40000", b"d", tree))

    with pytest.raises(Invalid, match="nested more than 40 deep"):
        source_at(ops.opened, ops.commit_project(("40000", b"d", tree)))


def test_a_path_of_3_000_characters_is_read_and_one_of_5_000_refused(ops: Repository) -> None:
    """Hostile 45. The message is not 5,000 characters long."""
    tree = ops.write_tree(("100644", b"x.yaml", ops.write_blob()))
    trees = [tree := ops.write_tree(("40000", b"d" * 250, tree)) for _ in range(20)]

    assert len(source_at(ops.opened, ops.commit_project(("40000", b"d", trees[11]))).entries) == 1
    with pytest.raises(Invalid, match="more than 4,000 characters") as caught:
        source_at(ops.opened, ops.commit_project(("40000", b"d", trees[19])))
    assert len(caught.value.says) < 300
