"""Logistic regression for two purposes: guessing the side from what is no text, and guessing the arm from the texts' shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def right_guesses(
    x: FloatArray, y: BoolArray, groups: IntArray, *, folds: int, offset: bool = True, ridge: float = 20.0
) -> BoolArray:
    """Say for each row whether a model fitted on other groups guesses it right.

    x: rows x features.  y: what is to be guessed.  groups: rows of one group are never split between fitting and guessing.
    offset: fit a constant too.  ridge: penalty on the squared weights of standardised features.
    """
    known = np.unique(groups)
    fold_of = {group: n % folds for n, group in enumerate(known)}
    fold = np.array([fold_of[group] for group in groups])
    right = np.zeros(len(y), dtype=bool)
    for n in range(folds):
        test = fold == n
        if not test.any() or test.all():
            continue
        scale, weights = _fitted(x[~test], y[~test], offset=offset, ridge=ridge)
        right[test] = (_prepared(x[test], scale, offset=offset) @ weights > 0) == y[test]
    return right


def right_forward(
    x: FloatArray, y: BoolArray, groups: IntArray, *, parts: int, ridge: float = 20.0
) -> tuple[BoolArray, BoolArray]:
    """Say which rows a model guesses right that was fitted on earlier groups only, and which rows were guessed at all.

    x, y: as in `right_guesses`.  groups: numbers from 0 in order; parts: into how many stretches they are cut, of which the
    first is only learnt from.  Where nothing can be learnt the count of right guesses is binomial; that of a
    cross-validation is not, because its folds learn from one another (its spread is 1.4 times the binomial one here).
    """
    part = groups * parts // (groups.max() + 1)
    right = np.zeros(len(y), dtype=bool)
    for n in range(1, parts):
        earlier, now = part < n, part == n
        scale, weights = _fitted(x[earlier], y[earlier], offset=True, ridge=ridge)
        right[now] = (_prepared(x[now], scale, offset=True) @ weights > 0) == y[now]
    return right, part > 0


def _fitted(x: FloatArray, y: BoolArray, *, offset: bool, ridge: float) -> tuple[tuple[FloatArray, FloatArray], FloatArray]:
    centre = x.mean(axis=0) if offset else np.zeros(x.shape[1])
    spread = np.sqrt(((x - centre) ** 2).mean(axis=0))
    scale = (centre, np.where(spread > 0, spread, 1.0))
    design = _prepared(x, scale, offset=offset)
    weights = np.zeros(design.shape[1])
    penalty = np.full(design.shape[1], ridge)
    penalty[-1] = 1e-6 if offset else ridge
    for _ in range(25):  # Newton's steps; the penalty keeps every one of them well conditioned
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (y - p) - penalty * weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return scale, weights


def _prepared(x: FloatArray, scale: tuple[FloatArray, FloatArray], *, offset: bool) -> FloatArray:
    centred = (x - scale[0]) / scale[1]
    return np.column_stack([centred, np.ones(len(x))]) if offset else centred


def ranks(values: FloatArray) -> FloatArray:
    """Rank values, equal ones by their mean rank, and standardise the ranks; all zero without variation.

    values: rows x features.
    """
    from scipy.stats import rankdata

    ranked = np.asarray(rankdata(values, axis=0), dtype=np.float64)
    ranked -= ranked.mean(axis=0)
    spread = ranked.std(axis=0)
    return ranked / np.where(spread > 0, spread, 1.0)
