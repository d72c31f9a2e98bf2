"""The report as one outline, in reading order, that HTML and Markdown both follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from judge.decision.report.charts import IntervalRow, interval_chart
from judge.decision.report.criteria import criteria_section
from judge.decision.report.layout import ESTIMATE_HEAD, Chart, Section, Table, estimate_cells
from judge.decision.report.methods import methods_section
from judge.decision.report.model import Report
from judge.decision.report.numbers import count, estimate_text, setting
from judge.decision.report.record import (
    arms_section,
    evidence_section,
    missing_section,
    provenance_section,
    warnings_section,
)
from judge.decision.report.source import judge_names, people_word, section_at
from judge.decision.report.trust import trust_section
from judge.decision.report.wins import win_section
from judge.domain import SELF_PREFERENCE
from judge.text.money import dollars

OUTCOME_TEXT: Final = {
    "ship": "Ship",
    "iterate": "Iterate",
    "abandon": "Abandon",
    "undecided": "Undecided",
}


class Banner(NamedTuple):
    """What must be known before anything else is read."""

    kind: str
    title: str
    text: str


BANNERS: Final = (
    Banner(
        "simulated",
        "Simulated labels",
        "No person has judged these pairs: this report shows how the tool works and supports no decision.",
    ),
    Banner("trial", "Trial", "This run took only a part of the test set. It can decide nothing."),
    Banner("judge_only", "Judge only", "No person has labelled these pairs, and a judge alone decides nothing."),
    Banner("interim", "Interim", "Planned labels are not in yet, so nothing is decided; numbers will move."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The first screen: banners, outcome, sentence, the primary against its threshold, reasons, next steps, facts."""

    banners: tuple[Banner, ...]
    outcome: str
    sentence: str
    primary: Chart
    reasons: Table | None
    next: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def front(report: Report) -> Front:
    """Put together what a reader sees first."""
    decision = report.decision
    return Front(
        banners=banners(report),
        outcome=OUTCOME_TEXT[decision.outcome],
        sentence=decision.sentence,
        primary=_primary(report),
        reasons=_reasons(report),
        next=decision.next,
        facts=_facts(report),
    )


def sections(report: Report) -> tuple[Section, ...]:
    """Give the chapters that come before the exhibits are read, in order; those without content are left out."""
    made = (
        win_section(report),
        trust_section(report),
        criteria_section(report),
        evidence_section(report),
        missing_section(report),
    )
    return tuple(section for section in made if section is not None)


def appendix(report: Report) -> tuple[Section, ...]:
    """Give the chapters of record that follow the exhibits."""
    made = (arms_section(report), warnings_section(report), methods_section(report), provenance_section(report))
    return tuple(section for section in made if section is not None)


def banners(report: Report) -> tuple[Banner, ...]:
    """Say what must be known before anything else is read."""
    decision = report.decision
    marks = {
        "simulated": decision.simulated,
        "trial": decision.trial,
        "judge_only": decision.code == "judge_only",
        "interim": decision.interim,
    }
    kin = [notice.text for notice in report.warnings if notice.code == SELF_PREFERENCE]
    own = (Banner("self", "Self-preference", " ".join(kin)),) if kin else ()
    return (*(banner for banner in BANNERS if marks[banner.kind]), *own)


def primary_label(report: Report) -> str:
    """Name the primary figure as charts and the terminal call it."""
    if not report.is_rate:
        return f"{report.primary_name}, difference to the baseline"
    return f"win rate of {report.candidate}{' (simulated)' if report.decision.simulated else ''}"


def _primary(report: Report) -> Chart:
    label = primary_label(report)
    threshold = setting(report.threshold, percent=report.is_rate)
    table = Table(
        caption=f"Primary, against {threshold}",
        head=("primary", *ESTIMATE_HEAD),
        rows=((label, *estimate_cells(report.primary, percent=report.is_rate)),),
        numeric=frozenset({1, 2, 3}),
    )
    svg = interval_chart(
        [IntervalRow(label=label, estimate=report.primary)], report.threshold,
        title=f"{label} against the threshold {threshold}", key="primary", percent=report.is_rate,
    )  # fmt: skip
    caption = (
        f"{setting(report.level, percent=True)} interval against the threshold of {threshold}; n {count(report.primary.n)}, "
        f"missing {count(report.primary.missing)}"
    )
    return Chart(svg=svg, caption=caption, table=table)


def _reasons(report: Report) -> Table | None:
    if not report.decision.reasons:
        return None
    rows = tuple(
        (ground.gate, ground.text, "\u2013" if ground.estimate is None
         else estimate_text(ground.estimate, percent=report.is_rate and ground.estimate is not None
                            and ground.gate in {"primary", report.primary_name}))
        for ground in report.decision.reasons
    )  # fmt: skip
    return Table(caption="What the decision rests on", head=("gate", "finding", "estimate (interval)"), rows=rows)


def _facts(report: Report) -> tuple[tuple[str, str], ...]:
    people = section_at(report.agreement, "people")
    source = section_at(report.agreement, "source")
    facts = [
        ("pairs", count(source.get("pairs")) if source else None),
        (f"labels by {people_word(report)}",
         f"{count(people.get('labels'))} on {count(people.get('items'))} pairs, {count(people.get('annotators'))} annotators"
         if people else "none"),
        ("judges", ", ".join(judge_names(report)) or "none"),
        ("missing in the primary", count(report.primary.missing)),
        ("test set opened by", f"{count(len(report.openings))} arm{'' if len(report.openings) == 1 else 's'}"),
        ("interim looks", count(report.looks)),
        ("warnings", count(len(report.warnings))),
        ("cost", f"{dollars(report.cost.usd)} USD"),
    ]  # fmt: skip
    return tuple((term, text) for term, text in facts if text is not None)
