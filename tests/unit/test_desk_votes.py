"""Votes, drafts and taking back: what an annotator says is kept exactly once, and changed by revisions only."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from judge import desk
from judge.errors import GoneError, StateError
from tests import desk_room
from tests.desk_room import RUBRIC, Room, pairs, subject_of


@pytest.fixture(scope="module", params=desk_room.BOTH)
def database(request):
    yield from desk_room.database_of(request)


@pytest.fixture
def room(database):
    def make(n=4, *, wanted=2, seats=4, of=None, rubric=RUBRIC):
        with database.write() as tx:
            made = Room(database, subject_of(tx, pairs(of or n), rubric=rubric))
        made.open_round(n, wanted=wanted, seats=seats)
        return made

    return make


def criteria_of(label):
    return json.loads(label.criteria) if isinstance(label.criteria, str) else label.criteria


# --- Once ------------------------------------------------------------------------------------------------------------


def test_the_same_vote_posted_five_times_is_one_label(room):
    here = room(2, wanted=1)
    ann = here.join()
    mine = here.open(ann)
    answers = [
        here.vote(ann, mine.current, "right", client_id=f"{ann}-once", next=mine.upcoming.token, seconds=3.5) for _ in range(5)
    ]
    assert [answer.repeated for answer in answers] == [False, True, True, True, True]
    assert {replace(answer, repeated=False) for answer in answers} == {answers[0]}
    (label,) = here.labels()
    assert (label.choice, label.revision, label.seconds, label.person) == ("right", 1, 3.5, ann)
    here.ledger().check()


def test_an_id_that_was_used_for_another_vote_is_refused(room):
    here = room()
    ann, bob = here.join("Ann"), here.join("Bob")
    mine, theirs = here.open(ann), here.open(bob)
    here.vote(ann, mine.current, client_id=f"{ann}-x")
    with pytest.raises(StateError, match="belongs to another vote"):
        here.vote(ann, mine.upcoming, client_id=f"{ann}-x")
    with pytest.raises(StateError, match="belongs to another vote"):
        here.vote(bob, theirs.current, client_id=f"{ann}-x")
    assert len(here.labels()) == 1


def test_a_second_vote_on_a_pair_is_a_revision_of_the_first(room):
    here = room(2, wanted=1)
    ann = here.join()
    mine = here.open(ann).current
    here.vote(ann, mine, "left")
    here.vote(ann, mine, "tie")
    assert [(label.revision, label.choice) for label in here.labels(mine)] == [(1, "left"), (2, "tie")]
    here.ledger().check()


def test_a_vote_that_was_taken_back_to_a_skip_gives_its_place_back(room):
    here = room(1, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    mine = here.open(ann).current
    here.vote(ann, mine)
    here.take_back(ann)
    here.vote(ann, mine, "skip")
    assert list(here.taken().values()) == [0]
    assert here.open(bob).current is not None


# --- What may be said ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", [None, "", "a", "skipped", "LEFT"])
def test_a_vote_without_a_possible_choice_is_refused_and_leaves_nothing(room, choice):
    here = room()
    ann = here.join()
    task = here.open(ann).current
    with pytest.raises(StateError, match="Choose one of left, right, tie, both_bad, cannot_judge, skip"):
        here.vote(ann, task, choice)
    assert here.labels() == []
    assert here.state(task) == "held"


@pytest.mark.parametrize(
    "criteria",
    [{"wrong": "left"}, {"right": "a"}, {"right": None}, {"right": {"left": True}}, {"polite": "left"},
     {"polite": {"left": "yes"}}, {"polite": {"a": True}}, {"overall": "left"}],
)  # fmt: skip
def test_an_answer_that_the_page_does_not_ask_for_is_refused(room, criteria):
    here = room()
    ann = here.join()
    task = here.open(ann).current
    for attempt in (here.vote, here.draft):
        with pytest.raises(StateError, match="has no such answer"):
            attempt(ann, task, choice="left", criteria=criteria)
    assert here.labels() == []


def test_a_comment_that_is_too_long_or_cannot_be_kept_is_refused(room):
    here = room()
    ann = here.join()
    task = here.open(ann).current
    for comment, words in (("x" * 4001, "longer than 4000"), ("a\0b", "cannot be kept")):
        for attempt in (here.vote, here.draft):
            with pytest.raises(StateError, match=words):
                attempt(ann, task, choice="left", comment=comment)
    assert here.labels() == []
    here.vote(ann, task, comment="x" * 4000)


def test_answers_on_criteria_are_kept_as_they_were_said_and_open_ones_are_absent(room):
    here = room()
    ann = here.join()
    mine = here.open(ann)
    here.vote(ann, mine.current, criteria={"right": "tie", "polite": {"left": True, "right": False}}, comment="so so")
    here.vote(ann, mine.upcoming, criteria={"polite": {"left": True}})
    first, second = here.labels()
    assert (criteria_of(first), first.comment) == ({"right": "tie", "polite": {"left": True, "right": False}}, "so so")
    assert criteria_of(second) == {"polite": {"left": True}}


@pytest.fixture
def strict(room):
    """A round whose page asks for every criterion."""
    here = room()
    page = here.rows("SELECT page FROM round WHERE study = :s", s=here.subject.name)[0].page
    page = json.loads(page) if isinstance(page, str) else page
    with here.step() as tx:
        from sqlmodel import col, select

        from judge.store.schema.desk import RoundRow

        row = tx.exec(select(RoundRow).where(col(RoundRow.study) == here.subject.name)).one()
        row.page = page | {"all_criteria": True}
    return here


@pytest.mark.parametrize(
    ("criteria", "open_"),
    [({}, "right, polite"), ({"right": "left"}, "polite"), ({"right": "left", "polite": {"right": True}}, "polite")],
)
def test_a_page_that_asks_for_every_criterion_names_the_open_ones(strict, criteria, open_):
    ann = strict.join()
    with pytest.raises(StateError, match=f"still open: {open_}. This review asks for every criterion"):
        strict.vote(ann, strict.open(ann).current, criteria=criteria)


def test_a_complete_answer_a_skip_and_a_pair_one_cannot_judge_are_taken_by_a_page_that_asks_for_every_criterion(strict):
    ann = strict.join()
    strict.vote(ann, strict.open(ann).current, criteria={"right": "left", "polite": {"left": True, "right": True}})
    strict.vote(ann, strict.open(ann).current, "skip")
    strict.vote(ann, strict.open(ann).current, "cannot_judge")
    assert len(strict.labels()) == 3


def test_a_draft_may_leave_open_what_the_vote_must_answer(strict):
    ann = strict.join()
    task = strict.open(ann).current
    strict.draft(ann, task, criteria={"right": "left"})
    assert strict.open(ann).current.answers.criteria == {"right": "left"}


# --- Drafts ----------------------------------------------------------------------------------------------------------


def test_a_draft_is_there_after_a_reload_and_gone_after_the_vote(room):
    here = room()
    ann = here.join()
    task = here.open(ann).current
    here.draft(ann, task, choice="left", comment="first")
    here.draft(ann, task, choice="right", criteria={"right": "right"}, comment="second")
    shown = here.open(ann).current
    assert shown.answers == desk.Answers(choice="right", criteria={"right": "right"}, comment="second")
    assert (shown.left, shown.right) == (task.left, task.right)
    here.vote(ann, task, "left")
    assert here.rows("SELECT * FROM draft WHERE task = :t", t=task.token) == []


def test_a_draft_that_comes_after_its_vote_does_not_stand_in_the_vote_s_place(room):
    here = room()
    ann = here.join()
    task = here.open(ann).current
    here.vote(ann, task, "left", comment="as voted")
    with pytest.raises(StateError, match="your vote already"):
        here.draft(ann, task, choice="right", comment="older")
    assert here.take_back(ann).answers.comment == "as voted"
    here.draft(ann, task, choice="tie")  # now it is open again
    assert here.open(ann).current.answers.choice == "tie"


# --- Taking back -----------------------------------------------------------------------------------------------------


def test_a_vote_taken_back_comes_with_its_answers_and_keeps_its_place_until_it_is_changed(room):
    here = room(3, wanted=1)
    ann = here.join()
    mine = here.open(ann)
    here.vote(ann, mine.current, "left", criteria={"right": "left"}, comment="hm", next=mine.upcoming.token)
    back = here.take_back(ann)
    assert (back.token, back.revision) == (mine.current.token, 2)
    assert back.answers == desk.Answers(choice="left", criteria={"right": "left"}, comment="hm")
    here.ledger().check()
    at_hand = here.open(ann)
    assert (at_hand.current.token, at_hand.upcoming.token) == (back.token, mine.upcoming.token)
    voted = here.vote(ann, back, "right", next=mine.upcoming.token)
    assert not voted.lost
    assert voted.upcoming.token not in (back.token, mine.upcoming.token)
    assert [(label.revision, label.choice) for label in here.labels(back)] == [(1, "left"), (2, "right")]
    here.ledger().check()


def test_up_to_ten_votes_are_taken_back_the_newest_first(room):
    here = room(12, wanted=1)
    ann = here.join()
    voted = []
    while (task := here.open(ann).current) is not None:
        voted.append(task.token)
        here.vote(ann, task)
    assert here.open(ann).undoable == 10
    back = []
    for left in range(9, -1, -1):
        back.append(here.take_back(ann).token)
        assert here.open(ann).current.token == back[-1]
        assert here.open(ann).undoable == left
    assert back == voted[:1:-1]
    with pytest.raises(StateError, match="nothing to take back"):
        here.take_back(ann)
    here.ledger().check()


def test_one_takes_back_one_s_own_votes_only(room):
    here = room()
    ann, bob = here.join("Ann"), here.join("Bob")
    here.vote(ann, here.open(ann).current)
    here.open(bob)
    for person in (bob, here.join("Nobody yet")):
        with pytest.raises(StateError, match="nothing to take back"):
            here.take_back(person)


def test_a_skip_is_taken_back_too_and_late_if_the_place_went_to_another(room):
    here = room(1, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    mine = here.open(ann).current
    here.vote(ann, mine, "skip")
    assert here.take_back(ann).answers.choice == "skip"
    here.vote(bob, here.open(bob).current)
    assert here.vote(ann, mine, "left").late
    here.ledger().check()


# --- The end ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def closed(room):
    here = room(2, wanted=1)
    ann = here.join()
    mine = here.open(ann)
    here.vote(ann, mine.current, client_id=f"{ann}-kept", next=mine.upcoming.token)
    here.close(incomplete=True)
    return here, ann, mine


def test_a_closed_round_takes_no_vote_and_takes_none_back(closed):
    here, ann, mine = closed
    with pytest.raises(StateError, match="the round is closed; this vote was not counted"):
        here.vote(ann, mine.upcoming)
    with pytest.raises(StateError, match="nothing to take back"):
        here.take_back(ann)
    here.draft(ann, mine.upcoming, choice="left")
    assert len(here.labels()) == 1
    assert here.rows("SELECT * FROM draft WHERE task = :t", t=mine.upcoming.token) == []


def test_a_closed_round_says_so_with_what_was_done(closed):
    here, ann, _ = closed
    desk_ = here.open(ann)
    assert (desk_.state, desk_.current, desk_.progress.done) == ("closed", None, 1)
    assert here.open(here.join("Too late")).state == "closed"


def test_a_kept_vote_sent_again_after_closing_is_still_kept_and_hands_out_nothing(closed):
    here, ann, mine = closed
    before = here.taken()
    again = here.vote(ann, mine.current, client_id=f"{ann}-kept", next=mine.upcoming.token)
    assert (again.repeated, again.lost, again.upcoming) == (True, True, None)
    assert here.taken() == before


def test_a_task_of_the_round_before_is_gone_when_the_next_one_is_open(room):
    here = room(2, wanted=1, of=4)
    ann = here.join()
    old = here.open(ann).upcoming
    here.close(incomplete=True)
    here.later(hours=1)
    here.open_round(2, wanted=1)
    assert here.open(ann).state == "open"
    with pytest.raises(GoneError):
        here.vote(ann, old)


# --- How far one is --------------------------------------------------------------------------------------------------


def test_progress_counts_pairs_and_words_that_are_still_to_come_for_oneself(room):
    here = room(3, wanted=1)
    ann, bob = here.join("Ann"), here.join("Bob")
    assert here.open(ann).progress == desk.Progress(done=0, left=3, words_left=6)  # A5 and B5 are a word each
    mine = here.open(ann)
    voted = here.vote(ann, mine.current, next=mine.upcoming.token)
    assert voted.progress == desk.Progress(done=1, left=2, words_left=4)
    here.vote(ann, mine.upcoming, "skip")
    assert here.open(ann).progress == desk.Progress(done=2, left=1, words_left=2)
    assert here.open(bob).progress == desk.Progress(done=0, left=1, words_left=2)  # the skipped one; the rest is Ann's


def test_the_page_says_the_rubric_s_words_and_nothing_of_the_study(room):
    here = room()
    page = here.open(here.join()).page
    assert (page.title, page.task, page.overall) == ("Which answer is better?", RUBRIC.task, RUBRIC.overall)
    assert [(one.id, one.check) for one in page.criteria] == [("right", False), ("polite", True)]
    bare = room(rubric=None)
    assert bare.open(bare.join()).page == desk.Page(title="Which answer is better?", task="", overall="Which answer is better?")


def test_a_reference_is_shown_unless_the_rubric_hides_it(room):
    here = room()
    assert here.open(here.join()).current.reference.startswith("R")
    hidden = room(rubric=replace(RUBRIC, show_reference=False))
    assert hidden.open(hidden.join()).current.reference is None
