"""Chapter: can the judge be trusted, measured by people beside what people have in common among themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from judge.decision.report.charts import IntervalRow, confusion_chart, interval_chart
from judge.decision.report.layout import ESTIMATE_HEAD, Chart, Fold, Note, Part, Section, Table, estimate_cells
from judge.decision.report.model import Report
from judge.decision.report.numbers import count, listing, number, setting
from judge.decision.report.source import estimate_at, judge_names, people_word, section_at, side_names
from judge.domain import Estimate

STATE_TEXT: Final[Mapping[str | None, tuple[str, str]]] = {
    "calibrated": ("calibrated", "it agrees with {people} no worse than they agree with one another, within {margin}"),
    "not_calibrated": (
        "not calibrated",
        "its agreement with {people} is lower, by more than {margin}, than theirs with one another",
    ),
    "undetermined": (
        "undetermined",
        "these labels do not settle whether it agrees with {people} as well as they do with one another{needed}",
    ),
    "people_unreliable": (
        "people unreliable",
        "{people} agree too little with one another for a judge to be measured by them",
    ),
    None: ("no state", "at least 30 pairs must be labelled twice and have a usable verdict"),
}


def trust_section(report: Report) -> Section | None:
    """Show agreement judge-people beside people-people, the states, confusion, position; None without a judge."""
    names = judge_names(report)
    if not names:
        return None
    parts: list[Part] = [_agreement_chart(report, names)]
    parts += [_state(report, name) for name in names]
    if difference := _difference_chart(report, names):
        parts.append(difference)
    confusions = _confusions(report, names)
    parts += confusions[:1]
    if confusions[1:]:
        parts.append(Fold(summary="The same for each judge", parts=tuple(confusions[1:])))
    parts += [table for table in (_verdicts(report, names), _position(report, names)) if table]
    parts.append(_more(report, names))
    people = people_word(report)
    lead = (
        f"A judge is as good as a colleague if it agrees with {people} as well as they agree with one another. "
        "Krippendorff's alpha is 1 for full agreement and 0 for what chance would give. The decision never rests on "
        "these states: the corrected win rate allows for a judge's errors, good or bad."
    )
    return Section(anchor="trust", title="Can the judge be trusted?", lead=(lead,), parts=tuple(parts))


def state_text(report: Report, name: str) -> tuple[str, str]:
    """Say a judge's state in a word, and in half a sentence."""
    panel = section_at(report.agreement, "judges", name)
    needed = panel.get("needed")
    more = f"; about {count(needed)} labels would" if isinstance(needed, int) else ""
    word, template = STATE_TEXT.get(panel.get("state"), STATE_TEXT[None])
    return word, template.format(people=people_word(report), margin=setting(report.agreement_margin), needed=more)


def _agreement_rows(report: Report, names: tuple[str, ...], measure: str) -> Iterator[tuple[str, Estimate]]:
    people, document = people_word(report), report.agreement
    with_people = ("people", "raw") if measure == "raw" else ("people", "alpha", measure.removeprefix("alpha_"))
    yield f"people with {people}", estimate_at(document, *with_people)
    for name in names:
        yield f"{name} with {people}", estimate_at(document, "judges", name, "vs_people", measure)


def _agreement_chart(report: Report, names: tuple[str, ...]) -> Chart:
    measures = (("alpha_nominal", "alpha, nominal"), ("alpha_ordinal", "alpha, ordinal"), ("raw", "same answer"))
    rows = [
        (f"{label}: {word}", *estimate_cells(estimate, percent=measure == "raw"))
        for measure, word in measures
        for label, estimate in _agreement_rows(report, names, measure)
    ]
    table = Table(
        caption="Agreement, chance-corrected (alpha) and raw",
        head=("who: measure", *ESTIMATE_HEAD),
        rows=tuple(rows),
        note="People among themselves: pairs with two labels or more. Judge with people: each label counts once, "
        "intervals are over pairs.",
        numeric=frozenset({1, 2, 3}),
    )
    drawn = [IntervalRow(label=label, estimate=one) for label, one in _agreement_rows(report, names, "alpha_nominal")]
    svg = interval_chart(drawn, None, title="Krippendorff's alpha (nominal) with intervals", key="alpha")
    return Chart(svg=svg, caption="Krippendorff's alpha, nominal, with intervals", table=table)


def _state(report: Report, name: str) -> Note:
    word, text = state_text(report, name)
    return Note(term=f"{name}: {word}", text=f"{text[0].upper()}{text[1:]}.")


def _difference_chart(report: Report, names: tuple[str, ...]) -> Chart | None:
    rows = [(name, estimate_at(report.agreement, "judges", name, "difference")) for name in names]
    if all(estimate.value is None for _, estimate in rows):
        return None
    margin = setting(-report.agreement_margin)
    table = Table(
        caption="Agreement with people, minus people's among themselves (alpha, same pairs)",
        head=("judge", *ESTIMATE_HEAD),
        rows=tuple((name, *estimate_cells(estimate)) for name, estimate in rows),
        note=f"Calibrated when the whole interval lies above {margin}, not calibrated when it lies below.",
        numeric=frozenset({1, 2, 3}),
    )
    drawn = [IntervalRow(label=name, estimate=estimate) for name, estimate in rows]
    svg = interval_chart(drawn, -report.agreement_margin, title=f"{table.caption} against {margin}", key="difference")
    return Chart(svg=svg, caption=f"{table.caption}; the line is the margin, {margin}", table=table)


