"""Rates, win rates and their correction by people's labels.

Numbers of ppi-python were computed with version 0.2.3 once from the scores below.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from judge.stats import Labelled, Others, clopper_pearson, people_rate, post_stratified, ppi, ppi_tuned, rate

Y = np.array([1, 0, 0.5, 1, 1, 0, 1, 0.5, 1, 0, 1, 1, 0.5, 0, 1, 1, 0, 1, 1, 0.5])
F = np.array([1, 0.25, 0.5, 1, 0.75, 0.5, 1, 0, 1, 0, 0.5, 1, 0.5, 0.25, 1, 1, 0.5, 1, 0, 0.5])
REST = [1, 1, 0.5, 0.75, 0, 1, 0.25, 1, 1, 0, 0.5, 1, 1, 0.75, 0, 1, 0.5, 1, 1, 1, 0.25, 0, 1, 1, 0.5, 1, 0.75, 0, 1]
REST = np.array([*REST, 0.5])


def labelled(y=Y, f=F, weights=None, clusters=None):
    return Labelled(y=y, f=f, clusters=np.arange(len(y)) if clusters is None else clusters, weights=weights)


def others(f=REST, start=1000):
    return Others(f=f, clusters=np.arange(start, start + len(f)))


def test_a_win_rate_has_the_textbook_standard_error():
    found = rate(Y, win=True)
    half = 1.959964 * Y.std(ddof=1) / math.sqrt(len(Y))
    assert found.value == pytest.approx(Y.mean())
    assert found.normal == pytest.approx((Y.mean() - half, Y.mean() + half), abs=1e-6)


def test_the_logit_interval_is_symmetric_on_its_scale_and_lies_inside_the_range():
    found = rate(np.tile(Y, 3))
    logits = [math.log(x / (1 - x)) for x in (found.low, found.value, found.high)]
    assert logits[1] - logits[0] == pytest.approx(logits[2] - logits[1])
    assert found.method == "logit"


def test_under_twenty_clusters_the_interval_is_students():
    few, many = rate(np.tile([0, 1, 1], 6)), rate(np.tile([0, 1, 1], 7))
    width = [math.log(e.high / (1 - e.high)) - math.log(e.low / (1 - e.low)) for e in (few, many)]
    assert width[0] / width[1] == pytest.approx(2.10982 / 1.95996 * math.sqrt(20 / 17), rel=1e-4)


def test_repeating_items_within_clusters_changes_nothing():
    once = rate(Y, win=True)
    thrice = rate(np.repeat(Y, 3), clusters=np.repeat(np.arange(len(Y)), 3), win=True)
    assert (thrice.value, thrice.low, thrice.high) == pytest.approx((once.value, once.low, once.high))
    assert thrice.normal == pytest.approx(once.normal)


def test_a_pooled_rate_weighs_items_by_how_much_they_hold():
    assert rate([1, 3], [1, 6]).value == pytest.approx(4 / 7)
    assert rate([1, 0], [1, 0]).n == 1


@pytest.mark.parametrize("scores", [[1] * 40, [0] * 40, [0.5] * 40, [1] * 4 + [0] * 4 + [0.5] * 90, [1] * 30 + [0.5] * 9])
def test_lopsided_data_get_the_exact_interval(scores):
    found = rate(scores, win=True)
    assert found.method == "exact"
    assert found.low <= found.value <= found.high
    assert found.low < found.high


def test_the_exact_interval_is_clopper_pearson_of_wins_and_losses_at_half_the_error_each():
    found = rate([1] * 5 + [0.5] * 45)
    wins, losses = clopper_pearson(5, 50, 0.975), clopper_pearson(0, 50, 0.975)
    assert found.low == pytest.approx(0.5 + (wins[0] - losses[1]) / 2)
    assert found.high == pytest.approx(0.5 + (wins[1] - losses[0]) / 2)


def test_clopper_pearson_meets_the_published_example():
    assert clopper_pearson(4, 20, 0.95) == pytest.approx((0.057334, 0.436614), abs=1e-6)


def test_nothing_but_wins_claims_no_normal_interval():
    assert rate([1] * 40, win=True).normal is None


@pytest.mark.parametrize("scores", [[], [1], [0]])
def test_fewer_than_two_items_are_undefined(scores):
    found = rate(scores, win=True)
    assert (found.value, found.low, found.high, found.normal) == (None, None, None, None)
    assert "fewer than two" in found.reason


def test_clusters_that_are_all_alike_give_no_interval():
    found = rate([0, 1] * 12, clusters=np.repeat(np.arange(12), 2))
    assert found.value == 0.5
    assert found.low is None
    assert "no variation" in found.reason


def test_the_corrected_rate_is_that_of_ppi_python():
    found = ppi(labelled(), others()).estimate
    assert found.value == pytest.approx(0.67627303, abs=1e-6)
    assert found.normal == pytest.approx((0.51655015, 0.83599591), abs=1e-6)
    assert found.method == "ppi++"
    assert found.n == 50


def test_the_corrected_interval_is_narrower_than_peoples_with_a_good_judge():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 600).astype(float)
    f = np.where(rng.random(600) < 0.9, truth, 1 - truth)
    mine = labelled(y=truth[:100], f=f[:100])
    corrected, people = ppi(mine, others(f[100:])).estimate, people_rate(mine)
    assert corrected.high - corrected.low < 0.75 * (people.high - people.low)


@pytest.mark.parametrize("variant", [ppi, lambda mine, rest: ppi_tuned(mine, np.ones(len(mine.y)), rest)])
@pytest.mark.parametrize(
    ("mine", "rest", "method", "reason"),
    [
        (labelled(), others(REST[:0]), "people", "every item is labelled"),
        (labelled(f=np.full(20, 0.5)), others(np.full(30, 0.5)), "people", "do not vary"),
        (labelled(y=np.maximum(Y, 0.5)), others(), "exact", "no loss"),
        (labelled(y=Y[:1], f=F[:1]), others(), None, "fewer than two"),
    ],
)
def test_where_no_correction_is_possible_people_alone_speak_and_it_is_said(variant, mine, rest, method, reason):
    found, people = variant(mine, rest), people_rate(mine)
    assert (found.estimate.value, found.estimate.low, found.estimate.high) == (people.value, people.low, people.high)
    assert found.estimate.method == method
    assert reason in found.estimate.reason
    assert found.lam is None


def test_equal_drawing_probabilities_are_plain_means():
    assert ppi(labelled(weights=np.full(20, 2.5)), others()) == ppi(labelled(), others())


def test_unequal_drawing_probabilities_undo_the_choice_of_items():
    rng = np.random.default_rng(11)
    y = (rng.random(4000) < 0.5).astype(float)
    f = np.where(rng.random(4000) < 0.8, y, 1 - y)
    chance = np.where(f > 0.5, 0.3, 0.05)
    drawn = rng.random(4000) < chance
    mine = labelled(y=y[drawn], f=f[drawn], weights=1 / chance[drawn])
    found = ppi(mine, others(f[~drawn], start=5000)).estimate
    assert abs(people_rate(labelled(y=y[drawn], f=f[drawn])).value - y.mean()) > 0.1
    assert found.value == pytest.approx(y.mean(), abs=0.05)
    assert found.low < y.mean() < found.high


def test_clustered_items_widen_the_corrected_interval():
    twice = {"y": np.repeat(Y, 2), "f": np.repeat(F, 2)}
    apart = ppi(labelled(**twice), others()).estimate
    together = ppi(labelled(**twice, clusters=np.repeat(np.arange(20), 2)), others()).estimate
    assert together.high - together.low > 1.2 * (apart.high - apart.low)


def test_the_tuned_rate_takes_the_judge_from_the_confirmation_half_alone():
    y, f = np.tile(Y, 2), np.tile(F, 2)
    confirmation = np.arange(40) >= 20
    memorised = np.where(confirmation, f, y)
    assert ppi_tuned(labelled(y, f), confirmation, others()) == ppi_tuned(labelled(y, memorised), confirmation, others())


def test_the_tuned_rate_follows_its_formula():
    y, f, confirmation = np.tile(Y, 2), np.tile(F, 2), np.arange(40) >= 20
    found = ppi_tuned(labelled(y, f), confirmation, others())
    spread = np.concatenate([F, REST]).var(ddof=1)
    beta = np.cov(Y, F)[0, 1] / 40 / (spread * (1 / 20 + 1 / 30))
    gap = 0.5 * Y - beta * F
    variance = 0.25 * y.var(ddof=1) / 20 + gap.var() * 20 / 18 / 20 + beta**2 * REST.var() / 30
    assert found.lam == pytest.approx(beta)
    assert found.estimate.value == pytest.approx(Y.mean() + beta * (REST.mean() - F.mean()))
    half = found.estimate.normal[1] - found.estimate.value
    assert half == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-6)
    assert found.estimate.method == "ppi++-tuned"


def test_fewer_than_twenty_confirmation_items_leave_people_alone():
    found = ppi_tuned(labelled(), np.arange(20) >= 1, others())
    assert found.estimate.method == "people"
    assert "fewer than 20 confirmation items" in found.estimate.reason


def test_post_stratification_weighs_peoples_means_by_how_common_a_verdict_is():
    y = np.array([1, 1, 0, 1, 0, 0, np.nan, np.nan, np.nan, np.nan])
    strata = np.array([1, 1, 1, 0, 0, 0, 1, 1, 1, 1])
    found = post_stratified(y, strata)
    assert found.value == pytest.approx(0.7 * 2 / 3 + 0.3 * 1 / 3)
    assert found.low < found.value < found.high


def test_post_stratification_refuses_a_verdict_with_one_label():
    found = post_stratified(np.array([1, 0, 1, np.nan]), np.array([1, 1, 0, 0]))
    assert found.value is None
    assert "fewer than two labelled" in found.reason


def test_the_corrected_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(4)
    hits = []
    for _ in range(400):
        y = (rng.random(300) < 0.6).astype(float)
        f = np.where(rng.random(300) < 0.75, y, 1.0)
        found = ppi(labelled(y[:80], f[:80]), others(f[80:])).estimate
        hits.append(found.low <= 0.6 <= found.high)
    assert np.mean(hits) == pytest.approx(0.95, abs=0.03)
