"""Pairs, labels and verdicts as arrays: rows are pairs in the order of their ids, values are codes with -1 for missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from judge.agreement.types import ClusterRule
from judge.domain import PREFERENCES, Label, Pair, Preference, Verdict
from judge.errors import JoinError, did_you_mean
from judge.stats import FloatArray, IntArray

CODE: Final[Mapping[Preference | None, int]] = {None: -1, **{value: code for code, value in enumerate(PREFERENCES)}}
"""a 0, tie 1, b 2; missing -1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """The pairs by id, with the cluster of each and which text is longer (a 0, equal 1, b 2)."""

    pairs: tuple[Pair, ...]
    row: Mapping[str, int]
    clusters: IntArray
    by: str
    longer: IntArray

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTable:
    """Labels on one criterion: codes (pairs x annotators), where a row was given at all, and what stood on the left."""

    annotators: tuple[str, ...]
    codes: IntArray
    given: IntArray
    left: IntArray

    @property
    def labelled(self) -> IntArray:
        """Rows with at least one usable label, as 0 or 1."""
        usable: IntArray = np.any(self.codes >= 0, axis=1).astype(np.int64)
        return usable


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictTable:
    """Verdicts of one judge on one criterion; `score` is NaN and `codes` -1 where there is none."""

    codes: IntArray
    score: FloatArray
    split: IntArray
    basis: tuple[str | None, ...]


def items_of(pairs: Sequence[Pair], cluster: ClusterRule) -> Items:
    """Sort pairs by id and number their clusters.  Raises JoinError when an id comes twice."""
    ordered = tuple(sorted(pairs, key=lambda pair: pair.id))
    row = {pair.id: number for number, pair in enumerate(ordered)}
    if len(row) < len(ordered):
        twice = next(one.id for one, next_one in pairwise(ordered) if one.id == next_one.id)
        raise JoinError(f"pair id '{twice}' comes twice", hint="give every pair an id of its own.")
    keys = [_cluster_key(pair, cluster) for pair in ordered]
    numbers: dict[object, int] = {}
    codes = np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
    gaps = np.array([len(pair.text_b) - len(pair.text_a) for pair in ordered], dtype=np.int64)
    by = _clustered_by(ordered, cluster, clusters=len(numbers))
    return Items(pairs=ordered, row=row, clusters=codes, by=by, longer=np.sign(gaps) + 1)


def about(items: Items, ids: Collection[str]) -> Items:
    """Keep the pairs of these ids, with their clusters."""
    rows = np.array([row for row, pair in enumerate(items.pairs) if pair.id in ids], dtype=np.int64)
    pairs = tuple(items.pairs[row] for row in rows.tolist())
    row = {pair.id: number for number, pair in enumerate(pairs)}
    return replace(items, pairs=pairs, row=row, clusters=items.clusters[rows], longer=items.longer[rows])


def known_rows(items: Items, ids: Iterable[str], what: str) -> IntArray:
    """Rows of these pair ids.  Raises JoinError naming the first id that no pair has."""
    rows = []
    for pair in ids:
        if pair not in items.row:
            raise JoinError(f"{what} '{pair}', which is no pair", hint=did_you_mean(pair, items.row, "check the ids."))
        rows.append(items.row[pair])
    return np.array(rows, dtype=np.int64)


def label_table(items: Items, labels: Sequence[Label]) -> LabelTable:
    """Spread the labels of one criterion over pairs and annotators (sorted by name)."""
    annotators = tuple(sorted({label.annotator for label in labels}))
    column = {name: number for number, name in enumerate(annotators)}
    rows = known_rows(items, (label.pair for label in labels), "a label is about")
    columns = np.array([column[label.annotator] for label in labels], dtype=np.int64)
    shape = (len(items), len(annotators))
    codes, left = np.full(shape, -1, np.int64), np.full(shape, -1, np.int64)
    given = np.zeros(shape, np.int64)
    codes[rows, columns] = [CODE[label.value] for label in labels]
    left[rows, columns] = [CODE[label.left] for label in labels]
    given[rows, columns] = 1
    return LabelTable(annotators=annotators, codes=codes, given=given, left=left)


def verdict_table(items: Items, verdicts: Sequence[Verdict]) -> VerdictTable:
    """Spread one judge's verdicts of one criterion over pairs.  Raises JoinError when a pair has two."""
    rows = known_rows(items, (verdict.pair for verdict in verdicts), "a verdict is about")
    if len(np.unique(rows)) < len(rows):
        twice = verdicts[int(np.flatnonzero(np.bincount(rows)[rows] > 1)[0])]
        problem = f"judge '{twice.judge}' has two verdicts on pair '{twice.pair}' and criterion '{twice.criterion}'"
        raise JoinError(problem, hint="keep one of them.")
    codes, split = np.full(len(items), -1, np.int64), np.zeros(len(items), np.int64)
    score = np.full(len(items), np.nan)
    basis: list[str | None] = [None] * len(items)
    for row, verdict in zip(rows.tolist(), verdicts, strict=True):
        codes[row] = CODE[verdict.value]
        split[row] = verdict.basis == "split"
        score[row] = _score(verdict)
        basis[row] = verdict.basis
    return VerdictTable(codes=codes, score=score, split=split, basis=tuple(basis))


def _score(verdict: Verdict) -> float:
    if verdict.score is not None:
        return verdict.score
    return float("nan") if verdict.value is None else CODE[verdict.value] / 2


def _cluster_key(pair: Pair, cluster: ClusterRule) -> object:
    if cluster == "item":
        return pair.id
    return pair.example.group if pair.example.group is not None else pair.example.messages


def _clustered_by(pairs: Sequence[Pair], cluster: ClusterRule, *, clusters: int) -> str:
    if cluster == "item" or clusters == len(pairs):
        return "item"
    return "group" if any(pair.example.group is not None for pair in pairs) else "prompt"
