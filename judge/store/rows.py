"""Statements that are composed once, and writing many rows at once; the same on SQLite and PostgreSQL.

Composing a statement takes longer than running it: what a request waits for is a constant whose values come later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import BindParameter, Executable, bindparam, inspect
from sqlmodel import Session, SQLModel

T = TypeVar("T")
_CHUNK: Final = 500  # SQLite takes 32,766 parameters in one statement, older ones fewer


def table(row: type[SQLModel]) -> Any:
    """Give the table of a row's type, for statements in SQLAlchemy Core."""
    return SQLModel.metadata.tables[str(row.__tablename__)]


def param(name: str) -> BindParameter[Any]:
    """Stand for a value that `run` brings; its name is apart from the columns' names, which an update keeps for itself."""
    return bindparam(f"p_{name}")


def run(tx: Session, statement: Executable, **values: Any) -> Any:
    """Run a statement with the values of its params; give its result."""
    return tx.connection().execute(statement, {f"p_{name}": value for name, value in values.items()})


def changed(tx: Session, statement: Executable, **values: Any) -> int:
    """Make a change; count the rows that it met."""
    return int(run(tx, statement, **values).rowcount)


def chunks(items: Iterable[T], size: int = _CHUNK) -> Iterator[list[T]]:
    """Cut items into parts that fit one statement; no more than a part is held."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def _insert(tx: Session, table: type[SQLModel]) -> Any:
    if tx.connection().dialect.name == "postgresql":  # each dialect is loaded where it is spoken
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def insert_new(tx: Session, table: type[SQLModel], rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows; one whose key is already there is left as it is."""
    for some in chunks(rows):
        tx.connection().execute(_insert(tx, table).on_conflict_do_nothing(), some)


def upsert(
    tx: Session,
    table: type[SQLModel],
    rows: Iterable[Mapping[str, Any]],
    key: Sequence[str] | None = None,
    kept: Collection[str] = (),
) -> None:
    """Insert rows; one whose key (default: the primary key) is there gets the new values, but for those that are kept."""
    names = list(key) if key else [column.name for column in inspect(table).primary_key]
    for some in chunks(rows):
        statement = _insert(tx, table)
        new = {name: statement.excluded[name] for name in some[0] if name not in names and name not in kept}
        action = statement.on_conflict_do_update(index_elements=names, set_=new) if new else statement.on_conflict_do_nothing()
        tx.connection().execute(action, some)
