"""A Report in; the page people decide by, and the same for programs, terminals, issues and CI, out.

Everything printed is taken from the report it is given: nothing here measures, decides or picks examples.
"""

from judge.decision.report.document import to_json
from judge.decision.report.html import to_html
from judge.decision.report.junit import to_junit
from judge.decision.report.markdown import decision_block, to_markdown
from judge.decision.report.model import ArmSummary, Cost, Exhibit, MissingRow, Opening, Rationale, Report

__all__ = [
    "ArmSummary",
    "Cost",
    "Exhibit",
    "MissingRow",
    "Opening",
    "Rationale",
    "Report",
    "decision_block",
    "to_html",
    "to_json",
    "to_junit",
    "to_markdown",
]
