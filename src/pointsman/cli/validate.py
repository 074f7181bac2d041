"""`pointsman validate`: every problem in one pass."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pointsman.cli.checkout import Checkout, Judged
from pointsman.cli.options import repository_options
from pointsman.cli.output import Finding, finding_text, findings_summary, put, put_json, say
from pointsman.web.words import counted


@click.command(epilog="Example: pointsman validate --format json | jq '.problems[].message'")
@click.argument("ref", metavar="[REF]", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@repository_options
def validate(ref: str | None, form: str, folder: Path, root: str | None, *, strict: bool) -> int:
    """Print every problem in the working tree, or at REF (a branch, tag or commit).

    Exits with 0 if there is no error, else with 1.
    """
    checkout = Checkout(folder, root)
    judged = checkout.judged_tree() if ref is None else checkout.judged_ref(ref)
    found = [Finding.of(problem) for problem in judged.verdict.problems]
    findings = [finding.as_error() for finding in found] if strict else found
    valid = not any(finding.is_error for finding in findings)
    if form == "json":
        put_json({"valid": valid, "problems": [finding.as_json() for finding in findings]})
    else:
        for finding in findings:
            put(finding_text(finding, sys.stdout, judged.text))
        say(_summary(judged, findings, valid=valid))
        if judged.is_empty:
            say("hint: there is no projects/ here; name the subfolder that holds it with --root")
    return 0 if valid else 1


def _summary(judged: Judged, findings: Sequence[Finding], *, valid: bool) -> str:
    found = findings_summary(findings)
    if not valid:
        return f"{found} in {counted(judged.file_count, 'file')}"
    workflows = counted(len(judged.verdict.workflows), "workflow")
    targets = counted(len(judged.loaded.inventory.targets), "target")
    return f"valid: {workflows}, {targets}{f', {found}' if found else ''}"
