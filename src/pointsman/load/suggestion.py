"""The name that was meant, as long as looking for it costs little. Pure."""

from collections.abc import Collection
from functools import lru_cache

from pointsman.model.names import nearest

LONGEST_NAME = 100
MOST_COMPARISONS = 20_000

# What other tools call it: no letter of it may be near, or those of another key nearer.
_ELSEWHERE_CALLED = {
    "approval": "requires_approval_from",
    "approvers": "requires_approval_from",
    "call": "target",
    "groups": "ldap_groups",
    "if": "when",
    "overrides": "property_overrides",
    "parallel": "run_as",
    "params": "property_overrides",
    "schema": "properties_schema",
    "script": "run",
    "tasks": "steps",
    "users": "user_names",
    "uses": "target",
    "vars": "properties",
    "workflow": "target",
}


@lru_cache(maxsize=4096)
def nearest_key(name: str, known: frozenset[str]) -> str:
    """The key that was meant, empty if none is near; the same mistake is often made in every step of a file.

    Every key is lower case, and so is what is compared with them: `STEPS` has no letter in common with `steps`.
    """
    if len(name) > LONGEST_NAME:
        return ""
    word = name.strip().lower()
    meant = _ELSEWHERE_CALLED.get(word, "")
    return meant if meant in known else nearest(word, known)


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
