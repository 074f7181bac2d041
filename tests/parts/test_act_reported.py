"""What an action reports: JSON or lines, and everything else is a failure of that step alone."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.acting import Acting
from pointsman.act.reported import DEEPEST_REPORT, LARGEST_REPORT, ReportError, reported
from pointsman.model.values import canonical


@pytest.fixture(name="acting")
def _acting(tmp_path: Path) -> Iterator[Acting]:
    with Acting(tmp_path / "data") as acting:
        yield acting


@pytest.fixture(name="output")
def _output(tmp_path: Path) -> Path:
    return tmp_path / "output"


def nested(levels: int) -> str:
    """An object with so many levels in it."""
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, true, null, "ü"]}', {"a": [1, 2.5, True, None, "ü"]}),
        ('\n  {"a": {"b": "c"}}\n', {"a": {"b": "c"}}),
        ("{}", {}),
        ("a=1\nb=two words \nc=\n", {"a": "1", "b": "two words ", "c": ""}),
        ("a=1=2\r\nb=x\r\n\r\n", {"a": "1=2", "b": "x"}),
        ("a.b-c_d=ü\x0b\u2028\x85", {"a.b-c_d": "ü\x0b\u2028\x85"}),
        ("a=1\na=2", {"a": "2"}),
        (nested(DEEPEST_REPORT), json.loads(nested(DEEPEST_REPORT))),
    ],
)
def test_objects_and_lines_are_understood(output: Path, text: str, value: object) -> None:
    """R105."""
    output.write_bytes(text.encode())
    assert reported(str(output)) == value


@pytest.mark.parametrize("data", [b"", b"\n \n"])
def test_an_empty_report_is_none(output: Path, data: bytes) -> None:
    output.write_bytes(data)
    assert reported(str(output)) is None
    output.unlink()
    assert reported(str(output)) is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"a": ', "the output begins like JSON and is none"),
        (b'{"a": 1} trailing', "the output begins like JSON and is none"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": -Infinity}', "-Infinity is no JSON number"),
        (b'{"a": 1e999}', "1e999 is too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "the output begins like JSON and is none"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"\\udfff": 1}', "half of a surrogate pair"),
        (b"[1]", "line 1 of the output is no name=value"),
        (b"a=1\nno value\n", "line 2 of the output is no name=value"),
        (b"=1", "line 1 of the output is no name=value"),
        (b"1a=1", "line 1 of the output is no name=value"),
        (b"a=\xff", "the output is not UTF-8 at byte 3"),
        (
            b"a=" + b"x" * LARGEST_REPORT,
            f"the output has {LARGEST_REPORT + 2} bytes; at most {LARGEST_REPORT} are kept",
        ),
        (nested(DEEPEST_REPORT + 1).encode(), f"the output is nested deeper than {DEEPEST_REPORT} levels"),
        (nested(30_000).encode(), "the output"),
    ],
)
def test_a_malformed_report_says_what_is_wrong(output: Path, data: bytes, says: str) -> None:
    """R58, R105."""
    output.write_bytes(data)
    with pytest.raises(ReportError) as caught:
        reported(str(output))
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ['{"a": "\\u0000\\u2028", "b": 1e308, "c": -0.0}', "a=\x00\x7f"])
def test_whatever_is_accepted_can_be_stored(output: Path, text: str) -> None:
    """R58: a report that only the store refuses would stop the daemon and not the step."""
    output.write_text(text)
    assert json.loads(canonical(reported(str(output))).encode()) == reported(str(output))


def test_a_link_in_place_of_the_report_is_not_followed(output: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a=1")
    output.symlink_to(tmp_path / "secret")
    with pytest.raises(ReportError, match="no regular file any more"):
        reported(str(output))


def test_a_folder_in_place_of_the_report_fails_the_step(output: Path) -> None:
    output.mkdir()
    with pytest.raises(ReportError, match="no regular file any more"):
        reported(str(output))


def test_a_pipe_in_place_of_the_report_fails_the_step_and_holds_nobody_up(acting: Acting, output: Path) -> None:
    """R58."""
    os.mkfifo(output)
    with pytest.raises(ReportError, match="no regular file any more"):
        reported(str(output))
    assert acting.ended("mkfifo $POINTSMAN_OUTPUT").reason == "the output is no regular file any more"


@pytest.mark.parametrize("levels", [33, 500, 985, 992, 997, 2000])
def test_the_supervisor_and_the_daemon_survive_any_depth(acting: Acting, levels: int) -> None:
    """R58."""
    end = acting.ended("cat > $POINTSMAN_OUTPUT <<'END'\n" + nested(levels) + "\nEND\n")
    assert end.reason.startswith("the output")
