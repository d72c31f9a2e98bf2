"""How fast agreement is measured, as ratios to a loop over the krippendorff package on the same machine.

Run: python tests/benchmarks/stats.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import krippendorff
import numpy as np

from judge.stats import alpha_bootstrap, alpha_estimate, value_counts

RESAMPLES = 10_000
LOOP = 20  # rounds of the loop that are timed; the rest is multiplied
RATERS = 5


def main() -> None:
    """Print one line per size and level of measurement."""
    print(f"{RATERS} raters, 3 values, 10 % missing; bootstrap of {RESAMPLES:,} resamples")
    print(f"{'items':>7} {'level':9} {'loop':>9} {'bootstrap':>10} {'ratio':>8} {'jackknife':>10} {'ratio':>9}")
    for items in (100, 1_000, 10_000):
        counts = labelled(items)
        for metric in ("nominal", "ordinal", "interval"):
            loop = looped(counts, metric)
            bootstrap = fastest(partial(alpha_bootstrap, counts, metric, resamples=RESAMPLES))
            jackknife = fastest(partial(alpha_estimate, counts, metric))
            print(
                f"{items:>7,} {metric:9} {loop:>8.2f}s {bootstrap:>9.3f}s {loop / bootstrap:>7.0f}x"
                f" {jackknife * 1000:>8.2f}ms {loop / jackknife:>8.0f}x"
            )


def labelled(items: int) -> np.ndarray:
    """Value counts of labels that agree in most cases."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, items)[:, None]
    codes = np.where(rng.random((items, RATERS)) < 0.7, truth, rng.integers(0, 3, (items, RATERS)))
    return value_counts(np.where(rng.random(codes.shape) < 0.1, -1, codes))


def looped(counts: np.ndarray, metric: str) -> float:
    """Seconds that the package would take for all resamples, from the first few."""
    rng = np.random.default_rng(1)
    start = time.perf_counter()
    for _ in range(LOOP):
        rows = rng.integers(0, len(counts), len(counts))
        krippendorff.alpha(value_counts=counts[rows], level_of_measurement=metric)
    return (time.perf_counter() - start) * RESAMPLES / LOOP


def fastest(work: Callable[[], object], rounds: int = 3) -> float:
    """Seconds of the fastest of a few rounds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
