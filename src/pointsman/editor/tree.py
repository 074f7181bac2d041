"""A working tree as an editor has it: the files on disk, with the texts that are open in it laid over them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pointsman.editor.known import Known, Versions, known
from pointsman.intake.reading import Reading
from pointsman.intake.released import TagPublished
from pointsman.load.assemble import groundwork, loaded, read_workflow
from pointsman.load.layout import SUFFIX, layout
from pointsman.load.loaded import Loaded
from pointsman.load.translate import WorkflowTranslation
from pointsman.load.working_tree import working_tree
from pointsman.model.names import workflow_path
from pointsman.model.problem import Problem
from pointsman.model.source import Entry, Mode, Source
from pointsman.repo.versions import ordered

MOST_VERSIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a tree has to complete with, and what is wrong with its inventory and with the workflows that are open."""

    known: Known
    problems: tuple[Problem, ...] = ()


class Tree:
    """The tree below `folder`, which holds `projects/`; `prefix` is what messages put before its paths.

    A workflow's file is parsed again only when its content has changed.
    """

    def __init__(self, reading: Reading, folder: Path, *, prefix: str = "") -> None:
        self.folder = folder
        self.prefix = prefix
        self._reading = reading
        self._parsed: dict[str, tuple[bytes | None, WorkflowTranslation]] = {}

    def source(self, opened: Mapping[str, bytes] | None = None) -> Source:
        """The files, those in `opened` (by their paths below the folder) with these contents."""
        found = working_tree(self.folder)
        entries = dict(found.entries)
        for path, data in (opened or {}).items():
            mode = entries[path].mode if path in entries else Mode.FILE
            entries[path] = Entry(mode=mode, size=len(data), data=data if path.endswith(SUFFIX) else None)
        return replace(found, entries=entries, prefix=self.prefix)

    def loaded(self, source: Source) -> Loaded:
        """What the files define."""
        found = layout(source)
        ground = groundwork(source, found, pinned=self._reading.definitions.template)

        def read(path: str) -> WorkflowTranslation:
            data = source.entries[f"{path[1:]}{SUFFIX}"].data
            kept = self._parsed.get(path)
            if kept is None or kept[0] != data:
                kept = self._parsed[path] = (data, read_workflow(source, path))
            return kept[1]

        return loaded(source, found, ground, read=read)

    def seen(self, opened: Mapping[str, bytes] | None = None) -> Seen:
        """What can be completed, and what `validate` would say of the inventory and of the workflows in `opened`."""
        source = self.source(opened)
        stands = self.loaded(source)
        side = self._reading.side(stands)
        problems = [*stands.inventory_problems]
        for path in (f"/{file.removesuffix(SUFFIX)}" for file in opened or ()):
            judged = self._reading.judging.verdict(side, only=path)
            problems += [problem for found in judged.workflows.values() for problem in found.problems]
        names = known(stands, source, versions=tagged_versions(self._reading, stands))
        return Seen(known=names, problems=tuple(dict.fromkeys(problems)))


def tagged_versions(reading: Reading, loaded: Loaded) -> Versions:
    """The versions that tags name for each workflow, newest first; whether they are valid was not asked."""
    published = reading.published
    if not isinstance(published, TagPublished):
        return {}
    shared: set[str] = set()
    own: dict[str, set[str]] = {}
    for tag, _ in published.releases:
        named = own.setdefault(workflow_path(tag.project, tag.workflow), set()) if tag.workflow else shared
        named.add(tag.display)
    everywhere = _newest(shared)
    paths = sorted({*published.paths(), *loaded.workflows})
    return {path: _newest({*own.get(path, ()), *everywhere}) for path in paths}


def _newest(versions: Iterable[str]) -> tuple[str, ...]:
    """The versions that are worth offering."""
    return tuple(reversed(ordered(versions)))[:MOST_VERSIONS]
