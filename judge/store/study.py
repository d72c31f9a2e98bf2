"""Studies, their locked examples, arms, outputs, pairs, rubrics and judges.  Asked by the room `workflow`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, delete, select

from judge.domain import Arm, Example, Judge, Output, Pair, Rubric
from judge.ids import new_secret
from judge.store.content import from_content, to_content
from judge.store.rows import insert_new, upsert
from judge.store.schema.study import (
    ArmRow,
    ExampleRow,
    GenerationRow,
    JudgeRow,
    OutputRow,
    PairRow,
    RubricRow,
    RunRow,
    StudyPairRow,
    StudyRow,
    VerdictRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """A study as the workspace knows it."""

    id: int
    name: str
    secret: str
    locked_at: datetime | None


def open_study(tx: Session, name: str, now: datetime) -> StudyRecord:
    """Find a study by name, or begin it with a secret of its own."""
    insert_new(tx, StudyRow, [{"name": name, "secret": new_secret(), "made_at": now}])
    found = find_study(tx, name)
    assert found is not None
    return found


def find_study(tx: Session, name: str) -> StudyRecord | None:
    """Find a study by name."""
    row = tx.exec(select(StudyRow).where(col(StudyRow.name) == name)).first()
    if row is None or row.id is None:
        return None
    return StudyRecord(id=row.id, name=row.name, secret=row.secret, locked_at=row.locked_at)


def study_names(tx: Session) -> list[str]:
    """List the studies of the workspace."""
    return list(tx.exec(select(StudyRow.name).order_by(col(StudyRow.name))))


def locked_examples(tx: Session, study: int) -> dict[str, str]:
    """Give the locked test set: id -> digest.  Empty before its first use."""
    return dict(tx.exec(select(ExampleRow.id, ExampleRow.digest).where(col(ExampleRow.study_id) == study)).all())


def lock_examples(tx: Session, study: int, examples: Mapping[str, tuple[str, Example]], now: datetime) -> None:
    """Lock the test set: id -> (digest, example).  Tags and meta of a locked example may still change."""
    upsert(
        tx,
        ExampleRow,
        (
            {"study_id": study, "id": id_, "digest": digest, "content": to_content(example)}
            for id_, (digest, example) in examples.items()
        ),
    )
    row = tx.get_one(StudyRow, study)
    row.locked_at = row.locked_at or now


def put_arms(tx: Session, study: int, arms: Sequence[tuple[Arm, str]], content: Mapping[str, Any]) -> None:
    """Keep the arms with their digests."""
    rows = [
        {
            "study_id": study,
            "name": arm.name,
            "digest": digest,
            "role": arm.role,
            "content": dict(content.get(arm.name, {})),
        }
        for arm, digest in arms
    ]
    upsert(tx, ArmRow, rows)


def put_outputs(tx: Session, study: int, arm_digest: str, outputs: Sequence[Output], *, anew: bool = False) -> None:
    """Keep an arm's outputs; those of an earlier digest stay beside them.  anew: also in place of those that are there."""
    put = upsert if anew else insert_new
    put(
        tx,
        OutputRow,
        (
            {
                "study_id": study,
                "arm_digest": arm_digest,
                "example": o.example,
                "sample": o.sample,
                "content": to_content(o),
            }
            for o in outputs
        ),
    )


def outputs(tx: Session, study: int, arm_digest: str) -> list[Output]:
    """Give an arm's outputs by example and sample."""
    query = (
        select(OutputRow)
        .where(col(OutputRow.study_id) == study, col(OutputRow.arm_digest) == arm_digest)
        .order_by(col(OutputRow.example), col(OutputRow.sample))
    )
    return [from_content(Output, row.content) for row in tx.exec(query)]


def put_generation(tx: Session, study: int, arm_digest: str, content: Mapping[str, Any], now: datetime) -> None:
    """Keep how an arm's outputs were made, in place of what was said before."""
    upsert(tx, GenerationRow, [{"study_id": study, "arm_digest": arm_digest, "content": dict(content), "at": now}])


