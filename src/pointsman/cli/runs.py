"""`pointsman runs`: list, show, watch and cancel runs, and read their logs."""

import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from pointsman.cli.client import daemon_at, part
from pointsman.cli.logs import followed_logs, whole_logs
from pointsman.cli.options import given_metadata, json_option, quiet_option, server_options
from pointsman.cli.output import is_terminal, painted, put, put_json, put_table, say
from pointsman.cli.tree import put_tree, run_node, seconds
from pointsman.cli.watch import exit_code, gate_words, open_gates, watched
from pointsman.model.names import workflow_codes
from pointsman.web.words import took

_STATES = ("pending", "running", "waiting", "succeeded", "failed", "rejected", "cancelled")
_HEADINGS = ("RUN", "STATE", "WORKFLOW", "VERSION", "STARTED BY", "CREATED", "TOOK")


@click.group(epilog="Example: pointsman runs list --state waiting")
def runs() -> None:
    """List, show, watch and cancel runs, and read their logs."""


@runs.command("list", epilog="Example: pointsman runs list --workflow rollout-pipeline --state failed --limit 5")
@click.option("--state", "states", type=click.Choice(_STATES), multiple=True, help="Only in this state. Repeatable.")
@click.option("--workflow", help="Only of this workflow.")
@click.option("--started-by", metavar="NAME", help="Only by this person.")
@click.option("--since", metavar="TIME", help="Only created since then, such as 2026-06-04T12:00:00Z.")
@click.option("--metadata", metavar="KEY=VALUE", multiple=True, help="Only with this label. Repeatable.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@json_option
@quiet_option
@server_options
def list_(*, server: str, as_json: bool, quiet: bool, limit: int, **given: Any) -> None:  # noqa: ANN401 - options
    """Print runs, newest first."""
    given_metadata(given["metadata"])
    found = list(
        daemon_at(server).items(
            "runs",
            most=limit,
            state=given["states"] or None,
            workflow=given["workflow"],
            started_by=given["started_by"],
            since=given["since"],
            metadata=given["metadata"] or None,
        )
    )
    if as_json:
        put_json(found)
    elif quiet:
        for run in found:
            put(str(run["number"]))
    else:
        put_table(_HEADINGS, [_row(run, time.time()) for run in found], nothing="there is no such run")


def _row(run: Mapping[str, Any], now: float) -> tuple[str, ...]:
    blockers = ", ".join(str(number) for number in run.get("blocked_by", ()))
    started, finished = seconds(run["started_at"]), seconds(run["finished_at"])
    return (
        str(run["number"]),
        f"{run['state']} (for {blockers})" if blockers else run["state"],
        "/".join(workflow_codes(run["workflow"])),
        str(run["version"]),
        run["started_by"],
        _moment(run["created_at"]),
        "" if started is None else took((finished or now) - started),
    )


def _moment(text: str) -> str:
    """A time of the API without its fractions: `2026-06-04 12:00:00Z`."""
    return f"{text[:10]} {text[11:19]}Z"


@runs.command(epilog="Example: pointsman runs show 12")
@click.argument("run")
@json_option
@server_options
def show(run: str, server: str, *, as_json: bool) -> None:
    """Print a run with its steps as they stand."""
    found = daemon_at(server).get(f"runs/{part(run)}")
    if as_json:
        put_json(found)
        return
    for name, value in _facts(found):
        put(f"{painted(f'{name:12}', sys.stdout, dim=True)} {value}")
    put_tree(run_node(found), now=time.time(), stream_is_terminal=is_terminal(sys.stdout))
    for gate in open_gates(found):
        say(gate_words(found, gate))


def _facts(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "run", f"{run['number']} ({run['id']}), {run['state']}, attempt {run['attempt']}"
    tag = f" ({run['tag']})" if run.get("tag") else ""
    yield "workflow", f"{'/'.join(workflow_codes(run['workflow']))}, version {run['version']}{tag}"
    yield "targets", f"of commit {run['inventory_commit'][:10]}; plan {run['plan_digest'][:12]}"
    yield "created", f"{_moment(run['created_at'])} by {run['started_by']}"
    if run["started_at"] and run["finished_at"]:
        length = (seconds(run["finished_at"]) or 0) - (seconds(run["started_at"]) or 0)
        yield "finished", f"{_moment(run['finished_at'])}, after {took(length)}"
    if run.get("blocked_by"):
        yield "waits for", ", ".join(f"run {number}" for number in run["blocked_by"])
    for key, value in run["metadata"].items():
        yield "metadata", f"{key}={value}"
    yield "page", run["url"]


@runs.command(epilog="Example: pointsman runs watch 12")
@click.argument("run")
@server_options
def watch(run: str, server: str) -> int:
    """Follow a run until it is over; Ctrl-C leaves it running.

    Exits with 0 if it succeeded, 1 if it failed or was cancelled, 5 if somebody rejected it.
    """
    return exit_code(watched(daemon_at(server), run, until_gate=False))


@runs.command(epilog="Example: pointsman runs logs 12 2.1 --follow")
@click.argument("run")
@click.argument("step", metavar="[STEP]", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on while the steps run.")
@click.option("--attempt", type=click.IntRange(1), help="An earlier attempt of STEP.")
@click.option("--raw", is_flag=True, help="Print every byte as the step wrote it, control sequences too.")
@server_options
def logs(run: str, step: str | None, server: str, *, follow: bool, attempt: int | None, raw: bool) -> None:
    """Print what steps wrote.

    STEP is a key such as 2.1 or a name; without it, and for a step with others below, each line begins with its key.
    """
    if attempt is not None and (step is None or follow):
        raise click.UsageError("--attempt needs a STEP and excludes --follow")
    client = daemon_at(server)
    if follow:
        followed_logs(client, run, step, raw=raw)
    else:
        whole_logs(client, run, step, attempt=attempt, raw=raw)


@runs.command(epilog="Example: pointsman runs cancel 12 -m 'wrong version'")
@click.argument("run")
@click.option("-m", "--message", default="", help="Why; it is kept with the run.")
@server_options
def cancel(run: str, message: str, server: str) -> None:
    """Cancel a run: what has ended stays, everything else is stopped; cleaning up still runs.

    A second time, the cleaning up is cancelled too.
    """
    found = daemon_at(server).post(f"runs/{part(run)}/cancel", {"message": message} if message else {})
    ended = found["state"] == "cancelled"
    say(f"run {found['number']} is {'cancelled' if ended else 'being cancelled'}")
