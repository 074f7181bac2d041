"""Worlds for the planner, in the product's own YAML: texts by path → a source, a shelf, a plan, a repository.

The project `p` has the environments dev, staging and prod with an asset `web` each, whose template `server` has the
actions check, backup, configure, start and default (configure, then start). Files that are given are laid over these;
workflows are given by their codes, `deploy` being the one that is planned.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.git import Repository
from pointsman.load.assemble import Loaded, assemble
from pointsman.model.definition import Kind, RunAs, When, WorkflowDefinition
from pointsman.model.inventory import Retry, Template
from pointsman.model.names import workflow_path
from pointsman.model.plan import Content, Gate, PinnedWorkflow, Plan, PlannedStep
from pointsman.model.problem import Severity
from pointsman.model.source import Entry, Mode, Source
from pointsman.model.values import canonical
from pointsman.plan.library import Shelf
from pointsman.plan.planner import Planned, Request, plan

WEB = "/projects/p/environments/{}/assets/web"
DEV, STAGING, PROD = (WEB.format(name) for name in ("dev", "staging", "prod"))
TEMPLATE = """\
name: Server
properties: {port: 80, disk: {threshold: 80}}
actions:
  check: {command: [./act.sh, check, "{{ disk.threshold }}"]}
  backup: {command: [./act.sh, backup, "{{ hostname }}"], idempotent: true}
  configure:
    run: ./act.sh "$HOSTNAME"
    env: {HOSTNAME: "{{ hostname }}"}
    timeout: 10m
    retry: {max: 2, delay: 30s}
  start: {command: [./act.sh, start]}
  default: {steps: [configure, start]}
"""
INVENTORY = {
    "projects/p/project.yaml": "name: Project\n",
    "templates/server/template.yaml": TEMPLATE,
    "templates/server/act.sh": "#!/bin/sh\n",
    **{
        f"projects/p/environments/{name}/assets/web.yaml": f"template: server\nproperties: {{hostname: {name}-web}}\n"
        for name in ("dev", "staging", "prod")
    },
}


def source(files: Mapping[str, str], *, commit: str = "") -> Source:
    """The files as a commit would hold them: what lies in a template beside its YAML can be executed."""
    entries: dict[str, Entry] = {}
    folders: dict[str, dict[str, str]] = {}
    for path, text in sorted(files.items()):
        data = text.encode()
        folder = _template_folder(path)
        yaml = path.endswith((".yaml", ".yml"))
        mode = Mode.EXECUTABLE if folder and not yaml else Mode.FILE
        entries[path] = Entry(mode=mode, size=len(data), data=data if yaml else None)
        if folder:
            folders.setdefault(folder, {})[path] = text
    trees = {folder: hashlib.sha1(canonical({**inside}).encode()).hexdigest() for folder, inside in folders.items()}
    return Source(entries=entries, trees=trees, commit=commit)


def _template_folder(path: str) -> str:
    match path.split("/"):
        case ["templates", code, *_]:
            return f"templates/{code}"
        case ["projects", project, "templates", code, *_]:
            return f"projects/{project}/templates/{code}"
        case _:
            return ""


def loaded(files: Mapping[str, str], **workflows: str) -> Loaded:
    """What the inventory with these files over it defines."""
    written = {f"projects/p/workflows/{code}.yaml": text for code, text in workflows.items()}
    return assemble(source({**INVENTORY, **files, **written}))


@dataclass(frozen=True, kw_only=True)
class World:
    """What plans are made in. `published` are texts by `code@version`, in ascending order of the versions."""

    files: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, str] = field(default_factory=dict)
    drafts: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[tuple[str, str], Template] = field(default_factory=dict)

    def shelf(self) -> Shelf:
        """All of it as a library; what does not load fails the test."""
        found = self._good(loaded(self.files, **self.drafts))
        releases: dict[str, tuple[PinnedWorkflow, ...]] = {}
        definitions: dict[PinnedWorkflow, WorkflowDefinition] = {}
        for name, text in self.published.items():
            code, version = name.split("@")
            path = workflow_path("p", code)
            pinned = PinnedWorkflow(path=path, version=version, commit=f"commit of {name}", tag=f"p/{code}/v{version}")
            definitions[pinned] = self._good(loaded(self.files, **{code: text})).workflows[path]
            releases[path] = (*releases.get(path, ()), pinned)
        return Shelf(
            inventory=found.inventory,
            releases=releases,
            definitions=definitions,
            drafts=found.workflows,
            templates=self.templates,
        )

    def _good(self, found: Loaded) -> Loaded:
        errors = [str(problem) for problem in found.problems if problem.severity is Severity.ERROR]
        assert not errors, "\n".join(errors)
        return found

    def request(self, text: str, *, lenient: bool = False, published_as: str = "", **properties: Any) -> Request:
        """The wish to plan this text as the workflow `deploy`."""
        path = workflow_path("p", "deploy")
        definition = self._good(loaded(self.files, deploy=text)).workflows[path]
        pinned = PinnedWorkflow(path=path, version=published_as, commit="")
        return Request(pinned=pinned, definition=definition, properties=properties, lenient=lenient)

    def planned(self, text: str, *, lenient: bool = False, published_as: str = "", **properties: Any) -> Planned:
        """What comes of planning this text as `deploy`, run with these properties."""
        return plan(self.request(text, lenient=lenient, published_as=published_as, **properties), self.shelf())

    def plan(self, text: str, **properties: Any) -> Plan:
        """The plan of this text as `deploy`; a problem fails the test."""
        found = self.planned(text, **properties)
        assert found.plan is not None, told(found)
        return found.plan

    def outline(self, text: str) -> Plan:
        """The tree of this text as `deploy`, with what has no value yet as it is written."""
        found = self.planned(text, lenient=True)
        assert found.outline is not None
        return found.outline

    def refusal(self, text: str, **properties: Any) -> str:
        """The only problem that keeps this text from being planned, as it prints."""
        found = self.planned(text, **properties)
        assert found.plan is None
        assert len(found.problems) == 1, told(found)
        return str(found.problems[0])


def told(found: Planned) -> str:
    """The problems as they print."""
    return "\n".join(map(str, found.problems))


def content_of(found: Plan, key: str) -> Content:
    """What the change of this key does."""
    return found.contents[found.steps[found.index[key]].content]


def outline(found: Plan) -> list[str]:
    """Key, kind and name of every step in the plan's order."""
    return [f"{step.key} {step.kind} {step.name}" for step in found.steps]


