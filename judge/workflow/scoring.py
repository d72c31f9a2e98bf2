"""`judge score`: models score every arm's outputs one by one, by the rubric's levels and checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any, Final

from judge.agreement import estimate_document
from judge.calls import Settings
from judge.domain import MODELS, Estimate, Example, Judge, Notice, Rubric, Score
from judge.errors import StudyError
from judge.judging import ParsedScore, Scoring, filled, graded, parse_scores, score_request, span_of
from judge.stats import mean, rate
from judge.store import calls as journal
from judge.workflow.answering import UNREADABLE, Answers, Asked, Progress, answers
from judge.workflow.score_plan import Calls, calls_by_score, keep_asked, models, outputs_by_arm, plan_scores
from judge.workflow.workspace import Opened

_SOURCELESS: Final = "judges: none is a model; what is recorded speaks of pairs, and scores come from models only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One judge's scores of one arm on one criterion.

    of: lowest and highest score.  estimate: the mean, with items of one group (else of equal prompts) counted as one by
    their own mean.  missing: outputs without a score, by reason.
    """

    judge: str
    arm: str
    criterion: str
    of: tuple[int, int]
    estimate: Estimate
    missing: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What came of scoring, and what it cost; by_judge: US dollars so far, earlier runs included."""

    scores: tuple[Score, ...]
    table: tuple[Graded, ...]
    asked: Asked
    by_judge: Mapping[str, float]
    notices: tuple[Notice, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the table and the counts for programs."""
        return {
            **self.asked.to_json(),
            "unscored": sum(score.value is None for score in self.scores),
            "by_judge": {name: round(usd, 6) for name, usd in self.by_judge.items()},
            "scores": [
                {
                    "source": row.judge,
                    "arm": row.arm,
                    "criterion": row.criterion,
                    "of": list(row.of),
                    "mean": estimate_document(row.estimate),
                    "reasons": dict(row.missing),
                }
                for row in self.table
            ],
            "warnings": [{"code": notice.code, "text": notice.text} for notice in self.notices],
        }


def score(work: Opened, progress: Progress | None = None, settings: Settings | None = None) -> Scored:
    """Have every model among the study's judges score every arm's outputs, and keep the scores.

    Only sample 0 of an output is scored.  A judge with repeats is asked so often, and its score is the mean of those that
    can be used.  Raises StudyError when there is nothing to score by, Parked or JudgeError; what was answered until then is
    in the journal.
    """
    rubric, judges = _by(work)
    asks = plan_scores(work, rubric, judges)

    def said(one: Scoring, came: Answers) -> list[ParsedScore]:
        return reduce(filled, (parse_scores(answer, one.criteria(rubric)) for answer in came))

    def readable(place: int, came: Answers) -> bool:
        return all(one.reason not in UNREADABLE for one in said(asks[place], came))

    requests = [partial(score_request, one, rubric) for one in asks]
    found, asked = answers(work, judges, requests, readable, settings or Settings(), progress)
    given: dict[tuple[str, str, str], list[ParsedScore]] = {}
    for one, came in zip(asks, found, strict=True):
        given.setdefault((one.judge.name, one.arm, one.example.id), []).extend(said(one, came))
    scores = [
        row
        for judge in judges
        for arm, example, _ in outputs_by_arm(work)
        for row in _scores(work, judge.name, arm, example, given.get((judge.name, arm, example), ()))
    ]
    calls = calls_by_score(work, rubric, judges)
    with work.database.write() as tx:
        keep_asked(work, tx, scores, calls)
    return Scored(
        scores=tuple(scores),
        table=tuple(_table(work, scores)),
        asked=asked,
        by_judge=_costs(work, judges, calls),
        notices=_left_out(work),
    )


def _costs(work: Opened, judges: Sequence[Judge], calls: Calls) -> dict[str, float]:
    """Add up what each judge's scores cost until now, in US dollars: every try that was paid or may have been."""
    made: dict[str, set[str]] = {judge.name: set() for judge in judges}
    for (judge, *_), some in calls.items():
        made[judge].update(some)
    with work.database.read() as tx:
        return {name: journal.spent(tx, mine).usd for name, mine in made.items()}


