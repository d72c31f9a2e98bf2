"""From one judge to another: flips, agreement and the win rate, on the pairs that both judged, missing ones counted."""

from __future__ import annotations

import pytest

from judge.agreement import bridge
from judge.domain import Example, Message, Pair, Reading, Verdict
from tests.studies import Cli, estimates, recording, small

OTHER = {"a": "b", "b": "a", "tie": "tie", None: None}
SCORES = {"a": 0.0, "tie": 0.5, "b": 1.0, None: None}


def pairs(size, group=None):
    return [
        Pair(
            id=f"q{n:02}",
            example=Example(id=f"q{n:02}", messages=(Message(role="user", content=f"{n}?"),), group=group and group(n)),
            text_a="old",
            text_b="new",
        )
        for n in range(size)
    ]


def verdicts(values, judge="old", **more):
    return [
        Verdict(pair=f"q{n:02}", judge=judge, value=value, score=SCORES[value], basis="agreed" if value else "unscored", **more)
        for n, value in enumerate(values)
    ]


def laid(old, new, **more):
    return bridge(pairs=pairs(len(old)), old=verdicts(old), new=verdicts(new, "new"), **more)


def test_the_flip_rate_counts_pairs_that_both_judged():
    span = laid(["a", "b", "tie", "b", None, "a"], ["a", "a", "tie", "tie", "b", None]).criteria["overall"]
    assert (span.both, span.only_old, span.only_new, span.neither) == (4, 1, 1, 0)
    assert (span.flips.value, span.flips.n, span.flips.missing) == (0.5, 4, 2)
    assert span.table["b"] == {"a": 1, "tie": 1, "b": 0, "unscored": 0}
    assert span.table["unscored"]["b"] == 1


def test_two_unscored_verdicts_agree_on_nothing():
    span = laid([None, None, "a", "b"], [None, None, "a", "b"]).criteria["overall"]
    assert (span.neither, span.flips.n, span.flips.missing) == (2, 2, 2)
    assert span.agreement.n == 2


def test_a_judge_in_its_own_place_flips_nothing_and_the_interval_says_how_sure_that_is():
    values = ["a", "b", "tie", "b", "b"] * 8
    found = laid(values, values)
    flips, moved = found.criteria["overall"].flips, found.win_rates[0].difference
    assert flips.value == 0.0
    assert flips.low == 0.0 < flips.high < 0.15
    assert moved.value == 0.0
    assert moved.low < 0 < moved.high


def test_the_win_rates_differ_by_the_paired_difference():
    old, new = ["a", "b", "tie", "a"] * 10, ["b", "b", "tie", "tie"] * 10
    (rates,) = laid(old, new).win_rates
    assert rates.new.value - rates.old.value == pytest.approx(rates.difference.value) == pytest.approx(0.375)
    assert 0 < rates.difference.low < 0.375 < rates.difference.high <= 1


def test_a_paired_difference_is_narrower_than_two_judges_by_themselves():
    old = ["a", "b", "b", "tie", "b", "a"] * 10
    new = ["b", *old[1:30], "a", *old[31:]]
    (rates,) = laid(old, new).win_rates
    assert rates.difference.high - rates.difference.low < rates.old.high - rates.old.low


def test_the_other_side_as_candidate_turns_the_difference_around():
    old, new = ["a", "b", "tie", "a", "b"] * 6, ["b", "b", "tie", "tie", "a"] * 6
    by_b, by_a = (laid(old, new, candidates=[side]).win_rates[0].difference for side in "ba")
    assert by_a.value == pytest.approx(-by_b.value)
    assert (by_a.low, by_a.high) == pytest.approx((-by_b.high, -by_b.low))


