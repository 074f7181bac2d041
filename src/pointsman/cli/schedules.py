"""`pointsman schedules`: what starts runs by itself, when it comes next, and what came of the last time."""

from collections.abc import Mapping
from typing import Any

import click

from pointsman.cli.client import daemon_at
from pointsman.cli.options import json_option, server_options
from pointsman.cli.output import put_json, put_table
from pointsman.model.names import workflow_codes

_HEADINGS = ("WORKFLOW", "CRON", "ZONE", "NEXT, LOCAL", "NEXT, UTC", "LAST, UTC", "RUN", "NOTE")
_MOST_SCHEDULES = 10_000


@click.command(epilog="Example: pointsman schedules")
@json_option
@server_options
def schedules(server: str, *, as_json: bool) -> None:
    """Print the schedules of the latest versions: when each starts a run next, and what came of the last time."""
    found = list(daemon_at(server).items("schedules", most=_MOST_SCHEDULES))
    if as_json:
        put_json(found)
    else:
        put_table(_HEADINGS, [_row(schedule) for schedule in found], nothing="nothing is scheduled")


def _row(schedule: Mapping[str, Any]) -> tuple[str, ...]:
    last = schedule["last"] or {}
    run = f"{last['run']} {last.get('state') or ''}".strip() if last.get("run") else ""
    return (
        f"{'/'.join(workflow_codes(schedule['workflow']))}@{schedule['version']}",
        schedule["cron"],
        schedule["timezone"],
        _minute(schedule["next_local"]),
        _minute(schedule["next_at"]),
        _minute(last.get("due_at")),
        run,
        schedule["blocked"] or last.get("says", ""),
    )


def _minute(text: str | None) -> str:
    """A time of the API to the minute, with its offset: `2026-06-04 03:00+02:00`; empty for none."""
    if text is None:
        return ""
    offset = "Z" if text.endswith("Z") else text[19:]
    return f"{text[:10]} {text[11:16]}{offset}"
