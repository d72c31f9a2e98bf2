"""What holds of verdicts whatever a judge said."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from judge.domain import Reading
from judge.judging import jury, resolve

VALUES = st.sampled_from(["a", "tie", "b", None])
MIRROR = {"a": "b", "b": "a", "tie": "tie", None: None}
OTHER = {"ab": "ba", "ba": "ab"}


@st.composite
def cells(draw):
    orders = draw(st.sampled_from([("ab",), ("ab", "ba")]))
    return [
        Reading(pair="p", judge="j", order=order, repeat=repeat, value=value, reason=None if value else "refused")
        for order in orders
        for repeat, value in enumerate(draw(st.lists(VALUES, min_size=1, max_size=4)), 1)
    ]


def resolved(readings):
    return resolve("p", "j", "overall", readings)


@given(cells())
def test_swapping_a_and_b_turns_the_verdict_over(readings):
    swapped = [replace(r, value=MIRROR[r.value], order=OTHER[r.order]) for r in readings]
    before, after = resolved(readings), resolved(swapped)
    assert after.value == MIRROR[before.value]
    assert after.basis == before.basis
    assert (before.score is None) == (after.score is None)
    assert before.score is None or abs(after.score - (1 - before.score)) < 1e-12


@given(cells(), st.randoms())
def test_the_order_of_rows_changes_nothing(readings, random):
    shuffled = list(readings)
    random.shuffle(shuffled)
    before, after = resolved(readings), resolved(shuffled)
    assert (before.value, before.basis, before.reason) == (after.value, after.basis, after.reason)


@given(cells())
def test_missing_stays_missing(readings):
    verdict = resolved(readings)
    if all(r.value is None for r in readings):
        assert verdict.value is None and verdict.score is None and verdict.reason == "refused"
    if verdict.value is None:
        assert verdict.reason is not None


@given(cells())
def test_a_value_never_rests_on_one_usable_order_of_two(readings):
    verdict = resolved(readings)
    asked = {r.order for r in readings}
    usable = {r.order for r in readings if r.value is not None}
    if len(asked) == 2 and len(usable) == 1:
        assert verdict.value is None


@given(st.lists(cells(), min_size=2, max_size=5))
def test_a_jury_never_turns_missing_judges_into_a_value(groups):
    members = [replace(resolved(group), judge=f"j{n}") for n, group in enumerate(groups)]
    [together] = jury(members)
    usable = [m for m in members if m.value is not None]
    assert (together.value is None) == (2 * len(usable) <= len(members))
    if together.value in ("a", "b"):
        assert 2 * sum(m.value == together.value for m in usable) > len(usable)
