"""Which file is what, by its path: DESIGN section 2, and what to say about files that are nothing (R18). Pure."""

import re
from collections import Counter
from dataclasses import dataclass, field

from pointsman.load.located import REGULAR, located, not_a_file
from pointsman.load.misplaced import misplaced_hint, rename_hint
from pointsman.load.wording import printable, shown
from pointsman.model.names import CODE, CODE_WORDS, is_code
from pointsman.model.problem import Code, Place, Problem, Severity
from pointsman.model.source import Entry, Source

SUFFIX = ".yaml"
REPOSITORY_FILE = "pointsman.yaml"

_WORKFLOW = re.compile(f"projects/({CODE.pattern})/workflows/({CODE.pattern}){re.escape(SUFFIX)}")
_SILENT = frozenset({".gitkeep", ".gitignore", ".gitattributes"})
_FOLDERS_OF_A_PROJECT = frozenset({"templates", "environments", "assets", "workflows"})


@dataclass(slots=True)
class EnvironmentFiles:
    """The paths of an environment's files; `assets` by their codes."""

    file: str = ""
    assets: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ProjectFiles:
    """The paths of a project's files, by their codes."""

    file: str = ""
    assets: dict[str, str] = field(default_factory=dict)
    workflows: dict[str, str] = field(default_factory=dict)
    environments: dict[str, EnvironmentFiles] = field(default_factory=dict)


@dataclass(slots=True)
class Layout:
    """Everything that was found. `templates` maps a template's path to its `template.yaml`, empty if it has none."""

    repository: str = ""
    projects: dict[str, ProjectFiles] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    odd_in_templates: set[str] = field(default_factory=set)


def layout(source: Source) -> Layout:
    """The source's files by what they are."""
    sorter = _Sorter(source)
    for path, entry in sorted(source.entries.items()):
        workflow = _WORKFLOW.fullmatch(path)
        if workflow is None:
            sorter.add(path, entry)
        else:
            sorter.add_workflow(path, workflow[1], workflow[2])
    sorter.finish()
    return sorter.found


