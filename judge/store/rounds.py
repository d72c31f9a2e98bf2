"""The owner's side of a round: sealing tasks, opening envelopes, counting.  Asked by the room `review`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from judge.store.access import names
from judge.store.rows import insert_new
from judge.store.schema.desk import LabelRow, QuotaRow, RoundRow, SeatRow, TaskRow
from judge.store.schema.study import RoundKeyRow, StudyPairRow, TaskKeyRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundState:
    """A round as its owner knows it."""

    token: str
    n: int
    open: bool
    rubric: str
    wanted: int
    planned: int
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """One task with its envelope, ready to be stored."""

    token: str
    seat: int
    item: str
    position: int
    prompt: Mapping[str, Any]
    left: str
    right: str
    words: int
    pair: str
    left_is: str  # a or b


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One label out of its envelope."""

    pair: str  # the study's pair id
    person: str
    left_is: str
    choice: str
    criteria: Mapping[str, Any]
    comment: str
    seconds: float | None
    revision: int
    flags: Sequence[str]
    rubric: str
    at: datetime


def put_round(tx: Session, study: tuple[int, str], round_: RoundState, page: Mapping[str, Any], seats: int) -> None:
    """Open a round of a study (id, name) with free seats."""
    tx.add(RoundRow(token=round_.token, study=study[1], page=dict(page), state="open", made_at=round_.made_at))
    tx.flush()
    tx.add(
        RoundKeyRow(
            round=round_.token,
            study_id=study[0],
            n=round_.n,
            rubric=round_.rubric,
            wanted=round_.wanted,
            planned=round_.planned,
        )
    )
    tx.flush()
    add_seats(tx, round_.token, range(seats))


def add_seats(tx: Session, round_: str, seats: Sequence[int]) -> None:
    """Put free seats to a round."""
    insert_new(tx, SeatRow, [{"round": round_, "n": n, "person": None} for n in seats])


def put_tasks(tx: Session, round_: str, tasks: Sequence[Sealed], wanted: int) -> None:
    """Seal tasks into a round, their envelopes apart, and give every new item its quota."""
    items = dict.fromkeys(task.item for task in tasks)
    insert_new(tx, QuotaRow, [{"item": item, "round": round_, "wanted": wanted, "taken": 0} for item in items])
    insert_new(
        tx,
        TaskRow,
        [
            {
                "token": task.token,
                "round": round_,
                "seat": task.seat,
                "item": task.item,
                "position": task.position,
                "kind": "real",
                "prompt": dict(task.prompt),
                "left": task.left,
                "right": task.right,
                "words": task.words,
                "state": "waiting",
                "lease": None,
            }
            for task in tasks
        ],
    )
    keys = [{"task": task.token, "round": round_, "pair": task.pair, "left": task.left_is} for task in tasks]
    insert_new(tx, TaskKeyRow, keys)


def rounds(tx: Session, study: int) -> list[RoundState]:
    """Give a study's rounds in the order in which they were opened."""
    query = (
        select(RoundKeyRow, RoundRow)
        .join(RoundRow, col(RoundRow.token) == col(RoundKeyRow.round))
        .where(col(RoundKeyRow.study_id) == study)
        .order_by(col(RoundKeyRow.n))
    )
    return [
        RoundState(
            token=row.token,
            n=key.n,
            open=row.state == "open",
            rubric=key.rubric,
            wanted=key.wanted,
            planned=key.planned,
            made_at=row.made_at,
        )
        for key, row in tx.exec(query)
    ]


def seats(tx: Session, round_: str) -> list[int]:
    """Give a round's seats."""
    return list(tx.exec(select(SeatRow.n).where(col(SeatRow.round) == round_).order_by(col(SeatRow.n))))


