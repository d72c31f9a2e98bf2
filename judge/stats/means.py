"""The mean of a plain quantity, such as seconds per answer, with Student's interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from judge.domain import Estimate


def mean(values: Sequence[float], *, level: float = 0.95, missing: int = 0) -> Estimate:
    """Give the mean of independent values, one for each item, with value -+ t(n - 1) s / sqrt(n).

    Undefined without values; without bounds for one value, or when all are equal.
    """
    if not len(values):
        return Estimate(value=None, missing=missing, reason="nothing was measured")
    array = np.asarray(values, dtype=float)
    value, n = float(array.mean()), len(array)
    if n < 2 or float(array.std()) == 0:
        reason = "fewer than two items" if n < 2 else "all values are equal"
        return Estimate(value=value, n=n, missing=missing, reason=reason)
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, (1 + level) / 2)) * float(array.std(ddof=1)) / math.sqrt(n)
    return Estimate(value=value, low=value - half, high=value + half, n=n, missing=missing, method="normal")