def generations(tx: Session, study: int) -> dict[str, dict[str, Any]]:
    """Give how outputs were made, by the arm's digest."""
    query = select(GenerationRow).where(col(GenerationRow.study_id) == study)
    return {row.arm_digest: row.content for row in tx.exec(query)}


def put_pairs(tx: Session, study: int, pairs: Sequence[tuple[str, str, Pair]]) -> None:
    """Make these the study's pairs: (digest, candidate, pair).  Earlier texts stay known by their digest."""
    insert_new(tx, PairRow, ({"digest": digest, "text_a": p.text_a, "text_b": p.text_b} for digest, _, p in pairs))
    tx.exec(delete(StudyPairRow).where(col(StudyPairRow.study_id) == study))
    insert_new(
        tx,
        StudyPairRow,
        (
            {
                "study_id": study,
                "id": p.id,
                "pair": digest,
                "candidate": candidate,
                "example": to_content(p.example),
                "model_a": p.model_a,
                "model_b": p.model_b,
                "meta": dict(p.meta),
            }
            for digest, candidate, p in pairs
        ),
    )


def pairs(tx: Session, study: int) -> list[Pair]:
    """Give the study's pairs by id."""
    query = (
        select(StudyPairRow, PairRow)
        .join(PairRow, col(PairRow.digest) == col(StudyPairRow.pair))
        .where(col(StudyPairRow.study_id) == study)
        .order_by(col(StudyPairRow.id))
    )
    return [
        Pair(
            id=named.id,
            example=from_content(Example, named.example),
            text_a=texts.text_a,
            text_b=texts.text_b,
            model_a=named.model_a,
            model_b=named.model_b,
            meta=named.meta,
        )
        for named, texts in tx.exec(query)
    ]


def put_rubric(tx: Session, digest: str, rubric: Rubric) -> None:
    """Keep a version of a rubric."""
    insert_new(tx, RubricRow, [{"digest": digest, "name": rubric.name, "content": _json_keys(to_content(rubric))}])


def _json_keys(content: dict[str, Any]) -> dict[str, Any]:
    for criterion in content["criteria"]:
        criterion["levels"] = {str(level): text for level, text in criterion["levels"].items()}
    return content


def judged_rubrics(tx: Session, study: int) -> list[tuple[str, str, datetime]]:
    """Give what each pair of the study was ever judged by: (pair's id, rubric, when it was first judged by it)."""
    query = (  # by verdicts, not by asks: a judge whose verdicts come in a file is asked nothing
        select(StudyPairRow.id, VerdictRow.rubric, func.min(VerdictRow.first_at))
        .join(VerdictRow, col(VerdictRow.pair) == col(StudyPairRow.pair))
        .where(col(StudyPairRow.study_id) == study)
        .group_by(col(StudyPairRow.id), col(VerdictRow.rubric))
    )
    return list(tx.exec(query))


def put_judges(tx: Session, study: int, judges: Sequence[tuple[Judge, str]]) -> None:
    """Make these the study's judges, each with its digest."""
    tx.exec(delete(JudgeRow).where(col(JudgeRow.study_id) == study))
    upsert(
        tx,
        JudgeRow,
        [
            {
                "study_id": study,
                "name": judge.name,
                "digest": digest,
                "content": {"source": judge.source, "target": judge.target},
            }
            for judge, digest in judges
        ],
    )


def put_run(
    tx: Session,
    study: int,
    command: str,
    digest: str,
    config: Mapping[str, Any],
    versions: Mapping[str, str],
    now: datetime,
) -> None:
    """Remember a run with its effective configuration."""
    tx.add(RunRow(study_id=study, command=command, digest=digest, config=dict(config), versions=dict(versions), at=now))


def pair_digests(tx: Session, study: int) -> dict[str, str]:
    """Give the study's pairs: id -> digest."""
    return dict(tx.exec(select(StudyPairRow.id, StudyPairRow.pair).where(col(StudyPairRow.study_id) == study)).all())
