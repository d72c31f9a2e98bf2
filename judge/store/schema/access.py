"""Who did what: the append-only ledger.  An event is written once and never changed."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from judge.store.schema.types import UtcDateTime


class EventRow(SQLModel, table=True):
    """One entry of the ledger: an opening of the test set, an export of labels, a look at totals, an unblinding."""

    __tablename__ = "event"
    id: int | None = Field(default=None, primary_key=True)
    study: str = Field(index=True)
    kind: str
    who: str
    what: dict[str, Any] = Field(sa_type=sa.JSON)
    at: datetime = Field(sa_type=UtcDateTime)
