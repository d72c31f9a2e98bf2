"""Two judges on the same pairs: how often the verdict changes, how far they agree, and what it does to the win rate.

For moving from one judge, model or setting to another: what the old one said stays comparable only as far as this says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from judge.agreement.compare import share, two
from judge.agreement.document import estimate, plain
from judge.agreement.position import position_of
from judge.agreement.tables import CODE, Items, VerdictTable, items_of, verdict_table
from judge.agreement.types import ClusterRule, Two
from judge.agreement.winrate import contest
from judge.domain import OVERALL, Estimate, Pair, Reading, Verdict
from judge.stats import IntArray, rate

SCHEMA: Final = "bridge/1"
_VALUES: Final = (*((str(value), code) for value, code in CODE.items() if value is not None), ("unscored", -1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Both judges on one criterion.

    pairs: those that either was asked about; `identical` ones of equal texts, which nobody was asked about, are in none.
    table: {old value: {new value: pairs}}.  flips: share of pairs with both values on which they differ.
    """

    pairs: int
    identical: int
    both: int
    only_old: int
    only_new: int
    neither: int
    table: Mapping[str, Mapping[str, int]]
    flips: Estimate
    agreement: Two


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The candidate's win rate by either judge over the pairs that both scored, and new minus old, paired."""

    candidate: str
    old: Estimate
    new: Estimate
    difference: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """What changes when `new` judges in place of `old`.

    repeat: how often each judge says the same when it is asked the same again, None where it never was.  A flip rate is
    to be read beside it: so much changes without any change of judge.
    """

    old: str
    new: str
    level: float
    clusters: Mapping[str, Any]
    criteria: Mapping[str, Span]
    win_rates: tuple[Rates, ...]
    repeat: Mapping[str, Estimate | None]

    def to_json(self) -> dict[str, Any]:
        """Give the document bridge/1."""
        return {"schema": SCHEMA, **{item.name: plain(getattr(self, item.name)) for item in dataclasses.fields(self)}} | {
            "win_rates": [_rates_document(rates) for rates in self.win_rates]
        }


def bridge(
    *,
    pairs: Sequence[Pair],
    old: Sequence[Verdict],
    new: Sequence[Verdict],
    readings: Sequence[Reading] = (),
    candidates: Sequence[str] = ("b",),
    names: tuple[str, str] = ("old", "new"),
    cluster: ClusterRule = "auto",
    level: float = 0.95,
) -> Bridge:
    """Lay one judge's verdicts beside another's.

    old, new: the verdicts of one judge each.  readings: single answers of both, for how steady each is by itself.
    candidates: a, b or models, each with a win rate of its own.  Criteria that only one of them judged are left out.
    Raises JoinError for an unknown pair or two verdicts on one cell, JudgeError for an unknown candidate.
    """
    items = items_of(pairs, cluster)
    there, here = _tables(items, old), _tables(items, new)
    shared = [criterion for criterion in there if criterion in here]
    return Bridge(
        old=names[0],
        new=names[1],
        level=level,
        clusters={"by": items.by, "clusters": len(np.unique(items.clusters))},
        criteria={criterion: _span(items, there[criterion], here[criterion], level) for criterion in shared},
        win_rates=tuple(
            _rates(items, there[OVERALL], here[OVERALL], candidate, level) for candidate in candidates if OVERALL in shared
        ),
        repeat={name: _repeat(items, readings, name, level) for name in names},
    )


def _tables(items: Items, verdicts: Sequence[Verdict]) -> dict[str, VerdictTable]:
    by_criterion: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_criterion.setdefault(verdict.criterion, []).append(verdict)
    return {criterion: verdict_table(items, mine) for criterion, mine in sorted(by_criterion.items())}


def _span(items: Items, old: VerdictTable, new: VerdictTable, level: float) -> Span:
    bases = list(zip(old.basis, new.basis, strict=True))
    identical = np.array([one == other == "identical" for one, other in bases], dtype=bool)
    asked = np.array([one is not None or other is not None for one, other in bases], dtype=bool)
    rows: IntArray = np.flatnonzero(asked & ~identical)
    before, after = old.codes[rows], new.codes[rows]
    both = (before >= 0) & (after >= 0)
    missing = int((~both).sum())
    flipped = (before != after)[both]
    return Span(
        pairs=len(rows),
        identical=int(identical.sum()),
        both=int(both.sum()),
        only_old=int(((before >= 0) & (after < 0)).sum()),
        only_new=int(((before < 0) & (after >= 0)).sum()),
        neither=int(((before < 0) & (after < 0)).sum()),
        table={
            said: {other: int(((before == code) & (after == now)).sum()) for other, now in _VALUES} for said, code in _VALUES
        },
        flips=share(flipped, rows[both], items, level=level, missing=missing),
        agreement=two(before, after, rows, items, level=level, missing=missing),
    )


def _rates(items: Items, old: VerdictTable, new: VerdictTable, candidate: str, level: float) -> Rates:
    """Pair the scores.  The difference d in [-1, 1] is estimated as the rate (d + 1) / 2, whose interval stays inside."""
    side, _ = contest(items, (), candidate=candidate, people="mean", labelled=None)
    before, after = side.seen(old.score), side.seen(new.score)
    both = np.isfinite(before) & np.isfinite(after)
    clusters, missing = side.clusters[both], int((~both).sum())
    by_old, by_new = (rate(f[both], clusters=clusters, level=level, missing=missing, win=True) for f in (before, after))
    moved = rate((after - before + 1)[both] / 2, clusters=clusters, level=level, missing=missing)
    value, low, high = (None if bound is None else 2 * bound - 1 for bound in (moved.value, moved.low, moved.high))
    difference = dataclasses.replace(moved, value=value, low=low, high=high)
    return Rates(candidate=candidate, old=by_old, new=by_new, difference=difference)


def _repeat(items: Items, readings: Sequence[Reading], judge: str, level: float) -> Estimate | None:
    own = [reading for reading in readings if reading.judge == judge and reading.criterion == OVERALL]
    asked_again = {reading.pair for reading in own if reading.repeat > 1}
    found = position_of([reading for reading in own if reading.pair in asked_again], items, level=level)
    return None if found is None else found.repeat


def _rates_document(rates: Rates) -> dict[str, Any]:
    return {
        "candidate": rates.candidate,
        "old": estimate(rates.old, win=True),
        "new": estimate(rates.new, win=True),
        "difference": estimate(rates.difference),
    }
