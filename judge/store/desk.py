"""The annotator's side: seats, decks, places, votes and drafts.  Asked by the room `desk`, which sees nothing else.

A vote waits for these statements, so they are few, written in SQLAlchemy Core, and composed once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlmodel import Session

from judge.store.rows import changed, param, run, table, upsert
from judge.store.schema.desk import DraftRow, LabelRow, QuotaRow, RoundRow, SeatRow, TaskRow

IN_HAND: Final = ("reopened", "held", "ahead")


ROUND, SEAT, QUOTA = table(RoundRow), table(SeatRow), table(QuotaRow)
TASK, LABEL, DRAFT = table(TaskRow), table(LabelRow), table(DraftRow)


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


_NEWEST_ROUND = (
    select(ROUND).where(ROUND.c.study == param("study")).order_by(ROUND.c.state.desc(), ROUND.c.made_at.desc()).limit(1)
)


def newest_round(tx: Session, study: str) -> RoundRecord | None:
    """Find the study's open round, else its last one."""
    row = run(tx, _NEWEST_ROUND, study=study).first()
    return None if row is None else RoundRecord(token=row.token, page=row.page, open=row.state == "open")


_SEAT_OF = select(SEAT.c.n).where(SEAT.c.round == param("round"), SEAT.c.person == param("person"))


def seat_of(tx: Session, round_: str, person: str) -> int | None:
    """Find a person's seat in a round."""
    found: int | None = run(tx, _SEAT_OF, round=round_, person=person).scalar()
    return found


_TASK_OF = (
    select(TASK, ROUND.c.page, ROUND.c.state.label("round_state"))
    .join(ROUND, ROUND.c.token == TASK.c.round)
    .join(SEAT, (SEAT.c.round == TASK.c.round) & (SEAT.c.n == TASK.c.seat))
    .where(TASK.c.token == param("task"), ROUND.c.study == param("study"), SEAT.c.person == param("person"))
)


def task_of(tx: Session, study: str, person: str, token: str) -> tuple[RoundRecord, TaskRecord] | None:
    """Find a task with its round, if it lies in this person's deck of this study."""
    row = run(tx, _TASK_OF, study=study, person=person, task=token).first()
    if row is None:
        return None
    return RoundRecord(token=row.round, page=row.page, open=row.round_state == "open"), _record(row)


_FREE_SEAT = select(func.min(SEAT.c.n)).where(SEAT.c.round == param("round"), SEAT.c.person.is_(None))
_SIT_DOWN = (
    update(SEAT)
    .where(SEAT.c.round == param("round"), SEAT.c.n == param("seat"), SEAT.c.person.is_(None))
    .values(person=param("person"))
)


def take_seat(tx: Session, round_: str, person: str) -> int | None:
    """Give a person the first free seat; None when all are taken."""
    while True:
        free: int | None = run(tx, _FREE_SEAT, round=round_).scalar()
        if free is None:
            return None
        if changed(tx, _SIT_DOWN, round=round_, seat=free, person=person):
            return int(free)


_LEASED = TASK.c.state.in_(("held", "ahead"))
_EXPIRED = select(TASK.c.token, TASK.c.item).where(TASK.c.round == param("round"), _LEASED, TASK.c.lease < param("now"))
_GIVE_BACK = update(TASK).where(TASK.c.token == param("task"), _LEASED).values(state="waiting", lease=None)


def give_back_expired(tx: Session, round_: str, now: datetime) -> None:
    """Give the places of expired leases back; drafts stay."""
    for token, item in run(tx, _EXPIRED, round=round_, now=now).all():
        if changed(tx, _GIVE_BACK, task=token):
            leave_place(tx, item)


_ROOM = QUOTA.c.taken < QUOTA.c.wanted
_TAKE_PLACE = update(QUOTA).where(QUOTA.c.item == param("item"), _ROOM).values(taken=QUOTA.c.taken + 1)
_LEAVE_PLACE = update(QUOTA).where(QUOTA.c.item == param("item"), QUOTA.c.taken > 0).values(taken=QUOTA.c.taken - 1)


def take_place(tx: Session, item: str) -> bool:
    """Take one of an item's places; False when it has none left."""
    return bool(changed(tx, _TAKE_PLACE, item=item))


def leave_place(tx: Session, item: str) -> None:
    """Give one of an item's places back."""
    run(tx, _LEAVE_PLACE, item=item)


_WITH_DRAFT = select(TASK, DRAFT.c.answers).outerjoin(DRAFT, DRAFT.c.task == TASK.c.token)
_OF_SEAT = (TASK.c.round == param("round"), TASK.c.seat == param("seat"))
_CLAIMABLE = (
    _WITH_DRAFT.join(QUOTA, QUOTA.c.item == TASK.c.item)
    .where(*_OF_SEAT, TASK.c.state == "waiting", _ROOM)
    .order_by(TASK.c.position)
    .limit(1)
)


