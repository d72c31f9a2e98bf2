"""One report with realistic figures and hostile texts, for every test of the report."""

from __future__ import annotations

import dataclasses
from typing import Any

from judge.decision.report import ArmSummary, Cost, Exhibit, MissingRow, Opening, Rationale, Report
from judge.domain import (
    Criterion,
    Decision,
    Estimate,
    Evidence,
    Example,
    Ground,
    Label,
    Message,
    Notice,
    Pair,
    Rubric,
    Verdict,
)

ATTACK = "<img src=https://evil.example/x onerror=alert(1)><script>alert(1)</script>"


def est(value: float | None, low: float | None = None, high: float | None = None, **more: Any) -> dict[str, Any]:
    known = {"value": value, "low": low, "high": high, "n": 0, "missing": 0, "method": None, "reason": None}
    return known | more


def two(raw: tuple[float, float, float], alpha: tuple[float, float, float], n: int) -> dict[str, Any]:
    return {
        "n": n,
        "raw": est(*raw, n=100, missing=2, method="logit"),
        "cohen": round(alpha[0] + 0.01, 3),
        "alpha_nominal": est(*alpha, n=100, missing=2, method="jackknife-z"),
        "alpha_ordinal": est(*(round(value + 0.06, 3) for value in alpha), n=100, missing=2, method="jackknife-z"),
    }


def people_panel() -> dict[str, Any]:
    alpha = est(0.516, 0.402, 0.615, n=98, missing=2, method="jackknife-z")
    return {
        "items": 100,
        "annotators": 4,
        "labels": 197,
        "missing": 3,
        "majority": {"a": 27, "tie": 21, "b": 44, "undefined": 8},
        "raw": est(0.701, 0.622, 0.77, n=98, missing=2, method="logit"),
        "raw_by_pair": {"ann|ben": 0.72},
        "cohen_by_pair": {"ann|ben": 0.53},
        "cohen_mean": 0.521,
        "fleiss": None,
        "alpha": {"nominal": alpha, "ordinal": alpha | {"value": 0.588, "low": 0.471, "high": 0.684}, "interval": alpha},
        "ac1": alpha,
        "ties_dropped": {"n": 70, "raw": alpha, "alpha_nominal": alpha},
        "longer": est(0.54, 0.45, 0.63, n=92, missing=8, method="logit"),
        "share_a_decided": est(0.38, 0.28, 0.49, n=71, missing=29, method="logit"),
        "first_shown": est(0.51, 0.44, 0.58, n=100, missing=0, method="logit"),
    }


def judge_panel(value: float = 0.49, state: str | None = "calibrated") -> dict[str, Any]:
    return {
        "calls": {
            "planned": 800, "usable": 791, "missing_ab": 5, "missing_ba": 4, "reasons": {"refused": 6, "cut": 3},
            "null_share": 0.01125, "tie_share": 0.184,
        },
        "verdicts": {
            "a": 112, "tie": 96, "b": 189, "unscored": 3,
            "basis": {"agreed": 331, "split": 64, "single": 0, "one_order": 2, "identical": 2, "unscored": 1},
        },
        "vs_majority": {},
        "vs_annotator": {who: two((0.69, 0.6, 0.77), (0.5, 0.38, 0.6), 50) for who in ("ann", "ben")},
        "vs_people": two((0.684, 0.611, 0.749), (value, value - 0.1, value + 0.09), 194),
        "without_splits": two((0.72, 0.65, 0.78), (0.55, 0.44, 0.65), 160),
        "confusion": {
            "a": {"a": 41, "tie": 10, "b": 6, "unscored": 1},
            "tie": {"a": 11, "tie": 19, "b": 16, "unscored": 0},
            "b": {"a": 7, "tie": 12, "b": 73, "unscored": 1},
        },
        "difference": est(value - 0.516, value - 0.616, value - 0.43, n=97, missing=3, method="jackknife-z"),
        "state": state,
        "needed": None if state == "calibrated" else 340,
        "position": {
            "two_orders": est(0.83, 0.79, 0.866, n=393, missing=7, method="logit"),
            "two_orders_majority": est(0.83, 0.79, 0.866, n=393, missing=7, method="logit"),
            "repeat": est(None, reason="each call was made once"),
            "repeat_alpha": {"ab": None, "ba": None},
            "first_shown": est(0.537, 0.508, 0.566, n=393, missing=7, method="logit"),
        },
        "longer": est(0.61, 0.555, 0.662, n=331, missing=69, method="logit"),
        "share_a_decided": est(0.372, 0.318, 0.43, n=301, missing=99, method="logit"),
        "alt_test": None,
    }  # fmt: skip


