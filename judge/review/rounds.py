"""A round's life on the owner's side: draw and seal, extend, count, close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from judge.domain import Pair, Rubric
from judge.errors import StateError
from judge.ids import keyed_token
from judge.review.sealing import deal, task_token
from judge.store import review as sample_store
from judge.store import rounds as store
from judge.store.rounds import RoundState, Sealed
from judge.text import length

if TYPE_CHECKING:
    from judge.store.database import Transaction

TITLE: Final = "Which answer is better?"  # the same for every study: a title can betray an arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The study whose pairs people judge: all that sealing needs of it."""

    id: int
    name: str
    secret: str
    pairs: Mapping[str, Pair]  # by digest
    rubric: Rubric | None
    rubric_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What a round came to hold."""

    round: str
    items: int
    tasks: int


def open_round(
    tx: Transaction, subject: Subject, now: datetime, *, n: int, wanted: int, seats: int, mirrored: bool = False
) -> Drawn:
    """Draw the next n pairs of the stored order, seal them into every seat's deck, and open the round.

    Raises StateError while another round is open, when no pair is left, or when the order was not drawn.
    """
    if wanted not in (1, 2, 3):
        raise StateError(f"{wanted} labels an item are not possible", hint="1, 2 or 3")
    before = store.rounds(tx, subject.id)
    if any(round_.open for round_ in before):
        raise StateError("a round is open already", hint="extend it, or close it first: judge review close")
    pairs = _next_pairs(tx, subject, n)
    number = len(before) + 1
    token = keyed_token(subject.secret, "round", str(number))
    state = RoundState(
        token=token,
        n=number,
        open=True,
        rubric=subject.rubric_digest,
        wanted=wanted,
        planned=wanted * len(pairs),
        made_at=now,
    )
    store.put_round(tx, (subject.id, subject.name), state, page_of(subject.rubric), seats)
    tasks = _seal(subject, token, pairs, range(seats), first=0, mirrored=mirrored)
    store.put_tasks(tx, token, tasks, wanted)
    return Drawn(round=token, items=len(pairs), tasks=len(tasks))


def extend(tx: Transaction, subject: Subject, *, n: int = 0, seats: int = 0) -> Drawn:
    """Add the next n pairs, or seats, to the open round.  Raises StateError without an open round."""
    round_ = open_one(tx, subject.id)
    there = store.items(tx, round_.token)
    if seats:
        known = store.seats(tx, round_.token)
        added = range(len(known), len(known) + seats)
        store.add_seats(tx, round_.token, added)
        store.put_tasks(tx, round_.token, _deal_again(tx, subject, round_.token, added), round_.wanted)
    tasks: list[Sealed] = []
    pairs = _next_pairs(tx, subject, n) if n else []
    if pairs:
        tasks = _seal(subject, round_.token, pairs, store.seats(tx, round_.token), first=len(there))
        store.put_tasks(tx, round_.token, tasks, round_.wanted)
        store.set_planned(tx, round_.token, round_.planned + round_.wanted * len(pairs))
    return Drawn(round=round_.token, items=len(there) + len(pairs), tasks=len(tasks))


def open_one(tx: Transaction, study: int) -> RoundState:
    """Find the open round.  Raises StateError without one."""
    for round_ in store.rounds(tx, study):
        if round_.open:
            return round_
    raise StateError("no round is open", hint="open one: judge review sample")


def close(tx: Transaction, study: int, *, incomplete: bool, looked: bool) -> tuple[int, int]:
    """Close the open round; give its labels and how many are missing.

    incomplete: close although labels are missing.  looked: totals were seen while it was open; only without a look do
    the labels that are there then count as all that were planned.  Raises StateError when labels are missing otherwise.
    """
    round_ = open_one(tx, study)
    labels = sum(store.counts(tx, round_.token).values())
    missing = max(0, round_.planned - labels)
    if missing and not incomplete:
        raise StateError(
            f"{missing} of {round_.planned} planned labels are missing", hint="wait for them, or close with --incomplete"
        )
    store.close_round(tx, round_.token)
    if missing and not looked:
        store.set_planned(tx, round_.token, labels)
    return labels, missing


def page_of(rubric: Rubric | None) -> dict[str, Any]:
    """Write what a round's page says around the pairs."""
    if rubric is None:
        return {"title": TITLE, "task": "", "overall": TITLE, "criteria": [], "people": None, "all_criteria": False}
    questions = [{"id": one.id, "question": one.question, "check": one.check} for one in rubric.criteria]
    return {
        "title": TITLE,
        "task": rubric.task,
        "overall": rubric.overall,
        "criteria": questions,
        "people": rubric.people,
        "all_criteria": False,
    }


def _next_pairs(tx: Transaction, subject: Subject, n: int) -> list[tuple[str, str]]:
    """Give the next n pairs of the stored order that no round holds: (place in the order, pair digest)."""
    sealed = {pair for round_ in store.rounds(tx, subject.id) for pair in store.items(tx, round_.token).values()}
    order = sample_store.sampled(tx, subject.id)
    free = [(str(place), pair) for place, (pair, _, _) in enumerate(order) if pair in subject.pairs and pair not in sealed]
    if not free:
        raise StateError("every pair is in a round already", hint="there is nothing left to draw")
    return free[:n]


def _deal_again(tx: Transaction, subject: Subject, round_: str, seats: Sequence[int]) -> list[Sealed]:
    """Deal what a round holds into further decks: the texts as they were sealed, the sides in turn with the seats there."""
    first = {task.item.rpartition("-")[2]: task for task in store.deck(tx, round_, 0)}
    base = {place: int(task.left_is == "b") for place, task in first.items()}
    sealed = []
    for task in deal(sorted(first, key=int), seats, subject.secret, salt=round_, base=base):
        known = first[task.item]
        left, right = (known.left, known.right) if task.left == known.left_is else (known.right, known.left)
        token = task_token(subject.secret, round_, task.seat, task.item)
        sealed.append(
            replace(known, token=token, seat=task.seat, position=task.position, left=left, right=right, left_is=task.left)
        )
    return sealed


def _seal(
    subject: Subject,
    round_: str,
    pairs: Sequence[tuple[str, str]],
    seats: Sequence[int],
    *,
    first: int,
    mirrored: bool = False,
) -> list[Sealed]:
    """Deal pairs into decks and put their texts on their sides; names are places in the order, which tell nothing."""
    digests = dict(pairs)
    dealt = deal([place for place, _ in pairs], seats, subject.secret, salt=round_, mirrored=mirrored)
    sealed = []
    for task in dealt:
        pair = subject.pairs[digests[task.item]]
        left, right = (pair.text_a, pair.text_b) if task.left == "a" else (pair.text_b, pair.text_a)
        sealed.append(
            Sealed(
                token=task_token(subject.secret, round_, task.seat, task.item),
                seat=task.seat,
                item=f"{round_}-{task.item}",
                position=first + task.position,
                prompt=_prompt(pair, subject.rubric),
                left=left,
                right=right,
                words=length(left).words + length(right).words,
                pair=digests[task.item],
                left_is=task.left,
            )
        )
    return sealed


def _prompt(pair: Pair, rubric: Rubric | None) -> dict[str, Any]:
    messages = [{"role": turn.role, "content": turn.content} for turn in pair.example.messages]
    shown = rubric is None or rubric.show_reference
    return {"messages": messages, "reference": pair.example.reference if shown else None}
