"""The annotator's side: seats, decks, places, votes and drafts.  Asked by the room `desk`, which sees nothing else.

A vote waits for these statements, so they are few and written in SQLAlchemy Core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlmodel import Session, SQLModel

from judge.store.rows import upsert
from judge.store.schema.desk import DraftRow, LabelRow, QuotaRow, RoundRow, SeatRow, TaskRow

IN_HAND: Final = ("reopened", "held", "ahead")


def _table(row: type[SQLModel]) -> Any:
    return SQLModel.metadata.tables[str(row.__tablename__)]


ROUND, SEAT, QUOTA = _table(RoundRow), _table(SeatRow), _table(QuotaRow)
TASK, LABEL, DRAFT = _table(TaskRow), _table(LabelRow), _table(DraftRow)


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
    lease: datetime | None
    draft: Mapping[str, Any] | None = None


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
    query = select(ROUND).where(ROUND.c.study == study).order_by(ROUND.c.state.desc(), ROUND.c.made_at.desc()).limit(1)
    row = tx.connection().execute(query).first()
    return None if row is None else RoundRecord(token=row.token, page=row.page, open=row.state == "open")


def seat_of(tx: Session, round_: str, person: str) -> int | None:
    """Find a person's seat in a round."""
    query = select(SEAT.c.n).where(SEAT.c.round == round_, SEAT.c.person == person)
    found: int | None = tx.connection().execute(query).scalar()
    return found


def task_of(tx: Session, study: str, person: str, token: str) -> tuple[RoundRecord, TaskRecord] | None:
    """Find a task with its round, if it lies in this person's deck of this study."""
    query = (
        select(TASK, ROUND.c.page, ROUND.c.state.label("round_state"))
        .join(ROUND, ROUND.c.token == TASK.c.round)
        .join(SEAT, (SEAT.c.round == TASK.c.round) & (SEAT.c.n == TASK.c.seat))
        .where(TASK.c.token == token, ROUND.c.study == study, SEAT.c.person == person)
    )
    row = tx.connection().execute(query).first()
    if row is None:
        return None
    return RoundRecord(token=row.round, page=row.page, open=row.round_state == "open"), _record(row)


def take_seat(tx: Session, round_: str, person: str) -> int | None:
    """Give a person the first free seat; None when all are taken."""
    while True:
        query = select(func.min(SEAT.c.n)).where(SEAT.c.round == round_, SEAT.c.person.is_(None))
        free: int | None = tx.connection().execute(query).scalar()
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
    query = (
        select(TASK, DRAFT.c.answers)
        .join(QUOTA, QUOTA.c.item == TASK.c.item)
        .outerjoin(DRAFT, DRAFT.c.task == TASK.c.token)
        .where(TASK.c.round == round_, TASK.c.seat == seat, TASK.c.state == "waiting", QUOTA.c.taken < QUOTA.c.wanted)
        .order_by(TASK.c.position)
        .limit(1)
    )
    while True:
        found = tx.connection().execute(query).first()
        if found is None:
            return None
        if hold(tx, found.token, found.item, state, lease):
            return replace(_record(found, found.answers), state=state, lease=lease)


def hold(tx: Session, task: str, item: str, state: str, lease: datetime) -> bool:
    """Take a place for a waiting task and put it in hand; False when its item has none left or it waits no longer.

    A server that was killed may leave a commit on its way to PostgreSQL: what was read before may be old by now.
    """
    if not take_place(tx, item):
        return False
    waits = (TASK.c.token == task, TASK.c.state == "waiting")
    if tx.connection().execute(update(TASK).where(*waits).values(state=state, lease=lease)).rowcount:
        return True
    leave_place(tx, item)
    return False


def set_state(tx: Session, task: str, state: str, lease: datetime | None = None) -> None:
    """Move a task to another state."""
    tx.connection().execute(update(TASK).where(TASK.c.token == task).values(state=state, lease=lease))


def find_task(tx: Session, token: str) -> TaskRecord | None:
    """Find a task by its token."""
    query = select(TASK, DRAFT.c.answers).outerjoin(DRAFT, DRAFT.c.task == TASK.c.token).where(TASK.c.token == token)
    row = tx.connection().execute(query).first()
    return None if row is None else _record(row, row.answers)


def in_hand(tx: Session, round_: str, seat: int) -> list[TaskRecord]:
    """Give what a seat has before it: reopened ones first, then held, then ahead; with their drafts."""
    query = (
        select(TASK, DRAFT.c.answers)
        .outerjoin(DRAFT, DRAFT.c.task == TASK.c.token)
        .where(TASK.c.round == round_, TASK.c.seat == seat, TASK.c.state.in_(IN_HAND))
        .order_by(TASK.c.position)
    )
    rows = [_record(row, row.answers) for row in tx.connection().execute(query)]
    return sorted(rows, key=lambda task: IN_HAND.index(task.state))


def _record(row: Any, draft: Mapping[str, Any] | None = None) -> TaskRecord:
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
        lease=row.lease,
        draft=draft,
    )


def last_label(tx: Session, task: str) -> LabelRecord | None:
    """Give the last revision of what was said about a task."""
    query = select(LABEL).where(LABEL.c.task == task).order_by(LABEL.c.revision.desc()).limit(1)
    row = tx.connection().execute(query).first()
    if row is None:
        return None
    return LabelRecord(
        task=row.task, revision=row.revision, choice=row.choice, criteria=row.criteria, comment=row.comment, flags=row.flags
    )


def label_by_client(tx: Session, client_id: str) -> tuple[str, str] | None:
    """Find a vote by the browser's id for it: (task, person)."""
    query = select(LABEL.c.task, LABEL.c.person).where(LABEL.c.client_id == client_id)
    row = tx.connection().execute(query).first()
    return None if row is None else (row.task, row.person)


def put_label(tx: Session, label: Mapping[str, Any]) -> None:
    """Add a revision."""
    tx.connection().execute(LABEL.insert(), [dict(label)])


def last_voted(tx: Session, round_: str, person: str, among: int) -> str | None:
    """Find the task that a person voted on last and has not taken back, among the last so many."""
    newest = func.max(LABEL.c.id)
    query = (
        select(LABEL.c.task, TASK.c.state)
        .join(TASK, TASK.c.token == LABEL.c.task)
        .where(TASK.c.round == round_, LABEL.c.person == person)
        .group_by(LABEL.c.task, TASK.c.state)
        .order_by(newest.desc())
        .limit(among)
    )
    found = tx.connection().execute(query).all()
    return next((row.task for row in found if row.state != "reopened"), None)


def put_draft(tx: Session, task: str, answers: Mapping[str, Any], now: datetime) -> None:
    """Keep what is chosen so far."""
    upsert(tx, DraftRow, [{"task": task, "answers": dict(answers), "at": now}])


def drop_draft(tx: Session, task: str) -> None:
    """Forget a draft: it became a vote."""
    tx.connection().execute(DRAFT.delete().where(DRAFT.c.task == task))


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
