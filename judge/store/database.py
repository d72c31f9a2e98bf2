"""One database object per process: SQLite by default, PostgreSQL by URL.  Transactions are all or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from judge.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlmodel import Session

    Transaction: TypeAlias = Session

_SQLITE_SETTINGS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # what was paid for or told to an annotator survives a power cut
    "busy_timeout=10000",
    "foreign_keys=ON",
)


class Database:
    """The workspace's database.  Open it with `Database.open`, use `read` and `write`, close it at the end."""

    def __init__(self, engine: Engine, url: str) -> None:
        self.url = url
        self._reader = engine.execution_options(write=False)
        self._writer = engine.execution_options(write=True)

    @classmethod
    def open(cls, place: str | Path, *, create: bool = True) -> Database:
        """Open the database at a file path or URL, bring its schema up to date, and give it back ready.

        Raises StoreError when it cannot be opened, is damaged, or was made by a newer version of this program.
        """
        from judge.store import migrate

        url = _url(place)
        if url.startswith("sqlite"):
            _prepare_file(Path(url.removeprefix("sqlite:///")), create)
        engine = _engine(url)
        try:
            migrate.bring_up_to_date(engine, url)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, url)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that only reads: one consistent view."""
        yield from self._transaction(self._reader)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open a transaction that may write; it commits at the end and leaves nothing behind after an exception."""
        yield from self._transaction(self._writer)

    def _transaction(self, engine: Engine) -> Iterator[Transaction]:
        from sqlalchemy.exc import OperationalError
        from sqlmodel import Session

        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except OperationalError as error:
            raise StoreError(f"the database failed: {error.orig}", at=self.url, hint=_remedy(error)) from error

    def close(self) -> None:
        """Give the connections back."""
        self._reader.dispose()


def sqlite_version() -> str:
    """Name the SQLite library that this Python carries."""
    import sqlite3

    return sqlite3.sqlite_version


def _url(place: str | Path) -> str:
    text = str(place)
    if "://" not in text:
        return f"sqlite:///{text}"
    if text.startswith(("postgresql://", "postgres://")):
        return "postgresql+psycopg://" + text.split("://", 1)[1]
    if text.startswith(("sqlite:///", "postgresql+psycopg://")):
        return text
    raise StoreError(f"'{text.split('://', 1)[0]}' is no database we know", hint="use a file path or a postgresql:// URL")


def _prepare_file(path: Path, create: bool) -> None:
    if path.is_dir():
        raise StoreError("is a folder, not a database file", at=path, hint="name a file, for example .judge/judge.db")
    if not path.exists() and not create:
        raise StoreError("there is no database here yet", at=path, hint="run `judge run` first, or name it with --db")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the folder cannot be made: {error.strerror}", at=path.parent, hint="choose another with --db"
        ) from error
    target = path if path.exists() else path.parent
    if not os.access(target, os.W_OK):
        raise StoreError("may not be written", at=target, hint="choose another place with --db or JUDGE_DB")


def _engine(url: str) -> Engine:
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import NoSuchModuleError

    sqlite = url.startswith("sqlite")
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False}} if sqlite else {"pool_size": 5, "max_overflow": 5}
    try:
        engine = create_engine(url, hide_parameters=True, **options)  # a text under judgement belongs in no log
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError("PostgreSQL needs its driver", hint="install blind-judge[postgres]") from error
    if not sqlite:
        return engine

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN, not the driver
        for setting in _SQLITE_SETTINGS:
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A deferred BEGIN fails at once when two writers upgrade their lock; IMMEDIATE waits for busy_timeout.
        writes = connection.get_execution_options().get("write", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _remedy(error: Exception) -> str:
    text = str(error).lower()
    if "locked" in text:
        return "another process is writing; try again when it has finished"
    if "readonly" in text or "read-only" in text:
        return "make it writable, or choose another place with --db"
    if "full" in text:
        return "make room on the disk; nothing was half written"
    return "check the address and that the server runs"
