"""Canonical JSON, digests and keyed randomness."""

from __future__ import annotations

import pytest

from judge.ids import canonical_json, digest, fence_marker, keyed_bit, keyed_fraction

SECRET = "0f" * 32


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, "é"]}, '{"a":[true,null,"é"],"b":1}'),
        (1.0, "1"),
        (-0.5, "-0.5"),
        (1e-06, "0.000001"),
        (1.5e-07, "1.5e-7"),
        (1e21, "1e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        ("\u2028\n\x00", '"\u2028\\n\\u0000"'),
        ({"\U0001f600": 1, "\ufb33": 2}, '{"\U0001f600":1,"\ufb33":2}'),
    ],
)
def test_canonical_json_follows_the_rfc(value, text):
    assert canonical_json(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_has_no_json_is_refused(value):
    with pytest.raises(ValueError, match="no JSON"):
        canonical_json(value)


def test_the_kind_is_part_of_a_digest():
    assert digest("arm", {"x": 1}) != digest("judge", {"x": 1})


def test_a_digest_does_not_depend_on_the_order_of_keys():
    assert digest("arm", {"x": 1, "y": 2}) == digest("arm", {"y": 2, "x": 1})


def test_the_fence_marker_depends_on_both_texts():
    assert fence_marker("x", "y") != fence_marker("x", "z")
    assert len(fence_marker("x", "y")) == 12


def test_keyed_randomness_needs_the_secret_and_repeats_itself():
    assert keyed_fraction(SECRET, "rank", "p") == keyed_fraction(SECRET, "rank", "p")
    assert keyed_fraction(SECRET, "rank", "p") != keyed_fraction("1f" * 32, "rank", "p")
    assert {keyed_bit(SECRET, str(n)) for n in range(50)} == {0, 1}
