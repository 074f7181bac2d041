"""What is wrong with what somebody wrote, with the place where they wrote it. Pure.

Authors get every `Problem` of one pass; programs get one `PointsmanError`:

    PointsmanError
    ├── NotFound      what was named does not exist
    ├── Invalid       what was written cannot be used; carries the problems
    ├── Refused       the state forbids it (HTTP 409 and its kin; carries a status)
    ├── Forbidden     this actor may not
    └── Unavailable   try again later: the disk is full, the directory is silent
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error refuses; a warning only tells."""

    ERROR = "error"
    WARNING = "warning"


class Code(StrEnum):
    """Every kind of problem. The codes are stable; each has a paragraph in `docs/problems.md`."""

    SYNTAX = "PM001"
    TOO_LARGE = "PM002"
    DUPLICATE_KEY = "PM003"
    REFUSED_YAML = "PM004"
    UNQUOTED_VARIABLE = "PM005"

    UNKNOWN_KEY = "PM010"
    MISSING_KEY = "PM011"
    WRONG_VALUE = "PM012"
    UNKNOWN_TYPE = "PM013"
    TWO_TYPES = "PM014"
    BAD_NAME = "PM015"
    UNKNOWN_FILE = "PM016"
    NOT_A_FILE = "PM017"

    BAD_APPROVERS = "PM020"
    WAIT_IN_PARALLEL = "PM021"
    UNKNOWN_APPROVER = "PM022"
    LENGTHS_DIFFER = "PM023"
    FORBIDDEN_VARIABLE_NAME = "PM024"
    BREAKS_SCHEMA = "PM025"
    BAD_TIME = "PM026"
    BAD_SCHEMA = "PM027"

    UNKNOWN_TARGET = "PM030"
    UNKNOWN_ACTION = "PM031"
    UNKNOWN_TEMPLATE = "PM032"
    UNKNOWN_WORKFLOW = "PM033"
    UNKNOWN_VERSION = "PM034"
    DRAFT = "PM035"
    CYCLE = "PM036"
    LIMIT = "PM037"
    UNRESOLVED = "PM038"
    UNPRINTABLE = "PM039"
    BAD_PATH = "PM040"
    BREAKS_INPUTS = "PM041"
    BAD_VERSION = "PM042"
    UNPUBLISHED = "PM043"
    BREAKS_PUBLISHED = "PM044"

    BAD_REF = "PM050"
    BAD_SIGNATURE = "PM051"
    READER_LIMIT = "PM052"
    UNSUPPORTED = "PM060"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written. Lines and columns count from 1; the path is relative to the repository."""

    path: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One sentence about one place, and what to do about it (R7). `target` is what a change was aimed at, if any."""

    place: Place
    code: Code
    says: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    step: str = ""
    target: str = ""

    @property
    def message(self) -> str:
        """The sentence with the step it is about in front."""
        return f"step {self.step}: {self.says}" if self.step else self.says

    def __str__(self) -> str:
        where = f"{self.place.path}:{self.place.line}:{self.place.column}"
        head = f"{where}: {self.severity}[{self.code}]: {self.message}"
        return f"{head}\nhint: {self.hint}" if self.hint else head


def sorted_problems(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems in file and line order, each once (R15)."""
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda p: (p.place.path, p.place.line, p.place.column, p.code)))


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether anything among these refuses."""
    return any(problem.severity is Severity.ERROR for problem in problems)


class PointsmanError(Exception):
    """Something a person can be told in one sentence; `hint` says what to do."""

    def __init__(self, says: str, *, hint: str = "") -> None:
        super().__init__(says)
        self.says = says
        self.hint = hint


class NotFound(PointsmanError):
    """What was named does not exist, or its existence is not this caller's to know."""


class Invalid(PointsmanError):
    """What was written cannot be used; `problems` says why, all of it at once."""

    def __init__(self, says: str, problems: Iterable[Problem] = (), *, hint: str = "") -> None:
        super().__init__(says, hint=hint)
        self.problems = tuple(problems)


class Refused(PointsmanError):
    """The state of things forbids it. `status` is the HTTP status that says so: 409, 410 or 422."""

    def __init__(self, says: str, *, status: int = 409, hint: str = "") -> None:
        super().__init__(says, hint=hint)
        self.status = status


class Forbidden(PointsmanError):
    """The actor may not do it; the sentence says why."""


class Unavailable(PointsmanError):
    """It cannot be done or recorded now; nothing was changed."""
