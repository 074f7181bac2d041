"""Who acts, and who else is known about them. Pure."""

from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from pointsman.model.names import SYSTEM as SYSTEM_NAME

Source: TypeAlias = Literal["local", "operator", "token", "system", "ldap", "machine"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or machine an event is attributed to.

    `name` is what the source of the identity returned, never what was typed (R82). `session` names the login session
    of a page (the hexadecimal digest of its id, which opens nothing); empty for everything that came without one.
    """

    name: str
    source: Source
    session: str = field(default="", compare=False)


SYSTEM = Actor(SYSTEM_NAME, "system")


class Directory(Protocol):
    """What knows the groups of people. Asked when a decision is made, not before (R76)."""

    def groups_of(self, name: str) -> frozenset[str]:
        """The groups this person is in now, nested ones too; `Unavailable` if that cannot be told now."""
        ...

    def members_known(self) -> bool:
        """Whether it can tell that a person or group exists nowhere (R17)."""
        ...


class NoDirectory:
    """The directory of a daemon that has none: nobody is in any group."""

    def groups_of(self, name: str) -> frozenset[str]:  # noqa: ARG002 - the protocol's name, given by keyword too
        """No groups."""
        return frozenset()

    def members_known(self) -> bool:
        """No: a group that is named may exist in a directory that is configured later."""
        return False
