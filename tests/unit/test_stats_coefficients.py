"""Coefficients of agreement meet the established packages, and say nothing where there is nothing to say.

Numbers named after a package were computed with it once (irrCAC 0.4.4, scikit-learn 1.9.1, statsmodels 0.15.0,
krippendorff 0.9.0) from the table below.
"""

from __future__ import annotations

import numpy as np
import pytest

from judge.stats import (
    ac1_estimate,
    alpha_bootstrap,
    alpha_difference,
    alpha_estimate,
    alt_test,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    unique_majority,
    value_counts,
)

LABELS = "aaa aab abb bbb bb. ttt att a.a .bb bbb baa aaa ttb bt. bbb aa. a.. .t. bbb abt aaa bbb tt. aba"
TABLE = np.array([[".atb".index(letter) - 1 for letter in row] for row in LABELS.split()])
COUNTS = value_counts(TABLE)


@pytest.mark.parametrize(
    ("metric", "value"), [("nominal", 0.557369814651), ("ordinal", 0.553062309453), ("interval", 0.554716981132)]
)
def test_alpha_is_that_of_the_krippendorff_package_at_every_level_of_measurement(metric, value):
    assert alpha_estimate(COUNTS, metric).value == pytest.approx(value, abs=1e-9)


def test_ac1_is_that_of_irr_cac_with_missing_labels():
    assert gwet_ac1(COUNTS) == pytest.approx(0.5974035219, abs=1e-9)


def test_ac1_without_ties_is_that_of_irr_cac_over_the_two_values_that_occur():
    assert gwet_ac1(value_counts(np.where(TABLE == 1, -1, TABLE))) == pytest.approx(0.5703594361, abs=1e-9)


def test_the_interval_of_ac1_is_about_as_wide_as_that_of_irr_cac():
    found = ac1_estimate(COUNTS)
    assert found.high - found.low == pytest.approx(0.8612420407 - 0.3335650032, rel=0.15)


@pytest.mark.parametrize(("x", "y", "value"), [(0, 1, 0.536679536680), (0, 2, 0.436464088398), (1, 2, 0.609195402299)])
def test_cohens_kappa_is_that_of_scikit_learn_over_the_rows_both_labelled(x, y, value):
    assert cohen_kappa(TABLE[:, x], TABLE[:, y]) == pytest.approx(value, abs=1e-9)


def test_fleiss_kappa_is_that_of_statsmodels_on_the_complete_rows():
    complete = COUNTS[COUNTS.sum(axis=1) == 3]
    assert fleiss_kappa(complete) == pytest.approx(0.497206703911, abs=1e-9)


def test_fleiss_kappa_is_undefined_for_an_incomplete_table():
    assert fleiss_kappa(COUNTS) is None


def test_every_coefficient_of_a_rater_with_themselves_is_one():
    codes = TABLE[:, 0]
    doubled = value_counts(np.column_stack([codes, codes]))
    assert cohen_kappa(codes, codes) == pytest.approx(1)
    assert krippendorff_alpha(doubled) == pytest.approx(1)
    assert gwet_ac1(doubled) == pytest.approx(1)


def test_two_missings_never_agree():
    left, right = np.array([-1, -1, 0, 2]), np.array([-1, -1, 2, 0])
    assert cohen_kappa(left, right) == pytest.approx(cohen_kappa(left[2:], right[2:]))
    assert value_counts(np.column_stack([left, right])).sum() == 4


def test_a_majority_must_be_unique():
    assert unique_majority(np.array([[2, 0, 1], [1, 0, 1], [0, 0, 0], [0, 1, 0]])).tolist() == [0, -1, -1, 1]


@pytest.mark.parametrize("estimate", [alpha_estimate, ac1_estimate, alpha_bootstrap])
def test_one_value_throughout_is_undefined_with_the_reason(estimate):
    found = estimate(np.tile([2, 0, 0], (40, 1)))
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 40)
    assert "all labels are equal" in found.reason


@pytest.mark.parametrize("estimate", [alpha_estimate, ac1_estimate, alpha_bootstrap])
def test_one_doubly_labelled_item_is_undefined_with_the_reason(estimate):
    found = estimate(np.array([[1, 0, 1], [1, 0, 0], [0, 1, 0]]))
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 1)
    assert "fewer than two items" in found.reason


