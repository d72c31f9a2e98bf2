"""What holds of the order in which pairs are drawn."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from judge.review import sampling_order

SECRETS = st.integers(0, 2**256 - 1).map(lambda n: f"{n:064x}")
STRATA = st.dictionaries(
    st.integers(0, 400).map(lambda n: f"p{n}"), st.sampled_from(["a", "tie", "b", "split", "unscored"]), min_size=1
)
SWAP = {"a": "b", "b": "a"}


@given(STRATA, SECRETS)
def test_every_pair_stands_in_the_order_once(strata, secret):
    order = [sampled.pair for sampled in sampling_order(strata, strata, secret)]
    assert sorted(order) == sorted(strata)


@given(STRATA, SECRETS)
def test_swapping_the_arms_draws_the_same_pairs_and_halves(strata, secret):
    swapped = {pair: SWAP.get(stratum, stratum) for pair, stratum in strata.items()}
    before = [(s.pair, s.half) for s in sampling_order(strata, strata, secret)]
    after = [(s.pair, s.half) for s in sampling_order(swapped, swapped, secret)]
    assert before == after


@given(STRATA, SECRETS, st.randoms())
def test_the_order_of_input_changes_nothing(strata, secret, random):
    names = list(strata)
    random.shuffle(names)
    assert sampling_order(names, strata, secret) == sampling_order(sorted(strata), strata, secret)


@given(STRATA, SECRETS, st.integers(1, 100))
def test_every_beginning_holds_the_strata_in_proportion(strata, secret, n):
    order = sampling_order(strata, strata, secret)[:n]
    drawn, sizes = Counter(s.stratum for s in order), Counter(strata.values())
    share = len(order) / len(strata)
    for stratum, size in sizes.items():
        assert abs(drawn[stratum] - share * size) < len(sizes) + 1


@given(STRATA, SECRETS)
def test_halves_are_balanced_inside_each_stratum(strata, secret):
    order = sampling_order(strata, strata, secret)
    for stratum in set(strata.values()):
        halves = Counter(s.half for s in order if s.stratum == stratum)
        assert abs(halves["tuning"] - halves["confirmation"]) <= 1


def test_every_pair_is_drawn_equally_often_over_secrets():
    strata = {f"p{n}": "a" if n < 7 else "b" for n in range(20)}
    drawn = Counter(s.pair for k in range(2000) for s in sampling_order(strata, strata, f"{k * 7919:064x}")[:5])
    for count in drawn.values():
        assert abs(count - 500) < 100