# Lines for golden files


def plan_lines(found: Plan) -> list[str]:
    """A plan in lines: what it is pinned to, then each step with all about it that is not as usual."""
    pinned = [f"{one.path}@{one.version or 'draft'}" for one in found.pinned]
    lines = [f"pinned {', '.join(pinned)}"]
    for place, step in enumerate(found.steps):
        indent = "  " * _level(found, place)
        lines.append(indent + " ".join(_step_words(step)))
        if step.content:
            lines += [f"{indent}    {line}" for line in _content_lines(found.contents[step.content])]
    return lines


def _level(found: Plan, place: int) -> int:
    return 0 if place == 0 else 1 + _level(found, found.steps[place].parent)


def _step_words(step: PlannedStep) -> Iterator[str]:
    yield f"{step.key} {step.kind} {step.name!r}"
    if step.kind in {Kind.STAGE, Kind.WORKFLOW}:
        yield "in parallel" if step.run_as is RunAs.PARALLEL else "in order"
    if step.target:
        yield f"{step.action} on {step.target}"
    given = {
        "id": step.id,
        "version": step.version,
        "max_parallel": step.max_parallel,
        "fail_fast": step.fail_fast,
        "continue_on_error": step.continue_on_error,
        "when": "" if step.when is When.ON_SUCCESS else step.when,
        "start_time": step.start_time,
        "retry": "" if step.retry == Retry() else f"{step.retry.max}x{step.retry.delay_seconds}s",
    }
    yield from (f"[{name} {value}]" for name, value in given.items() if value)
    if step.gate is not None:
        yield from _gate_words(step.gate)


def _gate_words(gate: Gate) -> Iterator[str]:
    usual = Gate()
    if gate.approvers is not None:
        yield f"by {', '.join((*gate.approvers.user_names, *(f'@{group}' for group in gate.approvers.ldap_groups)))}"
    for name in Gate.__slots__:
        if name != "approvers" and getattr(gate, name) != getattr(usual, name):
            yield f"[{name} {getattr(gate, name)}]"


def _content_lines(content: Content) -> Iterator[str]:
    yield f"properties {canonical(content.properties)}"
    for phase in content.phases:
        words = canonical([*phase.command]) if phase.command else repr(phase.script)
        env = f" with {canonical({**phase.env})}" if phase.env else ""
        limit = f" within {phase.timeout_seconds} s" if phase.timeout_seconds else ""
        yield f"{phase.name}: {words}{env}{limit}"
    if content.worker:
        yield f"worker {content.worker}"


# The same in Git


def files_of(**workflows: str) -> dict[str, str | bytes | None]:
    """The files of workflows by their codes."""
    return {f"projects/p/workflows/{code}.yaml": text for code, text in workflows.items()}


def repository(folder: Path, files: Mapping[str, str] | None = None, **workflows: str) -> Repository:
    """A bare repository whose `main` holds the inventory, these files over it, and these workflows."""
    made = Repository.create(folder, bare=True)
    made.commit({**INVENTORY, **(files or {}), **files_of(**workflows)}, executable={"templates/server/act.sh"})
    return made
