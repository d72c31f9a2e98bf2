"""What models are asked to score, and which of the scores that were kept are about what stands in the study now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from judge.data import example_digest
from judge.domain import MODELS, Judge, Output, Rubric, Score
from judge.errors import JoinError
from judge.ids import digest
from judge.judging import Scoring, score_request
from judge.store import review as store
from judge.workflow.workspace import Opened

if TYPE_CHECKING:
    from judge.store.database import Transaction

Cell = tuple[str, str, str, str]  # judge, arm, example, criterion
Calls = Mapping[Cell, Sequence[str]]
"""The calls that ask for a judge's score of an output; where there is no output, what would be asked about an empty one."""

_NO_OUTPUT: Final = "no output"  # stands before such calls, which nobody makes
_ANY_TEXT: Final = ""  # what an imported score is about where there was no text, or several


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
    return [one for there, one in _questions(work, rubric, judges) if there]


def _questions(work: Opened, rubric: Rubric, judges: Sequence[Judge]) -> Iterator[tuple[bool, Scoring]]:
    """Give what judges are asked about every output, and whether it is there; else it is taken for an empty one."""
    for arm, example, output in outputs_by_arm(work):
        text = output.text if output is not None else None
        for judge in judges:
            whole = Scoring(example=work.sources.examples[example], arm=arm, text=text or "", judge=judge)
            yield from ((text is not None, one) for one in _asks(whole, rubric))


def _asks(one: Scoring, rubric: Rubric) -> Iterator[Scoring]:
    """Ask about one output as often as the judge is asked, by all criteria together or by each alone."""
    criteria = [criterion.id for criterion in one.criteria(rubric)]
    for repeat in range(1, one.judge.repeats + 1):
        if one.judge.per_call == "one":
            yield from (replace(one, repeat=repeat, criterion=criterion) for criterion in criteria)
        elif criteria:
            yield replace(one, repeat=repeat)


def calls_by_score(work: Opened, rubric: Rubric, judges: Sequence[Judge]) -> Calls:
    """Name the calls of the plan by what they ask for."""
    calls: dict[Cell, list[str]] = {}
    for there, one in _questions(work, rubric, judges):
        call = score_request(one, rubric).digest
        for criterion in one.criteria(rubric):
            cell = one.judge.name, one.arm, one.example.id, criterion.id
            calls.setdefault(cell, [] if there else [_NO_OUTPUT]).append(call)
    return calls


def keep_asked(work: Opened, tx: Transaction, scores: Sequence[Score], calls: Calls) -> None:
    """Keep what models were asked for."""
    store.put_asked_scores(tx, work.record.id, ((_about(one, calls), one) for one in scores))


def _about(score: Score, calls: Calls) -> str:
    """Name what a judge's score is given on: the calls that ask for it, which hold text, rubric and judge."""
    return digest("asked", list(calls.get(_cell(score), ())))


def _cell(score: Score) -> Cell:
    return score.source, score.arm, score.example, score.criterion


def import_scores(work: Opened, tx: Transaction, file: str, scores: Sequence[Score], at: Path) -> None:
    """Take scores from a file; they are about the texts that stand there now.

    file: its name in the workspace.  Raises JoinError for one of which the study's own file says something else.
    """
    own = {score_key(score): score for score in work.sources.scores}
    for score in scores:
        if own.get(score_key(score), score) != score:
            what = f"{score.source}'s score of {score.arm} on example '{score.example}' by '{score.criterion}'"
            raise JoinError(f"{what} is already in the study's own scores", at=at, hint="take it out of one of the two")
    texts = _texts(work)
    put = ((texts.get((one.arm, one.example, one.sample), _ANY_TEXT), one) for one in scores)
    store.put_imported_scores(tx, work.record.id, file, put)


def _texts(work: Opened) -> dict[tuple[str, str, int], str]:
    """Name what imported scores may be about, an example with an arm's text, by arm, example and sample."""
    examples = {id_: example_digest(example) for id_, example in work.sources.examples.items()}
    return {
        (arm, one.example, one.sample): digest("scored", [examples[one.example], one.text])
        for arm, outputs in work.sources.outputs.items()
        for one in outputs
        if one.text is not None and one.example in examples
    }


def scores_now(work: Opened) -> list[Score]:
    """Give the scores of what stands in the study now: of today's texts, and a judge's by today's rubric and judge.

    Of several about the same the model's own goes first, then what the study's own file says.
    """
    with work.database.read() as tx:
        kept = store.scores(tx, work.record.id)
    rubric = work.sources.rubric if any(one.origin == store.ASKED for one in kept) else None
    calls = calls_by_score(work, rubric, models(work)) if rubric else {}
    texts, sources = _texts(work), work.sources
    ranked: list[tuple[int, Score]] = [(1, score) for score in sources.scores]
    for one in kept:
        score = one.score
        if one.origin == store.ASKED:
            if _cell(score) in calls and one.about == _about(score, calls):
                ranked.append((4 if calls[_cell(score)][0] == _NO_OUTPUT else 0, score))
        elif one.about == texts.get((score.arm, score.example, score.sample)):
            ranked.append((2, score))
        elif one.about == _ANY_TEXT and sources.can_score(score):
            ranked.append((3, score))
    found: dict[tuple[str, str, str, str, int], Score] = {}
    for _, score in sorted(ranked, key=lambda one: (score_key(one[1]), one[0])):
        found.setdefault(score_key(score), score)
    return list(found.values())


def score_key(score: Score) -> tuple[str, str, str, str, int]:
    """Say what a score is of: one source says one number there."""
    return score.example, score.arm, score.source, score.criterion, score.sample
