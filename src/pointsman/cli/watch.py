"""Watching a run until it is over: a live tree on a terminal, else one line for each thing that happens."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pointsman.cli.client import Client
from pointsman.cli.follow import OPEN_STATES, News, event_line, followed
from pointsman.cli.output import is_terminal, put, say
from pointsman.cli.tree import Node, console_colours, put_tree, rich_tree, run_node

EXIT_CODES = {"succeeded": 0, "failed": 1, "cancelled": 1, "rejected": 5}
AT_GATE = 3
_LINES_BESIDE_TREE = 4
_FRAMES_PER_SECOND = 8
Run = Mapping[str, Any]


def watched(client: Client, number: object, *, until_gate: bool, quiet: bool = False, to_stderr: bool = False) -> Run:
    """The run once it is over, or with `until_gate` once a gate waits; shown as it goes, unless `quiet`.

    Ctrl-C only ends the watching; the run goes on, and that is said.
    """
    looks = followed(client, str(number))
    try:
        if quiet:
            return _watched_quietly(looks, until_gate=until_gate)
        if is_terminal(sys.stdout) and not to_stderr:
            return _watched_live(looks, until_gate=until_gate)
        return _watched_in_lines(looks, say if to_stderr else put, until_gate=until_gate)
    except KeyboardInterrupt:
        say(f"\nrun {number} goes on; look at it with: pointsman runs watch {number}")
        raise
    finally:
        looks.close()


def exit_code(run: Run) -> int:
    """What a watched run comes to."""
    return EXIT_CODES.get(str(run["state"]), AT_GATE)


def open_gates(run: Run) -> list[Node]:
    """The steps at which a run waits for people."""
    return [node for node in run_node(run).below() if node.kind in {"wait", "approval"} and node.state == "waiting"]


def gate_words(run: Run, gate: Node) -> str:
    """Where a gate is, and what to type to decide it."""
    verb = "approve" if gate.kind == "approval" else "continue"
    by = f", {gate.work}" if gate.work else ""
    return (
        f"step {gate.key} waits: {gate.name} ({gate.kind}{by})\n"
        f"  {run['url']}/gate/{gate.key}\n"
        f"  pointsman {verb} {run['number']}:{gate.key}\n"
        f"  pointsman reject {run['number']}:{gate.key}"
    )


def _watched_quietly(looks: Iterator[News], *, until_gate: bool) -> Run:
    run: Run = {}
    for news in looks:
        run = news.run
        if until_gate and open_gates(run):
            break
    _tell_gates(run, set())
    return run


def _watched_in_lines(looks: Iterator[News], write: Callable[[str], None], *, until_gate: bool) -> Run:
    run: Run = {}
    told: set[tuple[str, float | None]] = set()
    opened: set[str] = set()
    for news in looks:
        run = news.run
        names = {node.key: node.name for node in run_node(run).below()}
        for event in news.events:
            write(event_line(event, names, run["number"]))
            if event["type"] == "gate_opened":
                opened.add(event["step"])
        sys.stdout.flush()
        waiting = [gate for gate in open_gates(run) if gate.key in opened]
        if waiting:
            _tell_gates(run, told)
        if waiting and until_gate:
            break
    return run


def _tell_gates(run: Run, told: set[tuple[str, float | None]]) -> None:
    for gate in open_gates(run):
        if (gate.key, gate.started_at) not in told:
            told.add((gate.key, gate.started_at))
            say(gate_words(run, gate))


def _watched_live(looks: Iterator[News], *, until_gate: bool) -> Run:
    run: Run = {}
    with _live() as draw:
        for news in looks:
            run = news.run
            draw(run)
            if run["state"] not in OPEN_STATES or (until_gate and open_gates(run)):
                break
    put_tree(run_node(run), now=time.time(), stream_is_terminal=True)
    _tell_gates(run, set())
    say(f"run {run['number']} {'waits at a gate' if run['state'] in OPEN_STATES else run['state']}")
    return run


@contextmanager
def _live() -> Iterator[Callable[[Run], None]]:
    """A place on the terminal that shows the run last drawn, as much of it as there is room for."""
    from rich.console import Console, Group  # noqa: PLC0415 - only for who looks
    from rich.live import Live  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    console = Console(highlight=False, **console_colours())
    with Live(console=console, refresh_per_second=_FRAMES_PER_SECOND, transient=True, auto_refresh=False) as live:

        def draw(run: Run) -> None:
            gates = [line for gate in open_gates(run) for line in gate_words(run, gate).splitlines()]
            words = Text("\n".join(_header(run) + gates), no_wrap=True, overflow="ellipsis")
            room = max(3, console.size.height - len(gates) - _LINES_BESIDE_TREE)
            live.update(Group(rich_tree(run_node(run), now=time.time(), room=room), words), refresh=True)

        yield draw


def _header(run: Run) -> list[str]:
    blockers = ", ".join(str(number) for number in run.get("blocked_by", ()))
    waits = f"; it waits for run {blockers}" if blockers else ""
    return [f"run {run['number']} is {run['state']}{waits}: {run['url']}  (Ctrl-C leaves it running)"]
