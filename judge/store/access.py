"""People, tokens and the append-only ledger.  Asked by the room `access`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select as sa_select
from sqlalchemy import update
from sqlmodel import Session, col, select

from judge.store.rows import changed, insert_new, param, run, table
from judge.store.schema.access import EventRow, MemberRow, PersonRow, TokenRow

TOKEN, PERSON = table(TokenRow), table(PersonRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the ledger."""

    study: str
    kind: str
    who: str
    what: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """A link or a session, without its secret."""

    digest: str
    kind: str
    study: str
    role: str
    person: str | None
    uses: int | None
    expires: datetime
    revoked: bool


def append(tx: Session, event: Event) -> None:
    """Write an event down for ever."""
    tx.add(EventRow(study=event.study, kind=event.kind, who=event.who, what=dict(event.what), at=event.at))
    tx.flush()


def events(tx: Session, study: str, kind: str | None = None) -> list[Event]:
    """Give a study's events in the order in which they happened, perhaps of one kind only."""
    query = select(EventRow).where(col(EventRow.study) == study).order_by(col(EventRow.id))
    if kind is not None:
        query = query.where(col(EventRow.kind) == kind)
    return [Event(study=row.study, kind=row.kind, who=row.who, what=row.what, at=row.at) for row in tx.exec(query)]


def put_token(tx: Session, token: TokenRecord, now: datetime) -> None:
    """Keep a new link or session."""
    tx.add(
        TokenRow(
            digest=token.digest,
            kind=token.kind,
            study=token.study,
            role=token.role,
            person=token.person,
            uses=token.uses,
            expires=token.expires,
            revoked=token.revoked,
            made_at=now,
        )
    )
    tx.flush()


def find_token(tx: Session, digest: str) -> TokenRecord | None:
    """Find a link or session by its digest."""
    row = tx.get(TokenRow, digest)
    if row is None:
        return None
    return _record(row)


_SESSION_OF = (
    sa_select(TOKEN, PERSON.c.name.label("called"))
    .join(PERSON, PERSON.c.id == TOKEN.c.person)
    .where(TOKEN.c.digest == param("digest"), TOKEN.c.kind == "session")
)


def session_of(tx: Session, digest: str) -> tuple[TokenRecord, str] | None:
    """Find a session by its digest, with its person's name; asked at every request."""
    row = run(tx, _SESSION_OF, digest=digest).first()
    if row is None:
        return None
    return _record(row), row.called


def _record(row: Any) -> TokenRecord:
    return TokenRecord(
        digest=row.digest,
        kind=row.kind,
        study=row.study,
        role=row.role,
        person=row.person,
        uses=row.uses,
        expires=row.expires,
        revoked=row.revoked,
    )


def use_invite(tx: Session, digest: str, now: datetime) -> bool:
    """Use an invitation once; False when it is used up, revoked or over."""
    valid = (
        TOKEN.c.digest == digest,
        TOKEN.c.kind == "invite",
        TOKEN.c.uses > 0,
        TOKEN.c.revoked.is_(False),
        TOKEN.c.expires > now,
    )
    return bool(changed(tx, update(TOKEN).where(*valid).values(uses=TOKEN.c.uses - 1)))


def revoke(tx: Session, digest: str) -> None:
    """End a link or session."""
    run(tx, update(TOKEN).where(TOKEN.c.digest == digest).values(revoked=True))


def put_person(tx: Session, person: str, name: str, now: datetime) -> None:
    """Keep somebody who came in."""
    tx.add(PersonRow(id=person, name=name, made_at=now))
    tx.flush()


def put_member(tx: Session, person: str, study: str, role: str) -> None:
    """Let a person do something in a study."""
    insert_new(tx, MemberRow, [{"person": person, "study": study, "role": role}])


def roles_of(tx: Session, person: str, study: str) -> set[str]:
    """Give what a person may do in a study."""
    query = select(MemberRow.role).where(col(MemberRow.person) == person, col(MemberRow.study) == study)
    return set(tx.exec(query))


def names(tx: Session, study: str) -> dict[str, str]:
    """Give the people of a study: id -> name."""
    query = select(PersonRow.id, PersonRow.name).join(MemberRow, col(MemberRow.person) == col(PersonRow.id))
    return dict(tx.exec(query.where(col(MemberRow.study) == study)).all())
