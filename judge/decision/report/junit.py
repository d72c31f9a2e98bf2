"""The decision as JUnit XML, for systems that show test results."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from judge.decision.report.model import Report
from judge.decision.report.numbers import estimate_text
from judge.domain import Evidence

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


def to_junit(report: Report) -> str:
    """Give one test for the decision (passed only by ship) and one for each finding of the evidence.

    A failed guard fails; an inconclusive one, or one for information, is skipped with its figures.
    """
    suite = ET.Element("testsuite", name=_xml(f"blind-judge {report.study}"))
    if report.made_at:
        suite.set("timestamp", _xml(report.made_at))
    properties = ET.SubElement(suite, "properties")
    for name, value in (("study", report.study), ("digest", report.digest), ("candidate", report.candidate),
                        ("code", report.decision.code), ("simulated", str(report.decision.simulated).lower())):  # fmt: skip
        ET.SubElement(properties, "property", name=name, value=_xml(value))
    _decision(suite, report)
    for row in report.evidence:
        _evidence(suite, row)
    for name, tag in (("failures", "failure"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("errors", "0")
    ET.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def _decision(suite: ET.Element, report: Report) -> None:
    decision = report.decision
    case = ET.SubElement(suite, "testcase", classname="decision", name=_xml(f"{report.candidate} may ship"))
    said = [decision.sentence, *(f"{ground.gate}: {ground.text}" for ground in decision.reasons)]
    said += [f"next: {step}" for step in decision.next]
    if decision.outcome == "ship":
        ET.SubElement(case, "system-out").text = _xml("\n".join(said))
        return
    failure = ET.SubElement(case, "failure", type=decision.outcome, message=_xml(decision.sentence))
    failure.text = _xml("\n".join(said))


def _evidence(suite: ET.Element, row: Evidence) -> None:
    case = ET.SubElement(suite, "testcase", classname=_xml(f"evidence.{row.kind}"), name=_xml(f"{row.name} ({row.arm})"))
    said = _xml(f"{row.verdict}: {estimate_text(row.estimate)}; rule: {row.rule}")
    match row.verdict:
        case "pass":
            ET.SubElement(case, "system-out").text = said
        case "fail":
            ET.SubElement(case, "failure", type="guard", message=said)
        case _:
            ET.SubElement(case, "skipped", message=said)


def _xml(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
