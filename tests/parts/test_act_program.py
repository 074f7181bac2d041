"""Programs that cannot be started: each says why in the log and in the record, and what to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.acting import Acting


@pytest.fixture(name="acting")
def _acting(tmp_path: Path) -> Iterator[Acting]:
    with Acting(tmp_path / "data") as acting:
        yield acting


def bundle(folder: Path, text: bytes, *, mode: int = 0o755) -> Path:
    """A template's folder with one script."""
    folder.mkdir()
    (folder / "go.sh").write_bytes(text)
    (folder / "go.sh").chmod(mode)
    return folder


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        (b"#!/bin/sh\necho on\n", 0o644, "./go.sh is not executable; run: git update-index --chmod=+x go.sh"),
        (b"echo on\n", 0o755, "./go.sh is no program: its first line must name one, such as #!/bin/sh"),
        (b"#!/bin/sh\r\necho on\r\n", 0o755, "the first line of ./go.sh ends in a carriage return; save the file"),
        (b"#!/no/such/shell -e\n", 0o755, "the first line of ./go.sh names /no/such/shell, which does not exist"),
        (b"", 0o755, "./go.sh is no program"),
    ],
)
def test_a_script_that_cannot_be_started_says_why(
    acting: Acting, tmp_path: Path, text: bytes, mode: int, says: str
) -> None:
    end = acting.ended(command=["./go.sh"], bundle=bundle(tmp_path / "bundle", text, mode=mode))
    assert end.reason.startswith(says)
    assert (end.exit_code, acting.log()) == (None, f"{end.reason}\n")


def test_a_script_with_unix_line_ends_and_the_bit_runs(acting: Acting, tmp_path: Path) -> None:
    end = acting.ended(command=["./go.sh"], bundle=bundle(tmp_path / "bundle", b"#!/bin/sh\necho on\n"))
    assert (end.reason, acting.log()) == ("", "on\n")


def test_a_file_that_is_not_there_is_named(acting: Acting) -> None:
    assert acting.ended(command=["./configure.sh"]).reason == "there is no file ./configure.sh in the template's folder"


def test_a_program_is_looked_for_on_the_path_of_steps(acting: Acting) -> None:
    reason = acting.ended(command=["no-such-program"]).reason
    assert reason == "there is no program 'no-such-program' on the PATH of steps (/usr/local/bin:/usr/bin:/bin)"


def test_the_working_copy_is_not_on_the_path(acting: Acting, tmp_path: Path) -> None:
    end = acting.ended(command=["go.sh"], bundle=bundle(tmp_path / "bundle", b"#!/bin/sh\necho on\n"))
    assert end.reason.startswith("there is no program 'go.sh'")


def test_a_variable_that_is_too_long_says_so(acting: Acting) -> None:
    """The kernel takes 128 KiB in one variable."""
    end = acting.ended(command=["true"], env={"LONG": "x" * 200_000})
    assert end.reason == "true cannot be started: its arguments and variables are too long together"


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_a_variable_the_kernel_cannot_hold_fails_the_step_alone(acting: Acting, value: str) -> None:
    """R58."""
    end = acting.ended(command=["true"], env={"BAD": value})
    assert end.reason
    assert end.exit_code is None


def test_a_folder_cannot_be_started(acting: Acting) -> None:
    assert acting.ended(command=["/usr"]).reason.startswith("/usr cannot be started: ")


def test_an_action_answers_every_signal_whoever_started_the_daemon(acting: Acting) -> None:
    """Ignored signals are inherited: Python ignores some, a shell's `&` and nohup others."""
    acting.ended("grep SigIgn /proc/$$/status")
    ignored = int(acting.log().split()[1], 16)
    assert [number for number in range(1, 32) if ignored >> (number - 1) & 1] == []
