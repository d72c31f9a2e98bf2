"""What must hold of every coefficient, rate and correction, whatever the data."""

from __future__ import annotations

import warnings

import krippendorff
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from judge.stats import (
    Labelled,
    Others,
    ac1_estimate,
    alpha_difference,
    alpha_estimate,
    cohen_kappa,
    people_rate,
    post_stratified,
    ppi,
    ppi_tuned,
    rate,
    value_counts,
)

METRICS = st.sampled_from(["nominal", "ordinal", "interval"])
SCORES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def codes(rows=(1, 25), raters=(1, 5)):
    shape = st.tuples(st.integers(*rows), st.integers(*raters))
    return shape.flatmap(lambda size: arrays.arrays(np.int64, size, elements=st.integers(-1, 2)))


def scores(low=0, high=40):
    return st.lists(SCORES, min_size=low, max_size=high).map(lambda values: np.array(values, dtype=float))


@st.composite
def judged(draw):
    labelled, rest = draw(st.integers(0, 40)), draw(st.integers(0, 40))
    y, f = (np.array(draw(st.lists(SCORES, min_size=labelled, max_size=labelled)), dtype=float) for _ in "yf")
    others = np.array(draw(st.lists(SCORES, min_size=rest, max_size=rest)), dtype=float)
    groups = np.array(draw(st.lists(st.integers(0, 60), min_size=labelled + rest, max_size=labelled + rest)), dtype=int)
    if draw(st.booleans()):
        groups = np.arange(labelled + rest)
    weights = None
    if labelled and draw(st.booleans()):
        weights = np.array(draw(st.lists(st.floats(1, 9), min_size=labelled, max_size=labelled)))
    mine = Labelled(y=y, f=f, clusters=groups[:labelled], weights=weights)
    return mine, Others(f=others, clusters=groups[labelled:])


def is_sound(estimate, *, share=True):
    """Value inside its interval, bounds inside the range, no NaN, and a reason wherever something is missing."""
    numbers = [x for x in (estimate.value, estimate.low, estimate.high, *(estimate.normal or ())) if x is not None]
    assert np.isfinite(numbers).all()
    assert (estimate.low is None) == (estimate.high is None)
    if estimate.low is None:
        assert estimate.reason
        return
    assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9
    assert (0 if share else -1) <= estimate.low <= estimate.high <= 1
    assert estimate.n >= 2
    assert estimate.method


@given(codes(), METRICS)
def test_alpha_is_the_packages_value_or_undefined_where_the_package_has_none(table, metric):
    found = alpha_estimate(value_counts(table), metric)
    is_sound(found, share=False)
    pairable = value_counts(table)[(table >= 0).sum(axis=1) >= 2]
    if len(pairable) < 2 or (pairable.sum(axis=0) > 0).sum() < 2:
        assert found.value is None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = krippendorff.alpha(np.where(table < 0, np.nan, table).T, None, [0, 1, 2], metric)
    assert abs(found.value - expected) < 1e-9


@given(codes())
def test_ac1_is_sound(table):
    is_sound(ac1_estimate(value_counts(table)), share=False)


