"""Local accounts as they are kept. Pure, but for the making of a password's hash.

Times are seconds since 1970 in UTC, given by the caller: nothing here reads a clock.
"""

import re
from dataclasses import dataclass, field
from typing import Protocol

from pointsman.access.passwords import hashed
from pointsman.model.names import SYSTEM, same_name
from pointsman.model.problem import Invalid

USER_NAME_WORDS = "1 to 64 letters, digits, '.', '_', '@' and '-', beginning with a letter or digit"

_USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUser:
    """A local user. `name` is the canonical spelling, which every event shows (R82)."""

    name: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """An API token without its secret. `digest` is SHA-256, 32 bytes; `expires_at` None is never."""

    id: str
    digest: bytes = field(repr=False)
    user: str
    expires_at: float | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A login session of the page without its id. `digest` is SHA-256, 32 bytes; `seen_at` is its last use."""

    digest: bytes = field(repr=False)
    user: str
    created_at: float
    seen_at: float


class Accounts(Protocol):
    """Where local accounts are kept. Each method is one transaction; `Unavailable` if it cannot be done now."""

    def find_user(self, name: str) -> StoredUser | None:
        """The user of this name, without regard to (ASCII) case."""
        ...

    def add_user(self, user: StoredUser) -> None:
        """Keep a new user; `Refused` if the name is taken, in any case of letters."""
        ...

    def any_user(self) -> bool:
        """Whether there is any local user."""
        ...

    def find_token(self, token_id: str) -> StoredToken | None:
        """The token of this id, revoked and expired ones too. The id matches exactly, case included."""
        ...

    def save_token(self, token: StoredToken) -> None:
        """Keep a token, or what became of it."""
        ...

    def create_session(self, session: StoredSession) -> None:
        """Keep a new session."""
        ...

    def find_session(self, digest: bytes) -> StoredSession | None:
        """The session of this digest."""
        ...

    def touch_session(self, digest: bytes, seen_at: float) -> None:
        """Note a session's last use; nothing happens if it is gone."""
        ...

    def delete_session(self, digest: bytes) -> None:
        """Forget a session; nothing happens if it is gone."""
        ...

    def delete_sessions_before(self, created_at: float) -> None:
        """Forget every session that was created before this moment."""
        ...


def is_user_name(text: str) -> bool:
    """Whether this may be the name of a local user or of the operator; `system` is the daemon itself."""
    return _USER_NAME.fullmatch(text) is not None and not same_name(text, SYSTEM)


def new_user(name: str, password: str) -> StoredUser:
    """A local user to keep, the space around the name removed; `Invalid` with a sentence if either is unusable."""
    stripped = name.strip()
    if same_name(stripped, SYSTEM):
        raise Invalid(f"{SYSTEM!r} cannot be a user name: events of the daemon itself carry it", hint="take another")
    if not is_user_name(stripped):
        raise Invalid(f"{name[:80]!r} cannot be a user name", hint=f"use {USER_NAME_WORDS}")
    try:
        return StoredUser(name=stripped, password_hash=hashed(password))
    except ValueError as unusable:
        raise Invalid(str(unusable)) from None
