"""What models are asked to score, and which of the scores that were kept are about what stands in the study now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from judge.domain import MODELS, Judge, Output, Rubric, Score
from judge.ids import digest
from judge.judging import Scoring, score_request
from judge.store import review as store
from judge.workflow.given import still_stands, texts_scored
from judge.workflow.workspace import Opened

Calls = Mapping[tuple[str, str, str, str], Sequence[str]]
"""(judge, arm, example, criterion) -> the calls that ask for that score."""


def models(work: Opened) -> list[Judge]:
    """Give the judges that can be asked for scores."""
    return [judge for judge in work.study.judges.values() if judge.source in MODELS]


def outputs_by_arm(work: Opened) -> Iterator[tuple[str, str, Output | None]]:
    """Give each arm's output on each example: (arm, example, output); None where there is none."""
    for arm in sorted(work.sources.arms):
        there = {output.example: output for output in work.sources.outputs[arm] if output.sample == 0}
        for example in sorted(work.sources.examples):
            yield arm, example, there.get(example)


def plan_scores(work: Opened, rubric: Rubric, judges: Sequence[Judge]) -> list[Scoring]:
    """Plan what judges are asked about every output that has a text."""
    return [
        one
        for arm, example, output in outputs_by_arm(work)
        if output is not None and output.text is not None
        for judge in judges
        for one in _asks(Scoring(example=work.sources.examples[example], arm=arm, text=output.text, judge=judge), rubric)
    ]


def _asks(one: Scoring, rubric: Rubric) -> Iterator[Scoring]:
    """Ask about one output as often as the judge is asked, by all criteria together or by each alone."""
    criteria = [criterion.id for criterion in one.criteria(rubric)]
    for repeat in range(1, one.judge.repeats + 1):
        if one.judge.per_call == "one":
            yield from (replace(one, repeat=repeat, criterion=criterion) for criterion in criteria)
        elif criteria:
            yield replace(one, repeat=repeat)


def calls_by_score(asks: Sequence[Scoring], rubric: Rubric) -> Calls:
    """Name the calls of a plan by what they ask for."""
    calls: dict[tuple[str, str, str, str], list[str]] = {}
    for one in asks:
        call = score_request(one, rubric).digest
        for criterion in one.criteria(rubric):
            calls.setdefault((one.judge.name, one.arm, one.example.id, criterion.id), []).append(call)
    return calls


def about(work: Opened, score: Score, calls: Calls) -> str:
    """Name what a judge's score is given on: the calls that ask for it, which hold text, rubric and judge.

    Where there is no text and so no call, its absence under this judge and rubric.
    """
    asked = calls.get((score.source, score.arm, score.example, score.criterion))
    return digest("asked", asked or ["no output", work.judges.get(score.source), work.rubric])


def scores_now(work: Opened) -> list[Score]:
    """Give the scores of what stands in the study now: of today's texts, and a judge's by today's rubric and judge.

    Where a model was asked for what a file also says, the model's own score is given.
    """
    with work.database.read() as tx:
        kept = store.scores(tx, work.record.id)
    rubric = work.sources.rubric if any(one.origin == store.ASKED for one in kept) else None
    calls = calls_by_score(plan_scores(work, rubric, models(work)), rubric) if rubric else {}
    texts = texts_scored(work.sources) if kept else {}
    found: dict[tuple[str, str, str, str, int], Score] = {}
    for one in kept:
        score = one.score
        if one.origin != store.ASKED:
            stands = still_stands(score, one.about, texts)
        else:
            there = score.arm in work.sources.arms and score.example in work.sources.examples
            stands = there and one.about == about(work, score, calls)
        key = (score.example, score.arm, score.source, score.criterion, score.sample)
        if stands and (key not in found or one.origin == store.ASKED):
            found[key] = score
    return [found[key] for key in sorted(found)]