@given(codes(), st.randoms(use_true_random=False), METRICS)
def test_the_order_of_rows_and_raters_changes_nothing(table, random, metric):
    rows, columns = list(range(table.shape[0])), list(range(table.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    assert_same(alpha_estimate(value_counts(table), metric), alpha_estimate(value_counts(table[rows][:, columns]), metric))


@given(codes(), METRICS)
def test_exchanging_a_and_b_leaves_every_coefficient_as_it_is(table, metric):
    mirror = np.where(table < 0, -1, 2 - table)
    assert_same(alpha_estimate(value_counts(table), metric), alpha_estimate(value_counts(mirror), metric))
    assert_same(ac1_estimate(value_counts(table)), ac1_estimate(value_counts(mirror)))


@given(codes(raters=(2, 2)))
def test_rows_with_a_missing_side_change_no_kappa(table):
    both = (table >= 0).all(axis=1)
    assert cohen_kappa(*table.T) == cohen_kappa(*table[both].T)


@given(codes(rows=(6, 25), raters=(2, 4)), METRICS)
def test_asking_the_same_again_within_a_cluster_never_narrows_the_interval_of_alpha(table, metric):
    counts, keys = value_counts(table), np.arange(len(table))
    once = alpha_estimate(counts, metric, clusters=keys)
    again = alpha_estimate(np.tile(counts, (3, 1)), metric, clusters=np.tile(keys, 3))
    assume(once.low is not None and again.low is not None)
    # alpha's own small-sample term moves with the number of labels; half the width would mean rows were counted.
    assert again.high - again.low > 0.8 * (once.high - once.low)


@given(codes(rows=(4, 20), raters=(2, 4)), codes(rows=(4, 20), raters=(2, 4)))
def test_a_difference_of_alphas_is_sound_and_turns_its_sign_with_its_sides(first, second):
    left, right = value_counts(first), value_counts(second)
    keys = {"first_clusters": np.arange(len(left)), "second_clusters": np.arange(len(right))}
    forth, half = alpha_difference(left, right, **keys)
    back, _ = alpha_difference(right, left, first_clusters=keys["second_clusters"], second_clusters=keys["first_clusters"])
    assert (half is None) == (forth.low is None)
    if forth.value is not None:
        assert abs(forth.value + back.value) < 1e-9
    if forth.low is not None:
        assert abs(forth.low + back.high) < 1e-9


@given(scores(), st.data())
def test_a_win_rate_is_sound_and_turns_upside_down_with_its_sides(y, data):
    clusters = np.array(data.draw(st.lists(st.integers(0, 30), min_size=len(y), max_size=len(y))), dtype=int)
    found, mirror = (rate(side, clusters=clusters, win=True) for side in (y, 1 - y))
    is_sound(found)
    assert_mirrored(found, mirror)


@given(scores(low=2), st.integers(2, 4))
def test_asking_the_same_item_again_leaves_a_rate_and_its_interval_as_they_are(y, times):
    once = rate(y, win=True)
    again = rate(np.repeat(y, times), clusters=np.repeat(np.arange(len(y)), times), win=True)
    # Only the count of decided items, which chooses between the exact and the logit way, knows rows.
    assume(once.method == again.method)
    assert_same(once, again, counts=False)


@settings(max_examples=200)
@given(judged())
def test_a_corrected_rate_is_sound_and_the_judges_weight_lies_between_nought_and_one(sides):
    found = ppi(*sides)
    is_sound(found.estimate)
    assert found.lam is None or 0 <= found.lam <= 1
    assert found.r is None or -1 <= found.r <= 1


@settings(max_examples=200)
@given(judged())
def test_a_corrected_rate_turns_upside_down_with_its_sides(sides):
    mine, rest = sides
    mirror = Labelled(y=1 - mine.y, f=1 - mine.f, clusters=mine.clusters, weights=mine.weights)
    found, turned = ppi(mine, rest), ppi(mirror, Others(f=1 - rest.f, clusters=rest.clusters))
    assert_mirrored(found.estimate, turned.estimate)


@given(judged(), SCORES)
def test_a_judge_that_always_says_the_same_leaves_people_alone(sides, constant):
    mine, rest = sides
    silent = Labelled(y=mine.y, f=np.full(len(mine.f), constant), clusters=mine.clusters, weights=mine.weights)
    found = ppi(silent, Others(f=np.full(len(rest.f), constant), clusters=rest.clusters)).estimate
    people = people_rate(mine)
    assert (found.value, found.low, found.high, found.n) == (people.value, people.low, people.high, people.n)


@given(judged(), st.data())
def test_the_tuned_rate_never_reads_the_judge_on_the_tuning_half(sides, data):
    mine, rest = sides
    size = len(mine.y)
    half = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool)
    found = ppi_tuned(mine, half, rest)
    is_sound(found.estimate)
    memorised = Labelled(y=mine.y, f=np.where(half, mine.f, mine.y), clusters=mine.clusters, weights=mine.weights)
    assert ppi_tuned(memorised, half, rest) == found


@given(scores(high=30), st.data())
def test_a_post_stratified_rate_is_sound(y, data):
    size = len(y)
    strata = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)), dtype=int)
    known = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool)
    is_sound(post_stratified(np.where(known, y, np.nan), strata))


def assert_same(one, other, *, counts=True):
    for name in ("value", "low", "high"):
        left, right = getattr(one, name), getattr(other, name)
        assert (left is None) == (right is None)
        assert left is None or abs(left - right) < 1e-8
    assert one.reason == other.reason
    if counts:
        assert (one.n, one.missing, one.method) == (other.n, other.missing, other.method)


def assert_mirrored(one, other):
    for name, turned in (("value", "value"), ("low", "high"), ("high", "low")):
        left, right = getattr(one, name), getattr(other, turned)
        assert (left is None) == (right is None)
        assert left is None or abs(left + right - 1) < 1e-8
    assert (one.n, one.method, one.reason) == (other.n, other.method, other.reason)
