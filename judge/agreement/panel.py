"""Verdicts and labels in, one Agreement out: the straight line of this room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from judge.agreement.judges import judge_panel
from judge.agreement.people import people_panel
from judge.agreement.select import select_labels
from judge.agreement.tables import Items, VerdictTable, about, items_of, known_rows, label_table, verdict_table
from judge.agreement.types import Agreement, ClusterRule, CriterionPanel, PeopleRule
from judge.agreement.winrate import contest, win_rate
from judge.domain import OVERALL, OWN_CHECK, Label, Pair, Reading, Verdict


def agreement(
    *,
    pairs: Sequence[Pair],
    labels: Sequence[Label],
    readings: Sequence[Reading],
    verdicts: Sequence[Verdict],
    candidate: str = "b",
    people: PeopleRule = "mean",
    labelled: Collection[str] | None = None,
    cluster: ClusterRule = "auto",
    level: float = 0.95,
    seed: int = 0,
    margin: float = 0.15,
    source: Mapping[str, Any] | None = None,
    tuned: tuple[Collection[str], Collection[str]] | None = None,
) -> Agreement:
    """Measure agreement and the win rate.

    labels: all there are; which count is decided here.  readings: with a cell for every planned call, also absent ones;
    empty for files of verdicts.  verdicts: with those of the judge "jury" where there are two judges or more.
    candidate: "a", "b" or a model, whose pairs alone then make the win rate.  people: how several labels of a pair
    become one score.  labelled: the only pairs whose labels count in the win rate.  cluster: "auto" treats items of
    one group, else of equal prompts, as one; "item" every pair by itself.  level: of every interval.
    margin: how far a judge's alpha may lie below people's.  tuned: pair ids of the tuning and the confirmation half,
    when the rubric was changed after labels were seen; they may name pairs of other
    candidates, and labelled pairs in neither count as tuning.
    source: overrides for the document's `source`, such as its digest.

    Raises JoinError for an unknown or double id, JudgeError for an unknown candidate.
    """
    items = items_of(pairs, cluster)
    known_rows(items, (label.pair for label in labels), "a label is about")
    known_rows(items, (reading.pair for reading in readings), "a call is about")
    selection = select_labels(labels)
    scene, notices = contest(
        items,
        [label for label in selection.labels if label.criterion == OVERALL],
        candidate=candidate,
        people=people,
        labelled=labelled,
    )
    scopes = _scopes(items, [*selection.labels, *verdicts])
    tables = _verdict_tables(scopes, verdicts)
    panels = {
        criterion: _panel(scope, criterion, selection.labels, readings, tables, level=level, margin=margin)
        for criterion, scope in scopes.items()
    }
    overall = panels.pop(OVERALL)
    return Agreement(
        level=level,
        seed=seed,
        source=_source(items, labels, readings, verdicts, candidate=candidate, people=people) | dict(source or {}),
        warnings=(*selection.notices, *notices),
        people=overall.people,
        judges=overall.judges,
        win_rate=win_rate(scene, tables.get(OVERALL, {}), level=level, tuned=tuned, items=items),
        criteria=panels,
    )


def _scopes(items: Items, said: Sequence[Label | Verdict]) -> dict[str, Items]:
    """Give each criterion the pairs that it is about: all, but where examples have own checks, these only theirs.

    A pair that somebody spoke of all the same is kept.
    """
    own_checks = any(pair.example.checklist for pair in items.pairs)
    spoken: dict[str, set[str]] = {OVERALL: set()}
    for one in said:
        spoken.setdefault(one.criterion, set()).add(one.pair)
    return {
        criterion: about(items, pairs | {pair.id for pair in items.pairs if pair.example.concerns(criterion)})
        if own_checks and OWN_CHECK.fullmatch(criterion)
        else items
        for criterion, pairs in sorted(spoken.items())
    }


def _verdict_tables(scopes: Mapping[str, Items], verdicts: Sequence[Verdict]) -> dict[str, dict[str, VerdictTable]]:
    """Verdicts by criterion and judge, both in order of their names."""
    by_key: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_key[verdict.criterion, verdict.judge].append(verdict)
    tables: dict[str, dict[str, VerdictTable]] = defaultdict(dict)
    for (criterion, judge), mine in sorted(by_key.items()):
        tables[criterion][judge] = verdict_table(scopes[criterion], mine)
    return dict(tables)


def _panel(
    items: Items,
    criterion: str,
    labels: Sequence[Label],
    readings: Sequence[Reading],
    tables: Mapping[str, Mapping[str, VerdictTable]],
    *,
    level: float,
    margin: float,
) -> CriterionPanel:
    table = label_table(items, [label for label in labels if label.criterion == criterion])
    people = people_panel(table, items, level=level)
    calls: dict[str, list[Reading]] = defaultdict(list)
    for reading in sorted(readings, key=lambda one: (one.pair, one.order, one.repeat)):
        if reading.criterion == criterion:
            calls[reading.judge].append(reading)
    judges = {
        judge: judge_panel(verdicts, calls[judge], table, people, items, level=level, margin=margin)
        for judge, verdicts in tables.get(criterion, {}).items()
    }
    return CriterionPanel(people=people, judges=judges)


def _source(
    items: Items,
    labels: Sequence[Label],
    readings: Sequence[Reading],
    verdicts: Sequence[Verdict],
    *,
    candidate: str,
    people: PeopleRule,
) -> dict[str, Any]:
    return {
        "pairs": len(items),
        "labels": len(labels),
        "calls": sum(reading.reason != "absent" for reading in readings),
        "verdicts": len(verdicts),
        "digest": None,
        "candidate": candidate,
        "people": people,
        "cluster": {"by": items.by, "clusters": len(np.unique(items.clusters))},
    }
