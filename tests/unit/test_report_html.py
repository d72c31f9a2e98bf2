"""The report's page: safe, self-contained, complete, and honest about what is missing or simulated."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from judge.decision.report import MissingRow, Report, to_html
from judge.domain import Estimate, Notice
from tests.unit.report_samples import ATTACK, agreement, decided, exhibit, report

VOID = {"meta", "br", "hr", "line", "rect", "circle"}
FORBIDDEN = {"script", "img", "link", "iframe", "object", "embed", "video", "audio", "source", "image", "use", "form", "base"}


class Page(HTMLParser):
    """The page as a browser reads it: headings, tables, images, ids, and complaints."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.complaints: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append((tag, values))
        if tag in FORBIDDEN:
            self.complaints.append(tag)
        self.complaints += [f"{tag} {name}" for name in values if name.startswith("on") or name in {"style", "src", "srcset"}]
        if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            self.headings.append(int(tag[1]))
        if "id" in values:
            self.ids.append(values["id"])
        for name in ("aria-labelledby", "aria-describedby"):
            self.references += values.get(name, "").split()
        if values.get("href", "").startswith("#"):
            self.references.append(values["href"][1:])

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def hostile_report() -> Report:
    return report(
        study=f"s{ATTACK}",
        candidate=f'c"{ATTACK}',
        decision=decided("iterate"),
        warnings=(Notice(code=ATTACK, text=ATTACK),),
        versions={ATTACK: ATTACK},
        missing=(MissingRow(what=ATTACK, missing=1, of=2, why={ATTACK: 1}),),
        rule=ATTACK,
        made_at=ATTACK,
        primary=Estimate(value=None, reason=ATTACK),
        exhibits=(exhibit(ATTACK, text_a=ATTACK, text_b="$\\text{" + ATTACK + "}$ \x00 \u202e"),),
    )


@pytest.mark.parametrize("made", [report(), hostile_report()], ids=["ordinary", "hostile"])
def test_the_page_runs_and_loads_nothing(made: Report) -> None:
    page = Page(to_html(made))
    assert page.complaints == []
    assert not re.search(r"@import|url\(", to_html(made))
    policy = next(values for tag, values in page.tags if values.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_a_hostile_name_is_shown_as_text() -> None:
    assert ATTACK in Page(to_html(hostile_report())).text


def test_names_cannot_hide_or_turn_what_follows() -> None:
    made = report(study="s\x00\x1b[2K", candidate="c\u202ednuora", warnings=(Notice(code="x\x07", text="t\u2066"),))
    html = to_html(made)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", html)
    assert "c[U+202E]dnuora" in html


def test_headings_are_in_order_and_every_reference_has_its_target() -> None:
    page = Page(to_html(report()))
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert len(page.ids) == len(set(page.ids))
    assert set(page.references) <= set(page.ids)


def test_every_chart_is_an_image_that_says_its_numbers() -> None:
    html = to_html(report())
    charts = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(charts) >= 6
    for chart in charts:
        assert 'role="img"' in chart
        assert re.search(r"<title id=[^>]+>[^<]+</title><desc id=[^>]+>[^<]*\d", chart)


def test_table_headings_have_a_scope() -> None:
    page = Page(to_html(report(exhibits=())))
    assert all(values.get("scope") in {"col", "row"} for tag, values in page.tags if tag == "th")


def test_the_answer_comes_first() -> None:
    text = Page(to_html(report())).text
    assert text.index("Ship") < text.index("tuned wins 61.3%") < text.index("Roll out to 5%") < text.index("Who wins")


@pytest.mark.parametrize(
    "sentence",
    [
        "jury, uncorrected",
        "jury, corrected by people",
        "people only",
        "jury: calibrated.",
        "sonnet: undetermined.",
        "about 340 labels would",
        "same answer in both orders",
        "undefined: each call was made once",
        "refused 6, cut 3",
        "cannot_judge 2, skipped 1",
        "pairs without an output",
        "not hand-picked",
        "77 words",
        "unscored: one order",
        "self naming",
        "Prediction-powered inference",
        "krippendorff",
        "4be1f0a27c9d",
        "2026-11-20T09:31:00Z",
        "0.516 (0.402 to 0.615)",
        "\u22120.0310 (\u22120.0740 to 0.0120)",
    ],
)
def test_the_page_says(sentence: str) -> None:
    assert sentence in Page(to_html(report())).text


def test_simulated_labels_are_called_so_wherever_they_appear() -> None:
    text = Page(to_html(report(decision=decided("undecided", simulated=True)))).text
    assert "Simulated labels." in text
    assert "Undecided (simulated)" in text
    for phrase in ("people (simulated) only", "jury with people (simulated)", "corrected by people (simulated)"):
        assert phrase in text
    assert "people only" not in text
    assert "corrected by people:" not in text


@pytest.mark.parametrize(("mark", "words"), [("interim", "Interim."), ("trial", "Trial.")])
def test_a_report_that_may_not_decide_says_so_at_the_top(mark: str, words: str) -> None:
    text = Page(to_html(report(decision=decided("undecided", **{mark: True})))).text
    assert text.index(words) < text.index("A sentence that decides.")
    assert words not in Page(to_html(report())).text


def test_a_study_of_metrics_alone_has_a_page_too() -> None:
    made = Report(
        study="metrics",
        digest="d" * 64,
        candidate="tuned",
        decision=decided("undecided"),
        primary=Estimate(value=0.01, low=-0.02, high=0.04, n=200, method="normal"),
        primary_name="field_accuracy",
        threshold=0.0,
    )
    text = Page(to_html(made)).text
    assert "field_accuracy, difference to the baseline" in text
    assert "Who wins" not in text


def test_an_empty_answer_and_an_empty_agreement_do_not_break_the_page() -> None:
    made = report(agreement={"schema": "agree/1"}, exhibits=(exhibit(text_a="", text_b=" "),))
    assert "Found in the text: empty" in Page(to_html(made)).text


def test_the_same_report_gives_the_same_bytes() -> None:
    assert to_html(report()) == to_html(report())


def test_the_page_prints_on_white_and_folds_nothing_away() -> None:
    html = to_html(report())
    printed = html[html.index("@media print") :]
    assert "details::details-content" in printed
    assert "color-scheme:light" in printed


def test_without_people_the_page_says_that_a_judge_alone_decides_nothing() -> None:
    alone = agreement() | {"people": None}
    decision = dataclasses.replace(decided("undecided"), code="judge_only")
    text = Page(to_html(report(agreement=alone, decision=decision))).text
    assert "Judge only." in text
    assert "Nobody has labelled a pair" in text


def test_any_part_of_an_agreement_may_be_absent() -> None:
    for path in [(), *paths(agreement(), depth=4)]:
        document = agreement()
        inner = document
        for key in path[:-1]:
            inner = inner[key]
        if path:
            inner[path[-1]] = None
        assert "</html>" in to_html(report(agreement=document, exhibits=()))


def paths(document: dict[str, Any], depth: int) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in document.items():
        if isinstance(value, dict):
            found.append((key,))
            found += [(key, *rest) for rest in (paths(value, depth - 1) if depth > 1 else [])]
    return found
