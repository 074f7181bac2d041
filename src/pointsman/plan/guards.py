"""Which approvals stand before a step: those that must have been given before it can start. Pure."""

from collections.abc import Sequence

from pointsman.model.definition import Kind, RunAs, When
from pointsman.model.plan import ROOT, PlannedStep

Guards = tuple[int, ...]


def guards(steps: Sequence[PlannedStep]) -> tuple[Guards, ...]:
    """For each step the places of the approvals before it: earlier siblings of it, or of a step above it, in sequence.

    What runs whatever happened before it (`when`, R53) has no approval before it, and neither has what is below.
    """
    found: list[Guards] = [()] * len(steps)
    for place, step in enumerate(steps):
        passed = found[place]
        for child in step.children:
            at = steps[child]
            found[child] = passed if at.when is When.ON_SUCCESS else ()
            if at.kind is Kind.APPROVAL and step.run_as is RunAs.SEQUENTIAL and at.when is When.ON_SUCCESS:
                passed = (*passed, child)
    return tuple(found)


def guarded(steps: Sequence[PlannedStep]) -> dict[int, list[int]]:
    """For each approval the places of the changes that it stands before, in order."""
    found: dict[int, list[int]] = {place: [] for place in range(ROOT, len(steps)) if steps[place].kind is Kind.APPROVAL}
    for place, before in enumerate(guards(steps)):
        if steps[place].kind is Kind.CHANGE:
            for gate in before:
                found[gate].append(place)
    return found
