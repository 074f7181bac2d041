"""The git program, as it is run for a mirror: nobody's configuration, no prompt, no hook, and an end to everything."""

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pointsman.model.problem import Unavailable
from pointsman.repo.printable import printable_line
from pointsman.repo.remote import Remote

LARGEST_FILE_BYTES = 8 * 1024**3

# Beside what every program needs: how the operator lets git reach a host. All else of the daemon's environment, and
# every other GIT_ variable, stays away.
PASSED_ON = (
    "PATH", "HOME", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_CONFIG_GLOBAL", "GIT_SSL_CAINFO",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
    "NO_PROXY",
)  # fmt: skip

_MOST_OUTPUT = 256 * 1024 * 1024
_MOST_ERRORS = 64 * 1024
_LONGEST_REASON = 300
_PIECE = 1 << 16
_SAFE = (
    "fetch.fsckObjects=true", "transfer.fsckObjects=true", "core.hooksPath=/dev/null", "core.fsmonitor=false",
    "protocol.allow=never", "maintenance.auto=false", "gc.autoDetach=false",
)  # fmt: skip
# limits are set before git is there, and hold for all that it starts; POSIX counts blocks of 512 bytes, and a limit
# that cannot be set is lower already
_LIMITED = f'ulimit -c 0; ulimit -f {LARGEST_FILE_BYTES // 512}; exec "$@"'
_HINTS = (
    (re.compile("Host key verification failed"), "add the host's key to known_hosts of the user who runs Pointsman"),
    (
        re.compile("could not read (Username|Password)|Authentication failed|Permission denied"),
        "give git what it needs to log in: SSH_AUTH_SOCK, GIT_SSH_COMMAND, GIT_ASKPASS or GIT_CONFIG_GLOBAL",
    ),
)


class GitProgram:
    """Runs git in one bare repository for one remote."""

    def __init__(self, folder: Path, remote: Remote, environ: Mapping[str, str]) -> None:
        options = [*_SAFE, *(f"protocol.{protocol}.allow=always" for protocol in remote.protocols)]
        flags = [part for option in options for part in ("-c", option)]
        self._command = ("/bin/sh", "-c", _LIMITED, "sh", "git", *flags)
        self._folder, self._remote = folder, remote
        self._environ = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
            **{name: environ[name] for name in PASSED_ON if name in environ},
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_DIR": str(folder),
            "LC_ALL": "C.UTF-8",
        }

    async def output(self, *arguments: str, seconds: float, stdin: bytes = b"") -> bytes:
        """What git prints. `Unavailable` with git's reason if it fails or takes too long. Nothing of it runs on."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._folder,
            env=self._environ,
            start_new_session=True,  # no terminal to ask on, and one group to end
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(seconds):
                (output, errors, _) = await asyncio.gather(
                    _beginning(process.stdout, _MOST_OUTPUT), _beginning(process.stderr, _MOST_ERRORS),
                    _fed(process.stdin, stdin),
                )  # fmt: skip
                code = await process.wait()
        except TimeoutError:
            raise Unavailable(f"git took more than {seconds:.0f} s", hint="look whether the host answers") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if code or len(output) >= _MOST_OUTPUT:
            raise self._failed(code, errors)
        return output

    def _failed(self, code: int, errors: bytes) -> Unavailable:
        text = errors.replace(self._remote.url.encode(), self._remote.shown.encode())
        hint = next((hint for pattern, hint in _HINTS if pattern.search(text.decode("utf-8", "replace"))), "")
        reason = _reason(text) or (f"git ended with exit code {code}" if code else "git printed too much")
        return Unavailable(reason, hint=hint or "try it by hand with: git ls-remote")


def _reason(errors: bytes) -> str:
    """The first line that says what is wrong: those after it are about what follows from that."""
    lines = [line.strip() for line in errors.splitlines()]
    lines = [line for line in lines if line and not line.lower().startswith((b"warning:", b"hint:"))]
    said = printable_line(lines[0])[:_LONGEST_REASON] if lines else ""
    # git repeats a URL in pieces, too
    return re.sub(r"(https?://)[^/@\s']*@", r"\1…@", said.removeprefix("fatal: ").removeprefix("error: "))


async def _beginning(stream: asyncio.StreamReader, most: int) -> bytes:
    """The first `most` bytes of a stream, which is read to its end."""
    kept = bytearray()
    while piece := await stream.read(_PIECE):
        kept += piece[: most - len(kept)]
    return bytes(kept)


async def _fed(stream: asyncio.StreamWriter, data: bytes) -> None:
    with suppress(ConnectionError):  # it ended without reading all; its exit code says why
        stream.write(data)
        await stream.drain()
    stream.close()
