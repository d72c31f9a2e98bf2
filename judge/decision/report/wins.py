"""Chapter: who wins, by people alone, by the judge as it stands, and by the judge corrected by people."""

from __future__ import annotations

from judge.decision.report.charts import IntervalRow, interval_chart
from judge.decision.report.layout import ESTIMATE_HEAD, Chart, Note, Section, Table, estimate_cells
from judge.decision.report.model import Report
from judge.decision.report.numbers import count, number, setting
from judge.decision.report.source import estimate_at, headline_judge, judge_names, people_word, section_at
from judge.domain import JURY, Estimate


def win_section(report: Report) -> Section | None:
    """Show every win rate on one scale; None without an agreement."""
    rates = section_at(report.agreement, "win_rate")
    if not rates:
        return None
    rows = _rows(report)
    table = Table(
        caption="Win rates, a tie being half a win",
        head=("win rate", *ESTIMATE_HEAD),
        rows=tuple((label, *estimate_cells(estimate, percent=True)) for label, estimate, _ in rows),
        numeric=frozenset({1, 2, 3}),
    )
    threshold = report.threshold if report.is_rate else 0.5
    svg = interval_chart(
        [IntervalRow(label=label, estimate=estimate, faint=faint) for label, estimate, faint in rows],
        threshold, title=f"Win rates of {report.candidate} against {setting(threshold, percent=True)}",
        key="wins", percent=True,
    )  # fmt: skip
    return Section(
        anchor="wins",
        title="Who wins",
        lead=(_lead(report),),
        parts=(Chart(svg=svg, caption=table.caption, table=table), *_correction(report)),
    )


def _rows(report: Report) -> list[tuple[str, Estimate, bool]]:
    """Label, estimate, and whether the row is shown but decides nothing."""
    people, headline = people_word(report), headline_judge(report)
    rows: list[tuple[str, Estimate, bool]] = []
    for name in sorted(section_at(report.agreement, "win_rate", "corrected"), key=lambda name: name != headline):
        corrected = estimate_at(report.agreement, "win_rate", "corrected", name)
        rows.append((f"{_judge(name)}, corrected by {people}", corrected, name != headline))
    rows.append((f"{people} only", estimate_at(report.agreement, "win_rate", "people"), bool(rows)))
    for name in sorted(section_at(report.agreement, "win_rate", "judge_raw"), key=lambda name: name != headline):
        raw = estimate_at(report.agreement, "win_rate", "judge_raw", name)
        rows.append((f"{_judge(name)}, uncorrected", raw, True))
    post = estimate_at(report.agreement, "win_rate", "post_stratified")
    return [*rows, ("post-stratified", post, True)] if post.value is not None else rows


def _judge(name: str) -> str:
    return "jury" if name == JURY else name


def _lead(report: Report) -> str:
    people, share = people_word(report), f"The share of pairs that {report.candidate} wins."
    if not judge_names(report):
        return f"{share} No judge was asked: these are the labels of {people}."
    if not section_at(report.agreement, "people"):
        return f"{share} Nobody has labelled a pair: an uncorrected rate carries the judge's own bias, and decides nothing."
    return (
        f"{share} The judge was asked about every pair, {people} about a sample. "
        f"The corrected rate takes the judge's word for all pairs and corrects it by what {people} said about theirs; "
        "an uncorrected rate carries the judge's own bias, and decides nothing."
    )


def _correction(report: Report) -> tuple[Note, ...]:
    name = headline_judge(report)
    if name is None:
        return ()
    made = section_at(report.agreement, "win_rate", "corrected", name)
    said = [
        f"{count(made.get('labelled'))} pairs with labels and {count(made.get('unlabelled'))} without",
        f"the judge's word weighs {number(made.get('lambda'))} (lambda, 0 = people alone)",
        f"its scores correlate with people's by {number(made.get('r'))}",
    ]
    if made.get("sensitivity") is not None or made.get("specificity") is not None:
        said.append(
            f"it sees {number(made.get('sensitivity'), percent=True)} of the wins that people see and "
            f"{number(made.get('specificity'), percent=True)} of the losses"
        )
    return (Note(term=f"What the correction rests on ({_judge(name)})", text="; ".join(said) + "."),)
