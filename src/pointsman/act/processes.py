"""The processes below a supervisor: which there are, reaping them, and signals that reach all of a group.

Standard library only.
"""

import os


def some_left() -> bool:
    """Whether this process has children left, after those that have ended were reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def children() -> list[int]:
    """Processes whose parent is this one: as subreaper it inherits every orphan below it."""
    me, found = str(os.getpid()), []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if fields[1].decode() == me:
                found.append(int(name))
    return found


def signal_all(pid: int, number: int) -> None:
    """The signal to the process and to the group it leads, if it leads one."""
    for send in (os.killpg, os.kill):
        try:
            send(pid, number)
        except (ProcessLookupError, PermissionError):
            continue
