"""What judging cost, from the journal: every try that was paid or may have been, not only those whose answer is read today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from judge.decision.report import Cost
from judge.domain import MODELS, Judge, Reading
from judge.store import calls as journal
from judge.store import judging as store
from judge.workflow.alone import at_work_since
from judge.workflow.workspace import Opened


class Given:
    """What answers from files say that they cost, by judge, in all and for repeats; added some pairs at a time."""

    def __init__(self, work: Opened) -> None:
        self.by_judge: defaultdict[str, float] = defaultdict(float)
        self.repeats: defaultdict[str, float] = defaultdict(float)
        self._models = {judge.name for judge in _models(work)}
        self._seen: set[object] = set()

    def add(self, readings: Iterable[Reading]) -> None:
        """Take note of readings.  All criteria of one call carry its cost, and equal pairs share it; it was paid once.

        Where nothing names the calls, criteria of equal cost are taken for one call.
        """
        for one in readings:
            if one.cost_usd is None or one.judge in self._models:
                continue
            call = one.judge, one.digest or one.request_id or (one.pair, one.order, one.repeat, one.cost_usd)
            if call in self._seen:
                continue
            self._seen.add(call)
            self.by_judge[one.judge] += one.cost_usd
            if one.repeat > 1:
                self.repeats[one.judge] += one.cost_usd


def cost_of(work: Opened, given: Given, pairs: Collection[str]) -> Cost:
    """Add up what these pairs cost by judge, and what of it was for repeats.

    Models are counted by their tries, answers from files by what they say they cost.
    """
    by_judge, repeats = given.by_judge.copy(), given.repeats.copy()
    running = at_work_since(work.study.folder, "asks")
    lost = on_the_wire = 0
    for (judge, again), calls in _calls(work, _models(work), pairs).items():
        with work.database.read() as tx:
            spent = journal.spent(tx, calls, now_open_since=running)
        by_judge[judge] += spent.usd
        lost, on_the_wire = lost + spent.possibly_paid, on_the_wire + spent.on_the_wire
        if again:
            repeats[judge] += spent.usd
    return Cost(
        usd=sum(by_judge.values()),
        by_judge=dict(by_judge),
        repeats=dict(repeats),
        possibly_paid=lost,
        on_the_wire=on_the_wire,
    )


def _models(work: Opened) -> list[Judge]:
    return [judge for judge in work.study.judges.values() if judge.source in MODELS]


def _calls(work: Opened, models: Sequence[Judge], pairs: Collection[str]) -> dict[tuple[str, bool], set[str]]:
    """Give the calls to each model about these pairs, the first ones and the repeats."""
    found: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
    with work.database.read() as tx:
        for asked in store.asked_calls(tx, work.record.id, work.rubric, {work.judges[one.name]: one.name for one in models}):
            if asked.pair in pairs:
                found[asked.judge, asked.repeat > 1].add(asked.call)
    return found
