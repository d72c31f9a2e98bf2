"""What a report holds: the decision, what it rests on, what is missing, and what made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from judge.domain import (
    Decision,
    Estimate,
    Evidence,
    Label,
    Notice,
    Pair,
    Role,
    Rubric,
    Verdict,
)

WIN_RATE: Final = "win_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSummary:
    """What one arm gave: counts of outputs, of errors and of texts cut at the token limit; tokens; seconds per output.

    findings: outputs by what was found in them.  made: how they were made, in words; empty for imported ones.
    """

    role: Role
    outputs: int
    errors: int = 0
    truncated: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    latency_s: Estimate = field(default_factory=lambda: Estimate(value=None, reason="not measured"))
    findings: Mapping[str, int] = field(default_factory=dict)
    made: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """US dollars, in all, by judge, and of that what its repeats cost.

    `possibly_paid` counts tries that ended without an answer; they stand at their worst in the sums.  `on_the_wire`
    counts those that a running command waits for, which are in no sum.
    """

    usd: float = 0.0
    by_judge: Mapping[str, float] = field(default_factory=dict)
    repeats: Mapping[str, float] = field(default_factory=dict)
    possibly_paid: int = 0
    on_the_wire: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One arm's first evaluation on the locked test set, and when (ISO 8601)."""

    arm: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRow:
    """How many of what are missing, and why (a count for each reason)."""

    what: str
    missing: int
    of: int
    why: Mapping[str, int] = field(default_factory=dict)


class Rationale(NamedTuple):
    """What a judge said in one call before it chose."""

    judge: str
    order: str
    criterion: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One pair to read: both texts and everything that people and judges said about it."""

    pair: Pair
    heading: str
    verdicts: tuple[Verdict, ...] = ()
    labels: tuple[Label, ...] = ()
    rationales: tuple[Rationale, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything a reader needs to believe, or not, what was decided about one candidate.

    `agreement` is an agree/1 document, None without people and judges.  `rule` says how the exhibits were picked.
    `primary_name` is `win_rate` or a metric; `threshold` is what it had to exceed, `level` that of the intervals.
    """

    study: str
    digest: str
    candidate: str
    decision: Decision
    primary: Estimate
    agreement: Mapping[str, Any] | None = None
    evidence: tuple[Evidence, ...] = ()
    arms: Mapping[str, ArmSummary] = field(default_factory=dict)
    cost: Cost = Cost()
    openings: tuple[Opening, ...] = ()
    looks: int = 0
    warnings: tuple[Notice, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    exhibits: tuple[Exhibit, ...] = ()
    missing: tuple[MissingRow, ...] = ()
    rubric: Rubric | None = None
    rule: str = ""
    made_at: str = ""
    title_name: str = ""  # what the page calls the study, if not by its name
    primary_name: str = WIN_RATE
    threshold: float = 0.5
    agreement_margin: float = 0.15
    level: float = 0.95

    @property
    def title(self) -> str:
        """What the page calls the study."""
        return self.title_name or self.study

    @property
    def is_rate(self) -> bool:
        """The primary is a win rate, shown in percent."""
        return self.primary_name == WIN_RATE
