"""JUnit's XML, which nearly every build server shows."""

import re
import xml.etree.ElementTree as ET

from pointsman.cli.output import Finding, clean, findings_summary
from pointsman.cli.reports import Report, sentence

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> str:
    """A document with a test case for each file, which fails if there is an error in it."""
    by_file: dict[str, list[Finding]] = {path: [] for path in report.files}
    for finding in report.findings:
        by_file.setdefault(finding.path, []).append(finding)
    failed = sum(any(finding.is_error for finding in found) for found in by_file.values())
    counts = {"tests": str(len(by_file)), "failures": str(failed), "errors": "0"}
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": "pointsman", **counts})
    for path, found in sorted(by_file.items()):
        case = ET.SubElement(suite, "testcase", {"classname": "pointsman.validate", "name": _xml(path)})
        text = "\n".join(f"{one.line}:{one.column}: {one.severity}[{one.code}]: {sentence(one)}" for one in found)
        if any(finding.is_error for finding in found):
            failure = ET.SubElement(case, "failure", {"type": "error", "message": findings_summary(found)})
            failure.text = _xml(text)
        elif found:
            ET.SubElement(case, "system-out").text = _xml(text)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}'


def _xml(text: str) -> str:
    """Text that XML may hold: what it may not is shown by its number."""
    return _NOT_IN_XML.sub(lambda found: f"\N{WHITE SQUARE}{ord(found[0]):02X}", clean(text))
