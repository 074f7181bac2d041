"""Exported template folders: whole or not there, by the id of their tree."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.act.bundles import Bundles, FolderFiles

FILES = [("run.sh", True, b"#!/bin/sh\n"), ("lib/words", False, b"\xff\0")]


class Trees:
    """The trees of a repository; counts how often each is read, and breaks off in the middle if told to."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self.broken = False

    def read(self, tree: str) -> FolderFiles:
        self.reads.append(tree)
        return self._files()

    def _files(self) -> Iterator[tuple[str, bool, bytes]]:
        yield FILES[0]
        if self.broken:
            raise RuntimeError("the pack is damaged")
        yield FILES[1]


@pytest.fixture(name="trees")
def _trees() -> Trees:
    return Trees()


def held(folder: str) -> dict[str, tuple[bool, bytes]]:
    """What a folder holds."""
    top = Path(folder)
    return {
        str(path.relative_to(top)): (bool(path.stat().st_mode & 0o100), path.read_bytes())
        for path in top.rglob("*")
        if path.is_file()
    }


def test_a_folder_holds_the_files_of_its_tree(tmp_path: Path, trees: Trees) -> None:
    folder = Bundles(tmp_path, trees.read).folder("ab12")
    assert held(folder) == {path: (executable, data) for path, executable, data in FILES}


def test_a_tree_is_read_once_also_by_the_next_daemon(tmp_path: Path, trees: Trees) -> None:
    bundles = Bundles(tmp_path, trees.read)
    assert bundles.folder("ab12") == bundles.folder("ab12") == Bundles(tmp_path, trees.read).folder("ab12")
    bundles.folder("cd34")
    assert trees.reads == ["ab12", "cd34"]


def test_half_a_folder_is_never_used(tmp_path: Path, trees: Trees) -> None:
    """R110: whatever ends the export."""
    trees.broken = True
    bundles = Bundles(tmp_path, trees.read)
    with pytest.raises(RuntimeError):
        bundles.folder("ab12")
    assert list((tmp_path / "bundles").iterdir()) == []
    trees.broken = False
    assert set(held(bundles.folder("ab12"))) == {"run.sh", "lib/words"}


def test_two_that_export_the_same_tree_agree(tmp_path: Path, trees: Trees) -> None:
    def meanwhile(tree: str) -> FolderFiles:
        Bundles(tmp_path, trees.read).folder(tree)
        return trees.read(tree)

    folder = Bundles(tmp_path, meanwhile).folder("ab12")
    assert set(held(folder)) == {"run.sh", "lib/words"}
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == ["ab12"]


def test_a_template_without_a_folder_has_none(tmp_path: Path, trees: Trees) -> None:
    assert Bundles(tmp_path, trees.read).folder("") == ""
    assert trees.reads == []


def test_what_was_exported_before_the_last_boot_is_never_used(tmp_path: Path) -> None:
    """It was not synced: after a power loss a script in it could be cut short."""
    bundles = Bundles(tmp_path, lambda _: [("act.sh", True, b"whole")])
    bundles.forget_before("first boot")
    torn = Path(bundles.folder("ab12")) / "act.sh"
    torn.write_bytes(b"")
    Bundles(tmp_path, lambda _: []).forget_before("first boot")
    assert torn.exists()
    after = Bundles(tmp_path, lambda _: [("act.sh", True, b"whole")])
    after.forget_before("second boot")
    assert (Path(after.folder("ab12")) / "act.sh").read_bytes() == b"whole"
