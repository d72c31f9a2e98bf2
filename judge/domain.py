"""The words of blind-judge as frozen types.  Read this page first: it is the product in order of appearance.

An `Example` is one test item.  Every `Arm` (one way to answer: a model, an adapter, a prompt) gives an `Output` to it.
Two outputs to one example make a `Pair`; a study stores the baseline as `a` and the candidate as `b`.
A judge is asked about every pair in both orders by a `Rubric`; what our parser made of one raw answer, for one
criterion, is a `Reading`; the readings of one pair become a `Verdict`.  People judge a sample of the pairs blind: a `Label`.
How far verdicts and labels coincide, and what the labels make of the judge's win rate, is measured by `Estimate`s.
`Evidence` stands beside the judgement.  A rule over intervals turns it all into a `Decision`.

Missing is a value here, with a reason: never a tie, never a zero, never a loss.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

# --- Words with few values -------------------------------------------------------------------------------------------

Preference: TypeAlias = Literal["a", "tie", "b"]
Order: TypeAlias = Literal["ab", "ba"]  # which output was shown first
Role: TypeAlias = Literal["baseline", "rival", "candidate"]
Speaker: TypeAlias = Literal["system", "user", "assistant"]
Finish: TypeAlias = Literal["stop", "length", "filter", "error"]
Choice: TypeAlias = Literal["a", "tie", "b", "both_bad", "cannot_judge", "skipped"]
Basis: TypeAlias = Literal["agreed", "split", "single", "one_order", "identical", "unscored"]
Reason: TypeAlias = Literal[
    "refused", "filtered", "cut", "empty", "malformed", "out_of_range", "unknown_name", "contradictory",
    "error", "absent", "output_missing", "one_order", "no_quorum", "unstated",
]  # fmt: skip
Kind: TypeAlias = Literal["real", "practice", "repeat", "identical", "gold", "degraded"]
Method: TypeAlias = Literal["jackknife-z", "bca", "logit", "exact", "normal", "ppi++", "ppi++-tuned", "people"]
State: TypeAlias = Literal["calibrated", "not_calibrated", "undetermined", "people_unreliable"]
Outcome: TypeAlias = Literal["ship", "iterate", "abandon", "undecided"]

PREFERENCES: Final[tuple[Preference, ...]] = ("a", "tie", "b")
ORDERS: Final[tuple[Order, ...]] = ("ab", "ba")
CHOICES: Final[tuple[Choice, ...]] = ("a", "tie", "b", "both_bad", "cannot_judge", "skipped")
MODELS: Final = ("openai", "anthropic")  # sources of judges that are asked live
CHECKLIST: Final = "checklist"  # the key of an example's meta that holds its own check questions
OWN_CHECK: Final = re.compile(r"check_([1-9]\d*)")  # how they are called as criteria
OVERALL: Final = "overall"  # the criterion that the win rate is about
SELF_PREFERENCE: Final = "self_preference"  # the code of the warning that a judge is kin of what it judges
JURY: Final = "jury"  # the name under which two judges or more speak together

CHOICE_VALUE: Final[Mapping[Choice, Preference | None]] = {
    "a": "a", "tie": "tie", "b": "b", "both_bad": "tie", "cannot_judge": None, "skipped": None,
}  # fmt: skip
"""What each choice of a person counts as; None is missing."""

SCORE: Final[Mapping[Preference, float]] = {"a": 0.0, "tie": 0.5, "b": 1.0}
"""The share of a win that `b` gets; its sum over pairs makes a win rate."""


# --- What is compared ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Speaker
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One test item.  What people and judges are shown as the prompt is `messages`, never an arm's own system prompt."""

    id: str
    messages: tuple[Message, ...]
    reference: str | None = None
    group: str | None = None  # items of one group are no independent evidence
    tags: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def checklist(self) -> tuple[str, ...]:
        """Give its own check questions, asked as the criteria check_1, check_2, ... where the rubric says so."""
        found = self.meta.get(CHECKLIST)
        return tuple(found) if isinstance(found, list | tuple) else ()

    def concerns(self, criterion: str) -> bool:
        """Say whether a criterion is asked about it, where examples have checks of their own: those of others are not."""
        own = OWN_CHECK.fullmatch(criterion)
        return own is None or int(own[1]) <= len(self.checklist)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How an arm picks its tokens."""

    temperature: float = 0.0
    top_p: float | None = None
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    seed: int | None = None
    n: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way to answer.  `source` says how its outputs come to be, `target` which file, path or model."""

    name: str
    role: Role
    source: Literal["outputs", "vllm", "transformers", "openai"]
    target: str
    adapter: str | None = None
    base_url: str | None = None
    key_env: str | None = None
    model: str | None = None  # what made imported outputs, for the self-preference guard
    system: str | None = None  # the text, not the path
    few_shot: tuple[tuple[Message, ...], ...] = ()
    decoding: Decoding = Decoding()
    options: tuple[tuple[str, str], ...] = ()  # of its engine, those that change what it answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What an arm answered to an example.  `text` is None only with an `error`."""

    example: str
    arm: str
    text: str | None
    sample: int = 0
    finish: Finish | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    latency_s: float | None = None
    reasoning: str | None = None
    error: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two outputs to one example.  `a` and `b` are storage names; in a study the baseline is `a`."""

    id: str
    example: Example
    text_a: str
    text_b: str
    model_a: str | None = None  # the arm or model that made each text
    model_b: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identical(self) -> bool:
        """Both texts are equal, so nobody needs to be asked."""
        return self.text_a == self.text_b


# --- How it is judged ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One question of a rubric.  A `check` is passed or failed by each side; `levels` serve single scores only."""

    id: str
    question: str
    check: bool = False
    levels: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """What good means, in the words that judges and people are shown."""

    name: str
    task: str
    overall: str
    criteria: tuple[Criterion, ...] = ()
    people: str | None = None
    show_reference: bool = True
    judge_first: bool = False
    checklist: bool = False  # further criteria come from each example's meta.checklist

    @property
    def questions(self) -> tuple[Criterion, ...]:
        """Every criterion with `overall` as the last one."""
        return (*self.criteria, Criterion(id=OVERALL, question=self.overall))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """One model with its settings, or a file of its answers.  `target` is the model or the file.

    per_call: whether a call asks about all criteria, or about one.
    """

    name: str
    source: Literal["openai", "anthropic", "recorded", "calls", "verdicts"]
    target: str
    base_url: str | None = None
    key_env: str | None = None
    effort: str | None = None
    repeats: int = 1
    allow_self: bool = False
    per_call: Literal["all", "one"] = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One raw answer of a judge, kept to be read again.  Found by pair, judge, order and repeat; never by prompt."""

    pair: str
    order: Order
    text: str | None
    judge: str | None = None
    repeat: int = 1
    error: str | None = None
    finish: Finish | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    latency_s: float | None = None
    model: str | None = None
    rubric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What our parser made of one answer for one criterion.  `value` speaks of a and b, whatever order was shown."""

    pair: str
    judge: str
    order: Order
    value: Preference | None
    criterion: str = OVERALL
    repeat: int = 1
    reason: Reason | None = None  # why `value` is None
    rationale: str | None = None
    a_pass: bool | None = None  # check criteria only
    b_pass: bool | None = None
    score: float | None = None
    rubric: str | None = None
    model: str | None = None
    request_id: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    digest: str | None = None

    @property
    def came(self) -> bool:
        """Say whether there was an answer at all, be it one that lacks the choice."""
        return self.reason != "absent" or self.digest is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one judge (or the jury) concluded about one pair and criterion from its calls."""

    pair: str
    judge: str
    value: Preference | None  # None: unscored, see `reason`
    basis: Basis
    criterion: str = OVERALL
    score: float | None = None  # mean over usable calls, 1 when all say b
    reason: Reason | None = None
    rubric: str | None = None
    a_pass: bool | None = None
    b_pass: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One person's answer about one pair and criterion."""

    pair: str
    annotator: str
    choice: Choice
    criterion: str = OVERALL
    left: Literal["a", "b"] | None = None  # which output stood on the left
    strength: int | None = None
    comment: str | None = None
    seconds: float | None = None
    revision: int = 1
    kind: Kind = "real"
    flags: tuple[str, ...] = ()
    unblinded: bool = False
    probability: float | None = None  # with which the pair was drawn
    a_pass: bool | None = None
    b_pass: bool | None = None
    rubric: str | None = None

    @property
    def value(self) -> Preference | None:
        """What the choice counts as; None is missing."""
        return CHOICE_VALUE[self.choice]

    @property
    def simulated(self) -> bool:
        """Not given by a person; leaves every estimate as soon as one label was."""
        return "simulated" in self.flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A number for one output on one criterion; None with a reason when there is none."""

    example: str
    arm: str
    source: str
    criterion: str
    value: float | None
    sample: int = 0
    reason: Reason | None = None
    rubric: str | None = None


# --- What it amounts to ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval, n, missing count and method.  Undefined: `value` or bounds are None, `reason` says why.

    `n` and `missing` count items (pairs).  Win rates also carry `normal`, the plain value -+ z se interval.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    missing: int = 0
    method: Method | None = None
    reason: str | None = None
    normal: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One finding beside the judgement: a metric difference, a probe family, a curve's pattern, an A/B result."""

    kind: str
    name: str
    arm: str
    estimate: Estimate
    rule: str
    verdict: Literal["pass", "fail", "inconclusive", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """The rules a decision is made by.  Margins are shares: .05 is five points."""

    above: float | None = None  # None: .5 for win_rate, 0 for a metric
    probe_margin: float = 0.05
    probe_stop: float = 0.15
    agreement_margin: float = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPlan:
    """How many pairs people label, how often each, and on how many seats."""

    sample: int = 100
    labels_per_item: int = 2
    seats: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One gate's contribution to a decision: its finding in words and the estimate behind it."""

    gate: str
    text: str
    estimate: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Ship, iterate, abandon or undecided; the rule that decided, in a code and a sentence; and what to do next."""

    outcome: Outcome
    code: str
    sentence: str
    reasons: tuple[Ground, ...] = ()
    next: tuple[str, ...] = ()
    interim: bool = False
    trial: bool = False
    simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A warning: a stable code for programs, a text for people."""

    code: str
    text: str
