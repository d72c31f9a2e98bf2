"""The annotator's side: seats, decks, places, votes and drafts.  Asked by the room `desk`, which sees nothing else.

Hot statements are written in SQLAlchemy Core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, update
from sqlmodel import Session, SQLModel, col, select

from judge.store.rows import upsert
from judge.store.schema.desk import DraftRow, LabelRow, QuotaRow, RoundRow, SeatRow, TaskRow

IN_HAND: Final = ("reopened", "held", "ahead")


def _table(row: type[SQLModel]) -> Any:
    return SQLModel.metadata.tables[str(row.__tablename__)]


TASK, QUOTA, SEAT = _table(TaskRow), _table(QuotaRow), _table(SeatRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRecord:
    """A round as the annotator's side knows it."""

    token: str
    page: Mapping[str, Any]
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """One task of a deck."""

    token: str
    round: str
    seat: int
    item: str
    position: int
    prompt: Mapping[str, Any]
    left: str
    right: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRecord:
    """What was said about a task, last revision."""

    task: str
    revision: int
    choice: str
    criteria: Mapping[str, Any]
    comment: str
    flags: Sequence[str]


def newest_round(tx: Session, study: str) -> RoundRecord | None:
    """Find the study's open round, else its last one."""
    query = (
        select(RoundRow).where(col(RoundRow.study) == study).order_by(col(RoundRow.state).desc(), col(RoundRow.made_at).desc())
    )
    row = tx.exec(query).first()
    return None if row is None else RoundRecord(token=row.token, page=row.page, open=row.state == "open")


def seat_of(tx: Session, round_: str, person: str) -> int | None:
    """Find a person's seat in a round."""
    query = select(SeatRow.n).where(col(SeatRow.round) == round_, col(SeatRow.person) == person)
    return tx.exec(query).first()


def take_seat(tx: Session, round_: str, person: str) -> int | None:
    """Give a person the first free seat; None when all are taken."""
    while True:
        query = select(func.min(SeatRow.n)).where(col(SeatRow.round) == round_, col(SeatRow.person).is_(None))
        free: int | None = tx.exec(query).one()
        if free is None:
            return None
        place = (SEAT.c.round == round_, SEAT.c.n == free, SEAT.c.person.is_(None))
        if tx.connection().execute(update(SEAT).where(*place).values(person=person)).rowcount:
            return int(free)


def give_back_expired(tx: Session, round_: str, now: datetime) -> None:
    """Give the places of expired leases back; drafts stay."""
    expired = (TASK.c.round == round_, TASK.c.state.in_(("held", "ahead")), TASK.c.lease < now)
    found = tx.connection().execute(select(TASK.c.token, TASK.c.item).where(*expired)).all()
    for token, item in found:
        freed = (
            update(TASK).where(TASK.c.token == token, TASK.c.state.in_(("held", "ahead"))).values(state="waiting", lease=None)
        )
        if tx.connection().execute(freed).rowcount:
            leave_place(tx, item)


def take_place(tx: Session, item: str) -> bool:
    """Take one of an item's places; False when it has none left."""
    room = (QUOTA.c.item == item, QUOTA.c.taken < QUOTA.c.wanted)
    return bool(tx.connection().execute(update(QUOTA).where(*room).values(taken=QUOTA.c.taken + 1)).rowcount)


def leave_place(tx: Session, item: str) -> None:
    """Give one of an item's places back."""
    tx.connection().execute(update(QUOTA).where(QUOTA.c.item == item, QUOTA.c.taken > 0).values(taken=QUOTA.c.taken - 1))


def claim(tx: Session, round_: str, seat: int, state: str, lease: datetime) -> TaskRecord | None:
    """Take the first waiting task of a deck whose item has room; None when there is none."""
    while True:
        query = (
            select(TASK.c.token, TASK.c.item)
            .join(QUOTA, QUOTA.c.item == TASK.c.item)
            .where(TASK.c.round == round_, TASK.c.seat == seat, TASK.c.state == "waiting", QUOTA.c.taken < QUOTA.c.wanted)
            .order_by(TASK.c.position)
            .limit(1)
        )
        found = tx.connection().execute(query).first()
        if found is None:
            return None
        if take_place(tx, found.item):
            set_state(tx, found.token, state, lease)
            return find_task(tx, found.token)


def set_state(tx: Session, task: str, state: str, lease: datetime | None = None) -> None:
    """Move a task to another state."""
    tx.connection().execute(update(TASK).where(TASK.c.token == task).values(state=state, lease=lease))


