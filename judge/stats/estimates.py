"""How an Estimate is made: quantiles, scales, and what is said when there is no interval."""

from __future__ import annotations

import math
from typing import Final

from judge.domain import Estimate, Method

TOO_FEW: Final = "fewer than two items"
ONE_CLUSTER: Final = "all items belong to one group or prompt, so nothing shows how they vary"
NO_VARIATION: Final = "no variation: all labels are equal"
NO_DISAGREEMENT: Final = "no variation: not one disagreement, so no interval can be estimated"
ONE_ITEM_DECIDES: Final = "without one of the items all labels would be equal"
SAME_EVERYWHERE: Final = "no variation between items"


def undefined(reason: str, *, value: float | None = None, n: int = 0, missing: int = 0) -> Estimate:
    """Say that there is no interval, or (without `value`) no number either, and why."""
    return Estimate(value=value, n=n, missing=missing, reason=reason)


def normal_quantile(level: float) -> float:
    """Half-width of a two-sided interval at `level`, in standard errors, of the normal distribution."""
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def student_quantile(level: float, freedom: int) -> float:
    """Half-width of a two-sided interval at `level`, in standard errors, of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2))


def few_clusters_quantile(level: float, clusters: int) -> float:
    """Normal quantile, or Student's with clusters - 1 degrees of freedom under 20 clusters."""
    return student_quantile(level, clusters - 1) if clusters < 20 else normal_quantile(level)


def on_logit_scale(value: float, se: float, quantile: float) -> tuple[float, float]:
    """Interval of a share in (0, 1), symmetric on the logit scale and thus inside (0, 1)."""
    centre, half = math.log(value / (1 - value)), quantile * se / (value * (1 - value))
    return _expit(centre - half), _expit(centre + half)


def on_fisher_scale(value: float, se: float, quantile: float) -> tuple[float, float]:
    """Interval of a coefficient in (-1, 1), symmetric on Fisher's z scale and thus inside (-1, 1)."""
    centre, half = math.atanh(value), quantile * se / (1 - value * value)
    return math.tanh(centre - half), math.tanh(centre + half)


def coefficient_estimate(
    value: float, se: float, *, level: float, clusters: int, n: int, missing: int, method: Method = "jackknife-z"
) -> Estimate:
    """Estimate of a coefficient with a jackknife standard error: Fisher's z, t(clusters - 1).

    A value at +-1 or a standard error of 0 keeps the value and has no interval.
    """
    if clusters < 2:
        return undefined(ONE_CLUSTER, value=value, n=n, missing=missing)
    if not math.isfinite(se):
        return undefined(ONE_ITEM_DECIDES, value=value, n=n, missing=missing)
    if se <= 1e-12 or abs(value) >= 1 - 1e-12:
        reason = NO_DISAGREEMENT if value >= 1 - 1e-12 else SAME_EVERYWHERE
        return undefined(reason, value=value, n=n, missing=missing)
    low, high = on_fisher_scale(value, se, student_quantile(level, clusters - 1))
    return Estimate(value=value, low=low, high=high, n=n, missing=missing, method=method)


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
