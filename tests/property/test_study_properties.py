"""What must hold for every study, from its files to its report."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from judge import Study
from judge.decision.report import to_html, to_json
from judge.errors import JoinError
from judge.workflow.compare import compare
from tests.studies import Draft, answer, estimates, recording, reported, small, swapped, untimed, without

few = settings(
    deadline=None,
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # the studies are small already; shrinking them takes minutes
)

SCORE = {"a": 0.0, "tie": 0.5, "b": 1.0}
VALUES = ("a", "tie", "b")
UNUSABLE = {
    "refused": {"error": "refused: I do not compare people"},
    "error": {"error": "the connection was reset"},
    "filtered": {"text": "", "finish": "filter"},
    "cut": {"text": '{"criteria": {"right": {"reasons": "Bec', "finish": "length"},
    "empty": {"text": "  "},
    "malformed": {"text": "The first answer is better."},
    "unknown_name": {"text": answer("a", "ab").replace('"first"', '"answer one"')},
    "contradictory": {"text": '{"overall": {"reasons": "", "choice": "first", "choice": "second"}}'},
    "absent": {"text": "{}"},
}
"""A recorded answer that nobody can use, by the reason that it has to be counted under."""

said = st.sampled_from([*VALUES, *VALUES, *UNUSABLE])
choices = st.sampled_from(["a", "tie", "b", "both_bad", "cannot_judge", "skipped"])


@st.composite
def studies(draw, judges=("owl",), most=6):
    """A small study: what each judge said in each order, what two people said, outputs that failed."""
    size = draw(st.integers(2, most))
    draft = small(["tie"] * size, judges=judges)
    for rows in draft.recordings.values():
        for index, row in enumerate(rows):
            rows[index] = spoken(row["pair"], row["order"], draw(said))
    for row in draft.labels:
        row["label"] = draw(choices)
        row["left"] = draw(st.sampled_from("ab"))
    for row in draft.labels[::2]:
        if draw(st.booleans()):
            row["comment"] = "left out"
    draft.labels = [row for row in draft.labels if row.pop("comment", None) is None] or draft.labels[:1]
    return draft


def spoken(pair, order, what):
    return recording(pair, order, what) if what in VALUES else recording(pair, order, None, **UNUSABLE[what])


def heard(row):
    """What a recording says, found without the program: a value, or the reason why there is none."""
    for reason, marks in UNUSABLE.items():
        if all(row.get(key) == value for key, value in marks.items()):
            return None, reason
    choice = json.loads(row["text"])["overall"]["choice"]
    return {"first": row["order"][0], "second": row["order"][1], "tie": "tie"}[choice], None


@contextmanager
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def report_of(draft):
    with folder() as place:
        return reported(draft.write(place))


def close(one, other):
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, abs_tol=1e-9)


@few
@given(studies())
def test_an_answer_that_cannot_be_used_is_missing_with_its_reason_and_never_a_tie(draft):
    owl = report_of(draft)["agreement"]["judges"]["owl"]
    rows = [(row["pair"], *heard(row)) for row in draft.recordings["owl"]]
    by_pair = {pair: [value for name, value, _ in rows if name == pair] for pair, _, _ in rows}
    both = [values for values in by_pair.values() if None not in values]

    assert owl["calls"]["reasons"] == Counter(reason for _, _, reason in rows if reason)
    assert owl["calls"]["planned"] == len(rows)
    assert owl["calls"]["usable"] == sum(value is not None for _, value, _ in rows)
    assert owl["verdicts"]["unscored"] == len(by_pair) - len(both)
    assert owl["verdicts"]["tie"] == sum(first != second or first == "tie" for first, second in both)
    assert {value: owl["verdicts"][value] for value in "ab"} == {value: both.count([value, value]) for value in "ab"}


@few
@given(studies())
def test_a_win_rate_is_the_mean_of_what_is_there_and_counts_what_is_not(draft):
    rates = report_of(draft)["agreement"]["win_rate"]
    judged = {row["pair"]: [] for row in draft.recordings["owl"]}
    for row in draft.recordings["owl"]:
        value, _ = heard(row)
        judged[row["pair"]] += [] if value is None else [SCORE[value]]
    labelled = {row["pair"]: [] for row in draft.labels}
    for row in draft.labels:
        score = SCORE.get("tie" if row["label"] == "both_bad" else row["label"])
        labelled[row["pair"]] += [] if score is None else [score]

    for found, scores in ((rates["judge_raw"]["owl"], judged), (rates["people"], labelled)):
        means = [sum(values) / len(values) for values in scores.values() if values]
        assert (found["n"], found["missing"]) == (len(means), len(scores) - len(means))
        assert close(found["value"], sum(means) / len(means) if len(means) > 1 else None)


@few
@given(studies(judges=("owl", "lark", "wren")))
def test_a_jury_of_which_half_is_silent_says_nothing(draft):
    verdicts = report_of(draft)["agreement"]["judges"]["jury"]["verdicts"]
    usable = Counter()
    for rows in draft.recordings.values():
        for first, second in zip(rows[::2], rows[1::2], strict=True):
            usable[first["pair"]] += None not in (heard(first)[0], heard(second)[0])
    assert verdicts["unscored"] == sum(count < 2 for count in usable.values())


@few
@given(studies(), st.data())
def test_an_example_without_an_output_makes_no_pair_and_is_counted(draft, data):
    lost = data.draw(st.sets(st.sampled_from([row["id"] for row in draft.examples]), max_size=len(draft.examples) - 1))
    for row in draft.outputs["tuned"]:
        if row["example"] in lost:
            row.update(text=None, error="out of memory")
    gone = {f"{name}/tuned" for name in lost}
    draft.recordings["owl"] = [row for row in draft.recordings["owl"] if row["pair"] not in gone]
    draft.labels = [row for row in draft.labels if row["pair"] not in gone]
    report = report_of(draft)

    assert report["arms"]["tuned"]["errors"] == len(lost)
    assert report["agreement"]["source"]["pairs"] == len(draft.examples) - len(lost)
    assert report["agreement"]["judges"]["owl"]["calls"]["planned"] == 2 * (len(draft.examples) - len(lost))


@few
@given(studies(judges=("owl", "lark")))
def test_swapping_the_arms_turns_every_win_rate_upside_down_and_leaves_agreement_unchanged(draft):
    straight, turned = report_of(draft)["agreement"], report_of(swapped(draft))["agreement"]
    there = dict(estimates(turned))
    for place, found in estimates(straight):
        other = there[place]
        if "win_rate" in place or "share_a_decided" in place:
            mirrored = {"value": other["value"], "low": other["high"], "high": other["low"]}
            expected = {key: None if value is None else 1 - value for key, value in mirrored.items()}
        else:
            expected = other
        assert all(close(found[key], expected[key]) for key in ("value", "low", "high")), place
        assert (found["n"], found["missing"], found["method"]) == (other["n"], other["missing"], other["method"]), place
    for name in straight["judges"]:
        assert straight["judges"][name]["state"] == turned["judges"][name]["state"]


@few
@given(studies(judges=("owl", "lark")), st.randoms(use_true_random=False))
def test_the_order_of_rows_in_any_file_changes_nothing(draft, random):
    shuffled = draft.copy()
    for rows in shuffled.files().values():
        random.shuffle(rows)
    assert untimed(report_of(draft)) == untimed(report_of(shuffled))


@few
@given(studies(), st.data())
def test_a_double_or_an_unknown_id_is_an_error_that_names_its_place_and_stores_nothing(draft, data):
    files = draft.files()
    name = data.draw(st.sampled_from(sorted(files)))
    rows = files[name]
    index = data.draw(st.integers(0, len(rows) - 1))
    key = {"test.jsonl": "id", "base.jsonl": "example", "tuned.jsonl": "example"}.get(name, "pair")
    double = name == "test.jsonl" or data.draw(st.booleans())
    rows.append(rows[index] if double else {**rows[index], key: "nobody-knows-me"})
    with folder() as place:
        study = draft.write(place)
        with pytest.raises(JoinError) as raised:
            Study.open(study).run()
        assert f"{place / name}:{len(rows)}" in str(raised.value)
        assert (f"already in line {index + 1}" if double else "nobody-knows-me") in str(raised.value)
        assert not (place / ".judge").exists()


@few
@given(studies(), st.integers(2, 4))
def test_asking_the_same_again_narrows_no_interval(draft, times):
    often = draft.copy()
    often.recordings["owl"] += [{**row, "repeat": repeat} for row in draft.recordings["owl"] for repeat in range(2, times + 1)]
    once, again = (without(report_of(one)["agreement"], "calls", "position", "source") for one in (draft, often))
    again_at = dict(estimates(again))
    for place, found in estimates(once):
        assert all(close(found[key], again_at[place][key]) for key in ("value", "low", "high", "n", "missing")), place


@few
@given(studies(judges=("owl", "lark")))
def test_the_same_command_in_the_same_workspace_gives_the_same_report_byte_for_byte(draft):
    def still():
        return datetime(2026, 11, 20, 12, tzinfo=UTC)

    with folder() as place:
        study = Study.open(draft.write(place), clock=still)
        first, second, third = study.run().reports[0], study.run().reports[0], study.report()
    assert to_html(first) == to_html(second) == to_html(third)
    assert json.dumps(to_json(first)) == json.dumps(to_json(second)) == json.dumps(to_json(third))


@few
@given(studies(judges=("owl", "lark")))
def test_every_estimate_carries_its_count_what_is_missing_and_a_method_or_a_reason(draft):
    found = list(estimates(report_of(draft)))
    assert len(found) > 50
    for place, estimate in found:
        assert estimate["n"] >= 0 and estimate["missing"] >= 0, place
        if estimate["value"] is None:
            assert estimate["reason"] and estimate["low"] is None and estimate["high"] is None, place
        elif estimate["low"] is None or estimate["high"] is None:
            assert estimate["reason"], place
        else:
            assert estimate["method"] and estimate["low"] <= estimate["value"] <= estimate["high"], place
        if ".win_rate." in place:
            assert "normal" in estimate or estimate["value"] is None, place


@few
@given(studies(), st.integers(0, 1000))
def test_edited_texts_never_meet_old_verdicts_or_labels(draft, pick):
    index = pick % len(draft.examples)
    pair = f"{draft.examples[index]['id']}/tuned"
    with folder() as place:
        before = reported(draft.write(place))
        draft.outputs["tuned"][index]["text"] += " And more."
        study = Study.open(draft.write(place))
        after = to_json(study.report())
        with study.work() as work:
            from judge.workflow.resolving import judged

            verdicts = [verdict for verdict in judged(work)[1] if verdict.pair == pair]
    about = sum(row["pair"] == pair for row in draft.labels)
    assert {verdict.reason for verdict in verdicts} == {"absent"}
    assert before["agreement"]["source"]["labels"] - after["agreement"]["source"]["labels"] == about
    assert ("stray_labels" in {warning["code"] for warning in after["warnings"]}) == bool(about)


@st.composite
def mixtures(draw):
    """A study whose judges' answers come by every way there is, on some pairs only, with checks of some examples' own."""
    draft = draw(studies(judges=("owl", "lark")))
    draft.rubric["per_example"] = "checklist"
    for row in draft.examples:
        row["meta"] = {"checklist": ["Does it name the day?"] * draw(st.integers(0, 1))}
    pairs = [f"{row['id']}/tuned" for row in draft.examples]
    some = st.lists(st.sampled_from(pairs), min_size=1, unique=True)
    value, kinds = st.sampled_from(VALUES), st.sampled_from([["check_1"], ["overall"], ["overall", "right", "check_1"]])
    draft.verdicts["hen"] = [
        {"pair": pair, "judge": "hen", "criterion": criterion, "value": draw(value)}
        for criterion in draw(kinds)
        for pair in draw(some)
    ]
    draft.calls["tit"] = [
        {"pair": pair, "judge": "tit", "criterion": criterion, "order": order, "label": draw(value)}
        for criterion in draw(kinds)
        for pair in draw(some)
        for order in draw(st.sampled_from([("ab",), ("ba",), ("ab", "ba")]))
    ]
    kept = draw(st.sets(st.sampled_from(["owl", "lark"])))
    draft.recordings = {name: rows for name, rows in draft.recordings.items() if name in kept}
    return draft


@few
@given(mixtures(), st.integers(1, 4))
def test_resolving_some_pairs_at_a_time_gives_what_resolving_all_at_once_does(draft, size):
    from judge.workflow import resolving

    with folder() as place, Study.open(draft.write(place)).work() as work:
        compare(work)
        whole = resolving.judged(work)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(resolving, "_PART", size)
            parts = resolving.judged(work)
    for one, other in zip(whole, parts, strict=True):
        assert sorted(map(repr, one)) == sorted(map(repr, other))


@few
@given(studies())
def test_an_edited_rubric_never_meets_old_verdicts(draft: Draft):
    with folder() as place:
        reported(draft.write(place))
        draft.rubric["overall"] = "Which answer would you rather show to a child?"
        after = to_json(Study.open(draft.write(place)).report())
    owl = after["agreement"]["judges"]["owl"]
    assert owl["verdicts"]["unscored"] == len(draft.examples)
    assert owl["calls"]["reasons"] == {"absent": 2 * len(draft.examples)}
