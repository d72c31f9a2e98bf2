"""The calls to one model that wait, that are open, and that come back later."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from judge.calls.pacing import Pacer
from judge.calls.prices import Price
from judge.calls.providers.base import Provider, output_limit
from judge.calls.request import Request

ATTEMPTS: Final = 5  # tries that count; being throttled does not
CHARACTERS_PER_TOKEN: Final = 3.5
_LATENCIES: Final = 200


@dataclass(slots=True, kw_only=True)
class Call:
    """One distinct call on its way.  `asked_by`: the places in the stream that wait for it."""

    digest: str
    request: Request
    asked_by: list[int]
    tries: int = 0  # as the journal numbers them
    failures: int = 0  # tries that count
    raised: int = 0  # how often the output limit was raised

    @property
    def tokens_in(self) -> float:
        """Estimate what is read; only for pacing and reservation."""
        written = sum(len(turn.content) for turn in self.request.messages) + len(self.request.system or "")
        return written / CHARACTERS_PER_TOKEN

    def worst_cost(self, price: Price | None) -> float:
        """Give what one try costs at most."""
        if price is None:
            return 0.0
        limit = output_limit(self.request, self.raised)
        return price.cost(fresh=int(self.tokens_in * 1.3) + 200, cached=0, written=0, out=limit) or 0.0


@dataclass(slots=True, kw_only=True)
class Lane:
    """One model behind one key: its provider, price and pacer, and the calls that wait for it."""

    provider: Provider
    price: Price | None
    pacer: Pacer
    free: bool  # recorded answers cost nothing and need no pacing
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: deque[Call] = field(default_factory=deque)
    later: list[tuple[float, int, Call]] = field(default_factory=list)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENCIES))
    busy: int = 0  # calls on the wire or being written down
    failures_in_a_row: int = 0
    answers: int = 0
    _order: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def idle(self) -> bool:
        """Nothing waits, nothing is open, nothing comes back."""
        return not (self.waiting or self.later or self.busy)

    def put_off(self, call: Call, due: float) -> None:
        """Let a call come back at a moment; it holds no place until then."""
        heapq.heappush(self.later, (due, next(self._order), call))
        self.wake.set()

    def next_call(self, now: float) -> Call | None:
        """Give the next call that may go: one that came back, else the first that waits."""
        if self.later and self.later[0][0] <= now:
            return heapq.heappop(self.later)[2]
        return self.waiting.popleft() if self.waiting else None

    def next_due(self) -> float | None:
        """Say when the next call comes back."""
        return self.later[0][0] if self.later else None

    def timeout_s(self, least: float) -> float:
        """Give how long a call may take: six times what slow ones took so far, and never under `least`."""
        if len(self.latencies) < 20:
            return least
        return max(least, 6 * sorted(self.latencies)[int(0.95 * len(self.latencies))])
