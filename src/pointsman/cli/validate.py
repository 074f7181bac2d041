"""`pointsman validate`: every problem in one pass."""

import sys
from pathlib import Path

import click

from pointsman.cli.checkout import Checkout, Judged
from pointsman.cli.options import readable_settings, repository_options
from pointsman.cli.output import Finding, finding_text, findings_summary, put, say
from pointsman.cli.reports import FORMATS, Report
from pointsman.intake.needs import Releases, breakage
from pointsman.intake.verdict import unknown_approvers
from pointsman.load.assemble import Loaded
from pointsman.load.located import located
from pointsman.model.problem import NotFound, Problem, sorted_problems
from pointsman.model.source import Source
from pointsman.web.words import counted

TEXT = "text"


@click.command(epilog="Example: pointsman validate --base main --format json | jq '.problems[].message'")
@click.argument("ref", metavar="[REF]", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice([TEXT, *FORMATS]),
    default=TEXT,
    envvar="POINTSMAN_FORMAT",
    show_default=True,
    show_envvar=True,
    help="For people, programs, or the host of the repository.",
)
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.option("--base", metavar="REF", help="Also say what published versions lose by what has changed since REF.")
@click.option("--data", metavar="DIR", help="Name approvers that are no users in this data directory of a daemon.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The same, with the daemon's pointsman.toml, which names its data directory.",
)
@repository_options
def validate(
    ref: str | None,
    form: str,
    *,
    strict: bool,
    base: str | None,
    data: str | None,
    config: Path | None,
    folder: Path,
    root: str | None,
) -> int:
    """Print every problem in the working tree, or at REF (a branch, tag or commit).

    Exits with 0 if there is no error, else with 1.
    """
    checkout = Checkout(folder, root)
    users = _users(config, data)
    judged = checkout.judged_tree() if ref is None else checkout.judged_ref(ref)
    problems = [*judged.verdict.problems, *_unknown_approvers(judged.loaded, users)]
    if base is not None:
        problems += _breakage(checkout, base, ref, judged)
    found = [Finding.of(problem) for problem in sorted_problems(problems)]
    findings = [finding.as_error() for finding in found] if strict else found
    report = Report(findings=findings, files=_files(judged.source), text=judged.text)
    if form == TEXT:
        for finding in findings:
            put(finding_text(finding, sys.stdout, judged.text))
    elif text := FORMATS[form](report):
        put(text)
    if form != "json":
        say(_summary(judged, report))
    if judged.is_empty:
        say("hint: there is no projects/ here; name the subfolder that holds it with --root")
    return 0 if report.valid else 1


def _breakage(checkout: Checkout, base: str, ref: str | None, judged: Judged) -> tuple[Problem, ...]:
    """What published versions lose by what has changed since `base`, or since the branches parted (R27)."""
    if not checkout.is_repository:
        raise NotFound(f"there is no ref {base}: this is no Git repository")
    commit, reading = checkout.reading.resolve(base), checkout.reading
    parted = checkout.repository.merge_base(commit, reading.resolve(ref or "HEAD"))
    before = reading.definitions.at(str(parted or commit))
    releases = Releases(definitions=reading.definitions, published=checkout.tags)
    if not checkout.tags.releases:
        say(f"hint: no tag publishes anything, so nothing is compared with {base}; a shallow clone may lack the tags")
    return breakage(releases, before=before, after=judged.loaded)


def _users(config: Path | None, data: str | None) -> tuple[str, ...] | None:
    """The local users of a daemon; None if they are not known, or there are none because nobody has to log in."""
    if config is None and data is None:
        return None
    from pointsman.engine.accounts import StoredAccounts  # noqa: PLC0415 - few ask for it
    from pointsman.settings import load_data_directory  # noqa: PLC0415 - as above
    from pointsman.store.database import Database  # noqa: PLC0415 - as above

    with readable_settings():
        state = load_data_directory(config, {}, {"data": data}) / "state.db"
    if not state.is_file():
        raise NotFound(f"there is no {state}, so it is not known who can approve")
    database = Database(state)
    try:
        return tuple(StoredAccounts(database).rows.users()) or None
    finally:
        database.close()


def _unknown_approvers(loaded: Loaded, users: tuple[str, ...] | None) -> list[Problem]:
    """A warning for each approver who is no user (R17)."""
    return [problem for definition in loaded.workflows.values() for problem in unknown_approvers(definition, users)]


def _files(source: Source) -> list[str]:
    """The files that were read, as problems name them."""
    return [located(source, path) for path, entry in source.entries.items() if entry.data is not None]


def _summary(judged: Judged, report: Report) -> str:
    found = findings_summary(report.findings)
    if not report.valid:
        return f"{found} in {counted(judged.file_count, 'file')}"
    workflows = counted(len(judged.verdict.workflows), "workflow")
    targets = counted(len(judged.loaded.inventory.targets), "target")
    return f"valid: {workflows}, {targets}{f', {found}' if found else ''}"
