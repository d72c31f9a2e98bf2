"""`judge show PAIR`: one pair as it lies in storage, with all that was said about it."""

from __future__ import annotations

from typing import Any

from judge.decision.report import Exhibit
from judge.domain import MODELS, ORDERS, Pair
from judge.errors import JoinError, StudyError, did_you_mean
from judge.generate import Ask, conversation
from judge.judging import asked, prompt, request
from judge.store import calls as journal
from judge.workflow.asking import plan_of
from judge.workflow.by_engine import engine_of
from judge.workflow.measure import measure
from judge.workflow.outputs import generated_arms
from judge.workflow.reporting import exhibit
from judge.workflow.running import unblind
from judge.workflow.sources import Candidate
from judge.workflow.workspace import Opened


def show(work: Opened, pair: str) -> Exhibit:
    """Give one pair with its texts, arms, verdicts, reasons and labels; the ledger notes that it was seen.

    Raises JoinError for an unknown pair.
    """
    found = {one.id: one for one in work.sources.pairs}
    if pair not in found:
        raise JoinError(
            f"no pair '{pair}'",
            at=work.study.path,
            hint=did_you_mean(pair, found, f"there are {len(found)}, such as {next(iter(found), 'none')}"),
        )
    shown = exhibit(measure(work, _candidate_of(work, found[pair])), found[pair], pair)
    unblind(work, "show", [shown])
    return shown


def _candidate_of(work: Opened, pair: Pair) -> Candidate:
    """Find the candidate that a pair is about; a study of given pairs has one."""
    first, *others = work.sources.candidates
    return next((one for one in others if one.name == pair.model_b), first)


def prompts(work: Opened, shown: Exhibit) -> dict[str, str]:
    """Give the exact words in which judges are asked about a pair: by order, and by criterion where a judge is asked so."""
    rubric = work.sources.rubric
    if rubric is None:
        return {}
    ways = {judge.per_call for judge in work.study.judges.values()} or {"all"}
    every = [question.id for question in asked(rubric, shown.pair.example.checklist)] if "one" in ways else []
    found = {}
    for only in [*([None] if "all" in ways else []), *every]:
        for order in ORDERS:
            system, messages = prompt(shown.pair, rubric, order, only)
            found[f"{order} {only}" if only else order] = f"{system}\n\n{messages[0].content}"
    return found


def raw_answers(work: Opened, shown: Exhibit) -> list[dict[str, Any]]:
    """Give every try at a call of a model about a pair: judge, order, repeat, which ask and try it was, what came of it."""
    rubric = work.sources.rubric
    if rubric is None:
        return []
    judges = [judge for judge in work.study.judges.values() if judge.source in MODELS]
    found = []
    for one in (one for one in plan_of(work.sources, judges) if one.pair.id == shown.pair.id):
        with work.database.read() as tx:
            kept = journal.attempts(tx, request(one, rubric).digest)
        found += [
            {
                "judge": one.judge.name,
                "order": one.order,
                "repeat": one.repeat,
                "criterion": one.criterion,
                "ask": attempt.again + 1,
                "try": attempt.n,
                "status": attempt.error_class or attempt.status,
                "raw": attempt.raw,
                "error": attempt.said,
            }
            for attempt in kept
        ]
    return found


def arm_prompt(work: Opened, example: str, arm: str) -> str:
    """Give what an arm's model reads for an example, to the letter; its engine is started to write it.

    Of a server only the turns are known: its template is its own.  Raises JoinError for an unknown example, StudyError for
    an arm that is not generated here.
    """
    arms = {one.name: one for one in generated_arms(work.study)}
    if example not in work.sources.examples:
        raise JoinError(f"no example '{example}'", at=work.study.path, hint=did_you_mean(example, work.sources.examples))
    if arm not in arms:
        raise StudyError(f"no arm '{arm}' is generated", at=work.study.path, hint=did_you_mean(arm, arms))
    turns = conversation(arms[arm], work.sources.examples[example])
    if arms[arm].source == "openai":
        return "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in turns)
    with engine_of(work, arms[arm].source, arms[arm].target, {}) as engine:
        return engine.prompts([Ask(key=example, messages=turns)])[example]


def to_json(shown: Exhibit) -> dict[str, Any]:
    """Give a shown pair for programs."""
    pair = shown.pair
    return {
        "pair": pair.id,
        "messages": [{"role": turn.role, "content": turn.content} for turn in pair.example.messages],
        "reference": pair.example.reference,
        "a": {"arm": pair.model_a, "text": pair.text_a},
        "b": {"arm": pair.model_b, "text": pair.text_b},
        "verdicts": [
            {
                "judge": v.judge,
                "criterion": v.criterion,
                "value": v.value,
                "score": v.score,
                "basis": v.basis,
                "reason": v.reason,
            }
            for v in shown.verdicts
        ],
        "labels": [
            {
                "annotator": one.annotator,
                "criterion": one.criterion,
                "label": one.choice,
                "comment": one.comment,
                "flags": list(one.flags),
            }
            for one in shown.labels
        ],
        "reasons": [{"judge": r.judge, "order": r.order, "criterion": r.criterion, "text": r.text} for r in shown.rationales],
    }
