"""A round on the owner's side: drawn, extended, closed; and envelopes opened into labels."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from judge import review
from judge.errors import StateError
from judge.store import rounds
from judge.store.rounds import Opened
from tests import desk_room
from tests.desk_room import START, Room, pairs, subject_of


@pytest.fixture(scope="module", params=["sqlite"])
def database(request):
    yield from desk_room.database_of(request)


@pytest.fixture
def room(database):
    def make(n=10, **options):
        with database.write() as tx:
            return Room(database, subject_of(tx, pairs(n), **options))

    return make


def drawn_pairs(here):
    """The pairs of each round, in the order of the rounds."""
    with here.database.read() as tx:
        return [set(rounds.items(tx, one.token).values()) for one in rounds.rounds(tx, here.subject.id)]


def stored_order(here):
    from judge.store.review import sampled

    with here.database.read() as tx:
        return [pair for pair, _, _ in sampled(tx, here.subject.id)]


def planned(here):
    with here.database.read() as tx:
        return rounds.rounds(tx, here.subject.id)[-1].planned


# --- Drawing ---------------------------------------------------------------------------------------------------------


def test_rounds_go_on_in_the_stored_order_until_no_pair_is_left(room):
    here = room(10)
    for n in (4, 3, 9):
        here.open_round(n, wanted=1, seats=2)
        here.close(incomplete=True)
    order = stored_order(here)
    assert drawn_pairs(here) == [set(order[:4]), set(order[4:7]), set(order[7:])]
    with pytest.raises(StateError, match="nothing left to draw"):
        here.open_round(1)


def test_only_one_round_is_open_at_a_time(room):
    here = room()
    here.open_round(2)
    with pytest.raises(StateError, match=r"a round is open already\. Extend it, or close it first"):
        here.open_round(2)


def test_without_a_round_there_is_nothing_to_extend_or_close(room):
    here = room()
    for attempt in (lambda: here.extend(n=1), lambda: here.extend(seats=1), here.close):
        with pytest.raises(StateError, match="no round is open"):
            attempt()


def test_a_task_tells_neither_its_pair_nor_its_arms(room):
    here = room()
    here.open_round(10, seats=4)
    tasks = here.tasks()
    assert len({task.token for task in tasks}) == 40
    named = {word for pair in here.subject.pairs.values() for word in (pair.id, "base", "tuned")}
    for task in tasks:
        apart = f"{task.token} {task.item} {task.kind} {task.state}"
        assert not any(word in apart for word in named | set(here.subject.pairs))


def test_both_texts_stand_left_equally_often_and_each_pair_both_ways(room):
    here = room(10)
    here.open_round(10, seats=4)
    for seat in range(4):
        sides = [task.left[0] for task in here.tasks() if task.seat == seat]
        assert Counter(sides) == {"A": 5, "B": 5}
    for sides in by_item(here).values():
        assert sides[0] == sides[2] != sides[1] == sides[3]


def by_item(here):
    """For each item which arm stands left, by seat."""
    sides = {}
    for task in here.tasks():
        sides.setdefault(task.item, []).append(task.left[0])
    return sides


# --- Extending -------------------------------------------------------------------------------------------------------


def test_further_pairs_come_behind_in_every_deck_and_raise_what_is_planned(room):
    here = room(8)
    here.open_round(3, wanted=2, seats=2)
    ann = here.join()
    assert here.finish(ann) == 3
    assert here.extend(n=3) == review.Drawn(round=here.tasks()[0].round, items=6, tasks=6)
    assert planned(here) == 12
    assert drawn_pairs(here) == [set(stored_order(here)[:6])]
    assert [task.position for task in here.tasks() if task.seat == 1] == list(range(6))
    assert here.finish(ann) == 3
    assert here.extend(n=30).items == 8
    with pytest.raises(StateError, match="nothing left to draw"):
        here.extend(n=1)


def test_further_seats_hold_every_pair_and_plan_no_more_labels(room):
    here = room(6)
    here.open_round(6, wanted=2, seats=1)
    here.finish(here.join("Ann"))
    here.extend(seats=2)
    assert planned(here) == 12
    assert Counter(task.seat for task in here.tasks()) == {0: 6, 1: 6, 2: 6}
    assert here.finish(here.join("Bob")) == 6
    assert here.close() == (12, 0)


def test_further_seats_after_further_pairs_turn_every_pair_s_sides_in_turn(room):
    here = room(11)
    here.open_round(5, seats=2)
    here.extend(n=6)
    here.extend(seats=2)
    for sides in by_item(here).values():
        assert sides[0] == sides[2] != sides[1] == sides[3]
    for seat in range(4):
        sides = Counter(task.left[0] for task in here.tasks() if task.seat == seat)
        assert abs(sides["A"] - sides["B"]) <= 2


def test_further_seats_show_the_texts_as_they_were_sealed(room):
    here = room(3)
    sealed_with = here.subject
    masked = {digest: replace(pair, text_a="[...]", text_b="plain") for digest, pair in sealed_with.pairs.items()}
    here.subject = replace(sealed_with, pairs=masked)
    here.open_round(3, seats=1)
    here.subject = replace(sealed_with, pairs={})  # and the outputs have changed since
    here.extend(seats=1)
    assert {frozenset((task.left, task.right)) for task in here.tasks()} == {frozenset(("[...]", "plain"))}
    assert len(here.tasks()) == 6


# --- Closing ---------------------------------------------------------------------------------------------------------


def test_closing_with_labels_missing_needs_to_be_wished(room):
    here = room(4)
    here.open_round(4, wanted=2)
    here.finish(here.join())
    with pytest.raises(StateError, match=r"4 of 8 planned labels are missing\. Wait for them, or close with --incomplete"):
        here.close()
    assert here.open(here.join("Bob")).state == "open"


@pytest.mark.parametrize(("looked", "left_planned"), [(False, 4), (True, 8)])
def test_only_without_a_look_are_the_labels_that_are_in_all_that_were_planned(room, looked, left_planned):
    here = room(4)
    here.open_round(4, wanted=2)
    here.finish(here.join())
    assert here.close(incomplete=True, looked=looked) == (4, 4)
    assert planned(here) == left_planned


def test_skipped_and_late_votes_are_not_in_and_pairs_nobody_can_judge_are(room):
    here = room(3)
    here.open_round(3, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    here.vote(ann, here.open(ann).current, "cannot_judge")
    here.vote(ann, here.open(ann).current, "skip")
    mine = here.open(ann).current
    here.later(minutes=31)
    while (task := here.open(bob).current) and {task.left, task.right} != {mine.left, mine.right}:
        here.vote(bob, task, "skip")
    assert here.vote(ann, mine).late
    with here.database.read() as tx:
        token = rounds.rounds(tx, here.subject.id)[0].token
        assert rounds.counts(tx, token) == {ann: 1}
        assert rounds.people(tx, token, here.subject.name) == {ann: "Ann", bob: "Bob"}


# --- Envelopes -------------------------------------------------------------------------------------------------------


def opened(**said):
    plain = {
        "pair": "p", "person": "id-1", "left_is": "a", "choice": "left", "criteria": {}, "comment": "", "seconds": None,
        "revision": 1, "flags": (), "rubric": "r", "at": START,
    }  # fmt: skip
    return Opened(**(plain | said))


def labels(*votes, names=None, unblinded=None, probability=None):
    return review.to_labels(list(votes), names or {}, unblinded or {}, probability)


@pytest.mark.parametrize(
    ("left_is", "said", "choice"),
    [("a", "left", "a"), ("a", "right", "b"), ("b", "left", "b"), ("b", "right", "a"), ("a", "tie", "tie"), ("b", "tie", "tie"),
     ("b", "both_bad", "both_bad"), ("a", "cannot_judge", "cannot_judge"), ("b", "skip", "skipped")],
)  # fmt: skip
def test_left_and_right_become_a_and_b_by_the_envelope(left_is, said, choice):
    (label,) = labels(opened(left_is=left_is, choice=said))
    assert (label.choice, label.left) == (choice, left_is)


@pytest.mark.parametrize(("left_is", "preferred"), [("a", "b"), ("b", "a")])
def test_criteria_and_checks_are_turned_with_the_sides(left_is, preferred):
    said = {"right": "right", "polite": {"left": False, "right": True}, "half": {"left": True}, "open": {}}
    overall, right, polite, half = labels(opened(left_is=left_is, choice="tie", criteria=said, comment="c", seconds=2.0))
    assert (overall.criterion, overall.choice, overall.comment, overall.seconds) == ("overall", "tie", "c", 2.0)
    assert (right.criterion, right.choice, right.comment, right.seconds) == ("right", preferred, None, None)
    passed = {"a": polite.a_pass, "b": polite.b_pass}
    assert (polite.choice, passed[preferred], passed["a" if preferred == "b" else "b"]) == (preferred, True, False)
    assert half.choice == "skipped"  # one side is open: missing, not a preference
    assert {half.a_pass, half.b_pass} == {True, None}


@pytest.mark.parametrize("both", [True, False])
def test_a_check_that_both_sides_pass_or_fail_is_a_tie(both):
    _, check = labels(opened(criteria={"polite": {"left": both, "right": both}}))
    assert (check.choice, check.a_pass, check.b_pass) == ("tie", both, both)


@pytest.mark.parametrize("choice", ["skip", "cannot_judge"])
def test_criteria_of_a_pair_that_was_not_judged_count_nothing(choice):
    (label,) = labels(opened(choice=choice, criteria={"right": "left"}))
    assert label.criterion == "overall"


def test_labels_carry_name_probability_rubric_flags_and_revision():
    (label,) = labels(opened(flags=("late",), revision=3), names={"id-1": "Ann"}, probability=0.25)
    assert (label.annotator, label.probability, label.rubric, label.flags, label.revision) == ("Ann", 0.25, "r", ("late",), 3)
    assert label.kind == "real"


def test_what_somebody_said_after_seeing_the_arms_is_marked_and_what_they_said_before_is_not():
    seen = START + timedelta(minutes=5)
    votes = [opened(pair=f"p{n}", at=START + timedelta(minutes=n), criteria={"right": "left"}) for n in (4, 5, 6)]
    marks = [(label.pair, label.unblinded) for label in labels(*votes, unblinded={"id-1": seen, "id-2": START})]
    assert marks == [("p4", False)] * 2 + [("p5", True)] * 2 + [("p6", True)] * 2


def test_an_answer_that_a_later_revision_leaves_open_counts_no_more():
    from judge.agreement import select_labels

    votes = (
        opened(criteria={"right": "left", "polite": {"left": True, "right": False}}),
        opened(revision=2, criteria={"right": "right"}),
        opened(revision=3, choice="cannot_judge"),
    )
    counted = {n: {label.criterion: label.choice for label in select_labels(labels(*votes[:n])).labels} for n in (1, 2, 3)}
    assert counted[1] == {"overall": "a", "right": "a", "polite": "a"}
    assert counted[2] == {"overall": "a", "right": "b", "polite": "skipped"}
    assert counted[3] == {"overall": "cannot_judge", "right": "skipped", "polite": "skipped"}
    assert len(labels(*votes)) == 3 + 3 + 2


def test_votes_out_of_the_database_speak_of_the_arm_that_was_preferred(room):
    here = room(6)
    here.open_round(6, wanted=2, seats=3)
    for person in (here.join("Ann"), here.join("Bob")):
        while (task := here.open(person).current) is not None:
            here.vote(person, task, "left" if task.left.startswith("B") else "right", criteria={"right": "tie"})
    with here.database.read() as tx:
        token = rounds.rounds(tx, here.subject.id)[0].token
        found = review.to_labels(rounds.open_envelopes(tx, here.subject.id, [token]), {}, {}, None)
    assert Counter((label.criterion, label.choice) for label in found) == {("overall", "b"): 12, ("right", "tie"): 12}
    assert Counter(label.left for label in found if label.criterion == "overall") == {"a": 6, "b": 6}