def agreement() -> dict[str, Any]:
    rate = {"n": 400, "missing": 3, "normal": [0.56, 0.66]}
    people = est(0.602, 0.515, 0.683, n=98, missing=2, method="logit", normal=[0.517, 0.687])
    return {
        "schema": "agree/1",
        "level": 0.95,
        "seed": 0,
        "source": {
            "pairs": 400, "labels": 200, "calls": 1600, "verdicts": 0, "digest": "9c1d" * 16, "candidate": "b",
            "people": "mean", "cluster": {"by": "auto", "clusters": 381},
        },
        "warnings": [],
        "coding": {"a": 0, "tie": 1, "b": 2, "both_bad": "tie", "cannot_judge": None, "skipped": None},
        "people": people_panel(),
        "judges": {"sol": judge_panel(), "sonnet": judge_panel(0.41, "undetermined"), "jury": judge_panel(0.5)},
        "win_rate": {
            "candidate": "b",
            "people": people,
            "judge_raw": {
                "sol": est(0.648, 0.608, 0.686, method="logit", **rate),
                "sonnet": est(0.671, 0.629, 0.71, method="logit", **rate),
                "jury": est(0.655, 0.616, 0.693, method="logit", **rate),
            },
            "post_stratified": est(None, reason="fewer than two labels in a stratum"),
            "corrected": {
                name: est(value, value - 0.056, value + 0.053, method="ppi++", **rate)
                | {"lambda": 0.61, "r": 0.66, "labelled": 98, "unlabelled": 302, "sensitivity": 0.79, "specificity": 0.74}
                for name, value in (("sol", 0.609), ("sonnet", 0.605), ("jury", 0.613))
            },
        },
        "criteria": {
            "correct": {"people": people_panel(), "judges": {"sol": judge_panel(0.52), "jury": judge_panel(0.53)}},
            "no_promises": {"people": people_panel(), "judges": {"sol": judge_panel(0.3, "not_calibrated")}},
        },
    }  # fmt: skip


TABLE_TEXT = """Your options, by arrival:

| service | price | arrives |
|:--|--:|--|
| standard | $4.90 | 3 to 5 days |
| express | $12.00 | next day |

Refund is \\(r = p \\cdot (1 - \\frac{d}{30})\\) after `d` days. Code:

```python
def refund(price: float, days: int) -> float:
    return round(price * (1 - days / 30), 2)  # a rather long line that has to scroll inside its own box, not the page
```
"""


def pair(text_a: str = "As an AI language model, I can not do that. " + ATTACK, text_b: str = TABLE_TEXT) -> Pair:
    prompt = "My parcel has not come. What does sending it again cost, and what do I get back?"
    example = Example(
        id="ex-17",
        messages=(Message(role="system", content="Policy: refunds within 30 days."), Message(role="user", content=prompt)),
        reference="Standard 4.90, express 12.00.",
    )
    return Pair(id="ex-17/tuned", example=example, text_a=text_a, text_b=text_b, model_a="base", model_b="tuned")


def exhibit(heading: str = "Largest win by people and judge", **texts: str) -> Exhibit:
    return Exhibit(
        pair=pair(**texts),
        heading=heading,
        verdicts=(
            Verdict(pair="ex-17/tuned", judge="sol", value="b", basis="agreed", score=1.0),
            Verdict(pair="ex-17/tuned", judge="sonnet", value=None, basis="one_order", reason="one_order"),
            Verdict(
                pair="ex-17/tuned", judge="sol", criterion="no_promises", value="b", basis="agreed", a_pass=False, b_pass=True
            ),
        ),
        labels=(
            Label(pair="ex-17/tuned", annotator="ann", choice="b", left="a", comment="B answers the question."),
            Label(pair="ex-17/tuned", annotator="ben", choice="both_bad", left="b"),
        ),
        rationales=(
            Rationale("sol", "ab", "overall", "The second reply states **both prices** as the policy does. " + ATTACK),
        ),
    )


