"""The win rate of the candidate: by people, by each judge raw, and each judge's corrected by people."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from judge.agreement.tables import CODE, Items, VerdictTable, known_rows
from judge.agreement.types import CorrectedRate, PeopleRule, WinRate
from judge.domain import JURY, SCORE, Estimate, Label, Notice, Pair
from judge.errors import JudgeError, did_you_mean
from judge.stats import (
    Corrected,
    FloatArray,
    IntArray,
    Labelled,
    Others,
    people_rate,
    post_stratified,
    ppi,
    ppi_tuned,
    rate,
    undefined,
    unique_majority,
)

UNSCORED_GUESS: Final = 0.5  # a prediction may be any constant; people's labels correct it


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The pairs that the candidate takes part in, seen from its side.

    rows: their rows in `items`.  on_a: where the candidate is `a`.  y: people's score of each, NaN without a label.
    weights: 1 / probability of being drawn, None when unknown.  clusters: as in `items`.
    """

    candidate: str
    rows: IntArray
    on_a: IntArray
    y: FloatArray
    asked: IntArray
    weights: FloatArray | None
    clusters: IntArray

    @property
    def known(self) -> IntArray:
        """Positions with a score by people."""
        return np.flatnonzero(np.isfinite(self.y))

    @property
    def unknown(self) -> IntArray:
        """Positions without one."""
        return np.flatnonzero(~np.isfinite(self.y))

    def seen(self, score: FloatArray) -> FloatArray:
        """Turn scores of all items, 1 when `b` wins, into scores of these pairs, 1 when the candidate wins."""
        own = score[self.rows]
        return np.where(self.on_a > 0, 1 - own, own)


def contest(
    items: Items,
    labels: Sequence[Label],
    *,
    candidate: str,
    people: PeopleRule,
    labelled: Collection[str] | None,
) -> tuple[Contest, tuple[Notice, ...]]:
    """Take the candidate's side of pairs and of the labels on criterion overall.

    candidate: "a", "b", or a model: then only pairs that it made one text of.  labelled: pair ids whose labels count.
    Raises JudgeError for an unknown model, JoinError for an unknown pair id.
    """
    rows, on_a = _side(items.pairs, candidate)
    allowed = np.ones(len(items), dtype=np.int64)
    if labelled is not None:
        allowed[:] = 0
        allowed[known_rows(items, sorted(labelled), "the list of labelled pairs names")] = 1
    mine = [label for label in labels if allowed[items.row[label.pair]]]
    asked, drawn = np.zeros(len(items), np.int64), np.full(len(items), np.nan)
    for label in mine:
        row = items.row[label.pair]
        asked[row] = 1
        if label.probability is not None:  # drawn in several rounds: the likeliest tells how it came in
            drawn[row] = np.fmax(drawn[row], label.probability)
    score = _people_score(items, mine, people)[rows]
    found = Contest(
        candidate=candidate,
        rows=rows,
        on_a=on_a,
        y=np.where(on_a > 0, 1 - score, score),
        asked=asked[rows],
        weights=None,
        clusters=items.clusters[rows],
    )
    return _with_weights(found, drawn[rows])


def win_rate(
    found: Contest,
    judges: Mapping[str, VerdictTable],
    *,
    level: float,
    tuned: tuple[Collection[str], Collection[str]] | None,
    items: Items,
) -> WinRate:
    """Estimate the candidate's win rate; `judges` hold their verdicts on criterion overall."""
    known = found.known
    missing = int(found.asked.sum()) - len(known)
    confirmation = None
    if tuned is not None:
        confirmation = np.array([items.pairs[row].id in tuned[1] for row in found.rows[known]], dtype=bool)
    no_judge = Labelled(y=found.y[known], f=found.y[known], clusters=found.clusters[known], weights=_of(found, known))
    headline = judges.get(JURY) or next(iter(judges.values()), None)
    return WinRate(
        candidate=found.candidate,
        people=people_rate(no_judge, level=level, missing=missing),
        judge_raw={name: _raw(found, verdicts, level) for name, verdicts in judges.items()},
        post_stratified=_post_stratified(found, headline, level, missing, tuned=tuned is not None),
        corrected={name: _corrected(found, verdicts, confirmation, level) for name, verdicts in judges.items()},
    )


