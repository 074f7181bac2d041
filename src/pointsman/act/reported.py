"""What an action reports in the file that `POINTSMAN_OUTPUT` names. Standard library only."""

import json
import os
import re
from typing import Any

LARGEST_REPORT = 256 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class ReportError(Exception):
    """The report cannot be read; the sentence says why (R58, R105)."""


def reported(path: str) -> dict[str, Any] | None:
    """A JSON object, or an object made of `name=value` lines; None if the action reported nothing."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_REPORT + 1)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ReportError(f"the output cannot be read: {error.strerror}") from error
    if size > LARGEST_REPORT:
        raise ReportError(f"the output has {size} bytes; at most {LARGEST_REPORT} are kept")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReportError(f"the output is not UTF-8 at byte {error.start + 1}") from error
    if not text.strip():
        return None
    return _object(text) if text.lstrip().startswith("{") else _lines(text)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"the output begins like JSON and is none: {error}") from error
    if not isinstance(value, dict):
        raise ReportError("the output is JSON, and no object")
    return value


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _lines(text: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, equals, value = line.partition("=")
        if not equals or _NAME.fullmatch(name) is None:
            raise ReportError(f"line {number} of the output is no name=value")
        result[name] = value
    return result
