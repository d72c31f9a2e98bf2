"""People, what they may do, the tokens that prove it, and the append-only ledger of who did what."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from judge.store.schema.types import UtcDateTime


class PersonRow(SQLModel, table=True):
    """Somebody who came in by a link."""

    __tablename__ = "person"
    id: str = Field(primary_key=True)
    name: str
    made_at: datetime = Field(sa_type=UtcDateTime)


class MemberRow(SQLModel, table=True):
    """What a person may do in a study."""

    __tablename__ = "member"
    person: str = Field(foreign_key="person.id", primary_key=True)
    study: str = Field(primary_key=True)
    role: str = Field(primary_key=True)


class TokenRow(SQLModel, table=True):
    """A secret link or session, kept as its SHA-256 only."""

    __tablename__ = "token"
    digest: str = Field(primary_key=True)
    kind: str  # invite or session
    study: str = Field(index=True)
    role: str
    person: str | None = Field(default=None, foreign_key="person.id")
    uses: int | None = None  # left; None for sessions
    expires: datetime = Field(sa_type=UtcDateTime)
    revoked: bool = False
    made_at: datetime = Field(sa_type=UtcDateTime)


class EventRow(SQLModel, table=True):
    """One entry of the ledger: an opening of the test set, an export of labels, a look at totals, an unblinding."""

    __tablename__ = "event"
    id: int | None = Field(default=None, primary_key=True)
    study: str = Field(index=True)
    kind: str
    who: str
    what: dict[str, Any] = Field(sa_type=sa.JSON)
    at: datetime = Field(sa_type=UtcDateTime)
