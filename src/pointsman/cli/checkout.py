"""The repository, or loose folder, that a command stands in, and what its working tree, refs and tags say."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from pointsman.cli.folders import TemplateFolders
from pointsman.cli.loose import LooseReading
from pointsman.intake.differences import Side
from pointsman.intake.reading import PlanQuestion, Reading
from pointsman.intake.released import Release, TagPublished
from pointsman.intake.verdict import Verdict
from pointsman.load.assemble import Loaded, assemble
from pointsman.load.working_tree import working_tree
from pointsman.model.names import nearest, workflow_codes, workflow_path
from pointsman.model.problem import Invalid, NotFound, Refused
from pointsman.model.source import Source
from pointsman.model.values import JsonObject
from pointsman.plan.planner import Planned
from pointsman.repo.opening import discover
from pointsman.repo.versions import parse_tag, same_version

WORKING_TREE = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict, with the files it is about."""

    verdict: Verdict
    loaded: Loaded
    source: Source

    def text(self, path: str) -> str:
        """The text of a file by the path that problems give it; empty if there is none."""
        entry = self.source.entries.get(path.removeprefix(self.source.prefix))
        return "" if entry is None or entry.data is None else entry.data.decode("utf-8", "replace")

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of Pointsman's."""
        return not self.source.entries

    @property
    def file_count(self) -> int:
        """How many files were read."""
        return sum(entry.data is not None for entry in self.source.entries.values())


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which plan is asked for: a published version (None: the latest), or a draft at `ref`; `.` is the working tree."""

    workflow: str
    version: str | None = None
    ref: str | None = None
    inventory_branch: str = "main"
    properties: JsonObject = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


class Checkout:
    """What is at hand. `is_repository`: there are refs; `folder` is where `projects/` is, None in a bare repository."""

    def __init__(self, folder: Path, root: str | None, *, inventory_branch: str | None = None) -> None:
        self.is_repository = True
        try:
            git = discover(folder)
        except NotFound:
            self._loose(folder, root)
            return
        self.reading = Reading(git, root or "")
        self.repository = self.reading.definitions.repository
        top = None if self.repository.is_bare else Path(self.repository.workdir)
        if root is None and top is not None:
            self.reading.definitions.root = _found_root(folder.resolve(), top.resolve())
        self.root = self.reading.definitions.root.strip("/")
        self.folder = None if top is None else top / self.root
        branch = inventory_branch or os.environ.get("POINTSMAN_INVENTORY_BRANCH", "main")
        self.tags = TagPublished(self.reading, inventory=self._head(branch))
        self.reading.published = self.tags

    def _loose(self, folder: Path, root: str | None) -> None:
        self.is_repository = False
        self.root = root or ""
        self.folder = folder / self.root
        if not (self.folder / "projects").is_dir():
            raise NotFound(
                f"{folder.absolute()} is not inside a Git repository, and holds no projects/",
                hint="go to a folder of your repository, or make one with: pointsman init",
            )
        self.reading = LooseReading()

    # What is thought of it

    def judged_tree(self) -> Judged:
        """The verdict on the working tree."""
        loaded = self.working
        found = self.reading.judging.verdict(self.reading.side(loaded))
        return Judged(verdict=found, loaded=loaded, source=self._source)

    def judged_ref(self, ref: str) -> Judged:
        """The verdict on a ref; a release tag is judged with the versions that it gives."""
        if not self.is_repository:
            raise NotFound(f"there is no ref {ref}: this is no Git repository")
        commit = self.reading.resolve(ref)
        release = self._release(ref)
        found = self.tags.verdict(release) if release else self.reading.judge(commit)
        try:
            loaded, source = self.reading.definitions.at(commit), self.reading.definitions.source(commit)
        except Invalid:  # it cannot be read at all, which the verdict says
            loaded, source = assemble(Source(entries={})), Source(entries={})
        return Judged(verdict=found, loaded=loaded, source=source)

    def side(self, ref: str) -> Side:
        """What stands at a ref, or in the working tree, to be compared with another state."""
        if ref == WORKING_TREE:
            return self.reading.side(self.working)
        if not self.is_repository:
            raise NotFound(f"there is no ref {ref}: this is no Git repository")
        loaded = self.reading.definitions.at(self.reading.resolve(ref))
        return self.reading.side(loaded, self._publishes(ref))

    def _publishes(self, ref: str) -> Mapping[str, str]:
        """The versions that a ref gives, if it is a release tag."""
        release = self._release(ref)
        if release is None:
            return {}
        tag = release[0]
        return {workflow_path(tag.project, tag.workflow) if tag.workflow else "*": tag.display}

    def _release(self, ref: str) -> Release | None:
        """The release tag that a ref is."""
        tag = parse_tag(ref.removeprefix("refs/tags/"))
        found = self.reading.refs().tags.get(tag.tag) if tag else None
        return (tag, found) if tag and found else None

    @cached_property
    def templates(self) -> TemplateFolders:
        """The template folders of the working tree; none in a bare repository."""
        return TemplateFolders(self.folder or Path())

    @cached_property
    def _source(self) -> Source:
        found = working_tree(self.tree_folder)
        trees = {path: self.templates.tree(path) for path in found.trees}
        return replace(found, trees=trees, prefix=f"{self.root}/" if self.root and self.is_repository else "")

    @cached_property
    def working(self) -> Loaded:
        """What the working tree defines."""
        return assemble(self._source, pinned=self.reading.definitions.template)

    @property
    def tree_folder(self) -> Path:
        """The folder of the working tree that holds `projects/`; `NotFound` if there is none."""
        if self.folder is None:
            raise NotFound("a bare repository has no working tree", hint="name a ref, such as main")
        if not self.folder.is_dir():
            raise NotFound(f"there is no folder {self.folder}", hint="give the folder that holds projects/ with --root")
        return self.folder

    # Names

    def workflow(self, name: str, *, ref: str | None = None) -> str:
        """The path that a path, `project/workflow` or unique code means here; `NotFound` or `Refused` otherwise."""
        known = set(self._workflows_at(ref))
        fits = fitting(name, known)
        if not fits and ref is None and self.is_repository:
            # nothing is there any more that older tags have published
            known |= {path for release in self.tags.releases for path in self.tags.verdict(release).workflows}
            fits = fitting(name, known)
        if len(fits) > 1:
            raise Refused(f"{name} could be {', '.join(sorted(fits))}", hint="write project/workflow")
        if fits:
            return fits[0]
        if ref != WORKING_TREE and self.folder is not None and fitting(name, self.judged_tree().verdict.workflows):
            where = f"at {ref}" if ref else "committed"
            raise NotFound(
                f"{name} is not {where}, only in the working tree", hint="commit it, or look at it as it is: --ref ."
            )
        near = nearest(name, [*known, *(workflow_codes(path)[1] for path in known)])
        raise NotFound(f"there is no workflow {name}", hint=f"did you mean {near}?" if near else "")

    def _workflows_at(self, ref: str | None) -> Iterable[str]:
        """Every workflow at a ref, or published or committed; broken ones too, so that it can be said why."""
        if ref == WORKING_TREE or not self.is_repository:
            return self.judged_tree().verdict.workflows
        if ref is not None:
            return self.judged_ref(ref).verdict.workflows
        try:
            committed: Iterable[str] = self.judged_ref("HEAD").verdict.workflows
        except NotFound:  # nothing is committed yet
            committed = ()
        return {*self.tags.paths(), *committed}

    # Plans

    def planned(self, wanted: Wanted) -> Planned:
        """The plan that is asked for, or every reason why there is none."""
        if not self.is_repository and wanted.ref != WORKING_TREE:
            raise NotFound(
                "this is no Git repository, so nothing is published in it", hint="plan the files as they are: --ref ."
            )
        path = self.workflow(wanted.workflow, ref=wanted.ref)
        question = PlanQuestion(
            workflow=path, inventory="", version=wanted.version, properties=wanted.properties, texts=wanted.texts
        )
        if wanted.ref == WORKING_TREE:
            return self.reading.plan_loaded(question, self.working)
        if wanted.ref is not None:
            return self.reading.plan(replace(question, draft=self.reading.resolve(wanted.ref)))
        if self.tags.find(path, wanted.version) is None:
            raise self._unpublished(path, wanted.version)
        return self.reading.plan(replace(question, inventory=self._inventory(wanted.inventory_branch)))

    def _inventory(self, branch: str) -> str:
        """The head of the inventory branch; `NotFound` if there is none."""
        head = self._head(branch)
        if not head:
            raise NotFound(
                f"there is no branch {branch} to take the targets from",
                hint="name the branch that holds them with --inventory-branch",
            )
        return head

    def _head(self, branch: str) -> str:
        """The head of a branch, in a clone that has it only from its origin that one; empty if there is none."""
        refs = self.reading.refs()
        if branch in refs.branches:
            return refs.branches[branch]
        try:
            return self.reading.resolve(f"refs/remotes/origin/{branch}")
        except (NotFound, Invalid):
            return ""

    def _unpublished(self, path: str, version: str | None) -> Invalid | NotFound:
        releases = self.tags.candidates(path)
        shown = "/".join(workflow_codes(path))
        if not releases:
            return Invalid(
                f"{shown} has no published version",
                hint=f"plan a draft with --ref BRANCH (--ref . is the working tree), or: pointsman publish {shown}",
            )
        if version is None:
            return Invalid(
                f"{shown} has no valid version, or only pre-releases", hint=f"see: pointsman versions {shown}"
            )
        for release in releases:
            if same_version(release[0].version, version):
                problems = self.tags.verdict(release).problems
                return Invalid(f"version {version} of {shown} is invalid: tag {release[0].tag}", problems)
        return NotFound(f"{shown} has no version {version}", hint=f"see: pointsman versions {shown}")


def fitting(name: str, paths: Iterable[str]) -> list[str]:
    """The paths that a path, `project/workflow` or code may mean; one that is meant exactly stands alone."""
    paths = list(paths)
    if name in paths:
        return [name]
    return [path for path in paths if "/".join(workflow_codes(path)) == name or workflow_codes(path)[1] == name]


def _found_root(folder: Path, top: Path) -> str:
    """The nearest folder above, inside the repository, that holds `projects/`; the top if none does."""
    inside = [folder, *folder.parents]
    for place in inside[: inside.index(top) + 1] if top in inside else []:
        if (place / "projects").is_dir():
            return "" if place == top else place.relative_to(top).as_posix()
    return ""
