"""One writer thread: what waits together is committed together, so that durable writes stay fast under load."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from sqlmodel import Session

    from judge.store.database import Database

T = TypeVar("T")
_GROUP: Final = 64  # works that share one commit at most


class _Work(NamedTuple):
    future: Future[Any]
    run: Callable[[Session], Any]


class WriteQueue:
    """Runs submitted works one after another on a thread of its own, which starts with the first of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._works: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, work: Callable[..., T], *args: Any) -> Future[T]:
        """Queue `work(tx, *args)`.  Raises RuntimeError after `close`."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the database is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="db-write", daemon=True)
                self._thread.start()
            self._works.put(_Work(future, lambda tx: work(tx, *args)))
        return future

    def close(self) -> None:
        """Finish what was submitted, then end the thread."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._works.put(None)
            thread.join()

    def _run(self) -> None:
        while (first := self._works.get()) is not None:
            group = [first]
            ended = self._gather(group)
            self._commit(group)
            if ended:
                return

    def _gather(self, group: list[_Work]) -> bool:
        """Add what is waiting already; say whether the end was met."""
        while len(group) < _GROUP:
            try:
                work = self._works.get_nowait()
            except queue.Empty:
                return False
            if work is None:
                return True
            group.append(work)
        return False

    def _commit(self, group: list[_Work]) -> None:
        """Do the works in one transaction, each of several in a savepoint; answer them when the commit is on disk.

        A work that was cancelled while it waited is left out; from here on none can be, so that every answer finds its future.
        """
        group = [work for work in group if work.future.set_running_or_notify_cancel()]
        outcomes: list[tuple[_Work, Any, BaseException | None]] = []
        try:
            with self._database.write() as tx:
                tx.connection()  # begins here: a lock that does not come is everybody's failure, not the first work's
                if len(group) == 1:  # its failure is the transaction's: no savepoint
                    outcomes = [(group[0], group[0].run(tx), None)]
                else:
                    outcomes = [(work, *_attempt(tx, work)) for work in group]
        except BaseException as error:
            for work in group:
                work.future.set_exception(error)
            return
        for work, result, failure in outcomes:
            if failure is None:
                work.future.set_result(result)
            else:
                work.future.set_exception(failure)


def _attempt(tx: Session, work: _Work) -> tuple[Any, BaseException | None]:
    try:
        with tx.begin_nested():
            return work.run(tx), None
    except Exception as error:
        return None, error