@pytest.mark.parametrize("estimate", [alpha_estimate, ac1_estimate, alpha_bootstrap])
def test_perfect_agreement_keeps_its_value_and_claims_no_interval(estimate):
    found = estimate(np.array([[2, 0, 0], [0, 0, 2]] * 20))
    assert found.value == pytest.approx(1)
    assert (found.low, found.high) == (None, None)
    assert found.reason


@pytest.mark.parametrize("estimate", [alpha_estimate, ac1_estimate])
def test_when_one_item_carries_all_variation_there_is_no_interval(estimate):
    counts = np.array([[2, 0, 0]] * 20 + [[1, 0, 1]])
    found = estimate(counts)
    assert found.value is not None
    if estimate is alpha_estimate:
        assert found.low is None
        assert "without one of the items" in found.reason


def test_one_cluster_holding_everything_gives_a_value_without_bounds():
    found = alpha_estimate(COUNTS, clusters=np.zeros(len(COUNTS)))
    assert found.value is not None
    assert found.low is None
    assert "one group or prompt" in found.reason


def test_a_cluster_that_repeats_its_items_does_not_narrow_the_interval():
    once = alpha_estimate(COUNTS)
    thrice = alpha_estimate(np.tile(COUNTS, (3, 1)), clusters=np.tile(np.arange(len(COUNTS)), 3))
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.03)


def test_more_items_narrow_the_interval_like_one_over_the_root():
    once, fourfold = alpha_estimate(COUNTS), alpha_estimate(np.tile(COUNTS, (4, 1)))
    ratio = (np.arctanh(once.high) - np.arctanh(once.low)) / (np.arctanh(fourfold.high) - np.arctanh(fourfold.low))
    assert ratio == pytest.approx(2, abs=0.2)


def test_a_higher_level_gives_a_wider_interval():
    assert alpha_estimate(COUNTS, level=0.99).low < alpha_estimate(COUNTS).low


def test_the_bootstrap_meets_the_jackknife_on_many_items_and_repeats_itself_under_one_seed():
    counts = np.tile(COUNTS, (30, 1))
    jackknife, first, again = alpha_estimate(counts), alpha_bootstrap(counts, seed=7), alpha_bootstrap(counts, seed=7)
    assert first == again
    assert first.low == pytest.approx(jackknife.low, abs=0.01)
    assert first.high == pytest.approx(jackknife.high, abs=0.01)
    assert first.method == "bca"


def test_the_bootstrap_meets_a_plain_loop_over_the_package():
    rng = np.random.default_rng(5)
    draws = [krippendorff_alpha(COUNTS[rng.integers(0, len(COUNTS), len(COUNTS))]) for _ in range(400)]
    found = alpha_bootstrap(COUNTS, resamples=4000)
    assert found.high - found.low == pytest.approx(np.ptp(np.quantile(draws, [0.025, 0.975])), rel=0.15)


def test_the_difference_of_two_equal_tables_is_nought_without_an_interval():
    clusters = np.arange(len(COUNTS))
    found, half = alpha_difference(COUNTS, COUNTS, first_clusters=clusters, second_clusters=clusters)
    assert found.value == 0
    assert (found.low, half) == (None, None)


def test_the_difference_leaves_the_same_cluster_out_of_both_sides():
    first, second = COUNTS, value_counts(TABLE[:, :2])
    clusters = np.arange(len(COUNTS))
    found, half = alpha_difference(first, second, first_clusters=clusters, second_clusters=clusters)
    by_hand = []
    for left_out in clusters:
        rest = clusters != left_out
        by_hand.append(krippendorff_alpha(first[rest]) - krippendorff_alpha(second[rest]))
    se = np.sqrt((len(clusters) - 1) * np.var(by_hand))
    assert found.value == pytest.approx(krippendorff_alpha(first) - krippendorff_alpha(second))
    assert half == pytest.approx(2.0687 * se, rel=1e-3)  # t with 23 degrees of freedom


def test_the_alternative_annotator_test_needs_three_people_with_thirty_items():
    assert alt_test(TABLE, TABLE[:, 0]) is None


def test_a_judge_that_copies_the_consensus_may_replace_everybody():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 200)
    people = np.where(rng.random((200, 4)) < 0.75, truth[:, None], rng.integers(0, 3, (200, 4)))
    found = alt_test(people, truth)
    assert (found.omega, found.annotators) == (1, 4)
    assert found.rho > 0.85


def test_a_judge_that_guesses_may_replace_nobody():
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 200)
    people = np.where(rng.random((200, 4)) < 0.75, truth[:, None], rng.integers(0, 3, (200, 4)))
    assert alt_test(people, rng.integers(0, 3, 200)).omega == 0
