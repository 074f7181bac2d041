"""One workflow whose steps are being expanded: what its variables are worth, and where its problems are told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pointsman.model.definition import StepDefinition, WorkflowDefinition
from pointsman.model.names import workflow_codes
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Problem
from pointsman.model.values import Json, JsonObject, merged
from pointsman.plan.findings import Findings, Unresolved
from pointsman.plan.library import Library
from pointsman.plan.variables import Trouble, resolved, resolved_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A workflow being expanded. `above` is the chain of calls that ends with it, `at` the key above its steps."""

    definition: WorkflowDefinition
    scope: JsonObject
    above: tuple[PinnedWorkflow, ...]
    library: Library
    found: Findings
    at: str = ""

    @classmethod
    def root(
        cls,
        definition: WorkflowDefinition,
        pinned: PinnedWorkflow,
        overrides: JsonObject,
        library: Library,
        found: Findings,
    ) -> "Frame":
        """The frame of the workflow that is planned."""
        scope = _scope(definition, overrides, library)
        return cls(definition=definition, scope=scope, above=(pinned,), library=library, found=found)

    def inner(
        self, definition: WorkflowDefinition, pinned: PinnedWorkflow, overrides: JsonObject, *, at: str
    ) -> "Frame":
        """The frame of a workflow that a step calls: it sees that step's overrides, and nothing of this one (R31)."""
        return Frame(
            definition=definition,
            scope=_scope(definition, overrides, self.library),
            above=(*self.above, pinned),
            library=self.library,
            found=self.found,
            at=at,
        )

    @property
    def called(self) -> bool:
        """Whether a step called it; otherwise it is the workflow itself."""
        return len(self.above) > 1

    def text(self, text: str, step: StepDefinition, key: str) -> str | None:
        """A text with its variables replaced; None if one has no value."""
        if "{{" not in text and "}}" not in text:
            return text
        trouble = Trouble()
        value = resolved_text(text, self.scope, trouble)
        return None if self._troubled(trouble, step, key) else value

    def object(self, value: JsonObject, step: StepDefinition, key: str) -> JsonObject | None:
        """An object with its variables replaced; None if one has no value."""
        if not value:
            return value
        trouble = Trouble()
        result: Json = resolved(value, self.scope, trouble)
        return None if self._troubled(trouble, step, key) or not isinstance(result, dict) else result

    def report(self, problems: Sequence[Problem]) -> None:
        """Tell problems, unless they are a called workflow's own and only this one is judged."""
        if self._reports:
            self.found.problems.extend(problems)

    @property
    def _reports(self) -> bool:
        return not self.found.lenient or not self.called

    def _troubled(self, trouble: Trouble, step: StepDefinition, key: str) -> bool:
        if not trouble:
            return False
        place = step.at(key)
        if self._reports:
            number = f"{self.at}{step.number}"
            self.found.unresolved.extend(Unresolved(name, number, place, self.called) for name in trouble.unresolved)
        self.report(
            [
                Problem(place=place, code=Code.UNPRINTABLE, says=sentence, step=step.number)
                for sentence in trouble.sentences
            ]
        )
        return True


def _scope(definition: WorkflowDefinition, overrides: JsonObject, library: Library) -> JsonObject:
    """Overrides, then the workflow's properties, then the project's (R31)."""
    project = library.inventory.projects.get(workflow_codes(definition.path)[0])
    return merged(merged(project.properties if project else {}, definition.properties), overrides)
