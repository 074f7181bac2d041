"""What is written on the command line as values, and what is printed as text."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import click
import pytest

from pointsman.cli.client import StreamEvent, stream_events
from pointsman.cli.follow import event_line
from pointsman.cli.logs import chosen, harmless_log
from pointsman.cli.options import given_answers, given_metadata, given_properties, given_texts, split_version
from pointsman.cli.output import Finding, clean, error_text, finding_text, findings_summary
from pointsman.cli.tree import Node, plain_lines, rich_tree
from pointsman.intake.inputs import value_of, with_texts
from pointsman.model.problem import Code, Invalid, NotFound, Place, Problem, Severity

PROBLEM = Problem(place=Place("projects/p/workflows/w.yaml", 4, 3), code=Code.UNKNOWN_KEY, says="no key 'nam'")


class Terminal(StringIO):
    """A stream with somebody looking at it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ('{"a": [1]}', {"a": [1]}),
        ("[]", []),
        ("dev", "dev"),
        ("", ""),
        ('"3"', '"3"'),
        ("True", "True"),
        ("NaN", "NaN"),
        ("1e999", "1e999"),
        ("1.2.0", "1.2.0"),
        ("0123", "0123"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_value_is_json_unless_that_would_be_text_or_no_number(text: str, value: object) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_dotted_keys_nest_and_later_settings_lie_over_earlier_ones_and_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("disk: {limit: 80, path: /}\nenv: dev\n")

    texts = given_texts(["disk.limit=90", "env=prod", "a.b.c=x=y", "env=staging"])
    found = with_texts(given_properties(file), texts, None)

    assert found == {"disk": {"limit": 90, "path": "/"}, "env": "staging", "a": {"b": {"c": "x=y"}}}


@pytest.mark.parametrize("content", ['{"env": "dev",\n\t"n": 1}', "env: dev\nn: 1\n", "{env: dev, n: 1}"])
def test_a_file_of_properties_is_json_or_yaml(tmp_path: Path, content: str) -> None:
    (tmp_path / "values").write_text(content)
    assert given_properties(tmp_path / "values") == {"env": "dev", "n": 1}


def test_a_file_that_holds_no_mapping_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "values").write_text("- 1\n")
    with pytest.raises(Invalid, match="values holds no mapping"):
        given_properties(tmp_path / "values")


@pytest.mark.parametrize("setting", ["env", "=x", ".a=1", "a..b=1"])
def test_a_setting_without_a_name_or_value_is_wrong_usage(setting: str) -> None:
    with pytest.raises(click.BadParameter):
        given_texts([setting])


def test_metadata_is_text_and_a_version_stands_behind_the_last_at_sign() -> None:
    assert given_metadata(["ticket=12", "note=a=b"]) == {"ticket": "12", "note": "a=b"}
    assert split_version("p/w") == ("p/w", None)
    assert split_version("p/w@v1.2") == ("p/w", "1.2")
    for wrong in ("@1", "w@"):
        with pytest.raises(click.BadParameter):
            split_version(wrong)


def test_an_answer_names_its_gate_even_with_an_equals_sign_in_it() -> None:
    assert given_answers(["4=continue", "a=b=reject"]) == {"4": "continue", "a=b": "reject"}
    with pytest.raises(click.BadParameter):
        given_answers(["4=yes"])


def test_a_problem_prints_in_the_shape_of_the_contract_and_with_its_line_on_a_terminal() -> None:
    """R7."""
    finding = Finding.of(replace(PROBLEM, hint="did you mean name?"))
    plain = (
        "projects/p/workflows/w.yaml:4:3: error[PM010]: no key 'nam'\n"
        "hint: did you mean name?"
    )  # fmt: skip

    assert finding_text(finding, StringIO(), lambda _: "1\n2\n3\n  nam: x") == plain
    shown = click.unstyle(finding_text(finding, Terminal(), lambda _: "1\n2\n3\n  nam: x"))
    assert shown.split("\n")[1:3] == ["    4 │   nam: x", "      │   ^^^"]


def test_no_color_leaves_every_colour_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in finding_text(Finding.of(PROBLEM), Terminal())


def test_findings_are_counted_and_an_error_tells_all_of_them() -> None:
    warning = Finding.of(replace(PROBLEM, severity=Severity.WARNING))
    assert findings_summary([Finding.of(PROBLEM), warning, warning]) == "1 error, 2 warnings"
    assert error_text(Invalid("w is invalid", [PROBLEM], hint="correct it")).split("\n") == [
        "projects/p/workflows/w.yaml:4:3: error[PM010]: no key 'nam'",
        "error: w is invalid",
        "hint: correct it",
    ]


