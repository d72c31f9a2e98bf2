"""The journal seen from the event loop: records that wait together are written by one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from judge.calls.lane import Call
from judge.clock import Clock
from judge.errors import StateError
from judge.store import calls as store
from judge.store.calls import Intent, Outcome, Sent
from judge.store.database import Database

if TYPE_CHECKING:
    from judge.store.database import Transaction

_GATHER_S: Final = 0.03
Note: TypeAlias = Callable[["Transaction"], None]


class Journal:
    """Writes intents, tries and outcomes; every method returns when what it was given is on disk."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._intents: list[Intent] = []
        self._notes: list[Note] = []
        self._sent: list[Sent] = []
        self._outcomes: list[Outcome] = []
        self._waiting: asyncio.Future[frozenset[str]] | None = None
        self._writing = False
        self._begun = 0.0  # when the last commit was handed over

    async def plan(self, intents: list[Intent], note: Note | None = None) -> None:
        """Keep calls before anything is spent on them.  note: what else is written with them."""
        self._intents += intents
        self._notes += [note] if note else []
        await self._written()

    async def sending(self, sent: Sequence[Sent]) -> None:
        """Keep that tries go out, at what they may cost at most.  Raises StateError when another process makes them now."""
        self._sent += sent
        if not (await self._written()).isdisjoint(one.call for one in sent):
            raise StateError("another command asks the same calls now", hint="let it finish, then run this one again")

    async def withdraw(self, calls: Sequence[Call]) -> None:
        """Take back that the last tries of these calls go out: they were never made."""
        tries = [(call.digest, call.tries) for call in calls]
        self._notes.append(lambda tx: store.withdraw(tx, tries))
        await self._written()

    async def came(self, outcome: Outcome) -> None:
        """Keep what came of a try."""
        self._outcomes.append(outcome)
        await self._written()

    async def _written(self) -> frozenset[str]:
        """Wait until all is on disk; give the calls of the same commit that another process sends already."""
        loop = asyncio.get_running_loop()
        if self._waiting is None:
            self._waiting = loop.create_future()
        waiting = self._waiting
        if not self._writing:
            self._writing = True
            self._flush_soon()
        return await asyncio.shield(waiting)

    def _flush_soon(self) -> None:
        """Let a commit gather what comes within a moment of the last one: each costs its time however little it writes."""
        loop = asyncio.get_running_loop()
        loop.call_at(max(loop.time(), self._begun + _GATHER_S), self._flush)

    def _flush(self) -> None:
        """Hand over all that gathered; what comes while that is written goes with the next commit."""
        loop = asyncio.get_running_loop()
        self._begun = loop.time()
        waiting, self._waiting = self._waiting, None
        intents, notes, sent, outcomes = self._intents, self._notes, self._sent, self._outcomes
        self._intents, self._notes, self._sent, self._outcomes = [], [], [], []
        written = self._database.submit(_write, intents, notes, sent, outcomes, self._clock())
        together = outcomes if intents or notes or sent else []
        written.add_done_callback(lambda done: loop.call_soon_threadsafe(self._done, waiting, done, together))

    def _done(self, waiting: asyncio.Future[frozenset[str]] | None, written: Any, outcomes: list[Outcome]) -> None:
        """Tell who waits.  outcomes: were written together with something else, whose failure must not lose them."""
        if outcomes and written.exception() is not None:
            loop = asyncio.get_running_loop()
            alone = self._database.submit(_write, [], [], [], outcomes, self._clock())
            alone.add_done_callback(lambda _: loop.call_soon_threadsafe(self._tell, waiting, written))
        else:
            self._tell(waiting, written)

    def _tell(self, waiting: asyncio.Future[frozenset[str]] | None, written: Any) -> None:
        failure = written.exception()
        if waiting is not None and not waiting.done():
            if failure is None:
                waiting.set_result(written.result())
            else:
                waiting.set_exception(failure)
        if self._waiting is None:
            self._writing = False
        else:
            self._flush_soon()


def _write(
    tx: Transaction, intents: list[Intent], notes: list[Note], sent: list[Sent], outcomes: list[Outcome], now: datetime
) -> frozenset[str]:
    if intents:
        store.intend(tx, intents, now)
    for note in notes:
        note(tx)
    if outcomes:
        store.record(tx, outcomes, now)
    return store.send(tx, sent, now) if sent else frozenset()
