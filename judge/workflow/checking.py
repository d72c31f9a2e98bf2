"""`judge check`: everything is read and validated, nothing is written or spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from judge import data
from judge.calls import prices
from judge.domain import MODELS, ORDERS, Notice, Rubric
from judge.judging import Ask, request
from judge.rubric import lint
from judge.store import study as study_store
from judge.store.opening import is_made, open_database
from judge.study import compare_lock, effective
from judge.text.money import dollars
from judge.workflow.answering import JOBS, check_prices
from judge.workflow.asking import plan_of
from judge.workflow.contact import end_of, is_near, look_up
from judge.workflow.findings import equal_pairs, found_in_outputs, kin_notices, output_notices, unknown_criteria
from judge.workflow.sources import Sources

CHARACTERS_PER_TOKEN = 4  # English prose; a rough count, said to be one
SHORT_ANSWER = 300  # tokens of an answer that thinks little
LONG_ANSWER = 2500  # and of one that thinks a lot
SECONDS_A_CALL = (2.0, 20.0)  # until a short and until a long answer is written


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a study would do: examples, pairs, calls and their cost, before anything is spent."""

    examples: int
    pairs: int
    calls: int
    tokens_in: int
    usd: tuple[float, float]
    plan: Mapping[str, Any]
    warnings: tuple[Notice, ...]
    config: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Give the check for programs."""
        return {
            "calls": self.calls,
            "tokens_in": self.tokens_in,
            "usd": list(self.usd),
            "examples": self.examples,
            "pairs": self.pairs,
            "plan": dict(self.plan),
            "warnings": [{"code": notice.code, "text": notice.text} for notice in self.warnings],
            "config": dict(self.config),
        }


def check(sources: Sources, place: str, limit: int | None = None) -> Checked:
    """Validate a study and count what it would do.  Raises JudgeError for the first thing that is wrong."""
    _check_lock(sources, place)
    used = sources if limit is None else sources.limited(limit)
    study = used.study
    judges = [judge for judge in study.judges.values() if judge.source not in ("calls", "verdicts")]
    check_prices(judges)
    asks = plan_of(used, judges)
    rubric = study.rubric
    live = [ask for ask in asks if ask.judge.source in MODELS] if rubric else []
    estimate = estimated(live, rubric) if rubric else Estimated()
    return Checked(
        examples=len(used.examples),
        pairs=len(used.pairs),
        calls=len(asks) - len(live) + estimate.calls,
        tokens_in=estimate.tokens_in,
        usd=(round(estimate.least_usd, 4), round(estimate.most_usd, 4)),
        plan={
            "judges": {name: _planned(used, name, estimate) for name in study.judges},
            "orders": list(ORDERS),
            "criteria": [question.id for question in rubric.questions] if rubric else [],
            "labels": min(study.review.sample, len(used.pairs)) * study.review.labels_per_item,
            "missing_outputs": dict(used.missing_outputs),
            "seconds": [round(estimate.calls * seconds / JOBS) for seconds in SECONDS_A_CALL],
        },
        warnings=(
            *_warnings(used),
            *kin_notices(used),
            *unknown_criteria(used),
            *_about_models(used, estimate),
            *look_up(study.folder, [judge for judge in judges if judge.source in MODELS]),
        ),
        config=effective(study),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """What live calls may take: tokens read, and US dollars from short answers to long ones.

    by_judge: calls to each judge; equal questions are one.
    """

    by_judge: Mapping[str, int] = field(default_factory=dict)
    tokens_in: int = 0
    least_usd: float = 0.0
    most_usd: float = 0.0

    @property
    def calls(self) -> int:
        """Calls to all judges together."""
        return sum(self.by_judge.values())


def estimated(asks: Sequence[Ask], rubric: Rubric) -> Estimated:
    """Estimate what these calls take; a model without a price, which only a server of one's own may have, adds nothing."""
    tokens = 0
    least = most = 0.0
    calls: dict[str, set[str]] = {}
    for ask in asks:
        asked = request(ask, rubric)
        mine = calls.setdefault(ask.judge.name, set())
        if asked.digest in mine:
            continue
        mine.add(asked.digest)
        read = sum(len(turn.content) for turn in asked.messages) + len(asked.system or "")
        tokens_in = read // CHARACTERS_PER_TOKEN
        tokens += tokens_in
        price = prices().find(ask.judge.target)
        if price is not None:
            least += price.cost(fresh=tokens_in, cached=0, written=0, out=SHORT_ANSWER) or 0.0
            most += price.cost(fresh=tokens_in, cached=0, written=0, out=LONG_ANSWER) or 0.0
    by_judge = {name: len(mine) for name, mine in calls.items()}
    return Estimated(by_judge=by_judge, tokens_in=tokens, least_usd=least, most_usd=most)


