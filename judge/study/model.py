"""A checked study: what study.yaml says, with every default filled in and every file found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from judge.domain import Arm, Gates, Judge, ReviewPlan, Rubric

WIN_RATE: Final = "win_rate"  # the primary that people's labels decide; any other is a metric
BUDGET_USD: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One evaluation.  Either `test` and `arms`, or `pairs` with the side or model that is the candidate.

    Paths start from the study file's folder.  `config` is the effective configuration: every key of study.yaml with its
    default, paths as they were written; see `effective`.
    """

    path: Path
    name: str
    seed: int = 0
    test: Path | None = None
    pairs: Path | None = None
    candidate: str = "b"  # of a study of given pairs: a, b or a model
    train: Path | None = None
    validation: Path | None = None
    arms: Mapping[str, Arm] = field(default_factory=dict)
    rubric: Rubric | None = None
    rubric_reference: str | None = None  # as written: name@version or a path
    rubric_path: Path | None = None
    judges: Mapping[str, Judge] = field(default_factory=dict)
    labels: Path | None = None
    scores: Path | None = None
    primary: str = WIN_RATE
    metrics: tuple[str, ...] = ()
    review: ReviewPlan = ReviewPlan()
    gates: Gates = Gates()
    budget_usd: float = BUDGET_USD
    vllm: Mapping[str, Any] = field(default_factory=dict)
    transformers: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder that paths start from."""
        return self.path.parent

    @property
    def baseline(self) -> Arm | None:
        """The arm that candidates are compared with; None in a study of given pairs."""
        return next((arm for arm in self.arms.values() if arm.role == "baseline"), None)

    @property
    def rivals(self) -> tuple[Arm, ...]:
        """The other ways without a fine-tune, in the order of the file."""
        return tuple(arm for arm in self.arms.values() if arm.role == "rival")

    @property
    def candidates(self) -> tuple[Arm, ...]:
        """The arms that a decision is made about, in the order of the file."""
        return tuple(arm for arm in self.arms.values() if arm.role == "candidate")
