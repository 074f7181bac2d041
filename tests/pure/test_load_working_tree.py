"""A folder on disk as a source: only what definitions need, and links named but never followed."""

import os
from pathlib import Path

from pointsman.load.working_tree import working_tree
from pointsman.model.source import LARGEST_DEFINITION, Mode


def written(folder: Path, path: str, content: str = "", *, mode: int = 0o644) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    file.chmod(mode)
    return file


def test_only_definitions_and_what_lies_beside_them_are_in_the_source(tmp_path: Path) -> None:
    for path in (
        "pointsman.yaml",
        "projects/p/project.yaml",
        "templates/t/run.sh",
        "README.md",
        "src/x.yaml",
        ".git/x",
    ):
        written(tmp_path, path, "a: 1\n")
    assert set(working_tree(tmp_path).entries) == {"pointsman.yaml", "projects/p/project.yaml", "templates/t/run.sh"}


def test_data_is_there_for_definitions_up_to_the_limit_and_sizes_for_all(tmp_path: Path) -> None:
    written(tmp_path, "projects/p/a.yaml", "a: 1\n")
    written(tmp_path, "projects/p/b.YML", "b: 1\n")
    written(tmp_path, "projects/p/c.txt", "c")
    written(tmp_path, "projects/p/d.yaml", "x" * (LARGEST_DEFINITION + 1))
    entries = working_tree(tmp_path).entries
    assert {path: (entry.data, entry.size) for path, entry in entries.items()} == {
        "projects/p/a.yaml": (b"a: 1\n", 5),
        "projects/p/b.YML": (b"b: 1\n", 5),
        "projects/p/c.txt": (None, 1),
        "projects/p/d.yaml": (None, LARGEST_DEFINITION + 1),
    }


def test_modes_are_those_that_git_would_have(tmp_path: Path) -> None:
    written(tmp_path, "templates/t/plain.sh")
    written(tmp_path, "templates/t/run.sh", mode=0o744)
    written(tmp_path, "outside/secret.yaml", "a: 1\n")
    (tmp_path / "templates/t/link.yaml").symlink_to("../../outside/secret.yaml")
    (tmp_path / "templates/folder").symlink_to("../outside")
    os.mkfifo(tmp_path / "templates/t/pipe.yaml")
    entries = working_tree(tmp_path).entries
    assert {path: (entry.mode, entry.data) for path, entry in entries.items()} == {
        "templates/t/plain.sh": (Mode.FILE, None),
        "templates/t/run.sh": (Mode.EXECUTABLE, None),
        "templates/t/link.yaml": (Mode.SYMLINK, None),
        "templates/folder": (Mode.SYMLINK, None),
        "templates/t/pipe.yaml": (Mode.UNKNOWN, None),
    }


def test_every_template_folder_has_a_tree_without_an_id(tmp_path: Path) -> None:
    for path in ("templates/a/lib/x", "projects/p/templates/b/template.yaml", "templates/loose.yaml"):
        written(tmp_path, path)
    assert working_tree(tmp_path).trees == {"templates/a": "", "projects/p/templates/b": ""}


def test_look_alikes_are_seen_so_that_they_can_be_told(tmp_path: Path) -> None:
    """`R18`."""
    for path in ("pointsman.yml", "Projects/p/project.yaml"):
        written(tmp_path, path)
    assert set(working_tree(tmp_path).entries) == {"pointsman.yml", "Projects/p/project.yaml"}


def test_an_empty_folder_is_an_empty_source(tmp_path: Path) -> None:
    source = working_tree(tmp_path)
    assert (source.entries, source.trees, source.commit, source.prefix) == ({}, {}, "", "")
