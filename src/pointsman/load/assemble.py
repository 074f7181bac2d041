"""The files of one commit → everything they define, and every problem in them in one pass (R15)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pointsman.load.layout import Layout, ProjectFiles, layout
from pointsman.load.loaded import Loaded, ReadWorkflow, with_errors
from pointsman.load.located import file_trouble, located
from pointsman.load.marked_yaml import parsed
from pointsman.load.nodes import Node
from pointsman.load.suggestion import Suggestions
from pointsman.load.targets import (
    CLOSED,
    Level,
    Repository,
    Written,
    implied,
    plain_properties,
    repository,
    schema_breaches,
    target,
    with_template_layers,
)
from pointsman.load.templates import read_template, template_of
from pointsman.load.translate import WorkflowTranslation, workflow
from pointsman.load.wording import listed, printable, shown
from pointsman.model.inventory import Inventory, Project, Target, TargetKind, Template
from pointsman.model.names import workflow_path
from pointsman.model.problem import Code, Problem, has_errors, sorted_problems
from pointsman.model.source import Source

__all__ = ["Groundwork", "Loaded", "Pinned", "assemble", "groundwork", "loaded", "read_workflow", "template_of"]

Pinned = Callable[[str, str], Template | None]
NO_FILE = Repository(level=Level(), from_tag=False, signed_tags=False)


def _nothing_pinned(_template: str, _version: str) -> Template | None:
    """No other commit to take a template from."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Groundwork:
    """What all files but those of workflows come to, without the problems of their names; as in `Loaded`."""

    targets: Mapping[str, Target]
    projects: Mapping[str, Project]
    settings: Repository | None
    problems: tuple[Problem, ...]
    unusable: frozenset[str]


def assemble(source: Source, *, pinned: Pinned = _nothing_pinned) -> Loaded:
    """What a commit defines. `pinned(template_path, version)` is a template at another tag or commit, None if none."""
    found = layout(source)
    read: dict[str, WorkflowTranslation] = {}

    def kept(path: str) -> WorkflowTranslation:
        if path not in read:
            read[path] = read_workflow(source, path)
        return read[path]

    return loaded(source, found, groundwork(source, found, pinned=pinned), read=kept)


def groundwork(source: Source, found: Layout, *, pinned: Pinned) -> Groundwork:
    """What the inventory is made of, from the files that define it."""
    assembly = _Assembly(source, found, pinned)
    settings = assembly.read()
    return Groundwork(
        targets=assembly.targets,
        projects=assembly.projects,
        settings=settings,
        problems=tuple(assembly.problems),
        unusable=frozenset(assembly.unusable),
    )


def loaded(source: Source, found: Layout, ground: Groundwork, *, read: ReadWorkflow) -> Loaded:
    """What a commit defines; the files of workflows are not opened before somebody asks, and then with `read`."""
    problems = sorted_problems((*found.problems, *ground.problems))
    settings = ground.settings
    return Loaded(
        inventory=Inventory(
            commit=source.commit,
            targets=ground.targets,
            projects=ground.projects,
            from_tag=settings is not None and settings.from_tag,
            signed_tags=None if settings is None else settings.signed_tags,
        ),
        read=read,
        files={
            workflow_path(code, name): located(source, file)
            for code, files in found.projects.items()
            for name, file in files.workflows.items()
        },
        inventory_problems=problems,
        unusable=with_errors(problems) | ground.unusable,
    )


def read_workflow(source: Source, path: str) -> WorkflowTranslation:
    """What one workflow's file says, with everything that is wrong with it."""
    file = f"{path[1:]}.yaml"
    place = located(source, file)
    trouble = file_trouble(source, file)
    if trouble is not None:
        return WorkflowTranslation(definition=None, problems=(trouble,))
    node, problems = parsed(source.entries[file].data or b"", place)
    if node is None:
        return WorkflowTranslation(definition=None, problems=problems)
    found = workflow(node, path, file=place)
    return replace(found, problems=sorted_problems((*problems, *found.problems))) if problems else found


