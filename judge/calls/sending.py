"""One lane's calls are sent, as fast as its pacer and the budget allow.

That a try goes out is on disk before it does.  A few calls are armed, which is to say noted so, while they wait for a
place: so that no place is held while the disk is written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from judge.calls.failures import CallFailed, Failed
from judge.calls.lane import Call, Lane
from judge.calls.providers.base import Reply
from judge.calls.together import Together
from judge.errors import JudgeError, Parked
from judge.store.calls import Sent

_SHORT_PAUSE_S: Final = 1.0  # longer ones are not waited for with calls noted as going out
_MOST_ARMED: Final = 32  # with 128 places and answers after 200 ms, so many go out while the disk is written

Came = Callable[[Lane, Call, Reply, float], Awaitable[None]]
Missed = Callable[[Lane, Call, Failed], Awaitable[None]]


class Sender:
    """Sends the calls of one lane.  came, missed: what is to be done with an answer, and with a failed try."""

    def __init__(self, together: Together, lane: Lane, came: Came, missed: Missed) -> None:
        self._all = together
        self._lane = lane
        self._came = came
        self._missed = missed
        self._open: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send until nothing is left or the run is halted; take back what was armed in vain.  Raises nothing: it halts."""
        await self._guarded(self._send_all())
        if self._open:
            await asyncio.gather(*self._open)
        await self._guarded(self._disarm())

    async def _guarded(self, work: Awaitable[None]) -> None:
        """Do work whose failure ends the run, whoever else is at it: nobody is left hanging."""
        try:
            await work
        except JudgeError as error:
            self._all.halt(error)
        except Exception as error:
            self._all.halt_by_bug(error)

    async def _send_all(self) -> None:
        lane, all_ = self._lane, self._all
        while not (all_.halted or (lane.idle and not all_.reading and not lane.in_doubt)):
            if lane.in_doubt and not lane.later:
                await self._resolve_doubt()
                continue
            now = time.monotonic()
            self._check_throttling(now)
            if lane.pacer.paused_until - now <= _SHORT_PAUSE_S:
                self._arm_some(now)
            elif lane.armed:  # who is killed in a long pause has nothing on the wire, and must not seem to
                await self._disarm()
                continue
            wait = lane.pacer.wait(lane.tokens(lane.armed[0]), now) if lane.armed else None
            if wait == 0:
                self._start(lane.armed.popleft())
                continue
            due = lane.next_due()
            # One that is due already waits for room like any other: looking again at once would be for nothing.
            back = None if due is None or due <= now else due - now
            pause = lane.pacer.paused_until - now - _SHORT_PAUSE_S
            await self._rest([wait, back, pause if pause > 0 else None, 1.0 if lane.later else None])

    def _start(self, call: Call) -> None:
        call.estimate = self._lane.tokens(call)
        self._lane.pacer.start(call.estimate)
        self._spawn(self._try(call), 1)

    def _spawn(self, work: Awaitable[None], calls: int) -> None:
        """Run work that has so many calls in hand."""

        async def counted() -> None:
            try:
                await self._guarded(work)
            finally:
                self._lane.busy -= calls
                self._all.wake()

        self._lane.busy += calls
        task = asyncio.create_task(counted())
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    def _arm_some(self, now: float) -> None:
        """Take the next calls in hand: as many as there are places, and a few more.

        With nothing on its way that may give money back, a full budget parks the run.
        """
        lane = self._lane
        room = lane.pacer.places + max(1, lane.pacer.most // 3)
        room = min(room, lane.pacer.most if lane.free else _MOST_ARMED) - len(lane.armed) - lane.arming
        calls: list[Call] = []
        while len(calls) < room and (call := lane.next_call(now)) is not None:
            try:
                self._reserve(call)
            except Parked as parked:
                lane.waiting.appendleft(call)
                if not calls and self._all.waits_for_nothing:
                    self._all.halt(parked)
                break
            call.tries += 1
            calls.append(call)
        if calls:
            lane.arming += len(calls)
            self._spawn(self._arm(calls), len(calls))

    async def _arm(self, calls: list[Call]) -> None:
        try:
            await self._all.journal.sending([Sent(call=c.digest, n=c.tries, worst_usd=c.worst_usd) for c in calls])
        except BaseException:
            self._hand_back(calls)
            raise
        else:
            self._lane.armed.extend(calls)
        finally:
            self._lane.arming -= len(calls)

    async def _disarm(self) -> None:
        """Take back what was noted and not sent after all: it waits again."""
        calls = list(self._lane.armed)
        self._lane.armed.clear()
        try:
            if calls:
                await self._all.journal.withdraw(calls)
        finally:
            self._hand_back(calls)

    def _hand_back(self, calls: Sequence[Call]) -> None:
        for call in reversed(calls):
            call.tries -= 1
            self._all.budget.settle(call.digest, 0.0)
            self._lane.waiting.appendleft(call)

    def _reserve(self, call: Call) -> None:
        """Set the worst cost of a call aside.  Raises Parked when the budget has no room for it."""
        if not self._lane.free:
            call.worst_usd = call.worst_cost(self._lane.price)
            self._all.budget.reserve(call.digest, call.worst_usd)

    async def _try(self, call: Call) -> None:
        """Try a call once.  It holds a place while it is on the wire, and no longer: writing down what came needs none."""
        lane = self._lane
        reply, failed, took = None, None, 0.0
        try:
            started = call.sent_at = time.monotonic()
            timeout = lane.timeout_s(call, self._all.settings.timeout_s)
            reply = await lane.provider.send(call.request, call.digest, timeout, call.raised)
            took = time.monotonic() - started
        except CallFailed as failure:
            failed = failure.failed
        finally:
            lane.pacer.end()
            lane.wake.set()
        if reply is not None:
            await self._came(lane, call, reply, took)
        elif failed is not None:
            await self._missed(lane, call, failed)

    async def _resolve_doubt(self) -> None:
        """Let what is open come in before more is sent: with one answer among them, the settings were right.

        A refusal comes faster than an answer, so the first few to come say little.
        """
        if self._lane.busy:
            await self._rest([])
        else:
            text = f"{self._lane.who} does not accept the request: {self._lane.refusal}"
            self._all.halt(JudgeError(text, hint="check the settings of this model"))

    def _check_throttling(self, now: float) -> None:
        all_, pacer = self._all, self._lane.pacer
        # What is on the wire was let through, and may only take its time.
        if pacer.paused_until > now and not pacer.open and now - all_.last_answer > all_.settings.throttled_s:
            all_.halt(Parked(f"{self._lane.who} has been throttling every call", hint="run the same command again later"))

    async def _rest(self, waits: list[float | None]) -> None:
        """Sleep until something changes in the lane, or the shortest of the waits is over.

        Not at all when the sender itself has just halted the run.
        """
        if self._all.halted:
            return
        known = [wait for wait in waits if wait is not None]
        wake = self._lane.wake
        wake.clear()
        timer = asyncio.get_running_loop().call_later(max(0.0, min(known)), wake.set) if known else None
        await wake.wait()
        if timer is not None:
            timer.cancel()
