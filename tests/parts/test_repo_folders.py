"""Template folders by their tree id, as steps get them."""

from pathlib import Path

import pytest

from fakes.git import Repository
from pointsman.model.problem import Invalid
from pointsman.repo.files import FolderFile, folder_at
from pointsman.repo.sources import source_at


@pytest.fixture
def ops(tmp_path: Path) -> Repository:
    """A bare, empty repository."""
    return Repository.create(tmp_path / "ops.git", bare=True)


def test_a_template_folder_is_every_file_with_its_bytes(ops: Repository) -> None:
    """Whatever the bytes are."""
    commit = ops.commit(
        {
            "templates/t/template.yaml": "name: T\n",
            "templates/t/run.sh": b"#!/bin/sh\r\n\xff\0",
            "templates/t/lib/deep/x": "x",
            "templates/t/getty@tty1\\x2d.service": "",
        },
        executable={"templates/t/run.sh"},
    )

    assert folder_at(ops.opened, source_at(ops.opened, commit).trees["templates/t"]) == [
        FolderFile("getty@tty1\\x2d.service", executable=False, data=b""),
        FolderFile("lib/deep/x", executable=False, data=b"x"),
        FolderFile("run.sh", executable=True, data=b"#!/bin/sh\r\n\xff\0"),
        FolderFile("template.yaml", executable=False, data=b"name: T\n"),
    ]


@pytest.mark.parametrize(
    ("mode", "name", "says"),
    [
        ("120000", b"link.sh", "link.sh: it is a symbolic link"),
        ("160000", b"sub", "sub: it is a submodule"),
        ("104755", b"setuid", "setuid: it is no plain file"),
        ("100644", b"a\nb", r"a\\nb: its name has characters that cannot be printed"),
        ("100644", b"\xff", r"\\xff: its name has characters that cannot be printed"),
        ("100644", b"..", r"\.\.: no file or folder may have this name"),
        ("100644", b"a/b", "a/b: no file or folder may have this name"),
        ("40000", b".git", r"\.git: no file or folder may have this name"),
    ],
)
def test_what_a_step_must_not_get_is_refused_by_name(ops: Repository, mode: str, name: bytes, says: str) -> None:
    """Hostile 38, 40, 43, 47."""
    tree = ops.write_tree(("100644", b"aaa", ops.write_blob()), (mode, name, ops.write_blob()))
    inside = ops.write_tree(("40000", b"in", tree))

    with pytest.raises(Invalid, match=says):
        folder_at(ops.opened, tree)
    with pytest.raises(Invalid, match=f"in/{says}"):
        folder_at(ops.opened, inside)


def test_a_file_in_a_folder_that_cannot_be_named_is_refused(ops: Repository) -> None:
    """Hostile 47: it could not be written where it belongs."""
    tree = ops.write_tree(("40000", b"\xff", ops.write_tree(("100644", b"x", ops.write_blob()))))

    with pytest.raises(Invalid, match=r"\\xff/x: its name"):
        folder_at(ops.opened, tree)


def test_files_are_limited_by_size_count_and_sum(ops: Repository) -> None:
    """Before any is read. Hostile 4.10."""
    five = ops.write_blob(bytes(5 * 1024**2))
    more = ops.write_blob(bytes(5 * 1024**2 + 1))
    small = ops.write_blob()

    assert len(folder_at(ops.opened, ops.write_tree(("100644", b"five", five)))[0].data) == 5 * 1024**2
    with pytest.raises(Invalid, match="more: it has 5,242,881 bytes, more than the 5 MiB"):
        folder_at(ops.opened, ops.write_tree(("100644", b"more", more)))
    with pytest.raises(Invalid, match="m: with it the template has more than 64 MiB"):
        folder_at(ops.opened, ops.write_tree(*(("100644", bytes([97 + number]), five) for number in range(14))))
    many = [("100644", b"%04d" % number, small) for number in range(2001)]
    assert len(folder_at(ops.opened, ops.write_tree(*many[:2000]))) == 2000
    with pytest.raises(Invalid, match="2000: there are more than 2,000 files"):
        folder_at(ops.opened, ops.write_tree(*many))


def test_what_is_no_tree_is_no_folder(ops: Repository) -> None:
    """Missing, of another kind, or no id at all."""
    for tree in ("f" * 40, ops.write_blob(), "../../etc", ""):
        with pytest.raises(Invalid) as caught:
            folder_at(ops.opened, tree)
        assert not caught.value.says.startswith(":")
