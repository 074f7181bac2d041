"""What a repository says at a commit, assembled once for each different tree."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pointsman.load.assemble import Loaded, assemble, template_of
from pointsman.model.inventory import Template
from pointsman.model.problem import Invalid, NotFound
from pointsman.model.source import Entry, Mode, Source
from pointsman.repo.files import resolve_commit, root_tree_id, source_at
from pointsman.repo.opening import open_repository

KEPT = 32


class Definitions:
    """Assembled commits of one repository, the most recently used ones kept."""

    def __init__(self, repository: Path, root: str = "") -> None:
        self.repository = open_repository(repository)
        self.root = root
        self._kept: OrderedDict[str, Loaded] = OrderedDict()
        self._templates: dict[tuple[str, str], Template | None] = {}

    def at(self, commit: str) -> Loaded:
        """What stands at a commit, with every problem. `Invalid` if it cannot be read at all."""
        tree = root_tree_id(self.repository, commit, self.root)
        if tree not in self._kept:
            self._kept[tree] = assemble(self.source(commit), pinned=self.template)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(tree)
        loaded = self._kept[tree]
        return replace(loaded, inventory=replace(loaded.inventory, commit=commit))

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
        """A template as it was at a tag, a version or a commit; None if there is none."""
        if (path, version) not in self._templates:
            self._templates[path, version] = self._template(path, version)
        return self._templates[path, version]

    def _template(self, path: str, version: str) -> Template | None:
        for name in (version, f"v{version}"):
            try:
                commit = resolve_commit(self.repository, name)
                return template_of(self.source(commit), path)[0]
            except (NotFound, Invalid):
                continue
        return None
