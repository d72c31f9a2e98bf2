"""Claiming and voting.  Each function is one transaction: what it answers is on disk or did not happen.

A place in an item's quota is taken when a task is put before a person, and kept by the vote.  A lease that ends gives it
back, the draft stays; a vote that comes after that takes a place again if there is one, and is else kept and marked late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from judge.desk.answers import answers_from, answers_to, check, check_parts
from judge.desk.types import Answers, Desk, Page, Progress, Question, Task, Vote, Voted
from judge.domain import Message
from judge.errors import GoneError, StateError
from judge.store import desk as store

if TYPE_CHECKING:
    from judge.store.database import Transaction

HELD: Final = timedelta(minutes=30)
AHEAD: Final = timedelta(minutes=5)  # short: what is only in the page must not block the last items
UNDO: Final = 10
_LEASES: Final = {"held": HELD, "ahead": AHEAD}
_VOTED: Final = ("done", "late", "skipped")


def open_desk(tx: Transaction, study: str, person: str, now: datetime) -> Desk | None:
    """Give a person their desk, with a pair at hand and the next one; None when the study has no round."""
    round_ = store.newest_round(tx, study)
    if round_ is None:
        return None
    page = page_from(round_.page)
    empty = Progress(done=0, left=0, words_left=0)
    seat = store.seat_of(tx, round_.token, person)
    if not round_.open:
        done = empty if seat is None else _progress(tx, round_.token, seat)
        return Desk(page=page, state="closed", current=None, upcoming=None, progress=done)
    seat = store.take_seat(tx, round_.token, person) if seat is None else seat
    if seat is None:
        return Desk(page=page, state="full", current=None, upcoming=None, progress=empty)
    hand = _hand(tx, round_.token, seat, now)
    tasks = [_task(tx, record) for record in hand[:2]]
    progress = _progress(tx, round_.token, seat)
    return Desk(
        page=page,
        state="open",
        current=tasks[0] if tasks else None,
        upcoming=tasks[1] if len(tasks) > 1 else None,
        progress=progress,
        undoable=_undoable(hand, progress),
    )


def vote(tx: Transaction, study: str, person: str, given: Vote, now: datetime) -> Voted:
    """Keep a vote exactly once, and bring what comes after the pair that the page shows now.

    Raises GoneError for a task that is not this person's, StateError for a closed round or an answer that cannot be.
    """
    round_, task = _mine(tx, study, person, given.task)
    page = page_from(round_.page)
    known = store.label_by_client(tx, given.client_id)
    if known is not None and known != (task.token, person):
        raise StateError("this vote's id belongs to another vote", hint="reload the page")
    if known is None:
        if not round_.open:
            raise StateError("the round is closed; this vote was not counted", hint="reload the page")
        check(given.answers, page)
        late = _keep(tx, task, person, given, now)
    else:
        late = _is_late(store.last_label(tx, task.token))
    lost, upcoming, hand = _following(tx, round_, task, given.next, now)
    progress = _progress(tx, round_.token, task.seat)
    return Voted(
        page=page,
        late=late,
        repeated=known is not None,
        upcoming=upcoming,
        lost=lost,
        progress=progress,
        undoable=_undoable(hand, progress),
    )


def save_draft(tx: Transaction, study: str, person: str, task: str, answers: Answers, now: datetime) -> None:
    """Keep what is chosen so far on a task; of a closed round nothing.

    Raises GoneError for a task that is not this person's, StateError for an answer that cannot be, or after the vote: a
    draft that comes late would stand in the vote's place when it is taken back.
    """
    round_, mine = _mine(tx, study, person, task)
    if not round_.open:
        return
    if mine.state in _VOTED:
        raise StateError("this pair has your vote already", hint="take it back to change it")
    check_parts(answers, page_from(round_.page))
    store.put_draft(tx, mine.token, answers_to(answers), now)
    _renew(tx, store.in_hand(tx, mine.round, mine.seat), now)


def take_back(tx: Transaction, study: str, person: str, now: datetime) -> Task:
    """Put the last vote before the person again, with its answers; again, the one before it, up to ten.

    Raises StateError when there is none.
    """
    round_ = store.newest_round(tx, study)
    seat = None if round_ is None else store.seat_of(tx, round_.token, person)
    if round_ is None or seat is None or not round_.open:
        raise StateError("there is nothing to take back")
    token = store.last_voted(tx, round_.token, person, UNDO)
    if token is None:
        raise StateError("there is nothing to take back")
    store.set_state(tx, token, "reopened")
    _renew(tx, store.in_hand(tx, round_.token, seat), now)
    found = store.find_task(tx, token)
    assert found is not None
    return _task(tx, found)


def _mine(tx: Transaction, study: str, person: str, token: str) -> tuple[store.RoundRecord, store.TaskRecord]:
    """Find a task of this person's; anybody else's looks the same as one that never was."""
    found = store.task_of(tx, study, person, token)
    if found is not None and not found[0].open:
        newest = store.newest_round(tx, study)
        found = found if newest is not None and newest.token == found[0].token else None
    if found is None:
        raise GoneError("there is no such task", hint="reload the page")
    return found


def _keep(tx: Transaction, task: store.TaskRecord, person: str, given: Vote, now: datetime) -> bool:
    """Add the vote as a revision, settle the place in the quota; say whether it came too late for one."""
    # What is held or ahead, or waits, was never voted on.
    before = store.last_label(tx, task.token) if task.state in (*_VOTED, "reopened") else None
    has_place = _has_place(task, before)
    skipped = given.answers.choice == "skip"
    late = False
    if skipped and has_place:
        store.leave_place(tx, task.item)
    elif not skipped and not has_place:
        late = not store.take_place(tx, task.item)
    store.put_label(
        tx,
        {
            "task": task.token,
            "revision": 1 if before is None else before.revision + 1,
            "person": person,
            "choice": given.answers.choice,
            "criteria": dict(given.answers.criteria),
            "comment": given.answers.comment,
            "seconds": given.seconds,
            "flags": ["late"] if late else [],
            "client_id": given.client_id,
            "at": now,
        },
    )
    store.drop_draft(tx, task.token)
    store.set_state(tx, task.token, "skipped" if skipped else "late" if late else "done")
    return late


def _has_place(task: store.TaskRecord, before: store.LabelRecord | None) -> bool:
    if before is None:
        return task.state in ("held", "ahead")
    return before.choice != "skip" and not _is_late(before)


def _is_late(label: store.LabelRecord | None) -> bool:
    return label is not None and "late" in label.flags


def _following(
    tx: Transaction, round_: store.RoundRecord, task: store.TaskRecord, shown: str | None, now: datetime
) -> tuple[bool, Task | None, Sequence[store.TaskRecord]]:
    """Hold the pair that the page shows now; say whether it is lost, and give the one to put behind (or in place of) it."""
    if not round_.open:
        return shown is not None, None, ()
    lost = _show(tx, task, shown, now)
    there = None if lost else shown
    hand = _hand(tx, round_.token, task.seat, now)
    behind = next((one for one in hand[:2] if one.token != there), None)
    return lost, None if behind is None else _task(tx, behind), hand


def _show(tx: Transaction, task: store.TaskRecord, shown: str | None, now: datetime) -> bool:
    """Hold the place of the pair that the page shows now; True when it was given away meanwhile."""
    if shown is None or shown == task.token:
        return False
    following = store.find_task(tx, shown)
    if following is None or (following.round, following.seat) != (task.round, task.seat):
        return True
    if following.state in ("held", "ahead"):
        store.set_state(tx, shown, "held", now + HELD)
        return False
    if following.state == "waiting" and store.hold(tx, shown, following.item, "held", now + HELD):
        return False
    return following.state != "reopened"


def _hand(tx: Transaction, round_: str, seat: int, now: datetime) -> list[store.TaskRecord]:
    """Give what a seat has before it, the pair at hand first, claiming so much that there is a next one."""
    hand = store.in_hand(tx, round_, seat)
    _renew(tx, hand, now)  # who asks is there: own leases do not end now
    if len(hand) < 2:
        store.give_back_expired(tx, round_, now)
    while len(hand) < 2:
        claimed = store.claim(tx, round_, seat, "ahead", now + AHEAD)
        if claimed is None:
            break
        hand.append(claimed)
    if hand and hand[0].state == "ahead":
        store.set_state(tx, hand[0].token, "held", now + HELD)
    return hand


def _renew(tx: Transaction, hand: Sequence[store.TaskRecord], now: datetime) -> None:
    """Move on the leases that are half over; who votes every minute then writes none."""
    for task in hand:
        length = _LEASES.get(task.state)
        if length is not None and (task.lease is None or task.lease < now + length / 2):
            store.set_state(tx, task.token, task.state, now + length)


def _task(tx: Transaction, record: store.TaskRecord) -> Task:
    before = store.last_label(tx, record.token) if record.state == "reopened" else None
    if record.draft is not None:
        answers = answers_from(record.draft)
    elif before is not None:
        answers = answers_from({"choice": before.choice, "criteria": before.criteria, "comment": before.comment})
    else:
        answers = Answers()
    return Task(
        token=record.token,
        messages=tuple(Message(role=turn["role"], content=turn["content"]) for turn in record.prompt["messages"]),
        reference=record.prompt.get("reference"),
        left=record.left,
        right=record.right,
        answers=answers,
        revision=1 if before is None else before.revision + 1,
    )


def _progress(tx: Transaction, round_: str, seat: int) -> Progress:
    done, left, words = store.progress(tx, round_, seat)
    return Progress(done=done, left=left, words_left=words)


def _undoable(hand: Sequence[store.TaskRecord], progress: Progress) -> int:
    """Count the votes that can be taken back: the last ten, less those that are before the person again."""
    return max(0, min(UNDO - sum(task.state == "reopened" for task in hand), progress.done))


def page_from(content: Mapping[str, Any]) -> Page:
    """Make a page of what was sealed with the round."""
    criteria = tuple(Question(**question) for question in content["criteria"])
    return Page(**{**content, "criteria": criteria})
