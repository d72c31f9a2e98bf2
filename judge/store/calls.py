"""The journal of calls: intents before sending, raw answers before they count.  Asked by the room `calls`.

Statements are plain Core over many rows: a call costs what its row costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlmodel import Session

from judge.store.rows import chunks, insert_new, table, upsert
from judge.store.schema.study import AttemptRow, CallRow

CALL: Final = table(CallRow)
ATTEMPT: Final = table(AttemptRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A call that is planned: its content is on disk before anything is spent."""

    digest: str
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
    found: dict[str, Outcome] = {}
    for some in chunks(digests):
        query = select(ATTEMPT).where(ATTEMPT.c.status == "answered", ATTEMPT.c.call.in_(some)).order_by(ATTEMPT.c.n)
        for row in tx.connection().execute(query):
            found[row.call] = Outcome(
                call=row.call, n=row.n, raw=row.raw, usage=row.usage, cost_usd=row.cost_usd, request_id=row.request_id
            )
    return found


def intend(tx: Session, intents: Sequence[Intent], now: datetime) -> None:
    """Write planned calls down; those already written stay as they are."""
    rows: list[dict[str, Any]] = [
        {"digest": i.digest, "repeat": i.repeat, "request": dict(i.request), "tag": i.tag, "state": "open", "made_at": now}
        for i in intents
    ]
    insert_new(tx, CallRow, rows)


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
    """Note that tries go out now; give the calls of those that another process sent already, which are left as they are.

    What is only `sent` when the process dies may have been paid: it counts at its worst until it is known better.
    """
    there: set[tuple[str, int]] = set()
    for some in chunks([one.call for one in sent]):
        query = select(ATTEMPT.c.call, ATTEMPT.c.n).where(ATTEMPT.c.call.in_(some))
        there |= {(row.call, row.n) for row in tx.connection().execute(query)}
    rows: list[dict[str, Any]] = [
        {"call": s.call, "n": s.n, "status": "sent", "raw": None, "usage": {}, "cost_usd": s.worst_usd or None, "at": now}
        for s in sent
        if (s.call, s.n) not in there
    ]
    if rows:
        tx.connection().execute(ATTEMPT.insert(), rows)
    return frozenset(one.call for one in sent if (one.call, one.n) in there)


def record(tx: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write down what came of tries, and close the calls that were answered."""
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
    closed = [{"call_digest": o.call} for o in outcomes if o.error_class is None]
    if closed:
        tx.connection().execute(update(CALL).where(CALL.c.digest == bindparam("call_digest")).values(state="answered"), closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a call, as it is kept: `status` sent, answered or failed; raw: the body of the answer, if one came."""

    call: str
    n: int
    status: str
    error_class: str | None
    raw: str | None


def attempts(tx: Session, digests: Sequence[str]) -> list[Attempt]:
    """Give every try at these calls, in the order of the digests and of the tries."""
    found: dict[str, list[Attempt]] = {digest: [] for digest in digests}
    for some in chunks(digests):
        for row in tx.connection().execute(select(ATTEMPT).where(ATTEMPT.c.call.in_(some)).order_by(ATTEMPT.c.n)):
            kept = Attempt(call=row.call, n=row.n, status=row.status, error_class=row.error_class, raw=row.raw)
            found[row.call].append(kept)
    return [one for tries in found.values() for one in tries]


def possibly_paid(tx: Session, digests: Sequence[str]) -> int:
    """Count tries that may have been paid although no answer reached the disk: it was lost, or the process was killed."""
    lost = or_(ATTEMPT.c.status == "sent", and_(ATTEMPT.c.status == "failed", ATTEMPT.c.raw.is_(None), ATTEMPT.c.cost_usd > 0))
    count = 0
    for some in chunks(digests):
        query = select(func.count()).select_from(ATTEMPT).where(lost, ATTEMPT.c.call.in_(some))
        count += int(tx.connection().execute(query).scalar_one())
    return count


def spent_usd(tx: Session, digests: Sequence[str]) -> float:
    """Add up what tries at these calls cost, those that may have been paid at their worst."""
    total = 0.0
    for some in chunks(digests):
        query = select(func.sum(ATTEMPT.c.cost_usd)).where(ATTEMPT.c.call.in_(some))
        total += float(tx.connection().execute(query).scalar() or 0.0)
    return total
