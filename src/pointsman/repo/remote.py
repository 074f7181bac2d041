"""Where a mirrored repository is fetched from: its URL, judged before git sees it, and fit to be shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from pointsman.model.problem import Invalid

# what git may speak for a URL of each scheme: a server may send a client on to https, and nowhere else
_PROTOCOLS: Mapping[str, tuple[str, ...]] = {
    "https": ("https",),
    "http": ("http", "https"),
    "ssh": ("ssh",),
    "file": ("file",),
}
_KNOWN = "https://, http://, ssh:// and file:// are known, and git@host:path"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://|:)|[^/:@\s]*@[^/:\s]*:")
_SHORT = re.compile(r"(?P<user>[^/:@]*)@(?P<host>[^/:]*):(?P<path>.*)")
_HELPER = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*::")
# neither may begin with a hyphen: ssh would take it for an option, and some options name a program
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~+-]*")
_LONGEST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A URL that git may be given, with the protocols that it may speak for it.

    `shown` is how messages call it: without a user where that may be a token. `path` is set for `file://` only.
    """

    url: str
    shown: str
    protocols: tuple[str, ...]
    path: Path | None = None


def is_url(text: str) -> bool:
    """Whether this is meant as a URL, however wrong, and not as a path."""
    return _URL.match(text) is not None


def remote_from(text: str) -> Remote:
    """The remote that a URL means. `Invalid` says why it is refused, and repeats nothing that may be a secret."""
    if not text.isprintable() or " " in text or len(text) > _LONGEST:
        raise Invalid("the URL is too long, or has a space or an unprintable character in it")
    if _HELPER.match(text):
        raise Invalid(f"{text.partition('::')[0]}:: would start a program and is no address", hint=_KNOWN)
    if "://" not in text:
        return _short(text)
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise Invalid("the URL has no proper host and port") from None
    if url.scheme not in _PROTOCOLS:
        raise Invalid(f"{text.partition('://')[0]}:// cannot be mirrored", hint=_KNOWN)
    if url.password is not None:
        raise Invalid(
            "the URL has a password in it, which lists of processes would show",
            hint="leave it out, and let GIT_ASKPASS or a credential helper give it to git",
        )
    if "?" in text or "#" in text:
        raise Invalid("the URL has a '?' or '#' in it, which no repository's address has")
    return _file(text, url) if url.scheme == "file" else _network(text, url)


def _network(text: str, url: SplitResult) -> Remote:
    user, host = url.username, url.hostname or ""
    _check_parts(user, host)
    if not url.path.strip("/"):
        raise Invalid("the URL names a host and no repository on it")
    shown = text
    if user is not None and url.scheme != "ssh":  # hosts take tokens there
        shown = f"{url.scheme}://…@{url.netloc.rpartition('@')[2]}{url.path}"
    return Remote(url=text, shown=shown, protocols=_PROTOCOLS[url.scheme])


def _file(text: str, url: SplitResult) -> Remote:
    if url.netloc or not url.path.startswith("/"):
        raise Invalid("a file URL names a folder of this machine, such as file:///srv/git/ops.git")
    return Remote(url=text, shown=text, protocols=_PROTOCOLS["file"], path=Path(unquote(url.path)))


def _short(text: str) -> Remote:
    match = _SHORT.fullmatch(text)
    if match is None or not match["path"]:
        raise Invalid("the URL names no repository", hint=_KNOWN)
    _check_parts(match["user"], match["host"])
    if match["path"].startswith("-"):
        raise Invalid("the path of the URL begins with '-', which could be an option")
    return Remote(url=text, shown=text, protocols=_PROTOCOLS["ssh"])


def _check_parts(user: str | None, host: str) -> None:
    if _HOST.fullmatch(host) is None:
        raise Invalid("the URL has no proper host: letters, digits, '.', '-' and '_', and no '-' at the beginning")
    if user is not None and _USER.fullmatch(user) is None:
        raise Invalid("the user in the URL is none: letters, digits and ._~+-, and no '-' at the beginning")
