"""What agreement is made of: frozen types, one for each block of the agree/1 document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from judge.domain import Estimate, Notice, Preference, State

SCHEMA: Final = "agree/1"
CODING: Final[Mapping[str, int | str | None]] = {
    "a": 0, "tie": 1, "b": 2, "both_bad": "tie", "cannot_judge": None, "skipped": None,
}  # fmt: skip

ClusterRule: TypeAlias = Literal["auto", "item"]
PeopleRule: TypeAlias = Literal["mean", "majority"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Two:
    """Agreement of two sides.  `n` counts units: pairs, or (pair, annotator) where several people are pooled."""

    n: int
    raw: Estimate
    cohen: float | None
    alpha_nominal: Estimate
    alpha_ordinal: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Alphas:
    """Krippendorff's alpha at three levels of measurement."""

    nominal: Estimate
    ordinal: Estimate
    interval: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class TiesDropped:
    """People's agreement over labels that are no ties; `n` counts pairs with two such labels."""

    n: int
    raw: Estimate
    alpha_nominal: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePanel:
    """How people agree among themselves.  `missing` counts labels: cannot_judge and skipped."""

    items: int
    annotators: int
    labels: int
    missing: int
    majority: Mapping[str, int]
    raw: Estimate
    raw_by_pair: Mapping[str, float]
    cohen_by_pair: Mapping[str, float | None]
    cohen_mean: float | None
    fleiss: float | None
    alpha: Alphas
    ac1: Estimate
    ties_dropped: TiesDropped
    longer: Estimate
    share_a_decided: Estimate
    first_shown: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What came of a judge's calls.  `null_share` is of planned calls, `tie_share` of usable ones."""

    planned: int
    usable: int
    missing_ab: int
    missing_ba: int
    reasons: Mapping[str, int]
    null_share: float | None
    tie_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictCounts:
    """How many pairs got each value, and on which basis."""

    a: int
    tie: int
    b: int
    unscored: int
    basis: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class VsMajority:
    """A judge against the unique majority: shown, never used for a state, since it flatters."""

    three_way: Two
    ties_dropped: Two


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What the order of showing and plain irreproducibility do to a judge."""

    two_orders: Estimate
    two_orders_majority: Estimate
    repeat: Estimate
    repeat_alpha: Mapping[str, float | None]
    first_shown: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class AltTestResult:
    """Whether a judge may stand in for an annotator: share of annotators, mean share of items, annotators tested."""

    omega: float
    rho: float
    annotators: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePanel:
    """One judge (or the jury) on one criterion, against people."""

    calls: Calls
    verdicts: VerdictCounts
    vs_majority: VsMajority
    vs_annotator: Mapping[str, Two]
    vs_people: Two
    without_splits: Two
    confusion: Mapping[Preference, Mapping[str, int]]
    difference: Estimate
    state: State | None
    needed: int | None
    position: Position | None
    longer: Estimate
    share_a_decided: Estimate
    alt_test: Mapping[str, AltTestResult] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedRate:
    """A judge's win rate corrected by people's labels, with what is needed to weigh it.

    lam: the judge's weight in it (None: people only), written "lambda".  r, sensitivity, specificity: the judge
    against people on the labelled pairs; the last two among pairs that both sides decided.
    """

    estimate: Estimate
    lam: float | None
    r: float | None
    labelled: int
    unlabelled: int
    sensitivity: float | None
    specificity: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRate:
    """How often the candidate wins on criterion overall: by people, by each judge raw ("uncorrected"), and corrected."""

    candidate: str
    people: Estimate
    judge_raw: Mapping[str, Estimate]
    post_stratified: Estimate
    corrected: Mapping[str, CorrectedRate]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionPanel:
    """One criterion beside overall."""

    people: PeoplePanel | None
    judges: Mapping[str, JudgePanel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far verdicts and labels coincide, and labels among themselves; `people` and `judges` are about overall."""

    level: float
    seed: int
    source: Mapping[str, Any]
    warnings: tuple[Notice, ...]
    people: PeoplePanel | None
    judges: Mapping[str, JudgePanel]
    win_rate: WinRate
    criteria: Mapping[str, CriterionPanel]

    @property
    def headline(self) -> tuple[str, CorrectedRate] | None:
        """The corrected win rate a decision rests on, with its judge: the jury's, else the only judge's."""
        rates = self.win_rate.corrected
        name = "jury" if "jury" in rates else next(iter(rates), None)
        return None if name is None else (name, rates[name])

    def to_json(self) -> dict[str, Any]:
        """Give the agree/1 document: every key, no NaN."""
        from judge.agreement.document import document

        return document(self)
