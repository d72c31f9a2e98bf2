"""People among themselves, and one judge beside them."""

from __future__ import annotations

import pytest

from tests.unit.agreement_study import document, labels, pair, readings, verdicts

# --- People ----------------------------------------------------------------------------------------------------------


def test_people_are_counted_and_cannot_judge_is_missing_never_a_tie():
    people = document(4, labels=labels("aac", "abt", "cc.", "bbd"))["people"]
    assert (people["items"], people["annotators"], people["labels"], people["missing"]) == (3, 3, 8, 3)
    assert people["majority"] == {"a": 1, "tie": 0, "b": 1, "undefined": 1}
    assert people["raw"]["value"] == pytest.approx((1 + 0 + 1) / (1 + 3 + 3))
    assert (people["raw"]["n"], people["raw"]["missing"]) == (3, 1)


def test_two_annotators_who_could_not_judge_do_not_agree():
    assert document(2, labels=labels("cc", "cc"))["people"]["raw"]["value"] is None


def test_raw_agreement_and_kappa_are_given_for_every_two_annotators():
    people = document(4, labels=labels("aab", "bbb", "abb", "tt."))["people"]
    assert people["raw_by_pair"] == {"ann|bob": 0.75, "ann|cat": pytest.approx(1 / 3), "bob|cat": pytest.approx(2 / 3)}
    assert set(people["cohen_by_pair"]) == set(people["raw_by_pair"])


def test_fleiss_needs_a_complete_table():
    assert document(3, labels=labels("aab", "bbb", "abb"))["people"]["fleiss"] is not None
    assert document(3, labels=labels("aab", "bbb", "ab."))["people"]["fleiss"] is None


def test_without_ties_only_labels_with_a_preference_are_compared():
    dropped = document(3, labels=labels("aat", "tbb", "ttt"))["people"]["ties_dropped"]
    assert (dropped["n"], dropped["raw"]["value"]) == (2, 1)


def test_people_who_prefer_the_longer_text_are_counted_over_decided_pairs_of_unequal_length():
    given = [pair(0), pair(1), pair(2), pair(3, texts=("same", "size"))]
    people = document(pairs=given, labels=labels("bbb", "aaa", "ttt", "aaa"))["people"]
    assert (people["longer"]["value"], people["longer"]["n"]) == (0.5, 2)
    assert people["share_a_decided"]["value"] == pytest.approx(2 / 3)


def test_the_left_side_is_counted_where_it_is_known():
    known = labels("ab", "aa", annotators=("ann", "bob"), left="a")
    found = document(3, labels=[*known, *labels("..a", "..a", "..a")])["people"]["first_shown"]
    assert found["value"] == 0.75
    assert (found["n"], found["missing"]) == (2, 1)


def test_without_labels_there_are_no_people():
    found = document(3, verdicts=verdicts("aba"))
    assert found["people"] is None
    assert found["win_rate"]["people"]["value"] is None
    assert found["win_rate"]["people"]["reason"]


# --- One judge -------------------------------------------------------------------------------------------------------


def test_a_judge_is_compared_with_the_majority_each_annotator_and_all_labels():
    found = document(4, labels=labels("aab", "bbb", "abt", "tt."), verdicts=verdicts("ab.t"))["judges"]["j"]
    assert found["vs_majority"]["three_way"]["n"] == 3
    assert found["vs_majority"]["three_way"]["raw"]["value"] == 1
    assert found["vs_majority"]["ties_dropped"]["n"] == 2
    assert {name: two["n"] for name, two in found["vs_annotator"].items()} == {"ann": 3, "bob": 3, "cat": 2}
    assert (found["vs_people"]["n"], found["vs_people"]["raw"]["n"], found["vs_people"]["raw"]["missing"]) == (8, 3, 1)
    assert found["vs_people"]["raw"]["value"] == pytest.approx(7 / 8)


def test_an_unscored_pair_equals_nothing_and_stands_in_its_own_column():
    found = document(2, labels=labels("cc", "ta"), verdicts=verdicts(".."))["judges"]["j"]
    assert found["verdicts"]["unscored"] == 2
    assert found["vs_people"]["n"] == 0
    assert found["confusion"]["tie"] == {"a": 0, "tie": 0, "b": 0, "unscored": 1}


def test_a_pair_without_any_verdict_counts_as_unscored():
    found = document(4, verdicts=verdicts("ab"))
    assert found["judges"]["j"]["verdicts"]["unscored"] == 2
    assert found["judges"]["j"]["verdicts"]["basis"]["unscored"] == 2
    assert found["win_rate"]["judge_raw"]["j"]["missing"] == 2


def test_splits_count_as_ties_and_agreement_is_given_without_them():
    found = document(4, labels=labels("tt", "tt", "aa", "bb"), verdicts=verdicts("ssab"))["judges"]["j"]
    assert found["verdicts"]["basis"]["split"] == 2
    assert (found["vs_people"]["n"], found["without_splits"]["n"]) == (8, 4)


def test_calls_are_counted_with_the_reasons_of_those_without_an_answer():
    given = readings(["a", ".", "t"], ["a", "b", "."])
    found = document(3, readings=given, verdicts=verdicts("a.."))["judges"]["j"]["calls"]
    assert (found["planned"], found["usable"], found["missing_ab"], found["missing_ba"]) == (6, 4, 1, 1)
    assert found["reasons"] == {"malformed": 2}
    assert (found["null_share"], found["tie_share"]) == (pytest.approx(1 / 3), 0.25)


def test_a_file_of_verdicts_has_no_calls_and_no_position():
    found = document(2, verdicts=verdicts("ab"))["judges"]["j"]
    assert (found["calls"]["planned"], found["calls"]["null_share"], found["position"]) == (0, None, None)


def test_one_order_shows_no_position():
    assert document(2, readings=readings(["a", "b"], []), verdicts=verdicts("ab"))["judges"]["j"]["position"] is None


def test_position_pools_all_pairs_of_calls_and_leaves_missing_ones_out():
    given = readings(["aab", "bb.", "ttt"], ["aaa", "b.a", "..."])
    found = document(3, readings=given, verdicts=verdicts("aa."))["judges"]["j"]["position"]
    assert found["two_orders"]["value"] == pytest.approx((6 + 2) / (9 + 4))
    assert (found["two_orders"]["n"], found["two_orders"]["missing"]) == (2, 1)
    assert found["repeat"]["value"] == pytest.approx((1 + 1 + 3 + 3 + 0) / (3 + 1 + 3 + 3 + 1))
    assert (found["two_orders_majority"]["n"], found["two_orders_majority"]["missing"]) == (1, 2)
    assert found["first_shown"]["value"] == pytest.approx((2 + 1) / (3 + 3 + 2 + 2))


def test_repeats_of_one_order_feed_nothing_but_the_repeat_agreement():
    once = readings(["a", "b"], ["a", "b"])
    more = readings(["abb", "baa"], ["a", "b"])
    given = [document(2, readings=calls, verdicts=verdicts("ab"))["judges"]["j"]["position"] for calls in (once, more)]
    assert given[0]["two_orders"] == given[1]["two_orders"]
    assert given[0]["first_shown"] == given[1]["first_shown"]
    assert (given[0]["repeat"]["n"], given[1]["repeat"]["n"]) == (0, 2)


def test_the_jury_stands_among_the_judges():
    found = document(2, verdicts=[*verdicts("ab"), *verdicts("aa", judge="k"), *verdicts("as", judge="jury")])
    assert list(found["judges"]) == ["j", "jury", "k"]
    assert set(found["win_rate"]["corrected"]) == {"j", "jury", "k"}
