"""Requests are looked up and planned, some hundreds at a time, before anything is spent on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

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
    nobody: list[int] = field(default_factory=list)


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
        """
        named = [(place, request, self._providers[request.route].name(request)) for place, request in batch]
        known, tries = await asyncio.to_thread(self._look_up, [name for _, _, name in named if name])
        found = Batch()
        links: list[tuple[int, str]] = []
        for place, request, name in named:
            if name is not None and name in known:
                found.known.append((place, request, self._restored(request, known[name])))
            elif name is None or not self._send:
                found.nobody.append(place)
            else:
                links.append((place, name))
                if name in calls:
                    calls[name].asked_by.append(place)
                else:
                    calls[name] = self._call(place, request, name, tries.get(name, 0))
                    found.fresh.append(calls[name])
        if links:
            note = None if planned is None else lambda tx: planned(tx, links)
            await self._journal.plan([call.intent for call in found.fresh], note)
        return found

    def _call(self, place: int, request: Request, name: str, tries: int) -> Call:
        first = self._providers[request.route].name(replace(request, reask=0)) if request.reask else name
        return Call(digest=name, first=first or name, request=request, asked_by=[place], tries=tries)

    def _look_up(self, digests: list[str]) -> tuple[dict[str, Outcome], dict[str, int]]:
        with self._database.read() as tx:
            return store.answered(tx, digests), store.tries(tx, digests)

    def _restored(self, request: Request, outcome: Outcome) -> Answer:
        answer = self._providers[request.route].read(outcome.raw or "", outcome.call, outcome.request_id)
        return replace(answer, cost_usd=outcome.cost_usd, latency_s=outcome.usage.get("latency_s"))
