"""What an actor may do in a project, and how they may approve. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pointsman.access.people import Actor
from pointsman.model.definition import Approvers
from pointsman.model.inventory import Policy
from pointsman.model.names import same_name

Verb: TypeAlias = Literal["view", "run", "publish"]
Groups: TypeAlias = Callable[[], frozenset[str]]

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """By which listing an actor may approve: by name, and by which of the listed groups; neither means they may not."""

    named: bool = False
    groups: tuple[str, ...] = ()

    @property
    def listed(self) -> bool:
        """Whether the actor may approve at all."""
        return self.named or bool(self.groups)


def may(actor: Actor, verb: Verb, policy: Policy, groups: Groups) -> str:
    """Empty if the actor may do this in the project, else the reason as a sentence.

    A verb that the policy does not name is everybody's who may view, and who is listed under `run` may view.
    `groups` is called only where the name alone does not decide, and what it raises is passed on (R76).
    """
    if actor.source == "operator":
        return ""
    grants = _grants(verb, policy)
    if grants is None or any(_has_name(grant.user_names, actor.name) for grant in grants):
        return ""
    listed = [group for grant in grants for group in grant.ldap_groups]
    if listed and _shared(listed, groups()):
        return ""
    return f"{actor.name} may not {verb} in this project: its policy gives that to {_words(grants)}"


def standing(actor: Actor, approvers: Approvers, groups: Groups, *, each_group: bool = False) -> Standing:
    """How this actor may approve; nothing is asked about self-approval here (R71).

    Who is listed by name is not looked up in groups, unless the gate wants one from `each_group`: then membership
    counts for them too. `groups` may raise `Unavailable`, which is passed on (R76).
    """
    named = _has_name(approvers.user_names, actor.name)
    if not approvers.ldap_groups or (named and not each_group):
        return Standing(named)
    return Standing(named, _shared(approvers.ldap_groups, groups()))


def _grants(verb: Verb, policy: Policy) -> list[Approvers] | None:
    """The lists any of which gives this verb; None if it is everybody's."""
    own = {"view": policy.view, "run": policy.run, "publish": policy.publish}[verb]
    if own is not None and verb != "view":
        return [own]
    if policy.view is None:
        return None
    return [policy.view] if policy.run is None else [policy.view, policy.run]


def _has_name(names: Sequence[str], name: str) -> bool:
    return any(same_name(one, name) for one in names)


def _shared(listed: Sequence[str], groups: frozenset[str]) -> tuple[str, ...]:
    """The listed groups that are among `groups`, in the spelling and order of the list, each once."""
    shared: list[str] = []
    for group in listed:
        if _has_name(tuple(groups), group) and not _has_name(shared, group):
            shared.append(group)
    return tuple(shared)


def _words(grants: Sequence[Approvers]) -> str:
    """Who is listed, as the end of a sentence."""
    names = [name for grant in grants for name in grant.user_names]
    names += [f"members of {group}" for grant in grants for group in grant.ldap_groups]
    unique = list(dict.fromkeys(names))
    shown = unique[:_SHOWN] + ([f"{len(unique) - _SHOWN} more"] if len(unique) > _SHOWN else [])
    if not shown:
        return "nobody"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
