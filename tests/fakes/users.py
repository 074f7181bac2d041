"""Local users for tests, made on the data directory before its daemon starts."""

from pathlib import Path

from pointsman.access.accounts import new_user
from pointsman.access.login import Login
from pointsman.access.people import Actor
from pointsman.engine.accounts import StoredAccounts
from pointsman.store.database import Database


def with_users(data: Path, *names: str) -> dict[str, str]:
    """A token for each of these new users; the password of NAME is `password of NAME`."""
    database = Database(data / "state.db")
    accounts = StoredAccounts(database)
    login = Login(accounts)
    tokens = {}
    for name in names:
        accounts.add_user(new_user(name, f"password of {name}"))
        tokens[name] = login.issue_token(Actor(name, "local"))
    database.close()
    return tokens
