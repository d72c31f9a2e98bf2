"""Post-stratified win rate: people's mean within each verdict of the judge, weighted by how common the verdict is."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from judge.domain import Estimate
from judge.stats.arrays import FloatArray, Rows, numbered, summed
from judge.stats.estimates import (
    ONE_CLUSTER,
    SAME_EVERYWHERE,
    TOO_FEW,
    few_clusters_quantile,
    normal_quantile,
    on_logit_scale,
    undefined,
)

THIN: Final = "a verdict of the judge has fewer than two labelled items"


def post_stratified(
    y: Rows,
    strata: Rows,
    *,
    clusters: Rows | None = None,
    weights: Rows | None = None,
    level: float = 0.95,
    missing: int = 0,
) -> Estimate:
    """Sum over strata of (share of all items) x (people's mean among its labelled items), logit scale.

    y: people's score of every item, NaN where nobody labelled it.  strata, clusters, weights: one per item.
    The error adds people's spread within strata to the chance in the strata's shares, clustered.
    No bounds where a stratum has fewer than two labelled items.  Source: Cochran (1977), section 5A.9.
    """
    scores = np.asarray(y, dtype=np.float64)
    known = np.isfinite(scores)
    n = int(known.sum())
    if n < 2:
        return undefined(TOO_FEW, n=n, missing=missing)
    stratum, count = numbered(strata, len(scores))
    if (np.bincount(stratum[known], minlength=count) < 2).any():
        return undefined(THIN, n=n, missing=missing)
    w = np.where(known, 1.0 if weights is None else np.asarray(weights), 0.0)
    value, parts = _value_and_influence(np.where(known, scores, 0.0), w, stratum, count)
    codes, size = numbered(clusters, len(scores))
    if size < 2:
        return undefined(ONE_CLUSTER, value=value, n=n, missing=missing)
    psi = summed(parts, codes, size)
    se = math.sqrt(size / (size - 1) * float(psi @ psi))
    if se <= 1e-12 or not 0 < value < 1:
        return undefined(SAME_EVERYWHERE, value=value, n=n, missing=missing)
    low, high = on_logit_scale(value, se, few_clusters_quantile(level, size))
    half = normal_quantile(level) * se
    normal = (value - half, value + half)
    return Estimate(value=value, low=low, high=high, n=n, missing=missing, method="logit", normal=normal)


def _value_and_influence(y: FloatArray, w: FloatArray, stratum: Rows, count: int) -> tuple[float, FloatArray]:
    size = len(y)
    weight = np.bincount(stratum, weights=w, minlength=count)
    means = np.bincount(stratum, weights=w * y, minlength=count) / weight
    shares = np.bincount(stratum, minlength=count) / size
    value = float(shares @ means)
    within = shares[stratum] * w * (y - means[stratum]) / weight[stratum]
    return value, within + (means[stratum] - value) / size
