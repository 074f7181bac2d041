"""Local passwords: kept as scrypt hashes, checked in the same time whether or not the user exists."""

import base64
import hashlib
import hmac
import os
import unicodedata
from dataclasses import dataclass
from threading import BoundedSemaphore

SHORTEST = 8
LONGEST = 1024

_SALT_BYTES = 16
_KEY_BYTES = 32
# One hash takes 32 MiB and a tenth of a second; a burst of logins must not take the daemon's memory.
_TURN = BoundedSemaphore(4)


@dataclass(frozen=True, slots=True)
class _Cost:
    """The parameters of scrypt. They are kept with each hash, so that new hashes may cost more than old ones."""

    n: int = 2**15
    r: int = 8
    p: int = 1

    def key(self, password: bytes, salt: bytes) -> bytes:
        """The hash itself. `maxmem` has room to spare: OpenSSL refuses what needs exactly its limit."""
        with _TURN:
            return hashlib.scrypt(
                password, salt=salt, n=self.n, r=self.r, p=self.p, maxmem=256 * self.n * self.r, dklen=_KEY_BYTES
            )

    def text(self, salt: bytes, key: bytes) -> str:
        """The hash with everything that is needed to check it: `scrypt$n$r$p$salt$key`."""
        return f"scrypt${self.n}${self.r}${self.p}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


_COST = _Cost()
DUMMY = _COST.text(bytes(_SALT_BYTES), bytes(_KEY_BYTES))
"""The hash of no known password; matching against it costs what a real user's does."""


def hashed(password: str) -> str:
    """The text to keep for a new password; `ValueError` with a sentence if it may not be one."""
    normal = _normal(password)
    if not normal.strip():
        raise ValueError("a password cannot be empty or blank")
    if len(normal) < SHORTEST:
        raise ValueError(f"the password is too short: it has {len(normal)} characters, at least {SHORTEST} are needed")
    if len(normal) > LONGEST:
        raise ValueError(f"the password is too long: it may have at most {LONGEST} characters")
    salt = os.urandom(_SALT_BYTES)
    return _COST.text(salt, _COST.key(_encoded(normal), salt))


def matches(password: str, stored: str) -> bool:
    """Whether this is the password that `stored` was made from, compared in constant time.

    An empty, blank or overlong password is refused before any work. `ValueError` if `stored` is not from `hashed`.
    """
    if len(password) > 4 * LONGEST:
        return False
    normal = _normal(password)
    if not normal.strip() or len(normal) > LONGEST:
        return False
    cost, salt, key = _parsed(stored)
    return hmac.compare_digest(cost.key(_encoded(normal), salt), key)


def _parsed(stored: str) -> tuple[_Cost, bytes, bytes]:
    match stored.split("$"):
        case ["scrypt", n, r, p, salt, key]:
            return _Cost(int(n), int(r), int(p)), base64.b64decode(salt), base64.b64decode(key)
        case _:
            raise ValueError("what is stored is no password hash of Pointsman")


def _normal(password: str) -> str:
    """The password as every keyboard and system would have typed it: composed (NFC)."""
    return unicodedata.normalize("NFC", password)


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
