"""Intervals of agreement by leaving out one cluster at a time, on Fisher's z scale with t(G - 1).

Source: Efron & Tibshirani (1993), chapter 11, for the jackknife; Krippendorff (2011) and Gwet (2008) for the values.
"""

from __future__ import annotations

import math

import numpy as np

from judge.domain import Estimate
from judge.stats.arrays import FloatArray, IntArray, Rows, numbered, summed
from judge.stats.coefficients import Metric, agreeing_pairs, gwet_ac1, krippendorff_alpha
from judge.stats.coincidences import alphas, distinct_rows, patterns, unit_coincidences
from judge.stats.estimates import (
    NO_VARIATION,
    ONE_CLUSTER,
    ONE_ITEM_DECIDES,
    SAME_EVERYWHERE,
    TOO_FEW,
    coefficient_estimate,
    student_quantile,
    undefined,
)


def alpha_estimate(
    counts: Rows,
    metric: Metric = "nominal",
    *,
    clusters: Rows | None = None,
    level: float = 0.95,
    n: int | None = None,
    missing: int = 0,
) -> Estimate:
    """Krippendorff's alpha with its jackknife interval.

    counts: units x values; units with fewer than two labels are ignored.  clusters: one key per unit.
    n: how many items the units belong to, when that is not the number of units.
    The value is the krippendorff package's.  Undefined for fewer than two items or when all labels are equal.
    """
    table = np.asarray(counts, dtype=np.int64)
    n = int((table.sum(axis=1) >= 2).sum()) if n is None else n
    value = krippendorff_alpha(table, metric)
    if n < 2 or value is None:
        return undefined(TOO_FEW if n < 2 else NO_VARIATION, n=n, missing=missing)
    found = patterns(table, clusters)
    left_out = alphas(found.total - found.rows, metric)
    se = jackknife_se(left_out, found.times)
    return coefficient_estimate(value, se, level=level, clusters=found.clusters, n=n, missing=missing)


def ac1_estimate(
    counts: Rows, *, clusters: Rows | None = None, level: float = 0.95, n: int | None = None, missing: int = 0
) -> Estimate:
    """Gwet's AC1 with its jackknife interval; shapes as in `alpha_estimate`, single labels as in `gwet_ac1`."""
    table = np.asarray(counts, dtype=np.float64)
    n = int((table.sum(axis=1) >= 2).sum()) if n is None else n
    value = gwet_ac1(table)
    if n < 2 or value is None:
        return undefined(TOO_FEW if n < 2 else NO_VARIATION, n=n, missing=missing)
    parts, size = _ac1_parts(table, clusters)
    se = jackknife_se(_ac1_of(parts.sum(axis=0) - parts), np.ones(size, np.int64))
    return coefficient_estimate(value, se, level=level, clusters=size, n=n, missing=missing)


def alpha_difference(
    first: Rows,
    second: Rows,
    *,
    first_clusters: Rows,
    second_clusters: Rows,
    level: float = 0.95,
    n: int | None = None,
    missing: int = 0,
) -> tuple[Estimate, float | None]:
    """Nominal alpha of `first` minus that of `second`, and the half-width t(G - 1) x se of its interval.

    Both are value counts over units of the same clusters; each replicate leaves one cluster out of both, so what the
    two share cancels.  The half-width is None where the interval is.
    """
    left, right = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    values = krippendorff_alpha(left), krippendorff_alpha(right)
    keys = np.unique(np.concatenate([np.asarray(first_clusters), np.asarray(second_clusters)]))
    n = len(keys) if n is None else n
    if n < 2 or values[0] is None or values[1] is None:
        return undefined(TOO_FEW if n < 2 else NO_VARIATION, n=n, missing=missing), None
    value = values[0] - values[1]
    if len(keys) < 2:
        return undefined(ONE_CLUSTER, value=value, n=n, missing=missing), None
    left_out = _alphas_without(left, first_clusters, keys) - _alphas_without(right, second_clusters, keys)
    se = jackknife_se(left_out, np.ones(len(keys), np.int64))
    if not math.isfinite(se) or se <= 1e-12:
        reason = SAME_EVERYWHERE if math.isfinite(se) else ONE_ITEM_DECIDES
        return undefined(reason, value=value, n=n, missing=missing), None
    half = student_quantile(level, len(keys) - 1) * se
    return Estimate(value=value, low=value - half, high=value + half, n=n, missing=missing, method="normal"), half


def jackknife_se(left_out: FloatArray, times: IntArray) -> float:
    """Standard error from leave-one-out values, each standing for `times` clusters; NaN when one is undefined."""
    size = int(times.sum())
    if size < 2:
        return math.nan
    mean = float(times @ left_out) / size
    return math.sqrt((size - 1) / size * float(times @ (left_out - mean) ** 2))


def _alphas_without(table: IntArray, clusters: Rows, keys: Rows) -> FloatArray:
    """Nominal alpha without each of `keys` in turn; clusters: the key of each unit."""
    distinct, where, _ = distinct_rows(table)
    flat = unit_coincidences(distinct).reshape(len(distinct), -1)[where]
    parts = summed(flat, np.searchsorted(keys, np.asarray(clusters)).astype(np.int64), len(keys))
    parts = parts.reshape(len(keys), table.shape[1], table.shape[1])
    return alphas(parts.sum(axis=0) - parts, "nominal")


def _ac1_parts(table: FloatArray, clusters: Rows | None) -> tuple[FloatArray, int]:
    """Sums that AC1 is made of, per cluster: rows, rows with a pair, agreement, shares of the observed values."""
    labels = table.sum(axis=1)
    kept = labels > 0
    codes, size = numbered(None if clusters is None else np.asarray(clusters)[kept], int(kept.sum()))
    table, labels = table[kept][:, table.sum(axis=0) > 0], labels[kept]
    agreeing, pairs = agreeing_pairs(table)
    agreement = np.divide(agreeing, pairs, out=np.zeros_like(pairs), where=pairs > 0)
    columns = np.column_stack([np.ones(len(table)), pairs > 0, agreement, table / labels[:, None]])
    return summed(columns, codes, size), size


def _ac1_of(parts: FloatArray) -> FloatArray:
    rows, paired, agreement, shares = parts[:, 0], parts[:, 1], parts[:, 2], parts[:, 3:]
    defined = (paired > 0.5) & (rows > 0.5)
    shares = shares / np.maximum(rows, 1)[:, None]
    chance: FloatArray = (shares * (1 - shares)).sum(axis=1) / (shares.shape[1] - 1)
    values: FloatArray = np.full(len(rows), np.nan)
    np.divide(agreement, paired, out=values, where=defined)
    return (values - chance) / (1 - chance)
