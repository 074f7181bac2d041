"""What an action reports in the file that `POINTSMAN_OUTPUT` names. Standard library only."""

import errno
import json
import os
import re
import stat
from typing import Any

LARGEST_REPORT = 256 * 1024
DEEPEST_REPORT = 32
REPLACED = "the output is no regular file any more"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class ReportError(Exception):
    """The report cannot be read; the sentence says why (R58, R105)."""


def reported(path: str) -> dict[str, Any] | None:
    """A JSON object, or an object made of `name=value` lines; None if the action reported nothing."""
    try:
        data, size = _content(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        says = REPLACED if error.errno == errno.ELOOP else f"the output cannot be read: {error.strerror}"
        raise ReportError(says) from error
    if size > LARGEST_REPORT:
        raise ReportError(f"the output has {size} bytes; at most {LARGEST_REPORT} are kept")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReportError(f"the output is not UTF-8 at byte {error.start + 1}") from error
    if not text.strip():
        return None
    return _object(text) if text.lstrip().startswith("{") else _lines(text)


def _content(path: str) -> tuple[bytes, int]:
    """The first bytes of the file, and how many it has. What the action put there instead is not followed."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ReportError(REPLACED)
        with open(handle, "rb", closefd=False) as file:
            return file.read(LARGEST_REPORT + 1), status.st_size
    finally:
        os.close(handle)


def _object(text: str) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(text, parse_constant=_refused, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ReportError("the output has half of a surrogate pair in it, which is no character") from None
    except (ValueError, RecursionError) as error:
        raise ReportError(f"the output begins like JSON and is none: {error}") from error
    if _is_deeper(value, DEEPEST_REPORT):
        raise ReportError(f"the output is nested deeper than {DEEPEST_REPORT} levels")
    return value


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _finite(number: str) -> float:
    value = float(number)
    if value in {float("inf"), float("-inf")}:
        raise ValueError(f"{number} is too large")
    return value


def _is_deeper(value: Any, levels: int) -> bool:  # noqa: ANN401 - JSON
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return items is not None and (levels == 0 or any(_is_deeper(item, levels - 1) for item in items))


def _lines(text: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        name, equals, value = line.removesuffix("\r").partition("=")
        if not equals or _NAME.fullmatch(name) is None:
            raise ReportError(f"line {number} of the output is no name=value")
        result[name] = value
    return result
