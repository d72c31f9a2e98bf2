"""What makes a rubric hard to follow, found before anyone is asked.  Notices, never errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Final

from judge.domain import Criterion, Notice, Rubric

MOST_CRITERIA: Final = 12
LONGEST_QUESTION: Final = 300  # characters

_ANSWER: Final = r"(answer|reply|response|output|text|assistant|model|side|option)"
_SIDE: Final = re.compile(
    rf"\b(left|right|first|second|former|latter)(-hand)?\s+{_ANSWER}\b|\b{_ANSWER}s?\s+([ab12]|one|two)\b"
    r"|\b(baseline|candidate|fine-?tuned?|tuned)\b",
    re.IGNORECASE,
)
_MODEL: Final = re.compile(r"\b(chatgpt|gpt|claude|gemini|llama|mistral|qwen|deepseek|gemma)\b", re.IGNORECASE)
_YES_NO: Final = re.compile(
    r"\b(yes|pass(es|ed)?|true)\s*(/|,|or)\s*(no|fail(s|ed)?|false)\b|\banswer\s+(yes|no)\b", re.IGNORECASE
)
_DOUBLE: Final = re.compile(
    r"\b(and|as well as)\s+(also\s+)?(is|are|was|does|do|did|has|have|can|could|will|would|should|how|whether)\b"
    r"|\?.*\?",
    re.IGNORECASE | re.DOTALL,
)
_DECIDER: Final = re.compile(r"\b(which|better|best|rather|prefer\w*|choose|sooner|more)\b", re.IGNORECASE)
_WORD: Final = re.compile(r"\w+")
_EMPTY: Final = frozenset("a an the is are does do it its this that of in to and or answer reply response".split())  # noqa: SIM905


def lint(rubric: Rubric) -> list[Notice]:
    """Give what could confuse a judge or a person, in the order of `RULES`; empty when nothing was found."""
    return [notice for rule in RULES for notice in rule(rubric)]


def _too_many(rubric: Rubric) -> Iterator[Notice]:
    if len(rubric.criteria) > MOST_CRITERIA:
        text = f"{len(rubric.criteria)} criteria; more than {MOST_CRITERIA} tire people and blur a judge's attention."
        yield Notice(code="too_many_criteria", text=text)


def _same_question(rubric: Rubric) -> Iterator[Notice]:
    for one, other in combinations(rubric.criteria, 2):
        if _likeness(one.question, other.question) >= 0.8:
            yield Notice(code="same_question", text=f"criteria.{one.id} and criteria.{other.id} ask nearly the same.")


def _likeness(one: str, other: str) -> float:
    """Give the share of meaning words that two questions have in common (Jaccard); equal questions have 1."""
    first, second = _words(one), _words(other)
    together = first | second
    return len(first & second) / len(together) if together else float(one.split() == other.split())


def _words(question: str) -> set[str]:
    words = (word.lower() for word in _WORD.findall(question))
    return {word for word in words if word not in _EMPTY}


def _names_a_side(rubric: Rubric) -> Iterator[Notice]:
    for criterion in rubric.questions:
        found = _SIDE.search(criterion.question) or _MODEL.search(criterion.question)
        if found:
            text = f"{_at(criterion)} says '{found[0]}'; sides, orders and models are hidden from whoever judges."
            yield Notice(code="names_a_side", text=text)


def _yes_no(rubric: Rubric) -> Iterator[Notice]:
    for criterion in rubric.questions:
        if not criterion.check and (found := _YES_NO.search(criterion.question)):
            text = f"{_at(criterion)} asks for '{found[0]}' but is answered by a preference; write `check: true`."
            yield Notice(code="yes_no_without_check", text=text)


def _double(rubric: Rubric) -> Iterator[Notice]:
    for criterion in rubric.questions:
        if _DOUBLE.search(criterion.question):
            yield Notice(code="double_question", text=f"{_at(criterion)} asks two things; make it two criteria.")


def _long(rubric: Rubric) -> Iterator[Notice]:
    for criterion in rubric.questions:
        if len(criterion.question) > LONGEST_QUESTION:
            text = f"{_at(criterion)} has {len(criterion.question)} characters; keep it under {LONGEST_QUESTION}."
            yield Notice(code="long_question", text=text)


def _missing_levels(rubric: Rubric) -> Iterator[Notice]:
    graded = [criterion for criterion in rubric.criteria if not criterion.check]
    if not any(criterion.levels for criterion in graded):
        return
    for criterion in graded:
        if not criterion.levels:
            text = f"{_at(criterion)} has no levels while others do; `judge score` leaves it out."
            yield Notice(code="levels_missing", text=text)


def _no_decider(rubric: Rubric) -> Iterator[Notice]:
    if not _DECIDER.search(rubric.overall):
        text = "overall does not ask which one is preferred; say who decides by what, as in `Which would ... rather send?`"
        yield Notice(code="overall_without_decider", text=text)


def _at(criterion: Criterion) -> str:
    return criterion.id if criterion.id == "overall" else f"criteria.{criterion.id}"


RULES: Final[tuple[Callable[[Rubric], Iterator[Notice]], ...]] = (
    _too_many,
    _same_question,
    _names_a_side,
    _yes_no,
    _double,
    _long,
    _missing_levels,
    _no_decider,
)
"""Every rule of `lint`; a new one is a function and a line here."""