def _by(work: Opened) -> tuple[Rubric, list[Judge]]:
    rubric, path = work.sources.rubric, work.study.path
    if not work.sources.arms:
        raise StudyError("a study of pairs has no arms to score", at=path, hint="write a study with `test:` and `arms:`")
    if rubric is None or not any(graded(rubric, example) for example in work.sources.examples.values()):
        hint = "give a criterion `levels: {1: ..., 5: ...}` or `check: true`"
        raise StudyError("rubric: there are neither levels nor checks to score by", at=path, hint=hint)
    judges = models(work)
    _refuse_scores_of(work, judges)
    if not judges:
        raise StudyError(_SOURCELESS, at=path, hint="add one, for example: judges: {sol: {openai: gpt-6.1-sol}}")
    return rubric, judges


def _refuse_scores_of(work: Opened, judges: Sequence[Judge]) -> None:
    """Refuse to ask a judge by whose name the study's own file of scores speaks: one would hide what the other says."""
    given = {one.source for one in work.sources.scores}
    name = next((judge.name for judge in judges if judge.name in given), None)
    if name is not None and work.study.scores is not None:
        problem = f"scores: {work.study.scores.name} holds scores of '{name}', a judge that is to be asked"
        raise StudyError(problem, at=work.study.path, hint="give the judge another name, or leave the file out")


def _scores(work: Opened, judge: str, arm: str, example: str, given: Sequence[ParsedScore]) -> list[Score]:
    """Make one judge's scores of one output.  given: what its answers say; nothing when there was no text to ask about."""
    assert work.sources.rubric is not None
    rows = []
    for criterion in graded(work.sources.rubric, work.sources.examples[example]):
        said = [one for one in given if one.criterion == criterion.id]
        values = [one.value for one in said if one.value is not None]
        reason = None if values else said[0].reason if said else "output_missing"
        value = sum(values) / len(values) if values else None
        row = Score(
            example=example, arm=arm, source=judge, criterion=criterion.id, value=value, reason=reason, rubric=work.rubric
        )
        rows.append(row)
    return rows


def _table(work: Opened, scores: Sequence[Score]) -> Iterator[Graded]:
    assert work.sources.rubric is not None
    spans = {
        criterion.id: span_of(criterion)
        for example in work.sources.examples.values()
        for criterion in graded(work.sources.rubric, example)
    }
    groups: dict[tuple[str, str, str], list[Score]] = {}
    for one in scores:
        groups.setdefault((one.source, one.arm, one.criterion), []).append(one)
    for (judge, arm, criterion), rows in groups.items():
        missing = Counter(str(row.reason) for row in rows if row.value is None)
        yield Graded(
            judge=judge,
            arm=arm,
            criterion=criterion,
            of=spans[criterion],
            estimate=_estimate(work.sources.examples, rows, missing.total(), spans[criterion]),
            missing=dict(sorted(missing.items())),
        )


def _estimate(examples: Mapping[str, Example], rows: Sequence[Score], missing: int, span: tuple[int, int]) -> Estimate:
    """Estimate a mean score; that of a check is a rate, and none lies outside what can be scored."""
    clusters: dict[object, list[float]] = {}
    for row in rows:
        if row.value is not None:
            example = examples[row.example]
            key = example.group if example.group is not None else example.messages
            clusters.setdefault(key, []).append(row.value)
    means = [sum(values) / len(values) for values in clusters.values()]
    if span == (0, 1):
        import numpy as np

        return rate(np.array(means), missing=missing)
    found = mean(means, missing=missing)
    if found.low is None or found.high is None:
        return found
    return replace(found, low=max(found.low, span[0]), high=min(found.high, span[1]))


def _left_out(work: Opened) -> tuple[Notice, ...]:
    others = [name for name, judge in work.study.judges.items() if judge.source not in MODELS]
    text = f"{', '.join(others)}: answers from files speak of pairs; only models score."
    return (Notice(code="judge_left_out", text=text),) if others else ()
