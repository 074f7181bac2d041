"""Logging in, over accounts that are kept in SQLite."""

import sqlite3
from collections.abc import Iterator

import pytest

from pointsman.access.accounts import Accounts, StoredSession, StoredToken, StoredUser, new_user
from pointsman.access.login import ABSOLUTE_SECONDS, IDLE_SECONDS, REFUSAL, Login, Throttled
from pointsman.access.people import Actor
from pointsman.model.problem import Forbidden, Invalid, Refused

HERE = "192.0.2.1"
PASSWORD = "correct horse"
ALICE = new_user("Alice", PASSWORD)
ALICE_ACTOR = Actor("Alice", "local")


class SmallAccounts:
    """The least that keeps accounts: three tables in memory."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        database.execute("CREATE TABLE users (name TEXT PRIMARY KEY COLLATE NOCASE, hash TEXT)")
        database.execute("CREATE TABLE tokens (id TEXT PRIMARY KEY, digest BLOB, user TEXT, expires REAL, revoked INT)")
        database.execute("CREATE TABLE sessions (digest BLOB PRIMARY KEY, user TEXT, created REAL, seen REAL)")

    def find_user(self, name: str) -> StoredUser | None:
        row = self.database.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()
        return row and StoredUser(name=row[0], password_hash=row[1])

    def add_user(self, user: StoredUser) -> None:
        try:
            self.database.execute("INSERT INTO users VALUES (?, ?)", (user.name, user.password_hash))
        except sqlite3.IntegrityError:
            raise Refused(f"{user.name} is taken") from None

    def any_user(self) -> bool:
        return self.database.execute("SELECT 1 FROM users").fetchone() is not None

    def find_token(self, token_id: str) -> StoredToken | None:
        row = self.database.execute("SELECT * FROM tokens WHERE id = ?", (token_id,)).fetchone()
        return row and StoredToken(id=row[0], digest=row[1], user=row[2], expires_at=row[3], revoked=bool(row[4]))

    def save_token(self, token: StoredToken) -> None:
        row = (token.id, token.digest, token.user, token.expires_at, token.revoked)
        self.database.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?)", row)

    def create_session(self, session: StoredSession) -> None:
        row = (session.digest, session.user, session.created_at, session.seen_at)
        self.database.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", row)

    def find_session(self, digest: bytes) -> StoredSession | None:
        row = self.database.execute("SELECT * FROM sessions WHERE digest = ?", (digest,)).fetchone()
        return row and StoredSession(digest=row[0], user=row[1], created_at=row[2], seen_at=row[3])

    def touch_session(self, digest: bytes, seen_at: float) -> None:
        self.database.execute("UPDATE sessions SET seen = ? WHERE digest = ?", (seen_at, digest))

    def delete_session(self, digest: bytes) -> None:
        self.database.execute("DELETE FROM sessions WHERE digest = ?", (digest,))

    def delete_sessions_before(self, created_at: float) -> None:
        self.database.execute("DELETE FROM sessions WHERE created < ?", (created_at,))

    def dump(self) -> str:
        """Everything that is kept, as text."""
        return "\n".join(self.database.iterdump())


@pytest.fixture
def accounts() -> Iterator[SmallAccounts]:
    """Accounts with one user, Alice."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    kept = SmallAccounts(database)
    kept.add_user(ALICE)
    yield kept
    database.close()


@pytest.fixture
def login(accounts: Accounts) -> Login:
    """Logins over these accounts."""
    return Login(accounts)


@pytest.mark.parametrize("typed", ["Alice", "ALICE", " alice "])
def test_the_actor_has_the_stored_name_however_it_was_typed(login: Login, typed: str) -> None:
    """R82"""
    assert login.login(typed, PASSWORD, HERE, 0.0) == Actor("Alice", "local")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong horse"),
        ("alice", ""),
        ("alice", "   "),
        ("bob", PASSWORD),
        ("", PASSWORD),
        ("system", PASSWORD),
        ("\uff41\uff4c\uff49\uff43\uff45", PASSWORD),
        ("alice'--", PASSWORD),
        ("a" * 100_000, PASSWORD),
        ("alice\0", PASSWORD),
        ("\ud800", PASSWORD),
    ],
)
def test_an_unknown_user_and_a_wrong_password_are_told_alike(login: Login, name: str, password: str) -> None:
    with pytest.raises(Forbidden) as refused:
        login.login(name, password, HERE, 0.0)

    assert (type(refused.value), refused.value.says, refused.value.hint) == (Forbidden, REFUSAL, "")


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_guessing_is_slowed_for_known_and_unknown_users_alike(login: Login, name: str) -> None:
    for _ in range(3):
        with pytest.raises(Forbidden):
            login.login(name, "wrong horse", HERE, 0.0)

    with pytest.raises(Throttled) as slowed:
        login.login(name, PASSWORD, HERE, 0.2)

    assert slowed.value.retry_after_seconds == 1
    assert slowed.value.hint == "try again in 1 s"


