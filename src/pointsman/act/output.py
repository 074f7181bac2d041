"""What an action writes: a log, byte for byte up to its cap, with the times beside it. Standard library only.

The times file holds pairs of 64-bit numbers, little-endian: an offset in the log, and the milliseconds since 1970 at
which the bytes from there on arrived. It is made with the first byte; an action that says nothing leaves no file.
"""

import hashlib
import os
import struct
import time

PAIR = struct.Struct("<QQ")


class Output:
    """Writes one attempt's log. A disk that is full costs log lines, never the action: `trouble` then says so."""

    def __init__(self, log: str, times: str, limit: int) -> None:
        self._paths, self._limit = (log, times), limit
        self._files: tuple[int, int] | None = None
        self._hash = hashlib.sha256()
        self._stamped = 0
        self.bytes = 0
        self.cut = False
        self.trouble = ""

    @property
    def sha256(self) -> str:
        """The hash of what was written so far."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Append to the log; what is over the cap is dropped, with one line that says so."""
        if self.cut:
            return
        room = self._limit - self.bytes
        if len(data) > room:
            self.cut = True
            data = data[:room] + f"\n[the log ends here: it reached its limit of {self._limit} bytes]\n".encode()
        try:
            self._append(data)
        except OSError as error:
            self.trouble = f"the log is incomplete: {os.strerror(error.errno or 0)}"

    def _append(self, data: bytes) -> None:
        if self._files is None:
            self._files = self._opened()
        log, times = self._files
        now = time.time_ns() // 1_000_000
        if now != self._stamped:  # else an action that writes byte by byte has more times than log
            os.write(times, PAIR.pack(self.bytes, now))
            self._stamped = now
        while data:
            written = os.write(log, data)
            self._hash.update(data[:written])
            self.bytes += written
            data = data[written:]

    def _opened(self) -> tuple[int, int]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        log = os.open(self._paths[0], flags, 0o600)
        try:
            return log, os.open(self._paths[1], flags, 0o600)
        except OSError:  # both or none: it is tried again when more is written
            os.close(log)
            os.unlink(self._paths[0])
            raise

    def finish(self) -> None:
        """Make what was written safe against a power loss."""
        if self._files is None:
            return
        try:
            os.fsync(self._files[0])
        except OSError as error:
            self.trouble = f"the log is incomplete: {os.strerror(error.errno or 0)}"
        for file in self._files:
            os.close(file)
