"""`pointsman serve`: the daemon."""

import os
from pathlib import Path
from typing import Any

import click

from pointsman.cli.options import given_environment, readable_settings


@click.command(epilog="Example: pointsman serve /srv/git/ops.git --data /var/lib/pointsman --workers 8")
@click.argument("repository", metavar="[REPOSITORY]", required=False)
@click.option("--listen", metavar="ADDRESS:PORT", help="Where to answer; by default 127.0.0.1:8484.")
@click.option("--data", metavar="DIR", help="Where to keep runs, logs and accounts.")
@click.option(
    "--config", metavar="FILE", envvar="POINTSMAN_CONFIG", type=click.Path(path_type=Path), help="A pointsman.toml."
)
@click.option("--workers", metavar="N", help="How many steps run at the same time; by default 4.")
@click.option("--operator", metavar="NAME", help="Who you are while there are no users; by default your login name.")
@click.option("--root", metavar="FOLDER", help="The subfolder of the repository that holds projects/.")
def serve(repository: str | None, *, config: Path | None, **flags: Any) -> None:  # noqa: ANN401 - options, all text
    """Follow REPOSITORY, a path or a URL, and run what is published in it, until told to stop.

    One line with the address is printed when it is ready. Without users it serves only this machine, as one operator.
    """
    from pointsman.settings import load_settings  # noqa: PLC0415 - only this command needs the web server's libraries

    with readable_settings():
        settings = load_settings(config, given_environment(os.environ), {"repository": repository, **flags})
    from pointsman.daemon import serve as serve_daemon  # noqa: PLC0415 - a wrong flag is told without loading it

    serve_daemon(settings)