def test_who_waited_gets_in_and_starts_afresh(login: Login) -> None:
    for _ in range(3):
        with pytest.raises(Forbidden):
            login.login("alice", "wrong horse", HERE, 0.0)

    assert login.login("alice", PASSWORD, HERE, 1.0).name == "Alice"
    with pytest.raises(Forbidden, match="is wrong"):
        login.login("alice", "wrong horse", HERE, 1.0)


def test_a_token_is_its_users_and_only_its_digest_is_kept(accounts: SmallAccounts, login: Login) -> None:
    text = login.issue_token(Actor("Alice", "local"))

    assert login.actor_of_token(text, 0.0) == Actor("Alice", "token")
    assert text[12:] not in accounts.dump()


def test_a_token_with_another_secret_is_nobodys(login: Login) -> None:
    text = login.issue_token(Actor("Alice", "local"))

    assert login.actor_of_token(text[:-1] + ("a" if text[-1] != "a" else "b"), 0.0) is None
    assert login.actor_of_token(text[:-1], 0.0) is None
    assert login.actor_of_token("pm_00000000_" + "0" * 43, 0.0) is None


def test_a_token_ends_at_its_expiry(login: Login) -> None:
    text = login.issue_token(Actor("Alice", "local"), expires_at=100.0)

    assert login.actor_of_token(text, 99.9) is not None
    assert login.actor_of_token(text, 100.0) is None


def test_a_revoked_token_is_nobodys(accounts: SmallAccounts, login: Login) -> None:
    text = login.issue_token(Actor("Alice", "local"))
    accounts.database.execute("UPDATE tokens SET revoked = 1")

    assert login.actor_of_token(text, 0.0) is None


def test_a_user_who_is_gone_has_no_token_and_no_session(accounts: SmallAccounts, login: Login) -> None:
    text = login.issue_token(Actor("Alice", "local"))
    session = login.open_session(Actor("Alice", "local"), 0.0)
    accounts.database.execute("DELETE FROM users")

    assert login.actor_of_token(text, 0.0) is None
    assert login.actor_of_session(session, 0.0) is None


def test_a_session_is_its_persons_and_only_its_digest_is_kept(accounts: SmallAccounts, login: Login) -> None:
    session = login.open_session(Actor("Alice", "local"), 0.0)
    actor = login.actor_of_session(session, 1.0)

    assert actor == Actor("Alice", "local")
    assert actor is not None
    assert actor.session
    assert session not in actor.session
    assert session not in accounts.dump()


def test_every_login_has_a_new_session(login: Login) -> None:
    assert login.open_session(ALICE_ACTOR, 0.0) != login.open_session(ALICE_ACTOR, 0.0)


def test_a_session_ends_when_it_is_idle(login: Login) -> None:
    session = login.open_session(ALICE_ACTOR, 0.0)

    assert login.actor_of_session(session, IDLE_SECONDS) is None
    assert login.actor_of_session(session, 1.0) is None, "what has ended does not come back"


def test_use_keeps_a_session_but_not_past_twelve_hours(login: Login) -> None:
    session = login.open_session(ALICE_ACTOR, 0.0)

    used = [now for now in range(600, 14 * 3600, 600) if login.actor_of_session(session, float(now))]

    assert used[-1] == ABSOLUTE_SECONDS - 600


def test_use_is_noted_once_a_minute_at_most(accounts: SmallAccounts, login: Login) -> None:
    session = login.open_session(ALICE_ACTOR, 0.0)
    before = accounts.database.total_changes

    for now in range(1, 120):
        login.actor_of_session(session, float(now))

    assert accounts.database.total_changes - before == 1


def test_a_closed_session_is_gone_from_the_server(login: Login) -> None:
    session = login.open_session(ALICE_ACTOR, 0.0)

    login.close_session(session)
    login.close_session("never was")

    assert login.actor_of_session(session, 1.0) is None


@pytest.mark.parametrize("session", ["", "\ud800", "x" * 100_000])
def test_a_session_id_of_any_shape_is_nobodys(login: Login, session: str) -> None:
    assert login.actor_of_session(session, 0.0) is None


def test_sessions_past_their_end_do_not_pile_up(accounts: SmallAccounts, login: Login) -> None:
    login.open_session(ALICE_ACTOR, 0.0)
    login.open_session(ALICE_ACTOR, ABSOLUTE_SECONDS + 1.0)

    assert accounts.database.execute("SELECT count(*) FROM sessions").fetchone() == (1,)


@pytest.mark.parametrize("name", ["bob", "b", "bob.smith@example.com", "B0b_x-y", "x" * 64, " bob "])
def test_a_usual_name_can_be_a_users(name: str) -> None:
    assert new_user(name, PASSWORD).name == name.strip()


@pytest.mark.parametrize(
    "name", ["", " ", "system", "SYSTEM ", ".bob", "-bob", "b ob", "b\u00f6b", "x" * 65, "bob\nx", "b/b"]
)
def test_what_cannot_be_a_users_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        new_user(name, PASSWORD)

    assert "cannot be a user name" in refused.value.says
    assert refused.value.hint


def test_a_new_users_short_password_is_refused_in_a_sentence() -> None:
    with pytest.raises(Invalid, match="too short"):
        new_user("bob", "short")


def test_a_hash_does_not_print_itself() -> None:
    assert ALICE.password_hash not in repr(ALICE)
