"""Asks, readings and verdicts.  Asked by the room `workflow` on behalf of `judging`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlmodel import Session, col, delete, select

from judge.domain import Reading, Verdict
from judge.store.content import from_content, to_content
from judge.store.rows import chunks, insert_new, upsert
from judge.store.schema.study import AskRow, ReadingRow, StudyPairRow, VerdictRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One ask: digests of pair, judge and rubric; criterion, order, repeat; the call that answers it."""

    pair: str
    judge: str
    rubric: str
    criterion: str
    order: str
    repeat: int
    call: str | None = None


_CELL = ("pair", "judge", "rubric", "criterion", "shown", "repeat")


def put_asks(tx: Session, cells: Sequence[Cell]) -> None:
    """Write the plan down.  A cell that is there gets the call it is answered by now."""
    upsert(tx, AskRow, [_row(cell) for cell in cells], key=_CELL)


def _row(cell: Cell) -> dict[str, Any]:
    return {
        "pair": cell.pair,
        "judge": cell.judge,
        "rubric": cell.rubric,
        "criterion": cell.criterion,
        "shown": cell.order,
        "repeat": cell.repeat,
        "call": cell.call,
    }


def put_readings(tx: Session, read: Sequence[tuple[Cell, Reading]], parser: str) -> None:
    """Keep what the parser made of the answers; the cells must be planned.  An earlier reading of a cell is replaced."""
    ids = _ask_ids(tx, {(cell.judge, cell.rubric) for cell, _ in read})
    upsert(
        tx,
        ReadingRow,
        [
            {"ask": ids[_key(cell)], "parser": parser, "value": r.value, "reason": r.reason, "content": to_content(r)}
            for cell, r in read
        ],
    )


def _key(cell: Cell) -> tuple[str, str, str, str, str, int]:
    return cell.pair, cell.judge, cell.rubric, cell.criterion, cell.order, cell.repeat


def _ask_ids(tx: Session, kinds: set[tuple[str, str]]) -> dict[tuple[str, str, str, str, str, int], int]:
    ids: dict[tuple[str, str, str, str, str, int], int] = {}
    for judge, rubric in kinds:
        query = select(AskRow).where(col(AskRow.judge) == judge, col(AskRow.rubric) == rubric)
        for row in tx.exec(query):
            ids[row.pair, row.judge, row.rubric, row.criterion, row.shown, row.repeat] = cast(int, row.id)
    return ids


def read_cells(tx: Session, judge: str, rubric: str) -> set[tuple[str, str, str, str, str, int]]:
    """Give the cells of a judge and rubric that have a reading."""
    query = (
        select(AskRow)
        .join(ReadingRow, col(ReadingRow.ask) == col(AskRow.id))
        .where(col(AskRow.judge) == judge, col(AskRow.rubric) == rubric)
    )
    return {(row.pair, row.judge, row.rubric, row.criterion, row.shown, row.repeat) for row in tx.exec(query)}


def readings(tx: Session, study: int, rubric: str, judges: Mapping[str, str]) -> list[Reading]:
    """Give all readings about the study's pairs under one rubric.

    judges: digest -> name.  Readings carry the study's pair ids and today's judge names.
    """
    found: list[Reading] = []
    for digest, name in sorted(judges.items(), key=lambda item: item[1]):
        query = (
            select(StudyPairRow.id, ReadingRow.content)
            .join(AskRow, col(AskRow.pair) == col(StudyPairRow.pair))
            .join(ReadingRow, col(ReadingRow.ask) == col(AskRow.id))
            .where(col(StudyPairRow.study_id) == study, col(AskRow.judge) == digest, col(AskRow.rubric) == rubric)
            .order_by(col(StudyPairRow.id), col(AskRow.criterion), col(AskRow.shown), col(AskRow.repeat))
        )
        found += [from_content(Reading, content, pair=pair, judge=name) for pair, content in tx.exec(query)]
    return found


def put_verdicts(
    tx: Session, rubric: str, judges: Mapping[str, str], verdicts: Sequence[Verdict], pairs: Mapping[str, str]
) -> None:
    """Keep verdicts under a rubric: judges name -> digest, pairs id -> digest.  What these judges said before is replaced."""
    for digest in {judges[verdict.judge] for verdict in verdicts}:
        for some in chunks(sorted(set(pairs.values()))):
            tx.exec(
                delete(VerdictRow).where(
                    col(VerdictRow.judge) == digest, col(VerdictRow.rubric) == rubric, col(VerdictRow.pair).in_(some)
                )
            )
    insert_new(
        tx,
        VerdictRow,
        [
            {
                "pair": pairs[v.pair],
                "judge": judges[v.judge],
                "rubric": rubric,
                "criterion": v.criterion,
                "name": v.judge,
                "value": v.value,
                "score": v.score,
                "basis": v.basis,
                "reason": v.reason,
                "a_pass": v.a_pass,
                "b_pass": v.b_pass,
            }
            for v in verdicts
        ],
    )


def verdicts(tx: Session, study: int, rubric: str, judges: Mapping[str, str]) -> list[Verdict]:
    """Give the kept verdicts about the study's pairs: judges digest -> name."""
    query = (
        select(StudyPairRow.id, VerdictRow)
        .join(VerdictRow, col(VerdictRow.pair) == col(StudyPairRow.pair))
        .where(
            col(StudyPairRow.study_id) == study,
            col(VerdictRow.rubric) == rubric,
            col(VerdictRow.judge).in_(list(judges)),
        )
        .order_by(col(StudyPairRow.id), col(VerdictRow.name), col(VerdictRow.criterion))
    )
    return [
        Verdict(
            pair=pair,
            judge=judges[row.judge],
            criterion=row.criterion,
            value=cast(Any, row.value),
            score=row.score,
            basis=cast(Any, row.basis),
            reason=cast(Any, row.reason),
            rubric=rubric,
            a_pass=row.a_pass,
            b_pass=row.b_pass,
        )
        for pair, row in tx.exec(query)
    ]
