"""Verdicts and labels in, one Agreement out.  Pure functions over arrays; no database, no files.

Which labels count, how judges stand beside people, and what people's labels make of a judge's win rate.
`Agreement.to_json` is the agree/1 document.
"""

from judge.agreement.bridge import Bridge, Rates, Span, bridge
from judge.agreement.document import estimate as estimate_document
from judge.agreement.panel import agreement
from judge.agreement.select import Selection, select_labels
from judge.agreement.types import (
    Agreement,
    ClusterRule,
    CorrectedRate,
    CriterionPanel,
    JudgePanel,
    PeoplePanel,
    PeopleRule,
    Two,
    WinRate,
)

__all__ = [
    "Agreement",
    "Bridge",
    "ClusterRule",
    "CorrectedRate",
    "CriterionPanel",
    "JudgePanel",
    "PeoplePanel",
    "PeopleRule",
    "Rates",
    "Selection",
    "Span",
    "Two",
    "WinRate",
    "agreement",
    "bridge",
    "estimate_document",
    "select_labels",
]
