"""How numbers are written and drawn."""

from __future__ import annotations

import re

import pytest

from judge.decision.report.charts import BarRow, IntervalRow, bar_chart, confusion_chart, interval_chart
from judge.decision.report.numbers import estimate_text, number, setting
from judge.domain import Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.500"), (0.61349, "0.613"), (-0.0312, "\u22120.0312"), (12.345, "12.3"), (999.4, "999"), (1234.5, "1,234"),
        (0.0, "0.00"), (-0.0, "0.00"), (0.0000123, "0.0000123"), (1.0, "1.00"), (100.0, "100"), (None, "\u2013"),
        (float("nan"), "\u2013"), (float("inf"), "\u2013"),
    ],
)  # fmt: skip
def test_a_number_has_three_significant_digits_and_a_real_minus(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.613, "61.3%"), (1.0, "100%"), (0.05, "5.00%"), (-0.05, "\u22125.00%")])
def test_a_share_can_be_written_in_percent(value: float, text: str) -> None:
    assert number(value, percent=True) == text


@pytest.mark.parametrize(("value", "percent", "text"), [(0.5, True, "50%"), (0.15, False, "0.15"), (-0.15, False, "\u22120.15"), (0.0, False, "0"), (0.95, True, "95%"), (0.975, True, "97.5%")])  # fmt: skip  # noqa: E501
def test_a_chosen_number_is_written_without_idle_zeros(value: float, percent: bool, text: str) -> None:
    assert setting(value, percent=percent) == text


def test_an_estimate_is_written_with_its_interval() -> None:
    assert estimate_text(Estimate(value=0.613, low=0.557, high=0.666), percent=True) == "61.3% (55.7 to 66.6)"


def test_what_is_undefined_says_why() -> None:
    assert estimate_text(Estimate(value=None, reason="n < 2")) == "undefined: n < 2"
    assert estimate_text(Estimate(value=0.5, reason="no variation")) == "0.500 (no interval: no variation)"


def drawn(low: float, high: float, threshold: float) -> str:
    estimate = Estimate(value=(low + high) / 2, low=low, high=high)
    return interval_chart([IntervalRow(label="x", estimate=estimate)], threshold, title="t", key="k")


@pytest.mark.parametrize(
    ("low", "high", "tone"),
    [(0.51, 0.6, "good"), (0.4, 0.5, "bad"), (0.4, 0.49, "bad"), (0.5, 0.6, "open"), (0.45, 0.55, "open")],
)
def test_an_interval_is_coloured_as_the_decision_reads_it(low: float, high: float, tone: str) -> None:
    assert f'class="point {tone}"' in drawn(low, high, 0.5)


def test_positions_keep_the_order_of_the_numbers() -> None:
    chart = drawn(0.4, 0.7, 0.5)
    low, high = map(float, re.search(r'class="range open" x1="([\d.]+)%" x2="([\d.]+)%"', chart).groups())  # type: ignore[union-attr]
    at = float(re.search(r'class="threshold" x1="([\d.]+)%"', chart)[1])  # type: ignore[index]
    assert 0 < low < at < high < 100


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [Estimate(value=None, reason="n < 2")],
        [Estimate(value=0.0, low=0.0, high=0.0)],
        [Estimate(value=1e9, low=-1e9, high=2e9)],
        [Estimate(value=1e-9, low=0.0, high=2e-9)],
    ],
)
@pytest.mark.parametrize("threshold", [None, 0.0, 0.5])
def test_odd_estimates_still_give_a_chart(rows: list[Estimate], threshold: float | None) -> None:
    chart = interval_chart([IntervalRow(label="x", estimate=row) for row in rows], threshold, title="t", key="k")
    assert "nan" not in chart
    assert all(-1 <= float(at) <= 101 for at in re.findall(r'(?:x1|x2|cx|x)="(-?[\d.]+)%"', chart))


def test_labels_are_escaped_and_keep_the_word_simulated() -> None:
    label = "a judge with <a very> long name indeed & more, with people (simulated)"
    chart = interval_chart([IntervalRow(label=label, estimate=Estimate(value=0.5))], None, title="<t>", key="k")
    assert "<a very>" not in chart
    assert "(simulated)</text>" in chart


def test_a_confusion_chart_says_every_cell() -> None:
    chart = confusion_chart({"a": {"a": 3, "unscored": 1}}, {"a": "base", "b": "tuned"}, title="t", key="k")
    assert chart.count("<rect") == 12
    assert "people base, judge unscored: 1" in chart
    assert "people tuned, judge tuned: 0" in chart


def test_a_bar_chart_shows_shares_and_says_counts() -> None:
    rows = [BarRow(label="x", counts=(1, 3)), BarRow(label="none yet", counts=(0, 0))]
    chart = bar_chart(rows, (("base", "a"), ("tuned", "b")), title="t", key="k")
    assert 'width="74.75%"' in chart
    assert "x: base 1, tuned 3; none yet: base 0, tuned 0" in chart
