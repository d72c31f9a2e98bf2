"""A judge that refuses, is cut or cannot be read more often than now and then is warned of; what was never asked is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from judge.domain import Reading
from judge.workflow.findings import Reasons


def readings(reasons, judge="owl", criterion="overall"):
    return [
        Reading(pair=f"p{n}", judge=judge, criterion=criterion, order="ab", value=None if reason else "a", reason=reason)
        for n, reason in enumerate(reasons)
    ]


def notices(*parts):
    reasons = Reasons()
    for part in parts:
        reasons.add(part)
    return reasons.notices()


@pytest.mark.parametrize(
    ("reason", "most", "code"),
    [
        ("refused", 2, "judge_refuses"),
        ("filtered", 2, "judge_refuses"),
        ("cut", 1, "judge_cut"),
        ("malformed", 1, "judge_unreadable"),
        ("contradictory", 1, "judge_unreadable"),
    ],
)
def test_a_share_above_the_bar_is_warned_of_and_one_at_the_bar_is_not(reason, most, code):
    assert notices(readings([reason] * most + [None] * (100 - most))) == []
    (notice,) = notices(readings([reason] * (most + 1) + [None] * (99 - most)))
    assert notice.code == code
    assert notice.text.startswith(f"{most + 1} of 100 answers of judge owl ")


def test_what_was_not_asked_and_other_criteria_count_nowhere():
    assert notices(readings(["absent"] * 9 + ["error"] * 9 + [None])) == []
    assert notices(readings(["refused"] * 9, criterion="tone")) == []
    assert notices([]) == []


def test_an_answer_that_lacks_its_choice_could_not_be_read():
    answered = [replace(one, digest="d") for one in readings(["absent"] * 2 + [None] * 98)]
    (notice,) = notices(answered)
    assert notice.text.startswith("2 of 100 answers of judge owl could not be read")


def test_every_judge_speaks_for_itself():
    found = notices(readings(["refused"], "owl"), readings([None] * 200, "lark"), readings(["cut", "refused"], "crow"))
    assert [(notice.code, notice.text.split(" judge ")[1].split()[0]) for notice in found] == [
        ("judge_refuses", "crow"), ("judge_cut", "crow"), ("judge_refuses", "owl"),
    ]  # fmt: skip
