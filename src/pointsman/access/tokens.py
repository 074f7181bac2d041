"""Secrets that are shown once and kept as digests: API tokens, session ids, and proofs of the page's own forms."""

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass, field

_LETTERS = string.ascii_letters + string.digits
_TOKEN = re.compile(r"pm_([A-Za-z0-9]{8})_[A-Za-z0-9]{43}")
_SESSION_BYTES = 32
_CSRF_PURPOSE = b"pointsman/csrf/v1\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token that was just made. `text` is shown once; only `id` and `digest` are kept."""

    id: str
    text: str = field(repr=False)
    digest: bytes


def new_token() -> NewToken:
    """A new API token, `pm_<8 id>_<43 base62>`: 256 bits that nobody can guess."""
    name = "".join(secrets.choice(_LETTERS) for _ in range(8))
    text = f"pm_{name}_{''.join(secrets.choice(_LETTERS) for _ in range(43))}"
    return NewToken(id=name, text=text, digest=_digest(text))


def parse(text: str) -> tuple[str, bytes] | None:
    """The id and digest of a token's text; None for anything that is not exactly one token."""
    match = _TOKEN.fullmatch(text)
    return None if match is None else (match[1], _digest(text))


def new_session_id() -> str:
    """A new session id: 32 random bytes, for the cookie alone."""
    return secrets.token_urlsafe(_SESSION_BYTES)


def session_digest(session_id: str) -> bytes:
    """What is kept of a session id."""
    return _digest(session_id)


def csrf_token(session_secret: bytes, session_id: str) -> str:
    """The proof that a form came from a page of this session. `session_secret` is the daemon's own key."""
    message = _CSRF_PURPOSE + session_id.encode("utf-8", "surrogatepass")
    return hmac.new(session_secret, message, hashlib.sha256).hexdigest()


def csrf_matches(session_secret: bytes, session_id: str, given: str) -> bool:
    """Whether `given` is the session's proof, compared in constant time."""
    expected = csrf_token(session_secret, session_id)
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
