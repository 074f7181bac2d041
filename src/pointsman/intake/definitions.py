"""What a repository says at a commit, assembled once for each different tree.

A tree may name templates at tags, which come and go: what was assembled with them is kept only while they stay.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pointsman.load.assemble import Groundwork, Loaded, assemble, groundwork, loaded, read_workflow, template_of
from pointsman.load.layout import Layout, layout
from pointsman.load.translate import WorkflowTranslation
from pointsman.model.inventory import Template
from pointsman.model.problem import Invalid, NotFound
from pointsman.model.source import Entry, Mode, Source
from pointsman.model.values import digest
from pointsman.repo.files import resolve_commit, root_tree_id
from pointsman.repo.opening import common_folder, open_repository
from pointsman.repo.sources import Sources
from pointsman.repo.tags import commit_of
from pointsman.repo.targets import TAGS, one_target

KEPT = 32
WORKFLOWS_KEPT = 512
COMMIT_ID = re.compile(r"[0-9a-f]{7,40}")


class Definitions:
    """Assembled commits of one repository, the most recently used ones kept, and what they have in common read once."""

    def __init__(self, repository: Path, root: str = "") -> None:
        self.repository = open_repository(repository)
        self.root = root
        self._sources = Sources(self.repository)
        self._kept: OrderedDict[str, _Assembled] = OrderedDict()
        self._grounds: OrderedDict[str, _Ground] = OrderedDict()
        self._workflows: OrderedDict[tuple[str, str, str], WorkflowTranslation] = OrderedDict()
        self._templates: OrderedDict[tuple[str, str], Template | None] = OrderedDict()

    def at(self, commit: str) -> Loaded:
        """What stands at a commit, with every problem. `Invalid` if it cannot be read at all."""
        tree = root_tree_id(self.repository, commit, self.root)
        kept = self._kept.get(tree)
        if kept is None or not self._stands(kept.ground):
            kept = self._kept[tree] = self._assembled(self.source(commit))
            _trim(self._kept, KEPT)
        self._kept.move_to_end(tree)
        return kept.loaded.at(commit)

    def _assembled(self, source: Source) -> "_Assembled":
        found = layout(source)
        workflows = {file for files in found.projects.values() for file in files.workflows.values()}
        ground = self._ground(source, found, workflows)

        def read(path: str) -> WorkflowTranslation:
            return self._workflow(source, path)

        made = loaded(source, found, ground.made, read=read)
        blobs = {path: _content(source, path) for path in made.files}
        made = replace(made, ground=ground.name, blobs=blobs, by_tags=bool(ground.versions))
        return _Assembled(loaded=made, ground=ground)

    def _ground(self, source: Source, found: Layout, workflows: Collection[str]) -> "_Ground":
        """What all other files come to, made once for as long as they stay as they are."""
        entries = [(path, entry) for path, entry in source.entries.items() if path not in workflows]
        lines = [f"{entry.oid} {entry.mode} {path}" for path, entry in entries]
        lines += [f"{tree} {path}" for path, tree in sorted(source.trees.items())]
        lines += sorted(found.projects)  # a project is there as soon as it has a workflow
        name = hashlib.sha256("\0".join([source.prefix, *lines]).encode("utf-8", "surrogatepass")).hexdigest()
        known = self._grounds.get(name)
        if known is None or not self._stands(known):
            versions: dict[str, str] = {}

            def pinned(path: str, version: str) -> Template | None:
                versions[version] = self.version_commit(version)
                return self.template(path, version)

            made = groundwork(source, found, pinned=pinned)
            name_of_all = digest([name, *(f"{version}={at}" for version, at in sorted(versions.items()))])
            known = self._grounds[name] = _Ground(name=name_of_all, made=made, versions=versions)
            _trim(self._grounds, KEPT)
        self._grounds.move_to_end(name)
        return known

    def _stands(self, ground: "_Ground") -> bool:
        """Whether the template versions that were looked up still stand for the same commits."""
        return all(self.version_commit(version) == at for version, at in ground.versions.items())

    def _workflow(self, source: Source, path: str) -> WorkflowTranslation:
        key = (_content(source, path), source.prefix, path)
        known = self._workflows.get(key)
        if known is None:
            known = self._workflows[key] = read_workflow(source, path)
            _trim(self._workflows, WORKFLOWS_KEPT)
        return known

    def source(self, commit: str) -> Source:
        """The files at a commit."""
        return self._sources.at(commit, self.root)

    def with_file(self, commit: str, path: str, data: bytes) -> Loaded:
        """What would stand at a commit if one file were different."""
        source = self.source(commit)
        entry = Entry(mode=Mode.FILE, size=len(data), data=data)
        entries: Mapping[str, Entry] = {**source.entries, path: entry}
        return assemble(replace(source, entries=entries), pinned=self.template)

    def template(self, path: str, version: str) -> Template | None:
        """A template as it is at a tag, a version or a commit now; None if there is none."""
        commit = self.version_commit(version)
        if not commit:
            return None
        if (path, commit) not in self._templates:
            self._templates[path, commit] = self._template(path, commit)
            _trim(self._templates, KEPT)
        return self._templates[path, commit]

    def _template(self, path: str, commit: str) -> Template | None:
        try:
            return template_of(self.source(commit), path)[0]
        except Invalid:
            return None

    def version_commit(self, version: str) -> str:
        """The commit of a template's version: a tag, with or without `v`, or a commit id; empty if there is none.

        Never a branch: it moves, and whoever may push one could choose what other people's assets do.
        """
        folder = common_folder(self.repository)
        try:
            for name in (f"{TAGS}{version}", f"{TAGS}v{version}"):
                tag = one_target(folder, name)
                if tag is not None:
                    return commit_of(self.repository.odb, tag)
            commit = resolve_commit(self.repository, version) if COMMIT_ID.fullmatch(version) else ""
        except (NotFound, Invalid):
            return ""
        return commit if commit.startswith(version) else ""


def _content(source: Source, path: str) -> str:
    """What tells one content of a workflow's file from another: a link may have the bytes of a file."""
    entry = source.entries[f"{path[1:]}.yaml"]
    return f"{entry.oid} {entry.mode}"


def _trim(kept: "OrderedDict[Any, Any]", most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """A groundwork, with the commits that the template versions in it stood for then; `name` stands for both."""

    name: str
    made: Groundwork
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assembled:
    """What a tree defines."""

    loaded: Loaded
    ground: _Ground
