"""Chapter: every criterion of the rubric, by people and by each judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from judge.decision.report.charts import BarRow, bar_chart
from judge.decision.report.layout import Chart, Fold, Part, Section, Table
from judge.decision.report.model import Report
from judge.decision.report.numbers import count, estimate_text
from judge.decision.report.source import estimate_at, judge_names, people_word, section_at, side_names
from judge.domain import OVERALL


def criteria_section(report: Report) -> Section | None:
    """Show who is preferred on each criterion and how far judge and people coincide; None without an agreement."""
    rows = list(_rows(report))
    if not rows:
        return None
    sides = side_names(report)
    table = Table(
        caption="Preferences and agreement by criterion",
        head=("criterion", "who", f"for {sides['a']}", "tie", f"for {sides['b']}", "missing", "alpha (nominal)", "state"),
        rows=tuple((criterion, who, *map(count, counts), alpha, state) for criterion, who, counts, alpha, state in rows),
        note="People: pairs by unique majority, missing where there is none. Judge: verdicts, missing where unscored. "
        "Alpha: people among themselves, and each judge with people.",
        numeric=frozenset({2, 3, 4, 5}),
    )
    bars = [
        BarRow(label=f"{criterion} \u00b7 {who}", counts=counts, leads=not index or rows[index - 1][0] != criterion)
        for index, (criterion, who, counts, _, _) in enumerate(rows)
    ]
    series = ((sides["a"], "a"), ("tie", "tie"), (sides["b"], "b"), ("missing", "none"))
    svg = bar_chart(bars, series, title="Preferences by criterion, in pairs", key="criteria")
    parts: list[Part] = [Chart(svg=svg, caption="Preferences by criterion, in pairs", table=table)]
    if rubric := _rubric(report):
        parts.append(rubric)
    return Section(anchor="criteria", title="Criterion by criterion", parts=tuple(parts))


def _rows(report: Report) -> Iterator[tuple[str, str, tuple[int, ...], str, str]]:
    if not report.agreement:
        return
    people = people_word(report)
    for criterion, document in _documents(report):
        if document.get("people"):
            majority = section_at(document, "people", "majority")
            alpha = estimate_text(estimate_at(document, "people", "alpha", "nominal"))
            yield criterion, people, _counts(majority, "undefined"), alpha, "\u2013"
        for name in judge_names(report):
            panel = section_at(document, "judges", name)
            if panel:
                alpha = estimate_text(estimate_at(panel, "vs_people", "alpha_nominal"))
                state = str(panel.get("state") or "no state").replace("_", " ")
                yield criterion, name, _counts(section_at(panel, "verdicts"), "unscored"), alpha, state


def _documents(report: Report) -> Iterator[tuple[str, Mapping[str, Any]]]:
    others = section_at(report.agreement, "criteria")
    yield OVERALL, section_at(others, OVERALL) or report.agreement or {}
    for criterion in others:
        if criterion != OVERALL:
            yield criterion, section_at(others, criterion)


def _counts(found: Mapping[str, Any], missing: str) -> tuple[int, ...]:
    return tuple(int(found.get(key) or 0) for key in ("a", "tie", "b", missing))


def _rubric(report: Report) -> Fold | None:
    rubric = report.rubric
    if rubric is None:
        return None
    questions = tuple(
        (one.id, one.question, "pass or fail, each side" if one.check else "preference") for one in rubric.questions
    )
    table = Table(
        caption=f"Rubric {rubric.name}: {rubric.task}",
        head=("criterion", "question", "answer"),
        rows=questions,
        note=f"To people: {rubric.people}" if rubric.people else "",
    )
    return Fold(summary="The rubric, as people and judges were shown it", parts=(table,))
