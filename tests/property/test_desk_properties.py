"""What holds of every deck, and of every round whatever people do in it."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from judge import desk
from judge.errors import GoneError, StateError
from judge.review import deal, task_token
from judge.store.opening import open_database
from tests.desk_room import Room, pairs, subject_of

SECRETS = st.integers(0, 2**256 - 1).map(lambda n: f"{n:064x}")
ITEMS = st.integers(1, 60).map(lambda n: [str(place) for place in range(n)])
SEATS = st.integers(1, 6)
OTHER = {"a": "b", "b": "a"}


# --- Dealing ---------------------------------------------------------------------------------------------------------


@given(ITEMS, SEATS, SECRETS)
def test_every_deck_holds_every_item_once(items, seats, secret):
    dealt = deal(items, range(seats), secret)
    for seat in range(seats):
        deck = [task for task in dealt if task.seat == seat]
        assert sorted(task.item for task in deck) == sorted(items)
        assert [task.position for task in deck] == list(range(len(items)))


@given(ITEMS, SEATS, SECRETS)
def test_left_and_right_are_never_more_than_two_apart_at_any_place_of_a_deck(items, seats, secret):
    for seat in range(seats):
        lean = 0
        for task in deal(items, [seat], secret):
            lean += 1 if task.left == "a" else -1
            assert abs(lean) <= 2


@given(ITEMS, SEATS, SECRETS, st.booleans())
def test_even_and_odd_seats_see_every_item_the_other_way_round(items, seats, secret, mirrored):
    sides = {(task.seat, task.item): task.left for task in deal(items, range(seats), secret, mirrored=mirrored)}
    for (seat, item), left in sides.items():
        assert left == (sides[0, item] if seat % 2 == 0 else OTHER[sides[0, item]])
    if items and seats > 1:
        counts = Counter(sides[0, item] for item in items)
        assert abs(counts["a"] - counts["b"]) <= 1


@given(ITEMS, SEATS, SECRETS)
def test_mirroring_swaps_every_side_and_moves_nothing(items, seats, secret):
    plain, mirrored = (deal(items, range(seats), secret, mirrored=mirrored) for mirrored in (False, True))
    assert [replace(task, left=OTHER[task.left]) for task in plain] == mirrored


@given(ITEMS, SEATS, SECRETS, st.randoms())
def test_the_order_of_input_deals_the_same(items, seats, secret, random):
    shuffled = random.sample(items, len(items))
    assert deal(shuffled, range(seats), secret) == deal(items, range(seats), secret)


@given(ITEMS, st.integers(1, 4), st.integers(1, 4), SECRETS)
def test_seats_added_later_are_dealt_as_if_they_had_been_there(items, first, more, secret):
    early = deal(items, range(first), secret)
    base = {task.item: int(task.left == "b") for task in early if task.seat == 0}
    late = deal(items, range(first, first + more), secret, base=base)
    assert early + late == deal(items, range(first + more), secret)


@given(ITEMS, SEATS, SECRETS, SECRETS)
def test_tokens_are_unique_and_cannot_be_made_without_the_secret(items, seats, secret, other):
    places = [(seat, item) for seat in range(seats) for item in items]
    tokens = [task_token(secret, "r", seat, item) for seat, item in places]
    assert len(set(tokens)) == len(tokens)
    if secret != other:
        assert not set(tokens) & {task_token(other, "r", seat, item) for seat, item in places}


def test_which_text_stands_left_cannot_be_guessed_from_what_came_before():
    """In the four places of a block the sides stand in each of their six orders about equally often."""
    orders = Counter(
        "".join(task.left for task in deal(["0", "1", "2", "3"], [seat], f"{k * 7919:064x}"))
        for k in range(1500)
        for seat in (0, 1)
    )
    assert set(orders) == {"aabb", "abab", "abba", "baab", "baba", "bbaa"}
    assert all(abs(count - 500) < 110 for count in orders.values())


# --- Storage ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    made = open_database(tmp_path_factory.mktemp("desk") / "judge.db")
    yield made
    made.close()


class Undone(Exception):
    """Ends an example: nothing of it stays."""


@contextmanager
def passing(database):
    """A transaction that is rolled back at the end: quick, and every example begins with an empty workspace."""
    try:
        with database.write() as tx:
            yield tx
            raise Undone
    except Undone:
        pass


BYTES = "token, seat, item, position, kind, prompt, left, right, words, state"


def sealed(database, texts, strata, *, n, extra, mirrored):
    """Every byte of the desk's tables after drawing a round, and the envelopes beside them."""
    with passing(database) as tx, pinned_secret("5" * 64):
        here = Room(database, subject_of(tx, texts, name="twin", strata=strata), tx=tx)
        here.open_round(n, wanted=2, seats=3, mirrored=mirrored)
        if extra:
            here.extend(seats=extra)
        columns = ", ".join(f'"{name}"' for name in BYTES.split(", "))
        return (
            [tuple(row) for row in here.rows(f"SELECT {columns} FROM task ORDER BY token")],
            [tuple(row) for row in here.rows("SELECT item, wanted, taken FROM quota ORDER BY item")],
            [tuple(row) for row in here.rows("SELECT token, page, study, state FROM round")],
            {tuple(row) for row in here.rows('SELECT task, "left" FROM task_key')},
        )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.integers(2, 9), st.integers(0, 2))
