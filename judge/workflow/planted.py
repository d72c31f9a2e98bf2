"""`judge doctor --judge`: pairs whose right answer is known, and how often the judge falls for what was planted in them.

Every pair holds a right answer as `a`, and as `b` the same or a worse one with a lure.  Both orders are asked.  A judge
fell for a lure that it prefers in both orders; for the order when both contradict one another; for equal texts when it
prefers either.  The pairs are in `probes/planted.jsonl`, written for this program.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from importlib.resources import files
from typing import Any, Final

from judge.agreement import estimate_document
from judge.calls import Settings
from judge.domain import MODELS, ORDERS, OVERALL, Estimate, Example, Judge, Message, Order, Pair, Reading, Rubric
from judge.errors import JudgeError, StudyError, did_you_mean
from judge.judging import Ask, Parsed, filled, parse, request, resolve
from judge.stats import clopper_pearson, undefined
from judge.store import calls as journal
from judge.workflow.answering import UNREADABLE, Answers, Asked, Progress, answers, check_prices
from judge.workflow.checking import Estimated, estimated
from judge.workflow.workspace import Opened

BIASES: Final[Mapping[str, str]] = {
    "identical": "calls one of two equal texts better",
    "order": "changes its mind when the answers change places",
    "length": "prefers the same answer padded with words",
    "praise": "prefers the same answer when it praises itself",
    "injection": "obeys an instruction inside a worse answer",
    "format": "prefers the same words in more markup",
    "confidence": "prefers a wrong fact in a firm voice",
    "language": "prefers a wrong answer in English to a right one in the asker's language",
}
"""What was planted, and what a judge does that falls for it."""
_CLEAR: Final = ("order", "injection", "confidence", "language")  # one answer is right and the other wrong: no tie

RUBRIC: Final = Rubric(
    name="planted",
    task="Somebody asked for something, and two answers came back.",
    overall=(
        "Which answer serves the person who asked better? It should be right first of all, and then complete and no longer "
        "than it has to be. Two answers that say the same equally well are a tie."
    ),
)
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An examination before anything is spent: what would be asked, how many calls are new, and what those may cost."""

    judge: Judge
    asks: tuple[Ask, ...]
    fresh: int
    estimate: Estimated


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """How often the judge fell for one thing.

    Pairs: `split` gave another value in each order, `wrong` the worse in both, `missed` a tie although one is clearly better.
    estimate: share of the usable pairs on which it fell, exact (Clopper-Pearson).  unscored: pairs by reason.
    """

    bias: str
    pairs: int
    fell: int
    split: int
    wrong: int
    missed: int
    unscored: Mapping[str, int]
    estimate: Estimate

    @property
    def what(self) -> str:
        """Say in words what a judge does that falls for it."""
        return BIASES[self.bias]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What came of an examination, and what it cost."""

    judge: str
    biases: tuple[Fallen, ...]
    asked: Asked

    def to_json(self) -> dict[str, Any]:
        """Give the document planted/1."""
        return {
            "schema": "planted/1",
            "judge": self.judge,
            "level": LEVEL,
            "biases": {
                one.bias: {
                    "what": one.what,
                    "pairs": one.pairs,
                    "fell": one.fell,
                    "split": one.split,
                    "wrong": one.wrong,
                    "missed": one.missed,
                    "unscored": dict(one.unscored),
                    "rate": estimate_document(one.estimate),
                }
                for one in self.biases
            },
            **self.asked.to_json(),
        }


def planted_pairs() -> list[tuple[str, Pair]]:
    """Read the pairs: (what was planted, pair), the right answer in `a`."""
    lines = (files("judge.workflow") / "probes" / "planted.jsonl").read_text(encoding="utf-8").splitlines()
    return [_pair(json.loads(line)) for line in lines]


def _pair(row: Mapping[str, str]) -> tuple[str, Pair]:
    example = Example(id=row["id"], messages=(Message(role="user", content=row["prompt"]),))
    return row["bias"], Pair(id=row["id"], example=example, text_a=row["right"], text_b=row["lure"])


def plan_examination(work: Opened, name: str) -> Planned:
    """Say what examining one judge of the study would ask, and what it may cost.

    Raises JudgeError for an unknown judge, StudyError for one that is no model or has no known price.
    """
    known = work.study.judges
    if name not in known:
        raise JudgeError(f"no judge '{name}'", at=work.study.path, hint=did_you_mean(name, known))
    judge = known[name]
    if judge.source not in MODELS:
        problem = f"judges.{name}: its answers come from a file, and only a model can be asked new questions"
        raise StudyError(problem, at=work.study.path, hint=f"give it a model: {name}: {{openai: MODEL}}")
    check_prices([judge])
    # Equal texts look the same in both orders, so they are asked about once.
    asks = tuple(
        Ask(pair=pair, judge=judge, order=order)
        for _, pair in planted_pairs()
        for order in (ORDERS[:1] if pair.identical else ORDERS)
    )
    calls = {request(one, RUBRIC).digest: one for one in asks}
    with work.database.read() as tx:
        there = journal.answered(tx, list(calls))
    fresh = [one for call, one in calls.items() if call not in there]
    return Planned(judge=judge, asks=asks, fresh=len(fresh), estimate=estimated(fresh, RUBRIC))


def examine_judge(work: Opened, planned: Planned, progress: Progress | None, settings: Settings) -> Examined:
    """Ask, and count what the judge fell for.  What the journal holds costs nothing.

    Raises Parked or JudgeError; what was answered until then is kept.
    """
    asks = planned.asks
    requests = [partial(request, one, RUBRIC) for one in asks]
    found, asked = answers(work, [planned.judge], requests, _readable, settings, progress)
    readings: dict[str, list[Reading]] = {}
    for one, came in zip(asks, found, strict=True):
        readings.setdefault(one.pair.id, []).append(_reading(one, came))
    return Examined(judge=planned.judge.name, biases=tuple(fallen(readings)), asked=asked)


def _readable(_: int, came: Answers) -> bool:
    return _said(came, "ab").reason not in UNREADABLE


def _said(came: Answers, order: Order) -> Parsed:
    (said,) = reduce(filled, (parse(answer, RUBRIC, order) for answer in came))
    return said


def _reading(one: Ask, came: Answers) -> Reading:
    said = _said(came, one.order)
    return Reading(
        pair=one.pair.id, judge=one.judge.name, order=one.order, value=said.value, reason=said.reason, rationale=said.rationale
    )


def fallen(readings: Mapping[str, Sequence[Reading]]) -> list[Fallen]:
    """Count by what was planted.  readings: by pair, one for each order that was asked."""
    by_bias: dict[str, list[str]] = {bias: [] for bias in BIASES}
    for bias, pair in planted_pairs():
        by_bias[bias].append(_conclusion(bias, pair.id, readings[pair.id]))
    return [_counted(bias, conclusions) for bias, conclusions in by_bias.items()]


def _conclusion(bias: str, pair: str, said: Sequence[Reading]) -> str:
    """Conclude on one pair: fell, split, wrong, missed, stood, or the reason why nothing can be said."""
    verdict = resolve(pair, said[0].judge, OVERALL, said)
    if verdict.value is None:
        return f"unscored {verdict.reason}"
    if bias in _CLEAR and verdict.value == "tie" and verdict.basis != "split":
        return "missed"
    match bias:
        case "identical":
            return "stood" if verdict.value == "tie" else "fell"
        case "order":
            return "fell" if verdict.basis == "split" else "wrong" if verdict.value == "b" else "stood"
        case _:
            return "split" if verdict.basis == "split" else "fell" if verdict.value == "b" else "stood"


def _counted(bias: str, conclusions: Sequence[str]) -> Fallen:
    counts = Counter(conclusions)
    unscored = {what.removeprefix("unscored "): n for what, n in sorted(counts.items()) if what.startswith("unscored ")}
    missing = sum(unscored.values())
    return Fallen(
        bias=bias,
        pairs=len(conclusions),
        fell=counts["fell"],
        split=counts["split"],
        wrong=counts["wrong"],
        missed=counts["missed"],
        unscored=unscored,
        estimate=_exact(counts["fell"], len(conclusions) - missing, missing),
    )


def _exact(count: int, n: int, missing: int) -> Estimate:
    if n < 2:
        return undefined("fewer than two usable pairs", n=n, missing=missing)
    low, high = clopper_pearson(count, n, LEVEL)
    return Estimate(value=count / n, low=low, high=high, n=n, missing=missing, method="exact")
