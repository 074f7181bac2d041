"""What goes to whom: data to standard output, words to standard error, colour to terminals only."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TextIO

import click

from pointsman.model.problem import Invalid, PointsmanError, Problem, Refused, Severity
from pointsman.web.words import counted

WIDEST_LINE = 160
# Controls, and what turns the direction of text; a newline and a tab are fine, and so are our own colours.
_UNSAFE = re.compile(
    r"(?:(?!\x1b\[[0-9;]{0,16}m)\x1b)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
# What stands at a column: a quoted scalar, a plain one up to what ends it on its line, or else a single sign.
_WORD = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:''|[^'])*'|(?:[^\s,\[\]{}:]|:(?=\S)|[ \t]+(?![\s#]))+)(?<!\s)""")
STATE_COLOURS = {
    "succeeded": "green",
    "valid": "green",
    "failed": "red",
    "lost": "red",
    "rejected": "red",
    "invalid": "red",
    "running": "blue",
    "waiting": "yellow",
    "queued": "cyan",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem as it is printed, whether it was found here or by the daemon."""

    path: str
    line: int
    column: int
    code: str
    severity: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, problem: Problem) -> "Finding":
        """A problem that was found here."""
        return cls(
            path=problem.place.path,
            line=problem.place.line,
            column=problem.place.column,
            code=problem.code.value,
            severity=problem.severity.value,
            message=problem.message,
            hint=problem.hint,
        )

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "Finding":
        """One of the `errors` in an answer of the API."""
        return cls(
            path=str(data.get("path", "")),
            line=int(data.get("line", 1)),
            column=int(data.get("column", 1)),
            code=str(data.get("code", "")),
            severity=str(data.get("severity", Severity.ERROR)),
            message=str(data.get("message", "")),
            hint=str(data.get("hint") or ""),
        )

    @property
    def is_error(self) -> bool:
        """Whether it refuses."""
        return self.severity == Severity.ERROR

    def as_error(self) -> "Finding":
        """The same, as grave as can be."""
        return replace(self, severity=Severity.ERROR.value)

    def as_json(self) -> dict[str, Any]:
        """The object that `validate --format json` prints."""
        return {name: getattr(self, name) for name in ("path", "line", "column", "code", "severity", "message", "hint")}


class RunRefused(Refused):
    """The daemon would not start a run; `findings` say why, all of it at once."""

    def __init__(self, says: str, findings: Iterable[Finding], *, hint: str = "") -> None:
        super().__init__(says, status=422, hint=hint)
        self.findings = tuple(findings)


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody looks at this stream with a terminal that can do more than print lines."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: TextIO) -> bool:
    """Whether colours may be written to this stream."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def clean(text: str) -> str:
    """Text from a repository or the daemon that can do nothing to a terminal: what could is shown by its number."""
    return _UNSAFE.sub(lambda found: f"\N{WHITE SQUARE}{ord(found[0]):02X}", text)


def say(text: str) -> None:
    """Words for the person, on standard error."""
    click.echo(clean(text), err=True, color=has_colour(sys.stderr))


def put(text: str) -> None:
    """Data, on standard output."""
    click.echo(clean(text), color=has_colour(sys.stdout))


def put_json(value: object) -> None:
    """Data as JSON; ASCII, so that nothing in it can do anything to a terminal."""
    click.echo(json.dumps(value, indent=2))


def painted(text: str, stream: TextIO, colour: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
    """The text in a colour, if the stream takes colours."""
    if not has_colour(stream):
        return text
    return click.style(text, fg=colour, bold=bold or None, dim=dim or None)


def error_text(error: PointsmanError) -> str:
    """An error as people read it: its problems, the sentence, the remedy."""
    findings: Sequence[Finding] = ()
    if isinstance(error, Invalid):
        findings = [Finding.of(problem) for problem in error.problems]
    elif isinstance(error, RunRefused):
        findings = error.findings
    lines = [finding_text(finding, sys.stderr) for finding in findings]
    lines.append(f"{painted('error', sys.stderr, 'red', bold=True)}: {error.says}")
    if error.hint:
        lines.append(f"hint: {error.hint}")
    return "\n".join(lines)


def finding_text(finding: Finding, stream: TextIO, source: Callable[[str], str] = lambda _: "") -> str:
    """A problem in its lines; on a terminal with the line it is about, which `source` gives the file of."""
    colour = "red" if finding.is_error else "yellow"
    where = painted(f"{finding.path}:{finding.line}:{finding.column}:", stream, bold=True)
    lines = [f"{where} {painted(f'{finding.severity}[{finding.code}]', stream, colour, bold=True)}: {finding.message}"]
    if is_terminal(stream):
        lines += _marked(finding, source(finding.path), stream, colour)
    if finding.hint:
        lines.append(f"{painted('hint', stream, 'cyan')}: {finding.hint}")
    return "\n".join(lines)


def _marked(finding: Finding, text: str, stream: TextIO, colour: str) -> list[str]:
    """The line of the file and below it a sign at the column; nothing if the file has no such line."""
    lines = text.split("\n")
    if not text or finding.line > len(lines):
        return []
    line = lines[finding.line - 1].rstrip("\r").replace("\t", " ")
    start = max(0, finding.column - WIDEST_LINE // 2)
    number = f"{finding.line:5} "
    bar = painted("│", stream, dim=True)
    marker = painted("^" * min(extent(line, finding.column), WIDEST_LINE), stream, colour, bold=True)
    return [
        f"{painted(number, stream, dim=True)}{bar} {clean(line[start : start + WIDEST_LINE]).rstrip()}",
        f"{' ' * len(number)}{bar} {' ' * (finding.column - 1 - start)}{marker}",
    ]


def extent(line: str, column: int) -> int:
    """How many columns what stands at a column of a line of YAML takes; one where that is nothing."""
    found = _WORD.match(line, column - 1)
    return len(found[0]) if found else 1


def findings_summary(findings: Sequence[Finding]) -> str:
    """How many there are of what: `3 errors, 1 warning`."""
    errors = sum(finding.is_error for finding in findings)
    kinds = ((errors, "error"), (len(findings) - errors, "warning"))
    return ", ".join(counted(number, noun) for number, noun in kinds if number)


def put_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, nothing: str) -> None:
    """A table in columns; its states in colour on a terminal. `nothing` is said where there is no row."""
    cells = [[clean(cell).replace("\n", " ").replace("\t", " ") for cell in row] for row in rows]
    if not cells:
        say(nothing)
        return
    widths = [max(len(row[index]) for row in (headings, *cells)) for index in range(len(headings))]
    put(painted(_aligned(headings, widths), sys.stdout, bold=True))
    for row in cells:
        put(_aligned(row, widths, painted_states=has_colour(sys.stdout)))


def _aligned(row: Sequence[str], widths: Sequence[int], *, painted_states: bool = False) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
    cells[-1] = cells[-1].rstrip()
    if painted_states:
        cells = [
            click.style(cell, fg=STATE_COLOURS[word]) if (word := cell.split(" ")[0]) in STATE_COLOURS else cell
            for cell in cells
        ]
    return "  ".join(cells).rstrip()
