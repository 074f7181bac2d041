"""Logs of steps on a terminal or in a pipe: whole, or as they grow."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from pointsman.cli.client import Client, part
from pointsman.cli.follow import followed
from pointsman.cli.output import has_colour, painted, say
from pointsman.cli.tree import Node, run_node
from pointsman.model.names import nearest
from pointsman.model.problem import NotFound

_ENDED = frozenset({"succeeded", "failed", "lost", "rejected", "cancelled", "aborted", "skipped"})
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|$)"  # control sequences, one that the line cut off too
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c|$|(?=[\x1b\n]))"  # OSC, DCS, …
    r"|\x1b[ -/]*(?:[0-~]|$)",
    re.MULTILINE,
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def harmless_log(text: str, *, colours: bool) -> str:
    """A log that does nothing to a terminal, or nothing but colour it: no titles, links, cursor movements.

    A line that overwrites itself, such as a progress bar, becomes several.
    """

    def kept(found: "re.Match[str]") -> str:
        return found[0] if colours and _COLOUR.fullmatch(found[0]) else ""

    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", _SEQUENCE.sub(kept, text))


@dataclass(slots=True)
class LogPrinter:
    """Prints logs to standard output, `raw` byte for byte or harmless, `prefixed` with the keys of their steps."""

    raw: bool
    prefixed: bool
    _rest: dict[str, bytes] = field(default_factory=dict)

    def write(self, key: str, data: bytes, *, ended: bool = True) -> None:
        """More of a step's log; a line without its end waits for the rest of it until the step has `ended`."""
        if self.raw and not self.prefixed:
            self._bytes(data)
            return
        data = self._rest.pop(key, b"") + data
        end = len(data) if ended else data.rfind(b"\n") + 1
        if end < len(data):
            self._rest[key] = data[end:]
        if not data[:end]:
            return
        whole = data[:end]
        if not self.raw:
            text = harmless_log(whole.decode("utf-8", "replace"), colours=has_colour(sys.stdout))
            whole = text.encode("utf-8")
        if self.prefixed:
            prefix = painted(f"{key} │ ", sys.stdout, "cyan").encode("utf-8")
            whole = b"".join(prefix + line + b"\n" for line in whole.removesuffix(b"\n").split(b"\n"))
        self._bytes(whole)

    def _bytes(self, data: bytes) -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def chosen(root: Node, step: str | None) -> tuple[Node, ...]:
    """The changes that are meant by a key or a name, or all; `NotFound` with the nearest name."""
    nodes = list(root.below())
    if step is not None:
        by_name = [node for node in nodes if node.name.casefold() == step.casefold()]
        found = [node for node in nodes if node.key == step] or (by_name if len(by_name) == 1 else [])
        if not found:
            near = nearest(step, [node.name for node in nodes])
            which = f"{len(by_name)} steps are called {step}" if by_name else f"there is no step {step}"
            keys = ", ".join(node.key for node in by_name)
            raise NotFound(which, hint=f"give its key: {keys}" if keys else f"did you mean {near!r}?" if near else "")
        nodes = list(found[0].below())
    return tuple(node for node in nodes if node.kind == "change" and not node.children)


def whole_logs(client: Client, run: str, step: str | None, *, attempt: int | None, raw: bool) -> None:
    """Print what the steps have written so far."""
    root = run_node(client.get(f"runs/{part(run)}"))
    nodes = chosen(root, step)
    started = [node for node in nodes if node.attempt]
    if not started:
        say("nothing was started, so there is no log")
        return
    printer = LogPrinter(raw=raw, prefixed=step is None or len(nodes) > 1)
    for node in started:
        wanted = attempt or node.attempt
        printer.write(node.key, client.text(f"runs/{part(run)}/steps/{node.key}/log", attempt=wanted))


def followed_logs(client: Client, run: str, step: str | None, *, raw: bool) -> None:
    """Print what the steps write until they have ended; Ctrl-C ends only the reading."""
    read: dict[tuple[str, int], int] = {}
    done: set[str] = set()
    printer: LogPrinter | None = None
    for news in followed(client, run):
        nodes = chosen(run_node(news.run), step)
        printer = printer or LogPrinter(raw=raw, prefixed=step is None or len(nodes) > 1)
        for node in _unfinished(nodes, done):
            mark = (node.key, node.attempt)
            offset = read.get(mark, 0)
            ended = node.state in _ENDED
            path = f"runs/{part(run)}/steps/{node.key}/log"
            data = client.text(path, attempt=node.attempt, offset=offset) if node.attempt else b""
            read[mark] = offset + len(data)
            printer.write(node.key, data, ended=ended)
            if ended:
                done.add(node.key)
        if len(done) == len(nodes):
            return


def _unfinished(nodes: tuple[Node, ...], done: set[str]) -> Iterator[Node]:
    return (node for node in nodes if node.key not in done and (node.attempt or node.state in _ENDED))
