"""What must hold of an agreement, whatever people and judges said."""

from __future__ import annotations

import dataclasses
import json
import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from judge.agreement import agreement
from judge.domain import Label, Pair, Reading, Verdict
from tests.unit.agreement_study import pair

MIRROR = {"a": "b", "b": "a", "tie": "tie", None: None, "both_bad": "both_bad"}
OTHER_ORDER = {"ab": "ba", "ba": "ab"}
CHOICES = st.sampled_from(["a", "b", "tie", "both_bad", "cannot_judge", "skipped"])
VALUES = st.sampled_from(["a", "b", "tie", None])
ANNOTATORS = ("ann", "bob", "cat")
MODELS = st.sampled_from(["base", "tuned", "other"])


@st.composite
def studies(draw):
    """A small study: pairs with groups, labels, calls in both orders, and verdicts of two judges."""
    count = draw(st.integers(1, 14))
    groups = draw(st.one_of(st.none(), st.lists(st.sampled_from("xyz"), min_size=count, max_size=count)))
    pairs = [
        pair(number, group=groups and groups[number], models=(draw(MODELS), draw(MODELS)), texts=draw(texts()))
        for number in range(count)
    ]
    labels, readings, verdicts = [], [], []
    for one in pairs:
        for annotator in draw(st.sets(st.sampled_from(ANNOTATORS))):
            left = draw(st.sampled_from(["a", "b", None]))
            labels.append(Label(pair=one.id, annotator=annotator, choice=draw(CHOICES), left=left))
        for judge in ("j", "k"):
            value, score = draw(VALUES), draw(st.sampled_from([0.0, 0.25, 0.5, 1.0]))
            verdicts.append(verdict(one, judge, value, None if value is None else score))
        for order in ("ab", "ba"):
            answers = draw(st.lists(VALUES, min_size=1, max_size=3))
            readings.extend(reading(one, order, repeat, value) for repeat, value in enumerate(answers, 1))
    return {"pairs": pairs, "labels": labels, "readings": readings, "verdicts": verdicts}


def texts():
    return st.tuples(st.sampled_from(["", "xx", "xxx"]), st.sampled_from(["", "xx", "xxx"]))


def verdict(one, judge, value, score):
    basis = "unscored" if value is None else "split" if value == "tie" else "agreed"
    return Verdict(pair=one.id, judge=judge, value=value, basis=basis, score=score, reason=None if value else "cut")


def reading(one, order, repeat, value):
    return Reading(pair=one.id, judge="j", order=order, repeat=repeat, value=value, reason=None if value else "refused")


def swapped(study):
    """Exchange a and b everywhere: texts, models, labels, sides, orders, verdicts."""
    return {
        "pairs": [
            dataclasses.replace(one, text_a=one.text_b, text_b=one.text_a, model_a=one.model_b, model_b=one.model_a)
            for one in study["pairs"]
        ],
        "labels": [
            dataclasses.replace(one, choice=MIRROR.get(one.choice, one.choice), left=MIRROR[one.left])
            for one in study["labels"]
        ],
        "readings": [
            dataclasses.replace(one, value=MIRROR[one.value], order=OTHER_ORDER[one.order]) for one in study["readings"]
        ],
        "verdicts": [
            dataclasses.replace(one, value=MIRROR[one.value], score=None if one.score is None else 1 - one.score)
            for one in study["verdicts"]
        ],
    }


def close(left, right):
    """Whether two documents are equal but for the last digits of numbers."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(close(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(close, left, right))
    if isinstance(left, float) and isinstance(right, (int, float)):
        return math.isclose(left, right, rel_tol=1e-7, abs_tol=1e-7)
    return left == right


def mirrored(left, right):
    """Whether two win rates are each other's complement."""
    turned = [
        (left["value"], right["value"]),
        (left["low"], right["high"]),
        (left["high"], right["low"]),
        *zip(left["normal"] or (), reversed(right["normal"] or ()), strict=True),
    ]
    assert [left[key] for key in ("n", "missing", "method", "reason")] == [
        right[key] for key in ("n", "missing", "method", "reason")
    ]
    return all(x is y is None or math.isclose(x + y, 1, abs_tol=1e-7) for x, y in turned)


def estimates(node):
    if isinstance(node, dict) and {"low", "high", "reason"} <= node.keys():
        yield node
    if isinstance(node, dict):
        for item in node.values():
            yield from estimates(item)


