"""Who signed a tag, told by the exit code of `ssh-keygen`; nothing that a repository configures has any effect.

Git itself would ask the repository's `gpg.ssh.program` and `gpg.ssh.allowedSignersFile`, which somebody else may have
written. Here the signers come from a commit, the program from the system's folders, and the environment is empty.
"""

import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType

from pointsman.model.problem import Invalid, Unavailable
from pointsman.model.source import Mode
from pointsman.repo.files import root_tree_id
from pointsman.repo.objects import LARGEST_COMMIT, content, header, sized_content
from pointsman.repo.printable import printable_text
from pointsman.repo.walk import entry_named

ALLOWED = "allowed_signers"
REVOKED = "revoked_signers"
LARGEST_FILE = 1024 * 1024
SECONDS = 5.0

_FOLDERS = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin"
_SSH = re.compile(rb"^-----BEGIN SSH SIGNATURE-----$", re.MULTILINE)
_SSH_END = b"-----END SSH SIGNATURE-----"
_OTHER = re.compile(rb"^-----BEGIN (PGP (?:SIGNATURE|MESSAGE)|SIGNED MESSAGE)-----$", re.MULTILINE)
_NAME = re.compile(rb"object [0-9a-f]{40}\ntype [a-z]+\ntag ([^\n]*)\n")
_PRINCIPALS = re.compile(r'"([^"]*)"|(\S+)')
_NOBODY = re.compile(r"[*?]+")
_HOW = "sign it with: git tag -s (and gpg.format ssh), or pointsman publish --sign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """Whose tags count: the texts of `allowed_signers` and, empty if there is none, of `revoked_signers`."""

    allowed: bytes
    revoked: bytes = b""


def signers_at(repository: pygit2.Repository, commit: str, root: str = "") -> Signers:
    """The signers as they are at a commit, in the files beside `pointsman.yaml`.

    `Invalid` if there is no `allowed_signers`, one of the two is no plain file or too large, or a line of it would let
    everybody sign.
    """
    allowed = _file(repository, commit, root, ALLOWED)
    if allowed is None:
        raise Invalid(
            f"tags must be signed, and there is no file {ALLOWED} that says by whom",
            hint=f"add {ALLOWED} beside pointsman.yaml, one line for each: ann@example.com ssh-ed25519 AAAA…",
        )
    for number, line in enumerate(allowed.decode("utf-8", "replace").splitlines(), start=1):
        if _is_for_everybody(line):
            raise Invalid(
                f"{ALLOWED}:{number}: the principal * stands for everybody, so that nobody would be told apart",
                hint="name the people who may sign, such as ann@example.com",
            )
    return Signers(allowed=allowed, revoked=_file(repository, commit, root, REVOKED) or b"")


def signer_of(odb: pygit2.Odb, name: str, object_id: str, signers: Signers, *, at: float) -> str:
    """The principal who signed the tag of this short name, by a key that counted at `at` (seconds since 1970).

    `Invalid`, saying why, if nobody who counts did, or what was signed is a tag of another name: a signed object could
    otherwise be shown under any. `Unavailable` if that cannot be found out.
    """
    data = _tag_object(odb, object_id)
    payload, signature = _parted(data)
    named = _NAME.match(payload)
    inside = "" if named is None else named[1].decode("utf-8", "backslashreplace")
    if inside != name:
        raise Invalid(
            f"what is signed is a tag called {printable_text(inside)}",
            hint="a signature counts for the name that was signed; tag again under this name",
        )
    with tempfile.TemporaryDirectory(prefix="pointsman-signature-") as folder:
        return _verified(Path(folder), payload, signature, signers, at=at)


def _file(repository: pygit2.Repository, commit: str, root: str, name: str) -> bytes | None:
    tree = root_tree_id(repository, commit, root)
    found = entry_named(repository.odb, tree, name) if tree else None
    if found is None:
        return None
    mode, object_id = found
    if mode not in {Mode.FILE, Mode.EXECUTABLE}:
        raise Invalid(f"{name} is no plain file", hint="signers are read from a file, never through a link")
    return content(repository.odb, object_id, kind=ObjectType.BLOB, largest=LARGEST_FILE)


def _is_for_everybody(line: str) -> bool:
    text = line.strip()
    if not text or text.startswith("#"):
        return False
    found = _PRINCIPALS.match(text)
    patterns = (found[1] or found[2] or "").split(",") if found else ()
    return any(_NOBODY.fullmatch(pattern.strip()) for pattern in patterns)


def _tag_object(odb: pygit2.Odb, object_id: str) -> bytes:
    kind, size = header(odb, object_id)
    if kind != ObjectType.TAG:
        raise Invalid("it is a lightweight tag, which nobody can sign", hint=_HOW)
    return sized_content(odb, object_id, size=size, largest=LARGEST_COMMIT)


def _parted(data: bytes) -> tuple[bytes, bytes]:
    """What was signed, and the signature behind it; it is the last one, as for Git."""
    starts = [found.start() for found in _SSH.finditer(data)]
    if starts and data.rstrip(b"\n").endswith(_SSH_END):
        return data[: starts[-1]], data[starts[-1] :]
    if _OTHER.search(data):
        raise Invalid("it is signed with OpenPGP or X.509; only SSH signatures are checked here", hint=_HOW)
    raise Invalid("it is not signed", hint=_HOW)


def _verified(folder: Path, payload: bytes, signature: bytes, signers: Signers, *, at: float) -> str:
    files = {"signature": signature, ALLOWED: signers.allowed, REVOKED: signers.revoked}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    when = f"-Overify-time={time.strftime('%Y%m%d%H%M%S', time.gmtime(at))}"
    given = ("-f", ALLOWED, "-s", "signature", when)
    found = _ssh_keygen(folder, "find-principals", *given)
    principals = found.stdout.decode("utf-8", "replace").splitlines() if found.returncode == 0 else []
    revoked = ("-r", REVOKED) if signers.revoked else ()
    for principal in principals:
        asked = ("-n", "git", *given, *revoked, "-I", principal)
        # the words of a refusal may begin with "Good"; only the exit code says whether it is good
        if _ssh_keygen(folder, "verify", *asked, payload=payload).returncode == 0:
            return printable_text(principal)
    raise _refusal(principals)


def _refusal(principals: list[str]) -> Invalid:
    if principals:
        return Invalid(
            f"its signature by {printable_text(principals[0])} is not good: it is of another text or purpose, or its "
            f"key is in {REVOKED}",
            hint="sign the tag again with a key that is in use",
        )
    return Invalid(
        f"it is signed by a key that is not in {ALLOWED}, or was not valid when the tag was first seen",
        hint=f"sign it with a key that is listed, or have yours added to {ALLOWED} on the inventory branch",
    )


def _ssh_keygen(folder: Path, what: str, *arguments: str, payload: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    program = shutil.which("ssh-keygen", path=_FOLDERS)
    if program is None:
        raise Unavailable("signatures cannot be checked: there is no ssh-keygen", hint="install OpenSSH's client")
    try:
        return subprocess.run(
            [program, "-Y", what, *arguments],
            cwd=folder,
            # times in allowed_signers without a zone are taken for UTC, so that they mean the same everywhere
            env={"LANG": "C", "TZ": "UTC"},
            input=payload,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"a signature could not be checked: {printable_text(str(error))}") from error