def _confusions(report: Report, names: tuple[str, ...]) -> list[Chart]:
    sides, charts = side_names(report), []
    for index, name in enumerate(names):
        found = section_at(report.agreement, "judges", name, "confusion")
        if not found:
            continue
        columns = ("a", "tie", "b", "unscored")
        matrix = {row: {column: section_at(found, row).get(column) or 0 for column in columns} for row in ("a", "tie", "b")}
        table = Table(
            caption=f"What {people_word(report)} said (rows) and what {name} said (columns), in labels",
            head=(people_word(report), *(sides.get(column, column) for column in columns)),
            rows=tuple((sides.get(row, row), *(count(matrix[row][column]) for column in columns)) for row in matrix),
            numeric=frozenset({1, 2, 3, 4}),
        )
        svg = confusion_chart(matrix, sides, title=table.caption, key=f"confusion-{index}")
        charts.append(Chart(svg=svg, caption=table.caption, table=table))
    return charts


def _verdicts(report: Report, names: tuple[str, ...]) -> Table | None:
    words = ("a", "tie", "b", "unscored")
    basis = ("agreed", "split", "single", "one_order", "identical")
    sides, rows = side_names(report), []
    for name in names:
        made = section_at(report.agreement, "judges", name, "verdicts")
        held = section_at(made, "basis")
        rows.append((name, *(count(made.get(word)) for word in words), *(count(held.get(word)) for word in basis)))
    head = ("judge", *(f"for {sides[word]}" if word in sides else word for word in words), *basis)
    return Table(
        caption="Verdicts, and whether both orders led to them",
        head=tuple(word.replace("one_order", "one order") for word in head),
        rows=tuple(rows),
        note="Split: the answers in the two orders differ, which counts as a tie. One order: only one of two was usable, "
        "which is no verdict.",
        numeric=frozenset(range(1, 10)),
    )


def _position(report: Report, names: tuple[str, ...]) -> Table | None:
    measures = (
        ("two_orders", "same answer in both orders"), ("repeat", "same answer when asked again"),
        ("first_shown", "answers for the text shown first"),
    )  # fmt: skip
    rows = [
        (f"{name}: {word}", *estimate_cells(estimate_at(report.agreement, "judges", name, "position", key), percent=True))
        for name in names
        if section_at(report.agreement, "judges", name, "position")
        for key, word in measures
    ]
    if not rows:
        return None
    return Table(
        caption="Position and repeats",
        head=("measure", *ESTIMATE_HEAD),
        rows=tuple(rows),
        note="A judge without a taste for a position answers for the text shown first half of the time.",
        numeric=frozenset({1, 2, 3}),
    )


def _more(report: Report, names: tuple[str, ...]) -> Fold:
    tables = [_people(report), _leanings(report, names), _colleagues(report, names), _calls(report, names)]
    return Fold(
        summary="More: each annotator, length, leanings, failed calls",
        parts=tuple(table for table in tables if table),
    )


def _people(report: Report) -> Table | None:
    people = section_at(report.agreement, "people")
    if not people:
        return None
    majority = section_at(people, "majority")
    sides = side_names(report)
    rows = (
        ("pairs with labels", count(people.get("items"))),
        ("annotators", count(people.get("annotators"))),
        ("labels", count(people.get("labels"))),
        ("labels missing (cannot judge, skipped)", count(people.get("missing"))),
        *((f"majority for {sides.get(key, key)}", count(majority.get(key))) for key in ("a", "tie", "b", "undefined")),
        ("Cohen's kappa, mean over pairs of annotators", number(people.get("cohen_mean"))),
        ("Fleiss' kappa (complete tables only)", number(people.get("fleiss"))),
    )
    caption = f"{people_word(report).capitalize()} among themselves"
    return Table(caption=caption, head=("what", "count or value"), rows=rows, numeric=frozenset({1}))


def _leanings(report: Report, names: tuple[str, ...]) -> Table:
    measures = (("longer", "prefers the longer text"), ("share_a_decided", f"prefers {side_names(report)['a']}, of decided"))
    sources = [(people_word(report), ("people",)), *((name, ("judges", name)) for name in names)]
    rows = [
        (f"{who} {word}", *estimate_cells(estimate_at(report.agreement, *path, key), percent=True))
        for key, word in measures
        for who, path in sources
    ]
    return Table(caption="Leanings", head=("who, what", *ESTIMATE_HEAD), rows=tuple(rows), numeric=frozenset({1, 2, 3}))


def _colleagues(report: Report, names: tuple[str, ...]) -> Table | None:
    rows = []
    for name in names:
        for who in sorted(section_at(report.agreement, "judges", name, "vs_annotator")):
            same = estimate_at(report.agreement, "judges", name, "vs_annotator", who, "raw")
            rows.append((f"{name} with {who}", *estimate_cells(same, percent=True)))
    if not rows:
        return None
    return Table(
        caption="Same answer, judge with each annotator",
        head=("who", *ESTIMATE_HEAD),
        rows=tuple(rows),
        numeric=frozenset({1, 2, 3}),
    )


def _calls(report: Report, names: tuple[str, ...]) -> Table | None:
    rows = []
    for name in names:
        calls = section_at(report.agreement, "judges", name, "calls")
        if calls:
            rows.append((
                name, count(calls.get("planned")), count(calls.get("usable")),
                number(calls.get("null_share"), percent=True), number(calls.get("tie_share"), percent=True),
                listing(section_at(calls, "reasons")) or "\u2013",
            ))  # fmt: skip
    if not rows:
        return None
    return Table(
        caption="Calls to judges",
        head=("judge", "planned", "usable", "unusable", "ties", "why unusable"),
        rows=tuple(rows),
        numeric=frozenset({1, 2, 3, 4}),
    )
