"""The schema's version: a new database is made whole, an older one is brought up to date, a newer one is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from judge.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData

HEAD: Final = "0001"
_LOCK: Final = 7_311_907  # PostgreSQL's advisory lock: processes that start together migrate once


def bring_up_to_date(engine: Engine, place: str) -> None:
    """Make the schema what this version of the program expects, in one transaction.

    Raises StoreError when the file is no database of ours or was written by a newer version.
    """
    from sqlalchemy.exc import DatabaseError, OperationalError

    try:
        with engine.connect() as connection:
            version = _version(connection)
        if version != HEAD:
            with engine.execution_options(write=True).begin() as connection:
                _migrate(connection, place)
    except OperationalError as error:
        raise StoreError(
            f"the database cannot be opened: {error.orig}", at=place, hint="check the address, the rights and the disk"
        ) from error
    except DatabaseError as error:
        raise StoreError(
            f"this is no database of ours: {error.orig}", at=place, hint="name another with --db, or restore a copy"
        ) from error


def _migrate(connection: Connection, place: str) -> None:
    from sqlalchemy import text

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    version = _version(connection)  # again, now that nobody else can move it
    if version == HEAD:
        return
    if version is None:
        _refuse_strangers(connection, place)
        _make(connection)
    elif version in _known_revisions():
        _upgrade(connection)
    else:
        raise StoreError(
            f"the database is of a newer version ({version}; this program knows {HEAD})",
            at=place,
            hint="install a newer blind-judge",
        )


def _version(connection: Connection) -> str | None:
    from sqlalchemy import inspect, text

    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _refuse_strangers(connection: Connection, place: str) -> None:
    """Keep our tables out of a database that holds something else; on a server they may stand beside others' tables."""
    from sqlalchemy import inspect

    there = set(inspect(connection).get_table_names())
    strangers = there if connection.dialect.name == "sqlite" else there & set(all_tables().tables)
    if strangers:
        raise StoreError(
            f"the database holds something else already (the table '{min(strangers)}')",
            at=place,
            hint="name another with --db",
        )


def _make(connection: Connection) -> None:
    from sqlalchemy import text

    all_tables().create_all(connection)
    connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def all_tables() -> MetaData:
    """Give the metadata with every table declared."""
    from sqlmodel import SQLModel

    import judge.store.schema.access
    import judge.store.schema.desk
    import judge.store.schema.study  # noqa: F401  (declares its tables)

    return SQLModel.metadata


def _known_revisions() -> set[str]:
    from importlib.resources import files

    versions = files("judge.store") / "migrations" / "versions"
    return {entry.name.split("_", 1)[0] for entry in versions.iterdir() if entry.name.endswith(".py")}


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "judge.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
