"""The process that carries out one attempt and outlives the daemon. Standard library only.

It is forked from the warm process in `zygote`, takes the attempt's lock, has the action carried out, and leaves an exit
record: written under a temporary name, synced, renamed.
"""

import ctypes
import fcntl
import json
import os
import resource
import socket
import time
from typing import Any

from pointsman.act.attempt import Attempt

PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True)


def supervise(spec: dict[str, Any], news: socket.socket) -> None:
    """Carry out one attempt from its lock to its exit record. Never raises; never returns a result twice."""
    os.setsid()
    _LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    attempt = Attempt(spec)  # it answers TERM from here on: who knows our number from the lock may send it at once
    if not _lock_taken(spec["lock"]):
        return
    try:
        record = attempt.carried_out()
    except Exception as error:  # noqa: BLE001 - whatever it was, the daemon must learn how the attempt ended
        attempt.end_leftovers()
        record = attempt.record(reason=f"the supervisor failed: {error!r}", exit_code=None)
    attempt.close()
    _keep(spec["exit"], record)
    _tell(news, record)
    attempt.workspace.remove()


def _lock_taken(path: str) -> bool:
    """Whether this process is the first that may carry out the attempt, and the last."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    if os.fstat(lock).st_size:
        return False
    os.write(lock, str(os.getpid()).encode())
    return True


def _keep(path: str, record: dict[str, Any]) -> None:
    """Make the exit record last. A full disk is waited for: the result must not be lost for want of room (R112)."""
    while True:
        try:
            handle = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                left = json.dumps(record).encode()
                while left:  # a disk that is nearly full takes a part, and refuses the rest
                    left = left[os.write(handle, left) :]
                os.fsync(handle)
            finally:
                os.close(handle)
            os.rename(path + ".new", path)
        except FileNotFoundError:
            return  # the data directory was removed: there is nobody to keep it for
        except OSError:
            time.sleep(1)
        else:
            return


def _tell(news: socket.socket, message: dict[str, Any]) -> None:
    try:
        news.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        pass  # the daemon is gone; its successor reads the lock and the exit record
