"""The warm process that supervisors are forked from: an interpreter start a step would cost ten times as much.

Standard library only; started with `python -I -S`. It reads one request after another from its socket (a length, and
with it a socket for news; then the specification as JSON), forks, and ends when the daemon does.
"""

import json
import os
import signal
import socket
import struct

from pointsman.act.supervisor import supervise

HEAD = struct.Struct("<I")


def main() -> None:
    """Serve the socket on descriptor 0 until the other side closes it."""
    requests = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended supervisors need no reaping
    while True:
        request = _request(requests)
        if request is None:
            return
        body, news = request
        if os.fork() == 0:
            status = 1
            try:
                requests.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                supervise(json.loads(body), news)
                status = 0
            finally:
                os._exit(status)
        news.close()


def _request(requests: socket.socket) -> tuple[bytes, socket.socket] | None:
    head, handles, _, _ = socket.recv_fds(requests, HEAD.size, 1)
    if not head:
        return None
    os.set_inheritable(handles[0], False)  # else the action could write a result of its own on it
    length = _received(requests, HEAD.size, head)
    body = length and _received(requests, HEAD.unpack(length)[0])
    return (body, socket.socket(fileno=handles[0])) if body else None


def _received(requests: socket.socket, size: int, begun: bytes = b"") -> bytes | None:
    """So many bytes; None if the daemon has ended before it sent them all."""
    data = bytearray(begun)
    while len(data) < size:
        chunk = requests.recv(min(size - len(data), 1 << 20))
        if not chunk:
            return None
        data += chunk
    return bytes(data)


if __name__ == "__main__":
    main()
