"""The schema: made whole, brought up to date, refused when newer; the same by both ways."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import inspect, text

from judge.errors import StoreError
from judge.store import migrate
from judge.store.opening import _engine, _url, open_database


def columns(url):
    engine = _engine(_url(url))
    try:
        seen = inspect(engine)
        return {
            table: sorted((c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(table))
            for table in seen.get_table_names()
        }
    finally:
        engine.dispose()


def migrated_from_nothing(url):
    from alembic import command
    from alembic.config import Config

    engine = _engine(_url(url))
    with engine.execution_options(write=True).begin() as connection:
        config = Config()
        config.set_main_option("script_location", "judge.store:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        command.check(config)  # raises when the tables declared today differ
    engine.dispose()


def test_migrations_and_today_s_tables_give_the_same_schema(database_url, tmp_path):
    migrated_from_nothing(database_url)
    migrated = columns(database_url)
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    if database_url.startswith("sqlite"):
        open_database(fresh).close()
        assert columns(fresh) == migrated
    else:
        assert set(migrated) >= {"study", "verdict", "alembic_version"}


def test_the_newest_migration_is_the_one_the_program_names():
    assert migrate.HEAD in migrate._known_revisions()


def test_a_second_opening_changes_nothing(database_url):
    open_database(database_url).close()
    before = columns(database_url)
    open_database(database_url).close()
    assert columns(database_url) == before


def test_a_database_of_a_newer_version_is_refused_with_its_remedy(database_url):
    database = open_database(database_url)
    with database.write() as tx:
        tx.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreError, match=r"newer version .9999.*Install a newer blind-judge"):
        open_database(database_url)


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    path = tmp_path / "notes.db"
    path.write_text("my notes, not a database\n" * 100)
    with pytest.raises(StoreError, match="no database of ours"):
        open_database(path)
    assert path.read_text().startswith("my notes")


def test_a_database_that_is_damaged_further_on_is_named_as_such(tmp_path):
    place = tmp_path / "judge.db"
    open_database(place).close()
    with closing(sqlite3.connect(place)) as connection:
        ((size,),) = connection.execute("PRAGMA page_size")
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'study'")
    with place.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    database = open_database(place)
    with pytest.raises(StoreError, match=r"the database is damaged: .*malformed.* Restore a copy"), database.write() as tx:
        tx.connection().execute(text("SELECT * FROM study")).all()
    database.close()


def test_an_unknown_kind_of_address_is_refused():
    with pytest.raises(StoreError, match="'mysql' is no database we know"):
        open_database("mysql://host/db")


def test_a_folder_in_place_of_a_file_is_refused(tmp_path):
    with pytest.raises(StoreError, match="is a folder"):
        open_database(tmp_path)


def test_processes_that_start_together_make_the_schema_once(database_url):
    failures = []

    def start():
        try:
            open_database(database_url).close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_sqlite_waits_for_another_writer_and_survives_a_power_cut(tmp_path):
    database = open_database(tmp_path / "judge.db")
    with database.write() as tx:
        journal, synchronous = (
            tx.connection().exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        )
    assert (journal, synchronous) == ("wal", 2)
    database.close()


def test_a_failed_transaction_leaves_nothing(tmp_path):
    from judge.clock import utc_now
    from judge.store import study

    database = open_database(tmp_path / "judge.db")
    with pytest.raises(RuntimeError), database.write() as tx:
        study.open_study(tx, "half", utc_now())
        raise RuntimeError
    with database.read() as tx:
        assert study.study_names(tx) == []
    database.close()
    assert sqlite3.connect(tmp_path / "judge.db").execute("SELECT count(*) FROM study").fetchone() == (0,)
