"""An example's own checks: the questions in its `meta.checklist`, asked as the criteria check_1, check_2, ... of it alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from judge.domain import Criterion, Example

CHECKLIST: Final = "checklist"  # the key in an example's meta
_NAME: Final = re.compile(r"check_([1-9]\d*)")


def checklist_of(example: Example) -> tuple[str, ...]:
    """Give the example's own check questions; none when it has none."""
    found = example.meta.get(CHECKLIST)
    return tuple(found) if isinstance(found, list | tuple) else ()


def is_checklist(value: Any) -> bool:
    """Say whether a value can be an example's checklist: a list of questions, or nothing."""
    return value is None or (isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value))


def own_checks(questions: Iterable[str]) -> tuple[Criterion, ...]:
    """Make criteria of an example's own check questions."""
    return tuple(Criterion(id=f"check_{n}", question=text, check=True) for n, text in enumerate(questions, 1))


def is_own_check(criterion: str) -> bool:
    """Say whether a criterion is one of an example's own; no rubric may call one so."""
    return _NAME.fullmatch(criterion) is not None


def applies(criterion: str, example: Example) -> bool:
    """Say whether a criterion is asked about an example: the checks of other examples are not."""
    found = _NAME.fullmatch(criterion)
    return found is None or int(found[1]) <= len(checklist_of(example))
