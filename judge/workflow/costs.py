"""What judging cost, from the journal: every try that was paid or may have been, not only those whose answer is read today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import partial

from judge.decision.report import Cost
from judge.domain import Judge, Reading
from judge.judging import MODELS, request
from judge.store import calls as journal
from judge.workflow.answering import Again, tried
from judge.workflow.asking import plan_of
from judge.workflow.workspace import Opened


def cost_of(work: Opened, readings: Sequence[Reading], pairs: Collection[str]) -> Cost:
    """Add up what these pairs cost by judge, and what of it was for repeats.

    Models are counted by their tries, answers from files by what they say they cost.
    """
    models = [judge for judge in work.study.judges.values() if judge.source in MODELS]
    names = {judge.name for judge in models}
    by_judge: defaultdict[str, float] = defaultdict(float)
    repeats: defaultdict[str, float] = defaultdict(float)
    # All criteria of one call carry its cost; it was paid once.
    given = {(one.judge, one.digest): one for one in readings if one.cost_usd is not None and one.judge not in names}
    for one in given.values():
        by_judge[one.judge] += one.cost_usd or 0.0
        if one.repeat > 1:
            repeats[one.judge] += one.cost_usd or 0.0
    lost = 0
    for (judge, again), asks in _asks(work, models, pairs).items():
        calls = tried(work, asks)
        if not calls:
            continue
        with work.database.read() as tx:
            usd = journal.spent_usd(tx, calls)
            lost += journal.possibly_paid(tx, calls)
        by_judge[judge] += usd
        if again:
            repeats[judge] += usd
    return Cost(usd=sum(by_judge.values()), by_judge=dict(by_judge), repeats=dict(repeats), possibly_paid=lost)


def _asks(work: Opened, models: Sequence[Judge], pairs: Collection[str]) -> dict[tuple[str, bool], list[Again]]:
    """Give the questions to each model about these pairs, the first ones and the repeats."""
    rubric = work.sources.rubric
    found: defaultdict[tuple[str, bool], list[Again]] = defaultdict(list)
    if rubric is not None:
        for one in plan_of(work.sources, models):
            if one.pair.id in pairs:
                found[one.judge.name, one.repeat > 1].append(partial(request, one, rubric))
    return found
