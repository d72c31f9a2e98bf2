"""One engine per process: requests in, journalled answers out.

    engine = Engine(database, {"recorded": RecordedProvider(recordings)}, clock)
    for place, answer in engine.stream(requests): ...

The intent is on disk before a request is sent, the raw answer before it counts.  A call that is answered in the journal is
never made again; equal calls are made once.  What cannot be answered now parks the run: the same command goes on.
"""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, Final

from judge.calls.budget import Budget
from judge.calls.flow import Flow
from judge.calls.planning import Planned
from judge.calls.providers.base import Provider
from judge.calls.request import Answer, Request
from judge.calls.settings import Settings
from judge.clock import Clock
from judge.store.database import Database

_END: Final = object()
_QUIET_S: Final = 1.0  # without an answer, after which whoever waits is told
_LAST_WORDS_S: Final = 5.0  # for writing down that open calls lost their connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """Answers in the order of the requests (None: nobody has one), and how many the journal already held."""

    answers: tuple[Answer | None, ...]
    from_journal: int


class Engine:
    """Answers requests through its providers, with journal, pacing and budget in between.

    providers: by the route that requests name.  The event loop runs on a thread of its own; callers block.
    """

    def __init__(
        self,
        database: Database,
        providers: Mapping[str, Provider],
        clock: Clock,
        *,
        budget: Budget | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._flow = Flow(database, providers, clock, budget or Budget(cap=None), settings or Settings())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._run: Future[None] | None = None
        self._hurried = False
        self._waiting: Callable[[], None] | None = None
        self.stopping = False  # nothing more is sent; what is open is waited for

    @property
    def flow(self) -> Flow:
        """What is going on: counts for progress and reports."""
        return self._flow

    def stream(
        self, requests: Iterable[Request], planned: Planned | None = None, waiting: Callable[[], None] | None = None
    ) -> Iterator[tuple[int, Answer | None]]:
        """Answer requests as they come, in any order: (place in the requests, answer).

        planned: told of calls in the transaction in which they are written down, before anything is spent on them.
        waiting: called now and then while no answer comes, and when sending stops.

        None: nobody has an answer.  A request that failed for good has an answer with its error.  The first interrupt
        stops sending and waits for what is open, a second one stops at once; both lose nothing that was answered.
        Raises Parked or JudgeError after everything that was answered has been given.
        """
        out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._flow.begin()
        done = asyncio.run_coroutine_threadsafe(self._flow.run(requests, out, planned), self._running())
        done.add_done_callback(lambda _: out.put(_END))
        self._run, self._waiting = done, waiting
        interrupted = False
        try:
            while True:
                try:
                    item = out.get(timeout=_QUIET_S if waiting else None)
                except queue.Empty:
                    if waiting:
                        waiting()
                    continue
                except KeyboardInterrupt:
                    if interrupted:
                        self._hurried = True
                        raise
                    interrupted = True
                    self._interrupt()
                    continue
                if item is _END:
                    break
                yield item
        finally:
            if not done.done():  # whoever asked has gone; nothing more is sent
                self._stop()
        done.result()
        if interrupted:
            raise KeyboardInterrupt

    def submit(self, requests: Sequence[Request]) -> Submitted:
        """Answer every request that can be answered; see `stream`."""
        answers: list[Answer | None] = [None] * len(requests)
        before = self._flow.recalled
        for place, answer in self.stream(requests):
            answers[place] = answer
        return Submitted(answers=tuple(answers), from_journal=self._flow.recalled - before)

    def _interrupt(self) -> None:
        """Send nothing more, and say so to whoever interrupted."""
        self._stop()
        self.stopping = True
        if self._waiting:
            self._waiting()

    def _stop(self) -> None:
        self._running().call_soon_threadsafe(self._flow.stop)

    def close(self) -> None:
        """Wait for what is still open, unless a second interrupt said not to; close connections and end the thread."""
        if self._loop is None or self._thread is None:
            return
        try:
            self._drain()
        finally:
            self._end(self._loop, self._thread)

    def _drain(self) -> None:
        """An interrupt may come while the asker was busy with an answer; what is on the wire is paid all the same."""
        if self._run is None or self._run.done() or self._hurried:
            return
        try:
            if isinstance(sys.exception(), KeyboardInterrupt):
                self._interrupt()
        finally:
            self._stop()
            wait([self._run])

    def _end(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        asyncio.run_coroutine_threadsafe(self._flow.close(), loop).result(timeout=10)
        if self._run is not None:
            wait([self._run], timeout=_LAST_WORDS_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        self._loop = self._thread = None

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="calls", daemon=True)
            self._thread.start()
        return self._loop