def report(**changes: Any) -> Report:
    full = Report(
        study="support-replies",
        digest="4be1f0a27c9d" + "0" * 52,
        candidate="tuned",
        decision=Decision(
            outcome="ship",
            code="win_rate_above",
            sentence="tuned wins 61.3% of 400 pairs, and even the lower end of the interval, 55.7%, lies above 50%.",
            reasons=(
                Ground(
                    gate="primary", text="The whole interval lies above 50%.",
                    estimate=Estimate(value=0.613, low=0.557, high=0.666, n=400, missing=3, method="ppi++"),
                ),
                Ground(gate="probes", text="No family is shown to have lost more than 5 points."),
            ),
            next=("Roll out to 5% of traffic and watch the refund rate.", "Read the three largest losses below."),
        ),
        primary=Estimate(value=0.613, low=0.557, high=0.666, n=400, missing=3, method="ppi++", normal=(0.558, 0.668)),
        agreement=agreement(),
        evidence=(
            Evidence(
                kind="probes", name="knowledge", arm="tuned", rule="margin 0.05, stop 0.15", verdict="inconclusive",
                estimate=Estimate(value=-0.031, low=-0.074, high=0.012, n=600, missing=0, method="normal"),
            ),
            Evidence(
                kind="probes", name="arithmetic", arm="tuned", rule="margin 0.05, stop 0.15", verdict="pass",
                estimate=Estimate(value=0.004, low=-0.021, high=0.029, n=600, missing=4, method="normal"),
            ),
            Evidence(
                kind="probes", name="refusals", arm="tuned", rule="margin 0.05, stop 0.15", verdict="inconclusive",
                estimate=Estimate(value=-0.052, low=-0.091, high=-0.013, n=600, missing=0, method="normal"),
            ),
            Evidence(
                kind="metrics", name="rouge_l", arm="tuned", rule="for information", verdict="info",
                estimate=Estimate(value=0.0512, low=0.0301, high=0.0722, n=396, missing=4, method="normal"),
            ),
        ),
        arms={
            "base": ArmSummary(
                role="baseline", outputs=400, errors=2, truncated=11, tokens_in=182_400, tokens_out=61_211,
                latency_s=Estimate(value=1.21, low=1.15, high=1.27, n=398, missing=2, method="normal"),
            ),
            "shots": ArmSummary(role="rival", outputs=400, tokens_in=512_000, tokens_out=58_010),
            "tuned": ArmSummary(role="candidate", outputs=400, errors=1, truncated=0, tokens_in=182_400, tokens_out=49_870),
        },
        cost=Cost(usd=3.412, by_judge={"sol": 1.2, "sonnet": 2.212}, repeats={"sol": 0.06}, possibly_paid=2),
        openings=(Opening(arm="base", at="2026-11-20T09:14:00Z"), Opening(arm="tuned", at="2026-11-20T09:31:00Z")),
        looks=1,
        warnings=(Notice(code="recorded_under_other_rubric", text="12 recordings were made under another rubric digest."),),
        versions={"blind-judge": "0.1.0", "krippendorff": "0.8.1", "numpy": "2.3.5"},
        exhibits=(exhibit(), exhibit("Largest loss by people and judge", text_a="Plain answer.", text_b="")),
        missing=(
            MissingRow(what="pairs without an output", missing=3, of=403, why={"error": 3}),
            MissingRow(what="calls without a usable answer", missing=9, of=800, why={"refused": 6, "cut": 3}),
            MissingRow(what="labels", missing=3, of=200, why={"cannot_judge": 2, "skipped": 1}),
        ),
        rubric=Rubric(
            name="support-reply",
            task="A customer wrote to a shop's support desk.",
            overall="Which reply would a careful support lead rather send?",
            criteria=(
                Criterion(id="correct", question="Is everything it states true and in line with the policy?"),
                Criterion(id="no_promises", question="Does it avoid promising what the policy does not grant?", check=True),
            ),
            people="Read the policy first. Judge the reply, not its length.",
        ),
        rule="the 3 largest wins and 3 largest losses by people's and judge's mean score, ties broken by pair id; "
        "not hand-picked.",
        made_at="2026-11-24T13:00:00Z",
    )  # fmt: skip
    return dataclasses.replace(full, **changes)


def decided(outcome: str, **marks: bool) -> Decision:
    return Decision(outcome=outcome, code="test", sentence="A sentence that decides.", next=("Do this.",), **marks)  # type: ignore[arg-type]
