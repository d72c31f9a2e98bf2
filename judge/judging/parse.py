"""A judge's raw answer in, one reading for each criterion out.

The answer is one JSON object, reasons before choices:
`{"criteria": {ID: {"reasons": str, "choice": "first|second|tie"}}, "overall": {"reasons": str, "choice": ...}}`, a check
criterion with `"first": "pass|fail", "second": "pass|fail"` in place of the choice.

Whatever is not exactly that is unscored with a reason: never a tie, never the first name found in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar, cast

from judge.calls import Answer
from judge.domain import OVERALL, Criterion, Order, Preference, Reason, Rubric
from judge.judging.resolve import preference_of_check
from judge.text import well_formed

PARSER: Final = "strict/1"  # stored with every reading; a change of meaning raises it
LENIENT: Final = "lenient/1"  # the answer had words around it
_FENCED: Final = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL)
_SETTLED: Final = frozenset({"refused", "filtered"})  # reasons that say more than that an answer was no use
PASSES: Final = {"pass": True, "fail": False}
_STORED: Final[Mapping[tuple[str, Order], Preference]] = {
    ("first", "ab"): "a",
    ("second", "ab"): "b",
    ("tie", "ab"): "tie",
    ("first", "ba"): "b",
    ("second", "ba"): "a",
    ("tie", "ba"): "tie",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What one answer says about one criterion, in a and b."""

    criterion: str
    value: Preference | None
    reason: Reason | None = None
    rationale: str | None = None
    a_pass: bool | None = None
    b_pass: bool | None = None
    parser: str = PARSER


class _Said(Protocol):
    @property
    def criterion(self) -> str: ...
    @property
    def reason(self) -> Reason | None: ...


T = TypeVar("T", bound=_Said)


class Broken(Exception):
    """Nothing can be made of an answer, or of a part of it, for this reason."""

    def __init__(self, reason: Reason) -> None:
        self.reason: Reason = reason


def parse(
    answer: Answer | None, rubric: Rubric, order: Order, checklist: Sequence[str] = (), only: str | None = None
) -> list[Parsed]:
    """Read one answer to the criteria of a rubric.

    answer: None when nobody has one (`absent`).  order: which text was shown first.  checklist, only: see `asked`.
    Gives one entry for each criterion, `overall` included; what cannot be used has value None and its reason.
    """
    questions = asked(rubric, checklist, only)
    try:
        content, parser = content_of(answer, questions)
    except Broken as broken:
        return [Parsed(criterion=question.id, value=None, reason=broken.reason) for question in questions]
    return [replace(_criterion(content, question, order), parser=parser) for question in questions]


def settles(one: _Said) -> bool:
    """Say whether an answer leaves nothing to ask about a criterion: it can be used, or says why there is nothing to use."""
    return one.reason is None or one.reason in _SETTLED


def filled(first: Sequence[T], again: Sequence[T]) -> list[T]:
    """Put what a second answer settles in place of what the first left open; what could be read the first time stays."""
    settled = {one.criterion: one for one in again if settles(one)}
    return [one if one.reason is None else settled.get(one.criterion, one) for one in first]


def asked(rubric: Rubric, checklist: Sequence[str] = (), only: str | None = None) -> tuple[Criterion, ...]:
    """Give every criterion that is asked about an example: the rubric's, its own checklist, and `overall` last.

    checklist: the example's own check questions, in order, where the rubric asks for them.  only: the one criterion that a
    call is about, when it is not about all.
    """
    own = (Criterion(id=f"check_{n}", question=text, check=True) for n, text in enumerate(checklist, 1))
    *criteria, overall = rubric.questions
    every = (*criteria, *(own if rubric.checklist else ()), overall)
    return tuple(question for question in every if only in (None, question.id))


