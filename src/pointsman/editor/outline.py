"""What a YAML text says as far as its indentation tells, and where a cursor is in it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Step: TypeAlias = str | int
Way: TypeAlias = tuple[Step, ...]
Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | None"

# Stands where the cursor is; no text has it, and it is a letter to every rule.
MARK = "\ue000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a cursor is. `way` leads to the value, or to the mapping that the key stands in (`is_key`).

    `word` is what stands there, from `start` to `end` in its line, `before` what of it is before the cursor. Lines and
    columns are counted from 0, in characters.
    """

    way: Way
    is_key: bool
    word: str
    before: str
    line: int
    start: int
    end: int


@dataclass(slots=True)
class Outline:
    """The values of a text, all of them texts; where each key stands (line and column from 0); the cursor's spot."""

    tree: Tree = None
    places: dict[Way, tuple[int, int]] = field(default_factory=dict)
    spot: Spot | None = None

    def at(self, way: Sequence[Step]) -> Tree:
        """What stands at the end of a way; None if nothing does."""
        here = self.tree
        for step in way:
            if isinstance(here, dict) and isinstance(step, str):
                here = here.get(step)
            elif isinstance(here, list) and isinstance(step, int) and step < len(here):
                here = here[step]
            else:
                return None
        return here

    def mapping(self, way: Sequence[Step]) -> dict[str, Tree]:
        """The mapping at the end of a way; an empty one if there is none."""
        here = self.at(way)
        return here if isinstance(here, dict) else {}