@settings(max_examples=40, deadline=None)
@given(studies())
def test_swapping_the_sides_turns_the_win_rate_upside_down(study):
    here, there = (agreement(**side).to_json()["win_rate"] for side in (study, swapped(study)))
    assert mirrored(here["people"], there["people"])
    assert mirrored(here["post_stratified"], there["post_stratified"])
    for judge in ("j", "k"):
        assert mirrored(here["judge_raw"][judge], there["judge_raw"][judge])
        assert mirrored(here["corrected"][judge], there["corrected"][judge])


@settings(max_examples=40, deadline=None)
@given(studies())
def test_swapping_the_sides_leaves_a_models_win_rate_and_all_agreement_as_they_are(study):
    models = {name for one in study["pairs"] for name in (one.model_a, one.model_b)}
    assume("tuned" in models)
    here, there = (agreement(**side, candidate="tuned").to_json() for side in (study, swapped(study)))
    for key in ("candidate", "people", "judge_raw", "post_stratified", "corrected"):
        assert close(here["win_rate"][key], there["win_rate"][key])
    for side in (here, there):
        for panel in (side["people"], *side["judges"].values()):
            forget_sides(panel)
    assert close(here["people"], there["people"])
    assert close(here["judges"], there["judges"])


def forget_sides(panel):
    """Drop what is about a or b by name; all else must not know the sides."""
    for key in ("share_a_decided", "majority", "confusion", "verdicts", "calls"):
        (panel or {}).pop(key, None)
    if panel and panel.get("position"):
        panel["position"].pop("repeat_alpha")


@settings(max_examples=25, deadline=None)
@given(studies(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_not_one_byte(study, random):
    shuffled = {name: random.sample(rows, len(rows)) for name, rows in study.items()}
    assert json.dumps(agreement(**study).to_json()) == json.dumps(agreement(**shuffled).to_json())


@settings(max_examples=40, deadline=None)
@given(studies())
def test_names_change_nothing_but_names(study):
    renamed = {name: [rename(one) for one in rows] for name, rows in study.items()}
    here, there = agreement(**study).to_json(), agreement(**renamed).to_json()
    assert close(here["win_rate"], there["win_rate"])
    for name in ("raw", "alpha", "ac1", "majority", "cohen_mean", "ties_dropped", "longer"):
        assert close((here["people"] or {}).get(name), (there["people"] or {}).get(name))
    for judge in ("j", "k"):
        del here["judges"][judge]["vs_annotator"], there["judges"][judge]["vs_annotator"]
    assert close(here["judges"], there["judges"])


def rename(one):
    backwards = {f"p{number:03}": f"q{99 - number:03}" for number in range(20)}
    if isinstance(one, Pair):
        return dataclasses.replace(one, id=backwards[one.id])
    changes = {"pair": backwards[one.pair]}
    if isinstance(one, Label):
        changes["annotator"] = {"ann": "zoe", "bob": "yan", "cat": "xi"}[one.annotator]
    return dataclasses.replace(one, **changes)


@settings(max_examples=40, deadline=None)
@given(studies(), st.sampled_from([0.8, 0.95, 0.975]))
def test_every_estimate_contains_its_value_or_says_why_it_has_no_interval(study, level):
    for found in estimates(agreement(**study, level=level).to_json()):
        assert (found["low"] is None) == (found["high"] is None)
        if found["low"] is None:
            assert found["reason"]
        else:
            assert found["low"] - 1e-9 <= found["value"] <= found["high"] + 1e-9
            assert found["n"] >= 2
            assert found["method"]


@settings(max_examples=40, deadline=None)
@given(studies())
def test_labels_that_are_missing_change_nothing_but_the_count_of_the_missing(study):
    usable = [one for one in study["labels"] if one.value is not None]
    here, there = agreement(**study).to_json(), agreement(**(study | {"labels": usable})).to_json()
    assert close(forget_missing(here["judges"]), forget_missing(there["judges"]))
    assert close(forget_missing(here["win_rate"]), forget_missing(there["win_rate"]))


@settings(max_examples=40, deadline=None)
@given(studies())
def test_asking_every_call_again_narrows_no_interval(study):
    again = [dataclasses.replace(one, repeat=one.repeat + 10 * more) for one in study["readings"] for more in range(3)]
    once, thrice = (
        agreement(**(study | {"readings": rows})).to_json()["judges"]["j"]["position"] for rows in (study["readings"], again)
    )
    for name in ("two_orders", "first_shown"):
        assert close(once[name], thrice[name])


def forget_missing(node):
    if isinstance(node, dict):
        return {key: forget_missing(item) for key, item in node.items() if key not in {"missing", "vs_annotator"}}
    return node
