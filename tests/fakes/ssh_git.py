"""A Git server over ssh for tests: a real sshd on a free port, with keys of its own in a temporary folder."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
_READY_SECONDS = 20


def need_sshd() -> str:
    """The path of sshd; without it the test is skipped, and in CI it fails."""
    if SSHD is not None:
        return SSHD
    says = "sshd is missing; install it with: apt-get install openssh-server"
    if os.environ.get("CI") == "true":
        pytest.fail(says)
    pytest.skip(says)


def new_key(path: Path, comment: str) -> str:
    """The public part of a new key at this path, as one line of `authorized_keys`."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text("utf-8").strip()


@contextmanager
def served_over_ssh(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """What stands before a path in a URL, and the variables that let Git log in there."""
    sshd = need_sshd()
    folder.mkdir(mode=0o700)
    new_key(folder / "host", "host")
    (folder / "authorized").write_text(new_key(folder / "user", "user") + "\n", "utf-8")
    port = _free_port()
    config = folder / "config"
    lines = {
        "Port": port, "ListenAddress": "127.0.0.1", "HostKey": folder / "host", "PidFile": folder / "pid",
        "AuthorizedKeysFile": folder / "authorized", "PasswordAuthentication": "no", "PermitRootLogin": "yes",
        "KbdInteractiveAuthentication": "no", "UsePAM": "no", "StrictModes": "no", "PermitUserEnvironment": "no",
        "PrintMotd": "no",
    }  # fmt: skip
    config.write_text("".join(f"{key} {value}\n" for key, value in lines.items()), "utf-8")
    _privilege_separation()
    log = (folder / "log").open("wb")
    server = subprocess.Popen([sshd, "-D", "-e", "-f", str(config)], stderr=log, stdin=subprocess.DEVNULL)
    try:
        _wait(server, port, folder / "log")
        ssh = (
            f"ssh -F /dev/null -i {folder / 'user'} -o IdentitiesOnly=yes -o BatchMode=yes "
            f"-o StrictHostKeyChecking=no -o UserKnownHostsFile={folder / 'known'} -o LogLevel=ERROR"
        )
        yield f"ssh://{getpass.getuser()}@127.0.0.1:{port}", {"GIT_SSH_COMMAND": ssh}
    finally:
        server.terminate()
        server.wait()
        log.close()


def _privilege_separation() -> None:
    """Debian's sshd, started as root, wants this folder, which its service makes."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _wait(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + _READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert server.poll() is None, log.read_text("utf-8", "replace")
            assert time.monotonic() < end, "sshd did not start"
            time.sleep(0.02)
        else:
            return
