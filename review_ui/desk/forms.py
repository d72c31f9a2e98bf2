"""What the browser sends, read into the words of the desk.  The desk itself checks it against the round's page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from judge.desk import SAID, Answers, Said, Vote
from judge.errors import GoneError, StateError

CRITERION: Final = "criterion."  # criterion.ID = left | tie | right
CHECK: Final = "check."  # check.left.ID, check.right.ID = pass | fail
LONGEST_ID: Final = 100

Fields = Sequence[tuple[str, str]]


def answers_in(fields: Fields) -> Answers:
    """Read what was said about a pair.  Of a name that comes twice the last counts: the pressed button comes last.

    Raises StateError for a choice that does not exist.
    """
    given = dict(fields)
    criteria: dict[str, Any] = {}
    for name, value in given.items():
        if name.startswith(CRITERION):
            criteria[name.removeprefix(CRITERION)] = value
        elif name.startswith(CHECK):
            side, _, criterion = name.removeprefix(CHECK).partition(".")
            criteria.setdefault(criterion, {})[side] = _passed(value)
    return Answers(choice=_choice(given.get("choice")), criteria=criteria, comment=given.get("comment", "").strip())


def vote_in(fields: Fields) -> Vote:
    """Read a vote.  Raises GoneError without a task, StateError without an id or with an impossible choice."""
    given = dict(fields)
    client_id = given.get("client_id", "")
    if not _is_name(client_id):
        raise StateError("the vote has no id", hint="reload the page")
    return Vote(
        task=task_in(fields),
        client_id=client_id,
        answers=answers_in(fields),
        next=following if _is_name(following := given.get("next", "")) else None,
        seconds=_seconds(given.get("seconds")),
    )


def task_in(fields: Fields) -> str:
    """Read which task is meant.  Raises GoneError when none is."""
    task = dict(fields).get("task", "")
    if not _is_name(task):
        raise GoneError("there is no such task", hint="reload the page")
    return task


def _is_name(text: str) -> bool:
    """Tell a token from anything else: no database has to see what can be none."""
    return 0 < len(text) <= LONGEST_ID and text.isascii() and text.isprintable()


def _choice(value: str | None) -> Said | None:
    if not value:
        return None
    if value not in SAID:
        raise StateError("there is no such choice", hint="reload the page")
    return value


def _passed(value: str) -> bool:
    if value not in {"pass", "fail"}:
        raise StateError("a check is passed or failed", hint="reload the page")
    return value == "pass"


def _seconds(value: str | None) -> float | None:
    """Read a duration; what is no sensible one is missing, not zero."""
    try:
        seconds = float(value or "nan")
    except ValueError:
        return None
    return round(seconds, 1) if math.isfinite(seconds) and 0 <= seconds < 86_400 else None
