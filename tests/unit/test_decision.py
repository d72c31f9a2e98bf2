"""The rule of decision, case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from judge.decision.rule import decide
from judge.decision.standing import Guard, Standing
from judge.domain import Estimate


def interval(low, high, value=None):
    return Estimate(value=(low + high) / 2 if value is None else value, low=low, high=high, n=100, method="ppi++")


UNDEFINED = Estimate(value=None, reason="fewer than two items")
NO_INTERVAL = Estimate(value=0.7, reason="one cluster")
WON, LOST, OPEN = interval(0.55, 0.75), interval(0.25, 0.45), interval(0.45, 0.65)


def guard(low, high, name="arithmetic", pooled=False):
    return Guard(name=name, difference=interval(low, high), pooled=pooled)


FINE = guard(-0.02, 0.02, pooled=True)
CASES = {
    "a trial decides nothing": (WON, [], {"trial": True}, "undecided", "trial"),
    "a judge alone never ships": (WON, [], {"labels_in": 0}, "undecided", "judge_only"),
    "missing labels wait": (WON, [], {"labels_in": 99}, "undecided", "labels_missing"),
    "a trial comes before missing labels": (WON, [], {"trial": True, "labels_in": 0}, "undecided", "trial"),
    "missing labels come before a lost ability": (WON, [guard(-0.4, -0.2)], {"labels_in": 5}, "undecided", "labels_missing"),
    "an ability lost beyond the stop abandons": (WON, [guard(-0.4, -0.2)], {}, "abandon", "guard_stopped"),
    "a loss that touches the stop does not": (WON, [guard(-0.4, -0.15)], {}, "iterate", "guard_failed"),
    "a clear loss abandons": (LOST, [], {}, "abandon", "no_better"),
    "an upper bound on the threshold abandons": (interval(0.3, 0.5), [], {}, "abandon", "no_better"),
    "a clear win ships": (WON, [], {}, "ship", "better"),
    "a clear win with probes shown fine ships": (WON, [FINE], {}, "ship", "better"),
    "a lower bound on the threshold decides nothing": (interval(0.5, 0.7), [], {}, "undecided", "open"),
    "a shown loss of a family iterates": (WON, [FINE, guard(-0.12, -0.06)], {}, "iterate", "guard_failed"),
    "a family that may have lost does not count": (WON, [FINE, guard(-0.12, -0.04)], {}, "ship", "better"),
    "a pooled difference that may be a loss waits": (WON, [guard(-0.06, 0.01, pooled=True)], {}, "undecided", "guard_unclear"),
    "a pooled bound on the margin waits": (WON, [guard(-0.05, 0.01, pooled=True)], {}, "undecided", "guard_unclear"),
    "an interval over the threshold decides nothing": (OPEN, [], {}, "undecided", "open"),
    "an undefined win rate decides nothing": (UNDEFINED, [], {}, "undecided", "open"),
    "a value without an interval decides nothing": (NO_INTERVAL, [], {}, "undecided", "open"),
    "a metric does not wait for people": (
        interval(0.1, 0.3), [], {"primary_name": "field_accuracy", "threshold": 0.0, "labels_in": 0}, "ship", "better",
    ),
    "a metric that fell abandons": (
        interval(-0.3, -0.1), [], {"primary_name": "field_accuracy", "threshold": 0.0, "labels_in": 0}, "abandon", "no_better",
    ),
}  # fmt: skip


def standing(primary=WON, guards=(), **changed):
    whole = Standing(
        candidate="tuned",
        primary_name="win_rate",
        primary=primary,
        threshold=0.5,
        guards=tuple(guards),
        labels_in=100,
        labels_planned=100,
    )
    return replace(whole, **changed)


@pytest.mark.parametrize(("primary", "guards", "changed", "outcome", "code"), CASES.values(), ids=CASES)
def test_the_rule(primary, guards, changed, outcome, code):
    decision = decide(standing(primary, guards, **changed))
    assert (decision.outcome, decision.code) == (outcome, code)
    assert decision.sentence.endswith(".")
    assert decision.interim == (code == "labels_missing")


def test_every_code_has_a_case():
    assert {case[4] for case in CASES.values()} == {
        "trial",
        "judge_only", "labels_missing", "guard_stopped", "no_better", "guard_failed", "guard_unclear", "better", "open",
    }  # fmt: skip


def test_the_point_estimate_never_decides():
    for value in (0.46, 0.64):
        assert decide(standing(interval(0.45, 0.65, value))).outcome == "undecided"


def test_an_open_question_says_what_would_settle_it():
    decision = decide(standing(interval(0.47, 0.65, 0.56)))
    assert decision.next[0].startswith("About 125 more labelled pairs")


@pytest.mark.parametrize(
    ("n", "low", "high", "value", "words"),
    [
        (8, 0.19, 0.93, 0.56, "About 297 more labelled pairs"),
        (20_000, 0.4995, 0.5105, 0.505, "About 4201 more labelled pairs"),
        (100, 0.4, 0.62, 0.51, "If the estimate stayed where it is, only more than 5,000 further labelled pairs"),
        (6, 0.3, 0.7, 0.5, "If the estimate stayed where it is, only more than 5,000 further labelled pairs"),
    ],
)
def test_what_would_settle_it_is_a_number_as_long_as_anybody_could_label_so_many(n, low, high, value, words):
    decision = decide(standing(replace(interval(low, high, value), n=n)))
    assert decision.next[0].startswith(words)


def test_a_failed_guard_is_named_although_the_primary_is_open():
    decision = decide(standing(OPEN, [guard(-0.12, -0.06, "spelling")]))
    assert decision.outcome == "undecided"
    assert any("spelling" in step for step in decision.next)


def test_simulated_labels_are_said_in_the_next_step():
    assert any("simulated" in step for step in decide(standing(simulated=True)).next)
