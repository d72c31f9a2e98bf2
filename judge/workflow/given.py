"""Labels and scores from files: they stand for the very texts that they were given about."""

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
_OWN_SCORES: Final = "study"
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
    tx: Transaction,
    record: study_store.StudyRecord,
    file: str,
    scores: Sequence[Score],
    sources: Sources,
    *,
    at: Path | None,
) -> None:
    """Keep the scores of an imported file in place of what it said before; they are about today's texts.

    Raises JoinError when another file holds one of them already.
    """
    _put_scores(tx, record, f"file {file}", scores, texts_scored(sources), at)


def put_own_scores(tx: Transaction, record: study_store.StudyRecord, scores: Sequence[Score], sources: Sources) -> None:
    """Keep the scores of the file that the study names, which is read at every command.

    While the file stays as it is, they are about the texts that stood there when it was read first; once it says anything
    else, about today's.  A score that came before any text is about the first that comes.
    """
    kept = {one.score: one.about for one in store.scores(tx, record.id, _OWN_SCORES)}
    stays = kept.keys() == set(scores)
    if stays and _NO_TEXT not in kept.values():
        return
    known = {score: about for score, about in kept.items() if about != _NO_TEXT} if stays else {}
    _put_scores(tx, record, _OWN_SCORES, scores, texts_scored(sources), sources.study.scores, known)


def _put_scores(
    tx: Transaction,
    record: study_store.StudyRecord,
    origin: str,
    scores: Sequence[Score],
    texts: Mapping[tuple[str, str, int], str],
    at: Path | None,
    known: Mapping[Score, str] | None = None,
) -> None:
    others = {_key(one.score): one.origin for one in store.scores(tx, record.id) if one.origin not in (store.ASKED, origin)}
    for score in scores if others else ():
        if (other := others.get(_key(score))) is not None:
            where = "the study's own scores" if other == _OWN_SCORES else Path(other.removeprefix("file ")).name
            what = f"{score.source}'s score of {score.arm} on example '{score.example}' by '{score.criterion}'"
            raise JoinError(f"{what} is already in {where}", at=at, hint="take it out of one of the files")
    put = [((known or {}).get(score) or texts.get(_place(score), _NO_TEXT), score) for score in scores]
    store.put_scores(tx, record.id, origin, put)


def _key(score: Score) -> tuple[str, ...]:
    return score.example, score.arm, score.source, score.criterion, str(score.sample)


def still_stands(score: Score, about: str, now: Mapping[tuple[str, str, int], str]) -> bool:
    """Say whether a score is about what stands there now.  now: as `texts_scored` gives it."""
    return about == now.get(_place(score), _NO_TEXT)


def _place(score: Score) -> tuple[str, str, int]:
    return score.arm, score.example, score.sample


def texts_scored(sources: Sources) -> dict[tuple[str, str, int], str]:
    """Name what scores may be about, each an example with a text, by arm, example and sample."""
    texts: dict[tuple[str, str, int], set[str]] = {}
    for outputs in sources.outputs.values():
        for output in outputs:
            texts.setdefault((output.arm, output.example, output.sample), set()).add(output.text or "")
    for pair in () if sources.outputs else sources.pairs:  # a model may have several texts on one example there
        for arm, text in ((pair.model_a, pair.text_a), (pair.model_b, pair.text_b)):
            if arm is not None:
                texts.setdefault((arm, pair.example.id, 0), set()).add(text)
    examples = {id_: data.example_digest(example) for id_, example in sources.examples.items()}
    return {key: digest("scored", [examples[key[1]], sorted(said)]) for key, said in texts.items() if key[1] in examples}
