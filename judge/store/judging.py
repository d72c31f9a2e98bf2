"""Asks, readings and verdicts.  Asked by the room `workflow` on behalf of `judging`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import bindparam, func, update
from sqlmodel import Session, col, select

from judge.domain import Reading, Verdict
from judge.ids import digest
from judge.store.content import from_content, to_content
from judge.store.rows import chunks, insert_new, table, upsert
from judge.store.schema.study import AskRow, CallRow, ReadingRow, StudyPairRow, VerdictRow

_ASK: Final = table(AskRow)
_NOTED: Final = update(_ASK).where(_ASK.c.id == bindparam("cell")).values(call=bindparam("asked_by"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One ask: digests of pair and judge, what was asked by, criterion, order, repeat; the call that answers it.

    rubric: its digest; for an example with checks of its own a name that begins with it, see `Opened.asked_by`.
    """

    pair: str
    judge: str
    rubric: str
    criterion: str
    order: str
    repeat: int
    call: str | None = None

    @property
    def id(self) -> int:
        """Number the cell by 63 bits of its digest, so that nothing has to be looked up to write about it."""
        # One string is hashed in half the time of a list; only a criterion may hold a space.
        content = f"{self.pair} {self.judge} {self.rubric} {self.criterion} {self.order} {self.repeat}"
        return int(digest("ask", content)[:16], 16) >> 1


def plan_asks(tx: Session, cells: Iterable[Cell]) -> None:
    """Write the plan down.  A cell that is there keeps the call it was asked by."""
    insert_new(tx, AskRow, map(_row, cells))


def note_calls(tx: Session, cells: Iterable[Cell]) -> None:
    """Note the calls by which planned cells are asked."""
    rows = [{"cell": cell.id, "asked_by": cell.call} for cell in cells]
    if rows:
        tx.connection().execute(_NOTED, rows)


def put_asks(tx: Session, cells: Iterable[Cell]) -> None:
    """Write cells down with the calls they are answered by now."""
    upsert(tx, AskRow, map(_row, cells))


@dataclass(frozen=True, slots=True)
class AskedCall:
    """That a judge was asked about a pair; call: as it was asked first, should it have been asked anew."""

    pair: str  # its id in the study
    judge: str
    repeat: int
    call: str


def asked_calls(tx: Session, study: int, rubric: str, judges: Mapping[str, str]) -> Iterator[AskedCall]:
    """Give each call by which these judges were asked about the study's pairs: judges digest -> name.

    Whatever checks of their own the examples had then: all of it was paid.
    """
    query = (
        select(StudyPairRow.id, AskRow.judge, AskRow.repeat, CallRow.first)
        .join(AskRow, col(AskRow.pair) == col(StudyPairRow.pair))
        .join(CallRow, col(CallRow.digest) == col(AskRow.call))
        .where(col(StudyPairRow.study_id) == study, col(AskRow.judge).in_(list(judges)))
        .where(col(AskRow.rubric).startswith(rubric))
        .distinct()
    )
    for pair, judge, repeat, first in tx.exec(query):
        yield AskedCall(pair, judges[judge], repeat, first)


def _row(cell: Cell) -> dict[str, Any]:
    return {
        "id": cell.id,
        "pair": cell.pair,
        "judge": cell.judge,
        "rubric": cell.rubric,
        "criterion": cell.criterion,
        "shown": cell.order,
        "repeat": cell.repeat,
        "call": cell.call,
    }


def put_readings(tx: Session, read: Sequence[tuple[Cell, Reading, str]], *, replaced: bool = True) -> None:
    """Keep what a parser made of the answers to cells: (cell, reading, parser).  An earlier reading is replaced, or kept."""
    (upsert if replaced else insert_new)(
        tx,
        ReadingRow,
        (
            {"ask": cell.id, "parser": parser, "value": r.value, "reason": r.reason, "content": to_content(r)}
            for cell, r, parser in read
        ),
    )


