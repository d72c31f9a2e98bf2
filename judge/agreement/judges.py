"""The panel of one judge: against the majority, each annotator, and people; what it preferred; its state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, get_args

import numpy as np

from judge.agreement.compare import TIE, a_share, longer_share, two
from judge.agreement.position import calls_of, position_of
from judge.agreement.state import Standing, standing
from judge.agreement.tables import Items, LabelTable, VerdictTable
from judge.agreement.types import AltTestResult, JudgePanel, PeoplePanel, Two, VerdictCounts, VsMajority
from judge.domain import PREFERENCES, Basis, Preference, Reading
from judge.stats import IntArray, alt_test, unique_majority, value_counts

EPSILON: Final = 0.1  # the advantage that the alternative annotator test grants the judge


def judge_panel(
    verdicts: VerdictTable,
    readings: Sequence[Reading],
    labels: LabelTable,
    people: PeoplePanel | None,
    items: Items,
    *,
    level: float,
    margin: float,
) -> JudgePanel:
    """Compare one judge with people on one criterion.

    readings: the judge's calls on it, absent ones included; empty when only verdicts are known.
    people: the people panel of the same criterion.  margin: how far below people's alpha the judge may lie.
    """
    codes, unscored = verdicts.codes, int((verdicts.codes < 0).sum())
    place: Standing = standing(codes, labels, people, items, level=level, margin=margin)
    return JudgePanel(
        calls=calls_of(readings),
        verdicts=_verdict_counts(verdicts),
        vs_majority=_vs_majority(codes, labels, items, level),
        vs_annotator=_vs_annotator(codes, labels, items, level),
        vs_people=_vs_people(codes, labels, items, level),
        without_splits=_vs_people(np.where(verdicts.split > 0, -1, codes), labels, items, level),
        confusion=_confusion(codes, labels),
        difference=place.difference,
        state=place.state,
        needed=place.needed,
        position=position_of(readings, items, level=level),
        longer=longer_share(codes, items, level=level, missing=unscored),
        share_a_decided=a_share(codes, items, level=level, missing=unscored),
        alt_test=_alt_test(codes, labels),
    )


def _verdict_counts(verdicts: VerdictTable) -> VerdictCounts:
    values = Counter(verdicts.codes.tolist())
    basis = Counter(name or "unscored" for name in verdicts.basis)
    a, tie, b = (values[code] for code in range(len(PREFERENCES)))
    names = get_args(Basis)
    return VerdictCounts(a=a, tie=tie, b=b, unscored=values[-1], basis={name: basis[name] for name in names})


def _vs_majority(codes: IntArray, labels: LabelTable, items: Items, level: float) -> VsMajority:
    majority = unique_majority(value_counts(labels.codes))
    rows = np.arange(len(items))
    missing = int(labels.labelled.sum() - ((majority >= 0) & (codes >= 0)).sum())
    judge, most = (np.where(side == TIE, -1, side) for side in (codes, majority))
    return VsMajority(
        three_way=two(codes, majority, rows, items, level=level, missing=missing),
        ties_dropped=two(judge, most, rows, items, level=level, missing=missing),
    )


def _vs_annotator(codes: IntArray, labels: LabelTable, items: Items, level: float) -> Mapping[str, Two]:
    rows = np.arange(len(items))
    found = {}
    for column, name in enumerate(labels.annotators):
        own = labels.codes[:, column]
        missing = int(((own >= 0) & (codes < 0)).sum())
        found[name] = two(codes, own, rows, items, level=level, missing=missing)
    return found


def _vs_people(codes: IntArray, labels: LabelTable, items: Items, level: float) -> Two:
    rows, columns = np.nonzero(labels.codes >= 0)
    missing = int(((labels.labelled > 0) & (codes < 0)).sum())
    return two(codes[rows], labels.codes[rows, columns], rows, items, level=level, missing=missing)


def _confusion(codes: IntArray, labels: LabelTable) -> Mapping[Preference, Mapping[str, int]]:
    """Labels by people's value and the judge's on the same pair."""
    rows, columns = np.nonzero(labels.codes >= 0)
    people, judge = labels.codes[rows, columns], codes[rows]
    return {
        theirs: {name: int(((people == row) & (judge == code)).sum()) for name, code in _COLUMNS}
        for row, theirs in enumerate(PREFERENCES)
    }


_COLUMNS: Final = (*((name, code) for code, name in enumerate(PREFERENCES)), ("unscored", -1))


def _alt_test(codes: IntArray, labels: LabelTable) -> Mapping[str, AltTestResult] | None:
    found = alt_test(labels.codes, codes, epsilon=EPSILON)
    if found is None:
        return None
    return {str(EPSILON): AltTestResult(omega=found.omega, rho=found.rho, annotators=found.annotators)}
