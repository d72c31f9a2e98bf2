"""Labels and scores that people bring in files: they stand for the very texts that they were given about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from judge import data
from judge.domain import Label, Pair, Score
from judge.errors import JoinError
from judge.ids import digest
from judge.store import review as store
from judge.store import study as study_store
from judge.workflow.names import twin
from judge.workflow.sources import Sources

if TYPE_CHECKING:
    from judge.store.database import Transaction

OWN: Final = ""  # the source of what a key of the study itself names, wherever that file lies
_NO_TEXT: Final = digest("scored", None)  # what a score of an unknown output is about


def put_labels(
    tx: Transaction,
    record: study_store.StudyRecord,
    source: str,
    labels: Sequence[Label],
    pairs: Sequence[Pair],
    names: Mapping[str, str],
    *,
    at: Path | None,
) -> None:
    """Keep the labels of one source, `OWN` or an imported file, in place of what it said before.

    A label that the source gave before, word for word, stays with the texts that it was given about, whatever the pair of
    that name holds today.  Raises JoinError when another source holds one of them already.
    """
    before, others = store.labelled_texts(tx, record.id, source), store.label_sources(tx, record.id)
    labelled = {label.pair for label in labels}
    texts = {pair.id: data.pair_digest(pair) for pair in pairs if pair.id in labelled}
    put = []
    for label in labels:
        today, then = names[label.pair], before.get(label)
        name = today if then in (None, texts[label.pair], twin(texts[label.pair], label.pair)) else then
        _refuse_twice(others.get((name, label.annotator, label.criterion, label.kind, label.revision)), source, label, at)
        put.append((name, label))
    store.put_labels(tx, record.id, source, put)


def _refuse_twice(other: str | None, source: str, label: Label, at: Path | None) -> None:
    if other in (None, source):
        return
    where = "the study's own labels" if other == OWN else Path(str(other)).name
    raise JoinError(
        f"{label.annotator}'s label of pair '{label.pair}' on '{label.criterion}' is already in {where}",
        at=at,
        hint="number a later answer with a higher revision, or take it out of one of the files",
    )


def put_scores(
    tx: Transaction, record: study_store.StudyRecord, source: str, scores: Sequence[Score], sources: Sources
) -> None:
    """Keep the scores of one source, `OWN` or an imported file, in place of what it said before.

    A score that the source gave before, word for word, stays with the text that it was given about.
    """
    before = store.scored_texts(tx, record.id, source)
    now = texts_scored(sources) if scores else {}
    put = [(before.get(score) or now.get(_place(score), _NO_TEXT), score) for score in scores]
    store.put_scores(tx, record.id, source, put)


def still_stands(score: Score, about: str, now: Mapping[tuple[str, str, int], str]) -> bool:
    """Say whether a score is about what stands there now.  now: as `texts_scored` gives it."""
    return about == now.get(_place(score), _NO_TEXT)


def _place(score: Score) -> tuple[str, str, int]:
    return score.arm, score.example, score.sample


def texts_scored(sources: Sources) -> dict[tuple[str, str, int], str]:
    """Name what scores may be about, each an example with a text, by arm, example and sample."""
    texts = {
        (output.arm, output.example, output.sample): output.text for outputs in sources.outputs.values() for output in outputs
    }
    for pair in sources.pairs:
        for arm, text in ((pair.model_a, pair.text_a), (pair.model_b, pair.text_b)):
            if arm is not None:
                texts.setdefault((arm, pair.example.id, 0), text)
    examples = {id_: data.example_digest(example) for id_, example in sources.examples.items()}
    return {key: digest("scored", [examples[key[1]], text]) for key, text in texts.items() if key[1] in examples}
