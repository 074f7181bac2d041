"""What was found wrong, in the formats that Git hosts and other programs read: `FORMATS`."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pointsman.cli.output import Finding, clean, extent
from pointsman.model.problem import Code

_NAMES = {code.value: code.name.replace("_", " ").lower() for code in Code}
_STEP = re.compile(r"^step [\d.]+: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings, the paths of all files that were read, and the text of one."""

    findings: Sequence[Finding]
    files: Sequence[str] = ()
    text: Callable[[str], str] = lambda _: ""

    @property
    def valid(self) -> bool:
        """Whether there is no error."""
        return not any(finding.is_error for finding in self.findings)

    def end_column(self, finding: Finding) -> int:
        """The column behind the last letter of what a finding is about."""
        lines = self.text(finding.path).split("\n")
        line = lines[finding.line - 1] if finding.line <= len(lines) else ""
        return finding.column + extent(line, finding.column)

    def fingerprints(self) -> Iterator[tuple[Finding, str]]:
        """Each finding with a name that stays the same while only lines and steps above it come and go."""
        seen: Counter[tuple[str, ...]] = Counter()
        for finding in self.findings:
            key = (finding.path, finding.code, _STEP.sub("", finding.message))
            seen[key] += 1
            text = "\0".join((*key, str(seen[key])))
            yield finding, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def code_name(code: str) -> str:
    """What a code is about, in words; empty if there is no such code."""
    return _NAMES.get(code, "")


def sentence(finding: Finding) -> str:
    """The message, and on a line of its own the hint, in text that any encoding can hold."""
    text = f"{finding.message}\nhint: {finding.hint}" if finding.hint else finding.message
    return _encodable(text)


def json_report(report: Report) -> str:
    """The object of the contract: `valid`, and `problems` with all that is known of each."""
    return _json({"valid": report.valid, "problems": [finding.as_json() for finding in report.findings]})


def github_report(report: Report) -> str:
    """Workflow commands that make GitHub annotate the lines of a pull request."""
    lines = []
    for finding in report.findings:
        place = {
            "file": finding.path,
            "line": finding.line,
            "endLine": finding.line,
            "col": finding.column,
            "endColumn": report.end_column(finding),
        }
        # what is about the whole repository has no file that a reviewer could look at
        named = {**({} if finding.path == "." else place), "title": f"{finding.code} {code_name(finding.code)}"}
        properties = ",".join(f"{key}={_property(str(value))}" for key, value in named.items())
        lines.append(f"::{finding.severity} {properties}::{_message(sentence(finding))}")
    return "\n".join(lines)


def gitlab_report(report: Report) -> str:
    """GitLab's Code Quality report."""
    return _json([
        {
            "description": sentence(finding),
            "check_name": finding.code,
            "fingerprint": fingerprint,
            "severity": "major" if finding.is_error else "minor",
            "location": {
                "path": finding.path,
                "lines": {"begin": finding.line, "end": finding.line},
                "positions": {
                    "begin": {"line": finding.line, "column": finding.column},
                    "end": {"line": finding.line, "column": report.end_column(finding)},
                },
            },
        }
        for finding, fingerprint in report.fingerprints()
    ])  # fmt: skip


def junit_report(report: Report) -> str:
    """JUnit's XML."""
    from pointsman.cli.reports_junit import junit  # noqa: PLC0415 - only who asks for XML needs what reads and writes it

    return junit(report)


def sarif_report(report: Report) -> str:
    """SARIF 2.1.0."""
    from pointsman.cli.reports_sarif import documentation, sarif  # noqa: PLC0415 - half of what it needs is slow to import

    return _json(sarif(report, documentation()))


FORMATS: Mapping[str, Callable[[Report], str]] = {
    "json": json_report,
    "github": github_report,
    "gitlab": gitlab_report,
    "sarif": sarif_report,
    "junit": junit_report,
}
"""Each format with what makes it of a report. None holds a character that could do anything to a terminal."""


def _json(value: object) -> str:
    return json.dumps(value, indent=2)


def _message(text: str) -> str:
    """Text as it stands behind `::` in a workflow command, so that it can neither end it nor begin another."""
    return clean(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _property(text: str) -> str:
    return _message(_encodable(text)).replace(":", "%3A").replace(",", "%2C")