def read_by(
    tx: Session, study: int, rubrics: Mapping[str, str], judges: Mapping[str, str], parser: str
) -> set[tuple[str, str]]:
    """Give (judge, call) of answers about pairs that a parser of this name read.

    rubrics: pair's id in the study -> what it is asked by.  judges: digest -> name.
    """
    query = (
        select(StudyPairRow.id, AskRow.judge, AskRow.call, AskRow.rubric)
        .join(AskRow, col(AskRow.pair) == col(StudyPairRow.pair))
        .join(ReadingRow, col(ReadingRow.ask) == col(AskRow.id))
        .where(col(StudyPairRow.study_id) == study, col(AskRow.judge).in_(list(judges)))
        .where(col(ReadingRow.parser) == parser)
        .distinct()
    )
    return {(judges[judge], call or "") for pair, judge, call, rubric in tx.exec(query) if rubrics.get(pair) == rubric}


def readings(tx: Session, study: int, rubrics: Mapping[str, str], judges: Mapping[str, str]) -> list[Reading]:
    """Give readings about pairs.

    rubrics: pair's id in the study -> what it is asked by.  judges: digest -> name.  Readings carry these ids and names.
    """
    found: list[Reading] = []
    for said_by, name in sorted(judges.items(), key=lambda item: item[1]):
        for ids in chunks(rubrics):
            query = (
                select(StudyPairRow.id, AskRow.rubric, ReadingRow.content)
                .join(AskRow, col(AskRow.pair) == col(StudyPairRow.pair))
                .join(ReadingRow, col(ReadingRow.ask) == col(AskRow.id))
                .where(col(StudyPairRow.study_id) == study, col(StudyPairRow.id).in_(ids))
                # Not by the index of judges: it would read all that a judge was ever asked for these few pairs.
                .where(func.coalesce(col(AskRow.judge), "") == said_by)
                .where(func.coalesce(col(AskRow.rubric), "").in_({rubrics[id_] for id_ in ids}))
                .order_by(col(StudyPairRow.id), col(AskRow.criterion), col(AskRow.shown), col(AskRow.repeat))
            )
            found += [
                from_content(Reading, content, pair=pair, judge=name)
                for pair, rubric, content in tx.exec(query)
                if rubric == rubrics[pair]
            ]
    return found


def put_verdicts(
    tx: Session,
    rubrics: Mapping[str, str],
    judges: Mapping[str, str],
    verdicts: Iterable[Verdict],
    pairs: Mapping[str, str],
    now: datetime,
) -> None:
    """Keep verdicts: rubrics pair's id -> what it is asked by, judges name -> digest, pairs id -> digest.

    What these judges said before of the same is replaced, but for when it was first said.
    """
    upsert(
        tx,
        VerdictRow,
        (
            {
                "pair": pairs[v.pair],
                "judge": judges[v.judge],
                "rubric": rubrics[v.pair],
                "criterion": v.criterion,
                "name": v.judge,
                "value": v.value,
                "score": v.score,
                "basis": v.basis,
                "reason": v.reason,
                "a_pass": v.a_pass,
                "b_pass": v.b_pass,
                "first_at": now,
            }
            for v in verdicts
        ),
        kept=("first_at",),
    )


def verdicts(tx: Session, study: int, rubrics: Mapping[str, str], judges: Mapping[str, str]) -> list[Verdict]:
    """Give the kept verdicts about pairs: rubrics pair's id in the study -> what it is asked by, judges digest -> name."""
    query = (
        select(StudyPairRow.id, VerdictRow)
        .join(VerdictRow, col(VerdictRow.pair) == col(StudyPairRow.pair))
        .where(col(StudyPairRow.study_id) == study, col(VerdictRow.judge).in_(list(judges)))
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
            rubric=row.rubric,
            a_pass=row.a_pass,
            b_pass=row.b_pass,
        )
        for pair, row in tx.exec(query)
        if rubrics.get(pair) == row.rubric
    ]