class _Assembly:
    """Reads file by file, from the repository down, all but the workflows; below a broken file, nothing is offered."""

    def __init__(self, source: Source, found: Layout, pinned: Pinned) -> None:
        self.problems: list[Problem] = []
        self.targets: dict[str, Target] = {}
        self.projects: dict[str, Project] = {}
        self.unusable: set[str] = set()
        self._source = source
        self._found = found
        self._pinned = pinned
        self._templates: dict[str, Template | None] = {}
        self._suggestions = Suggestions()

    def read(self) -> Repository | None:
        """Read everything; the settings of the repository, None if their file has an error."""
        for path, file in self._found.templates.items():
            if file:
                self._template(path)
        settings = self._repository() if self._found.repository else NO_FILE
        level = settings.level if settings else Level()
        for code, files in self._found.projects.items():
            self._project(code, files, level, usable=settings is not None)
        return settings

    def _repository(self) -> Repository | None:
        """What `pointsman.yaml` says; None if it has an error."""
        count = len(self.problems)
        node = self._node(self._found.repository)
        if node is None:
            return None
        settings, problems = repository(node, located(self._source, self._found.repository))
        self.problems += problems
        return None if has_errors(self.problems[count:]) else settings

    def _node(self, path: str) -> Node | None:
        """The document in a file; None if it cannot be read."""
        trouble = file_trouble(self._source, path)
        if trouble is not None:
            self.problems.append(trouble)
            return None
        node, problems = parsed(self._source.entries[path].data or b"", located(self._source, path))
        self.problems += problems
        return node

    def _template(self, path: str) -> None:
        template, problems = read_template(self._source, path)
        self.problems += problems
        broken = path in self._found.odd_in_templates or has_errors(problems)
        self._templates[path] = None if broken else template
        if broken:
            self.unusable.add(located(self._source, self._found.templates[path]))

    def _project(self, code: str, files: ProjectFiles, above: Level, *, usable: bool) -> None:
        path = f"/projects/{code}"
        written = self._target(path, TargetKind.PROJECT, files.file, above, usable=usable)
        usable = usable and written is not None
        level = written.level if written else above
        if written and usable:
            self.projects[code] = Project(
                code=code,
                name=written.target.name,
                description=written.target.description,
                properties=plain_properties(level.layers),
                policy=written.policy,
            )
        else:
            self.projects[code] = Project(code=code, policy=CLOSED)
        self._assets(path, files.assets, level, usable=usable)
        for name, inside in files.environments.items():
            place = f"{path}/environments/{name}"
            environment = self._target(place, TargetKind.ENVIRONMENT, inside.file, level, usable=usable)
            below = environment.level if environment else level
            self._assets(place, inside.assets, below, usable=usable and environment is not None)

    def _assets(self, path: str, files: Mapping[str, str], above: Level, *, usable: bool) -> None:
        for code, file in files.items():
            self._target(f"{path}/assets/{code}", TargetKind.ASSET, file, above, usable=usable)

    def _target(self, path: str, kind: TargetKind, file: str, above: Level, *, usable: bool) -> Written | None:
        """What a target's file says, and the target in the inventory if nothing it depends on is broken."""
        if file:
            count = len(self.problems)
            node = self._node(file)
            written = None
            if node is not None:
                written, problems = target(node, path, kind=kind, file=located(self._source, file), above=above)
                self.problems += problems
            if has_errors(self.problems[count:]):
                written = None
        else:
            written = implied(path, kind, above)
        ready = self._with_template(written) if written else None
        if ready is not None and usable:
            self.targets[path] = ready
        elif file:
            self.unusable.add(located(self._source, file))
        return written

    def _with_template(self, written: Written) -> Target | None:
        """The target with its template; None if that is broken or missing."""
        if not written.template:
            return written.target
        template = self._chosen(written)
        if template is None:
            return None
        made = with_template_layers(replace(written.target, template=template))
        found = tuple(schema_breaches(made, written.properties_place))
        if found:
            # The line that broke the schema may stand in a file above; what cannot be used is this target.
            self.unusable.add(made.file)
        self.problems += found
        return made

    def _chosen(self, written: Written) -> Template | None:
        """The template that a target names: its project's own before a shared one."""
        project = written.target.path.split("/")[2]
        paths = (f"projects/{project}/templates/{written.template}", f"templates/{written.template}")
        if written.template_version:
            at_version = (self._pinned(path, written.template_version) for path in paths)
            template = next((one for one in at_version if one is not None), None)
            if template is None:
                self._no_version(written)
            return template
        for path in paths:
            if path in self._templates:
                return self._templates[path]
        self._no_template(written, paths)
        return None

    def _no_version(self, written: Written) -> None:
        says = f"there is no template {shown(written.template)} at {shown(written.template_version)}"
        hint = "template_version is a tag or a commit at which the template is valid"
        self.problems.append(Problem(place=written.version_place, code=Code.UNKNOWN_TEMPLATE, says=says, hint=hint))

    def _no_template(self, written: Written, paths: tuple[str, str]) -> None:
        folder = next((path for path in paths if path in self._found.templates), "")
        own = paths[0].rsplit("/", 1)[0]
        known = [path.rsplit("/", 1)[1] for path in self._templates if path.rsplit("/", 1)[0] in {own, "templates"}]
        near = self._suggestions.nearest(written.template, known)
        if folder:
            says, hint = f"the template {written.template} has no template.yaml", f"add {folder}/template.yaml"
        else:
            says = f"there is no template {shown(written.template)}"
            hint = f"did you mean {near}?" if near else f"add templates/{printable(written.template)}/template.yaml"
            if not near and 0 < len(known) <= 12:
                hint = f"the templates are {listed(sorted(known))}"
        self.problems.append(Problem(place=written.template_place, code=Code.UNKNOWN_TEMPLATE, says=says, hint=hint))
