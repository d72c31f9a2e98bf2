"""What a judge's single calls show: how many were usable, and what order and repetition do to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product

import numpy as np

from judge.agreement.compare import share
from judge.agreement.tables import CODE, Items, known_rows
from judge.agreement.types import Calls, Position
from judge.domain import ORDERS, Estimate, Order, Reading
from judge.stats import IntArray, krippendorff_alpha, unique_majority, value_counts

Cells = Mapping[str, Mapping[Order, Mapping[int, int]]]
"""pair -> order -> repeat -> code (-1 for no usable answer)."""


def calls_of(readings: Sequence[Reading]) -> Calls:
    """Count the planned calls of one judge on one criterion, and why the others gave nothing."""
    usable = [reading for reading in readings if reading.value is not None]
    missing = [reading for reading in readings if reading.value is None]
    ties = sum(reading.value == "tie" for reading in usable)
    return Calls(
        planned=len(readings),
        usable=len(usable),
        missing_ab=sum(reading.order == "ab" for reading in missing),
        missing_ba=sum(reading.order == "ba" for reading in missing),
        reasons=dict(sorted(Counter(reading.reason or "unstated" for reading in missing).items())),
        null_share=len(missing) / len(readings) if readings else None,
        tie_share=ties / len(usable) if usable else None,
    )


def position_of(readings: Sequence[Reading], items: Items, *, level: float) -> Position | None:
    """Measure order and repetition; None unless the judge was asked in both orders.

    Repeats asked in one order only feed `repeat` alone: elsewhere they would give that order a larger say.
    """
    if {reading.order for reading in readings} != set(ORDERS):
        return None
    cells = _cells(readings)
    shared = _asked_in_both(cells)
    return Position(
        two_orders=_pooled(cells, items, _across_orders(shared), level),
        two_orders_majority=_majorities(shared, items, level),
        repeat=_pooled(cells, items, _within_orders(cells), level),
        repeat_alpha={order: _repeat_alpha(cells, order) for order in ORDERS},
        first_shown=_first_shown(shared, items, level),
    )


def _cells(readings: Sequence[Reading]) -> Cells:
    cells: dict[str, dict[Order, dict[int, int]]] = defaultdict(lambda: {"ab": {}, "ba": {}})
    for reading in readings:
        cells[reading.pair][reading.order][reading.repeat] = CODE[reading.value]
    return dict(sorted(cells.items()))


def _asked_in_both(cells: Cells) -> Cells:
    shared: dict[str, dict[Order, dict[int, int]]] = {}
    for pair, orders in cells.items():
        repeats = orders["ab"].keys() & orders["ba"].keys()
        shared[pair] = {order: {repeat: orders[order][repeat] for repeat in sorted(repeats)} for order in ORDERS}
    return shared


def _across_orders(cells: Cells) -> Iterable[tuple[str, int, int]]:
    for pair, orders in cells.items():
        for left, right in product(orders["ab"].values(), orders["ba"].values()):
            yield pair, left, right


def _within_orders(cells: Cells) -> Iterable[tuple[str, int, int]]:
    for pair, orders in cells.items():
        for order in ORDERS:
            for left, right in combinations(orders[order].values(), 2):
                yield pair, left, right


def _pooled(cells: Cells, items: Items, compared: Iterable[tuple[str, int, int]], level: float) -> Estimate:
    """Share of two calls that agree, over all compared calls with both answers; pairs without any are missing."""
    found = [(pair, left == right) for pair, left, right in compared if left >= 0 and right >= 0]
    rows = known_rows(items, (pair for pair, _ in found), "a call is about")
    hit = np.array([agree for _, agree in found], dtype=np.int64)
    return share(hit, rows, items, level=level, missing=len(cells) - len(np.unique(rows)))


def _majorities(cells: Cells, items: Items, level: float) -> Estimate:
    """Agreement of the most frequent answers of both orders; a pair without a unique one in an order is missing."""
    ab, ba = (unique_majority(value_counts(_matrix(cells, order))) for order in ORDERS)
    usable = np.flatnonzero((ab >= 0) & (ba >= 0))
    rows = known_rows(items, cells, "a call is about")[usable]
    return share(ab[usable] == ba[usable], rows, items, level=level, missing=len(cells) - len(usable))


def _repeat_alpha(cells: Cells, order: Order) -> float | None:
    return krippendorff_alpha(value_counts(_matrix(cells, order)))


def _matrix(cells: Cells, order: Order) -> IntArray:
    """Codes, pairs x repeats, filled up with -1."""
    answers = [list(orders[order].values()) for orders in cells.values()]
    width = max(1, *(len(row) for row in answers), 1)
    return np.array([row + [-1] * (width - len(row)) for row in answers], dtype=np.int64).reshape(-1, width)


def _first_shown(cells: Cells, items: Items, level: float) -> Estimate:
    """Share of decided calls that prefer the text shown first."""
    first = {"ab": CODE["a"], "ba": CODE["b"]}
    answers = [
        (pair, code == first[order])
        for pair, orders in cells.items()
        for order in ORDERS
        for code in orders[order].values()
        if code in first.values()
    ]
    rows = known_rows(items, (pair for pair, _ in answers), "a call is about")
    unanswered = sum(all(code < 0 for codes in orders.values() for code in codes.values()) for orders in cells.values())
    return share(np.array([hit for _, hit in answers], dtype=np.int64), rows, items, level=level, missing=unanswered)
