"""The append-only ledger.  Asked by the room `access`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from judge.store.schema.access import EventRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the ledger."""

    study: str
    kind: str
    who: str
    what: Mapping[str, Any]
    at: datetime


def append(tx: Session, event: Event) -> None:
    """Write an event down for ever."""
    tx.add(EventRow(study=event.study, kind=event.kind, who=event.who, what=dict(event.what), at=event.at))


def events(tx: Session, study: str, kind: str | None = None) -> list[Event]:
    """Give a study's events in the order in which they happened, perhaps of one kind only."""
    query = select(EventRow).where(col(EventRow.study) == study).order_by(col(EventRow.id))
    if kind is not None:
        query = query.where(col(EventRow.kind) == kind)
    return [Event(study=row.study, kind=row.kind, who=row.who, what=row.what, at=row.at) for row in tx.exec(query)]
