"""What names a version of a rubric."""

from __future__ import annotations

from typing import Any

from judge.domain import Criterion, Rubric
from judge.ids import digest


def rubric_digest(rubric: Rubric) -> str:
    """Name a rubric by what judges or people are shown; its own name does not matter, the order of criteria does."""
    return digest(
        "rubric",
        {
            "task": rubric.task,
            "overall": rubric.overall,
            "criteria": [_criterion(criterion) for criterion in rubric.criteria],
            "people": rubric.people,
            "show_reference": rubric.show_reference,
            "judge_first": rubric.judge_first,
            "checklist": rubric.checklist,
        },
    )


def _criterion(criterion: Criterion) -> list[Any]:
    levels = {str(level): text for level, text in criterion.levels.items()}
    return [criterion.id, criterion.question, criterion.check, levels]