def _about_models(sources: Sources, estimate: Estimated) -> list[Notice]:
    """Warn of models that are retired or about to be, and of a budget that will not do."""
    notices = []
    for judge in sources.study.judges.values():
        price = prices().find(judge.target) if judge.source in MODELS else None
        if price is not None and price.retires is not None and is_near(price.retires):
            text = f"The model {judge.target} of judge {judge.name} {end_of(price.retires)} (list of {prices().of})."
            notices.append(Notice(code="model_retires", text=text))
    if estimate.least_usd > sources.study.budget_usd:
        least = dollars(estimate.least_usd)
        text = f"The calls cost at least about {least} USD; the budget is {sources.study.budget_usd:g} USD."
        notices.append(Notice(code="budget_too_small", text=text))
    return notices


def _planned(sources: Sources, name: str, estimate: Estimated) -> dict[str, Any]:
    judge = sources.study.judges[name]
    if judge.source in MODELS:
        return {"source": judge.source, "model": judge.target, "calls": estimate.by_judge.get(name, 0)}
    rows = sources.recordings.get(name) or sources.readings.get(name) or sources.verdicts.get(name) or ()
    return {"source": judge.source, "answers": len(rows)}


def _check_lock(sources: Sources, place: str) -> None:
    """Compare with the locked test set where there is a workspace already."""
    if not is_made(place):
        return
    database = open_database(place)
    try:
        with database.read() as tx:
            record = study_store.find_study(tx, sources.study.name)
            locked = study_store.locked_examples(tx, record.id) if record else {}
        if record and locked:
            _compare(locked, sources, record.locked_at)
    finally:
        database.close()


def _compare(locked: Mapping[str, str], sources: Sources, since: datetime | None) -> None:
    now = {id_: data.example_digest(example) for id_, example in sources.examples.items()}
    compare_lock(locked, now, path=sources.study.pairs or sources.study.test, since=since)


def _warnings(sources: Sources) -> tuple[Notice, ...]:
    study = sources.study
    notices = list(lint(study.rubric)) if study.rubric else []
    lacking = {arm: count for arm, count in sources.missing_outputs.items() if count}
    for arm, count in lacking.items():
        text = f"{count} of {len(sources.examples)} examples have no output of {arm}; they make no pair."
        notices.append(Notice(code="output_missing", text=text))
    notices += [*output_notices(sources, found_in_outputs(sources)), *equal_pairs(sources.pairs)]
    if not study.judges:
        notices.append(Notice(code="no_judge", text="The study has no judge: people alone decide."))
    if study.labels is None and len(sources.pairs) and study.primary == "win_rate":
        notices.append(Notice(code="no_labels", text="No labels yet: a judge alone never ships."))
    notices.append(Notice(code="power", text=_odds(min(study.review.sample, len(sources.pairs)))))
    return tuple(notices)


def _odds(items: int) -> str:
    """Say beforehand how likely the labels are to show that a good judge is calibrated (by simulation)."""
    if items >= 100:
        chance = "about 55 %"
    elif items >= 50:
        chance = "between 30 and 55 %"
    elif items >= 30:
        chance = "under 30 %"
    else:
        return f"With {items} doubly labelled items no statement on the judge's calibration is made (30 are needed)."
    return f"With {items} doubly labelled items, a judge exactly as good as people is shown calibrated in {chance} of studies."