def test_swapping_a_and_b_leaves_flips_and_agreement_as_they_are():
    old, new = ["a", "b", "tie", "a", None] * 6, ["b", "b", "tie", "tie", "a"] * 6
    one = laid(old, new).criteria["overall"]
    turned = laid([OTHER[value] for value in old], [OTHER[value] for value in new]).criteria["overall"]
    assert one.flips == turned.flips
    assert one.agreement.alpha_nominal.value == pytest.approx(turned.agreement.alpha_nominal.value)


def test_items_of_one_group_count_as_one():
    old, new = ["a", "b", "tie", "b"] * 10, ["a", "a", "tie", "b"] * 10
    alone = laid(old, new).criteria["overall"].flips
    grouped = bridge(pairs=pairs(40, lambda n: f"g{n // 10}"), old=verdicts(old), new=verdicts(new, "new"))
    assert (alone.value, alone.n) == (grouped.criteria["overall"].flips.value, grouped.criteria["overall"].flips.n)
    assert grouped.clusters == {"by": "group", "clusters": 4}


def test_pairs_of_equal_texts_say_nothing_about_either_judge():
    old, new = verdicts(["a", "b", "tie"]), verdicts(["a", "b", "tie"], "new")
    old[2], new[2] = (Verdict(pair="q02", judge=judge, value="tie", score=0.5, basis="identical") for judge in ("old", "new"))
    span = bridge(pairs=pairs(3), old=old, new=new).criteria["overall"]
    assert (span.pairs, span.identical, span.both) == (2, 1, 2)


def test_criteria_of_only_one_judge_are_left_out():
    old = [*verdicts(["a", "b"]), *verdicts(["a", "b"], criterion="tone")]
    assert list(bridge(pairs=pairs(2), old=old, new=verdicts(["a", "a"], "new")).criteria) == ["overall"]


def test_how_steady_each_judge_is_by_itself_stands_beside_its_flips():
    readings = [
        Reading(pair=f"q{n:02}", judge="old", order=order, repeat=repeat, value="a" if n < 3 or repeat == 1 else "b")
        for n in range(4)
        for order in ("ab", "ba")
        for repeat in (1, 2)
    ]
    found = laid(["a"] * 4, ["b"] * 4, readings=readings)
    assert found.repeat["old"].value == 0.75
    assert found.repeat["new"] is None


# --- As a command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def cli(capsys):
    return Cli(capsys)


@pytest.fixture
def study(tmp_path, cli):
    made = small(judges=("owl", "jay"))
    made.recordings["jay"] = [
        recording(row["pair"], row["order"], None if row["pair"] == "q0/tuned" else "b") for row in made.recordings["jay"]
    ]
    path = made.write(tmp_path)
    cli.well("compare", path)
    return path


def test_the_command_says_it_in_lines_and_as_a_document(cli, study):
    said = cli.well("bridge", "owl", "jay", study).out
    assert "overall: both judged 5 of 6 pairs, 1 only the old, 0 only the new, 0 neither" in said
    assert "a before, now 1 b" in said
    document = cli.well("bridge", "owl", "jay", study, "--json").json
    assert document["schema"] == "bridge/1"
    assert document["criteria"]["overall"]["flips"]["value"] == 0.4
    assert document["win_rates"][0]["candidate"] == "tuned"
    assert all(one["missing"] >= 0 for _, one in estimates(document))


def test_the_jury_may_be_one_of_the_two(cli, study):
    assert cli.well("bridge", "owl", "jury", study, "--json").json["new"] == "jury"


def test_an_unknown_judge_and_one_that_was_not_asked_are_told_apart(cli, tmp_path):
    made = small()
    made.recordings["mute"] = [recording("q0/tuned", "ab", None)]
    path = made.write(tmp_path)
    assert "Did you mean 'owl'?" in cli("bridge", "owls", "mute", path).err
    assert "'owl' has no verdict yet" in cli("bridge", "owl", "mute", path).err
    cli.well("compare", path)
    assert "both judged 0 of 6 pairs, 6 only the old" in cli.well("bridge", "owl", "mute", path).out
    assert "compared with itself" in cli("bridge", "owl", "owl", path).err
