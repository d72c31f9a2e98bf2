"""The people panel: how annotators agree among themselves, over pairs with two labels or more."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from judge.agreement.compare import TIE, a_share, longer_share, share
from judge.agreement.tables import Items, LabelTable
from judge.agreement.types import Alphas, PeoplePanel, TiesDropped
from judge.domain import PREFERENCES, Estimate
from judge.stats import (
    IntArray,
    Metric,
    ac1_estimate,
    agreeing_pairs,
    alpha_estimate,
    cohen_kappa,
    fleiss_kappa,
    rate,
    unique_majority,
    value_counts,
)


def people_panel(table: LabelTable, items: Items, *, level: float) -> PeoplePanel | None:
    """Measure the agreement of people on one criterion; None when nobody was asked.

    Missing pairs of an estimate are those that people were asked about and that have too few labels for it.
    """
    if not table.given.any():
        return None
    counts = value_counts(table.codes)
    majority = unique_majority(counts)
    labelled = int(table.labelled.sum())
    open_pairs = labelled - int((majority >= 0).sum())
    by_pair, cohens = _by_annotator_pair(table)
    defined = [kappa for kappa in cohens.values() if kappa is not None]
    return PeoplePanel(
        items=labelled,
        annotators=len(table.annotators),
        labels=int(counts.sum()),
        missing=int(table.given.sum() - counts.sum()),
        majority={name: int((majority == code).sum()) for code, name in enumerate(PREFERENCES)} | {"undefined": open_pairs},
        raw=_raw(table, counts, items, level),
        raw_by_pair=by_pair,
        cohen_by_pair=cohens,
        cohen_mean=float(np.mean(defined)) if defined else None,
        fleiss=fleiss_kappa(counts[table.labelled > 0]) if _complete(table) else None,
        alpha=Alphas(
            nominal=_alpha(table, counts, items, "nominal", level),
            ordinal=_alpha(table, counts, items, "ordinal", level),
            interval=_alpha(table, counts, items, "interval", level),
        ),
        ac1=ac1_estimate(counts, clusters=items.clusters, level=level, missing=_missing(table, counts)),
        ties_dropped=_ties_dropped(table, items, level),
        longer=longer_share(majority, items, level=level, missing=open_pairs),
        share_a_decided=a_share(majority, items, level=level, missing=open_pairs),
        first_shown=_first_shown(table, items, level),
    )


def _missing(table: LabelTable, counts: IntArray) -> int:
    asked = table.given.any(axis=1)
    return int((asked & (counts.sum(axis=1) < 2)).sum())


def _raw(table: LabelTable, counts: IntArray, items: Items, level: float) -> Estimate:
    agreeing, pairs = agreeing_pairs(counts)
    return rate(agreeing, pairs, clusters=items.clusters, level=level, missing=_missing(table, counts))


def _alpha(table: LabelTable, counts: IntArray, items: Items, metric: Metric, level: float) -> Estimate:
    return alpha_estimate(counts, metric, clusters=items.clusters, level=level, missing=_missing(table, counts))


def _ties_dropped(table: LabelTable, items: Items, level: float) -> TiesDropped:
    """Without tie labels every compared pair of labels has a preference on both sides."""
    counts = value_counts(np.where(table.codes == TIE, -1, table.codes))
    raw = _raw(table, counts, items, level)
    return TiesDropped(n=raw.n, raw=raw, alpha_nominal=_alpha(table, counts, items, "nominal", level))


def _by_annotator_pair(table: LabelTable) -> tuple[Mapping[str, float], Mapping[str, float | None]]:
    """Raw agreement and Cohen's kappa of every two annotators with a common pair, keyed "x|y"."""
    raw: dict[str, float] = {}
    cohen: dict[str, float | None] = {}
    for x, y in combinations(range(len(table.annotators)), 2):
        left, right = table.codes[:, x], table.codes[:, y]
        both = (left >= 0) & (right >= 0)
        if both.any():
            name = f"{table.annotators[x]}|{table.annotators[y]}"
            raw[name] = float((left == right)[both].mean())
            cohen[name] = cohen_kappa(left, right)
    return raw, cohen


def _complete(table: LabelTable) -> bool:
    """Every annotator labelled every pair that anybody labelled."""
    return bool((table.codes[table.labelled > 0] >= 0).all())


def _first_shown(table: LabelTable, items: Items, level: float) -> Estimate:
    """Share of decided labels that prefer the text on the left, where the side is known."""
    rows, columns = np.nonzero((table.left >= 0) & (table.codes >= 0) & (table.codes != TIE))
    unknown = table.given.any(axis=1) & ~((table.left >= 0) & (table.codes >= 0)).any(axis=1)
    hit = table.codes[rows, columns] == table.left[rows, columns]
    return share(hit, rows, items, level=level, missing=int(unknown.sum()))
