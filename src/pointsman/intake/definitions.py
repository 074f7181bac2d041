"""What a repository says at a commit, assembled once for each different tree.

A tree may name templates at tags, which come and go: what was assembled with them is kept only while they stay.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pointsman.load.assemble import Loaded, assemble, template_of
from pointsman.model.inventory import Template
from pointsman.model.problem import Invalid, NotFound
from pointsman.model.source import Entry, Mode, Source
from pointsman.repo.files import resolve_commit, root_tree_id, source_at
from pointsman.repo.opening import common_folder, open_repository
from pointsman.repo.tags import commit_of
from pointsman.repo.targets import TAGS, one_target

KEPT = 32
COMMIT_ID = re.compile(r"[0-9a-f]{7,40}")


class Definitions:
    """Assembled commits of one repository, the most recently used ones kept."""

    def __init__(self, repository: Path, root: str = "") -> None:
        self.repository = open_repository(repository)
        self.root = root
        self._kept: OrderedDict[str, _Assembled] = OrderedDict()
        self._templates: OrderedDict[tuple[str, str], Template | None] = OrderedDict()

    def at(self, commit: str) -> Loaded:
        """What stands at a commit, with every problem. `Invalid` if it cannot be read at all."""
        tree = root_tree_id(self.repository, commit, self.root)
        kept = self._kept.get(tree)
        if kept is None or any(self._commit(version) != at for version, at in kept.versions.items()):
            kept = self._kept[tree] = self._assembled(self.source(commit))
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(tree)
        return replace(kept.loaded, inventory=replace(kept.loaded.inventory, commit=commit))

    def _assembled(self, source: Source) -> "_Assembled":
        versions: dict[str, str] = {}

        def pinned(path: str, version: str) -> Template | None:
            versions[version] = self._commit(version)
            return self.template(path, version)

        return _Assembled(loaded=assemble(source, pinned=pinned), versions=versions)

    def source(self, commit: str) -> Source:
        """The files at a commit."""
        return source_at(self.repository, commit, self.root)

    def with_file(self, commit: str, path: str, data: bytes) -> Loaded:
        """What would stand at a commit if one file were different."""
        source = self.source(commit)
        entry = Entry(mode=Mode.FILE, size=len(data), data=data)
        entries: Mapping[str, Entry] = {**source.entries, path: entry}
        return assemble(replace(source, entries=entries), pinned=self.template)

    def template(self, path: str, version: str) -> Template | None:
        """A template as it is at a tag, a version or a commit now; None if there is none."""
        commit = self._commit(version)
        if not commit:
            return None
        if (path, commit) not in self._templates:
            self._templates[path, commit] = self._template(path, commit)
            while len(self._templates) > KEPT:
                self._templates.popitem(last=False)
        return self._templates[path, commit]

    def _template(self, path: str, commit: str) -> Template | None:
        try:
            return template_of(self.source(commit), path)[0]
        except Invalid:
            return None

    def _commit(self, version: str) -> str:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assembled:
    """What a tree defines, with the commits that the template versions in it stood for then."""

    loaded: Loaded
    versions: Mapping[str, str]
