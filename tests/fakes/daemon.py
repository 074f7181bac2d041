"""A real daemon for tests: `pointsman serve` in its own process on a free port, killed or stopped by the test."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

READY_SECONDS = 30
SETTLE_SECONDS = 60


class TooLateError(AssertionError):
    """What was waited for did not come."""


@dataclass
class Answer:
    """An HTTP answer; `json` is its body read as such."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Daemon:
    """One daemon on a repository, by its path or URL, over its starts and ends. `args` go to `pointsman serve`."""

    repository: Path | str
    data: Path
    args: tuple[str, ...] = ("--workers", "2")
    environ: dict[str, str] = field(default_factory=dict)
    token: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    url: str = ""
    process: subprocess.Popen[str] | None = None

    def start(self) -> "Daemon":
        """Start, and wait for the line that says it is ready."""
        port = re.sub(r"\D", "", self.url.rsplit(":", 1)[-1]) or "0"
        command = [
            sys.executable, "-m", "pointsman", "serve", str(self.repository),
            "--data", str(self.data), "--listen", f"127.0.0.1:{port}", *self.args,
        ]  # fmt: skip
        self.errors = (self.data.parent / f"{self.data.name}.stderr").open("ab")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.errors, text=True, env={**os.environ, **self.environ}
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = re.search(r"http://\S+", line)
        if match is None:
            self.process.wait(10)
            self._gone()
            raise AssertionError(f"the daemon did not start: {line!r} {self.stderr()}")
        self.url = match[0].rstrip("/")
        return self

    def stderr(self) -> str:
        """What the daemon has said so far on standard error."""
        return (self.data.parent / f"{self.data.name}.stderr").read_text("utf-8", "replace")

    def kill(self) -> None:
        """`kill -9`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self._gone()

    def stop(self, seconds: float = 20) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        finally:
            self.process.kill()
        self._gone()
        return code

    def _gone(self) -> None:
        assert self.process is not None
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.errors.close()
        self.process = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request; `path` is below `/api/v1` unless it starts with `//`."""
        address = self.url + (path[1:] if path.startswith("//") else f"/api/v1/{path}")
        request = urllib.request.Request(address, method=method)
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self.token and "Authorization" not in headers:
            request.add_header("Authorization", f"Bearer {self.token}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, data, timeout=30) as response:
                return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())

    def get(self, path: str) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.ask("GET", path)
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json

    def post(self, path: str, body: Any = None) -> Any:
        """The JSON of a POST that must succeed."""
        answer = self.ask("POST", path, {} if body is None else body)
        assert answer.status in {200, 201}, (answer.status, answer.body)
        return answer.json

    @contextmanager
    def acting_as(self, token: str) -> Iterator["Daemon"]:
        """Requests inside carry another token."""
        before, self.token = self.token, token
        try:
            yield self
        finally:
            self.token = before

    def until(self, what: Callable[[], Any], words: str, seconds: float = SETTLE_SECONDS) -> Any:
        """The first true value that `what` gives."""
        end = time.monotonic() + seconds
        while True:
            value = what()
            if value:
                return value
            if time.monotonic() > end:
                raise TooLateError(f"{words} did not happen within {seconds} s; stderr: {self.stderr()[-2000:]}")
            time.sleep(0.02)

    def run_in(self, run: int | str, *states: str) -> Any:
        """The run once it is in one of these states."""

        def reached() -> Any:
            found = self.get(f"runs/{run}")
            return found if found["state"] in states else None

        return self.until(reached, f"run {run} in {' or '.join(states)}")


def steps_of(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every step of a run or plan by its key."""
    found: dict[str, dict[str, Any]] = {}
    waiting = list(run["steps"])
    while waiting:
        step = waiting.pop()
        found[step["key"]] = step
        waiting += step["children"]
    return found
