"""The alternative annotator test: could the judge stand in for one of the people?

Each annotator is left out in turn; on each item judge and annotator are compared by how many of the others they match.
Source: Calderon, Reichart & Dror (2025), with Benjamini & Yekutieli (2001) over annotators.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from judge.stats.arrays import FloatArray, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class AltTest:
    """omega: share of annotators whom the judge may replace; rho: mean share of items where it matches no fewer."""

    omega: float
    rho: float
    annotators: int


def alt_test(
    people: Rows, judge: Rows, *, epsilon: float = 0.1, q: float = 0.05, items: int = 30, annotators: int = 3
) -> AltTest | None:
    """Run the test at advantage `epsilon` for the judge and false discovery rate `q`.

    people: items x annotators, judge: items; codes, -1 missing.  An annotator takes part with at least `items` items
    that the judge and somebody else labelled too; None with fewer than `annotators` of them.
    """
    table, verdicts = np.asarray(people), np.asarray(judge)
    found = [_duel(table, verdicts, column) for column in range(table.shape[1])]
    duels = [duel for duel in found if len(duel) >= items]
    if len(duels) < annotators:
        return None
    p_values = [_one_sided_p(duel[:, 1] - duel[:, 0], epsilon) for duel in duels]
    return AltTest(
        omega=_rejected(p_values, q) / len(duels),
        rho=float(np.mean([duel[:, 0].mean() for duel in duels])),
        annotators=len(duels),
    )


def _duel(table: Rows, verdicts: Rows, column: int) -> FloatArray:
    """Rows (judge matches no fewer, annotator matches no fewer) of items that both and somebody else labelled."""
    own, others = table[:, column], np.delete(table, column, axis=1)
    usable = (own >= 0) & (verdicts >= 0) & (others >= 0).any(axis=1)
    own, others, verdicts = own[usable], others[usable], verdicts[usable]
    by_judge = (others == verdicts[:, None]).sum(axis=1)
    by_person = (others == own[:, None]).sum(axis=1)
    return np.column_stack([by_judge >= by_person, by_person >= by_judge]).astype(np.float64)


def _one_sided_p(gaps: FloatArray, epsilon: float) -> float:
    from scipy.special import stdtr

    mean, spread = float(gaps.mean()), float(gaps.std(ddof=1))
    if spread == 0:
        return 0.0 if mean < epsilon else 1.0
    return float(stdtr(len(gaps) - 1, (mean - epsilon) / (spread / math.sqrt(len(gaps)))))


def _rejected(p_values: list[float], q: float) -> int:
    size = len(p_values)
    harmonic = sum(1 / k for k in range(1, size + 1))
    passing = [k for k, p in enumerate(sorted(p_values), start=1) if p <= k * q / (size * harmonic)]
    return max(passing, default=0)
