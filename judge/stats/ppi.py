"""Win rates from a few labels by people and a judge's score of every item: PPI++ and its relatives.

y: people's scores of the n labelled items, f: the judge's scores of the same items, `others`: its scores of the N items
that nobody labelled; all in [0, 1].  A judge that is wrong costs width here, never truth.
Source: Angelopoulos, Duchi & Zrnic (2023) for PPI++; the tuned form keeps the residual variance of the confirmation half.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from judge.domain import Estimate, Method
from judge.stats.arrays import FloatArray, IntArray, Rows, numbered, summed
from judge.stats.estimates import normal_quantile, on_logit_scale
from judge.stats.rates import rate

CONFIRM_AT_LEAST: Final = 20
NOBODY_ELSE: Final = "people only: every item is labelled"
LOPSIDED: Final = "people only: fewer than ten items decided, or no win, or no loss"
CONSTANT_JUDGE: Final = "people only: the judge's scores do not vary"
OFF_SCALE: Final = "people only: the judge's correction leaves the range of a share"
FEW_CONFIRMED: Final = "people only: fewer than 20 confirmation items"
WEIGHTED_HALVES: Final = "people only: items were drawn with unequal probabilities"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A win rate with the weight `lam` that the judge got in it (None: people only) and its correlation r with people."""

    estimate: Estimate
    lam: float | None
    r: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """The labelled items: people's scores y, the judge's f, a cluster key and (or None) a drawing weight for each."""

    y: FloatArray
    f: FloatArray
    clusters: Rows
    weights: FloatArray | None = None

    @property
    def relative(self) -> FloatArray:
        """Weights with mean 1 (Hajek); all 1 without weights."""
        return np.ones(len(self.y)) if self.weights is None else self.weights / self.weights.mean()

    @property
    def unequal(self) -> bool:
        """Items were drawn with different probabilities."""
        return self.weights is not None and bool(np.ptp(self.weights) > 1e-9 * self.weights.max())


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """The items that nobody labelled: the judge's scores f and a cluster key each."""

    f: FloatArray
    clusters: Rows


def people_rate(labelled: Labelled, *, level: float = 0.95, missing: int = 0) -> Estimate:
    """Win rate by the labels alone, weighted where probabilities were unequal."""
    w = labelled.relative if labelled.unequal else np.ones(len(labelled.y))
    return rate(w * labelled.y, w, clusters=labelled.clusters, level=level, missing=missing, win=True)


def ppi(labelled: Labelled, others: Others, *, level: float = 0.95, missing: int = 0) -> Corrected:
    """PPI++ with power tuning, logit scale, z.

    lambda = clip(cov(y, f) / ((1 + n/N) var(f)), 0, 1); value = mean y + lambda (mean f others - mean f labelled).
    With unequal weights means and covariance are Hajek's, and the judge's mean over all items takes the place of the
    others' (who are then no fair picture of the rest).  Where it does not apply the people-only rate is given, with the
    reason: no others, a lopsided sample, a judge that never varies.
    """
    people = people_rate(labelled, level=level, missing=missing)
    r = correlation(labelled.y, labelled.f, labelled.relative if labelled.unequal else None)
    reason = _why_people_only(people, labelled.f, others.f)
    if reason is not None:
        return _people_only(people, reason, r)
    lam, value = _power_tuned(labelled, others)
    parts, labelled_first = _influence(labelled, others, lam)
    se = _standard_error(parts, labelled_first)
    return _on_scale(value, se, lam, r, people, level=level, total=len(parts), method="ppi++")


def ppi_tuned(labelled: Labelled, confirmation: Rows, others: Others, *, level: float = 0.95, missing: int = 0) -> Corrected:
    """People's mean over all labels with a control variate from the confirmation half alone.

    For a judge whose rubric may have been tuned on the other labels.  confirmation: boolean, one per labelled item.
    value = mean y + beta (mean f others - mean f confirmation), beta >= 0, variance in residual form.
    People only with fewer than 20 confirmation items, with none unlabelled, or with unequal probabilities.
    """
    people = people_rate(labelled, level=level, missing=missing)
    half = np.asarray(confirmation, dtype=bool)
    y, f = labelled.y[half], labelled.f[half]
    r = correlation(y, f)
    reason = _why_people_only(people, f, others.f)
    if reason is None and len(y) < CONFIRM_AT_LEAST:
        reason = FEW_CONFIRMED
    if reason is None and labelled.unequal:
        reason = WEIGHTED_HALVES
    if reason is not None:
        return _people_only(people, reason, r)
    n, confirmed, rest = len(labelled.y), len(y), len(others.f)
    spread = float(np.concatenate([f, others.f]).var(ddof=1))
    beta = max(0.0, float(np.cov(y, f)[0, 1]) / n / (spread * (1 / confirmed + 1 / rest)))
    value = float(labelled.y.mean() + beta * (others.f.mean() - f.mean()))
    se = _tuned_error(labelled, half, others, beta)
    return _on_scale(value, se, beta, r, people, level=level, total=n + rest, method="ppi++-tuned")


