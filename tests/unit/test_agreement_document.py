"""The agree/1 document as a whole: its keys, its clusters, its errors."""

from __future__ import annotations

import json

import pytest

from judge.errors import JoinError
from tests.unit.agreement_study import document, labels, measured, noisy, pair, pairs, readings, verdicts

# --- The document ----------------------------------------------------------------------------------------------------

ESTIMATE = {"value", "low", "high", "n", "missing", "method", "reason"}
TWO = {"n", "raw", "cohen", "alpha_nominal", "alpha_ordinal"}


def test_every_key_of_the_format_is_there_even_with_nothing_in_it():
    found = document(2, labels=labels("ab"), verdicts=verdicts("a"), readings=readings(["a"], ["."]))
    assert list(found) == [
        "schema", "level", "seed", "source", "warnings", "coding", "people", "judges", "win_rate", "criteria",
    ]  # fmt: skip
    assert found["schema"] == "agree/1"
    assert set(found["source"]) == {
        "pairs", "labels", "calls", "verdicts", "digest", "candidate", "people", "cluster",
    }  # fmt: skip
    assert set(found["people"]) == {
        "items", "annotators", "labels", "missing", "majority", "raw", "raw_by_pair", "cohen_by_pair", "cohen_mean",
        "fleiss", "alpha", "ac1", "ties_dropped", "longer", "share_a_decided", "first_shown",
    }  # fmt: skip
    judge = found["judges"]["j"]
    assert set(judge) == {
        "calls", "verdicts", "vs_majority", "vs_annotator", "vs_people", "without_splits", "confusion", "difference",
        "state", "needed", "position", "longer", "share_a_decided", "alt_test",
    }  # fmt: skip
    assert set(judge["vs_people"]) == TWO
    assert set(judge["difference"]) == ESTIMATE
    assert set(judge["position"]) == {"two_orders", "two_orders_majority", "repeat", "repeat_alpha", "first_shown"}
    assert set(found["win_rate"]) == {"candidate", "people", "judge_raw", "post_stratified", "corrected"}
    assert set(found["win_rate"]["people"]) == ESTIMATE | {"normal"}
    assert set(found["win_rate"]["corrected"]["j"]) == ESTIMATE | {
        "normal", "lambda", "r", "labelled", "unlabelled", "sensitivity", "specificity",
    }  # fmt: skip


def test_the_document_is_strict_json():
    found = document(**noisy(40, 10, 0.9, 0.8))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_other_criteria_have_panels_of_their_own():
    given = [*labels("ab", "ab"), *labels("aa", "bb", criterion="correct")]
    found = document(2, labels=given, verdicts=verdicts("ab", criterion="correct"))
    assert found["people"]["raw"]["value"] == 0
    assert found["criteria"]["correct"]["people"]["raw"]["value"] == 1
    assert list(found["criteria"]["correct"]["judges"]) == ["j"]
    assert found["judges"] == {}


def test_the_level_reaches_every_interval():
    given = noisy(120, 11, 0.9, 0.8)
    given["labels"] = given["labels"][:160]
    usual, strict = document(**given), document(**given, level=0.99)

    def widths(node):
        if isinstance(node, dict) and "low" in node and node["low"] is not None:
            yield node["high"] - node["low"]
        if isinstance(node, dict):
            for item in node.values():
                yield from widths(item)

    pairs_of_widths = list(zip(widths(usual), widths(strict), strict=True))
    assert len(pairs_of_widths) > 20
    assert all(wide > narrow for narrow, wide in pairs_of_widths)


@pytest.mark.parametrize(
    ("given", "by", "clusters"),
    [
        (pairs(6), "item", 6),
        ([pair(n, prompt=f"question {n // 2}") for n in range(6)], "prompt", 3),
        ([pair(n, group=f"customer {n // 3}") for n in range(6)], "group", 2),
    ],
)
def test_clusters_are_groups_else_equal_prompts(given, by, clusters):
    assert document(pairs=given)["source"]["cluster"] == {"by": by, "clusters": clusters}
    assert document(pairs=given, cluster="item")["source"]["cluster"] == {"by": "item", "clusters": 6}


def test_clustered_prompts_widen_the_intervals():
    given = noisy(100, 12, 0.9, 0.7)
    given["verdicts"] = verdicts("aabb" * 25)
    given["pairs"] = [pair(n, prompt=f"question {n // 2}") for n in range(100)]
    apart, together = (document(**given, cluster=rule)["win_rate"]["judge_raw"]["j"] for rule in ("item", "auto"))
    assert together["high"] - together["low"] > 1.3 * (apart["high"] - apart["low"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pairs": [pair(0), pair(0)]}, "comes twice"),
        ({"labels": labels(".", "a", "a", "a", "a", "a")}, "p004"),
        ({"verdicts": verdicts("abcde")}, "p004"),
        ({"verdicts": verdicts("a") * 2}, "two verdicts"),
    ],
)
def test_an_unknown_or_double_id_is_an_error_that_names_it(given, message):
    with pytest.raises(JoinError, match=message):
        measured(4, **given)
