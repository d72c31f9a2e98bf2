"""The parts a report is made of, before they become HTML or Markdown: sections of tables, charts and notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from judge.decision.report.numbers import count, estimate_text
from judge.domain import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text; the first cell of a row is its heading.  `numeric` lists the columns that align right."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """An SVG picture and the table with the same numbers."""

    svg: str
    caption: str
    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing said: a term, and what there is to say about it."""

    term: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Parts that wait behind a line until somebody asks."""

    summary: str
    parts: tuple[Table | Chart, ...]


Part: TypeAlias = Table | Chart | Note | Fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One chapter: its anchor, title, opening paragraphs and parts."""

    anchor: str
    title: str
    lead: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


ESTIMATE_HEAD = ("estimate (interval)", "n", "missing", "method")


def estimate_cells(estimate: Estimate, *, percent: bool = False) -> tuple[str, str, str, str]:
    """Give the four cells that every estimate is shown in: text, n, missing, method."""
    return (
        estimate_text(estimate, percent=percent),
        count(estimate.n),
        count(estimate.missing),
        estimate.method or "\u2013",
    )
