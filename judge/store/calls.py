"""The journal of calls: intents before sending, raw answers before they count.  Asked by the room `calls`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from judge.store.rows import chunks, insert_new, upsert
from judge.store.schema.study import AttemptRow, CallRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A call that is about to be made."""

    digest: str
    repeat: int
    request: Mapping[str, Any]
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call: the raw answer and what it took."""

    digest: str
    raw: str | None
    usage: Mapping[str, Any]
    cost_usd: float | None = None
    request_id: str | None = None
    error_class: str | None = None


def answered(tx: Session, digests: Sequence[str]) -> dict[str, Outcome]:
    """Find the outcomes of those calls that are answered."""
    found: dict[str, Outcome] = {}
    for some in chunks(digests):
        query = (
            select(AttemptRow)
            .join(CallRow, col(CallRow.digest) == col(AttemptRow.call))
            .where(col(CallRow.state) == "answered", col(AttemptRow.status) == "answered", col(CallRow.digest).in_(some))
        )
        for row in tx.exec(query):
            found[row.call] = Outcome(
                digest=row.call,
                raw=row.raw,
                usage=row.usage,
                cost_usd=row.cost_usd,
                request_id=row.request_id,
                error_class=row.error_class,
            )
    return found


def intend(tx: Session, intents: Sequence[Intent], now: datetime) -> None:
    """Write down the calls that are about to be made; those already written stay as they are."""
    insert_new(
        tx,
        CallRow,
        [
            {
                "digest": i.digest,
                "repeat": i.repeat,
                "request": dict(i.request),
                "tag": i.tag,
                "state": "open",
                "made_at": now,
            }
            for i in intents
        ],
    )


def record(tx: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write down what came back, and close the calls."""
    upsert(
        tx,
        AttemptRow,
        [
            {
                "call": o.digest,
                "n": 1,
                "status": "answered",
                "raw": o.raw,
                "usage": dict(o.usage),
                "cost_usd": o.cost_usd,
                "request_id": o.request_id,
                "error_class": o.error_class,
                "at": now,
            }
            for o in outcomes
        ],
    )
    for some in chunks([o.digest for o in outcomes]):
        for row in tx.exec(select(CallRow).where(col(CallRow.digest).in_(some))):
            row.state = "answered"


def raw_answers(tx: Session, digests: Sequence[str]) -> dict[str, str | None]:
    """Give the raw text of calls, for reading it again or showing it."""
    return {digest: outcome.raw for digest, outcome in answered(tx, digests).items()}


def spent_usd(tx: Session, digests: Sequence[str]) -> float:
    """Add up what these calls cost."""
    return sum(outcome.cost_usd or 0.0 for outcome in answered(tx, digests).values())
