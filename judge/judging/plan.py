"""What is asked, before anything is spent: one ask for each pair, judge, order and repeat, and the request that carries it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from judge.calls import Request
from judge.data import pair_digest
from judge.domain import MODELS, ORDERS, Judge, Order, Pair, Reading, Recording, Rubric
from judge.ids import canonical_json, digest
from judge.judging.parse import asked
from judge.judging.prompt import answer_schema, prompt

REPEATED: Final = 0.1  # of the pairs are asked about once more


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One cell of the plan: a judge is asked about a pair, in one order, for the n-th time; perhaps about one criterion."""

    pair: Pair
    judge: Judge
    order: Order
    repeat: int = 1
    criterion: str | None = None

    @property
    def tag(self) -> str:
        """Name the cell for the engine, which sees no more than this string."""
        return recording_tag(self.pair.id, self.judge.name, self.order, self.repeat, self.criterion)


def recording_tag(pair: str, judge: str, order: Order, repeat: int, criterion: str | None = None) -> str:
    """Give the tag under which the answer to one cell is found."""
    return canonical_json([pair, judge, order, repeat, *([] if criterion is None else [criterion])])


def plan(
    pairs: Sequence[Pair],
    judges: Sequence[Judge],
    repeats: Mapping[str, int] | None = None,
    rubric: Rubric | None = None,
) -> list[Ask]:
    """Plan both orders of every pair for every judge; pairs of equal texts need no call.

    rubric: names the criteria for a judge that is asked about one in a call.

    repeats: how often each judge (by name) is asked the same; a judge that is not named there is asked `judge.repeats`
    times.  A model that is asked once is asked again about a tenth of the pairs, in one order (`order_again`): so that what
    the order of showing does is told from what asking again does.
    """
    counts = repeats or {}
    asks = [
        Ask(pair=pair, judge=judge, order=order, repeat=repeat)
        for pair in pairs
        if not pair.identical
        for judge in judges
        for repeat in range(1, counts.get(judge.name, judge.repeats) + 1)
        for order in ORDERS
    ]
    again = [
        Ask(pair=pair, judge=judge, order=order_again(pair), repeat=2)
        for judge in judges
        if judge.source in MODELS and judge.repeats == 1
        for pair in asked_again(pairs)
    ]
    return [one for ask in (*asks, *again) for one in _by_criterion(ask, rubric)]


def _by_criterion(ask: Ask, rubric: Rubric | None) -> list[Ask]:
    """Split an ask of a judge that is asked about one criterion in a call."""
    if ask.judge.per_call == "all" or rubric is None:
        return [ask]
    return [replace(ask, criterion=question.id) for question in asked(rubric, ask.pair.example.checklist)]


def asked_again(pairs: Sequence[Pair]) -> list[Pair]:
    """Draw the tenth of the pairs that is asked about once more, by their digests: the same ones whatever the order of rows."""
    drawn = sorted((pair for pair in pairs if not pair.identical), key=lambda pair: digest("repeat", pair.id))
    return drawn[: math.ceil(len(drawn) * REPEATED)] if len(drawn) >= 10 else []


def order_again(pair: Pair) -> Order:
    """Give the order in which a pair is asked about once more, should it be drawn: by its digest, whatever else is judged.

    Were it another one in another run, the pair would have been asked twice in both orders, and its verdict would change.
    """
    return ORDERS[int(pair_digest(pair)[:8], 16) % 2]


def is_planned(reading: Reading, judge: Judge, again: Mapping[str, Order]) -> bool:
    """Say whether a model's reading is one that is planned now: what was asked beyond that counts for nothing.

    again: the order in which each pair is asked about once more, of those that are; see `asked_again` and `order_again`.
    """
    once_more = judge.repeats == 1 and reading.repeat == 2 and again.get(reading.pair) == reading.order
    return judge.source not in MODELS or reading.repeat <= judge.repeats or once_more


def request(ask: Ask, rubric: Rubric, reask: int = 0) -> Request:
    """Write the request for one ask.  reask: asked anew because no answer could be read."""
    system, messages = prompt(ask.pair, rubric, ask.order, ask.criterion)
    return Request(
        provider=ask.judge.source,
        model=ask.judge.target,
        base_url=ask.judge.base_url,
        effort=ask.judge.effort,
        system=system,
        messages=messages,
        schema=answer_schema(rubric, ask.pair.example.checklist, ask.criterion),
        repeat=ask.repeat,
        tag=ask.tag,
        route=route(ask.judge),
        reask=reask,
    )


def route(judge: Judge) -> str:
    """Name the way to a judge's model: judges behind one server and key share one."""
    if judge.source not in MODELS:
        return judge.source
    return f"{judge.source} {judge.base_url or ''} {judge.key_env or ''}"


def tagged(recordings: Iterable[Recording], judge: str) -> dict[str, Recording]:
    """Give one judge's recordings by the tag of the cell they answer; a recording without a judge is anybody's."""
    return {
        recording_tag(recording.pair, judge, recording.order, recording.repeat): recording
        for recording in recordings
        if recording.judge in (None, judge)
    }
