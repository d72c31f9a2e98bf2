"""Judges are asked: plan, requests, answers as they come, readings; once more what could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from judge.calls import Answer, Budget, Engine, Progress, Provider, RecordedProvider, Request, Settings, prices, provider_for
from judge.domain import Judge, Reading, Rubric
from judge.errors import StudyError
from judge.judging import MODELS, Ask, Parsed, asked, checklist_of, parse, plan, request, route, tagged
from judge.store import calls as journal
from judge.store import judging as store
from judge.workflow.workspace import Opened

_BATCH: Final = 256  # answers whose readings share one commit
_UNREADABLE: Final = frozenset({"malformed", "empty", "unknown_name", "contradictory", "out_of_range", "absent"})
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking: calls planned and answered, how many the journal held, and what it cost now."""

    calls: int = 0
    answered: int = 0
    from_journal: int = 0
    usd: float = 0.0
    possibly_paid: int = 0


def ask(work: Opened, judges: Sequence[Judge], rubric: Rubric, progress: Progress | None, settings: Settings) -> Asked:
    """Ask judges about every pair of the study in both orders, and keep what a parser makes of the answers.

    Answers that cannot be read are asked for once more.  Raises Parked, JudgeError or KeyboardInterrupt; what was
    answered until then is kept and read.
    """
    check_prices(judges)
    asks = plan_of(work, judges)
    for start in range(0, len(asks), _BATCH):
        with work.database.write() as tx:
            store.put_asks(tx, [cell for one in asks[start : start + _BATCH] for cell in cells(work, one, rubric)])
    digests = [request(one, rubric).digest for one in asks if one.judge.source in MODELS]
    with work.database.read() as tx:
        spent, lost = journal.spent_usd(tx, digests), journal.possibly_paid(tx, digests)
    free = not any(judge.source in MODELS for judge in judges)
    budget = Budget(cap=None if free else work.study.budget_usd, spent=spent)
    engine = Engine(work.database, _providers(work, judges, settings), work.clock, budget=budget, settings=settings)
    try:
        taken = _Taken(work, rubric, asks, progress)
        taken.take(engine, range(len(asks)), reask=0)
        again = taken.unreadable
        if again and settings.send:
            taken.take(engine, again, reask=1)
    finally:
        engine.close()
    return Asked(
        calls=len(asks),
        answered=taken.answered,
        from_journal=engine.flow.from_journal,
        usd=budget.spent - spent,
        possibly_paid=lost,
    )


def plan_of(work: Opened, judges: Sequence[Judge]) -> list[Ask]:
    """Plan the calls of judges; a recorded judge is asked as often as its recordings say."""
    repeats = {
        name: max((recording.repeat for recording in recordings), default=1)
        for name, recordings in work.sources.recordings.items()
    }
    asks = plan(work.sources.pairs, judges, repeats)
    there = {tag for name, recordings in work.sources.recordings.items() for tag in tagged(recordings, name)}
    return [one for one in asks if one.judge.source in MODELS or one.repeat == 1 or one.tag in there]


def check_prices(judges: Sequence[Judge]) -> None:
    """Raise StudyError for a model whose price is unknown: a cap on money cannot hold then.

    A server on this machine is nobody's to bill.
    """
    for judge in judges:
        if judge.source not in MODELS or is_own(judge):
            continue
        price = prices().find(judge.target)
        if price is None or price.tokens_in is None:
            raise StudyError(
                f"judges.{judge.name}: no price is known for {judge.target} (list of {prices().of})",
                hint="write it into a file and name that by JUDGE_PRICES: models: {NAME: {in: 2, out: 10}}",
            )


def is_own(judge: Judge) -> bool:
    """The judge's server runs on this machine."""
    return judge.base_url is not None and urlsplit(judge.base_url).hostname in LOOPBACK


