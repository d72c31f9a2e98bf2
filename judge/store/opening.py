"""Opening a workspace's database: a file or a URL, its settings, and its schema brought up to date."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.errors import StoreError
from judge.store import migrate
from judge.store.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Engine

PATIENCE_S = 10.0  # how long a write waits for another process
_LOOK_AGAIN_S = 0.0005
_ELSEWHERE = "choose another place with --db or JUDGE_DB"
_READERS_WAIT = "busy_timeout=10000"
_SQLITE_SETTINGS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # what was paid for or told to an annotator survives a power cut
    _READERS_WAIT,
    "foreign_keys=ON",
)


def open_database(place: str | Path, *, create: bool = True) -> Database:
    """Open the database at a file path or URL, bring its schema up to date, and give it back ready.

    Raises StoreError when it cannot be opened, is damaged, or was made by a newer version of this program.
    """
    url = _url(place)
    if url.startswith("sqlite"):
        _prepare_file(Path(url.removeprefix("sqlite:///")), create)
    engine = _engine(url)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        migrate.bring_up_to_date(engine, shown)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, shown)


def _url(place: str | Path) -> str:
    text = str(place)
    if "://" not in text:
        return f"sqlite:///{text}"
    if text.startswith(("postgresql://", "postgres://")):
        return "postgresql+psycopg://" + text.split("://", 1)[1]
    if text.startswith(("sqlite:///", "postgresql+psycopg://")):
        return text
    raise StoreError(f"'{text.split('://', 1)[0]}' is no database we know", hint="use a file path or a postgresql:// URL")


def is_made(place: str | Path) -> bool:
    """Say whether there is a database at this file path already; at a URL there is taken to be one.

    Raises StoreError when its folder may not be entered.
    """
    try:
        return "://" in str(place) or Path(place).exists()
    except OSError as error:
        raise StoreError(f"cannot be looked at: {error.strerror}", at=place, hint=_ELSEWHERE) from error


def _prepare_file(path: Path, create: bool) -> None:
    made = is_made(path)
    if path.is_dir():
        raise StoreError("is a folder, not a database file", at=path, hint="name a file, for example .judge/judge.db")
    if not made and not create:
        raise StoreError("there is no database here yet", at=path, hint="run `judge run` first, or name it with --db")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder cannot be made: {error.strerror}", at=path.parent, hint=_ELSEWHERE) from error
    target = path if made else path.parent
    if not os.access(target, os.W_OK):
        raise StoreError("may not be written", at=target, hint=_ELSEWHERE)


def _engine(url: str) -> Engine:
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    sqlite = url.startswith("sqlite")
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False}} if sqlite else {"pool_size": 5, "max_overflow": 5}
    try:
        engine = create_engine(url, hide_parameters=True, **options)  # a text under judgement belongs in no log
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError("PostgreSQL needs its driver", hint="install blind-judge[postgres]") from error
    except (ArgumentError, ValueError):  # neither names the address: it may hold a password
        raise StoreError("this is no address of a database", hint="write it as in postgresql://user@host:5432/name") from None
    if not sqlite:
        return engine

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN, not the driver
        for setting in _SQLITE_SETTINGS:
            _patiently(connection, f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        if connection.get_execution_options().get("write", True):
            _begin_write(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _patiently(driver: Any, statement: str) -> None:
    """Execute a statement that another process may be in the way of, looking again until it is not.

    SQLite does not wait at all where two who open a new database both want to change its journal.
    """
    import sqlite3

    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            driver.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_AGAIN_S)


def _begin_write(connection: Any) -> None:
    """Take SQLite's one write lock now: a deferred BEGIN fails at once when two writers upgrade theirs.

    SQLite itself waits for another process in steps that grow to 100 ms, so that who comes later is often served first;
    we look again every half millisecond, which is shorter than a commit takes.
    """
    import sqlite3

    driver = connection.connection.dbapi_connection
    driver.execute("PRAGMA busy_timeout=0")
    try:
        _patiently(driver, "BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # once more: SQLAlchemy names what is wrong
    finally:
        driver.execute(f"PRAGMA {_READERS_WAIT}")