def test_no_byte_on_the_annotators_side_depends_on_which_arm_is_which(database, data, size, extra):
    texts = pairs(size)
    values = {pair.id: data.draw(st.sampled_from(["a", "tie", "b", "split"])) for pair in texts}
    n = data.draw(st.integers(1, size))
    swapped = [replace(p, text_a=p.text_b, text_b=p.text_a, model_a=p.model_b, model_b=p.model_a) for p in texts]
    turned = {pair: OTHER.get(value, value) for pair, value in values.items()}
    one = sealed(database, texts, values, n=n, extra=extra, mirrored=False)
    other = sealed(database, swapped, turned, n=n, extra=extra, mirrored=True)
    assert one[:3] == other[:3]
    assert other[3] == {(task, OTHER[left]) for task, left in one[3]}


@contextmanager
def pinned_secret(secret):
    """Let studies that begin here have this secret."""
    from judge.store import study

    drawn = study.new_secret
    study.new_secret = lambda: secret
    try:
        yield
    finally:
        study.new_secret = drawn


# --- What people do --------------------------------------------------------------------------------------------------

CHOICES = ("left", "right", "tie", "both_bad", "cannot_judge", "skip")
PEOPLE = 5


class Review(RuleBasedStateMachine):
    """One to five people at one small round, in any order of doings; the books are counted anew after each."""

    database = None  # set by the fixture below

    @initialize(size=st.integers(1, 5), wanted=st.integers(1, 3), people=st.integers(1, PEOPLE), extra=st.integers(0, 3))
    def begin(self, size, wanted, people, extra):
        self.passing = passing(self.database)
        tx = self.passing.__enter__()
        self.here = Room(self.database, subject_of(tx, pairs(size + extra)), tx=tx)
        self.here.open_round(size, wanted=wanted, seats=PEOPLE + 8)
        self.people = [self.here.join(f"P{n}") for n in range(people)]
        self.shown = {}  # person -> the task on their page; upcoming behind it
        self.behind = {}
        self.known = {}  # client_id -> (person, task, choice), acknowledged
        self.extra = extra
        self.wanted = wanted

    def teardown(self):
        if hasattr(self, "here"):
            self.everybody_goes_on_to_the_end()
            self.passing.__exit__(None, None, None)

    person = st.integers(0, PEOPLE - 1)

    def somebody(self, n):
        return self.people[n % len(self.people)]

    @rule(n=person)
    def opens(self, n):
        who = self.somebody(n)
        found = self.here.open(who)
        assert found.state == "open"
        self.shown[who], self.behind[who] = found.current, found.upcoming
        if found.current and found.upcoming:
            assert found.current.token != found.upcoming.token

    @rule(n=person, choice=st.sampled_from(CHOICES), times=st.integers(1, 3), blind=st.booleans())
    def votes(self, n, choice, times, blind):
        who = self.somebody(n)
        task, behind = self.shown.get(who), self.behind.get(who)
        if task is None:
            return
        following = None if blind or behind is None else behind.token  # blind: the page has nothing to show next
        client_id = f"{who}-{len(self.known)}"
        for _ in range(times):
            voted = self.here.vote(who, task, choice, client_id=client_id, next=following)
        self.known[client_id] = (who, task.token, choice)
        keeps = following is not None and not voted.lost
        assert not (keeps and voted.upcoming and voted.upcoming.token == following)
        self.shown[who] = behind if keeps else voted.upcoming
        self.behind[who] = voted.upcoming if keeps else None

    @rule(n=person, choice=st.sampled_from(CHOICES[:4]))
    def writes(self, n, choice):
        who = self.somebody(n)
        task = self.shown.get(who)
        if task is not None:
            self.here.draft(who, task, choice=choice, comment="so far")

    @rule(n=person)
    def takes_back(self, n):
        who = self.somebody(n)
        try:
            back = self.here.take_back(who)
        except StateError:
            return
        self.behind[who] = self.shown.get(who)
        self.shown[who] = back

    @rule(n=person)
    def reloads_into_nothing(self, n):
        """The page is closed; what it held waits for its time."""
        who = self.somebody(n)
        self.shown.pop(who, None)
        self.behind.pop(who, None)

    @rule(minutes=st.sampled_from([1, 4, 6, 29, 31, 300]))
    def time_passes(self, minutes):
        self.here.later(minutes=minutes)

    @rule(n=person)
    def looks_up_after_the_others_went_on(self, n):
        """Too long away: what one still has on the page may be in another's hand by now."""
        self.here.later(minutes=31)
        for m in range(len(self.people)):
            if self.people[m] != self.somebody(n):
                self.opens(m)
        self.votes(n, "left", 1, blind=False)

    @rule(n=person, m=person)
    def reaches_for_another_s_task(self, n, m):
        task = self.shown.get(self.somebody(n))
        if task is not None and self.somebody(n) != self.somebody(m):
            with pytest.raises(GoneError):
                self.here.vote(self.somebody(m), task)

    @precondition(lambda self: self.extra)
    @rule()
    def the_owner_extends(self):
        self.extra -= 1
        self.here.extend(n=1)

    @invariant()
    def the_books_balance(self):
        if hasattr(self, "here"):
            self.here.ledger().check()

    @invariant()
    def every_acknowledged_vote_is_there_once(self):
        if hasattr(self, "here"):
            there = {row.client_id: (row.person, row.task, row.choice) for row in self.here.labels()}
            assert there == self.known
            assert len(self.here.labels()) == len(self.known)

    def everybody_goes_on_to_the_end(self):
        """After a while enough new people answer what is left; then every pair has what it wants."""
        self.here.later(hours=1)
        for n in range(self.wanted):
            self.here.finish(self.here.join(f"Q{n}"))
        self.the_books_balance()
        for who in self.people:  # what those of before still hold, or skipped and took back, is theirs to end
            self.here.finish(who, "tie")
        books = self.here.ledger()
        books.check()
        assert books.counted == books.wanted


def test_whatever_people_do_places_and_votes_add_up_and_the_round_comes_to_its_end(database):
    from hypothesis.stateful import run_state_machine_as_test

    Review.database = database
    run_state_machine_as_test(
        Review,
        settings=settings(
            max_examples=40, stateful_step_count=40, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )  # fmt: skip


def test_the_words_an_annotator_may_say_are_the_ones_tried_here():
    assert set(CHOICES) == set(desk.SAID)