class _Sorter:
    """Sorts files into a layout, and remembers what it could not place until all codes are known."""

    def __init__(self, source: Source) -> None:
        self.found = Layout()
        self._source = source
        self._codes: dict[str, set[str]] = {}
        self._misnamed: dict[tuple[str, str], str] = {}
        self._unknown: dict[str, str] = {}
        self._unknown_counts: Counter[str] = Counter()

    def add(self, path: str, entry: Entry) -> None:
        """Put one file where it belongs."""
        match path.split("/"):
            case ["pointsman.yaml"]:
                self.found.repository = path
            case ["templates", code, inner, *rest]:
                self._template(path, entry, "templates", code, [inner, *rest])
            case ["projects", project, *rest] if rest:
                if self._named("projects", project, path):
                    files = self.found.projects.setdefault(project, ProjectFiles())
                    self._in_project(path, entry, files, rest)
            case parts:
                self._elsewhere(path, entry, parts[0])

    def add_workflow(self, path: str, project: str, code: str) -> None:
        """Put a workflow's file, whose codes are good, where it belongs: most files of a large repository are these."""
        self._codes.setdefault("projects", set()).add(project)
        self._codes.setdefault(f"projects/{project}/workflows", set()).add(code)
        self.found.projects.setdefault(project, ProjectFiles()).workflows[code] = path

    def _in_project(self, path: str, entry: Entry, files: ProjectFiles, rest: list[str]) -> None:
        above = path[: -len("/".join(rest)) - 1]
        match rest:
            case ["project.yaml"]:
                files.file = path
            case ["templates", code, inner, *more]:
                self._template(path, entry, f"{above}/templates", code, [inner, *more])
            case ["workflows", name]:
                self._file(path, entry, name, files.workflows)
            case ["assets", name]:
                self._file(path, entry, name, files.assets)
            case ["environments", code, inner, *more]:
                if self._named(f"{above}/environments", code, path):
                    environment = files.environments.setdefault(code, EnvironmentFiles())
                    self._in_environment(path, entry, environment, [inner, *more])
            case _:
                self._stray(path, entry, 3 if len(rest) > 1 and rest[0] in _FOLDERS_OF_A_PROJECT else 2)

    def _in_environment(self, path: str, entry: Entry, files: EnvironmentFiles, rest: list[str]) -> None:
        match rest:
            case ["environment.yaml"]:
                files.file = path
            case ["assets", name]:
                self._file(path, entry, name, files.assets)
            case _:
                self._stray(path, entry, 5 if len(rest) > 1 and rest[0] == "assets" else 4)

    def _template(self, path: str, entry: Entry, above: str, code: str, rest: list[str]) -> None:
        """Any file may lie in a template's folder, but no links."""
        if not self._named(above, code, path):
            return
        template = f"{above}/{code}"
        self.found.templates.setdefault(template, "")
        if rest == ["template.yaml"]:
            self.found.templates[template] = path
        elif entry.mode not in REGULAR:
            self.found.problems.append(not_a_file(Place(located(self._source, path)), entry.mode))
            self.found.odd_in_templates.add(template)
        elif len(rest) == 1 and _stem(rest[0]).lower() == "template" and _is_yaml(rest[0]):
            self._other_suffix(path)

    def _file(self, path: str, entry: Entry, name: str, files: dict[str, str]) -> None:
        """A definition that is named by its own file."""
        if not name.endswith(SUFFIX):
            self._stray(path, entry, path.count("/"))
        elif self._named(path.rsplit("/", 1)[0], name.removesuffix(SUFFIX), path):
            files[name.removesuffix(SUFFIX)] = path

    def _named(self, above: str, code: str, path: str) -> bool:
        if is_code(code):
            self._codes.setdefault(above, set()).add(code)
            return True
        self._misnamed.setdefault((above, code), path)
        return False

    def _elsewhere(self, path: str, entry: Entry, top: str) -> None:
        """Beside `projects/` and `templates/` anything may lie; only look-alikes are worth a word."""
        if top in {"projects", "templates"}:
            self._stray(path, entry, min(1, path.count("/")))
        elif top.lower() in {"projects", "templates"}:
            self._stray(path, entry, 0)
        elif path == top and _stem(top).lower() == "pointsman" and _is_yaml(top):
            self._other_suffix(path)

    def _stray(self, path: str, entry: Entry, depth: int) -> None:
        """A file below a part of its path, the one at `depth`, that means nothing."""
        if entry.mode not in REGULAR:
            self.found.problems.append(not_a_file(Place(located(self._source, path)), entry.mode))
            return
        parts = path.split("/")
        name = parts[-1]
        if name in _SILENT:
            return
        if depth == len(parts) - 1 and _is_yaml(name) and not name.endswith(SUFFIX):
            self._other_suffix(path)
            return
        stray = "/".join(parts[: depth + 1])
        self._unknown.setdefault(stray, path)
        self._unknown_counts[stray] += 1

    def _other_suffix(self, path: str) -> None:
        name = path.rsplit("/", 1)[-1]
        wanted = _stem(name).lower() + SUFFIX if _stem(name).lower() in _FIXED else _stem(name) + SUFFIX
        says = f"{printable(name)} is not read: the name of a definition ends in {SUFFIX}"
        if name.endswith(SUFFIX):
            says = f"{printable(name)} is not read: its name is {wanted}"
        self._warn(path, says, f"rename it to {printable(wanted)}")

    def finish(self) -> None:
        """Say what is left over, now that every code is known."""
        for (above, code), path in self._misnamed.items():
            self.found.problems.append(self._misnamed_problem(above, code, path))
        for stray, path in self._unknown.items():
            folder = stray != path
            name = printable(stray.rsplit("/", 1)[-1])
            count = self._unknown_counts[stray]
            says = f"{'the folder ' if folder else ''}{name} means nothing here"
            says += f"; there are {count} files in it" if count > 1 else ""
            self._warn(path, says, misplaced_hint(stray, folder=folder))

    def _misnamed_problem(self, above: str, code: str, path: str) -> Problem:
        place = Place(located(self._source, path))
        if code.lower() in self._codes.get(above, set()):
            says = f"{printable(code)} differs from {code.lower()} in {above} only in case, and is not read"
            hint = "rename one of the two"
            return Problem(place=place, code=Code.UNKNOWN_FILE, says=says, hint=hint, severity=Severity.WARNING)
        says = f"{shown(code)} in {printable(above)} is no code: a code is {CODE_WORDS}"
        return Problem(place=place, code=Code.BAD_NAME, says=says, hint=rename_hint(code))

    def _warn(self, path: str, says: str, hint: str) -> None:
        self.found.problems.append(
            Problem(
                place=Place(located(self._source, path)),
                code=Code.UNKNOWN_FILE,
                severity=Severity.WARNING,
                says=says,
                hint=hint,
            )
        )


_FIXED = frozenset({"pointsman", "project", "environment", "template"})


def _is_yaml(name: str) -> bool:
    return name.lower().endswith((".yaml", ".yml"))


def _stem(name: str) -> str:
    return name.rsplit(".", 1)[0]