def renew(tx: Session, round_: str, seat: int, leases: Mapping[str, datetime]) -> None:
    """Move the leases of a seat's tasks on, by state."""
    for state, lease in leases.items():
        mine = (TASK.c.round == round_, TASK.c.seat == seat, TASK.c.state == state)
        tx.connection().execute(update(TASK).where(*mine).values(lease=lease))


def find_task(tx: Session, token: str) -> TaskRecord | None:
    """Find a task by its token."""
    row = tx.connection().execute(select(TASK).where(TASK.c.token == token)).first()
    return None if row is None else _record(row)


def in_hand(tx: Session, round_: str, seat: int) -> list[TaskRecord]:
    """Give what a seat has before it: reopened ones first (the last reopened at the top), then held, then ahead."""
    mine = (TASK.c.round == round_, TASK.c.seat == seat, TASK.c.state.in_(IN_HAND))
    rows = [_record(row) for row in tx.connection().execute(select(TASK).where(*mine).order_by(TASK.c.position))]
    return sorted(rows, key=lambda task: IN_HAND.index(task.state))


def _record(row: Any) -> TaskRecord:
    return TaskRecord(
        token=row.token,
        round=row.round,
        seat=row.seat,
        item=row.item,
        position=row.position,
        prompt=row.prompt,
        left=row.left,
        right=row.right,
        state=row.state,
    )


def last_label(tx: Session, task: str) -> LabelRecord | None:
    """Give the last revision of what was said about a task."""
    query = select(LabelRow).where(col(LabelRow.task) == task).order_by(col(LabelRow.revision).desc())
    row = tx.exec(query).first()
    if row is None:
        return None
    return LabelRecord(
        task=row.task, revision=row.revision, choice=row.choice, criteria=row.criteria, comment=row.comment, flags=row.flags
    )


def label_by_client(tx: Session, client_id: str) -> tuple[str, str] | None:
    """Find a vote by the browser's id for it: (task, person)."""
    row = tx.exec(select(LabelRow.task, LabelRow.person).where(col(LabelRow.client_id) == client_id)).first()
    return None if row is None else (row[0], row[1])


def put_label(tx: Session, label: Mapping[str, Any]) -> None:
    """Add a revision."""
    tx.connection().execute(_table(LabelRow).insert().values(**label))


def voted_tasks(tx: Session, round_: str, person: str, limit: int) -> list[tuple[str, str]]:
    """Give the tasks a person voted on last, the newest first: (task, its state)."""
    newest = func.max(LabelRow.id)
    query = (
        select(LabelRow.task, TaskRow.state)
        .join(TaskRow, col(TaskRow.token) == col(LabelRow.task))
        .where(col(TaskRow.round) == round_, col(LabelRow.person) == person)
        .group_by(col(LabelRow.task), col(TaskRow.state))
        .order_by(newest.desc())
        .limit(limit)
    )
    return [(task, state) for task, state in tx.exec(query)]


def put_draft(tx: Session, task: str, answers: Mapping[str, Any], now: datetime) -> None:
    """Keep what is chosen so far."""
    upsert(tx, DraftRow, [{"task": task, "answers": dict(answers), "at": now}])


def drop_draft(tx: Session, task: str) -> None:
    """Forget a draft: it became a vote."""
    table = _table(DraftRow)
    tx.connection().execute(table.delete().where(table.c.task == task))


def draft_of(tx: Session, task: str) -> Mapping[str, Any] | None:
    """Give what was chosen so far."""
    row = tx.get(DraftRow, task)
    return None if row is None else row.answers


def progress(tx: Session, round_: str, seat: int) -> tuple[int, int, int]:
    """Count a seat's votes, the tasks still to come for it, and the words in those.

    A waiting task is to come while its item has room; what is in hand is to come in any case.
    """
    query = (
        select(TASK.c.state, QUOTA.c.taken < QUOTA.c.wanted, func.count(), func.sum(TASK.c.words))
        .join(QUOTA, QUOTA.c.item == TASK.c.item)
        .where(TASK.c.round == round_, TASK.c.seat == seat)
        .group_by(TASK.c.state, QUOTA.c.taken < QUOTA.c.wanted)
    )
    done = left = words = 0
    for state, room, count, length in tx.connection().execute(query):
        if state in ("done", "late", "skipped"):
            done += count
        elif state in IN_HAND or room:
            left, words = left + count, words + int(length or 0)
    return done, left, words
