"""What is sealed for annotators: rounds, seats, decks of tasks, and what people said in left and right.

No table here refers to anything outside this file, and no column says which text is whose.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from judge.store.schema.types import UtcDateTime


class RoundRow(SQLModel, table=True):
    """One opening of the review; `page` is what its page says around the pairs."""

    __tablename__ = "round"
    token: str = Field(primary_key=True)
    study: str = Field(index=True)
    page: dict[str, Any] = Field(sa_type=sa.JSON)
    state: str  # open or closed
    made_at: datetime = Field(sa_type=UtcDateTime)


class SeatRow(SQLModel, table=True):
    """A place at the table with a deck of its own; a person takes a free one and keeps it."""

    __tablename__ = "seat"
    round: str = Field(foreign_key="round.token", primary_key=True)
    n: int = Field(primary_key=True)
    person: str | None = Field(default=None, index=True)


class QuotaRow(SQLModel, table=True):
    """How many labels an item is to get, and how many are given or being given."""

    __tablename__ = "quota"
    item: str = Field(primary_key=True)
    round: str = Field(foreign_key="round.token", index=True)
    wanted: int
    taken: int = 0


class TaskRow(SQLModel, table=True):
    """One pair in one seat's deck, with its texts on their sides."""

    __tablename__ = "task"
    __table_args__ = (sa.Index("ix_task_deck", "round", "seat", "state", "position"),)
    token: str = Field(primary_key=True)
    round: str = Field(foreign_key="round.token")
    seat: int
    item: str = Field(index=True)
    position: int
    kind: str
    prompt: dict[str, Any] = Field(sa_type=sa.JSON)
    left: str
    right: str
    words: int
    state: str = "waiting"  # waiting, held, ahead (in the page, not yet shown), reopened, done, late, skipped
    lease: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LabelRow(SQLModel, table=True):
    """What a person said about a task; changed by adding a revision, never by writing over."""

    __tablename__ = "label"
    __table_args__ = (sa.UniqueConstraint("task", "revision"),)
    id: int | None = Field(default=None, primary_key=True)  # the order in which votes came in
    task: str = Field(foreign_key="task.token")
    revision: int
    person: str = Field(index=True)
    choice: str
    criteria: dict[str, Any] = Field(sa_type=sa.JSON)
    comment: str
    seconds: float | None = None
    flags: list[str] = Field(sa_type=sa.JSON)
    client_id: str = Field(unique=True)
    at: datetime = Field(sa_type=UtcDateTime)


class DraftRow(SQLModel, table=True):
    """What a person has chosen so far on a task without voting."""

    __tablename__ = "draft"
    task: str = Field(foreign_key="task.token", primary_key=True)
    answers: dict[str, Any] = Field(sa_type=sa.JSON)
    at: datetime = Field(sa_type=UtcDateTime)
