"""Charts as pure functions: numbers in, one SVG element out.

Positions are percentages and text keeps its size, so that a chart is as readable on a telephone as in print.  Colours
come from the page's style sheet by class.  Each chart is an image with a title and a description that says the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from judge.decision.report.numbers import count, estimate_text, plain, setting
from judge.domain import Estimate

ROW: Final = 56  # pixels; on a telephone the number stands below its line, and has to fit in as well
LABEL: Final = 42  # characters that fit
NEAR: Final = 7  # per cent; closer ticks would run into the label of the threshold
MARGIN: Final = 1.5  # per cent kept free on both sides for the points


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRow:
    """One estimate to draw; `faint` for figures that are shown but decide nothing.

    tone: `good`, `bad`, `open` or `neutral`; None leaves it to where the interval lies from the threshold.
    """

    label: str
    estimate: Estimate
    faint: bool = False
    tone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BarRow:
    """One bar of counts, in the order of the series; `leads` begins a new group of bars."""

    label: str
    counts: tuple[int, ...]
    leads: bool = False


def interval_chart(rows: Sequence[IntervalRow], threshold: float | None, *, title: str, key: str, percent: bool = False) -> str:
    """Draw each estimate as a point with its interval over a common axis, and the threshold as a line.

    key: unique in the page, for the ids of title and description.
    An interval wholly above the threshold is drawn as good, wholly at or below as bad, else as open.
    """
    axis = _Axis.over(rows, threshold)
    bottom = ROW * len(rows) + 4
    body, said = [], []
    for index, row in enumerate(rows):
        body.append(_interval(row, axis, threshold, index * ROW, percent))
        said.append(f"{plain(row.label)}: {estimate_text(row.estimate, percent=percent)}, n {count(row.estimate.n)}")
    body.append(_ticks(axis, bottom, percent, threshold))
    if threshold is not None:
        said.append(f"line at {setting(threshold, percent=percent)}")
    return _image("".join(body), bottom + 24, title, "; ".join(said), key)


def confusion_chart(matrix: Mapping[str, Mapping[str, int]], names: Mapping[str, str], *, title: str, key: str) -> str:
    """Draw people's answers (rows a, tie, b) against a judge's (columns a, tie, b, unscored), darker for more.

    names: what to call a and b.  The count stands in each cell.
    """
    columns, lines = ("a", "tie", "b", "unscored"), ("a", "tie", "b")
    largest = max((matrix.get(line, {}).get(column, 0) for line in lines for column in columns), default=0)
    body = [
        f'<text class="axis" x="{24 + 19 * i + 9}%" y="14" text-anchor="middle">{_short(names.get(column, column), 11)}</text>'
        for i, column in enumerate(columns)
    ]
    said = []
    for j, line in enumerate(lines):
        top = 24 + 44 * j
        body.append(f'<text class="label" x="0" y="{top + 25}">{_short(names.get(line, line), 11)}</text>')
        for i, column in enumerate(columns):
            value = matrix.get(line, {}).get(column, 0)
            body.append(_cell(24 + 19 * i, top, value, largest, line == column))
            said.append(f"people {names.get(line, line)}, judge {names.get(column, column)}: {count(value)}")
    return _image("".join(body), 24 + 44 * len(lines), title, "; ".join(map(plain, said)), key)


def bar_chart(rows: Sequence[BarRow], series: Sequence[tuple[str, str]], *, title: str, key: str) -> str:
    """Draw counts as shares of a full bar.

    series: (name, colour class) of each count; classes are `a`, `tie`, `b`, `none`.
    """
    body = [_legend(series)]
    said = []
    top = 16
    for row in rows:
        top += 14 if row.leads else 0
        body.append(_bar(row, series, top))
        top += 44
        figures = ", ".join(f"{name} {count(value)}" for (name, _), value in zip(series, row.counts, strict=True))
        said.append(f"{row.label}: {figures}")
    return _image("".join(body), top, title, "; ".join(map(plain, said)), key)


@dataclass(frozen=True, slots=True)
class _Axis:
    """A scale from `low` to `high` with ticks at multiples of `step`."""

    low: float
    high: float
    step: float

    @classmethod
    def over(cls, rows: Sequence[IntervalRow], threshold: float | None) -> _Axis:
        values = [
            value for row in rows for value in (row.estimate.low, row.estimate.value, row.estimate.high)
            if value is not None and math.isfinite(value)
        ]  # fmt: skip
        values += [] if threshold is None else [threshold]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        span = (high - low) or max(abs(high), 0.1)
        low, high = low - 0.08 * span, high + 0.08 * span
        step = _nice((high - low) / 4)
        return cls(low, high, step)

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(MARGIN + (100 - 2 * MARGIN) * share, 2)

    def ticks(self) -> list[float]:
        first, last = math.ceil(self.low / self.step), math.floor(self.high / self.step)
        return [index * self.step for index in range(first, last + 1)]


def _nice(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * 0.999)


def _interval(row: IntervalRow, axis: _Axis, threshold: float | None, top: int, percent: bool) -> str:
    estimate, line = row.estimate, top + 34
    tone = f"{row.tone or _tone(estimate, threshold)}{' faint' if row.faint else ''}"
    value = estimate_text(estimate, percent=percent)
    drawn = [
        f'<line class="track" x1="0.6%" x2="99.4%" y1="{line}" y2="{line}"/>',
        f'<text class="label" x="0" y="{top + 18}">{_short(row.label, LABEL)}</text>',
        f'<text class="value" x="100%" y="{top + 18}" text-anchor="end">{_short(value, LABEL + 6)}</text>',
    ]
    if threshold is not None:
        at = axis.at(threshold)
        drawn.append(f'<line class="threshold" x1="{at}%" x2="{at}%" y1="{top + 24}" y2="{top + 44}"/>')
    if estimate.low is not None and estimate.high is not None:
        drawn.append(
            f'<line class="range {tone}" x1="{axis.at(estimate.low)}%" x2="{axis.at(estimate.high)}%" y1="{line}" y2="{line}"/>'
        )
    if estimate.value is not None:
        drawn.append(f'<circle class="point {tone}" cx="{axis.at(estimate.value)}%" cy="{line}" r="6"/>')
    return "".join(drawn)


def _tone(estimate: Estimate, threshold: float | None) -> str:
    if threshold is None:
        return "neutral"
    if estimate.low is not None and estimate.low > threshold:
        return "good"
    return "bad" if estimate.high is not None and estimate.high <= threshold else "open"


def _ticks(axis: _Axis, top: int, percent: bool, threshold: float | None) -> str:
    marks = [(tick, _tick(tick, axis.step, percent), "axis") for tick in axis.ticks()]
    if threshold is not None:
        marks = [mark for mark in marks if abs(axis.at(mark[0]) - axis.at(threshold)) > NEAR]
        marks.append((threshold, setting(threshold, percent=percent), "axis strong"))
    drawn = [f'<line class="rule" x1="0" x2="100%" y1="{top}" y2="{top}"/>']
    for value, text, kind in marks:
        at = axis.at(value)
        anchor = "start" if at < 6 else "end" if at > 94 else "middle"
        drawn.append(f'<text class="{kind}" x="{at}%" y="{top + 18}" text-anchor="{anchor}">{text}</text>')
    return "".join(drawn)


def _tick(value: float, step: float, percent: bool) -> str:
    scale = 100 if percent else 1
    digits = max(0, -math.floor(math.log10(step * scale) + 1e-9))
    digits += 1 if round(step * scale * 10**digits, 6) % 1 else 0
    text = f"{abs(value * scale):.{digits}f}"
    sign = "\u2212" if value < 0 and float(text) else ""
    return f"{sign}{text}{'%' if percent else ''}"


def _cell(left: int, top: int, value: int, largest: int, agrees: bool) -> str:
    weight = value / largest if largest else 0.0
    return (
        f'<rect class="cell{" agree" if agrees else ""}" x="{left}%" y="{top}" width="18.5%" height="40" rx="3" '
        f'fill-opacity="{round(0.08 + 0.92 * weight, 3)}"/>'
        f'<text class="count" x="{left + 9.25}%" y="{top + 25}" text-anchor="middle">{count(value)}</text>'
    )


def _legend(series: Sequence[tuple[str, str]]) -> str:
    width = 100 / max(1, len(series))
    return "".join(
        f'<rect class="fill-{kind}" x="{round(index * width, 2)}%" y="2" width="10" height="10" rx="2"/>'
        f'<text class="axis" x="{round(index * width, 2)}%" dx="15" y="11">{_short(name, 12)}</text>'
        for index, (name, kind) in enumerate(series)
    )


def _bar(row: BarRow, series: Sequence[tuple[str, str]], top: int) -> str:
    total = sum(row.counts)
    drawn = [f'<text class="label" x="0" y="{top + 13}">{_short(row.label, LABEL)}</text>']
    if not total:
        return drawn[0] + f'<text class="value" x="100%" y="{top + 13}" text-anchor="end">none</text>'
    left = 0.0
    for (_, kind), value in zip(series, row.counts, strict=True):
        width = 100 * value / total
        if value:
            drawn.append(
                f'<rect class="fill-{kind}" x="{left:.2f}%" y="{top + 20}" width="{max(width - 0.25, 0.2):.2f}%" height="18"/>'
            )
        if width >= 7:
            drawn.append(
                f'<text class="inbar on-{kind}" x="{left + width / 2:.2f}%" y="{top + 33}" text-anchor="middle">'
                f"{count(value)}</text>"
            )
        left += width
    return "".join(drawn)


def _short(text: str, limit: int) -> str:
    """Cut to `limit` characters, but never a closing `(simulated)`."""
    line = plain(text)
    if len(line) > limit:
        tail = line[line.rindex(" (") :] if line.endswith("(simulated)") else ""
        line = line[: max(1, limit - 1 - len(tail))] + "\u2026" + tail
    return escape(line)


def _image(body: str, height: int, title: str, description: str, key: str) -> str:
    return (
        f'<svg class="chart" role="img" width="100%" height="{height}" aria-labelledby="{key}-t" '
        f'aria-describedby="{key}-d">'
        f'<title id="{key}-t">{escape(plain(title))}</title><desc id="{key}-d">{escape(description)}</desc>{body}</svg>'
    )
