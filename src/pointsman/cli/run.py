"""`pointsman run`: ask the daemon for a run, or with `--local` carry it out here."""

from pathlib import Path
from typing import Any

import click

from pointsman.cli.client import daemon_at
from pointsman.cli.options import (
    given_answers,
    given_metadata,
    given_properties,
    given_texts,
    inventory_option,
    json_option,
    property_options,
    quiet_option,
    repository_options,
    server_options,
    split_version,
)
from pointsman.cli.output import put, put_json, say
from pointsman.cli.watch import exit_code, watched
from pointsman.model.names import workflow_codes

_ONLY_LOCAL = ("ref", "data", "answers")
_ONLY_SERVED = ("wait", "until_gate", "as_json", "quiet")


@click.command(epilog="Example: pointsman run hello_world/rollout-pipeline@1 --skip 'disk check*' --wait")
@click.argument("workflow", metavar="WORKFLOW[@VERSION]")
@property_options
@click.option("--metadata", metavar="KEY=VALUE", multiple=True, help="A label to find the run by. Repeatable.")
@click.option("--skip", metavar="GLOB", multiple=True, help="Skip steps with this name, id or key. Repeatable.")
@click.option("--wait", is_flag=True, help="Follow the run until it is over; Ctrl-C leaves it running.")
@click.option("--until-gate", is_flag=True, help="With --wait: stop at the first gate, with exit code 3.")
@json_option
@quiet_option
@server_options
@click.option("--local", is_flag=True, help="Run it here and now, without a daemon.")
@click.option("--ref", metavar="BRANCH", help="With --local: run a draft; . is the working tree.")
@click.option(
    "--answer",
    "answers",
    metavar="GATE=WORD",
    multiple=True,
    help="With --local: continue, approve or reject the gate of this key or name. Repeatable.",
)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --local: keep logs and results here; by default they are gone afterwards.",
)
@inventory_option
@repository_options
def run(workflow: str, *, local: bool, **given: Any) -> int:  # noqa: ANN401 - options, checked by click
    """Run a workflow.

    The daemon runs published versions only, by default the latest. Exits with 0 if the run was made, or with --wait
    succeeded; 1 if it failed or was cancelled; 3 at a gate that nobody answers; 5 if somebody rejected it.
    """
    wrong = [name for name in (_ONLY_SERVED if local else _ONLY_LOCAL) if given[name]]
    if wrong:
        name = {"as_json": "--json", "answers": "--answer"}.get(wrong[0], f"--{wrong[0].replace('_', '-')}")
        raise click.UsageError(f"{name} and --local exclude each other" if local else f"{name} needs --local")
    if given["until_gate"] and not given["wait"]:
        raise click.UsageError("--until-gate needs --wait")
    return _run_here(workflow, given) if local else _run_served(workflow, given)


def _run_served(workflow: str, given: dict[str, Any]) -> int:
    name, version = split_version(workflow)
    body: dict[str, Any] = {
        "workflow": name,
        "properties": given_properties(given["properties_file"]),
        "set": given_texts(given["settings"]),
        "metadata": given_metadata(given["metadata"]),
        "skip_steps": list(given["skip"]),
    }
    if version is not None:
        body["version"] = version
    client = daemon_at(given["server"])
    made = client.post("runs", body)
    if given["quiet"]:
        put(str(made["number"]))
    elif not given["as_json"]:
        what = f"{'/'.join(workflow_codes(made['workflow']))}@{made['version']}"
        (say if given["wait"] else put)(f"run {made['number']} of {what} is {made['state']}: {made['url']}")
    if given["wait"]:
        made = watched(
            client,
            made["number"],
            until_gate=given["until_gate"],
            quiet=given["quiet"],
            to_stderr=given["as_json"],
        )
    if given["as_json"]:
        put_json(made)
    return exit_code(made) if given["wait"] else 0


def _run_here(workflow: str, given: dict[str, Any]) -> int:
    from pointsman.cli.checkout import Checkout  # noqa: PLC0415 - a run by the daemon needs nothing of all this
    from pointsman.cli.local_run import LocalWish, run_locally  # noqa: PLC0415 - as above
    from pointsman.cli.plan import wanted  # noqa: PLC0415 - as above

    wish = wanted(
        workflow,
        given["ref"],
        given["inventory_branch"],
        settings=given["settings"],
        properties_file=given["properties_file"],
    )
    local = LocalWish(
        wanted=wish,
        metadata=given_metadata(given["metadata"]),
        skip=given["skip"],
        answers=given_answers(given["answers"]),
        data=given["data"],
    )
    return run_locally(Checkout(given["folder"], given["root"]), local)
