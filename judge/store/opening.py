"""Opening a workspace's database: a file or a URL, its settings, and its schema brought up to date."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.errors import StoreError
from judge.store import migrate
from judge.store.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Engine

_SQLITE_SETTINGS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # what was paid for or told to an annotator survives a power cut
    "busy_timeout=10000",
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
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A deferred BEGIN fails at once when two writers upgrade their lock; IMMEDIATE waits for busy_timeout.
        writes = connection.get_execution_options().get("write", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
