"""Calls to models, for every verb that asks: prices and keys beforehand, one engine under the study's budget, what it cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from judge.calls import Answer, Budget, Engine, Price, Provider, Request, Settings, on_this_machine, prices, provider_for
from judge.domain import MODELS, Judge
from judge.errors import StudyError
from judge.judging import route
from judge.store import calls as journal
from judge.store.calls import Spent
from judge.workflow.alone import alone, at_work_since
from judge.workflow.keys import check_keys, take_keys
from judge.workflow.workspace import Opened

if TYPE_CHECKING:
    from judge.store.database import Transaction

UNREADABLE: Final = frozenset({"malformed", "empty", "unknown_name", "contradictory", "out_of_range", "absent"})
"""Why an answer is asked for once more: nothing can be made of it, and the next may be whole."""

_TOLD_S: Final = 0.5  # how often at least progress is told
JOBS: Final = Settings().most_open  # calls open at once to one model, unless the user says otherwise

Again = Callable[[int], Request]
"""One question: its request, asked for the first time (0) or anew (1, 2, ...) because no answer could be read."""

Answers = tuple[Answer | None, ...]
"""What came of one question: its answer (None: nobody has one), and the second one where it was asked anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How far asking has come: questions done of all, calls on the wire, answers that could not be scored, dollars spent.

    known: of those done, what the journal answered, which took no time.  limit_per_minute: calls a minute that the providers
    allow, as far as they said.  paused_s: seconds for which nothing is sent because a provider asked to wait.
    stopping: nothing more is sent, and what is on the wire is waited for.
    """

    done: int
    of: int
    known: int = 0
    open: int = 0
    limit_per_minute: float | None = None
    paused_s: float = 0.0
    unscored: int = 0
    usd: float = 0.0
    budget_usd: float | None = None
    stopping: bool = False

    @property
    def waiting(self) -> int:
        """Calls that are neither done nor on the wire."""
        return max(0, self.of - self.done - self.open)


Progress = Callable[[Tally], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking: calls, how many were answered and held by the journal, what it cost now, and what those had cost.

    Equal questions are one call.  What was asked anew because no answer could be read is not counted again.
    """

    calls: int = 0
    answered: int = 0
    from_journal: int = 0
    usd: float = 0.0
    saved_usd: float = 0.0
    possibly_paid: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give the counts for programs."""
        return {
            "calls": self.calls,
            "answered": self.answered,
            "from_journal": self.from_journal,
            "usd": round(self.usd, 6),
            "saved_usd": round(self.saved_usd, 6),
            "possibly_paid": self.possibly_paid,
        }


def counted(engine: Engine) -> Asked:
    """Count calls and answers so far."""
    flow = engine.flow
    return Asked(calls=flow.calls, answered=flow.answered + flow.from_journal, from_journal=flow.from_journal)


def with_costs(first: Asked, engine: Engine, before: Spent) -> Asked:
    """Add what asking cost to the counts of what was asked first.  before: what earlier tries had cost until then."""
    flow = engine.flow
    return replace(
        first,
        usd=flow.budget.spent - before.usd,
        saved_usd=flow.saved_usd,
        possibly_paid=before.possibly_paid + flow.lost,
    )


class Telling:
    """Tells whoever asked how far an engine has come: at every 64th answer, and at least every half second."""

    def __init__(self, engine: Engine, progress: Progress | None, of: int) -> None:
        self._engine = engine
        self._progress = progress
        self._done, self._of = 0, of
        self._told = time.monotonic()
        self._unscored: set[int] = set()

    def more(self, count: int) -> None:
        """Take note that so many are asked beyond the plan."""
        self._of += count

    def answered(self, place: int, *, unscored: bool | None) -> None:
        """Take note of an answer, and whether it leaves its question unscored; None: it says nothing of that."""
        if unscored is not None:
            (self._unscored.add if unscored else self._unscored.discard)(place)
        self._done += 1
        if self._done == self._of or self._done % 64 == 0 or time.monotonic() - self._told > _TOLD_S:
            self.news()

    def news(self) -> None:
        """Tell how things stand."""
        self._told = time.monotonic()
        if self._progress:
            self._progress(self._tally())

    def _tally(self) -> Tally:
        flow = self._engine.flow
        return Tally(
            done=self._done,
            of=self._of,
            known=flow.recalled,
            open=flow.open,
            limit_per_minute=flow.limit_per_minute,
            paused_s=flow.paused_s,
            unscored=len(self._unscored),
            usd=flow.budget.spent,
            budget_usd=flow.budget.cap,
            stopping=self._engine.stopping,
        )


def check_prices(judges: Sequence[Judge]) -> None:
    """Raise StudyError for a model whose price is unknown: a cap on money cannot hold then.

    A server on this machine needs none: nobody sends a bill, unless it hands on to a model that has one.
    """
    for judge in judges:
        if judge.source not in MODELS or on_this_machine(judge.base_url):
            continue
        price = prices().find(judge.target)
        if price is None or price.tokens_in is None or price.tokens_out is None:
            form = f"{{date: 2026-11-23, models: {{{judge.target}: {{in: 2, out: 10}}}}}}"
            raise StudyError(
                f"judges.{judge.name}: no price is known for {judge.target} (list of {prices().of}{_ending(price)})",
                hint=f"write its US dollars for a million tokens into a file, and name that by JUDGE_PRICES: {form}",
            )


def _ending(price: Price | None) -> str:
    return f"; its provider ends it on {price.retires}" if price is not None and price.retires else ""


@contextmanager
def engine_for(
    work: Opened,
    judges: Sequence[Judge],
    asked: Callable[[Transaction], Iterable[str]],
    settings: Settings,
    others: Mapping[str, Provider] | None = None,
) -> Iterator[tuple[Engine, Spent]]:
    """Open an engine for these judges under the study's budget, from which earlier calls are taken.

    asked: finds the calls, as they were asked first, whose tries are taken from the budget.  others: providers beside the
    models'.  Gives also what those tries had cost.
    Raises StudyError for a model without a price, FileError for a broken `.env`, StateError beside another command that asks.
    """
    models = [judge for judge in judges if judge.source in MODELS]
    if settings.send:
        check_prices(models)
        take_keys(work.study.folder, models)
    # What another command has on the wire looks like what a killed one had: it would be asked again.
    with alone(work.study.folder, "asks", work.clock) if models and settings.send else nullcontext():
        yield from _engine(work, models, asked, settings, others)


def _engine(
    work: Opened,
    models: Sequence[Judge],
    asked: Callable[[Transaction], Iterable[str]],
    settings: Settings,
    others: Mapping[str, Provider] | None,
) -> Iterator[tuple[Engine, Spent]]:
    with work.database.read() as tx:
        # Who sends is alone at it; beside who only reads, another command may have calls on the wire.
        running = None if settings.send else at_work_since(work.study.folder, "asks")
        before = journal.spent(tx, asked(tx), now_open_since=running)
    budget = Budget(cap=work.study.budget_usd if models else None, spent=before.usd)
    providers = dict(others or {})
    for judge in models:
        if route(judge) not in providers:
            behind = {other.target for other in models if route(other) == route(judge)}
            connections = settings.most_open * len(behind)  # a call that waits for one looks slow, and then lost
            providers[route(judge)] = provider_for(judge.source, judge.base_url, judge.key_env, connections)
    engine = Engine(work.database, providers, work.clock, budget=budget, settings=settings)
    try:
        yield engine, before
    finally:
        engine.close()


def answers(
    work: Opened,
    judges: Sequence[Judge],
    asks: Sequence[Again],
    readable: Callable[[int, Answers], bool],
    settings: Settings,
    progress: Progress | None = None,
) -> tuple[list[Answers], Asked]:
    """Ask models, and once more where an answer cannot be read; give the answers in order, and what they cost.

    readable: whether the answers to the question at this place can be used; a failed call is not asked anew.
    Raises Parked or JudgeError; what was answered until then is in the journal.
    """
    with engine_for(work, judges, lambda _: [ask(0).digest for ask in asks], settings) as (engine, before):
        if settings.send:
            check_keys(judges, partial(_is_open, work, asks))
        telling = Telling(engine, progress, len(asks))
        found: list[Answers] = [(None,)] * len(asks)
        again = []
        for n, answer in engine.stream((ask(0) for ask in asks), waiting=telling.news):
            found[n] = (answer,)
            of_use = readable(n, found[n])
            if not of_use and answer is not None and not answer.failed:
                again.append(n)
            telling.answered(n, unscored=not of_use)
        asked = counted(engine)
        telling.more(len(again))
        for place, answer in engine.stream((asks[n](1) for n in again), waiting=telling.news):
            n = again[place]
            found[n] += (answer,)
            telling.answered(n, unscored=not readable(n, found[n]))
    return found, with_costs(asked, engine, before)


def _is_open(work: Opened, asks: Sequence[Again], judge: Judge) -> bool:
    """Say whether something is left to ask on the way to this judge's model."""
    named = {one.digest for one in (ask(0) for ask in asks) if one.route == route(judge)}
    with work.database.read() as tx:
        return len(journal.answered(tx, list(named))) < len(named)
