"""Rates and win rates: one ratio estimator with a cluster-robust standard error, and an exact way for lopsided data.

R = sum u / sum v over items; psi = (u - R v) / sum v, added up within clusters; se^2 = G / (G - 1) sum psi^2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from judge.domain import Estimate
from judge.stats.arrays import FloatArray, IntArray, Rows, numbered, summed
from judge.stats.estimates import (
    ONE_CLUSTER,
    SAME_EVERYWHERE,
    TOO_FEW,
    few_clusters_quantile,
    normal_quantile,
    on_logit_scale,
    undefined,
)

DECIDED_AT_LEAST = 10  # items off one half, below which the logit interval covers too little


@dataclass(frozen=True, slots=True)
class Ratio:
    """Items with a weight: `u` of `v` each (v > 0), in `size` clusters numbered by `codes`."""

    u: FloatArray
    v: FloatArray
    codes: IntArray
    size: int

    @property
    def value(self) -> float:
        """The ratio of sums."""
        return float(self.u.sum() / self.v.sum())

    @property
    def se(self) -> float:
        """Cluster-robust standard error; NaN with one cluster."""
        psi = summed((self.u - self.value * self.v) / self.v.sum(), self.codes, self.size)
        return math.sqrt(self.size / (self.size - 1) * float(psi @ psi)) if self.size > 1 else math.nan

    @property
    def degenerate(self) -> bool:
        """Fewer than ten items off one half, or none above it, or none below it."""
        gap = self.u / self.v - 0.5
        wins, losses = int((gap > 1e-9).sum()), int((gap < -1e-9).sum())
        return wins + losses < DECIDED_AT_LEAST or wins == 0 or losses == 0


def rate(
    u: Rows,
    v: Rows | None = None,
    *,
    clusters: Rows | None = None,
    level: float = 0.95,
    missing: int = 0,
    win: bool = False,
) -> Estimate:
    """Share sum u / sum v with its interval: logit scale with z, t(G - 1) under 20 clusters, exact when degenerate.

    u: per item, between 0 and v.  v: weights (default 1); items with v = 0 are left out.  clusters: one key per item.
    win: also give `normal`, value -+ z se.  Undefined for fewer than two items; value without bounds in one cluster.
    """
    ratio = _ratio(u, v, clusters)
    n = len(ratio.u)
    if n < 2:
        return undefined(TOO_FEW, n=n, missing=missing)
    value, se = ratio.value, ratio.se
    if ratio.size < 2:
        return undefined(ONE_CLUSTER, value=value, n=n, missing=missing)
    half = normal_quantile(level) * se
    normal = (value - half, value + half) if win and se > 0 else None
    if ratio.degenerate:
        low, high = exact_bounds(ratio, level)
        return Estimate(value=value, low=low, high=high, n=n, missing=missing, method="exact", normal=normal)
    if se <= 1e-12:
        return undefined(SAME_EVERYWHERE, value=value, n=n, missing=missing)
    low, high = on_logit_scale(value, se, few_clusters_quantile(level, ratio.size))
    return Estimate(value=value, low=low, high=high, n=n, missing=missing, method="logit", normal=normal)


def exact_bounds(ratio: Ratio, level: float) -> tuple[float, float]:
    """Interval from the shares of net wins and net losses, each Clopper-Pearson at 1 - (1 - level) / 2.

    A cluster with mean m is worth max(0, 2m - 1) of a win and max(0, 1 - 2m) of a loss.  Unequal weights count as the
    smaller number of equal ones with the same variance (Kish), so they never narrow the interval.
    """
    u, v = summed(ratio.u, ratio.codes, ratio.size), summed(ratio.v, ratio.codes, ratio.size)
    gain, share = 2 * u / v - 1, v / v.sum()
    count = float(1 / (share @ share))
    wins = share @ np.maximum(gain, 0) * count
    losses = share @ np.maximum(-gain, 0) * count
    low_wins, high_wins = clopper_pearson(float(wins), count, (1 + level) / 2)
    low_losses, high_losses = clopper_pearson(float(losses), count, (1 + level) / 2)
    return 0.5 + (low_wins - high_losses) / 2, 0.5 + (high_wins - low_losses) / 2


def clopper_pearson(count: float, n: float, level: float) -> tuple[float, float]:
    """Two-sided interval at `level` of a share from `count` of `n`; both may be fractional.

    Source: Clopper & Pearson (1934), by beta quantiles.
    """
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = 0.0 if count <= 1e-12 else float(betaincinv(count, n - count + 1, tail))
    high = 1.0 if n - count <= 1e-12 else float(betaincinv(count + 1, n - count, 1 - tail))
    return low, high


def _ratio(u: Rows, v: Rows | None, clusters: Rows | None) -> Ratio:
    top = np.asarray(u, dtype=np.float64)
    bottom = np.ones(len(top)) if v is None else np.asarray(v, dtype=np.float64)
    kept = bottom > 0
    codes, size = numbered(None if clusters is None else np.asarray(clusters)[kept], int(kept.sum()))
    return Ratio(top[kept], bottom[kept], codes, size)