def claim(tx: Session, round_: str, seat: int, state: str, lease: datetime) -> TaskRecord | None:
    """Take the first waiting task of a deck whose item has room; None when there is none."""
    while True:
        found = run(tx, _CLAIMABLE, round=round_, seat=seat).first()
        if found is None:
            return None
        if hold(tx, found.token, found.item, state, lease):
            return replace(_record(found, found.answers), state=state, lease=lease)


_SET_STATE = update(TASK).where(TASK.c.token == param("task")).values(state=param("state"), lease=param("lease"))
_HOLD = _SET_STATE.where(TASK.c.state == "waiting")


def hold(tx: Session, task: str, item: str, state: str, lease: datetime) -> bool:
    """Take a place for a waiting task and put it in hand; False when its item has none left or it waits no longer.

    A server that was killed may leave a commit on its way to PostgreSQL: what was read before may be old by now.
    """
    if not take_place(tx, item):
        return False
    if changed(tx, _HOLD, task=task, state=state, lease=lease):
        return True
    leave_place(tx, item)
    return False


def set_state(tx: Session, task: str, state: str, lease: datetime | None = None) -> None:
    """Move a task to another state."""
    run(tx, _SET_STATE, task=task, state=state, lease=lease)


_FIND_TASK = _WITH_DRAFT.where(TASK.c.token == param("task"))


def find_task(tx: Session, token: str) -> TaskRecord | None:
    """Find a task by its token."""
    row = run(tx, _FIND_TASK, task=token).first()
    return None if row is None else _record(row, row.answers)


_IN_HAND = _WITH_DRAFT.where(*_OF_SEAT, TASK.c.state.in_(IN_HAND)).order_by(TASK.c.position)


def in_hand(tx: Session, round_: str, seat: int) -> list[TaskRecord]:
    """Give what a seat has before it: reopened ones first, then held, then ahead; with their drafts."""
    rows = [_record(row, row.answers) for row in run(tx, _IN_HAND, round=round_, seat=seat)]
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


_LAST_LABEL = select(LABEL).where(LABEL.c.task == param("task")).order_by(LABEL.c.revision.desc()).limit(1)


def last_label(tx: Session, task: str) -> LabelRecord | None:
    """Give the last revision of what was said about a task."""
    row = run(tx, _LAST_LABEL, task=task).first()
    if row is None:
        return None
    return LabelRecord(
        task=row.task, revision=row.revision, choice=row.choice, criteria=row.criteria, comment=row.comment, flags=row.flags
    )


_BY_CLIENT = select(LABEL.c.task, LABEL.c.person).where(LABEL.c.client_id == param("client"))


def label_by_client(tx: Session, client_id: str) -> tuple[str, str] | None:
    """Find a vote by the browser's id for it: (task, person)."""
    row = run(tx, _BY_CLIENT, client=client_id).first()
    return None if row is None else (row.task, row.person)


_PUT_LABEL = LABEL.insert()


def put_label(tx: Session, label: Mapping[str, Any]) -> None:
    """Add a revision."""
    tx.connection().execute(_PUT_LABEL, [dict(label)])


_LAST_VOTED = (
    select(LABEL.c.task, TASK.c.state)
    .join(TASK, TASK.c.token == LABEL.c.task)
    .where(TASK.c.round == param("round"), LABEL.c.person == param("person"))
    .group_by(LABEL.c.task, TASK.c.state)
    .order_by(func.max(LABEL.c.id).desc())
    .limit(param("among"))
)


def last_voted(tx: Session, round_: str, person: str, among: int) -> str | None:
    """Find the task that a person voted on last and has not taken back, among the last so many."""
    found = run(tx, _LAST_VOTED, round=round_, person=person, among=among).all()
    return next((row.task for row in found if row.state != "reopened"), None)


def put_draft(tx: Session, task: str, answers: Mapping[str, Any], now: datetime) -> None:
    """Keep what is chosen so far."""
    upsert(tx, DraftRow, [{"task": task, "answers": dict(answers), "at": now}])


_DROP_DRAFT = DRAFT.delete().where(DRAFT.c.task == param("task"))


def drop_draft(tx: Session, task: str) -> None:
    """Forget a draft: it became a vote."""
    run(tx, _DROP_DRAFT, task=task)


_PROGRESS = (
    select(TASK.c.state, _ROOM, func.count(), func.sum(TASK.c.words))
    .join(QUOTA, QUOTA.c.item == TASK.c.item)
    .where(*_OF_SEAT)
    .group_by(TASK.c.state, _ROOM)
)


def progress(tx: Session, round_: str, seat: int) -> tuple[int, int, int]:
    """Count a seat's votes, the tasks still to come for it, and the words in those.

    A waiting task is to come while its item has room; what is in hand is to come in any case.
    """
    done = left = words = 0
    for state, room, count, length in run(tx, _PROGRESS, round=round_, seat=seat):
        if state in ("done", "late", "skipped"):
            done += count
        elif state in IN_HAND or room:
            left, words = left + count, words + int(length or 0)
    return done, left, words
