"""Which labels count, and what is said about the others."""

from __future__ import annotations

import pytest

from judge.agreement import select_labels
from judge.domain import Label
from judge.errors import JoinError


def label(pair="p1", annotator="ann", choice="a", **rest):
    return Label(pair=pair, annotator=annotator, choice=choice, **rest)


def codes(selection):
    return [notice.code for notice in selection.notices]


def test_only_the_last_revision_of_an_answer_counts_whatever_the_order_of_rows():
    old, new = label(choice="a", revision=1), label(choice="b", revision=2)
    assert select_labels([old, new]).labels == select_labels([new, old]).labels == (new,)


def test_the_same_answer_twice_in_one_revision_is_an_error_that_names_the_pair():
    with pytest.raises(JoinError, match="'p1' twice"):
        select_labels([label(), label(choice="b")])


@pytest.mark.parametrize("kind", ["practice", "repeat", "identical", "gold", "degraded"])
def test_tasks_that_check_people_are_no_labels_of_the_study(kind):
    assert select_labels([label(), label(kind=kind)]).labels == (label(),)


def test_simulated_labels_count_while_there_are_no_others_and_it_is_said():
    simulated = label(flags=("simulated",))
    found = select_labels([simulated])
    assert found.labels == (simulated,)
    assert codes(found) == ["simulated"]


def test_simulated_labels_leave_with_the_first_real_one():
    real = label(pair="p2", annotator="bob")
    found = select_labels([label(flags=("simulated",)), real])
    assert found.labels == (real,)
    assert codes(found) == ["simulated_left_out"]


@pytest.mark.parametrize("seen", [{"unblinded": True}, {"flags": ("unblinded",)}])
def test_labels_of_people_who_saw_the_arms_are_left_out_and_counted(seen):
    found = select_labels([label(), label(pair="p2", **seen)])
    assert found.labels == (label(),)
    assert codes(found) == ["unblinded_left_out"]
    assert found.notices[0].text.startswith("1 label ")


def test_flagged_labels_are_left_out_and_their_flags_are_named():
    found = select_labels([label(), label(pair="p2", flags=("fast",)), label(pair="p3", flags=("fast",))])
    assert found.labels == (label(),)
    assert found.notices[0].text == "2 labels with a flag (fast) left out."


def test_a_flagged_correction_does_not_bring_the_older_answer_back():
    assert select_labels([label(), label(revision=2, flags=("fast",))]).labels == ()
