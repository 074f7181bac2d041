"""The working copy: the template's folder again, and the files that the properties ask for, never outside of it."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.acting import Acting
from pointsman.act.paths import AttemptId
from pointsman.act.workspace import UnusableError, Workspace


@pytest.fixture(name="acting")
def _acting(tmp_path: Path) -> Iterator[Acting]:
    with Acting(tmp_path / "data") as acting:
        yield acting


@pytest.fixture(name="bundle")
def _bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    (folder / "lib").mkdir(parents=True)
    (folder / "run.sh").write_text("#!/bin/sh\ncat lib/words\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "lib/words").write_text("from the template\n")
    return folder


def laid_out(tmp_path: Path, files: Any, bundle: Path | None = None) -> Path:
    """The working copy for these `pointsman.files`."""
    workspace = Workspace(str(tmp_path / "work"))
    workspace.make(str(bundle or ""), {"pointsman": {"files": files}}, {})
    return Path(workspace.copy)


def test_an_action_starts_in_a_copy_of_its_templates_folder(acting: Acting, bundle: Path) -> None:
    end = acting.ended(command=["./run.sh"], bundle=bundle)
    assert (end.reason, acting.log()) == ("", "from the template\n")


def test_an_attempt_finds_nothing_of_the_one_before(acting: Acting, bundle: Path) -> None:
    acting.ended("echo changed > lib/words; chmod 777 run.sh; touch planted", bundle=bundle)
    second = AttemptId(1, 1, 2)
    acting.ended("cat lib/words; stat -c %a run.sh lib/words; ls", attempt=second, bundle=bundle)
    assert acting.log(second).splitlines() == ["from the template", "700", "600", "lib", "run.sh"]
    assert (bundle / "lib/words").read_text() == "from the template\n"


def test_requested_files_are_there_before_the_action_starts(acting: Acting) -> None:
    """R103."""
    files = {
        "config/app.json": {"content": {"port": 80}, "format": "json"},
        "token": {"content": "c2VjcmV0", "format": "base64", "mode": "0400"},
        "motd": "Grüße\n",
    }
    acting.ended(
        "cat config/app.json token motd; echo; stat -c %a token motd", properties={"pointsman": {"files": files}}
    )
    assert acting.log() == '{\n  "port": 80\n}\nsecretGrüße\n\n400\n600\n'


@pytest.mark.parametrize(("written", "mode"), [("0700", 0o700), (600, 0o600), ("0755", 0o700), ("4755", 0o700)])
def test_a_files_mode_is_its_owners_part(tmp_path: Path, written: str | int, mode: int) -> None:
    """R103: YAML reads an unquoted `0600` as the number 600."""
    copy = laid_out(tmp_path, {"file": {"content": "", "mode": written}})
    assert stat.S_IMODE((copy / "file").stat().st_mode) == mode


def test_a_requested_file_replaces_the_templates(tmp_path: Path, bundle: Path) -> None:
    """R103."""
    copy = laid_out(tmp_path, {"lib/words": "from the properties\n"}, bundle)
    assert (copy / "lib/words").read_text() == "from the properties\n"
    assert (bundle / "lib/words").read_text() == "from the template\n"


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../outside", "a/../../outside", "./a", "a//b", "", ".", "..", "a/", "a\0b", "..\\outside", "a/.."],
)
def test_a_path_outside_of_the_working_copy_is_refused(tmp_path: Path, path: str) -> None:
    """R103."""
    with pytest.raises(UnusableError, match="does not stay inside the working copy"):
        laid_out(tmp_path, {path: "mine"})
    assert {entry.name for entry in tmp_path.iterdir()} == {"work"}


def test_a_link_in_the_way_of_a_requested_file_is_not_followed(tmp_path: Path, bundle: Path) -> None:
    """R103: bundles have no links; were there one, nothing would go through it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    workspace = Workspace(str(tmp_path / "work"))
    workspace.make(str(bundle), {}, {})
    Path(workspace.copy, "link").symlink_to(outside)
    with pytest.raises(UnusableError, match="leads through a link"):
        workspace._place("link/file", b"mine", 0o600)
    assert not list(outside.iterdir())


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"lib": "text"}, "'lib' is a folder of the template"),
        ({"a": {"content": [1]}}, "the content of 'a' is no text; set format: json"),
        ({"a": {"content": "?", "format": "base64"}}, "the content of 'a' is not base64"),
        ({"a": {"content": "x", "format": "yaml"}}, "the format of 'a' is 'yaml', not raw, json or base64"),
        ({"a": {"content": "x", "mode": "rw"}}, "the mode of 'a' is no octal number such as 0600"),
        (["a"], "pointsman.files maps paths to files; it is no mapping"),
    ],
)
def test_a_file_that_cannot_be_says_why(tmp_path: Path, bundle: Path, files: Any, says: str) -> None:
    """R103."""
    with pytest.raises(UnusableError) as caught:
        laid_out(tmp_path, files, bundle)
    assert says in str(caught.value)


@pytest.mark.parametrize("path", ["../outside", "\ud800", "x" * 300, "a/b/" * 2000 + "c"])
def test_an_impossible_file_fails_the_step_before_anything_ran(acting: Acting, path: str) -> None:
    """R58, R103."""
    end = acting.ended("echo ran", properties={"pointsman": {"files": {"kept": "", path: "mine"}}})
    assert end.reason.startswith("the working copy cannot be made: ")
    assert (end.exit_code, acting.log()) == (None, "")
    assert acting.nothing_of()


def test_a_template_folder_that_is_gone_fails_the_step(acting: Acting, tmp_path: Path) -> None:
    end = acting.ended("echo ran", bundle=tmp_path / "gone")
    assert end.reason.startswith("the working copy cannot be made: ")


def test_a_link_that_an_action_planted_is_removed_and_not_followed(acting: Acting, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    acting.ended(f"ln -s {outside} link; ln -s {outside}/mine file; ln -s / root")
    assert (outside / "mine").read_text() == "mine"
    assert acting.nothing_of()
