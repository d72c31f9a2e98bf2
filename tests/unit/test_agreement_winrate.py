"""The state of a judge, and the win rate of the candidate."""

from __future__ import annotations

import pytest

from judge.domain import Label
from judge.errors import JoinError, JudgeError
from tests.unit.agreement_study import NAMES, document, labels, measured, noisy, pair, verdicts

# --- State -----------------------------------------------------------------------------------------------------------


def test_a_judge_better_than_people_is_calibrated():
    found = document(**noisy(300, 1, 0.8, 0.95))["judges"]["j"]
    assert found["state"] == "calibrated"
    assert found["difference"]["low"] > -0.15
    assert found["needed"] is None


def test_a_judge_that_guesses_is_not_calibrated():
    found = document(**noisy(200, 2, 0.9, 0.0))["judges"]["j"]
    assert found["state"] == "not_calibrated"
    assert found["difference"]["high"] < -0.15


def test_few_labels_leave_it_open_and_say_how_many_would_settle_it():
    found = document(**noisy(60, 3, 0.8, 0.8))["judges"]["j"]
    difference = found["difference"]
    assert found["state"] == "undetermined"
    half = difference["high"] - difference["value"]
    assert found["needed"] == pytest.approx(120 * (half / abs(difference["value"] + 0.15)) ** 2, abs=1)


def test_when_over_a_thousand_labels_are_needed_the_reason_says_so():
    found = document(**noisy(60, 3, 0.8, 0.8), margin=-document(**noisy(60, 3, 0.8, 0.8))["judges"]["j"]["difference"]["value"])
    assert found["judges"]["j"]["needed"] is None
    assert "more than 1,000 labels" in found["judges"]["j"]["difference"]["reason"]


def test_people_who_hardly_agree_are_no_yardstick():
    assert document(**noisy(200, 4, 0.1, 0.5))["judges"]["j"]["state"] == "people_unreliable"


def test_under_thirty_doubly_labelled_pairs_there_is_no_state():
    assert document(**noisy(29, 5, 0.9, 0.9))["judges"]["j"]["state"] is None


# --- Win rate --------------------------------------------------------------------------------------------------------


def test_the_win_rate_takes_the_candidates_side():
    given = {"labels": labels("bb", "ab", "aa"), "verdicts": verdicts("bab")}
    as_b, as_a = (document(3, candidate=side, **given)["win_rate"] for side in "ba")
    assert as_b["people"]["value"] == 0.5
    assert as_b["judge_raw"]["j"]["value"] == pytest.approx(2 / 3)
    assert as_a["judge_raw"]["j"]["value"] == pytest.approx(1 / 3)


def test_a_model_is_followed_to_whichever_side_it_stands_on_and_only_its_pairs_count():
    given = [pair(0, models=("m", "x")), pair(1, models=("y", "m")), pair(2, models=("x", "y")), pair(3, models=("m", "m"))]
    found = document(pairs=given, verdicts=verdicts("abab"), candidate="m")
    assert (found["win_rate"]["judge_raw"]["j"]["value"], found["win_rate"]["judge_raw"]["j"]["n"]) == (1, 2)
    assert sum(found["judges"]["j"]["verdicts"][name] for name in NAMES) == 4


def test_an_unknown_candidate_is_an_error_with_the_nearest_name():
    with pytest.raises(JudgeError, match="Did you mean 'tuned'"):
        measured(3, candidate="tunde")


def test_people_can_speak_by_majority_and_a_pair_without_one_is_missing():
    given = labels("bba", "abt", "aab")
    mean, majority = (document(3, labels=given, people=rule)["win_rate"]["people"] for rule in ("mean", "majority"))
    assert mean["value"] == pytest.approx((2 / 3 + 1 / 2 + 1 / 3) / 3)
    assert (majority["value"], majority["n"], majority["missing"]) == (0.5, 2, 1)


def test_a_list_of_labelled_pairs_restricts_people_in_the_win_rate_alone():
    given = {"labels": labels("bb", "bb", "aa", "ab"), "verdicts": verdicts("bbab")}
    found = document(4, labelled=["p000", "p002"], **given)
    assert (found["win_rate"]["people"]["n"], found["people"]["items"]) == (2, 4)
    assert found["win_rate"]["corrected"]["j"]["unlabelled"] == 2
    with pytest.raises(JoinError, match="p00x"):
        measured(4, labelled=["p00x"], **given)


def test_the_judge_is_corrected_by_people_and_says_how_good_it_is():
    found = document(**(noisy(200, 6, 0.9, 0.8) | {"labels": noisy(200, 6, 0.9, 0.8)["labels"][:160]}))
    corrected = found["win_rate"]["corrected"]["j"]
    assert (corrected["labelled"], corrected["unlabelled"], corrected["method"]) == (80, 120, "ppi++")
    assert 0 < corrected["lambda"] <= 1
    assert min(corrected["r"], corrected["sensitivity"], corrected["specificity"]) > 0.5
    assert [notice["code"] for notice in found["warnings"]] == ["sample_unknown"]


def test_labels_of_a_drawn_sample_need_no_warning():
    given = noisy(60, 7, 0.9, 0.8)
    answers = [Label(pair=f"p{n:03}", annotator="ann", choice=NAMES[n % 3], probability=0.5) for n in range(30)]
    assert document(**(given | {"labels": answers}))["warnings"] == []


def test_a_tuned_rubric_switches_the_headline():
    given = noisy(120, 8, 0.9, 0.8)
    ids = [f"p{number:03}" for number in range(60)]
    given["labels"] = given["labels"][:120]
    found = document(**given, tuned=([*ids[::2], "of another candidate"], ids[1::2]))["win_rate"]
    assert found["corrected"]["j"]["method"] == "ppi++-tuned"
    assert found["post_stratified"]["value"] is None


def test_everything_labelled_means_people_alone():
    corrected = document(**noisy(60, 9, 0.9, 0.8))["win_rate"]["corrected"]["j"]
    assert (corrected["method"], corrected["lambda"], corrected["unlabelled"]) == ("people", None, 0)
    assert "every item is labelled" in corrected["reason"]
