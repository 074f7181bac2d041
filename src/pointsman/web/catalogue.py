"""Workflows, versions and drafts as the pages list them, their source, and the form that starts a run. Pure.

The values here hold what a page shows and no more; whoever knows the refs fills them in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pointsman.model.names import workflow_codes
from pointsman.model.problem import Problem, Severity
from pointsman.model.values import Json, JsonObject, canonical, reached
from pointsman.web.ansi import harmless
from pointsman.web.heads import SHORT_COMMIT
from pointsman.web.railway import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView:
    """A problem: `place` is `path:line:column`, `line` 0 if it is in another file than the one shown."""

    place: str
    code: str
    severity: str
    message: str
    hint: str
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """A version: `state` is valid, invalid or conflict (its tag moved or vanished; `note` says so)."""

    version: str
    tag: str
    commit: str
    state: str
    note: str = ""
    published: Moment | None = None
    is_latest: bool = False

    @property
    def short(self) -> str:
        """The beginning of the commit."""
        return self.commit[:SHORT_COMMIT]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """The workflow on a branch; `problems` counts its errors."""

    branch: str
    commit: str
    state: str
    problems: int = 0

    @property
    def short(self) -> str:
        """The beginning of the commit."""
        return self.commit[:SHORT_COMMIT]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowLine:
    """One workflow in the list of all. `latest` is None without a valid version; `bad` are versions to look at."""

    path: str
    name: str
    description: str = ""
    latest: VersionLine | None = None
    bad: tuple[VersionLine, ...] = ()
    drafts: tuple[DraftLine, ...] = ()
    may_run: bool = True

    @property
    def project(self) -> str:
        """The project's code."""
        return workflow_codes(self.path)[0]

    @property
    def code(self) -> str:
        """The workflow's code."""
        return workflow_codes(self.path)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowView:
    """One workflow with all its versions, highest first, and drafts.

    `alarms` are sentences about its tags, `starts` about what starts its runs by itself.
    """

    path: str
    name: str
    description: str = ""
    versions: tuple[VersionLine, ...] = ()
    drafts: tuple[DraftLine, ...] = ()
    alarms: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    may_run: bool = True

    @property
    def project(self) -> str:
        """The project's code."""
        return workflow_codes(self.path)[0]

    @property
    def code(self) -> str:
        """The workflow's code."""
        return workflow_codes(self.path)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """A line of a file, and the problems that begin in it."""

    number: int
    text: str
    problems: tuple[ProblemView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefView:
    """A workflow at one ref: its problems, and its source. `label` names the ref; `version` is empty for a draft."""

    label: str
    ref: str
    state: str
    commit: str
    file: str = ""
    version: str = ""
    note: str = ""
    problems: tuple[ProblemView, ...] = ()
    source: tuple[SourceLine, ...] = ()

    @property
    def short(self) -> str:
        """The beginning of the commit."""
        return self.commit[:SHORT_COMMIT]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """One variable's field. With `options` it is a choice among them; left empty, the run takes the `default`."""

    name: str
    value: str = ""
    default: str = ""
    title: str = ""
    hint: str = ""
    required: bool = False
    options: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunForm:
    """The form that starts a run; `digest` is that of the plan shown beside it, empty without one."""

    path: str
    name: str
    versions: tuple[str, ...]
    version: str
    fields: tuple[FieldView, ...] = ()
    overrides: str = ""
    metadata: str = ""
    digest: str = ""
    inventory: str = ""

    @property
    def project(self) -> str:
        """The project's code."""
        return workflow_codes(self.path)[0]

    @property
    def code(self) -> str:
        """The workflow's code."""
        return workflow_codes(self.path)[1]


def problem_views(problems: Iterable[Problem], *, file: str = "") -> tuple[ProblemView, ...]:
    """Problems as a page lists them; those in `file` know their line in the source beside them."""
    return tuple(
        ProblemView(
            place=f"{problem.place.path}:{problem.place.line}:{problem.place.column}",
            code=problem.code.value,
            severity=problem.severity.value,
            message=problem.message,
            hint=problem.hint,
            line=problem.place.line if problem.place.path == file else 0,
        )
        for problem in problems
    )


def source_lines(text: str, problems: Iterable[ProblemView] = ()) -> tuple[SourceLine, ...]:
    """A file's lines; what could deceive the eye is shown by its number."""
    by_line: dict[int, list[ProblemView]] = {}
    for problem in problems:
        by_line.setdefault(problem.line, []).append(problem)
    lines = text.removesuffix("\n").split("\n")
    return tuple(
        SourceLine(number=number, text=harmless(line.removesuffix("\r")), problems=tuple(by_line.get(number, ())))
        for number, line in enumerate(lines, start=1)
    )


def errors_in(problems: Iterable[Problem]) -> int:
    """How many of these refuse."""
    return sum(problem.severity is Severity.ERROR for problem in problems)


def field_views(
    variables: Sequence[str], inputs: JsonObject | None, *, typed: Mapping[str, str], defaults: JsonObject
) -> tuple[FieldView, ...]:
    """A field for each variable found and each property of `inputs`, with what was typed, and its default beside it."""
    schemas = _object((inputs or {}).get("properties"))
    required = (inputs or {}).get("required")
    names = list(dict.fromkeys([*schemas, *variables]))
    needed = {*variables, *(required if isinstance(required, list) else [])}
    return tuple(_field(name, _object(schemas.get(name)), name in needed, typed, defaults) for name in names)


def _field(name: str, schema: JsonObject, needed: bool, typed: Mapping[str, str], defaults: JsonObject) -> FieldView:  # noqa: FBT001
    found, default = reached(defaults, name)
    default = default if found else schema.get("default")
    options = schema.get("enum", [True, False] if schema.get("type") == "boolean" else [])
    return FieldView(
        name=name,
        value=typed.get(name, ""),
        default="" if default is None else _shown(default),
        title=str(schema.get("title", "")),
        hint=str(schema.get("description", "")),
        required=needed and default is None,
        options=tuple(_shown(option) for option in options) if isinstance(options, list) else (),
    )


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else canonical(value)
