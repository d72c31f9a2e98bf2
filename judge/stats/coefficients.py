"""Point values of agreement: raw, Cohen, Fleiss, Krippendorff's alpha, Gwet's AC1.

Two shapes come in: *codes*, one integer per row with -1 for missing, and *counts*, rows x values, how often each value
was given to each row.  Two missings never agree: a row counts only where both sides, or two labels, are there.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from judge.stats.arrays import FloatArray, IntArray, Rows

Metric: TypeAlias = Literal["nominal", "ordinal", "interval"]


def value_counts(codes: Rows, values: int = 3) -> IntArray:
    """Count values: codes (rows x raters, -1 missing) -> rows x values."""
    table = np.asarray(codes)
    return np.stack([(table == value).sum(axis=1) for value in range(values)], axis=1).astype(np.int64)


def agreeing_pairs(counts: Rows) -> tuple[FloatArray, FloatArray]:
    """Per row: pairs of labels that are equal, and pairs of labels (0 with fewer than two labels)."""
    table = np.asarray(counts, dtype=np.float64)
    total = table.sum(axis=1)
    return (table * (table - 1)).sum(axis=1) / 2, total * (total - 1) / 2


def cohen_kappa(left: Rows, right: Rows) -> float | None:
    """Cohen's kappa of two raters over rows that both labelled (codes, -1 missing).

    None when there is no such row, or when chance alone explains all: both gave one and the same value throughout.
    Source: Cohen (1960).
    """
    x, y = np.asarray(left), np.asarray(right)
    both = (x >= 0) & (y >= 0)
    if not both.any():
        return None
    x, y = x[both], y[both]
    size = int(max(x.max(), y.max())) + 1
    shares = [np.bincount(side, minlength=size) / len(side) for side in (x, y)]
    chance = float(shares[0] @ shares[1])
    if chance >= 1 - 1e-12:
        return None
    return (float((x == y).mean()) - chance) / (1 - chance)


def fleiss_kappa(counts: Rows) -> float | None:
    """Fleiss' kappa; None unless every row has the same number (two or more) of labels, or without variation.

    Source: Fleiss (1971).
    """
    table = np.asarray(counts, dtype=np.float64)
    labels = table.sum(axis=1)
    if len(table) < 2 or labels[0] < 2 or not (labels == labels[0]).all():
        return None
    agreeing, pairs = agreeing_pairs(table)
    shares = table.sum(axis=0) / table.sum()
    chance = float((shares**2).sum())
    return None if chance >= 1 - 1e-12 else (float((agreeing / pairs).mean()) - chance) / (1 - chance)


def krippendorff_alpha(counts: Rows, metric: Metric = "nominal") -> float | None:
    """Krippendorff's alpha from value counts, by the krippendorff package; values are 0, 1, 2, ... in rank order.

    None without two labels on one row, or when all pairable labels are equal.
    """
    table = np.asarray(counts, dtype=np.int64)
    pairable = table[table.sum(axis=1) >= 2]
    if (pairable.sum(axis=0) > 0).sum() < 2:
        return None
    import krippendorff

    return float(krippendorff.alpha(value_counts=pairable, level_of_measurement=metric))


def gwet_ac1(counts: Rows) -> float | None:
    """Gwet's AC1 over the observed values, missing labels allowed.

    As in irrCAC, rows with a single label count for the shares of the values though not for the agreement.
    None without two labels on one row, or when only one value was ever given.  Source: Gwet (2008).
    """
    table = np.asarray(counts, dtype=np.float64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    labels = table.sum(axis=1)
    if table.shape[1] < 2 or not (labels >= 2).any():
        return None
    agreeing, pairs = agreeing_pairs(table[labels >= 2])
    shares = (table / labels[:, None]).mean(axis=0)
    chance = float((shares * (1 - shares)).sum()) / (len(shares) - 1)
    return (float((agreeing / pairs).mean()) - chance) / (1 - chance)


def unique_majority(counts: Rows) -> IntArray:
    """Per row the most frequent value, -1 without labels or without a unique one."""
    table = np.asarray(counts)
    top = table.max(axis=1, initial=0)
    unique = ((table == top[:, None]).sum(axis=1) == 1) & (top > 0)
    return np.where(unique, table.argmax(axis=1), -1).astype(np.int64)
