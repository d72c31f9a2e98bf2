"""Calls to models, for every verb that asks: prices and keys beforehand, one engine under the study's budget, what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

from judge.calls import Answer, Budget, Engine, Provider, Request, Settings, on_this_machine, prices, provider_for
from judge.domain import Judge
from judge.errors import StudyError
from judge.judging import MODELS, route
from judge.store import calls as journal
from judge.workflow.alone import alone
from judge.workflow.keys import take_keys
from judge.workflow.workspace import Opened

UNREADABLE: Final = frozenset({"malformed", "empty", "unknown_name", "contradictory", "out_of_range", "absent"})
"""Why an answer is asked for once more: nothing can be made of it, and the next may be whole."""

JOBS: Final = Settings().most_open  # calls open at once to one model, unless the user says otherwise

Again = Callable[[int], Request]
"""One question: its request, asked for the first time (0) or anew (1, 2, ...) because no answer could be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How far asking has come: calls done of all, on the wire, answers that could not be scored, US dollars of the budget.

    known: calls that the journal answered, which took no time.  limit_per_minute: calls a minute that the providers allow,
    as far as they said.
    """

    done: int
    of: int
    known: int = 0
    open: int = 0
    limit_per_minute: float | None = None
    unscored: int = 0
    usd: float = 0.0
    budget_usd: float | None = None


Progress = Callable[[Tally], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking: calls planned and answered, how many the journal held, what it cost now, and what those had cost."""

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


def asked_of(engine: Engine, spent_before: float, *, calls: int, answered: int, from_journal: int, lost: int) -> Asked:
    """Say what asking came to.  spent_before: what the budget had spent when the engine was opened; lost: tries before it."""
    flow = engine.flow
    return Asked(
        calls=calls,
        answered=answered,
        from_journal=from_journal,
        usd=flow.budget.spent - spent_before,
        saved_usd=flow.saved_usd,
        possibly_paid=lost + flow.lost,
    )


def tally_of(engine: Engine, done: int, of: int, unscored: int = 0) -> Tally:
    """Say how far an engine has come."""
    flow = engine.flow
    return Tally(
        done=done,
        of=of,
        known=flow.from_journal,
        open=flow.open,
        limit_per_minute=flow.limit_per_minute,
        unscored=unscored,
        usd=flow.budget.spent,
        budget_usd=flow.budget.cap,
    )


def check_prices(judges: Sequence[Judge]) -> None:
    """Raise StudyError for a model whose price is unknown: a cap on money cannot hold then.

    A server on this machine needs none: nobody sends a bill, unless it hands on to a model that has one.
    """
    for judge in judges:
        if judge.source not in MODELS or on_this_machine(judge.base_url):
            continue
        price = prices().find(judge.target)
        if price is None or price.tokens_in is None:
            raise StudyError(
                f"judges.{judge.name}: no price is known for {judge.target} (list of {prices().of})",
                hint="write it into a file and name that by JUDGE_PRICES: models: {NAME: {in: 2, out: 10}}",
            )


def tried(work: Opened, asks: Sequence[Again]) -> list[str]:
    """Name every call that was ever tried for these questions: the first ones, and each that was asked anew after it."""
    found: list[str] = []
    waiting, again = asks, 0
    while waiting:
        named = {ask(again).digest: ask for ask in waiting}
        with work.database.read() as tx:
            there = journal.tries(tx, list(named))
        found += there
        waiting, again = [named[call] for call in there], again + 1
    return found


@contextmanager
def engine_for(
    work: Opened,
    judges: Sequence[Judge],
    asks: Sequence[Again],
    settings: Settings,
    others: Mapping[str, Provider] | None = None,
) -> Iterator[tuple[Engine, int]]:
    """Open an engine for these judges under the study's budget, from which earlier calls of the same questions are taken.

    others: providers beside the models'.  Gives also how many earlier tries may have been paid without an answer.
    Raises StudyError for a model without a price, FileError for a broken `.env`, StateError beside another command that asks.
    """
    models = [judge for judge in judges if judge.source in MODELS]
    if settings.send:
        check_prices(models)
        take_keys(work.study.folder, models)
    # What another command has on the wire looks like what a killed one had: it would be asked again.
    with alone(work.study.folder, "asks") if models and settings.send else nullcontext():
        yield from _engine(work, models, asks, settings, others)


def _engine(
    work: Opened,
    models: Sequence[Judge],
    asks: Sequence[Again],
    settings: Settings,
    others: Mapping[str, Provider] | None,
) -> Iterator[tuple[Engine, int]]:
    calls = tried(work, asks)
    with work.database.read() as tx:
        spent, lost = journal.spent_usd(tx, calls), journal.possibly_paid(tx, calls)
    budget = Budget(cap=work.study.budget_usd if models else None, spent=spent)
    providers = dict(others or {})
    for judge in models:
        if route(judge) not in providers:
            providers[route(judge)] = provider_for(judge.source, judge.base_url, judge.key_env, settings.most_open)
    engine = Engine(work.database, providers, work.clock, budget=budget, settings=settings)
    try:
        yield engine, lost
    finally:
        engine.close()


def answers(
    work: Opened,
    judges: Sequence[Judge],
    asks: Sequence[Again],
    readable: Callable[[int, Answer | None], bool],
    settings: Settings,
    progress: Progress | None = None,
) -> tuple[list[Answer | None], Asked]:
    """Ask models, and once more where no answer can be read; give the answers in order, and what they cost.

    readable: whether the answer to the question at this place can be used; a failed call is not asked anew.
    Raises Parked or JudgeError; what was answered until then is in the journal.
    """
    with engine_for(work, judges, asks, settings) as (engine, lost):
        spent = engine.flow.budget.spent

        def tell(done: int, of: int) -> None:
            if progress:
                progress(tally_of(engine, done, of))

        first = engine.submit([ask(0) for ask in asks], tell)
        found = list(first.answers)
        again = [n for n, answer in enumerate(found) if answer and not answer.failed and not readable(n, answer)]
        for n, answer in zip(again, engine.submit([asks[n](1) for n in again]).answers, strict=True):
            if readable(n, answer):
                found[n] = answer
    answered = sum(answer is not None and not answer.failed for answer in found)
    return found, asked_of(engine, spent, calls=len(asks), answered=answered, from_journal=first.from_journal, lost=lost)
