"""What a YAML parser complains about, in our words. Pure."""

import re
from dataclasses import dataclass

from pointsman.load.nodes import Mark

# `{{` where a value begins: after any number of dashes and keys. Asked only of the line where the parser gave up.
# Nothing that was taken is given back: `a: a: a: …` would be tried in every way there is to cut it into keys.
_VALUE_IN_BRACES = re.compile(r"\s*+(?:- ++|[^\s'\"#{\[-](?:[^'\"#{:]|:(?! ))*+: ++)*+(?=\{\{)")

_INDENTATION = (
    "the indentation does not fit what stands above it",
    "indent the keys of one mapping alike, with spaces",
)
_ESCAPE = (
    "a backslash in double quotes begins no character here",
    "write two of them, or use single quotes, in which a backslash is one",
)
_KNOWN: dict[str, tuple[str, str]] = {
    "mapping values are not allowed in this context": (
        "there is a ':' where no key can stand",
        "put a value that contains ': ' in quotes, or look at the indentation",
    ),
    "did not find expected key": _INDENTATION,
    "did not find expected '-' indicator": _INDENTATION,
    "did not find expected ',' or ']'": ("a list in [ ] is not closed here", "close it with ']', or separate with ','"),
    "did not find expected ',' or '}'": (
        "a mapping in { } is not closed here",
        "close it with '}', or separate with ','",
    ),
    "found unexpected ':'": (
        "there is a ':' inside [ ] or { }",
        "put a space after it if a key stands before it, else the value in quotes",
    ),
    "did not find expected node content": ("a value is missing here", "write it, or close what is open"),
    "could not find expected ':'": ("a key without ':' after it", "write 'key: value'"),
    "found unexpected end of stream": ("a quote that was opened is never closed", "close the quote"),
    "did not find expected <document start>": (
        "something stands after the end of the document",
        "remove it, or the line '...' above it",
    ),
    "found unknown escape character": _ESCAPE,
    "did not find expected hexdecimal number": _ESCAPE,
    "found invalid Unicode character escape code": _ESCAPE,
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """Where a parser stopped (counted from 1), what is wrong there, and what to do about it."""

    line: int
    column: int
    says: str
    hint: str


def complaint(error: Exception, text: str) -> Complaint:
    """What a parser's exception says about the text."""
    mark: Mark | None = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    wrong = str(getattr(error, "problem", None) or type(error).__name__)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    last = text.count("\n") + 1
    if line > last:  # after a last line that nothing ends, libyaml thinks that it is on the next
        line, column = last, len(text) - text.rfind("\n")
    says, hint = _sentence(wrong, _character(text, line, column))
    opened: Mark | None = getattr(error, "context_mark", None)
    if opened is not None and opened.line + 1 < line and "closed" in says:
        says += f"; it was opened in line {opened.line + 1}"
    return Complaint(line, column, says, hint)


def _sentence(wrong: str, character: str) -> tuple[str, str]:
    if "tab character" in wrong or (character == "\t" and "cannot start any token" in wrong):
        return "a tab cannot indent YAML", "indent with spaces"
    if "cannot start any token" in wrong:
        return f"a value cannot begin with {character!r}", "put the value in quotes"
    if wrong == "did not find expected node content" and character and character in "]}":
        return f"there is no value before this {character!r}", f"write it, or remove the {character!r}"
    return _KNOWN.get(wrong, (f"this is not YAML: {wrong}", ""))


def _character(text: str, line: int, column: int) -> str:
    lines = text.split("\n", line)
    here = lines[line - 1] if line <= len(lines) else ""
    return here[column - 1 : column]


def unquoted_variable(text: str, line: int) -> int | None:
    """The column (counted from 1) at which a value of this line begins with `{{`; None if none does."""
    lines = text.split("\n", line)
    found = _VALUE_IN_BRACES.match(lines[line - 1]) if line <= len(lines) else None
    return found.end() + 1 if found else None
