"""Every branch of the rules from readings to a verdict, as sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from judge.domain import Example, Message, Pair, Reading, Verdict
from judge.judging import complete, complete_verdicts, jury, resolve, scope_of, strata, verdicts

BOTH = scope_of([], planned={"j": ["overall"]})


def reading(value, order="ab", repeat=1, pair="p", judge="j", reason=None):
    return Reading(
        pair=pair, judge=judge, order=order, repeat=repeat, value=value, reason=reason or (None if value else "malformed")
    )


def pair(id_="p", text_a="x", text_b="y"):
    return Pair(id=id_, example=Example(id=id_, messages=(Message(role="user", content="q"),)), text_a=text_a, text_b=text_b)


def resolved(*readings):
    return resolve("p", "j", "overall", list(readings))


def test_two_orders_that_agree_give_their_value():
    verdict = resolved(reading("b"), reading("b", "ba"))
    assert (verdict.value, verdict.basis, verdict.score) == ("b", "agreed", 1.0)


def test_two_orders_that_disagree_are_a_tie_counted_as_split():
    verdict = resolved(reading("a"), reading("b", "ba"))
    assert (verdict.value, verdict.basis, verdict.score) == ("tie", "split", 0.5)


def test_one_usable_order_of_two_is_missing_but_keeps_its_score():
    verdict = resolved(reading("b"), reading(None, "ba"))
    assert (verdict.value, verdict.basis, verdict.reason, verdict.score) == (None, "one_order", "one_order", 1.0)


def test_nothing_usable_is_unscored_with_the_commonest_reason():
    verdict = resolved(reading(None, reason="refused"), reading(None, "ba", reason="refused"))
    assert (verdict.value, verdict.basis, verdict.reason, verdict.score) == (None, "unscored", "refused", None)


def test_a_single_planned_order_gives_its_value():
    assert (resolved(reading("a")).value, resolved(reading("a")).basis) == ("a", "single")


def test_equal_texts_without_a_row_are_an_identical_tie():
    verdict = resolved()
    assert (verdict.value, verdict.basis, verdict.score) == ("tie", "identical", 0.5)


def test_the_most_frequent_repeat_speaks_for_its_order():
    ab = [reading(value, "ab", n) for n, value in enumerate(["b", "b", "a"], 1)]
    ba = [reading(value, "ba", n) for n, value in enumerate(["b", "tie", "b"], 1)]
    verdict = resolved(*ab, *ba)
    assert (verdict.value, verdict.basis) == ("b", "agreed")
    assert verdict.score == pytest.approx((2 + 0 + 2 + 0.5) / 6)


def test_repeats_without_a_unique_most_frequent_value_count_as_split():
    ab = [reading("a", "ab", 1), reading("b", "ab", 2)]
    ba = [reading("b", "ba", 1), reading("b", "ba", 2)]
    assert resolved(*ab, *ba).basis == "split"


def test_repeats_asked_in_one_order_only_do_not_move_value_or_score():
    extra = [reading("a", "ab", n) for n in (2, 3, 4)]
    verdict = resolved(reading("b"), reading("b", "ba"), *extra)
    assert (verdict.value, verdict.score) == ("b", 1.0)


def test_a_pair_without_a_row_is_absent_in_both_orders_once_a_judge_is_asked_in_both():
    there = [reading("a"), reading("a", "ba")]
    completed = complete(there, [pair("p"), pair("other")])
    absent = [(r.pair, r.order, r.reason) for r in completed if r.value is None]
    assert absent == [("other", "ab", "absent"), ("other", "ba", "absent")]


def test_one_order_files_plan_one_absent_cell_for_a_pair_without_a_row():
    completed = complete([reading("a")], [pair("p"), pair("other")])
    assert [(r.pair, r.order) for r in completed if r.reason == "absent"] == [("other", "ab")]


def test_a_judge_that_is_asked_in_both_orders_misses_the_other_one():
    [verdict] = verdicts(complete([reading("a")], [pair()], BOTH), [pair()], BOTH)
    assert (verdict.value, verdict.basis) == (None, "one_order")


def test_a_planned_judge_that_never_answered_is_absent_everywhere():
    [verdict] = verdicts(complete([], [pair()], BOTH), [pair()], BOTH)
    assert (verdict.value, verdict.basis, verdict.reason) == (None, "unscored", "absent")


def test_rows_on_equal_texts_count_like_any():
    same = pair(text_a="x", text_b="x")
    [verdict] = verdicts(complete([reading("b"), reading("b", "ba")], [same]), [same])
    assert (verdict.value, verdict.basis) == ("b", "agreed")


def judged(judge, value, score=None, basis="agreed"):
    return Verdict(pair="p", judge=judge, value=value, basis=basis if value else "unscored", score=score)


@pytest.mark.parametrize(
    ("members", "value", "basis", "reason"),
    [
        ([("x", "a"), ("y", "a")], "a", "agreed", None),
        ([("x", "a"), ("y", "b")], "tie", "split", None),
        ([("x", "a"), ("y", None)], None, "unscored", "no_quorum"),
        ([("x", "a"), ("y", "a"), ("z", None)], "a", "agreed", None),
        ([("x", "a"), ("y", "b"), ("z", None)], "tie", "split", None),
        ([("x", "a"), ("y", None), ("z", None)], None, "unscored", "no_quorum"),
        ([("x", "a"), ("y", "b"), ("z", "tie")], "tie", "split", None),
        ([("x", "b"), ("y", "b"), ("z", "tie")], "b", "agreed", None),
    ],
)
def test_a_jury_needs_more_than_half_of_its_judges_and_more_than_half_of_their_voices(members, value, basis, reason):
    [verdict] = jury([judged(name, said) for name, said in members])
    assert (verdict.value, verdict.basis, verdict.reason) == (value, basis, reason)


def test_a_jury_scores_the_mean_of_its_usable_judges():
    [verdict] = jury([judged("x", "b", 1.0), judged("y", "tie", 0.75), judged("z", None)])
    assert verdict.score == 0.875


def test_on_a_criterion_those_that_speak_of_it_are_the_jury():
    """A file of verdicts on `overall` alone takes nothing from what the two others say of a criterion."""
    own = [replace(judged(name, "b"), criterion=criterion) for name in "xy" for criterion in ("overall", "right")]
    said = jury([*own, judged("file", "a"), replace(judged("z", "a"), criterion="tone")])
    assert {one.criterion: (one.value, one.basis) for one in said} == {"overall": ("b", "agreed"), "right": ("b", "agreed")}


def test_one_judge_is_no_jury():
    assert jury([judged("x", "a")]) == []


def test_a_file_of_verdicts_is_completed_with_absent_ones():
    there = [Verdict(pair="p", judge="j", value="a", basis="agreed")]
    completed = complete_verdicts(there, [pair("p"), pair("gone"), pair("same", "x", "x")])
    assert [(v.pair, v.value, v.basis) for v in completed] == [
        ("p", "a", "agreed"), ("gone", None, "unscored"), ("same", "tie", "identical"),
    ]  # fmt: skip


def test_strata_follow_the_jury_where_there_is_one():
    spoken = [judged("x", "a"), judged("y", "b"), judged("jury", "tie", basis="split")]
    assert strata(spoken) == {"p": "split"}
