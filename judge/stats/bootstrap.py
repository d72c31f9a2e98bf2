"""Bias-corrected and accelerated bootstrap of alpha, for those who ask for it.

Clusters with equal contributions are interchangeable, so a resample is one multinomial draw over the distinct ones: the
identical distribution at a cost that does not depend on the number of items.
Source: Efron (1987) for BCa.
"""

from __future__ import annotations

import math

import numpy as np

from judge.domain import Estimate
from judge.stats.arrays import FloatArray, Rows
from judge.stats.coefficients import Metric, krippendorff_alpha
from judge.stats.coincidences import Patterns, alphas, patterns
from judge.stats.estimates import NO_VARIATION, ONE_CLUSTER, ONE_ITEM_DECIDES, SAME_EVERYWHERE, TOO_FEW, undefined
from judge.stats.jackknife import jackknife_se

_CELLS = 2_000_000  # numbers held at once while drawing, 16 MB


def alpha_bootstrap(
    counts: Rows,
    metric: Metric = "nominal",
    *,
    clusters: Rows | None = None,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
    missing: int = 0,
) -> Estimate:
    """Krippendorff's alpha with the BCa interval; shapes and undefined cases as in `alpha_estimate`.

    The same counts in any row order and the same seed give the same interval.
    """
    table = np.asarray(counts, dtype=np.int64)
    n = int((table.sum(axis=1) >= 2).sum())
    value = krippendorff_alpha(table, metric)
    if n < 2 or value is None:
        return undefined(TOO_FEW if n < 2 else NO_VARIATION, n=n, missing=missing)
    found = patterns(table, clusters)
    left_out = alphas(found.total - found.rows, metric)
    se = jackknife_se(left_out, found.times)
    if found.clusters < 2 or not np.isfinite(se) or se <= 1e-12:
        reason = ONE_CLUSTER if found.clusters < 2 else SAME_EVERYWHERE if se <= 1e-12 else ONE_ITEM_DECIDES
        return undefined(reason, value=value, n=n, missing=missing)
    draws = resampled_alphas(found, metric, resamples=resamples, rng=np.random.default_rng(seed))
    low, high = _bca(value, draws, _acceleration(left_out, found), level)
    return Estimate(value=value, low=min(low, value), high=max(high, value), n=n, missing=missing, method="bca")


def resampled_alphas(found: Patterns, metric: Metric, *, resamples: int, rng: np.random.Generator) -> FloatArray:
    """Alpha of `resamples` samples of clusters drawn with replacement; samples without variation are left out."""
    block = max(1, _CELLS // max(1, len(found.times)))
    flat = found.rows.reshape(len(found.rows), -1)
    shares = found.times / found.clusters
    draws = []
    for start in range(0, resamples, block):
        times = rng.multinomial(found.clusters, shares, size=min(block, resamples - start))
        draws.append(alphas((times @ flat).reshape(-1, *found.rows.shape[1:]), metric))
    values = np.concatenate(draws)
    return values[np.isfinite(values)]


def _acceleration(left_out: FloatArray, found: Patterns) -> float:
    gaps = float(found.times @ left_out) / found.clusters - left_out
    spread = float(found.times @ gaps**2)
    return float(found.times @ gaps**3) / (6 * spread * math.sqrt(spread))


def _bca(value: float, draws: FloatArray, acceleration: float, level: float) -> tuple[float, float]:
    from scipy.special import ndtr, ndtri

    below = (np.sum(draws < value) + 0.5 * np.sum(draws == value)) / len(draws)
    bias = float(ndtri(np.clip(below, 1 / len(draws), 1 - 1 / len(draws))))
    ends = bias + ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    low, high = np.quantile(draws, ndtr(bias + ends / (1 - acceleration * ends)))
    return float(low), float(high)