def content_of(answer: Answer | None, questions: Sequence[Criterion]) -> tuple[Mapping[str, Any], str]:
    """Take the one JSON object out of an answer, with the name of the parser that could.  Raises Broken."""
    if answer is None:
        raise Broken("absent")
    if answer.error is not None:
        raise Broken("refused" if answer.error.startswith("refus") else "error")
    if answer.finish == "filter":
        raise Broken("filtered")
    text = (answer.text or "").strip()
    if not text:
        raise Broken("cut" if answer.finish == "length" else "empty")
    try:
        return _object(text), PARSER
    except Broken:
        raise
    except (ValueError, RecursionError):
        if answer.finish == "length":
            raise Broken("cut") from None
    return _inside(text, questions), LENIENT


def _inside(text: str, questions: Sequence[Criterion]) -> Mapping[str, Any]:
    """Take the one JSON object out of the words around it, if it answers every question.

    Several objects, one that is not a whole answer, or one in the middle of a sentence may be quoted from a text under
    judgement: they are no answer.
    """
    start, end = text.find("{"), text.rfind("}") + 1
    if _goes_on(text[end:]):
        raise Broken("malformed")
    try:
        content = _object(text[start:end]) if start >= 0 else {}
    except (ValueError, RecursionError):
        raise Broken("malformed") from None
    criteria = content.get("criteria", {})
    there = {*(criteria if isinstance(criteria, dict) else ()), *({OVERALL} & set(content))}
    if not {question.id for question in questions} <= there:
        raise Broken("malformed")
    return content


def _goes_on(rest: str) -> bool:
    """Say whether words follow on the line that an object ends on; the marks that close a fence or a sentence are none."""
    return re.search(r"\w", rest.partition("\n")[0]) is not None


def _object(text: str) -> Mapping[str, Any]:
    fenced = _FENCED.fullmatch(text)
    content = json.loads(fenced.group(1) if fenced else text, object_pairs_hook=_single_keys, parse_constant=_refuse)
    if not isinstance(content, dict):
        raise Broken("malformed")
    return content


def _single_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content and content[key] != value:
            raise Broken("contradictory")
        content[key] = value
    return content


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _criterion(content: Mapping[str, Any], question: Criterion, order: Order) -> Parsed:
    try:
        entry = entry_of(content, question.id)
        reasons = entry.get("reasons")
        rationale = well_formed(reasons) if isinstance(reasons, str) else None
        if question.check:
            return _check(entry, question.id, order, rationale)
        return Parsed(criterion=question.id, value=_choice(entry, order), rationale=rationale)
    except Broken as broken:
        return Parsed(criterion=question.id, value=None, reason=broken.reason)


def entry_of(content: Mapping[str, Any], criterion: str) -> Mapping[str, Any]:
    """Take what an answer says about one criterion.  Raises Broken."""
    if criterion == OVERALL:
        entry = content.get(OVERALL)
    else:
        criteria = content.get("criteria")
        if criteria is not None and not isinstance(criteria, dict):
            raise Broken("malformed")
        entry = (criteria or {}).get(criterion)
    if entry is None:
        raise Broken("absent")
    if not isinstance(entry, dict):
        raise Broken("malformed")
    return entry


def word_of(entry: Mapping[str, Any], key: str, known: Sequence[str]) -> str:
    """Take one of the known words, in lower case.  Raises Broken."""
    word = entry.get(key)
    if word is None:
        raise Broken("absent")
    if not isinstance(word, str):
        raise Broken("malformed")
    if word.strip().lower() not in known:
        raise Broken("unknown_name")
    return word.strip().lower()


def _choice(entry: Mapping[str, Any], order: Order) -> Preference:
    return _STORED[word_of(entry, "choice", ("first", "second", "tie")), order]


def _check(entry: Mapping[str, Any], criterion: str, order: Order, rationale: str | None) -> Parsed:
    first, second = (PASSES[word_of(entry, side, tuple(PASSES))] for side in ("first", "second"))
    a_pass, b_pass = (first, second) if order == "ab" else (second, first)
    value = preference_of_check(a_pass, b_pass)
    return Parsed(criterion=criterion, value=cast(Preference, value), rationale=rationale, a_pass=a_pass, b_pass=b_pass)
