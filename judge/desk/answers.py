"""An annotator's answers: what may be said, and how it lies in storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from judge.desk.types import SAID, Answers, Page, Question
from judge.errors import StateError

LONGEST_COMMENT: Final = 4000
_SIDES: Final = ("left", "tie", "right")


def check(answers: Answers, page: Page) -> None:
    """Raise StateError when a vote lacks its choice, or says what the page does not ask."""
    if answers.choice not in SAID:
        raise StateError("the vote has no choice", hint=f"choose one of {', '.join(SAID)}")
    check_parts(answers, page)
    if answers.choice in ("skip", "cannot_judge") or not page.all_criteria:
        return
    open_ = [question.id for question in page.criteria if not _complete(question, answers.criteria.get(question.id))]
    if open_:
        raise StateError(f"still open: {', '.join(open_)}", hint="this review asks for every criterion")


def check_parts(answers: Answers, page: Page) -> None:
    """Raise StateError when something said is not among what the page asks; open criteria are fine."""
    questions = {question.id: question for question in page.criteria}
    for criterion, said in answers.criteria.items():
        if criterion not in questions or not _possible(questions[criterion], said):
            raise StateError(f"'{criterion}' has no such answer", hint="reload the page")
    if len(answers.comment) > LONGEST_COMMENT:
        raise StateError(f"the comment is longer than {LONGEST_COMMENT} characters", hint="shorten it")
    if "\0" in answers.comment:  # PostgreSQL keeps none
        raise StateError("the comment holds a character that cannot be kept", hint="write it anew")


def _possible(question: Question, said: Any) -> bool:
    if not question.check:
        return said in _SIDES
    return isinstance(said, Mapping) and set(said) <= {"left", "right"} and all(isinstance(v, bool) for v in said.values())


def _complete(question: Question, said: Any) -> bool:
    return said is not None and (not question.check or set(said) == {"left", "right"})


def answers_to(answers: Answers) -> dict[str, Any]:
    """Give answers as plain JSON values."""
    return {"choice": answers.choice, "criteria": dict(answers.criteria), "comment": answers.comment}


def answers_from(content: Mapping[str, Any]) -> Answers:
    """Make answers of JSON values."""
    return Answers(choice=content["choice"], criteria=content["criteria"], comment=content["comment"])
