"""One database object per process: SQLite by default, PostgreSQL by URL.  Transactions are all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from judge.errors import StoreError
from judge.store.write_queue import WriteQueue

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlmodel import Session

    Transaction: TypeAlias = Session

T = TypeVar("T")


class Database:
    """The workspace's database.  See `judge.store.opening` for how it is opened; close it at the end."""

    def __init__(self, engine: Engine, url: str) -> None:
        self.url = url
        self._reader = engine.execution_options(write=False)
        self._writer = engine.execution_options(write=True)
        self._queue = WriteQueue(self)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that only reads: one consistent view."""
        yield from self._transaction(self._reader)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open a transaction that may write; it commits at the end and leaves nothing behind after an exception."""
        yield from self._transaction(self._writer)

    def _transaction(self, engine: Engine) -> Iterator[Transaction]:
        from sqlalchemy.exc import DatabaseError, DataError, OperationalError
        from sqlmodel import Session

        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except OperationalError as error:
            raise StoreError(f"the database failed: {error.orig}", at=self.url, hint=_remedy(error)) from error
        except DataError as error:  # PostgreSQL keeps no NUL in a text, SQLite does
            hint = "take it out of the texts, or use SQLite, which keeps every character"
            raise StoreError(f"the database cannot keep this: {error.orig}", at=self.url, hint=hint) from error
        except DatabaseError as error:
            if not _is_damage(error.orig):
                raise  # a statement of ours is wrong
            raise StoreError(f"the database is damaged: {error.orig}", at=self.url, hint="restore a copy") from error

    def submit(self, work: Callable[..., T], *args: Any) -> Future[T]:
        """Have `work(tx, *args)` done on the one writer thread; the future is done when its commit is on disk.

        Works that wait together share one commit; one that raises leaves nothing of its own and harms no other.
        """
        return self._queue.submit(work, *args)

    def close(self) -> None:
        """Finish what was submitted and give the connections back."""
        self._queue.close()
        self._reader.dispose()


def sqlite_version() -> str:
    """Name the SQLite library that this Python carries."""
    import sqlite3

    return sqlite3.sqlite_version


def _is_damage(cause: BaseException | None) -> bool:
    import sqlite3

    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # further bits say where
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _remedy(error: Exception) -> str:
    text = str(error).lower()
    if "locked" in text:
        return "another process is writing; try again when it has finished"
    if "readonly" in text or "read-only" in text:
        return "make it writable, or choose another place with --db"
    if "full" in text:
        return "make room on the disk; nothing was half written"
    return "check the address and that the server runs"
