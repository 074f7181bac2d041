"""Watching a run until it is over: a live tree on a terminal, else one line for each thing that happens."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    try:
        looks = followed(client, str(number))
        if quiet:
            return _last(looks, until_gate, lambda _: None)
        if is_terminal(sys.stdout) and not to_stderr:
            return _watched_live(looks, until_gate)
        return _watched_in_lines(looks, until_gate, say if to_stderr else put)
    except KeyboardInterrupt:
        say(f"\nrun {number} goes on; look at it with: pointsman runs watch {number}")
        raise


def exit_code(run: Run) -> int:
    """What a watched run comes to."""
    return EXIT_CODES.get(run["state"], AT_GATE)


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


def _last(looks: Iterator[News], until_gate: bool, show: Callable[[News], None]) -> Run:  # noqa: FBT001 - private
    """Each look shown, and the run at the last one that is of interest."""
    run: Run = {}
    for news in looks:
        run = news.run
        show(news)
        if run["state"] not in OPEN_STATES or (until_gate and open_gates(run)):
            break
    return run


def _watched_in_lines(looks: Iterator[News], until_gate: bool, write: Callable[[str], None]) -> Run:  # noqa: FBT001 - private
    told: set[tuple[str, float | None]] = set()

    def show(news: News) -> None:
        names = {node.key: node.name for node in run_node(news.run).below()}
        for event in news.events:
            write(event_line(event, names, news.run["number"]))
        _tell_gates(news.run, told)

    run = _last(_with_all_events(looks), until_gate, show)
    sys.stdout.flush()
    return run


def _with_all_events(looks: Iterator[News]) -> Iterator[News]:
    """The looks; one that shows more than has been told of is held back until it is told."""
    held: News | None = None
    for news in looks:
        over = news.run["state"] not in OPEN_STATES
        ended = any(event["type"] == "run_ended" for event in news.events)
        if over and not ended and not news.events and held is None:
            held = news
            continue
        held = None
        yield news
    if held is not None:
        yield held


def _tell_gates(run: Run, told: set[tuple[str, float | None]]) -> None:
    for gate in open_gates(run):
        if (gate.key, gate.started_at) not in told:
            told.add((gate.key, gate.started_at))
            say(gate_words(run, gate))


def _watched_live(looks: Iterator[News], until_gate: bool) -> Run:  # noqa: FBT001 - private
    with _live() as draw:
        run = _last(looks, until_gate, lambda news: draw(news.run))
    put_tree(run_node(run), now=time.time(), stream_is_terminal=True)
    say(f"run {run['number']} {'waits' if run['state'] == 'waiting' else run['state']}")
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


def _header(run: Run) -> Sequence[str]:
    blockers = ", ".join(str(number) for number in run.get("blocked_by", ()))
    waits = f"; it waits for run {blockers}" if blockers else ""
    return [f"run {run['number']} is {run['state']}{waits}: {run['url']}  (Ctrl-C leaves it running)"]
