"""SSH keys and signed tags for tests, made by the real ssh-keygen and git."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from fakes.git import Repository


@dataclass(frozen=True)
class Key:
    """A key pair; `path` is the secret half."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "Key":
        """A new key without a passphrase."""
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
        return cls(path)

    @property
    def public(self) -> str:
        """Kind and key, as they stand in `allowed_signers` and `authorized_keys`."""
        return self.path.with_suffix(".pub").read_text("utf-8").strip()

    def allows(self, principal: str = "ann@example.com", options: str = "") -> str:
        """A line of `allowed_signers`."""
        return f"{principal} {options} {self.public}\n"

    def sign(self, text: bytes, *, purpose: str = "git") -> bytes:
        """An armoured signature."""
        command = ["ssh-keygen", "-q", "-Y", "sign", "-n", purpose, "-f", str(self.path)]
        return subprocess.run(command, input=text, capture_output=True, check=True).stdout


def signed_tag(repository: Repository, name: str, key: Key, commit: str = "") -> str:
    """The id of the signed tag object that git made."""
    configured = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={key.path}")
    repository.git(*configured, "tag", "-f", "-s", "-m", f"Release {name}", name, commit or repository.head())
    return repository.git("rev-parse", f"refs/tags/{name}")
