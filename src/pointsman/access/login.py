"""Logging in: from a password, a token or a session to an actor."""

import hmac
import math

from pointsman.access import passwords, tokens
from pointsman.access.accounts import Accounts, StoredSession, StoredToken, is_user_name
from pointsman.access.people import Actor
from pointsman.access.throttle import Throttle
from pointsman.model.problem import Forbidden

IDLE_SECONDS = 30 * 60
ABSOLUTE_SECONDS = 12 * 60 * 60
REFUSAL = "the user name or the password is wrong"

# A use is noted once a minute: a page full of requests must not be a page full of writes.
_NOTED_EVERY_SECONDS = 60


class Throttled(Forbidden):
    """Too many attempts failed; the next is looked at in `retry_after_seconds` (a whole number, at least 1)."""

    def __init__(self, wait_seconds: float) -> None:
        self.retry_after_seconds = max(1, math.ceil(wait_seconds))
        super().__init__(
            "too many logins failed for this user or from this address",
            hint=f"try again in {self.retry_after_seconds} s",
        )


class Login:
    """Who somebody is, by the local accounts. May be called from several threads; `now` is seconds since 1970 in UTC.

    The name in an actor is always the stored one, however it was typed (R82). Every method may raise `Unavailable`.
    """

    def __init__(self, accounts: Accounts, *, throttle: Throttle | None = None) -> None:
        self._accounts = accounts
        self._throttle = throttle or Throttle()

    def login(self, name: str, password: str, address: str, now: float) -> Actor:
        """The person with this name and password; takes about a tenth of a second, so call it in a thread.

        `Forbidden` with one same text whether the user is unknown or the password wrong; `Throttled` if too many
        attempts failed before, whatever the password.
        """
        if not password.strip():
            raise Forbidden(REFUSAL)
        typed = name.strip().lower()
        account = typed if is_user_name(typed) else ""
        wait = self._throttle.begin(account, address, now)
        if wait > 0:
            raise Throttled(wait)
        user = self._accounts.find_user(account) if account else None
        matched = passwords.matches(password, user.password_hash if user else passwords.DUMMY)
        if user is None or not matched:
            raise Forbidden(REFUSAL)
        self._throttle.succeed(account, address)
        return Actor(user.name, "local")

    def actor_of_token(self, text: str, now: float) -> Actor | None:
        """Whose token this is; None if it is unknown, revoked or expired, or its user is gone."""
        parsed = tokens.parse(text)
        if parsed is None:
            return None
        token_id, digest = parsed
        stored = self._accounts.find_token(token_id)
        if stored is None or not hmac.compare_digest(stored.digest, digest):
            return None
        if stored.revoked or (stored.expires_at is not None and now >= stored.expires_at):
            return None
        user = self._accounts.find_user(stored.user)
        return None if user is None else Actor(user.name, "token")

    def issue_token(self, actor: Actor, *, expires_at: float | None = None) -> str:
        """The text of a new API token of this actor, shown once; None never expires."""
        token = tokens.new_token()
        self._accounts.save_token(StoredToken(id=token.id, digest=token.digest, user=actor.name, expires_at=expires_at))
        return token.text

    def open_session(self, actor: Actor, now: float) -> str:
        """The id of a new session, always a new one, for the cookie. Sessions past their end are forgotten."""
        session_id = tokens.new_session_id()
        self._accounts.delete_sessions_before(now - ABSOLUTE_SECONDS)
        self._accounts.create_session(
            StoredSession(digest=tokens.session_digest(session_id), user=actor.name, created_at=now, seen_at=now)
        )
        return session_id

    def actor_of_session(self, session_id: str, now: float) -> Actor | None:
        """Whose session this is; None after 30 minutes without use, 12 hours in all, or its close."""
        digest = tokens.session_digest(session_id)
        stored = self._accounts.find_session(digest)
        if stored is None:
            return None
        if now - stored.seen_at >= IDLE_SECONDS or now - stored.created_at >= ABSOLUTE_SECONDS:
            self._accounts.delete_session(digest)
            return None
        user = self._accounts.find_user(stored.user)
        if user is None:
            return None
        if now - stored.seen_at >= _NOTED_EVERY_SECONDS:
            self._accounts.touch_session(digest, now)
        return Actor(user.name, "local", digest.hex())

    def close_session(self, session_id: str) -> None:
        """End a session on the server; an unknown one is no error."""
        self._accounts.delete_session(tokens.session_digest(session_id))
