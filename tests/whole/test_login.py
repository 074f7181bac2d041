"""Logging in: tokens for scripts, sessions for people, and what guessing comes to."""

import hashlib
import http.client
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from fakes.daemon import Answer, Daemon
from fakes.lab import LAB, served_lab, started
from fakes.users import with_users
from pointsman.access.login import Login
from pointsman.access.people import Actor
from pointsman.engine.accounts import StoredAccounts
from pointsman.model.problem import Forbidden
from pointsman.store.database import Database


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with served_lab(tmp_path_factory.mktemp("login")) as daemon:
        yield daemon


def _asked(daemon: Daemon, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
    """A request as a browser makes it: no token, redirections not followed, headers as given."""
    url = urlsplit(daemon.url)
    with closing(http.client.HTTPConnection(url.netloc, timeout=30)) as connection:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, None if form is None else urlencode(form), sent)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def _logged_in(daemon: Daemon, name: str = "mira", **headers: str) -> str:
    """The cookie of a new session."""
    answer = _asked(daemon, "POST", "/login", {"user": name, "password": f"password of {name}", "next": "/"}, **headers)
    assert answer.status == 303, answer.body
    return answer.headers["set-cookie"].split(";")[0]


def _form_token(daemon: Daemon, cookie: str) -> str:
    page = _asked(daemon, "GET", "/", Cookie=cookie).body.decode()
    match = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert match is not None
    return match[1]


# Tokens


def test_a_password_gives_a_token_that_is_good_until_it_expires(daemon: Daemon) -> None:
    """INTERFACES: `POST tokens`."""
    answer = daemon.ask("POST", "tokens", {"user": "mira", "password": "password of mira", "expires_in": 3600})
    assert answer.status == 201
    assert answer.json.keys() == {"token", "expires_at"}
    who = daemon.ask("GET", "whoami", Authorization=f"Bearer {answer.json['token']}")
    assert who.json == {"name": "mira", "source": "token", "local": True}


def test_of_a_token_only_a_hash_is_kept(daemon: Daemon) -> None:
    """It is shown once."""
    token = daemon.post("tokens", {"user": "mira", "password": "password of mira"})["token"]
    secret = token.split("_")[2].encode()
    for file in daemon.data.glob("state.db*"):
        assert secret not in file.read_bytes()
    with closing(sqlite3.connect(daemon.data / "state.db")) as state:
        digests = {row[0] for row in state.execute("SELECT digest FROM tokens")}
    assert hashlib.sha256(token.encode()).digest() in digests


def _spoilt(token: str) -> list[str]:
    return [
        f"Bearer {token[:-1]}", f"Bearer {token}x", f"Bearer {token[:-1]}{'a' if token[-1] != 'a' else 'b'}",
        f"Bearer  {token}", f"Bearer {token} x", f"Basic {token}", f"Token {token}", token, "Bearer", "Bearer ",
        f"Bearer {token.upper()}", f"Bearer {token}, Bearer {token}", "Bearer pm_", f'Bearer "{token}"',
        f"Bearer {token[:11]}_{'0' * 43}",
    ]  # fmt: skip


def test_a_token_that_is_not_exactly_one_is_refused(daemon: Daemon) -> None:
    """A prefix, another scheme, a changed letter: all the same 401."""
    answers = [daemon.ask("GET", "runs", Authorization=text) for text in _spoilt(daemon.token)]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.json["detail"] for answer in answers}) == 1
    assert daemon.ask("GET", "runs", Authorization=f"bearer {daemon.token}").status == 200


def test_two_authorization_headers_are_refused(daemon: Daemon) -> None:
    """Whichever of them is good."""
    url = urlsplit(daemon.url)
    with closing(http.client.HTTPConnection(url.netloc, timeout=30)) as connection:
        connection.putrequest("GET", "/api/v1/runs")
        connection.putheader("Authorization", f"Bearer {daemon.token}")
        connection.putheader("Authorization", f"Bearer {daemon.token}")
        connection.endheaders()
        assert connection.getresponse().status == 401


