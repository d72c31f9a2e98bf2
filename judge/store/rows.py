"""Writing many rows at once, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

T = TypeVar("T")
_CHUNK: Final = 500  # SQLite takes 32,766 parameters in one statement, older ones fewer


def chunks(items: Sequence[T], size: int = _CHUNK) -> Iterator[Sequence[T]]:
    """Cut a sequence into parts that fit one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _insert(tx: Session, table: type[SQLModel]) -> Any:
    make = sqlite.insert if tx.connection().dialect.name == "sqlite" else postgresql.insert
    return make(table)


def insert_new(tx: Session, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one whose key is already there is left as it is."""
    for some in chunks(rows):
        tx.connection().execute(_insert(tx, table).on_conflict_do_nothing(), [dict(row) for row in some])


def upsert(tx: Session, table: type[SQLModel], rows: Sequence[Mapping[str, Any]], key: Sequence[str] | None = None) -> None:
    """Insert rows; one whose key (default: the primary key) is there gets the new values."""
    if not rows:
        return
    names = list(key) if key else [column.name for column in inspect(table).primary_key]
    for some in chunks(rows):
        statement = _insert(tx, table)
        changed = {name: statement.excluded[name] for name in rows[0] if name not in names}
        action = (
            statement.on_conflict_do_update(index_elements=names, set_=changed)
            if changed
            else statement.on_conflict_do_nothing()
        )
        tx.connection().execute(action, [dict(row) for row in some])
