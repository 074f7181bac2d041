"""SARIF 2.1.0, which code scanning reads."""

from importlib.metadata import PackageNotFoundError, metadata
from typing import Any
from urllib.parse import quote

from pointsman import __version__
from pointsman.cli.reports import Report, code_name, sentence

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(report: Report, address: str) -> dict[str, Any]:
    """The log of one run, with a rule for each code that occurs; `address` is where `docs/` can be read."""
    codes = sorted({finding.code for finding in report.findings})
    results = [
        {
            "ruleId": finding.code,
            "ruleIndex": codes.index(finding.code),
            "level": finding.severity,
            "message": {"text": sentence(finding)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(finding.path), "uriBaseId": "%SRCROOT%"},
                        "region": {
                            "startLine": finding.line,
                            "startColumn": finding.column,
                            "endLine": finding.line,
                            "endColumn": report.end_column(finding),
                        },
                    }
                }
            ],
            "partialFingerprints": {"pointsman/v1": fingerprint},
        }
        for finding, fingerprint in report.fingerprints()
    ]
    driver = {"name": "Pointsman", "version": __version__, "rules": [_rule(code, address) for code in codes]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def documentation() -> str:
    """The address of `docs/` that the installed package gives as its documentation; empty if it gives none."""
    try:
        urls = metadata("pointsman").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    named = [one.partition(",") for one in urls]
    return next((url.strip().rstrip("/") for label, _, url in named if label.strip() == "Documentation"), "")


def _rule(code: str, address: str) -> dict[str, Any]:
    name = code_name(code)
    rule = {
        "id": code,
        "name": name.title().replace(" ", ""),
        "shortDescription": {"text": name},
        "help": {"text": f"docs/problems.md explains {code} with a wrong and a right example."},
    }
    # a text fragment: how a heading becomes an anchor differs from host to host
    return {**rule, "helpUri": f"{address}/problems.md#:~:text={code}"} if address else rule


def _uri(path: str) -> str:
    return quote(path, errors="surrogatepass")
