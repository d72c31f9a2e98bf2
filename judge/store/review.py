"""Labels with their arms, and scores.  Asked by the room `workflow` on behalf of `review` and `data`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session, col, delete, select

from judge.domain import Label, Score
from judge.store.content import from_content, to_content
from judge.store.rows import insert_new, upsert
from judge.store.schema.study import ImportedLabelRow, SampledRow, ScoreRow, StudyPairRow

ASKED: Final = "asked"  # the origin of scores that models were asked for
IMPORTED: Final = "imported"


def put_labels(tx: Session, study: int, source: str, labels: Sequence[tuple[str, Label]]) -> None:
    """Make these the labels that came from a source: (pair digest, label)."""
    tx.exec(delete(ImportedLabelRow).where(col(ImportedLabelRow.study_id) == study, col(ImportedLabelRow.source) == source))
    rows = [_label_row(study, source, digest, label) for digest, label in labels]
    if rows:
        tx.connection().execute(ImportedLabelRow.__table__.insert(), rows)  # type: ignore[attr-defined]


def _label_row(study: int, source: str, digest: str, label: Label) -> dict[str, Any]:
    return {
        "study_id": study,
        "pair": digest,
        "person": label.annotator,
        "criterion": label.criterion,
        "kind": label.kind,
        "revision": label.revision,
        "source": source,
        "content": to_content(label),
    }


def labelled_texts(tx: Session, study: int, source: str) -> dict[Label, str]:
    """Give what a source said before: each label with the digest of the pair that it was given about."""
    query = select(ImportedLabelRow).where(col(ImportedLabelRow.study_id) == study, col(ImportedLabelRow.source) == source)
    return {from_content(Label, row.content): row.pair for row in tx.exec(query)}


def label_sources(tx: Session, study: int) -> dict[tuple[str, str, str, str, int], str]:
    """Give where each label of the study came from: (pair digest, person, criterion, kind, revision) -> source."""
    query = select(ImportedLabelRow).where(col(ImportedLabelRow.study_id) == study)
    return {(row.pair, row.person, row.criterion, row.kind, row.revision): row.source for row in tx.exec(query)}


def labels(tx: Session, study: int) -> list[Label]:
    """Give every label about the study's present pairs, with the study's pair ids."""
    query = (
        select(StudyPairRow.id, ImportedLabelRow.content)
        .join(ImportedLabelRow, col(ImportedLabelRow.pair) == col(StudyPairRow.pair))
        .where(col(StudyPairRow.study_id) == study, col(ImportedLabelRow.study_id) == study)
        .order_by(
            col(StudyPairRow.id),
            col(ImportedLabelRow.person),
            col(ImportedLabelRow.criterion),
            col(ImportedLabelRow.revision),
        )
    )
    return [from_content(Label, content, pair=pair) for pair, content in tx.exec(query)]


def stray_labels(tx: Session, study: int) -> int:
    """Count labels about texts that are no longer a pair of the study."""
    there = select(StudyPairRow.pair).where(col(StudyPairRow.study_id) == study)
    query = select(ImportedLabelRow.id).where(col(ImportedLabelRow.study_id) == study, col(ImportedLabelRow.pair).not_in(there))
    return len(tx.exec(query).all())


def put_sampled(tx: Session, study: int, drawn: Sequence[tuple[str, str, str]]) -> None:
    """Keep the order in which pairs are drawn: (pair digest, stratum, half).  Pairs that have a place keep it."""
    start = len(sampled(tx, study))
    rows = [
        {"study_id": study, "pair": pair, "position": start + n, "stratum": stratum, "half": half}
        for n, (pair, stratum, half) in enumerate(drawn)
    ]
    insert_new(tx, SampledRow, rows)


def sampled(tx: Session, study: int) -> list[tuple[str, str, str]]:
    """Give the order in which pairs are drawn: (pair digest, stratum, half)."""
    query = select(SampledRow).where(col(SampledRow.study_id) == study).order_by(col(SampledRow.position))
    return [(row.pair, row.stratum, row.half) for row in tx.exec(query)]


def put_asked_scores(tx: Session, study: int, scores: Iterable[tuple[str, Score]]) -> None:
    """Keep scores that models were asked for: (digest of what each is about, score).

    An earlier one about the same is replaced; those about what stood there before stay, and stand again when it does.
    """
    _put_scores(tx, study, ASKED, None, scores)


def put_imported_scores(tx: Session, study: int, file: str, scores: Iterable[tuple[str, Score]]) -> None:
    """Keep the scores of a file in place of what it said before, and of what other files said about the same."""
    tx.exec(delete(ScoreRow).where(col(ScoreRow.study_id) == study, col(ScoreRow.file) == file))
    _put_scores(tx, study, IMPORTED, file, scores)


def _put_scores(tx: Session, study: int, origin: str, file: str | None, scores: Iterable[tuple[str, Score]]) -> None:
    upsert(
        tx,
        ScoreRow,
        (
            {
                "study_id": study,
                "origin": origin,
                "about": about,
                "file": file,
                "example": score.example,
                "arm": score.arm,
                "source": score.source,
                "criterion": score.criterion,
                "sample": score.sample,
                "content": to_content(score),
            }
            for about, score in scores
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptScore:
    """A score as it is kept: with its origin, and the digest of what it is about."""

    score: Score
    origin: str
    about: str


def scores(tx: Session, study: int) -> list[KeptScore]:
    """Give every score that was kept for a study, those of texts that were edited since too."""
    query = select(ScoreRow).where(col(ScoreRow.study_id) == study)
    return [KeptScore(score=from_content(Score, row.content), origin=row.origin, about=row.about) for row in tx.exec(query)]
