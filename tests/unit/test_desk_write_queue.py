"""The one writer: what waits together is committed together, and nobody's failure is another's."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import CancelledError

import pytest
from sqlalchemy import event, text

from judge.errors import StoreError
from judge.store.opening import open_database
from tests import desk_room


@pytest.fixture(scope="module", params=desk_room.BOTH)
def shared(request):
    yield from desk_room.database_of(request)


@pytest.fixture
def database(shared):
    with shared.write() as tx:
        tx.connection().execute(text("DROP TABLE IF EXISTS note"))
        tx.connection().execute(text("CREATE TABLE note (n INTEGER PRIMARY KEY)"))
    return shared


@pytest.fixture
def commits(database):
    """How often the database committed, as a list that grows."""
    seen = []
    engine = database._writer

    def count(connection):
        seen.append(threading.current_thread().name)

    event.listen(engine, "commit", count)
    yield seen
    event.remove(engine, "commit", count)


class Gate:
    """Holds the writer thread up, so that works wait together."""

    def __init__(self, database):
        self.entered, self.open = threading.Event(), threading.Event()
        self.future = database.submit(self._wait)
        self.entered.wait(10)

    def _wait(self, tx):
        tx.connection()  # without it there is nothing to commit
        self.entered.set()
        self.open.wait(10)


def put(tx, n):
    tx.connection().execute(text("INSERT INTO note VALUES (:n)"), {"n": n})
    return n


def put_and_count(tx, n):
    put(tx, n)
    return tx.connection().execute(text("SELECT count(*) FROM note")).scalar()


def there(database):
    with database.read() as tx:
        return [row.n for row in tx.connection().execute(text("SELECT n FROM note ORDER BY n"))]


def test_what_waits_together_shares_a_commit(database, commits):
    gate = Gate(database)
    futures = [database.submit(put, n) for n in range(100)]
    gate.open.set()
    assert [future.result(10) for future in futures] == list(range(100))
    assert there(database) == list(range(100))
    on_the_writer = [name for name in commits if name == "db-write"]
    assert len(on_the_writer) == 3  # the gate, 64 works, 36 works


def test_works_are_done_in_the_order_in_which_they_came_and_see_each_other(database):
    gate = Gate(database)
    seen = [database.submit(put_and_count, n) for n in range(9)]
    gate.open.set()
    assert [future.result(10) for future in seen] == list(range(1, 10))


def test_a_work_that_fails_leaves_nothing_and_harms_no_other(database):
    def put_and_fail(tx):
        put(tx, 99)
        raise LookupError("mine alone")

    gate = Gate(database)
    futures = [database.submit(put, 1), database.submit(put_and_fail), database.submit(put, 1), database.submit(put, 2)]
    gate.open.set()
    assert futures[0].result(10) == 1
    assert futures[3].result(10) == 2
    with pytest.raises(LookupError, match="mine alone"):
        futures[1].result(10)
    assert "note" in str(futures[2].exception(10)).lower()  # the same key twice
    assert there(database) == [1, 2]


def test_a_commit_that_fails_is_told_to_everybody_and_the_next_one_goes_on(database):
    gate = Gate(database)
    futures = [database.submit(put, n) for n in range(5)]

    def fail(connection):
        raise OSError("no room on the disk")

    event.listen(database._writer, "commit", fail)
    gate.open.set()
    try:
        assert [str(future.exception(10)) for future in futures] == ["no room on the disk"] * 5
    finally:
        event.remove(database._writer, "commit", fail)
    assert there(database) == []
    assert database.submit(put, 7).result(10) == 7
    assert there(database) == [7]


def test_a_work_that_was_given_up_while_it_waited_is_not_done_and_stops_nothing(database):
    gate = Gate(database)
    kept, given_up, last = (database.submit(put, n) for n in range(3))
    assert given_up.cancel()
    gate.open.set()
    assert (kept.result(10), last.result(10)) == (0, 2)
    with pytest.raises(CancelledError):
        given_up.result(0)
    assert there(database) == [0, 2]


def test_a_work_that_has_begun_can_no_longer_be_given_up(database):
    gate = Gate(database)
    assert not gate.future.cancel()
    gate.open.set()
    assert database.submit(put, 1).result(10) == 1


def test_closing_finishes_what_was_submitted_and_takes_nothing_more(tmp_path):
    database = open_database(tmp_path / "judge.db")
    with database.write() as tx:
        tx.connection().execute(text("CREATE TABLE note (n INTEGER PRIMARY KEY)"))
    futures = [database.submit(put, n) for n in range(200)]
    database.close()
    assert [future.result(0) for future in futures] == list(range(200))
    with pytest.raises(RuntimeError, match="the database is closed"):
        database.submit(put, 1000)
    database.close()
    again = open_database(tmp_path / "judge.db")
    assert there(again) == list(range(200))
    again.close()


def test_a_write_waits_while_another_process_writes_and_goes_on_when_it_has_finished(tmp_path):
    database = open_database(tmp_path / "judge.db")
    other = sqlite3.connect(tmp_path / "judge.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    written = database.submit(lambda tx: tx.connection() and "well")
    with pytest.raises(TimeoutError):
        written.result(0.2)
    other.execute("ROLLBACK")
    other.close()
    assert written.result(10) == "well"
    database.close()


def test_a_database_that_is_taken_away_fails_with_a_remedy_and_stops_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr("judge.store.opening.PATIENCE_S", 0.05)
    database = open_database(tmp_path / "judge.db")
    other = sqlite3.connect(tmp_path / "judge.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    error = database.submit(lambda tx: tx.connection()).exception(20)
    assert isinstance(error, StoreError)
    assert "Another process is writing" in str(error)
    other.execute("ROLLBACK")
    other.close()
    assert database.submit(lambda tx: "well").result(10) == "well"
    database.close()
