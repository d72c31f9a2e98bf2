"""From a measured study to its report: the decision, what is missing, and pairs to read that nobody picked by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from judge import access
from judge.agreement import select_labels
from judge.decision import decide
from judge.decision.report import ArmSummary, Exhibit, MissingRow, Opening, Rationale, Report
from judge.domain import JURY, OVERALL, SCORE, Label, Notice, Pair, Reading, Reason, Verdict
from judge.stats import mean
from judge.store import access as ledger
from judge.store import review as label_store
from judge.workflow.costs import Given, cost_of
from judge.workflow.findings import (
    Reasons,
    equal_pairs,
    found_in_outputs,
    found_in_pairs,
    kin_notices,
    output_notices,
    repaired,
    unknown_criteria,
)
from judge.workflow.measure import Measured, measure
from judge.workflow.origins import in_words, origin_notices, origins
from judge.workflow.provenance import versions
from judge.workflow.sources import Candidate
from judge.workflow.workspace import Opened

EXHIBITS: Final = 3  # of each kind
RULE: Final = (
    f"The {EXHIBITS} largest wins, the {EXHIBITS} largest losses and the {EXHIBITS} pairs on which judge and people differ "
    "most: by people's mean score where a pair was labelled, then by the judge's, ties in the order of the pairs' digests. "
    "Nobody chose them by hand."
)


def report(work: Opened, candidate: Candidate) -> Report:
    """Measure one candidate and write its report.  Right at any moment; what is missing is said in it."""
    measured = measure(work, candidate)
    given = Given(work)
    given.add(measured.readings)
    study = work.study
    found = found_in_outputs(work.sources)
    made = {name: in_words(origin) for name, origin in origins(work).items()}
    with work.database.read() as tx:
        openings = access.openings(tx, study.name)
        looks = len(ledger.events(tx, study.name, "look"))
        stray = label_store.stray_labels(tx, work.record.id)
    return Report(
        study=study.name,
        digest=work.digest,
        candidate=candidate.name,
        decision=decide(measured.standing),
        primary=measured.primary,
        agreement=measured.agreement.to_json(),
        arms={name: _arm_summary(work, name, found[name], made.get(name, "")) for name in study.arms},
        cost=cost_of(work, given, {pair.id for pair in measured.pairs}),
        openings=tuple(Opening(arm=str(event.what["arm"]), at=event.at.isoformat()) for event in openings),
        looks=looks,
        warnings=(*measured.agreement.warnings, *_warnings(work, measured, found, stray)),
        versions=versions(),
        exhibits=_exhibits(work, measured),
        missing=_missing(work, measured),
        rubric=study.rubric,
        rule=RULE,
        made_at=work.clock().isoformat(),
        primary_name=study.primary,
        threshold=measured.standing.threshold,
        agreement_margin=study.gates.agreement_margin,
        level=measured.agreement.level,
    )


def _arm_summary(work: Opened, name: str, found: Mapping[str, Sequence[str]], made: str) -> ArmSummary:
    outputs = work.sources.outputs.get(name, ())
    latencies = [output.latency_s for output in outputs if output.latency_s is not None]
    return ArmSummary(
        role=work.sources.arms[name].role,
        outputs=len(outputs),
        errors=sum(output.error is not None for output in outputs),
        truncated=sum(output.finish == "length" for output in outputs),
        tokens_in=_total(output.tokens_in for output in outputs),
        tokens_out=_total(output.tokens_out for output in outputs),
        latency_s=mean(latencies, missing=len(outputs) - len(latencies)),
        findings={code: len(ids) for code, ids in found.items()},
        made=made,
    )


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _warnings(work: Opened, measured: Measured, found: Mapping[str, Mapping[str, Sequence[str]]], stray: int) -> list[Notice]:
    notices = []
    if stray:
        text = f"{stray} labels are about texts that are no longer a pair of this study; they count nowhere."
        notices.append(Notice(code="stray_labels", text=text))
    reasons = Reasons()
    reasons.add(measured.readings)
    in_texts = output_notices(work.sources, found) if found else found_in_pairs(measured.pairs, measured.candidate.name)
    by_judges = [*reasons.notices(), *repaired(work, measured.pairs)]
    notices += [*kin_notices(work.sources), *unknown_criteria(work.sources)]
    return [*notices, *in_texts, *equal_pairs(measured.pairs), *by_judges, *origin_notices(work)]


def _missing(work: Opened, measured: Measured) -> tuple[MissingRow, ...]:
    rows = [
        MissingRow(what=f"outputs of {arm}", missing=count, of=len(work.sources.examples), why={"output_missing": count})
        for arm, count in work.sources.missing_outputs.items()
        if count or arm in work.sources.arms
    ]
    overall = [reading for reading in measured.readings if reading.criterion == OVERALL]
    for judge in sorted({reading.judge for reading in overall}):
        mine = [reading for reading in overall if reading.judge == judge]
        rows.append(_missing_row(f"answers of judge {judge}", [reading.reason for reading in mine]))
    spoken = [verdict for verdict in measured.verdicts if verdict.criterion == OVERALL]
    for judge in sorted({verdict.judge for verdict in spoken}, key=lambda name: (name == JURY, name)):
        reasons = [verdict.reason if verdict.value is None else None for verdict in spoken if verdict.judge == judge]
        rows.append(_missing_row("verdicts of the jury" if judge == JURY else f"verdicts of judge {judge}", reasons))
    standing = measured.standing
    if standing.labels_planned:
        waiting = max(0, standing.labels_planned - standing.labels_in)
        rows.append(
            MissingRow(what="planned labels", missing=waiting, of=standing.labels_planned, why={"not given yet": waiting})
        )
    given = [label for label in measured.labels if label.criterion == OVERALL]
    if given:
        rows.append(_missing_row("labels without a preference", [None if label.value else label.choice for label in given]))
    return tuple(rows)


def _missing_row(what: str, reasons: Sequence[str | None]) -> MissingRow:
    why = Counter(reason for reason in reasons if reason is not None)
    return MissingRow(what=what, missing=why.total(), of=len(reasons), why=dict(sorted(why.items())))


def _exhibits(work: Opened, measured: Measured) -> tuple[Exhibit, ...]:
    pairs = {pair.id: pair for pair in measured.pairs}
    people, judge = _people_scores(measured.labels), _judge_scores(measured.verdicts)
    known = {id_: _for_candidate(measured, pairs[id_], people.get(id_, judge.get(id_))) for id_ in pairs}
    scored = {id_: score for id_, score in known.items() if score is not None}
    second = {id_: _for_candidate(measured, pairs[id_], judge.get(id_)) or 0.5 for id_ in scored}
    wins = sorted((i for i in scored if scored[i] > 0.5), key=lambda i: (-scored[i], -second[i], work.pairs[i]))
    losses = sorted((i for i in scored if scored[i] < 0.5), key=lambda i: (scored[i], second[i], work.pairs[i]))
    chosen = {**dict.fromkeys(wins[:EXHIBITS], "Largest win"), **dict.fromkeys(losses[:EXHIBITS], "Largest loss")}
    gaps = {id_: abs(people[id_] - judge[id_]) for id_ in people if id_ in judge and id_ not in chosen}
    widest = sorted((id_ for id_ in gaps if gaps[id_] >= 0.5), key=lambda id_: (-gaps[id_], work.pairs[id_]))
    chosen |= dict.fromkeys(widest[:EXHIBITS], "Judge and people differ")
    return tuple(exhibit(measured, pairs[id_], heading) for id_, heading in chosen.items())


def exhibit(measured: Measured, pair: Pair, heading: str) -> Exhibit:
    """Lay out one pair with all that was said about it."""
    readings = [reading for reading in measured.readings if reading.pair == pair.id]
    whole = {(one.judge, one.order, one.repeat): one.reason for one in readings if one.criterion == OVERALL}
    said = [(one, _said(one, whole.get((one.judge, one.order, one.repeat)))) for one in readings]
    return Exhibit(
        pair=pair,
        heading=heading,
        verdicts=tuple(verdict for verdict in measured.verdicts if verdict.pair == pair.id),
        labels=tuple(label for label in measured.labels if label.pair == pair.id),
        rationales=tuple(Rationale(one.judge, one.order, one.criterion, text) for one, text in said if text),
    )


def _said(reading: Reading, overall: Reason | None) -> str | None:
    """Give a judge's words on one criterion; None where they say no more than those on the whole pair.

    overall: why the answer on the whole pair was no use; one that cannot be read at all is told of once.
    """
    if reading.reason is not None and (reading.criterion == OVERALL or reading.reason != overall):
        return f"{reading.rationale or ''} (no usable answer: {reading.reason})".strip()
    if reading.rationale or reading.criterion != OVERALL:
        return reading.rationale
    return f"({reading.value}, without a reason)"


def _people_scores(labels: Sequence[Label]) -> Mapping[str, float]:
    scores: dict[str, list[float]] = {}
    for label in select_labels(labels).labels:
        if label.criterion == OVERALL and label.value is not None:
            scores.setdefault(label.pair, []).append(SCORE[label.value])
    return {pair: sum(values) / len(values) for pair, values in scores.items()}


def _judge_scores(verdicts: Sequence[Verdict]) -> Mapping[str, float]:
    spoken = [verdict for verdict in verdicts if verdict.criterion == OVERALL and verdict.score is not None]
    names = {verdict.judge for verdict in spoken}
    speaker = JURY if JURY in names else min(names, default=None)
    return {verdict.pair: verdict.score for verdict in spoken if verdict.judge == speaker and verdict.score is not None}


def _for_candidate(measured: Measured, pair: Pair, score: float | None) -> float | None:
    """Turn a score in favour of b into one in favour of the candidate."""
    side = measured.candidate.side
    turned = side == "a" or (side != "b" and pair.model_a == side)
    if score is None:
        return None
    if not (side in ("a", "b") or side in (pair.model_a, pair.model_b)):
        return None
    return 1 - score if turned else score
