"""Two sides on the same pairs, and shares of pairs: the pieces that both panels are built from."""

from __future__ import annotations

import dataclasses

import numpy as np

from judge.agreement.tables import Items
from judge.agreement.types import Two
from judge.domain import Estimate
from judge.stats import IntArray, alpha_estimate, cohen_kappa, rate, value_counts

A, TIE, B = 0, 1, 2


def two(left: IntArray, right: IntArray, rows: IntArray, items: Items, *, level: float, missing: int) -> Two:
    """Compare two sides over units.

    left, right: codes per unit, -1 missing; units with a missing side are left out.  rows: the pair of each unit.
    missing: pairs that could not be compared.
    """
    usable = (left >= 0) & (right >= 0)
    left, right, rows = left[usable], right[usable], rows[usable]
    counts, clusters = value_counts(np.column_stack([left, right])), items.clusters[rows]
    n = len(np.unique(rows))
    nominal, ordinal = (
        alpha_estimate(counts, metric, clusters=clusters, level=level, n=n, missing=missing)
        for metric in ("nominal", "ordinal")
    )
    raw = share(left == right, rows, items, level=level, missing=missing)
    return Two(n=len(left), raw=raw, cohen=cohen_kappa(left, right), alpha_nominal=nominal, alpha_ordinal=ordinal)


def share(hit: IntArray, rows: IntArray, items: Items, *, level: float, missing: int) -> Estimate:
    """Share of units with a hit; units of one pair are pooled, pairs of one cluster too."""
    size = len(items)
    hits = np.bincount(rows, weights=hit, minlength=size)
    units = np.bincount(rows, minlength=size)
    return rate(hits, units, clusters=items.clusters, level=level, missing=missing)


def longer_share(codes: IntArray, items: Items, *, level: float, missing: int) -> Estimate:
    """Share of decided pairs with texts of unequal length (in characters) in which the longer one is preferred."""
    rows = np.flatnonzero((codes >= 0) & (codes != TIE) & (items.longer != TIE))
    return share(codes[rows] == items.longer[rows], rows, items, level=level, missing=missing)


def a_share(codes: IntArray, items: Items, *, level: float, missing: int) -> Estimate:
    """Share of decided pairs in which `a` is preferred."""
    rows = np.flatnonzero((codes >= 0) & (codes != TIE))
    return share(codes[rows] == A, rows, items, level=level, missing=missing)


def counted(estimate: Estimate, *, n: int, missing: int) -> Estimate:
    """Give the same estimate with these counts of pairs."""
    return dataclasses.replace(estimate, n=n, missing=missing)
