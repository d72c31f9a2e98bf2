"""Requests are looked up and planned, some hundreds at a time, before anything is spent on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from judge.calls.failures import CallFailed
from judge.calls.journal import Journal
from judge.calls.lane import Call
from judge.calls.providers.base import Provider
from judge.calls.request import Answer, Request
from judge.store import calls as store
from judge.store.calls import Outcome
from judge.store.database import Database

if TYPE_CHECKING:
    from judge.store.database import Transaction

Places: TypeAlias = Sequence[tuple[int, Request]]
Planned: TypeAlias = Callable[["Transaction", Sequence[tuple[int, str]]], None]
"""Told, in the transaction that writes new calls down, which call each place in the stream is asked by."""


@dataclass(slots=True)
class Batch:
    """What is known of some requests: answered by the journal, to be asked, or answered by nobody."""

    known: list[tuple[int, Request, Answer]] = field(default_factory=list)
    fresh: list[Call] = field(default_factory=list)
    nobody: list[tuple[int, str | None]] = field(default_factory=list)  # with the call, if it has a name


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the journal holds of calls, by their digests."""

    answered: Mapping[str, Outcome]
    tries: Mapping[str, int]
    cut: Mapping[str, Outcome]  # answers that were cut, of those that have no other


class Planner:
    """Tells what the journal holds from what has to be asked, and writes the latter down."""

    def __init__(self, database: Database, providers: Mapping[str, Provider], journal: Journal, *, send: bool) -> None:
        self._database = database
        self._providers = providers
        self._journal = journal
        self._send = send

    async def plan(self, batch: Places, calls: dict[str, Call], planned: Planned | None) -> Batch:
        """Look requests up, and plan those without an answer.

        calls: those that are open; new ones are added, and a request that equals one waits for it.
        Raises JudgeError when a server that is to be asked has no key.
        """
        links: list[tuple[int, str]] = []
        named = []
        for place, request in batch:
            name = self._providers[request.route].name(request)
            if name in calls:  # now: it may be answered, and gone from there, while the others are looked up
                calls[name].asked_by.append(place)
                links.append((place, name))
            else:
                named.append((place, request, name))
        kept = await asyncio.to_thread(self._look_up, [name for _, _, name in named if name])
        found = Batch()
        for place, request, name in named:
            answer = self._restored(request, kept.answered.get(name)) if name else None
            if answer is not None and not (answer.failed and self._send):
                found.known.append((place, request, answer))
            elif name is None or not self._send:
                found.nobody.append((place, name))
            else:
                links.append((place, name))
                if name in calls:
                    calls[name].asked_by.append(place)
                else:
                    calls[name] = self._call(place, request, name, kept)
                    found.fresh.append(calls[name])
        for way in {call.request.route for call in found.fresh}:
            server = self._providers[way].server
            if server is not None:
                server.key()  # what cannot be sent must not be noted as going out
        if links:
            note = None if planned is None else lambda tx: planned(tx, links)
            await self._journal.plan([call.intent for call in found.fresh], note)
        return found

    def _call(self, place: int, request: Request, name: str, kept: _Kept) -> Call:
        first = self._providers[request.route].name(replace(request, reask=0)) if request.reask else name
        call = Call(digest=name, first=first or name, request=request, asked_by=[place], tries=kept.tries.get(name, 0))
        cut = kept.cut.get(name)
        answer = self._restored(request, cut)
        if cut is not None and answer is not None and not answer.failed:
            call.cut, call.raised = (cut, answer), 1  # it was paid for; now with more room
        return call

    def _look_up(self, digests: list[str]) -> _Kept:
        with self._database.read() as tx:
            answered = store.answered(tx, digests)
            open_ = [digest for digest in digests if digest not in answered]
            return _Kept(answered, store.tries(tx, digests), store.cut(tx, open_))

    def _restored(self, request: Request, outcome: Outcome | None) -> Answer | None:
        """Read a kept answer; one that today's reader takes for none has failed."""
        if outcome is None:
            return None
        try:
            answer = self._providers[request.route].read(outcome.raw or "", outcome.call, outcome.request_id)
        except CallFailed as failure:
            return Answer(digest=outcome.call, text=None, error=f"{failure.failed.kind}: {failure.failed.text}", failed=True)
        return replace(answer, cost_usd=outcome.cost_usd, latency_s=outcome.usage.get("latency_s"))