def _side(pairs: Sequence[Pair], candidate: str) -> tuple[IntArray, IntArray]:
    if candidate in {"a", "b"}:
        return np.arange(len(pairs)), np.full(len(pairs), int(candidate == "a"), np.int64)
    models = {model for pair in pairs for model in (pair.model_a, pair.model_b) if model is not None}
    if candidate not in models:
        hint = did_you_mean(candidate, models | {"a", "b"})
        raise JudgeError(f"candidate '{candidate}' made no text of any pair", hint=hint)
    # A pair of the candidate with itself says nothing about how often it wins.
    rows = [n for n, pair in enumerate(pairs) if (pair.model_a == candidate) != (pair.model_b == candidate)]
    on_a = [int(pairs[row].model_a == candidate) for row in rows]
    return np.array(rows, dtype=np.int64), np.array(on_a, dtype=np.int64)


def _people_score(items: Items, labels: Sequence[Label], people: PeopleRule) -> FloatArray:
    """People's score of each item, 1 when all prefer `b`; NaN without a label (or a unique majority)."""
    counts = np.zeros((len(items), len(SCORE)), np.int64)
    for label in labels:
        if label.value is not None:
            counts[items.row[label.pair], CODE[label.value]] += 1
    score = np.full(len(items), np.nan)
    if people == "majority":
        majority = unique_majority(counts)
        score[majority >= 0] = majority[majority >= 0] / 2
        return score
    total = counts.sum(axis=1)
    np.divide(counts @ np.array(list(SCORE.values())), total, out=score, where=total > 0)
    return score


def _with_weights(found: Contest, drawn: FloatArray) -> tuple[Contest, tuple[Notice, ...]]:
    """Weigh by 1 / probability when every labelled pair has one; else say that the sample is taken as random."""
    known = found.known
    if len(known) == 0 or len(found.unknown) == 0:
        return found, ()
    if np.isfinite(drawn[known]).all():
        weights = np.full(len(drawn), np.nan)
        weights[known] = 1 / drawn[known]
        return dataclasses.replace(found, weights=weights), ()
    text = "The labels do not say how their pairs were drawn; they are taken as a random sample of all pairs."
    return found, (Notice(code="sample_unknown", text=text),)


def _of(found: Contest, rows: IntArray) -> FloatArray | None:
    return None if found.weights is None else found.weights[rows]


def _raw(found: Contest, verdicts: VerdictTable, level: float) -> Estimate:
    f = found.seen(verdicts.score)
    scored = np.isfinite(f)
    missing = int((~scored).sum())
    return rate(f[scored], clusters=found.clusters[scored], level=level, missing=missing, win=True)


def _corrected(found: Contest, verdicts: VerdictTable, confirmation: IntArray | None, level: float) -> CorrectedRate:
    known, unknown = found.known, found.unknown
    f = found.seen(verdicts.score)
    missing = int((~np.isfinite(f)).sum())
    f = np.where(np.isfinite(f), f, UNSCORED_GUESS)
    labelled = Labelled(y=found.y[known], f=f[known], clusters=found.clusters[known], weights=_of(found, known))
    others = Others(f=f[unknown], clusters=found.clusters[unknown])
    rate_found: Corrected
    if confirmation is None:
        rate_found = ppi(labelled, others, level=level, missing=missing)
    else:
        rate_found = ppi_tuned(labelled, confirmation, others, level=level, missing=missing)
    sensitivity, specificity = _hits(found, verdicts)
    return CorrectedRate(
        estimate=rate_found.estimate,
        lam=rate_found.lam,
        r=rate_found.r,
        labelled=len(known),
        unlabelled=len(unknown),
        sensitivity=sensitivity,
        specificity=specificity,
    )


def _hits(found: Contest, verdicts: VerdictTable) -> tuple[float | None, float | None]:
    """Share of people's wins, and of their losses, that the judge gives alike; pairs that both sides decided."""
    judge = found.seen(np.where(verdicts.codes >= 0, verdicts.codes / 2, UNSCORED_GUESS))
    decided = np.isfinite(found.y) & (found.y != 0.5) & (judge != 0.5)
    won, lost = decided & (found.y > 0.5), decided & (found.y < 0.5)
    return _share(judge[won] > 0.5), _share(judge[lost] < 0.5)


def _share(hits: IntArray) -> float | None:
    return float(hits.mean()) if len(hits) else None


def _post_stratified(found: Contest, verdicts: VerdictTable | None, level: float, missing: int, *, tuned: bool) -> Estimate:
    if verdicts is None or tuned:
        reason = "there is no judge" if verdicts is None else "the rubric was changed after labels had been seen"
        return undefined(reason, n=len(found.known), missing=missing)
    strata = found.seen(np.where(verdicts.codes >= 0, verdicts.codes / 2, np.nan))
    strata = np.where(np.isfinite(strata), strata, -1)
    weights = None if found.weights is None else np.nan_to_num(found.weights)
    return post_stratified(found.y, strata, clusters=found.clusters, weights=weights, level=level, missing=missing)
