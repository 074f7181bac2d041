"""How a value breaks a JSON Schema that somebody wrote, and where in the value. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One way in which a value breaks a schema. `name` is `way` with dots, fit for a sentence; empty for the whole.

    `rule` is the schema's keyword, empty where the schema cannot be applied; `hint` is what was most likely meant.
    """

    way: tuple[str | int, ...]
    name: str
    says: str
    hint: str = ""
    rule: str = ""

    @property
    def missing(self) -> bool:
        """Whether the property at `way` is not there at all."""
        return self.rule == "required"