@pytest.mark.parametrize("query", ["token={}", "access_token={}", "Authorization=Bearer {}"])
def test_a_token_in_the_address_is_no_login(daemon: Daemon, query: str) -> None:
    """It would stand in logs and histories."""
    path = "/api/v1/runs?" + query.format(daemon.token).replace(" ", "%20")
    assert _asked(daemon, "GET", path).status == 401
    assert _asked(daemon, "GET", "/api/v1/runs", Cookie=f"pm={daemon.token}").status == 401


def test_expired_revoked_and_orphaned_tokens_are_refused(tmp_path: Path) -> None:
    """And so is one whose user is gone."""
    with_users(tmp_path, "mira")
    database = Database(tmp_path / "state.db")
    login = Login(StoredAccounts(database))
    token = login.issue_token(Actor("mira", "local"), expires_at=1000.0)
    orphan = login.issue_token(Actor("nobody", "local"))
    assert login.actor_of_token(token, 999.9) == Actor("mira", "token")
    assert login.actor_of_token(token, 1000.0) is None
    assert login.actor_of_token(orphan, 0.0) is None
    database.close()


@pytest.mark.parametrize(
    "body",
    [
        {}, {"user": "mira"}, {"user": "mira", "password": None}, {"user": ["mira"], "password": "x"},
        {"user": "mira", "password": "x", "expires_in": 1}, {"user": "mira", "password": "x", "expires_in": 10**12},
        {"user": "mira", "password": "x" * 3000},
    ],
)  # fmt: skip
def test_a_login_of_another_shape_is_refused(daemon: Daemon, body: object) -> None:
    """Before any password is looked at."""
    assert daemon.ask("POST", "tokens", body).status == 422


def test_unknown_users_and_wrong_passwords_cost_and_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: one hash each, and one text."""
    with_users(tmp_path, "mira")
    hashes = 0
    scrypt = hashlib.scrypt

    def counted(*args: object, **more: object) -> bytes:
        nonlocal hashes
        hashes += 1
        return scrypt(*args, **more)  # type: ignore[arg-type] # as it was called

    monkeypatch.setattr("pointsman.access.passwords.hashlib.scrypt", counted)
    database = Database(tmp_path / "state.db")
    login = Login(StoredAccounts(database))
    told = []
    for name in ("mira", "nobody", "mi ra", "x" * 200):
        hashes = 0
        with pytest.raises(Forbidden) as refused:
            login.login(name, "wrong password", "192.0.2.1", 0.0)
        told.append((hashes, refused.value.says))
    database.close()
    assert told == [(1, told[0][1])] * 4


# Sessions


def test_a_login_gives_a_new_session_whatever_cookie_came_before(daemon: Daemon) -> None:
    """Nobody can be given a session beforehand; the old one ends."""
    first = _logged_in(daemon)
    second = _logged_in(daemon, Cookie=first)
    third = _logged_in(daemon, Cookie="pm=chosen-by-somebody-else")
    assert len({first, second, third, "pm=chosen-by-somebody-else"}) == 4
    assert _asked(daemon, "GET", "/api/v1/runs", Cookie=first).status == 401
    assert _asked(daemon, "GET", "/api/v1/runs", Cookie=second).status == 200
    assert _asked(daemon, "GET", "/api/v1/runs", Cookie="pm=chosen-by-somebody-else").status == 401


def test_the_cookie_is_kept_from_scripts_and_other_sites(daemon: Daemon) -> None:
    """HttpOnly, SameSite, for the whole site, without a domain."""
    form = {"user": "mira", "password": "password of mira", "next": "/"}
    cookie = _asked(daemon, "POST", "/login", form).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie


def test_logging_out_ends_the_session_on_the_server(daemon: Daemon) -> None:
    """The cookie alone is worth nothing afterwards; without the form's proof nothing happens."""
    cookie = _logged_in(daemon)
    assert _asked(daemon, "POST", "/logout", {"csrf": "0" * 64}, Cookie=cookie).status == 403
    assert _asked(daemon, "GET", "/logout", Cookie=cookie).status in {404, 405}
    assert _asked(daemon, "GET", "/api/v1/runs", Cookie=cookie).status == 200
    assert _asked(daemon, "POST", "/logout", {"csrf": _form_token(daemon, cookie)}, Cookie=cookie).status == 303
    assert _asked(daemon, "GET", "/api/v1/runs", Cookie=cookie).status == 401


