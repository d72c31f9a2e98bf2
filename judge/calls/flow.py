"""The flow of calls on the event loop: read requests, admit them, try, journal, answer.

One coroutine reads ahead, one sends for each lane (a model behind a key), each open call is a task.  A call in backoff
holds no place.
"""

from __future__ import annotations

import asyncio
import queue
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from itertools import islice
from typing import Any, Final

from judge.calls.budget import Budget
from judge.calls.failures import RETRIED, Failed
from judge.calls.journal import Journal
from judge.calls.lane import Call, Lane
from judge.calls.pacing import LONGEST_PAUSE_S, Pacer
from judge.calls.planning import Places, Planned, Planner
from judge.calls.prices import prices
from judge.calls.providers.base import Provider, Reply
from judge.calls.request import Answer, Request
from judge.calls.sending import Sender
from judge.calls.settings import Settings
from judge.calls.together import Together
from judge.clock import Clock
from judge.errors import JudgeError, Parked
from judge.store.calls import CUT, Outcome
from judge.store.database import Database

_FIRST: Final = 32  # requests read before the first is sent
_AHEAD: Final = 512  # requests read at a time later on
_RECORDED: Final = 256  # recorded answers that are open at once, from the start
_LOOKED_S: Final = 0.01  # how often it is seen whether answers were taken

Out = queue.SimpleQueue[Any]  # (place, answer), for whoever asked


