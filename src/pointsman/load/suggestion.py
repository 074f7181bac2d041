"""The name that was meant, as long as looking for it costs little. Pure."""

from collections.abc import Collection
from functools import lru_cache

from pointsman.model.names import nearest

LONGEST_NAME = 100
MOST_COMPARISONS = 20_000


@lru_cache(maxsize=4096)
def nearest_key(name: str, known: frozenset[str]) -> str:
    """The key that was meant, empty if none is near; the same mistake is often made in every step of a file."""
    return nearest(name, known) if len(name) <= LONGEST_NAME else ""


class Suggestions:
    """Suggestions among many names: each costs a comparison with all of them, and a file can ask thousands of times."""

    def __init__(self) -> None:
        self._left = MOST_COMPARISONS

    def nearest(self, name: str, known: Collection[str]) -> str:
        """The name that was meant; empty if none is near, or too much was asked already."""
        if len(known) > self._left or len(name) > LONGEST_NAME:
            return ""
        self._left -= len(known)
        return nearest(name, known)
