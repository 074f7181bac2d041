"""`access`'s storage of local accounts, over the store: the two know nothing of each other."""

from pointsman.access.accounts import StoredSession, StoredToken, StoredUser
from pointsman.store.accounts import AccountRows
from pointsman.store.database import Database, Found


class StoredAccounts:
    """Implements `access.accounts.Accounts`."""

    def __init__(self, database: Database) -> None:
        self.rows = AccountRows(database)

    def find_user(self, name: str) -> StoredUser | None:
        """The user of this name."""
        row = self.rows.user(name)
        return None if row is None else StoredUser(name=row["name"], password_hash=row["password_hash"])

    def add_user(self, user: StoredUser) -> None:
        """Keep a new user."""
        self.rows.add_user(user.name, user.password_hash)

    def any_user(self) -> bool:
        """Whether there is any local user."""
        return bool(self.rows.users())

    def find_token(self, token_id: str) -> StoredToken | None:
        """The token of this id."""
        row = self.rows.row("token", id=token_id)
        if row is None:
            return None
        return StoredToken(
            id=row["id"],
            digest=row["digest"],
            user=row["user"],
            expires_at=row["expires_at"],
            revoked=bool(row["revoked"]),
        )

    def save_token(self, token: StoredToken) -> None:
        """Keep a token."""
        self.rows.write(
            "save_token",
            id=token.id,
            digest=token.digest,
            user=token.user,
            expires_at=token.expires_at,
            revoked=int(token.revoked),
        )

    def create_session(self, session: StoredSession) -> None:
        """Keep a new session."""
        self.rows.write(
            "insert_session",
            digest=session.digest,
            user=session.user,
            created_at=session.created_at,
            seen_at=session.seen_at,
        )

    def find_session(self, digest: bytes) -> StoredSession | None:
        """The session of this digest."""
        row = self.rows.row("session", digest=digest)
        return None if row is None else _session(row)

    def touch_session(self, digest: bytes, seen_at: float) -> None:
        """Note a session's last use."""
        self.rows.write("touch_session", digest=digest, seen_at=seen_at)

    def delete_session(self, digest: bytes) -> None:
        """Forget a session."""
        self.rows.write("delete_session", digest=digest)

    def delete_sessions_before(self, created_at: float) -> None:
        """Forget old sessions."""
        self.rows.write("delete_old_sessions", before=created_at)


def _session(row: Found) -> StoredSession:
    return StoredSession(digest=row["digest"], user=row["user"], created_at=row["created_at"], seen_at=row["seen_at"])