def _providers(work: Opened, judges: Sequence[Judge], settings: Settings) -> dict[str, Provider]:
    recordings = {
        tag: recording
        for judge in judges
        if judge.source == "recorded"
        for tag, recording in tagged(work.sources.recordings[judge.name], judge.name).items()
    }
    providers: dict[str, Provider] = {"recorded": RecordedProvider(recordings)}
    for judge in judges:
        if judge.source in MODELS and route(judge) not in providers:
            providers[route(judge)] = provider_for(judge.source, judge.base_url, judge.key_env, settings.most_open)
    return providers


class _Taken:
    """Takes answers as they come, in any order, and keeps their readings in batches."""

    def __init__(self, work: Opened, rubric: Rubric, asks: Sequence[Ask], progress: Progress | None) -> None:
        self._work = work
        self._rubric = rubric
        self._asks = asks
        self._progress = progress
        self._read: list[tuple[store.Cell, Reading, str]] = []
        self._waiting = 0
        self.answered = 0
        self.unreadable: list[int] = []

    def take(self, engine: Engine, places: Sequence[int], reask: int) -> None:
        """Ask for the asks at these places, and keep what comes."""
        try:
            for done, (n, answer) in enumerate(engine.stream(self._requests(places, reask)), 1):
                self._one(places[n], answer, reask)
                if self._progress and (done % 64 == 0 or done == len(places)):
                    self._progress(done, len(places))
        finally:
            self._flush()

    def _requests(self, places: Sequence[int], reask: int) -> Iterator[Request]:
        return (request(self._asks[place], self._rubric, reask) for place in places)

    def _one(self, place: int, answer: Answer | None, reask: int) -> None:
        one = self._asks[place]
        parsed = parse(answer, self._rubric, one.order, checklist_of(one.pair.example))
        unreadable = any(said.reason in _UNREADABLE for said in parsed)
        if reask == 0:
            self.answered += answer is not None and not answer.failed
            if unreadable and answer is not None and not answer.failed and one.judge.source in MODELS:
                self.unreadable.append(place)
        elif unreadable:
            return  # no better than the first one, which is kept
        self._read += readings(self._work, one, answer, parsed, self._rubric)
        self._waiting += 1
        if self._waiting >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        read, self._read, self._waiting = self._read, [], 0
        if read:
            with self._work.database.write() as tx:
                store.put_asks(tx, [cell for cell, _, _ in read])
                store.put_readings(tx, read)


def cells(work: Opened, one: Ask, rubric: Rubric, call: str | None = None) -> list[store.Cell]:
    """Give the cells of one ask: one for each criterion."""
    whole = store.Cell(
        pair=work.pairs[one.pair.id],
        judge=work.judges[one.judge.name],
        rubric=work.rubric,
        criterion="",
        order=one.order,
        repeat=one.repeat,
        call=call,
    )
    return [replace(whole, criterion=question.id) for question in asked(rubric, checklist_of(one.pair.example))]


def readings(
    work: Opened, one: Ask, answer: Answer | None, parsed: Sequence[Parsed], rubric: Rubric
) -> list[tuple[store.Cell, Reading, str]]:
    """Write what one answer said as readings, each with its cell and its parser."""
    call = answer.digest if answer is not None else None
    whole = Reading(
        pair=one.pair.id,
        judge=one.judge.name,
        order=one.order,
        repeat=one.repeat,
        value=None,
        rubric=work.rubric,
        model=answer.model if answer else None,
        request_id=answer.request_id if answer else None,
        tokens_in=answer.tokens_in if answer else None,
        tokens_out=answer.tokens_out if answer else None,
        cost_usd=answer.cost_usd if answer else None,
        digest=call,
    )
    return [
        (
            cell,
            replace(
                whole,
                criterion=said.criterion,
                value=said.value,
                reason=said.reason,
                rationale=said.rationale,
                a_pass=said.a_pass,
                b_pass=said.b_pass,
            ),
            said.parser,
        )
        for cell, said in zip(cells(work, one, rubric, call), parsed, strict=True)
    ]
