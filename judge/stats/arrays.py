"""The array types of this room, and clusters as consecutive numbers."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = npt.NDArray[Any]  # any numeric array; converted on entry


def numbered(clusters: npt.ArrayLike | None, size: int) -> tuple[IntArray, int]:
    """Number clusters 0..G-1 and count them; None makes every row its own cluster.

    clusters: one hashable key per row, equal keys belong together.  Raises ValueError when the lengths differ.
    """
    if clusters is None:
        return np.arange(size, dtype=np.int64), size
    keys = np.asarray(clusters)
    if keys.shape != (size,):
        raise ValueError(f"{keys.shape} clusters for {size} rows")
    names, codes = np.unique(keys, return_inverse=True)
    return codes.astype(np.int64).reshape(-1), len(names)


def summed(values: FloatArray, codes: IntArray, size: int) -> FloatArray:
    """Add up `values` (rows, or rows x columns) within the numbered clusters `codes`; shape (size, ...)."""
    if values.ndim == 1:
        return np.bincount(codes, weights=values, minlength=size).astype(np.float64)
    return np.stack([np.bincount(codes, weights=column, minlength=size) for column in values.T], axis=1)
