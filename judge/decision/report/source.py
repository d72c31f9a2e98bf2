"""Reading an agree/1 document: estimates out of nested keys, names of the two sides, who counts as people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from judge.decision.report.model import Report
from judge.domain import JURY, Estimate

NOT_MEASURED: Final = "not measured"


def estimate_at(document: Mapping[str, Any] | None, *keys: str) -> Estimate:
    """Follow `keys` to an estimate; undefined (`not measured`) where there is none."""
    found = section_at(document, *keys)
    if not found:
        return Estimate(value=None, reason=NOT_MEASURED)
    normal = found.get("normal")
    return Estimate(
        value=found.get("value"),
        low=found.get("low"),
        high=found.get("high"),
        n=found.get("n") or 0,
        missing=found.get("missing") or 0,
        method=found.get("method"),
        reason=found.get("reason"),
        normal=None if normal is None else (normal[0], normal[1]),
    )


def section_at(document: Mapping[str, Any] | None, *keys: str) -> Mapping[str, Any]:
    """Follow `keys` to an object; empty where there is none."""
    found: Any = document
    for key in keys:
        if not isinstance(found, Mapping):
            return {}
        found = found.get(key)
    return found if isinstance(found, Mapping) else {}


def judge_names(report: Report) -> tuple[str, ...]:
    """Name every judge of the agreement, the jury first."""
    names = sorted(section_at(report.agreement, "judges"))
    return tuple(sorted(names, key=lambda name: name != JURY))


def headline_judge(report: Report) -> str | None:
    """Name the judge whose corrected win rate is the headline: the jury, or the only one."""
    names = sorted(section_at(report.agreement, "win_rate", "corrected"))
    if JURY in names:
        return JURY
    return names[0] if names else None


def people_word(report: Report) -> str:
    """Call the annotators by what they are; simulated labels are never just people."""
    return "people (simulated)" if report.decision.simulated else "people"


def side_names(report: Report) -> dict[str, str]:
    """Name `a` and `b` by what stands there: the candidate on its side, the baseline on the other."""
    baseline = next((name for name, arm in report.arms.items() if arm.role == "baseline"), "the other")
    if section_at(report.agreement, "win_rate").get("candidate") == "a":
        return {"a": report.candidate, "b": baseline}
    return {"a": baseline, "b": report.candidate}
