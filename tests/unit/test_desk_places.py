"""Seats, decks and places: who gets which pair, and that no pair is handed out beyond its quota."""

from __future__ import annotations

import pytest

from judge.errors import GoneError, StateError
from tests import desk_room
from tests.desk_room import Room, pairs, subject_of

AHEAD, HELD = 6, 31  # minutes after which a place that nobody cares for is given back


@pytest.fixture(scope="module", params=desk_room.BOTH)
def database(request):
    yield from desk_room.database_of(request)


@pytest.fixture
def room(database):
    def make(n=6, *, wanted=2, seats=8, of=None):
        with database.write() as tx:
            made = Room(database, subject_of(tx, pairs(of or n)))
        made.open_round(n, wanted=wanted, seats=seats)
        return made

    return make


# --- Seats -----------------------------------------------------------------------------------------------------------


def test_a_study_without_a_round_has_no_desk(database):
    from judge import desk

    with database.write() as tx:
        subject = subject_of(tx, pairs(2))
        assert desk.open_desk(tx, subject.name, "somebody", desk_room.START) is None


def test_everybody_gets_a_seat_of_their_own_and_keeps_it(room):
    here = room(seats=3)
    ann, bob = here.join("Ann"), here.join("Bob")
    first = {person: here.open(person).current.token for person in (ann, bob)}
    assert first[ann] != first[bob]
    here.later(minutes=2)
    assert {person: here.open(person).current.token for person in (ann, bob)} == first
    seats = here.rows("SELECT n, person FROM seat WHERE person IS NOT NULL AND person IN (:a, :b)", a=ann, b=bob)
    assert sorted((row.n, row.person) for row in seats) == [(0, ann), (1, bob)]