def correlation(y: Rows, f: Rows, weights: Rows | None = None) -> float | None:
    """Pearson's r of people's and the judge's scores; None where one of them does not vary."""
    if len(y) < 2:
        return None
    w = np.ones(len(y)) if weights is None else np.asarray(weights)
    a, b = y - np.average(y, weights=w), f - np.average(f, weights=w)
    scale = math.sqrt(float(w @ a**2) * float(w @ b**2))
    return None if scale <= 1e-12 else float(np.clip(float(w @ (a * b)) / scale, -1, 1))


def _why_people_only(people: Estimate, f: FloatArray, others: FloatArray) -> str | None:
    if people.low is None:
        return people.reason
    if len(others) == 0:
        return NOBODY_ELSE
    if people.method == "exact":
        return LOPSIDED
    return CONSTANT_JUDGE if np.ptp(np.concatenate([f, others])) <= 1e-12 else None


def _people_only(people: Estimate, reason: str | None, r: float | None) -> Corrected:
    method: Method | None = "people" if people.method == "logit" else people.method
    return Corrected(estimate=dataclasses.replace(people, method=method, reason=reason), lam=None, r=r)


def _power_tuned(labelled: Labelled, others: Others) -> tuple[float, float]:
    """Give lambda and the value; `ahead` is how far the judge's mean of the others lies above that of the labelled."""
    w = labelled.relative
    n, rest = len(labelled.y), len(others.f)
    everyone = np.concatenate([labelled.f, others.f])
    mean_y, mean_f = float(w @ labelled.y) / n, float(w @ labelled.f) / n
    covariance = float(w @ ((labelled.y - mean_y) * (labelled.f - mean_f))) / n
    lam = min(1.0, max(0.0, covariance / ((1 + n / rest) * float(everyone.var(ddof=1)))))
    ahead = float(others.f.mean()) - mean_f
    if labelled.unequal:
        ahead = (n + rest) / rest * (float(everyone.mean()) - mean_f)
    return lam, mean_y + lam * ahead


def _influence(labelled: Labelled, others: Others, lam: float) -> tuple[FloatArray, tuple[IntArray, int]]:
    """What each item adds to the error of the value, and the clusters of the items, labelled ones first."""
    n, rest = len(labelled.y), len(others.f)
    keys = np.concatenate([np.asarray(labelled.clusters), np.asarray(others.clusters)])
    if not labelled.unequal:
        gap = labelled.y - lam * labelled.f
        own, alien = (gap - gap.mean()) / n, lam * (others.f - others.f.mean()) / rest
        return np.concatenate([own, alien]), numbered(keys, n + rest)
    w, beta = labelled.relative, lam * (n + rest) / rest
    gap = labelled.y - beta * labelled.f
    centre = float(np.concatenate([labelled.f, others.f]).mean())
    own = w * (gap - float(w @ gap) / n) / n + beta * (labelled.f - centre) / (n + rest)
    return np.concatenate([own, beta * (others.f - centre) / (n + rest)]), numbered(keys, n + rest)


def _standard_error(parts: FloatArray, clusters: tuple[IntArray, int]) -> float:
    """Root of the sum of squares over clusters; G / (G - 1) only where a cluster holds more than one item."""
    codes, size = clusters
    if size == len(parts):
        return math.sqrt(float(parts @ parts))
    sums = summed(parts, codes, size)
    return math.sqrt(size / (size - 1) * float(sums @ sums)) if size > 1 else math.nan


def _tuned_error(labelled: Labelled, half: Rows, others: Others, beta: float) -> float:
    """Residual variance: tuning half by people's spread, confirmation half by its residuals, others by the judge's."""
    n, confirmed = len(labelled.y), int(half.sum())
    gap = confirmed / n * labelled.y[half] - beta * labelled.f[half]
    gap = (gap - gap.mean()) / math.sqrt(confirmed * (confirmed - 2))
    tuning = labelled.y[~half]
    # Spread of all labels, for a half may be too small to show its own.
    scale = math.sqrt(n / (n - 1)) / n
    aside = (tuning - labelled.y.mean()) * scale
    unlabelled = beta * (others.f - others.f.mean()) / len(others.f)
    keys = [np.asarray(labelled.clusters)[half], np.asarray(labelled.clusters)[~half], np.asarray(others.clusters)]
    codes, size = numbered(np.concatenate(keys), n + len(others.f))
    if size < n + len(others.f):
        return _standard_error(np.concatenate([gap, aside, unlabelled]), (codes, size))
    share = len(tuning) * float(labelled.y.var(ddof=1)) / n**2
    return math.sqrt(share + float(gap @ gap) + float(unlabelled @ unlabelled))


def _on_scale(
    value: float, se: float, lam: float, r: float | None, people: Estimate, *, level: float, total: int, method: Method
) -> Corrected:
    if not 0 < value < 1 or not se > 1e-12:
        return _people_only(people, OFF_SCALE, r)
    quantile = normal_quantile(level)
    low, high = on_logit_scale(value, se, quantile)
    normal = (value - quantile * se, value + quantile * se)
    estimate = Estimate(value=value, low=low, high=high, n=total, missing=people.missing, method=method, normal=normal)
    return Corrected(estimate=estimate, lam=lam, r=r)
