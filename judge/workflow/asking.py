"""Judges are asked: plan, requests, answers as they come, readings; anew what could not be read."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from judge.calls import Answer, Engine, RecordedProvider, Request, Settings
from judge.domain import MODELS, OVERALL, Judge, Reading, Reason, Rubric
from judge.judging import Ask, Parsed, asked, parse, plan, request, settles, tagged
from judge.store import calls as journal
from judge.store import judging as store
from judge.workflow.answering import UNREADABLE, Asked, Progress, Telling, counted, engine_for, with_costs
from judge.workflow.keys import check_keys
from judge.workflow.sources import Sources
from judge.workflow.workspace import Opened

if TYPE_CHECKING:
    from judge.store.database import Transaction

_Row: TypeAlias = tuple[store.Cell, Reading, str]  # a reading, with its cell and its parser
_PLANNED: Final = 4096  # asks that are written down by one commit
_FLUSHED_S: Final = 1.0  # after which a report sees what was answered, whatever the batch
_BATCH: Final = 256  # answers whose readings share one commit
_RETRIED: Final = UNREADABLE | {"cut"}  # a refusal is an answer; a call that failed is repeated by the same command


def ask(
    work: Opened,
    judges: Sequence[Judge],
    rubric: Rubric,
    progress: Progress | None,
    settings: Settings,
    *,
    retry: bool = False,
) -> Asked:
    """Ask judges about every pair of the study in both orders, and keep what a parser makes of the answers.

    Answers that cannot be read are asked for once more; `retry` does so for each time that this was in vain, and for
    answers that were cut.  Raises Parked, JudgeError or KeyboardInterrupt; what was answered until then is kept and read.
    """
    asks = plan_of(work.sources, judges)
    for start in range(0, len(asks), _PLANNED):
        with work.database.write() as tx:
            store.plan_asks(tx, (cell for one in asks[start : start + _PLANNED] for cell in cells(work, one, rubric)))
    models = {work.judges[judge.name]: judge.name for judge in judges if judge.source in MODELS}

    def asked_before(tx: Transaction) -> set[str]:
        return {one.call for one in store.asked_calls(tx, work.record.id, work.rubric, models)}

    with engine_for(work, judges, asked_before, settings, {"recorded": _recorded(work, judges)}) as (engine, before):
        if settings.send:
            live = [judge for judge in judges if judge.source in MODELS]
            check_keys(live, partial(_is_open, work, rubric, asks, retry=retry))
        taken = _Taken(work, rubric, asks, engine, progress)
        try:
            _take_all(taken, asks, retry=retry)
        except BaseException:
            taken.keep_open(replaced=False)
            raise
        taken.keep_open(replaced=True)
    return with_costs(taken.first, engine, before)


def _is_open(work: Opened, rubric: Rubric, asks: Sequence[Ask], judge: Judge, *, retry: bool) -> bool:
    """Say whether something is left to ask of this judge: for the first time, or anew because it could not be read."""
    mine = [one for one in asks if one.judge.name == judge.name]
    reasons = _RETRIED if retry else UNREADABLE
    with work.database.read() as tx:
        read = store.readings(tx, work.record.id, work.rubrics(work.sources.pairs), {work.judges[judge.name]: judge.name})
        of_no_use = {
            (one.pair, one.order, one.repeat, criterion)
            for one in read
            if one.reason in reasons
            for criterion in (one.criterion, None)  # None: asked about all criteria at once
        }
        unread = [one for one in mine if (one.pair.id, one.order, one.repeat, one.criterion) in of_no_use]
        named = {request(one, rubric).digest for one in mine} | {request(one, rubric, 1).digest for one in unread}
        return bool(retry and unread) or len(journal.answered(tx, list(named))) < len(named)


def _take_all(taken: _Taken, asks: Sequence[Ask], *, retry: bool) -> None:
    """Ask everything, and anew what gave nothing: as often as the journal has it, and at most once beyond that.

    Repeats are asked when everything was asked once: a run that stops leaves whole pairs, not second answers without first.
    """
    again: dict[int, bool] = {}
    reask = 0
    for repeat in sorted({one.repeat for one in asks}):
        again |= taken.take([place for place, one in enumerate(asks) if one.repeat == repeat], reask)
    while again:
        reask += 1
        known = taken.in_journal(again, reask)
        fresh = [place for place, unreadable in again.items() if retry or (unreadable and reask == 1)]
        left = taken.take(sorted({*known, *fresh}), reask)
        again = {place: unreadable for place, unreadable in left.items() if place in known}


def plan_of(sources: Sources, judges: Sequence[Judge]) -> list[Ask]:
    """Plan the calls of judges; a recorded judge is asked as often as its recordings say."""
    repeats = {
        name: max((recording.repeat for recording in recordings), default=1) for name, recordings in sources.recordings.items()
    }
    asks = plan(sources.pairs, judges, repeats, sources.study.rubric)
    there = {tag for name, recordings in sources.recordings.items() for tag in tagged(recordings, name)}
    return [one for one in asks if one.judge.source in MODELS or one.repeat == 1 or one.tag in there]


def _recorded(work: Opened, judges: Sequence[Judge]) -> RecordedProvider:
    recordings = {
        tag: recording
        for judge in judges
        if judge.source == "recorded"
        for tag, recording in tagged(work.sources.recordings[judge.name], judge.name).items()
    }
    return RecordedProvider(recordings)


class _Taken:
    """Takes answers as they come, in any order, and keeps their readings in batches."""

    def __init__(self, work: Opened, rubric: Rubric, asks: Sequence[Ask], engine: Engine, progress: Progress | None) -> None:
        self._work = work
        self._rubric = rubric
        self._asks = asks
        self._engine = engine
        self._telling = Telling(engine, progress, len(asks))
        self._read: list[_Row] = []
        self._open: dict[int, list[_Row]] = {}  # what another answer may settle, by place
        self._waiting = 0
        self._flushed = time.monotonic()
        self._left: dict[int, bool] = {}
        self._lacking: dict[int, frozenset[str]] = {}  # criteria that could not be read, by place
        self.first = Asked()  # what was asked for the first time

    def take(self, places: Collection[int], reask: int) -> Mapping[int, bool]:
        """Ask for the asks at these places, and keep what comes.

        Gives the places whose answer was no use but might be another time: whether it could not be read (else it was cut).
        """
        self._left = {}
        if reask:  # the plan itself was counted from the start
            self._telling.more(len(places))
        order = list(places)
        planned = None if reask else partial(self._note, order)  # what is asked anew is found by what was asked first
        try:
            for n, answer in self._engine.stream(self._requests(order, reask), planned, self._telling.news):
                unscored = self._one(order[n], answer, reask)
                self._telling.answered(order[n], unscored=unscored)
        finally:
            self._flush()
        if not reask:
            self.first = counted(self._engine)
        return self._left

    def _note(self, order: Sequence[int], tx: Transaction, calls: Sequence[tuple[int, str]]) -> None:
        """Note which call asks which cells.  calls: places in the order of asking, each with its call."""
        asked = [(self._asks[order[n]], call) for n, call in calls]
        store.note_calls(tx, (cell for one, call in asked for cell in cells(self._work, one, self._rubric, call)))

    def in_journal(self, places: Collection[int], reask: int) -> set[int]:
        """Find those of these places that were asked so often before and answered."""
        named = {place: request(self._asks[place], self._rubric, reask).digest for place in places}
        with self._work.database.read() as tx:
            there = journal.answered(tx, list(named.values()))
        return {place for place, call in named.items() if call in there}

    def _requests(self, places: Sequence[int], reask: int) -> Iterator[Request]:
        return (request(self._asks[place], self._rubric, reask) for place in places)

    def _one(self, place: int, answer: Answer | None, reask: int) -> bool | None:
        """Take one answer; say whether it leaves the pair without an overall value, None when it says nothing of that."""
        one = self._asks[place]
        live, came = one.judge.source in MODELS, answer is not None and not answer.failed
        parsed = parse(answer, self._rubric, one.order, one.pair.example.checklist, one.criterion)
        wanted = frozenset(said.criterion for said in parsed) if reask == 0 else self._filled(place, parsed)
        reasons = self._lacks(place, parsed, wanted)
        if live and came and not reasons.isdisjoint(_RETRIED):
            self._left[place] = not reasons.isdisjoint(UNREADABLE)
        if live and answer is None:
            return None  # never asked, which is no reading
        read = [row for row in readings(self._work, one, answer, parsed, self._rubric) if row[1].criterion in wanted]
        self._keep(place, read, wanted, settled=reask > 0 or place not in self._left)
        overall = [said.value is None for said in parsed if said.criterion == OVERALL and said.criterion in wanted]
        return overall[0] if overall else None

    def _lacks(self, place: int, parsed: Sequence[Parsed], wanted: frozenset[str]) -> set[Reason | None]:
        """Note which criteria could not be read so far; say why this answer does not settle them."""
        lacking = self._lacking.pop(place, wanted) - {said.criterion for said in parsed if said.reason is None}
        if lacking:
            self._lacking[place] = lacking
        return {said.reason for said in parsed if said.criterion in lacking}

    def _keep(self, place: int, read: Sequence[_Row], wanted: frozenset[str], *, settled: bool) -> None:
        """Keep readings of these criteria; unless all is settled, those wait that another answer may settle."""
        open_ = [row for row in self._open.pop(place, []) if row[1].criterion not in wanted]
        if not settled:
            open_ += [row for row in read if row[1].reason in _RETRIED]
        if open_:
            self._open[place] = open_
        self._read += [row for row in read if settled or row[1].reason not in _RETRIED]
        self._waiting += 1
        if self._waiting >= _BATCH or time.monotonic() - self._flushed > _FLUSHED_S:
            self._flush()

    def _filled(self, place: int, parsed: Sequence[Parsed]) -> frozenset[str]:
        """Give the criteria that could not be read and that another answer settles; what was read before it stays."""
        lacking = self._lacking.get(place, frozenset())
        return frozenset(s.criterion for s in parsed if s.criterion in lacking and settles(s))

    def keep_open(self, *, replaced: bool) -> None:
        """Keep the readings that no answer settled.

        replaced: in place of what was read before; else, after a stop, beside it: an earlier run may have settled them.
        """
        rows = [row for rows in self._open.values() for row in rows]
        with self._work.database.write() as tx:
            if replaced:
                store.put_asks(tx, [cell for cell, _, _ in rows])
            store.put_readings(tx, rows, replaced=replaced)

    def _flush(self) -> None:
        read, self._read, self._waiting = self._read, [], 0
        self._flushed = time.monotonic()
        if read:
            with self._work.database.write() as tx:
                store.put_asks(tx, [cell for cell, _, _ in read])
                store.put_readings(tx, read)


def cells(work: Opened, one: Ask, rubric: Rubric, call: str | None = None) -> list[store.Cell]:
    """Give the cells of one ask: one for each criterion."""
    return [
        store.Cell(
            pair=work.pairs[one.pair.id],
            judge=work.judges[one.judge.name],
            rubric=work.asked_by[one.pair.id],
            criterion=question.id,
            order=one.order,
            repeat=one.repeat,
            call=call,
        )
        for question in asked(rubric, one.pair.example.checklist, one.criterion)
    ]


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
