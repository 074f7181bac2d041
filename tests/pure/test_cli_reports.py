"""The formats of `pointsman validate`: what each holds, and that nothing a repository says can break out of one."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest

from pointsman.cli.output import Finding, extent
from pointsman.cli.reports import FORMATS, Report
from pointsman.cli.reports_sarif import sarif

TEXT = "steps:\n  - target: /projects/p/assets/wep\n    action: restart\n"
FILE = "ops/projects/p/workflows/w.yaml"
UNKNOWN = Finding(
    path=FILE,
    line=2,
    column=13,
    code="PM030",
    severity="error",
    message="step 1: there is no target /projects/p/assets/wep",
    hint="did you mean /projects/p/assets/web?",
)
ODD = Finding(path="pointsman.yml", line=1, column=1, code="PM016", severity="warning", message="this file is odd")
HOSTILE = Finding(
    path="projects/p/a:b,c\n::error::x.yaml",
    line=3,
    column=2,
    code="PM010",
    severity="error",
    message="100% \x1b[2J\r\n::set-output name=a::b \x00\x0b\ufffe \udce9 <![CDATA[ ]]> </testcase> \u202e",
    hint="\x9b31m",
)


def report(*findings: Finding) -> Report:
    """Findings in a repository with two files."""
    return Report(
        findings=findings,
        files=(FILE, "ops/projects/p/assets/web.yaml"),
        text=lambda path: TEXT if path == FILE else "",
    )


def loaded(form: str, *findings: Finding) -> Any:
    """A report of JSON, read."""
    return json.loads(FORMATS[form](report(*findings)))


def cases(*findings: Finding) -> dict[str, ET.Element]:
    """The test cases of a JUnit report by their files."""
    return {case.attrib["name"]: case for case in ET.fromstring(FORMATS["junit"](report(*findings))).iter("testcase")}


@pytest.mark.parametrize(
    ("line", "column", "length"),
    [
        ("  - target: /projects/p/assets/web", 13, 22),
        ("    nam: x", 5, 3),
        ("name: Roll out, then look", 7, 8),
        ("name: Roll out  # soon", 7, 8),
        ('a: {b: "x, \\" y", c: 1}', 8, 9),
        ("a: {b: 'it''s', c: 1}", 8, 7),
        ("a: [one two, three]", 5, 7),
        ("a: {b: c}", 4, 1),
        ("at: 12:30:00 ", 5, 8),
        ("short", 40, 1),
        ("", 1, 1),
    ],
)
def test_a_marker_is_as_long_as_the_key_or_scalar_that_it_is_about(line: str, column: int, length: int) -> None:
    assert extent(line, column) == length


def test_github_gets_a_command_for_each_problem_with_its_place_and_what_to_do() -> None:
    error, warning = FORMATS["github"](report(UNKNOWN, ODD)).split("\n")

    assert error == (
        f"::error file={FILE},line=2,endLine=2,col=13,endColumn=35,title=PM030 unknown target"
        "::step 1: there is no target /projects/p/assets/wep%0Ahint: did you mean /projects/p/assets/web?"
    )
    assert warning == (
        "::warning file=pointsman.yml,line=1,endLine=1,col=1,endColumn=2,title=PM016 unknown file::this file is odd"
    )


def test_what_is_about_no_file_is_an_annotation_of_the_whole_job() -> None:
    about_ref = replace(ODD, path=".", code="PM050", message="the tag leads nowhere")
    assert FORMATS["github"](report(about_ref)) == "::warning title=PM050 bad ref::the tag leads nowhere"


def test_nothing_that_a_repository_says_can_become_a_command_of_its_own() -> None:
    text = FORMATS["github"](report(HOSTILE))

    assert len(text.splitlines()) == 1
    properties, message = re.fullmatch(r"::error ([^:]*)::(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    assert "file=projects/p/a%3Ab%2Cc%0A%3A%3Aerror%3A%3Ax.yaml,line=3" in properties
    assert message.startswith("100%25 ")
    assert "%0D%0A::set-output" in message


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_holds_what_a_terminal_would_obey_or_utf_8_cannot_hold(form: str) -> None:
    text = FORMATS[form](report(HOSTILE, UNKNOWN))

    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert text.encode("utf-8")


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_of_nothing_is_a_whole_report(form: str) -> None:
    text = FORMATS[form](report())
    if form == "github":
        assert text == ""
    elif form == "junit":
        assert ET.fromstring(text).attrib == {"tests": "2", "failures": "0", "errors": "0"}
    else:
        assert json.loads(text) in ([], {"valid": True, "problems": []}) or json.loads(text)["runs"][0]["results"] == []


def test_json_has_the_fields_of_the_contract() -> None:
    assert loaded("json", UNKNOWN, ODD) == {
        "valid": False,
        "problems": [
            {
                "path": FILE,
                "line": 2,
                "column": 13,
                "code": "PM030",
                "severity": "error",
                "message": "step 1: there is no target /projects/p/assets/wep",
                "hint": "did you mean /projects/p/assets/web?",
            },
            ODD.as_json(),
        ],
    }
    assert loaded("json", ODD)["valid"] is True


def test_gitlab_gets_every_field_that_code_quality_needs() -> None:
    first, second = loaded("gitlab", UNKNOWN, ODD)

    assert first["description"].startswith("step 1: there is no target")
    assert (first["check_name"], first["severity"], second["severity"]) == ("PM030", "major", "minor")
    assert first["location"] == {
        "path": FILE,
        "lines": {"begin": 2, "end": 2},
        "positions": {"begin": {"line": 2, "column": 13}, "end": {"line": 2, "column": 35}},
    }


def test_a_fingerprint_stays_when_lines_and_steps_move_and_no_two_are_the_same() -> None:
    moved = replace(UNKNOWN, line=9, message=UNKNOWN.message.replace("step 1:", "step 2.13:"))
    other = replace(UNKNOWN, message=UNKNOWN.message.replace("wep", "wap"))

    def prints(*findings: Finding) -> list[str]:
        return [one["fingerprint"] for one in loaded("gitlab", *findings)]

    assert prints(UNKNOWN) == prints(moved)
    assert len({*prints(UNKNOWN, moved, other, ODD)}) == 4


def test_junit_has_a_case_for_each_file_that_fails_if_an_error_is_in_it() -> None:
    found = cases(UNKNOWN, replace(UNKNOWN, line=3), ODD)

    assert [[child.tag for child in case] for case in found.values()] == [[], ["failure"], ["system-out"]]
    assert list(found) == ["ops/projects/p/assets/web.yaml", FILE, "pointsman.yml"]
    failure = found[FILE][0]
    assert failure.attrib["message"] == "2 errors"
    assert (failure.text or "").startswith("2:13: error[PM030]: step 1: there is no target")
    counts = ET.fromstring(FORMATS["junit"](report(UNKNOWN, ODD))).attrib
    assert counts == {"tests": "3", "failures": "1", "errors": "0"}


def test_junit_of_hostile_text_is_well_formed_and_hides_nothing() -> None:
    case = cases(HOSTILE)["projects/p/a:b,c\n::error::x.yaml"]
    text = case[0].text or ""
    assert "]]> </testcase>" in text
    assert "\u25a100" in text
    assert "\u25a1FFFE" in text


def test_sarif_has_what_its_schema_requires_and_a_rule_for_each_code() -> None:
    """SARIF 2.1.0, sections 3.13 (log), 3.14 (run), 3.19 (driver), 3.27 (result), 3.30 (region), 3.49 (rule)."""
    log = loaded("sarif", UNKNOWN, ODD, HOSTILE)
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]

    assert (log["version"], log["$schema"].rsplit("/", 1)[1]) == ("2.1.0", "sarif-2.1.0.json")
    assert run["tool"]["driver"]["name"] == "Pointsman"
    assert [rule["id"] for rule in rules] == ["PM010", "PM016", "PM030"]
    assert rules[2]["name"] == "UnknownTarget"
    assert all(rule["shortDescription"]["text"] and "docs/problems.md" in rule["help"]["text"] for rule in rules)
    for result, finding in zip(run["results"], (UNKNOWN, ODD, HOSTILE), strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.code
        assert result["level"] == finding.severity
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert re.fullmatch(r"[\w/.%-]+", place["artifactLocation"]["uri"])
        region = place["region"]
        assert min(region.values()) >= 1
        assert (region["startLine"], region["startColumn"]) == (finding.line, finding.column)
        assert region["endColumn"] > region["startColumn"]
        assert len(result["partialFingerprints"]["pointsman/v1"]) == 64


def test_the_help_of_a_rule_is_where_the_documentation_can_be_read() -> None:
    rule = sarif(report(UNKNOWN), "https://pointsman.example.com/docs")["runs"][0]["tool"]["driver"]["rules"][0]
    assert rule["helpUri"] == "https://pointsman.example.com/docs/problems.md#:~:text=PM030"