class Flow:
    """The calls of a process.  Everything here runs on the engine's event loop."""

    def __init__(
        self, database: Database, providers: Mapping[str, Provider], clock: Clock, budget: Budget, settings: Settings
    ) -> None:
        self.calls = 0  # that were asked for, equal ones counted once
        self.from_journal = 0  # of these, answered by an earlier run
        self.saved_usd = 0.0  # what those answers had cost
        self.recalled = 0  # requests that the journal answered, equal ones each
        self.answered = 0
        self.failed = 0
        self.lost = 0  # tries that may have been paid although no answer came
        self._providers = providers
        self._journal = Journal(database, clock)
        self._planner = Planner(database, providers, self._journal, send=settings.send)
        self._settings = settings
        self._all = Together(budget=budget, journal=self._journal, settings=settings)
        self._calls: dict[str, Call] = {}
        self._met: set[int] = set()  # calls that were asked for, by a part of their digests: a name takes twice the room
        self._jitter = random.Random(settings.seed)
        self._out: Out = queue.SimpleQueue()

    @property
    def budget(self) -> Budget:
        """What was spent, and the cap on it."""
        return self._all.budget

    def stop(self) -> None:
        """Send nothing more; what is open still comes in."""
        self._all.stop()

    def begin(self) -> None:
        """Make ready for a run, on the asker's thread: whoever stops it from here on stops it."""
        self._all.stopped, self._all.stopping = None, False

    async def run(self, requests: Iterable[Request], out: Out, planned: Planned | None = None) -> None:
        """Answer requests into `out`; see `Engine.stream`.  Raises what stopped the run."""
        all_ = self._all
        self._out, all_.reading = out, True
        all_.last_answer = time.monotonic()
        senders: dict[int, asyncio.Task[None]] = {}
        try:
            places = iter(enumerate(requests))
            count = _FIRST
            while batch := await asyncio.to_thread(_take, places, count):
                count = _AHEAD
                await self._plan(batch, planned)
                all_.wake()
                for lane in all_.lanes.values():
                    if id(lane) not in senders:
                        senders[id(lane)] = asyncio.create_task(Sender(all_, lane, self._came, self._failed).run())
                await self._wait_for_room()
                if all_.halted:
                    break
        except BaseException:
            all_.stopping = True  # what cannot be planned must not be sent either
            raise
        finally:
            all_.reading = False
            all_.wake()
            await asyncio.gather(*senders.values())
            self._calls.clear()
            for lane in all_.lanes.values():  # what a halt left over is asked again by the same command
                lane.waiting.clear()
                lane.later.clear()
        if all_.stopped is not None:
            raise all_.stopped

    async def close(self) -> None:
        """Give all connections back."""
        for provider in dict.fromkeys(self._providers.values()):
            await provider.close()

    @property
    def open(self) -> int:
        """Calls on the wire."""
        return sum(lane.pacer.open for lane in self._lanes)

    @property
    def limit_per_minute(self) -> float | None:
        """Calls a minute that all providers together allow, as far as their answers said."""
        known = [lane.pacer.per_minute for lane in self._lanes if lane.pacer.per_minute is not None]
        return sum(known) if known else None

    @property
    def paused_s(self) -> float:
        """Seconds for which calls still wait because a provider asked to."""
        now = time.monotonic()
        return max([0.0, *(lane.pacer.paused_until - now for lane in self._lanes if lane.waiting or lane.armed or lane.later)])

    @property
    def _lanes(self) -> list[Lane]:
        """The lanes at this moment, for whoever asks on another thread than the loop's."""
        return list(self._all.lanes.values())

    async def _wait_for_room(self) -> None:
        while len(self._calls) > 2 * _AHEAD and not self._all.halted:
            self._all.room.clear()
            await self._all.room.wait()
        while self._out.qsize() > 2 * _AHEAD and not self._all.halted:  # whoever asked is slower than the journal
            await asyncio.sleep(_LOOKED_S)

    async def _plan(self, batch: Places, planned: Planned | None) -> None:
        """Answer from the journal what is there, and plan the rest before anything is spent."""
        found = await self._planner.plan(batch, self._calls, planned)
        for place, name in found.nobody:
            if name is None:
                self.calls += 1
            else:
                self._meet(name)
            self._out.put((place, None))
        for place, request, answer in found.known:
            self._lane(request).answers += 1  # it answers, whatever comes of the rest
            self.recalled += 1
            if self._meet(answer.digest) and not answer.failed:
                self.from_journal += 1
                self.saved_usd += answer.cost_usd or 0.0
            self._out.put((place, answer))
        for call in found.fresh:
            self._meet(call.digest)
            self._lane(call.request).waiting.append(call)

    def _meet(self, digest: str) -> bool:
        """Take note of a call; say whether it was not asked for before."""
        name = int(digest[:15], 16)
        new = name not in self._met
        self._met.add(name)
        self.calls += new
        return new

    def _lane(self, request: Request) -> Lane:
        key = (request.route, request.model)
        if key not in self._all.lanes:
            self._all.lanes[key] = self._new_lane(request)
        return self._all.lanes[key]

    def _new_lane(self, request: Request) -> Lane:
        free = request.provider == "recorded"
        provider = self._providers[request.route]
        return Lane(
            who=request.model if provider.server is None else f"{request.model} at {provider.server.host}",
            provider=provider,
            price=None if free else prices().find(request.model),
            pacer=Pacer(most=_RECORDED, window=_RECORDED) if free else Pacer(most=self._settings.most_open),
            free=free,
            answers=int(self._settings.known),
        )

    async def _came(self, lane: Lane, call: Call, reply: Reply, took: float) -> None:
        lane.latencies.append(took)
        lane.failures_in_a_row = 0
        lane.answers += 1
        now = self._all.last_answer = time.monotonic()
        lane.pacer.answered(reply.limits, now)
        usage = reply.answer.usage
        lane.took(call, usage)
        cost = lane.cost(call, usage)
        answer = replace(reply.answer, cost_usd=cost, latency_s=reply.answer.latency_s or (None if lane.free else took))
        ours = call.request.most_tokens is None  # a limit of the asker's is no failure
        cut_first = answer.finish == "length" and call.raised == 0 and ours and not lane.free
        kept = Outcome(
            call=call.digest,
            n=call.tries,
            raw=reply.raw,
            usage=asdict(usage) | {"latency_s": answer.latency_s},
            cost_usd=cost,
            request_id=answer.request_id,
            error_class=CUT if cut_first else None,
        )
        await self._journal.came(kept)
        self.budget.settle(call.digest, cost)
        if cut_first:
            call.raised = 1  # the room was too small, once; what is cut again is cut
            call.cut = kept, answer
            lane.put_off(call, now)
            return
        self._answer(call, answer)

    async def _failed(self, lane: Lane, call: Call, failed: Failed) -> None:
        # A try that may have been paid keeps its worst cost, in the journal too: the cap holds whatever was booked.
        cost = call.worst_usd if failed.paid else None
        self.lost += failed.paid
        kept = Outcome(
            call=call.digest,
            n=call.tries,
            raw=None,
            usage={"status": failed.status, "text": failed.text},
            cost_usd=cost,
            request_id=failed.request_id,
            error_class=failed.kind,
        )
        await self._journal.came(kept)
        self.budget.settle(call.digest, cost or 0.0)
        now = time.monotonic()
        if failed.kind == "throttled":
            self._throttled(lane, call, failed, now)
        elif failed.kind == "out_of_money":
            text = f"{lane.who} wants money first: {failed.said}"
            self._all.halt(Parked(text, hint="top up and run the same command again"))
        elif failed.kind == "not_allowed":
            self._all.halt(JudgeError(f"{lane.who} refuses: {failed.said}", hint=_remedy(lane, failed)))
        elif failed.kind in RETRIED:
            self._again(lane, call, failed, now)
        elif not (failed.too_long and await self._with_other_room(lane, call, now)):
            lane.refused += 1
            lane.refusal = failed.said
            self._give_up(call, failed)

    async def _with_other_room(self, lane: Lane, call: Call, now: float) -> bool:
        """Make do with the room that a model has, when it refuses the limit that was asked for."""
        if call.cut is not None:  # no more can be had: what was cut is the answer
            kept, answer = call.cut
            await self._journal.came(replace(kept, error_class=None))
            self._answer(call, answer)
            return True
        if call.request.base_url and call.raised == 0:
            call.raised = -1  # a small context: the server knows best how much is left of it
            lane.put_off(call, now)
            return True
        return False

    def _throttled(self, lane: Lane, call: Call, failed: Failed, now: float) -> None:
        self._park_if_long(lane, failed)
        lane.pacer.throttle(failed.retry_after_s, failed.limits, now)
        lane.put_off(call, lane.pacer.paused_until + self._jitter.random() * 0.2)

    def _park_if_long(self, lane: Lane, failed: Failed) -> None:
        if (failed.retry_after_s or 0) > LONGEST_PAUSE_S:
            text = f"{lane.who} asks to wait {failed.retry_after_s:.0f} s"
            self._all.halt(Parked(text, hint="run the same command again then"))

    def _again(self, lane: Lane, call: Call, failed: Failed, now: float) -> None:
        self._park_if_long(lane, failed)
        call.failures += 1
        lane.failures_in_a_row += 1
        lane.pacer.struggle()
        if lane.down(call, self._settings.timeout_s, self._all.last_answer, now):
            own = call.request.base_url is not None and lane.answers == 0
            hint = f"{'check base_url, or ' if own else ''}run the same command again later"
            self._all.halt(Parked(f"{lane.who} fails again and again: {failed.said}", hint=hint))
        if call.spent:
            self._give_up(call, failed)
            return
        pause = min(30.0, 0.5 * 2**call.failures) * (0.5 + self._jitter.random() / 2)
        lane.put_off(call, now + max(pause, failed.retry_after_s or 0.0))

    def _give_up(self, call: Call, failed: Failed) -> None:
        self.failed += 1
        error = f"{failed.kind}: {failed.said}"
        self._answer(call, Answer(digest=call.digest, text=None, error=error, failed=True), counted=False)

    def _answer(self, call: Call, answer: Answer, *, counted: bool = True) -> None:
        self.answered += counted
        self._calls.pop(call.digest, None)
        self._all.room.set()
        for place in call.asked_by:
            self._out.put((place, answer))


def _remedy(lane: Lane, failed: Failed) -> str:
    """Say what to look at when a provider refuses every call."""
    if failed.status in (404, 405):
        return "check the model's name and base_url"
    variable = lane.provider.server.variable if lane.provider.server else ""
    return f"check the key in {variable}, and what it may do"


def _take(places: Iterator[tuple[int, Request]], count: int) -> list[tuple[int, Request]]:
    return list(islice(places, count))
