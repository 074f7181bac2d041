"""An editor's side of the language server protocol, over a real server's standard input and output."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Message = dict[str, Any]


class Editor:
    """Starts a language server and speaks with it; what the server asks for is answered with `settings`."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        *,
        settings: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.notifications: list[Message] = []
        self._settings = settings or {}
        self._numbers = count(1)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={**os.environ, **(environment or {})},
        )

    def __enter__(self) -> Self:
        self.capabilities = self.asked(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": self.folder.as_uri(),
                "workspaceFolders": [{"uri": self.folder.as_uri(), "name": self.folder.name}],
                "capabilities": {
                    "general": {"positionEncodings": ["utf-16"]},
                    "workspace": {"configuration": True, "workspaceFolders": True},
                    "textDocument": {
                        "completion": {"completionItem": {"snippetSupport": False}},
                        "hover": {"contentFormat": ["markdown"]},
                        "publishDiagnostics": {},
                    },
                },
            },
        )["capabilities"]
        self.tell("initialized", {})
        if self._settings:
            self.tell("workspace/didChangeConfiguration", {"settings": self._settings})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.asked("shutdown", None)
            self.tell("exit", None)
            assert self._process.wait(timeout=20) == 0
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def uri(self, path: str) -> str:
        """How the protocol names a file in the folder."""
        return (self.folder / path).as_uri()

    def open(self, path: str, text: str | None = None) -> None:
        """Open a file, with a text that was not saved if one is given."""
        text = (self.folder / path).read_text("utf-8") if text is None else text
        document = {"uri": self.uri(path), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def change(self, path: str, text: str, version: int = 2) -> None:
        """Replace the whole text of an open file."""
        document = {"uri": self.uri(path), "version": version}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def at(self, request: str, path: str, line: int, character: int) -> Any:
        """The answer to a question about a position: `completion`, `hover`, `definition`."""
        return self.asked(
            f"textDocument/{request}",
            {"textDocument": {"uri": self.uri(path)}, "position": {"line": line, "character": character}},
        )

    def labels(self, path: str, line: int, character: int) -> list[str]:
        """The labels of the completions at a position."""
        found = self.at("completion", path, line, character)
        items = found["items"] if isinstance(found, dict) else found or []
        return [item["label"] for item in items]

    def diagnostics(self, path: str, *, when: Callable[[list[Message]], bool] = lambda _: True) -> list[Message]:
        """The next diagnostics of a file that are as is waited for."""
        while True:
            for place, told in enumerate(self.notifications):
                about = told.get("params") or {}
                if told["method"] == "textDocument/publishDiagnostics" and about["uri"] == self.uri(path):
                    del self.notifications[place]
                    if when(about["diagnostics"]):
                        found: list[Message] = about["diagnostics"]
                        return found
                    break
            else:
                self._take(self._read())

    def asked(self, method: str, params: Any) -> Any:
        """The answer to a request."""
        number = next(self._numbers)
        self._write({"id": number, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message["result"]
            self._take(message)

    def tell(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._write({"method": method, "params": params})

    def _take(self, message: Message) -> None:
        if "id" in message:
            wanted = message["method"] == "workspace/configuration"
            sections = [item.get("section") for item in message["params"]["items"]] if wanted else []
            result = [self._settings.get(section) for section in sections] if wanted else None
            self._write({"id": message["id"], "result": result})
        else:
            self.notifications.append(message)

    def _write(self, message: Message) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self._process.stdin.flush()

    def _read(self) -> Message:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the server has ended"
        found: Message = json.loads(self._process.stdout.read(length))
        return found
