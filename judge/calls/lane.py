"""The calls to one model that wait, that are open, and that come back later."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from judge.calls.pacing import Pacer
from judge.calls.prices import Price
from judge.calls.providers.base import Provider, output_limit
from judge.calls.request import Answer, Request, Usage
from judge.store.calls import Intent, Outcome

ATTEMPTS: Final = 5  # tries that count; being throttled does not
DOWN: Final = 50  # failures in a row, after which a provider is taken for down
SILENT: Final = 3  # failures in a row that tell silence from one lost call
WRONG: Final = 5  # refused requests at the very beginning, after which the settings are in doubt
CHARACTERS_PER_TOKEN: Final = 3.5
_LATENCIES: Final = 200
_KNOWN: Final = 20  # answers after which it is known how long they take
_PATIENCE: Final = 5
_THINKS_LONG: Final = frozenset({"high", "xhigh", "max"})
_OUT: Final = 300  # tokens of an answer, as long as none has come
_AROUND: Final = 200  # tokens that a provider puts around the turns


@dataclass(slots=True, kw_only=True)
class Call:
    """One distinct call on its way.  `asked_by`: the places in the stream that wait for it."""

    digest: str
    first: str  # the call before any that could not be read
    request: Request
    asked_by: list[int]
    tries: int = 0  # as the journal numbers them
    failures: int = 0  # tries that count
    raised: int = 0  # how often the output limit was raised; -1: it is left to the server
    cut: tuple[Outcome, Answer] | None = None  # the answer that was cut, should no longer one be had
    sent_at: float = 0.0  # of the last try
    estimate: float = 0.0  # of the tokens that it takes of the limit
    worst_usd: float = 0.0  # that the try on its way may cost
    tokens_in: float = field(init=False)  # that are read, about; only for pacing
    most_tokens_in: int = field(init=False)  # that are read at most: no text has more tokens than bytes

    def __post_init__(self) -> None:
        """Measure the request once: every try asks for its size."""
        words = [self.request.system or "", *(turn.content for turn in self.request.messages)]
        schema = 0 if self.request.schema is None else len(json.dumps(self.request.schema))
        self.tokens_in = (sum(map(len, words)) + schema) / CHARACTERS_PER_TOKEN + _AROUND / 10
        self.most_tokens_in = sum(len(text.encode("utf-8", "surrogatepass")) for text in words) + schema + _AROUND

    @property
    def spent(self) -> bool:
        """It has failed as often as a call may."""
        return self.failures >= ATTEMPTS

    @property
    def intent(self) -> Intent:
        """Give what is written down before anything is spent."""
        request = self.request
        return Intent(digest=self.digest, first=self.first, repeat=request.repeat, request=request.content(), tag=request.tag)

    def worst_cost(self, price: Price | None) -> float:
        """Give what one try costs at most, in US dollars; what is read may also be written into a cache."""
        if price is None:
            return 0.0
        read, limit = self.most_tokens_in, output_limit(self.request, self.raised)
        costs = (price.cost(fresh=read - n, cached=0, written=n, out=limit) for n in (0, read))
        return max(cost or 0.0 for cost in costs)


@dataclass(slots=True, kw_only=True)
class Lane:
    """One model behind one key: its provider, price and pacer, and the calls that wait for it.

    who: how messages call the model, and where it is asked.
    """

    who: str
    provider: Provider
    price: Price | None
    pacer: Pacer
    free: bool  # recorded answers cost nothing and need no pacing
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: deque[Call] = field(default_factory=deque)
    armed: deque[Call] = field(default_factory=deque)  # on disk as going out, and waiting for a place
    arming: int = 0  # being written down as going out
    later: list[tuple[float, int, Call]] = field(default_factory=list)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENCIES))
    lengths: deque[int] = field(default_factory=lambda: deque(maxlen=_LATENCIES))  # of answers, in tokens
    long_answer: int = _OUT  # tokens that nine of ten answers stay under
    busy: int = 0  # calls on the wire, or being written down before or after it
    failures_in_a_row: int = 0
    answers: int = 0
    refused: int = 0  # requests that were not accepted as they are
    refusal: str = ""  # and what was said to the last of them
    _order: itertools.count[int] = field(default_factory=itertools.count)

    def cost(self, call: Call, usage: Usage) -> float:
        """Give what an answer cost, in US dollars; one that does not say what it took is taken at its worst."""
        if self.free or self.price is None:
            return 0.0
        if usage.tokens_in is None or usage.tokens_out is None:
            return call.worst_cost(self.price)
        fresh = max(0, usage.tokens_in - usage.cached - usage.written)
        found = self.price.cost(fresh=fresh, cached=usage.cached, written=usage.written, out=usage.tokens_out)
        return found or 0.0

    @property
    def in_doubt(self) -> bool:
        """Several requests were refused and not one was answered: the settings may be wrong, or these texts too long."""
        return self.answers == 0 and self.refused >= WRONG

    @property
    def idle(self) -> bool:
        """Nothing waits, nothing is open, nothing comes back."""
        return not (self.waiting or self.later or self.armed or self.busy)

    def tokens(self, call: Call) -> float:
        """Estimate what a call takes of a limit on tokens: what is read, and as much as long answers had so far.

        Anthropic's limit that we read is one of input tokens alone.
        """
        if call.request.provider == "anthropic":
            return call.tokens_in
        return call.tokens_in + self.long_answer

    def took(self, call: Call, usage: Usage) -> None:
        """Learn from an answer what calls take, and put the estimate of this one right."""
        if usage.tokens_out is None or usage.tokens_in is None:
            return
        self.lengths.append(usage.tokens_out)
        self.long_answer = sorted(self.lengths)[int(0.9 * len(self.lengths))]
        out = 0 if call.request.provider == "anthropic" else usage.tokens_out
        self.pacer.tokens.give_back(call.estimate - usage.tokens_in - out)

    def put_off(self, call: Call, due: float) -> None:
        """Let a call come back at a moment; it holds no place until then."""
        heapq.heappush(self.later, (due, next(self._order), call))
        self.wake.set()

    def next_call(self, now: float) -> Call | None:
        """Give the next call that may go: one that came back, else the first that waits, unless there is doubt."""
        if self.later and self.later[0][0] <= now:
            return heapq.heappop(self.later)[2]
        return self.waiting.popleft() if self.waiting and not self.in_doubt else None

    def next_due(self) -> float | None:
        """Say when the next call comes back."""
        return self.later[0][0] if self.later else None

    def timeout_s(self, call: Call, least: float) -> float:
        """Give how long a call may take: six times what slow ones took so far, and never under `least`.

        A model that thinks hard, and a server of one's own, may take five times as long before more is known.
        """
        if len(self.latencies) < _KNOWN:
            return least * (_PATIENCE if call.request.base_url or call.request.effort in _THINKS_LONG else 1)
        return max(least, 6 * sorted(self.latencies)[int(0.95 * len(self.latencies))])

    def down(self, call: Call, least: float, last_answer: float, now: float) -> bool:
        """Tell a provider that is down from calls that are lost now and then.  least: see `timeout_s`."""
        in_a_row = self.failures_in_a_row
        # A call that went out after the last answer and was waited for in vain: no answer came for so long.
        unheard = call.sent_at > last_answer and now - last_answer >= self.timeout_s(call, least)
        return (unheard and in_a_row >= SILENT) or in_a_row >= DOWN or (self.answers == 0 and call.spent)
