"""Krippendorff's alpha of many subsets at once, from sums of coincidences.

What a unit contributes to alpha depends on its value counts alone.  So units with equal counts are one *pattern* with a
frequency, leaving one out is a subtraction, and resampling is a multinomial draw: no cost grows with the number of items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from judge.stats.arrays import FloatArray, IntArray, Rows, numbered, summed
from judge.stats.coefficients import Metric


@dataclass(frozen=True, slots=True)
class Patterns:
    """Distinct contributions of clusters.  rows: patterns x values x values; times: how many clusters have each."""

    rows: FloatArray
    times: IntArray

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.times.sum())

    @property
    def total(self) -> FloatArray:
        """The coincidence matrix of all clusters."""
        return np.tensordot(self.times, self.rows, axes=1)


def patterns(counts: Rows, clusters: Rows | None = None) -> Patterns:
    """Reduce value counts (units x values) to distinct contributions; units with fewer than two labels are ignored."""
    table = np.asarray(counts, dtype=np.int64)
    pairable = table.sum(axis=1) >= 2
    table = table[pairable]
    codes, size = numbered(None if clusters is None else np.asarray(clusters)[pairable], len(table))
    distinct, where, times = distinct_rows(table)
    unit = unit_coincidences(distinct)
    if size == len(table):
        return Patterns(unit, times)
    values = table.shape[1]
    merged = summed(unit.reshape(len(unit), -1)[where], codes, size)
    rows, times = np.unique(merged.round(12), axis=0, return_counts=True)
    return Patterns(rows.reshape(-1, values, values), times.astype(np.int64))


def distinct_rows(table: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Distinct rows in a fixed order, where each row went, and how often each comes."""
    if table.size == 0:
        return table, np.zeros(len(table), np.int64), np.zeros(len(table), np.int64)
    radix = int(table.max()) + 1
    if radix ** table.shape[1] < 2**62:  # one integer per row sorts far faster than rows do
        keys = table @ (radix ** np.arange(table.shape[1], dtype=np.int64))
        _, first, where, times = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        return table[first], where.reshape(-1), times
    rows, where, times = np.unique(table, axis=0, return_inverse=True, return_counts=True)
    return rows, where.reshape(-1), times


def alphas(coincidences: FloatArray, metric: Metric) -> FloatArray:
    """Alpha of each coincidence matrix (many x values x values); NaN where fewer than two values are left.

    Source: Krippendorff (2011), with ordinal distances from each matrix' own marginals.
    """
    marginals = coincidences.sum(axis=-1)
    size = marginals.sum(axis=-1)
    distance = _distances(marginals, metric)
    observed = (coincidences * distance).sum(axis=(-1, -2))
    expected = np.einsum("...i,...ij,...j->...", marginals, distance, marginals)
    defined = (marginals > 1e-6).sum(axis=-1) >= 2  # subtraction leaves dust instead of zeros
    ratio: FloatArray = np.full(size.shape, np.nan)
    np.divide((size - 1) * observed, expected, out=ratio, where=defined)
    return 1 - ratio


def _distances(marginals: FloatArray, metric: Metric) -> FloatArray:
    values = marginals.shape[-1]
    if metric == "nominal":
        return 1 - np.eye(values)
    ranks: FloatArray = marginals.cumsum(axis=-1) - marginals / 2
    place = ranks if metric == "ordinal" else np.arange(values, dtype=np.float64)
    gaps = place[..., :, None] - place[..., None, :]
    return np.asarray(gaps**2, dtype=np.float64)


def unit_coincidences(counts: IntArray) -> FloatArray:
    """What each unit (value counts) adds to the coincidence matrix; nothing with fewer than two labels."""
    table = counts.astype(np.float64)
    partners: FloatArray = np.maximum(table.sum(axis=1) - 1, 1)
    products = table[:, :, None] * table[:, None, :] - table[:, :, None] * np.eye(table.shape[1])
    return np.divide(products, partners[:, None, None])
