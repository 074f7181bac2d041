"""The log of an attempt: byte for byte, capped, with times, and never in the way of the action."""

import contextlib
import hashlib
import os
import resource
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.acting import Acting, Meeting
from pointsman.act.output import Output

PAIR = struct.Struct("<QQ")


@pytest.fixture(name="acting")
def _acting(tmp_path: Path) -> Iterator[Acting]:
    with Acting(tmp_path / "data") as acting:
        yield acting


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a few pages."""
    if os.geteuid():
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def output(folder: Path, limit: int = 1 << 20) -> Output:
    """A log in this folder."""
    return Output(str(folder / "log"), str(folder / "times"), limit)


def pairs(path: Path) -> list[tuple[int, int]]:
    """What a times file holds."""
    return [(offset, at) for offset, at in PAIR.iter_unpack(path.read_bytes())]


@pytest.mark.parametrize(
    "data",
    [b"a\0b\n", b"\xff\xfe broken \xc3\n", b"50%\r100%\r\n", b"\x1b[31mred\x1b[0m\n", b"no newline at the end"],
)
def test_the_log_holds_what_was_written_byte_for_byte(acting: Acting, data: bytes) -> None:
    (acting.data / "input").write_bytes(data)
    end = acting.ended(f"cat {acting.data}/input")
    assert acting.paths().log.read_bytes() == data
    assert (end.log_bytes, end.log_sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_an_endless_writer_fills_the_log_up_to_its_cap_and_no_further(acting: Acting) -> None:
    """R61: and its time limit still counts."""
    end = acting.ended("exec yes", timeout=1, log_limit=1 << 20)
    log = acting.paths().log.read_bytes()
    assert end.reason == "timed out after 1s"
    assert log[: 1 << 20] == b"y\n" * (1 << 19)
    assert log[1 << 20 :] == b"\n[the log ends here: it reached its limit of 1048576 bytes]\n"
    assert (end.log_bytes, end.log_sha256) == (len(log), hashlib.sha256(log).hexdigest())


def test_a_writer_below_the_cap_can_be_stopped(acting: Acting, tmp_path: Path) -> None:
    """R91: a fast writer does not keep its supervisor from listening."""
    meeting, limit = Meeting(tmp_path), 1 << 28
    writing = f"yes & until [ -s {acting.paths().log} ]; do sleep 0.01; done; echo ready > {meeting}; wait"
    acting.launch(writing, log_limit=limit)
    meeting.word()
    acting.stop()
    end = acting.end()
    assert getattr(end, "reason", "") == "stopped"
    assert acting.paths().log.stat().st_size < limit


def test_a_line_without_an_end_needs_no_memory(acting: Acting) -> None:
    end = acting.ended("head -c 50000000 /dev/zero", log_limit=100_000)
    assert (end.exit_code, acting.paths().log.read_bytes()[:100_000]) == (0, b"\0" * 100_000)


def test_the_cap_is_exact(tmp_path: Path) -> None:
    written = output(tmp_path, limit=10)
    written.write(b"0123456789")
    assert not written.cut
    written.write(b"x")
    written.write(b"never seen")
    written.finish()
    marker = b"\n[the log ends here: it reached its limit of 10 bytes]\n"
    assert (tmp_path / "log").read_bytes() == b"0123456789" + marker


def test_times_say_when_the_bytes_from_an_offset_on_came(tmp_path: Path) -> None:
    before = time.time_ns() // 1_000_000
    written = output(tmp_path)
    written.write(b"one\n")
    ((_, first),) = pairs(tmp_path / "times")
    while time.time_ns() // 1_000_000 <= first:
        pass
    written.write(b"two\n")
    written.finish()
    found = pairs(tmp_path / "times")
    assert [offset for offset, _ in found] == [0, 4]
    assert before <= found[0][1] < found[1][1] <= time.time_ns() // 1_000_000


def test_there_are_fewer_times_than_milliseconds(tmp_path: Path) -> None:
    """Else an action that writes byte by byte has sixteen bytes of times for each of its log."""
    began = time.time_ns()
    written = output(tmp_path)
    for _ in range(20_000):
        written.write(b".")
    written.finish()
    passed = (time.time_ns() - began) // 1_000_000
    assert len(pairs(tmp_path / "times")) <= passed + 2
    assert (tmp_path / "log").stat().st_size == 20_000


def test_a_full_disk_costs_log_lines_and_not_the_action(small_disk: Path) -> None:
    """R112."""
    written = output(small_disk)
    chunk = os.urandom(4096)
    for _ in range(64):
        written.write(chunk)
    written.finish()
    log = (small_disk / "log").read_bytes()
    assert written.trouble == "the log is incomplete: No space left on device"
    assert (written.bytes, written.sha256) == (len(log), hashlib.sha256(log).hexdigest())
    assert 0 < len(log) < 64 * 4096


def test_the_log_goes_on_when_there_is_room_again(small_disk: Path) -> None:
    """R112: also if there was no room for its very first byte."""
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    written = output(small_disk)
    written.write(b"lost\n")
    ballast.unlink()
    written.write(b"kept\n")
    written.finish()
    log = (small_disk / "log").read_bytes()
    assert log.endswith(b"kept\n")
    assert written.trouble
    assert (written.bytes, written.sha256) == (len(log), hashlib.sha256(log).hexdigest())


def test_an_action_on_a_full_disk_has_its_true_result(acting: Acting) -> None:
    """R112: a file size limit is a disk that is full for one writer."""
    resource.prlimit(acting.zygote, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    end = acting.ended("head -c 20000 /dev/zero; exit 3")
    log = acting.paths().log.read_bytes()
    assert (end.exit_code, end.log_trouble) == (3, "the log is incomplete: File too large")
    assert (len(log), end.log_bytes) == (4096, 4096)


def test_a_log_that_was_planted_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "log").symlink_to(tmp_path / "victim")
    written = output(tmp_path)
    written.write(b"theirs")
    written.finish()
    assert written.trouble
    assert (tmp_path / "victim").read_text() == "mine"
