"""Labels from files: they stand for the very texts that they were given about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from judge import data
from judge.domain import Label, Pair
from judge.errors import JoinError
from judge.store import review as store
from judge.store import study as study_store
from judge.workflow.names import twin

if TYPE_CHECKING:
    from judge.store.database import Transaction

OWN: Final = ""  # the source of what a key of the study itself names, wherever that file lies


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
