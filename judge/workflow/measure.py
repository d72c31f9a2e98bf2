"""A study's verdicts and labels to its agreement and standing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from judge import access
from judge.agreement import Agreement, agreement, select_labels
from judge.decision import Standing
from judge.domain import MODELS, OVERALL, Estimate, Label, Order, Pair, Reading, Verdict
from judge.store import access as ledger
from judge.store import review as label_store
from judge.store import study as study_store
from judge.study import WIN_RATE
from judge.workflow.asking import plan_of
from judge.workflow.names import asked_parts
from judge.workflow.resolving import judged
from judge.workflow.reviewing import draw_order, note_look, round_labels
from judge.workflow.sources import Candidate
from judge.workflow.workspace import Opened

Row = TypeVar("Row", Reading, Verdict, Label)
Halves = tuple[Collection[str], Collection[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One candidate, measured: what judges and people said of its pairs, how it coincides, and where it stands."""

    candidate: Candidate
    pairs: Sequence[Pair]
    readings: Sequence[Reading]
    verdicts: Sequence[Verdict]
    labels: Sequence[Label]
    agreement: Agreement
    primary: Estimate
    standing: Standing


def measure(work: Opened, candidate: Candidate) -> Measured:
    """Measure one candidate of a study; with k candidates every interval is at 1 - .05/k."""
    every_reading, every_verdict = judged(work)
    in_rounds = round_labels(work)
    with work.database.read() as tx:
        labels = [*label_store.labels(tx, work.record.id), *in_rounds.closed]
    if any(label.kind == "real" for label in in_rounds.open):
        labels = [label for label in labels if not label.simulated]  # real ones are there, if still in their envelopes
    pairs = [pair for pair in work.sources.pairs if work.study.pairs or pair.model_b == candidate.name]
    there = {pair.id for pair in pairs}
    readings, verdicts = _about(there, every_reading), _about(there, every_verdict)
    if labels and not work.trial:
        draw_order(work)
    halves = _halves(work)

    def with_labels(given: Sequence[Label]) -> Agreement:
        return agreement(
            pairs=pairs,
            labels=_about(there, given),
            readings=readings,
            verdicts=verdicts,
            candidate=candidate.side,
            level=1 - 0.05 / len(work.sources.candidates),
            seed=work.study.seed,
            margin=work.study.gates.agreement_margin,
            source={"digest": work.digest},
            tuned=halves,
        )

    measured = with_labels(labels)
    primary = _primary(work, measured)
    every = [*labels, *in_rounds.open]
    if in_rounds.open and in_rounds.open_round:
        # Of an open round only the total may be seen, and the look is noted.
        primary = _primary(work, with_labels(every))
        note_look(work, in_rounds.open_round)
    return Measured(
        candidate=candidate,
        pairs=pairs,
        readings=readings,
        verdicts=verdicts,
        labels=_about(there, labels),
        agreement=measured,
        primary=primary,
        standing=replace(
            _standing(work, candidate, primary, every, in_rounds.planned or planned_labels(work)),
            unasked=_unasked(work, there, readings, verdicts),
        ),
    )


def _about(pairs: Collection[str], rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.pair in pairs]


def _primary(work: Opened, measured: Agreement) -> Estimate:
    if work.study.primary != WIN_RATE:
        return Estimate(value=None, reason=f"the metric {work.study.primary} was not computed")
    headline = measured.headline
    return measured.win_rate.people if headline is None else headline[1].estimate


def _standing(work: Opened, candidate: Candidate, primary: Estimate, labels: Sequence[Label], planned: int) -> Standing:
    counted = [label for label in select_labels(labels).labels if label.criterion == OVERALL]
    by_people = work.study.primary == WIN_RATE
    above = work.study.gates.above
    return Standing(
        candidate=candidate.name,
        primary_name=work.study.primary,
        primary=primary,
        threshold=above if above is not None else 0.5 if by_people else 0.0,
        gates=work.study.gates,
        trial=work.trial,
        labels_in=sum(label.choice != "skipped" for label in counted),
        labels_planned=planned,
        simulated=bool(counted) and all(label.simulated for label in counted),
    )


def _unasked(work: Opened, pairs: Collection[str], readings: Iterable[Reading], verdicts: Iterable[Verdict]) -> int:
    """Count what `judge compare` would still bring: answers of models, and what files hold and was not taken in yet."""
    sources = work.sources
    asked = plan_of(sources, [judge for judge in work.study.judges.values() if judge.source in MODELS])
    planned = {(one.pair.id, one.judge.name, one.order, one.repeat, one.criterion or OVERALL) for one in asked}
    different = {pair.id for pair in sources.pairs if not pair.identical}
    recorded = [(name, row) for name, rows in sources.recordings.items() for row in rows if row.pair in different]
    planned |= {(row.pair, name, row.order, row.repeat, OVERALL) for name, row in recorded}
    planned |= {_answer(one) for rows in sources.readings.values() for one in rows if one.came}
    concluded = {_conclusion(one) for rows in sources.verdicts.values() for one in rows if one.reason != "absent"}
    left = planned - {_answer(one) for one in readings if one.came}
    left_out = concluded - {_conclusion(one) for one in verdicts if one.reason != "absent"}
    return sum(pair in pairs for pair, *_ in (*left, *left_out))


def _answer(one: Reading) -> tuple[str, str, Order, int, str]:
    return one.pair, one.judge, one.order, one.repeat, one.criterion


def _conclusion(one: Verdict) -> tuple[str, str, str]:
    return one.pair, one.judge, one.criterion


def edited(judged_at: Iterable[tuple[str, str, datetime]], now: Mapping[str, str], opened: datetime) -> bool:
    """Say whether the rubric, or a checklist, by which some pair is judged now was changed after labels were opened.

    judged_at: pair, what it was judged by, and since when.  now: pair -> what it is judged by.  A pair must have been judged
    by something else before the opening.  A rubric that judged any pair before it, as in a trial, was fixed then, and so was
    a list by which the pair itself was judged.
    """
    before: dict[str, set[str]] = {}
    after: set[tuple[str, str]] = set()
    for pair, name, at in judged_at:
        if at <= opened:
            before.setdefault(pair, set()).add(name)
        else:
            after.add((pair, name))
    rubrics = {asked_parts(name)[0] for names in before.values() for name in names}
    lists = {pair: {asked_parts(name)[1] for name in names} for pair, names in before.items()}
    current = [(pair, *asked_parts(name)) for pair, name in after if name == now.get(pair) and pair in before]
    return any(rubric not in rubrics or own not in lists[pair] for pair, rubric, own in current)


def planned_labels(work: Opened) -> int:
    """Count the labels that the review plan asks for where no round was opened; labels from files count towards them."""
    plan = work.study.review
    return min(plan.sample, len(work.sources.pairs)) * plan.labels_per_item


def _halves(work: Opened) -> Halves | None:
    """Give the halves when the rubric or a checklist was changed after labels were opened: then only one half is fair.

    The fair half is the confirmation half.
    """
    with work.database.read() as tx:
        opened = [event.at for event in ledger.events(tx, work.study.name) if access.opens_labels(event)]
        if not opened:
            return None
        judged_at = study_store.judged_rubrics(tx, work.record.id)
        order = label_store.sampled(tx, work.record.id)
    if not edited(judged_at, work.asked_by, min(opened)):
        return None
    names = {digest: id_ for id_, digest in work.pairs.items()}
    half = {names[pair]: half for pair, _, half in order if pair in names}
    return [p for p, h in half.items() if h == "tuning"], [p for p, h in half.items() if h == "confirmation"]
