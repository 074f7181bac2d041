"""Everything that one commit defines: the inventory, and the workflows, each read when it is asked for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from pointsman.load.translate import WorkflowTranslation
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.inventory import Inventory
from pointsman.model.problem import Code, Problem, Severity, has_errors, sorted_problems

ReadWorkflow = Callable[[str], WorkflowTranslation]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Everything of one commit.

    `files` are the files of all workflows by the workflow's path, good or not, as problems name them; `read` reads one.
    `inventory_problems` are those of all other files, and `unusable` names these that had an error, or could not
    be used because of an error in a file above them: what they define is not in `inventory`, apart from targets whose
    properties only break their template's schema, and from projects, which are there without properties and with a
    policy under which nobody may run anything: a slip must open no door.

    `ground` names all that the inventory was made from, and `blobs` the content and mode of each workflow's file; both
    are empty where there are no objects to name. If `by_tags`, the inventory may be another once a tag has moved.
    """

    inventory: Inventory
    read: ReadWorkflow
    files: Mapping[str, str] = field(default_factory=dict)
    inventory_problems: tuple[Problem, ...] = ()
    unusable: frozenset[str] = frozenset()
    ground: str = ""
    blobs: Mapping[str, str] = field(default_factory=dict)
    by_tags: bool = False

    def at(self, commit: str) -> "Loaded":
        """The same at another commit of the same tree."""
        return replace(self, inventory=replace(self.inventory, commit=commit))

    def translation(self, path: str) -> WorkflowTranslation | None:
        """What a workflow's file says, or what is wrong with it; None if there is no such file."""
        return self.read(path) if path in self.files else None

    @cached_property
    def workflows(self) -> Mapping[str, WorkflowDefinition]:
        """The workflows by their paths, those with an error left out."""
        return _Workflows(self)

    @cached_property
    def rest(self) -> Mapping[str, WorkflowDefinition]:
        """What else could be read of workflows with an error, so that all that is wrong can be told at once (R15)."""
        rest = {path: found.definition or found.rest for path, found in self._all() if has_errors(found.problems)}
        return {path: definition for path, definition in rest.items() if definition is not None}

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of every file (R15)."""
        found = [problem for _, translation in self._all() for problem in translation.problems]
        return sorted_problems([*self.inventory_problems, *found])

    @cached_property
    def broken(self) -> frozenset[str]:
        """The files, as `Problem.place.path` names them, that had an error or could not be used because of one."""
        return self.unusable | with_errors(self.problems)

    def is_broken(self, path: str) -> bool:
        """Whether the file of a workflow had an error."""
        found = self.translation(path)
        return found is not None and has_errors(found.problems)

    def _all(self) -> Iterator[tuple[str, WorkflowTranslation]]:
        return ((path, self.read(path)) for path in self.files)


class _Workflows(Mapping[str, WorkflowDefinition]):
    """The good ones among the workflows; to look at one reads that one, to go through them reads all."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def __getitem__(self, path: str) -> WorkflowDefinition:
        found = self._loaded.translation(path)
        if found is None or found.definition is None or has_errors(found.problems):
            raise KeyError(path)
        return found.definition

    def __iter__(self) -> Iterator[str]:
        return (path for path in self._loaded.files if path in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def with_errors(problems: tuple[Problem, ...]) -> frozenset[str]:
    """The files that cannot be used because of their problems."""
    return frozenset(
        one.place.path for one in problems if one.severity is Severity.ERROR and one.code is not Code.BREAKS_SCHEMA
    )
