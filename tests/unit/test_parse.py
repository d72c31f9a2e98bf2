"""A judge's raw answer is read strictly: what is not exactly an answer is unscored with its reason."""

from __future__ import annotations

import json

import pytest

from judge.calls import Answer
from judge.domain import Criterion, Rubric
from judge.judging import answer_schema, parse

RUBRIC = Rubric(
    name="r",
    task="t",
    overall="Which is better?",
    criteria=(Criterion(id="correct", question="True?"), Criterion(id="safe", question="Safe?", check=True)),
)
GOOD = {
    "criteria": {
        "correct": {"reasons": "because", "choice": "first"},
        "safe": {"reasons": "so", "first": "pass", "second": "fail"},
    },
    "overall": {"reasons": "all in all", "choice": "second"},
}


def read(text, order="ab", finish="stop", error=None):
    answer = Answer(
        digest="d", text=text if text is None or isinstance(text, str) else json.dumps(text), finish=finish, error=error
    )
    return {parsed.criterion: parsed for parsed in parse(answer, RUBRIC, order)}


def test_first_and_second_become_a_and_b_by_the_order_that_was_shown():
    assert [(p.criterion, p.value) for p in read(GOOD).values()] == [("correct", "a"), ("safe", "a"), ("overall", "b")]
    assert [(p.criterion, p.value) for p in read(GOOD, "ba").values()] == [("correct", "b"), ("safe", "b"), ("overall", "a")]


def test_a_check_keeps_which_side_passed():
    safe = read(GOOD, "ba")["safe"]
    assert (safe.a_pass, safe.b_pass) == (False, True)


def test_reasons_are_kept():
    assert read(GOOD)["correct"].rationale == "because"


def test_a_fenced_answer_is_an_answer():
    assert read("```json\n" + json.dumps(GOOD) + "\n```")["overall"].value == "b"


@pytest.mark.parametrize(
    ("text", "finish", "error", "reason"),
    [
        ("", "stop", None, "empty"),
        ("   \n", "stop", None, "empty"),
        ("", "length", None, "cut"),
        ('{"criteria": {"correct"', "length", None, "cut"),
        ('{"criteria": {"correct"', "stop", None, "malformed"),
        ("The first answer is better. [[A]]", "stop", None, "malformed"),
        ("[]", "stop", None, "malformed"),
        ('"first"', "stop", None, "malformed"),
        ('{"overall": {"choice": NaN}}', "stop", None, "malformed"),
        ("[" * 100_000, "stop", None, "malformed"),
        ("no", "filter", None, "filtered"),
        (None, None, "refused: policy", "refused"),
        (None, None, "connection reset", "error"),
        ('{"overall": {"choice": "first"}, "overall": {"choice": "second"}}', "stop", None, "contradictory"),
    ],
)
def test_an_answer_that_is_none_is_unscored_everywhere(text, finish, error, reason):
    for parsed in read(text, finish=finish, error=error).values():
        assert (parsed.value, parsed.reason) == (None, reason)


@pytest.mark.parametrize(
    ("overall", "reason"),
    [
        (None, "absent"),
        ({}, "absent"),
        ({"choice": None}, "absent"),
        ({"choice": "A is better"}, "unknown_name"),
        ({"choice": "first and second"}, "unknown_name"),
        ({"choice": ""}, "unknown_name"),
        ({"choice": 1}, "malformed"),
        ("first", "malformed"),
    ],
)
def test_one_bad_entry_leaves_the_others_usable(overall, reason):
    read_ = read({**GOOD, "overall": overall})
    assert (read_["overall"].value, read_["overall"].reason) == (None, reason)
    assert read_["correct"].value == "a"


def test_an_empty_object_is_no_pass_and_no_tie():
    assert {(p.value, p.a_pass, p.reason) for p in read({}).values()} == {(None, None, "absent")}


def test_nobody_answered_is_absent():
    assert {p.reason for p in parse(None, RUBRIC, "ab")} == {"absent"}


def test_an_object_quoted_inside_other_text_is_not_taken_for_the_answer():
    text = 'The answer under judgement says {"overall": {"choice": "first"}} but I cannot decide.'
    assert read(text)["overall"].reason == "malformed"


@pytest.mark.parametrize("words", ["My verdict: {}", "My verdict:\n{}\nI hope that this helps.", "`{}`."])
def test_words_before_a_whole_answer_or_on_other_lines_are_read_past(words):
    assert read(words.replace("{}", json.dumps(GOOD)))["overall"].value == "b"


def test_a_whole_answer_in_the_middle_of_a_sentence_is_a_quotation():
    text = f"The second answer contains the words {json.dumps(GOOD)}, which try to fill in my verdict. I cannot compare these."
    assert read(text)["overall"].reason == "malformed"


def test_half_a_character_in_the_reasons_is_replaced():
    text = json.dumps(GOOD).replace("all in all", "\\ud83d all in all")
    assert read(text)["overall"].rationale == "\ufffd all in all"


def test_the_schema_asks_for_reasons_before_choices_and_allows_nothing_else():
    schema = answer_schema(RUBRIC)
    overall = schema["properties"]["overall"]
    assert list(overall["properties"]) == ["reasons", "choice"]
    assert overall["additionalProperties"] is False
    assert list(schema["properties"]["criteria"]["properties"]["safe"]["properties"]) == ["reasons", "first", "second"]
