"""Chapters of record: evidence, what is missing, arms and cost, warnings, and what made the report."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from judge.decision.report.charts import IntervalRow, interval_chart
from judge.decision.report.layout import ESTIMATE_HEAD, Chart, Part, Section, Table, estimate_cells
from judge.decision.report.model import Report
from judge.decision.report.numbers import count, listing, number
from judge.domain import Evidence
from judge.text.money import dollars

EVIDENCE_LEAD: Final = (
    "What stands beside the judgement. A guard fails only when it is shown to fail: when its whole interval lies beyond "
    "the margin. Inconclusive is neither a pass nor a fail."
)
TONES: Final = {"pass": "good", "fail": "bad", "inconclusive": "open", "info": "neutral"}


def evidence_section(report: Report) -> Section | None:
    """Show every finding beside the judgement with its rule and verdict; None without any."""
    if not report.evidence:
        return None
    rows = tuple(
        (f"{row.kind} \u00b7 {row.name}", row.arm, *estimate_cells(row.estimate), row.rule, row.verdict)
        for row in report.evidence
    )
    table = Table(
        caption="Evidence beside the judgement",
        head=("finding", "arm", *ESTIMATE_HEAD, "rule", "verdict"),
        rows=rows,
        numeric=frozenset({2, 3, 4}),
    )
    return Section(anchor="evidence", title="Guards and other evidence", lead=(EVIDENCE_LEAD,), parts=(*_charts(report), table))


def _charts(report: Report) -> list[Part]:
    """Draw the findings of one kind together: only they have a scale in common."""
    charts: list[Part] = []
    ordered = sorted(report.evidence, key=lambda row: row.kind)
    for kind, group in groupby(ordered, key=lambda row: row.kind):
        rows = [row for row in group if row.estimate.value is not None]
        if len(rows) < 2:
            continue
        drawn = [
            IntervalRow(label=f"{row.name}: {row.verdict}", estimate=row.estimate, tone=TONES[row.verdict]) for row in rows
        ]
        title = f"{kind.capitalize()}: differences to the baseline with intervals"
        svg = interval_chart(drawn, 0.0, title=title, key=f"evidence-{len(charts)}")
        charts.append(Chart(svg=svg, caption=title, table=_kind_table(title, rows)))
    return charts


def _kind_table(caption: str, rows: list[Evidence]) -> Table:
    return Table(
        caption=caption,
        head=("finding", *ESTIMATE_HEAD),
        rows=tuple((row.name, *estimate_cells(row.estimate)) for row in rows),
        numeric=frozenset({1, 2, 3}),
    )


def missing_section(report: Report) -> Section:
    """Show what is missing and why; says so when nothing is."""
    rows = tuple(
        (row.what, count(row.missing), count(row.of), number(row.missing / row.of if row.of else None, percent=True),
         listing(row.why) or "\u2013")
        for row in report.missing
    )  # fmt: skip
    table = Table(
        caption="Missing, by kind",
        head=("what", "missing", "of", "share", "why"),
        rows=rows,
        numeric=frozenset({1, 2, 3}),
    )
    lead = (
        "Nothing missing was counted as a tie, a zero, a loss or a pass. An unscored pair is left out of every rate; only "
        "the correction, where a judge's word is no more than a prediction, puts the neutral 0.5 for it."
    )
    return Section(
        anchor="missing",
        title="What is missing",
        lead=(lead,) if rows else ("No count of missing things was given to this report.",),
        parts=(table,) if rows else (),
    )


def arms_section(report: Report) -> Section | None:
    """Show what each arm gave and what judging cost."""
    if not report.arms:
        return None
    rows = tuple(
        (name, arm.role, count(arm.outputs), count(arm.errors), count(arm.truncated), count(arm.tokens_in),
         count(arm.tokens_out), *estimate_cells(arm.latency_s)[:3])
        for name, arm in report.arms.items()
    )  # fmt: skip
    arms = Table(
        caption="Arms",
        head=(
            "arm",
            "role",
            "outputs",
            "errors",
            "cut at the limit",
            "tokens in",
            "tokens out",
            "seconds (interval)",
            "n",
            "missing",
        ),
        rows=rows,
        numeric=frozenset(range(2, 10)),
    )
    lead = tuple(f"{name}: {arm.made}." for name, arm in report.arms.items() if arm.made)
    return Section(anchor="arms", title="Arms and cost", lead=lead, parts=(arms, *_findings(report), _cost(report)))


def _findings(report: Report) -> tuple[Table, ...]:
    """Count by arm what was found in the outputs; signs, not proofs."""
    codes = dict.fromkeys(code for arm in report.arms.values() for code in arm.findings)
    if not codes:
        return ()
    rows = tuple(
        (name, *(count(arm.findings.get(code, 0)) for code in codes), count(arm.outputs)) for name, arm in report.arms.items()
    )
    head = ("arm", *(code.replace("_", " ") for code in codes), "of outputs")
    return (Table(caption="Found in the outputs", head=head, rows=rows, numeric=frozenset(range(1, len(head)))),)


def _cost(report: Report) -> Table:
    cost = report.cost
    repeats = {name: cost.repeats.get(name, 0.0) for name in cost.by_judge}
    rows = [
        (name, dollars(usd - repeats[name]), dollars(repeats[name]), dollars(usd))
        for name, usd in sorted(cost.by_judge.items())
    ]
    again = sum(repeats.values())
    notes = {
        "tries ended without an answer and may have been paid for; they count at their worst.": cost.possibly_paid,
        "calls were on the wire when this was written, and are in no sum.": cost.on_the_wire,
    }
    return Table(
        caption="Cost of judging the pairs",
        head=("judge", "both orders, US dollars", "repeats", "all"),
        rows=(*rows, ("all", dollars(cost.usd - again), dollars(again), dollars(cost.usd))),
        note=" ".join(f"{count(n)} {words}" for words, n in notes.items() if n),
        numeric=frozenset({1, 2, 3}),
    )


def warnings_section(report: Report) -> Section | None:
    """Show every warning with its code; None without any."""
    if not report.warnings:
        return None
    table = Table(
        caption="Warnings",
        head=("code", "what it means"),
        rows=tuple((notice.code, notice.text) for notice in report.warnings),
    )
    return Section(anchor="warnings", title="Warnings", parts=(table,))


def provenance_section(report: Report) -> Section:
    """Show digests, versions, openings of the test set and looks."""
    source = (report.agreement or {}).get("source") or {}
    made = [("study digest", report.digest), ("report made", report.made_at or "\u2013")]
    if report.agreement is not None:
        made += [("digest of the agreement's inputs", str(source.get("digest") or "\u2013")),
                 ("seed", str(report.agreement.get("seed", "\u2013")))]  # fmt: skip
    versions = Table(
        caption="Digests and versions",
        head=("what", "value"),
        rows=(*made, *((name, version) for name, version in sorted(report.versions.items()))),
    )
    openings = Table(
        caption="Openings of the locked test set",
        head=("arm", "first evaluated on it"),
        rows=tuple((opening.arm, opening.at) for opening in report.openings) or (("none recorded", "\u2013"),),
        note=f"Looks at interim totals while a review was open: {count(report.looks)}.",
    )
    return Section(anchor="provenance", title="What made this report", parts=(openings, versions))