def test_a_change_with_a_cookie_needs_the_sessions_proof(daemon: Daemon) -> None:
    """INTERFACES: the page's cookie, then with its CSRF token."""
    run = started(daemon, "gated")
    daemon.run_in(run, "waiting")
    cookie, other = _logged_in(daemon), _logged_in(daemon)

    def cancelled(**headers: str) -> int:
        return _asked(daemon, "POST", f"/api/v1/runs/{run}/cancel", None, Cookie=cookie, **headers).status

    assert cancelled() == 403
    assert cancelled(X_CSRF_Token="0" * 64) == 403
    assert cancelled(X_CSRF_Token=_form_token(daemon, other)) == 403
    assert cancelled(X_CSRF_Token=_form_token(daemon, cookie), Origin="https://evil.example") == 403
    assert daemon.get(f"runs/{run}")["state"] == "waiting"
    assert cancelled(X_CSRF_Token=_form_token(daemon, cookie), Origin=daemon.url) == 200


def test_after_the_login_one_is_on_this_daemon_and_nowhere_else(daemon: Daemon) -> None:
    """No open redirection."""
    for to in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "\n//evil", ""):
        form = {"user": "mira", "password": "password of mira", "next": to}
        location = _asked(daemon, "POST", "/login", form).headers["location"]
        assert (location[0], location[1:2] in {"/", "\\"}, "\n" in location) == ("/", False, False), to
    form = {"user": "mira", "password": "password of mira", "next": "/runs/1?step=2"}
    assert _asked(daemon, "POST", "/login", form).headers["location"] == "/runs/1?step=2"


def test_a_page_without_a_session_leads_to_the_login_and_back(daemon: Daemon) -> None:
    """INTERFACES: pages."""
    answer = _asked(daemon, "GET", "/inbox")
    assert (answer.status, answer.headers["location"]) == (303, "/login?next=/inbox")


def test_a_wrong_password_is_told_on_the_page_without_telling_which_part(daemon: Daemon) -> None:
    """The name that was typed is shown again, escaped."""
    wrong = [
        _asked(daemon, "POST", "/login", {"user": user, "password": "wrong password", "next": "/"})
        for user in ("nobody-here", "<script>alert(1)</script>")
    ]
    assert {answer.status for answer in wrong} == {403}
    assert all(b"the user name or the password is wrong" in answer.body for answer in wrong)
    assert b"<script>alert" not in wrong[1].body
    assert all("set-cookie" not in answer.headers for answer in wrong)


def test_a_login_from_another_site_is_refused(daemon: Daemon) -> None:
    """Nobody is logged in as somebody else behind their back."""
    form = {"user": "mira", "password": "password of mira", "next": "/"}
    for name, value in (("Origin", "https://evil.example"), ("Sec_Fetch_Site", "cross-site"), ("Origin", "null")):
        assert _asked(daemon, "POST", "/login", form, **{name: value}).status == 403


# Guessing


def test_guessing_is_slowed_down_and_the_owner_elsewhere_is_not_kept_out(tmp_path: Path) -> None:
    """429 with `Retry-After`; whoever logged in from this address before still may; nobody is locked out for good."""
    with served_lab(tmp_path) as daemon:
        guesses = [403]
        while guesses[-1] == 403 and len(guesses) < 20:
            body = {"user": "opschain", "password": f"guess number {len(guesses)}"}
            guesses.append(daemon.ask("POST", "tokens", body).status)
        assert guesses[:4] == [403] * 4
        slowed = daemon.ask("POST", "tokens", {"user": "OPSCHAIN ", "password": "password of opschain"})
        assert guesses[-1] == slowed.status == 429
        assert int(slowed.headers["retry-after"]) >= 1
        assert "try again in" in slowed.json["hint"]
        mira = daemon.ask("POST", "tokens", {"user": "mira", "password": "password of mira"})
        assert mira.status == 201
        assert daemon.ask("POST", "runs", {"workflow": LAB.format("quick")}).status == 201
