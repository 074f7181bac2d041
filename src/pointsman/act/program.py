"""Starting one process of an action, and saying in a sentence why it could not be. Standard library only."""

import errno
import os
import signal
from collections.abc import Mapping
from typing import Any

SHELL = ("bash", "-eo", "pipefail", "-c")
# ignored signals are inherited: Python ignores SIGPIPE (`yes | head` would never end), nohup SIGHUP, a shell's & SIGINT
ANSWERED = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


class NotStartedError(Exception):
    """The program could not be started; the sentence says why and what to do."""


def spawned(phase: Mapping[str, Any], env: Mapping[str, str], output: int) -> int:
    """The process id of a phase's program: in a session of its own, in this folder, without input or terminal."""
    argv = [*SHELL, phase["script"]] if phase["script"] else list(phase["command"])
    program = _located(argv[0], env.get("PATH", ""))
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_DUP2, output, 2),
    ]
    try:
        return os.posix_spawn(
            program, argv, env, file_actions=actions, setsid=True, setsigdef=ANSWERED, setsigmask=[]
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise NotStartedError(_why(argv[0], program, error)) from error


def _located(name: str, path: str) -> str:
    """The file that a name on `PATH` means; a name with a slash means itself."""
    if "/" in name:
        return name
    for folder in path.split(":"):
        candidate = f"{folder or '.'}/{name}"
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise NotStartedError(f"there is no program {name!r} on the PATH of steps ({path})")


def _why(name: str, program: str, error: OSError | ValueError) -> str:
    code = error.errno if isinstance(error, OSError) else 0
    if code == errno.E2BIG:
        return f"{name} cannot be started: its arguments and variables are too long together"
    if code == errno.EACCES and os.path.isfile(program):
        return f"{name} is not executable; run: git update-index --chmod=+x {name.removeprefix('./')}"
    if code == errno.ENOENT and os.path.exists(program):
        return _missing_interpreter(name, program)
    if code == errno.ENOENT:
        return f"there is no file {name} in the template's folder"
    if code == errno.ENOEXEC:
        return f"{name} is no program: its first line must name one, such as #!/bin/sh"
    return f"{name} cannot be started: {error}"


def _missing_interpreter(name: str, program: str) -> str:
    with open(program, "rb") as file:
        first = file.readline(200)
    interpreter = first.removeprefix(b"#!").strip().split(b" ")[0].decode("utf-8", "replace")
    if first.endswith(b"\r\n"):
        return f"the first line of {name} ends in a carriage return; save the file with Unix line ends"
    return f"the first line of {name} names {interpreter}, which does not exist on this machine"
