"""Whether the approvals given so far are enough. Pure."""

from collections.abc import Mapping, Sequence

from pointsman.model.names import same_name
from pointsman.model.plan import Gate
from pointsman.model.run import Decision


def is_met(gate: Gate, decisions: Sequence[Decision]) -> bool:
    """Whether distinct people reach `min_approvals` and, if asked, can be matched one to each group (R71)."""
    approvals = _approvals(decisions)
    if len(approvals) < gate.min_approvals:
        return False
    if not gate.one_from_each_group or gate.approvers is None:
        return True
    return _matched(gate.approvers.ldap_groups, {actor: given.groups for actor, given in approvals.items()})


def needed(gate: Gate, decisions: Sequence[Decision]) -> int:
    """How many more approvals it takes at least."""
    people = _approvals(decisions)
    groups = len(gate.approvers.ldap_groups) if gate.one_from_each_group and gate.approvers else 0
    return max(0, max(gate.min_approvals, groups) - len(people)) or int(not is_met(gate, decisions))


def _approvals(decisions: Sequence[Decision]) -> Mapping[str, Decision]:
    """The approvals, one for each person (R71, R76)."""
    return {given.actor.strip().casefold(): given for given in decisions if given.decision == "approve"}


def _matched(groups: Sequence[str], people: Mapping[str, Sequence[str]]) -> bool:
    """Whether every group can have a person of its own: augmenting paths, as in bipartite matching."""
    taken: dict[str, int] = {}

    def place(group: int, seen: set[str]) -> bool:
        for person, memberships in people.items():
            if person in seen or not any(same_name(groups[group], name) for name in memberships):
                continue
            seen.add(person)
            if person not in taken or place(taken[person], seen):
                taken[person] = group
                return True
        return False

    return all(place(group, set()) for group in range(len(groups)))
