"""The report for programs: exactly `report/1`."""

from __future__ import annotations

import math
from typing import Any, Final

from judge.decision.report.model import ArmSummary, Report
from judge.domain import Decision, Estimate, Evidence

SCHEMA: Final = "report/1"


def to_json(report: Report) -> dict[str, Any]:
    """Give the report as a document of schema `report/1`: no key is ever absent, no number is ever NaN."""
    return {
        "schema": SCHEMA,
        "study": {"name": report.study, "digest": report.digest},
        "candidate": report.candidate,
        "decision": _decision(report.decision),
        "primary": estimate_json(report.primary),
        "agreement": None if report.agreement is None else dict(report.agreement),
        "evidence": [_evidence(row) for row in report.evidence],
        "arms": {name: _arm(arm) for name, arm in report.arms.items()},
        "cost": {
            "usd": report.cost.usd,
            "by_judge": dict(report.cost.by_judge),
            "possibly_paid": report.cost.possibly_paid,
        },
        "openings": [{"arm": opening.arm, "at": opening.at} for opening in report.openings],
        "looks": report.looks,
        "warnings": [{"code": notice.code, "text": notice.text} for notice in report.warnings],
        "versions": dict(report.versions),
    }


def estimate_json(estimate: Estimate) -> dict[str, Any]:
    """Give an estimate as `Est`; `normal` only where there is one (win rates)."""
    document: dict[str, Any] = {
        "value": _finite(estimate.value),
        "low": _finite(estimate.low),
        "high": _finite(estimate.high),
        "n": estimate.n,
        "missing": estimate.missing,
        "method": estimate.method,
        "reason": estimate.reason,
    }
    if estimate.normal is not None:
        document["normal"] = [_finite(bound) for bound in estimate.normal]
    return document


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "outcome": decision.outcome,
        "code": decision.code,
        "sentence": decision.sentence,
        "reasons": [
            {
                "gate": ground.gate,
                "text": ground.text,
                "estimate": None if ground.estimate is None else estimate_json(ground.estimate),
            }
            for ground in decision.reasons
        ],
        "next": list(decision.next),
        "interim": decision.interim,
        "trial": decision.trial,
        "simulated": decision.simulated,
    }


def _evidence(row: Evidence) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "name": row.name,
        "arm": row.arm,
        "estimate": estimate_json(row.estimate),
        "rule": row.rule,
        "verdict": row.verdict,
    }


def _arm(arm: ArmSummary) -> dict[str, Any]:
    return {
        "role": arm.role,
        "outputs": arm.outputs,
        "errors": arm.errors,
        "truncated": arm.truncated,
        "tokens_in": arm.tokens_in,
        "tokens_out": arm.tokens_out,
        "latency_s": estimate_json(arm.latency_s),
    }
