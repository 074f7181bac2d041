"""`pointsman inbox`, `continue`, `approve` and `reject`: what waits for you, and what you say to it."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import click

from pointsman.cli.client import Client, daemon_at, part
from pointsman.cli.options import json_option, quiet_option, server_options
from pointsman.cli.output import put, put_json, put_table, say
from pointsman.cli.tree import one_line, seconds
from pointsman.model.names import workflow_codes
from pointsman.web.words import counted, took

Decision = Literal["continue", "approve", "reject"]
F = TypeVar("F", bound=Callable[..., Any])
_GATE = re.compile(r"[A-Za-z0-9]+:[0-9]+(\.[0-9]+)*")
_HEADINGS = ("GATE", "KIND", "NAME", "WORKFLOW", "STARTED BY", "WAITS FOR")
_MOST_GATES = 1000


@click.command(epilog="Example: pointsman inbox -q | xargs -n1 pointsman approve -m 'reviewed'")
@click.option("--all", "everything", is_flag=True, help="Those of others too, as far as you may view them.")
@json_option
@quiet_option
@server_options
def inbox(server: str, *, everything: bool, as_json: bool, quiet: bool) -> None:
    """Print the open gates that you may decide, oldest first."""
    found = list(daemon_at(server).items("gates", most=_MOST_GATES, all="true" if everything else None))
    if as_json:
        put_json(found)
    elif quiet:
        for gate in found:
            put(gate["id"])
    else:
        now = time.time()
        put_table(_HEADINGS, [_row(gate, now) for gate in found], nothing="nothing waits for you")


def _row(gate: Mapping[str, Any], now: float) -> tuple[str, ...]:
    opened = seconds(gate["opened_at"])
    return (
        gate["id"],
        gate["kind"],
        gate["name"],
        f"{'/'.join(workflow_codes(gate['workflow']))}@{gate['version']}",
        gate["started_by"],
        "" if opened is None else took(now - opened),
    )


def _deciding(function: F) -> F:
    gate = click.argument("gate", metavar="GATE")
    message = click.option("-m", "--message", default="", help="What you have to say; it is kept with the run.")
    return gate(message(server_options(function)))


@click.command("continue", epilog="Example: pointsman continue 12:4 -m 'both pages look right'")
@_deciding
def continue_(gate: str, message: str, server: str) -> None:
    """Let a run go on that waits.

    GATE is RUN:STEP, for example 12:4.
    """
    decide(daemon_at(server), gate, "continue", message=message)


@click.command(epilog="Example: pointsman approve 12:5")
@_deciding
def approve(gate: str, message: str, server: str) -> None:
    """Approve what a run asks approval for.

    GATE is RUN:STEP, for example 12:5. What is approved is the plan as it is shown, and this opening of the gate.
    """
    decide(daemon_at(server), gate, "approve", message=message)


@click.command(epilog="Example: pointsman reject 12:5 -m 'not on a Friday'")
@_deciding
def reject(gate: str, message: str, server: str) -> None:
    """Stop a run at its gate.

    GATE is RUN:STEP, for example 12:5. The run ends rejected.
    """
    decide(daemon_at(server), gate, "reject", message=message)


def decide(client: Client, gate: str, decision: Decision, *, message: str) -> None:
    """Show a gate and say this to it, bound to the plan and the opening that were shown (R79)."""
    if _GATE.fullmatch(gate) is None:
        raise click.BadParameter(f"{gate!r} is not RUN:STEP, for example 12:4", param_hint="GATE")
    found = client.get(f"gates/{part(gate)}")
    say(_shown(found))
    body = {"decision": decision, "digest": found["digest"], "opening": found["opening"]}
    decided = client.post(f"gates/{part(gate)}/decision", {**body, "message": message} if message else body)
    more = f", {counted(decided['needed'], 'more approval')} needed" if decided["needed"] else ""
    put(f"{decided['id']} {decided.get('state') or decision}{more}")


def _shown(gate: Mapping[str, Any]) -> str:
    """What is decided here: the gate, the run it is in, and what it lets start."""
    workflow = "/".join(workflow_codes(gate["workflow"])) if gate.get("workflow") else f"run {gate['run']}"
    version = f"@{gate['version']}" if gate.get("version") else ""
    lines = [
        f"{gate['kind']} {gate['id']}: {one_line(gate['name'])}",
        f"  run {gate['run']} of {workflow}{version}, plan {gate['digest'][:12]}",
    ]
    for step in gate.get("next_steps", ()):
        work = f": {step['target']} › {step['action']}" if step.get("target") else ""
        lines.append(f"  then {step['key']} {one_line(step['name'])}{work}")
    return "\n".join(lines)