def test_whoever_comes_when_all_seats_are_taken_is_told_so_until_there_are_more(room):
    here = room(seats=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    here.open(ann)
    full = here.open(bob)
    assert (full.state, full.current, full.progress.left) == ("full", None, 0)
    here.extend(seats=1)
    assert here.open(bob).state == "open"
    assert here.open(bob).current is not None


def test_somebody_who_leaves_for_good_is_replaced_by_whoever_comes_next(room):
    here = room(4, wanted=1, seats=2)
    ann, bob = here.join("Ann"), here.join("Bob")
    here.vote(ann, here.open(ann).current)  # and away, with two pairs in hand
    here.later(minutes=HELD)
    assert here.finish(bob) == 3
    assert here.close() == (4, 0)


def test_a_task_of_somebody_else_s_deck_is_as_good_as_none(room):
    here = room()
    ann, bob = here.join("Ann"), here.join("Bob")
    task = here.open(ann).current
    here.open(bob)
    for who in (bob, here.join("Nobody yet")):
        with pytest.raises(GoneError, match="no such task"):
            here.vote(who, task)
        with pytest.raises(GoneError, match="no such task"):
            here.draft(who, task, choice="left")
    with pytest.raises(GoneError, match="no such task"):
        here.vote(ann, "f" * 32)
    assert here.labels() == []


# --- Order and quota -------------------------------------------------------------------------------------------------


def test_pairs_come_in_the_order_of_one_s_deck(room):
    here = room(6, wanted=1)
    ann = here.join()
    deck = [task.token for task in here.tasks() if task.seat == 0]
    seen = []
    while (task := here.open(ann).current) is not None:
        seen.append(task.token)
        here.vote(ann, task)
    assert seen == deck


def test_the_next_pair_is_at_hand_before_the_vote_and_shown_after_it(room):
    here = room(4)
    ann = here.join()
    first = here.open(ann)
    voted = here.vote(ann, first.current, next=first.upcoming.token)
    again = here.open(ann)
    assert (again.current.token, again.upcoming) == (first.upcoming.token, voted.upcoming)


@pytest.mark.parametrize("wanted", [1, 2, 3])
def test_every_pair_gets_as_many_labels_as_wanted_and_no_more(room, wanted):
    here = room(5, wanted=wanted)
    people = [here.join(f"P{n}") for n in range(4)]
    voting = list(people)
    while voting:
        for person in list(voting):  # turn by turn, so that everybody has pairs in hand while the others ask
            task = here.open(person).current
            if task is None:
                voting.remove(person)
            else:
                here.vote(person, task)
        here.ledger().check()
    assert set(here.ledger().counted.values()) == {wanted}
    assert {here.open(person).current for person in people} == {None}
    assert here.close() == (5 * wanted, 0)


@pytest.mark.parametrize("wanted", [0, 4, -1])
def test_only_one_two_or_three_labels_a_pair_are_possible(database, wanted):
    with database.write() as tx:
        here = Room(database, subject_of(tx, pairs(2)))
    with pytest.raises(StateError, match="1, 2 or 3"):
        here.open_round(2, wanted=wanted)


def test_a_pair_in_somebody_s_hand_is_not_given_to_another(room):
    here = room(2, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    here.open(ann)  # both pairs: one shown, one in the page
    assert here.open(bob).current is None
    assert here.open(bob).progress.left == 0


# --- Giving back -----------------------------------------------------------------------------------------------------


def test_a_skip_gives_the_place_back_and_another_gets_the_pair(room):
    here = room(1, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    mine = here.open(ann).current
    assert here.open(bob).current is None
    here.vote(ann, mine, "skip")
    assert here.taken() == dict.fromkeys(here.taken(), 0)
    assert here.open(ann).current is None  # what one skipped does not come again
    theirs = here.open(bob).current
    assert {theirs.left, theirs.right} == {mine.left, mine.right}
    here.vote(bob, theirs)
    assert here.close() == (1, 0)


def test_a_pair_that_one_cannot_judge_is_answered(room):
    here = room(1, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    here.vote(ann, here.open(ann).current, "cannot_judge")
    assert here.open(bob).current is None
    assert here.close() == (1, 0)


def test_a_pair_that_nobody_cares_for_is_given_back_with_its_draft_kept(room):
    here = room(1, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    mine = here.open(ann).current
    here.draft(ann, mine, choice="right", comment="half a thought")
    here.later(minutes=HELD)
    theirs = here.open(bob).current
    assert theirs.token != mine.token
    assert here.state(mine) == "waiting"
    here.vote(bob, theirs, "skip")
    back = here.open(ann).current
    assert (back.token, back.answers.choice, back.answers.comment) == (mine.token, "right", "half a thought")


def test_whoever_comes_back_before_another_asked_goes_on_where_they_were(room):
    here = room(2, wanted=1)
    ann = here.join()
    mine = here.open(ann)
    here.later(hours=20)
    again = here.open(ann)
    assert (again.current.token, again.upcoming.token) == (mine.current.token, mine.upcoming.token)
    assert not here.vote(ann, again.current, next=again.upcoming.token).late
    here.ledger().check()


def test_a_pair_that_is_only_in_the_page_does_not_block_the_last_items(room):
    here = room(2, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    mine = here.open(ann)
    here.later(minutes=AHEAD)
    theirs = here.open(bob)
    assert theirs.current.left in (mine.upcoming.left, mine.upcoming.right)  # what Ann had not seen yet
    assert theirs.upcoming is None  # what Ann reads is hers
    assert here.state(mine.current) == "held"
    here.ledger().check()


def test_writing_keeps_the_place(room):
    here = room(1, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    mine = here.open(ann).current
    for _ in range(4):
        here.later(minutes=20)
        here.draft(ann, mine, comment="still at it")
        assert here.open(bob).current is None
    assert not here.vote(ann, mine).late


def test_the_shown_pair_that_went_to_another_is_lost_and_the_next_one_comes(room):
    here = room(3, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    mine = here.open(ann)
    here.later(minutes=AHEAD)
    taken = here.open(bob)  # takes what lay ahead, and the third
    assert taken.upcoming is not None
    voted = here.vote(ann, mine.current, next=mine.upcoming.token)
    assert (voted.lost, voted.late, voted.upcoming) == (True, False, None)
    here.vote(bob, taken.current, "skip", next=taken.upcoming.token)
    assert here.open(ann).current is not None


def test_a_vote_without_a_next_pair_in_the_page_brings_the_first_one(room):
    here = room(4, wanted=1)
    ann = here.join()
    first = here.open(ann)
    voted = here.vote(ann, first.current, next=None)
    assert voted.upcoming.token == first.upcoming.token


def test_the_pair_that_is_shown_is_never_put_behind_itself(room):
    here = room(5, wanted=1)
    ann = here.join()
    first = here.open(ann)
    second = here.vote(ann, first.current, next=None).upcoming
    third = here.open(ann).upcoming
    # A second window voted on the first pair and shows the third one; the first window shows the second one.
    voted = here.vote(ann, first.current, "tie", next=third.token)
    assert voted.upcoming.token == second.token
    here.ledger().check()


# --- Late votes ------------------------------------------------------------------------------------------------------


@pytest.fixture
def late(room):
    here = room(1, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    mine = here.open(ann).current
    here.later(minutes=HELD)
    theirs = here.open(bob).current
    return here, (ann, mine), (bob, theirs)


def test_a_vote_after_the_place_was_given_away_is_kept_and_marked_and_not_counted(late):
    here, (ann, mine), (bob, theirs) = late
    here.vote(bob, theirs)
    assert here.vote(ann, mine, "right").late
    (label,) = here.labels(mine)
    assert (label.choice, "late" in label.flags) == ("right", True)
    assert set(here.ledger().counted.values()) == {1}
    here.ledger().check()
    assert here.close() == (1, 0)


def test_a_late_vote_does_not_take_the_place_of_somebody_who_still_reads(late):
    here, (ann, mine), (bob, theirs) = late
    assert here.vote(ann, mine).late
    assert not here.vote(bob, theirs).late
    here.ledger().check()


def test_a_vote_that_comes_late_to_a_place_that_is_free_again_counts(late):
    here, (ann, mine), (bob, theirs) = late
    here.vote(bob, theirs, "skip")
    assert not here.vote(ann, mine).late
    assert set(here.ledger().counted.values()) == {1}


def test_a_late_vote_that_is_changed_when_there_is_a_place_counts(late):
    here, (ann, mine), (bob, theirs) = late
    here.vote(ann, mine)
    here.vote(bob, theirs, "skip")
    here.take_back(ann)
    assert not here.vote(ann, mine, "tie").late
    assert set(here.ledger().counted.values()) == {1}
    here.ledger().check()


def test_a_late_skip_gives_back_nobody_else_s_place(late):
    here, (ann, mine), (bob, theirs) = late
    here.vote(bob, theirs)
    here.vote(ann, mine, "skip")
    assert list(here.taken().values()) == [1]
    here.ledger().check()


def test_a_late_vote_sent_again_is_still_called_late(late):
    here, (ann, mine), _ = late
    assert here.vote(ann, mine, client_id="late-one").late
    again = here.vote(ann, mine, client_id="late-one")
    assert (again.late, again.repeated) == (True, True)