def items(tx: Session, round_: str) -> dict[str, str]:
    """Give a round's items: item -> pair digest."""
    query = (
        select(TaskRow.item, TaskKeyRow.pair)
        .join(TaskKeyRow, col(TaskKeyRow.task) == col(TaskRow.token))
        .where(col(TaskRow.round) == round_)
        .distinct()
    )
    return dict(tx.exec(query).all())


def deck(tx: Session, round_: str, seat: int) -> list[Sealed]:
    """Give a seat's tasks with their envelopes, in the order of the deck."""
    query = (
        select(TaskRow, TaskKeyRow)
        .join(TaskKeyRow, col(TaskKeyRow.task) == col(TaskRow.token))
        .where(col(TaskRow.round) == round_, col(TaskRow.seat) == seat)
        .order_by(col(TaskRow.position))
    )
    return [
        Sealed(
            token=task.token,
            seat=task.seat,
            item=task.item,
            position=task.position,
            prompt=task.prompt,
            left=task.left,
            right=task.right,
            words=task.words,
            pair=key.pair,
            left_is=key.left,
        )
        for task, key in tx.exec(query)
    ]


def set_planned(tx: Session, round_: str, planned: int) -> None:
    """Change how many labels a round is to give."""
    tx.get_one(RoundKeyRow, round_).planned = planned


def close_round(tx: Session, round_: str) -> None:
    """Close a round: no vote is taken any more."""
    tx.get_one(RoundRow, round_).state = "closed"


def counts(tx: Session, round_: str) -> dict[str, int]:
    """Count each person's pairs with a label in a round; skipped ones and late ones are none."""
    return _count(tx, round_, lambda label: label.choice != "skip" and "late" not in label.flags)


def people(tx: Session, round_: str, study: str) -> dict[str, str]:
    """Give who sits in a round: id -> name."""
    known = names(tx, study)
    query = select(SeatRow.person).where(col(SeatRow.round) == round_, col(SeatRow.person).is_not(None))
    return {str(person): known.get(str(person), str(person)) for person in tx.exec(query)}


def _count(tx: Session, round_: str, counted: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for label in _last_revisions(tx, round_):
        if counted(label):
            found[label.person] = found.get(label.person, 0) + 1
    return found


def _last_revisions(tx: Session, round_: str) -> list[LabelRow]:
    newest = (
        select(LabelRow.task, func.max(LabelRow.revision).label("revision"))
        .join(TaskRow, col(TaskRow.token) == col(LabelRow.task))
        .where(col(TaskRow.round) == round_)
        .group_by(col(LabelRow.task))
        .subquery()
    )
    query = select(LabelRow).join(newest, (newest.c.task == col(LabelRow.task)) & (newest.c.revision == col(LabelRow.revision)))
    return list(tx.exec(query))


def open_envelopes(tx: Session, study: int, rounds_: Sequence[str]) -> list[Opened]:
    """Join labels with their envelopes, all revisions.  The only place where left and right become a and b."""
    query = (
        select(StudyPairRow, LabelRow, TaskKeyRow, RoundKeyRow)
        .join(TaskKeyRow, col(TaskKeyRow.task) == col(LabelRow.task))
        .join(TaskRow, col(TaskRow.token) == col(LabelRow.task))
        .join(RoundKeyRow, col(RoundKeyRow.round) == col(TaskRow.round))
        .join(StudyPairRow, (col(StudyPairRow.pair) == col(TaskKeyRow.pair)) & (col(StudyPairRow.study_id) == study))
        .where(col(TaskRow.round).in_(list(rounds_)), col(RoundKeyRow.study_id) == study)
        .order_by(col(StudyPairRow.id), col(LabelRow.person), col(LabelRow.revision))
    )
    return [
        Opened(
            pair=pair.id,
            person=label.person,
            left_is=key.left,
            choice=label.choice,
            criteria=label.criteria,
            comment=label.comment,
            seconds=label.seconds,
            revision=label.revision,
            flags=label.flags,
            rubric=round_.rubric,
            at=label.at,
        )
        for pair, label, key, round_ in tx.exec(query)
    ]
