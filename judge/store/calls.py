"""The journal of calls: intents before sending, raw answers before they count.  Asked by the room `calls`.

Statements are plain Core over many rows: a call costs what its row costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, false, func, not_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from judge.store.rows import chunks, insert_new, table, upsert
from judge.store.schema.study import AttemptRow, CallRow

CALL: Final = table(CallRow)
ATTEMPT: Final = table(AttemptRow)
CUT: Final = "cut"  # the class of a try whose answer was cut and for which more room was to be had


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A call that is planned: its content is on disk before anything is spent.

    first: the call whose answer could not be read, when this one is asked for that reason; else the call itself.
    """

    digest: str
    first: str
    repeat: int
    request: Mapping[str, Any]
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A try that goes out, and what it may cost at most."""

    call: str
    n: int
    worst_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one try: the raw answer, or the class of its failure, and what it took."""

    call: str
    n: int
    raw: str | None
    usage: Mapping[str, Any]
    cost_usd: float | None = None
    request_id: str | None = None
    error_class: str | None = None  # None: it was answered


def answered(tx: Session, digests: Sequence[str]) -> dict[str, Outcome]:
    """Find the answers of those calls that have one; the last one counts."""
    return _last(tx, ATTEMPT.c.status == "answered", digests)


def cut(tx: Session, digests: Sequence[str]) -> dict[str, Outcome]:
    """Find the answers that were cut for the first time, for which more room was to be had."""
    return _last(tx, ATTEMPT.c.error_class == CUT, digests)


def _last(tx: Session, wanted: ColumnElement[bool], digests: Sequence[str]) -> dict[str, Outcome]:
    """Find the last try of this kind at each of these calls."""
    found: dict[str, Outcome] = {}
    for some in chunks(digests):
        query = select(ATTEMPT).where(wanted, ATTEMPT.c.call.in_(some)).order_by(ATTEMPT.c.n)
        found |= {row.call: _outcome(row) for row in tx.connection().execute(query)}
    return found


def _outcome(row: Any) -> Outcome:
    return Outcome(
        call=row.call,
        n=row.n,
        raw=row.raw,
        usage=row.usage,
        cost_usd=row.cost_usd,
        request_id=row.request_id,
        error_class=row.error_class,
    )


def intend(tx: Session, intents: Sequence[Intent], now: datetime) -> None:
    """Write planned calls down; those already written stay as they are."""
    insert_new(
        tx,
        CallRow,
        (
            {
                "digest": i.digest,
                "first": i.first,
                "repeat": i.repeat,
                "request": dict(i.request),
                "tag": i.tag,
                "made_at": now,
            }
            for i in intents
        ),
    )


def tries(tx: Session, digests: Sequence[str]) -> dict[str, int]:
    """Count the tries that were ever made at calls."""
    found: dict[str, int] = {}
    for some in chunks(digests):
        query = (
            select(ATTEMPT.c.call, func.max(ATTEMPT.c.n).label("tries"))
            .where(ATTEMPT.c.call.in_(some))
            .group_by(ATTEMPT.c.call)
        )
        found |= {row.call: row.tries for row in tx.connection().execute(query)}
    return found


def send(tx: Session, sent: Sequence[Sent], now: datetime) -> frozenset[str]:
    """Note that tries go out now; or, when another process sent one of them already, note none and give their calls.

    What is only `sent` when the process dies may have been paid: it counts at its worst until it is known better.
    """
    rows: list[dict[str, Any]] = [
        {"call": s.call, "n": s.n, "status": "sent", "raw": None, "usage": {}, "cost_usd": s.worst_usd or None, "at": now}
        for s in sent
    ]
    if rows:
        try:
            with tx.begin_nested():
                tx.connection().execute(ATTEMPT.insert(), rows)
        except IntegrityError:
            return frozenset(one.call for one in sent)
    return frozenset()


def withdraw(tx: Session, tries: Sequence[tuple[str, int]]) -> None:
    """Take back that these tries (call, n) go out: they were never made."""
    gone = [{"of_call": call, "of_n": n} for call, n in tries]
    if gone:
        tx.connection().execute(
            delete(ATTEMPT).where(
                ATTEMPT.c.call == bindparam("of_call"), ATTEMPT.c.n == bindparam("of_n"), ATTEMPT.c.status == "sent"
            ),
            gone,
        )


def record(tx: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write down what came of tries."""
    rows = [
        {
            "call": o.call,
            "n": o.n,
            "status": "failed" if o.error_class else "answered",
            "raw": o.raw,
            "usage": dict(o.usage),
            "cost_usd": o.cost_usd,
            "request_id": o.request_id,
            "error_class": o.error_class,
            "at": now,
        }
        for o in outcomes
    ]
    upsert(tx, AttemptRow, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a call, as it is kept: `status` sent, answered or failed; raw: the body of the answer, if one came.

    said: the words of a failure.  again: how often the call had been asked before because no answer could be read.
    """

    again: int
    n: int
    status: str
    error_class: str | None
    raw: str | None
    said: str | None


def attempts(tx: Session, first: str) -> list[Attempt]:
    """Give every try at a call and at those that were asked after it because no answer could be read, in their order."""
    query = select(ATTEMPT, CALL.c.request).join(CALL, ATTEMPT.c.call == CALL.c.digest).where(CALL.c.first == first)
    found = [
        Attempt(
            again=row.request.get("reask", 0),
            n=row.n,
            status=row.status,
            error_class=row.error_class,
            raw=row.raw,
            said=row.usage.get("text"),
        )
        for row in tx.connection().execute(query)
    ]
    return sorted(found, key=lambda one: (one.again, one.n))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What tries cost: US dollars, those that may have been paid at their worst, and how many of these there are.

    on_the_wire: tries of a command that is running now, which are in neither.
    """

    usd: float = 0.0
    possibly_paid: int = 0
    on_the_wire: int = 0


def spent(tx: Session, firsts: Iterable[str], now_open_since: datetime | None = None) -> Spent:
    """Add up all tries at these calls, and at those that were asked after them because no answer could be read.

    A try may have been paid although no answer reached the disk: it was lost, or the process was killed.
    now_open_since: when a command began that is still running; what was sent since then is on the wire.
    """
    sent, failed = ATTEMPT.c.status == "sent", ATTEMPT.c.status == "failed"
    open_ = and_(sent, ATTEMPT.c.at >= now_open_since) if now_open_since else false()
    lost = or_(sent, and_(failed, ATTEMPT.c.raw.is_(None), ATTEMPT.c.cost_usd > 0))
    kinds = {"lost": and_(lost, not_(open_)), "open": open_}
    counts = [func.sum(case((kind, 1), else_=0)).label(name) for name, kind in kinds.items()]
    usd = func.sum(case((open_, 0), else_=ATTEMPT.c.cost_usd)).label("usd")
    found = Spent()
    for some in chunks(dict.fromkeys(firsts)):  # a call that two questions share was paid once
        query = select(usd, *counts).join(CALL, ATTEMPT.c.call == CALL.c.digest).where(CALL.c.first.in_(some))
        row = tx.connection().execute(query).one()
        found = Spent(
            usd=found.usd + float(row.usd or 0.0),
            possibly_paid=found.possibly_paid + int(row.lost or 0),
            on_the_wire=found.on_the_wire + int(row.open or 0),
        )
    return found
