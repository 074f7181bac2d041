"""What was found wrong while a plan was made: problems, and variables that had no value. Pure."""

from dataclasses import dataclass

from pointsman.model.problem import Code, Place, Problem


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A variable without a value, and where it stands. `key` is its step's; `called` if that is a called workflow's."""

    name: str
    key: str
    place: Place
    called: bool


class Findings:
    """Collects what is found; while validating, a variable without a value is no problem (R24)."""

    def __init__(self, *, lenient: bool) -> None:
        self.lenient = lenient
        self.problems: list[Problem] = []
        self.unresolved: list[Unresolved] = []

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that had no value, in the order in which they were met."""
        return tuple(dict.fromkeys(one.name for one in self.unresolved))

    def all(self) -> list[Problem]:
        """All problems, the variables without a value as one of them (R32)."""
        if not self.unresolved or self.lenient:
            return self.problems
        return [*self.problems, self._without_value()]

    def _without_value(self) -> Problem:
        steps: dict[str, dict[str, None]] = {}
        for one in self.unresolved:
            steps.setdefault(one.name, {})[one.key] = None
        parts = [f"{name} (step {', '.join(where)})" for name, where in steps.items()]
        word = "variables have" if len(steps) > 1 else "variable has"
        first = self.unresolved[0]
        by_run, by_step = f"with the run (--set {first.name}=…)", "in property_overrides of the step that calls it"
        return Problem(
            place=first.place,
            code=Code.UNRESOLVED,
            says=f"{len(steps)} {word} no value: {'; '.join(parts)}",
            hint=f"give one {by_step if first.called else by_run} or under properties in the workflow",
        )