def test_text_from_elsewhere_does_nothing_to_a_terminal() -> None:
    hostile = "a\x1b]0;title\x07b\x1b[2Jc\u202ed\r\x9b31m"
    assert not set(clean(hostile)) & {"\x1b", "\x07", "\u202e", "\r", "\x9b"}
    assert clean("\x1b[31mred\x1b[0m\n\tü") == "\x1b[31mred\x1b[0m\n\tü"


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2J\x1b[Hclear", "clear"),
        ("a\r\nb", "a\nb"),
        ("10 %\r20 %\n", "10 %\n20 %\n"),
        ("cut \x1b[3", "cut "),
        ("bell\x07, back\x08", "bell, back"),
        ("tab\tü › ✓", "tab\tü › ✓"),
    ],
)
def test_a_log_is_printed_without_control_sequences(log: str, shown: str) -> None:
    assert harmless_log(log, colours=False) == shown


def test_colours_of_a_log_stay_where_they_are_wanted() -> None:
    assert harmless_log("\x1b[1;31mred\x1b[0m\x1b[2J", colours=True) == "\x1b[1;31mred\x1b[0m"


def test_server_sent_events_are_read_as_the_standard_says() -> None:
    lines = [
        ": ping",
        "",
        "id: 1",
        "event: step_started",
        "data: {",
        "data: }",
        "",
        "data:x",
        "",
        "id: 9",
        "",
        "data: cut",
    ]
    assert list(stream_events(iter(lines))) == [
        StreamEvent(event="step_started", id="1", data="{\n}"),
        StreamEvent(event="message", id="1", data="x"),
    ]


def tree(width: int) -> Node:
    """A run of three stages with `width` changes each: over, under way, ahead."""
    states = ("succeeded", "running", "pending")
    return Node(
        key="0",
        name="all",
        kind="workflow",
        state="running",
        children=tuple(
            Node(
                key=str(number),
                name=f"stage {number}",
                kind="stage",
                run_as="parallel",
                state=state,
                children=tuple(
                    Node(key=f"{number}.{at}", name="x", kind="change", target="/projects/p", action="go", state=state)
                    for at in range(1, width + 1)
                ),
            )
            for number, state in enumerate(states, start=1)
        ),
    )


def drawn(node: Node, room: int) -> list[str]:
    """The lines of a tree for a terminal."""
    from rich.console import Console  # noqa: PLC0415 - only here

    console = Console(file=StringIO(), width=80, color_system=None)
    console.print(rich_tree(node, now=0, room=room))
    written = console.file
    assert isinstance(written, StringIO)
    return written.getvalue().splitlines()


def test_a_plain_tree_has_one_line_for_each_step_indented_by_its_depth() -> None:
    assert list(plain_lines(tree(1), now=0))[:3] == [
        "0  running  all  [workflow]",
        "  1  succeeded  stage 1  [stage, parallel]",
        "    1.1  succeeded  x  [change]  /projects/p › go",
    ]


def test_a_tree_that_does_not_fit_hides_what_is_settled_and_never_what_is_under_way() -> None:
    assert len(drawn(tree(5), 0)) == 19

    lines = drawn(tree(5), 10)

    assert [line for line in lines if "steps below" in line] == [
        "├── ✓ 1 stage 1  (5 steps below)",
        "└── ○ 3 stage 3  (5 steps below)",
    ]
    assert sum("2." in line for line in lines) == 5
    assert len(lines) == 9


def test_a_step_of_a_log_is_chosen_by_key_or_by_a_name_that_is_unique() -> None:
    assert [node.key for node in chosen(tree(2), "2")] == ["2.1", "2.2"]
    assert [node.key for node in chosen(tree(2), "Stage 3")] == ["3.1", "3.2"]
    assert len(chosen(tree(2), None)) == 6
    with pytest.raises(NotFound, match="6 steps are called x"):
        chosen(tree(2), "x")
    with pytest.raises(NotFound, match="there is no step 9"):
        chosen(tree(2), "9")


@pytest.mark.parametrize(
    ("kind", "data", "step", "line"),
    [
        ("run_created", {"blocked_by": [3]}, None, "12:00:01  run 4    created  (by ada; waits for run 3)"),
        ("step_started", {"attempt": 2}, "1.1", "12:00:01  1.1      running    Back up  (attempt 2)"),
        ("step_failed", {"attempt": 1, "reason": "exit 1"}, "1.1", "12:00:01  1.1      failed     Back up  (exit 1)"),
        ("gate_decided", {"decision": "approve"}, "2", "12:00:01  2        approve    Go on?  (by ada)"),
        ("step_ended", {"state": "aborted"}, "2", "12:00:01  2        aborted    Go on?"),
        ("run_ended", {"state": "rejected"}, None, "12:00:01  run 4    rejected"),
    ],
)
def test_an_event_is_one_line(kind: str, data: dict[str, object], step: str | None, line: str) -> None:
    event = {"type": kind, "at": "2026-06-04T12:00:01.250Z", "actor": "ada", "step": step, "data": data}
    assert event_line(event, {"1.1": "Back up", "2": "Go on?"}, 4) == line
