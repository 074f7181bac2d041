"""One workflow whose steps are being expanded: what its variables are worth, and where its problems are told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pointsman.model.definition import StepDefinition, WorkflowDefinition
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Problem
from pointsman.model.values import Json, JsonObject
from pointsman.plan.findings import Findings, Unresolved
from pointsman.plan.variables import Trouble, resolved, resolved_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A workflow being expanded. `above` is the chain of calls that ends with it, `at` the key above its steps."""

    definition: WorkflowDefinition
    scope: JsonObject
    above: tuple[PinnedWorkflow, ...]
    found: Findings
    at: str = ""

    @classmethod
    def root(
        cls,
        definition: WorkflowDefinition,
        pinned: PinnedWorkflow,
        scope: JsonObject,
        found: Findings,
    ) -> "Frame":
        """The frame of the workflow that is planned."""
        return cls(definition=definition, scope=scope, above=(pinned,), found=found)

    def inner(self, definition: WorkflowDefinition, pinned: PinnedWorkflow, scope: JsonObject, *, at: str) -> "Frame":
        """The frame of a workflow that a step calls; its `scope` holds nothing of this one's (R31)."""
        return Frame(definition=definition, scope=scope, above=(*self.above, pinned), found=self.found, at=at)

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

    def known(self, value: JsonObject) -> JsonObject:
        """The keys of an object whose variables all have values."""
        found: JsonObject = {}
        for key, item in value.items():
            trouble = Trouble()
            item = resolved(item, self.scope, trouble)  # noqa: PLW2901 - the same item, with its variables replaced
            if not trouble:
                found[key] = item
        return found

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
