"""Links and sessions: how somebody gets in, how often, and what is kept of a secret."""

from __future__ import annotations

from datetime import timedelta

import pytest

from judge import access
from judge.errors import GoneError, StateError
from judge.store import access as store
from judge.store.opening import open_database
from tests.desk_room import START


@pytest.fixture
def path(tmp_path):
    return tmp_path / "judge.db"


@pytest.fixture
def door(path):
    database = open_database(path)
    yield Door(database)
    database.close()


class Door:
    """The entrance of study s at a moment that can be moved on."""

    def __init__(self, database):
        self.database = database
        self.now = START

    def invite(self, role="annotator", study="s", **wish):
        with self.database.write() as tx:
            return access.invite(tx, study, role, self.now, **wish)

    def peek(self, secret):
        with self.database.read() as tx:
            return access.peek(tx, secret, self.now)

    def redeem(self, secret, name="Ann", session=None):
        with self.database.write() as tx:
            return access.redeem(tx, secret, name, session, self.now)

    def who(self, session):
        with self.database.read() as tx:
            return access.find_session(tx, session.secret, self.now)

    def end(self, secret):
        with self.database.write() as tx:
            access.end_session(tx, secret)

    def roles(self, person, study="s"):
        with self.database.read() as tx:
            return store.roles_of(tx, person, study)


def test_a_withdrawn_link_lets_nobody_in_and_keeps_who_came(door):
    secret = door.invite(uses=2)
    ann = door.redeem(secret)
    with door.database.write() as tx:
        access.withdraw(tx, "s", secret)
    assert door.peek(secret) is None
    with pytest.raises(GoneError, match="withdrawn"):
        door.redeem(secret, "Ben")
    assert door.who(ann).name == "Ann"


def test_a_link_of_another_study_or_a_session_is_no_link_to_withdraw(door):
    secret = door.invite(study="other")
    session = door.redeem(door.invite()).secret
    for wrong in (secret, session, "nothing"):
        with door.database.write() as tx, pytest.raises(GoneError, match="no such link"):
            access.withdraw(tx, "s", wrong)
    assert door.peek(secret) is not None


# --- Links -----------------------------------------------------------------------------------------------------------


def test_a_link_lets_in_as_many_as_it_says(door):
    link = door.invite(uses=3)
    people = {door.redeem(link, name).person for name in ("Ann", "Bob", "Cem")}
    assert len(people) == 3
    with pytest.raises(GoneError, match=r"used up, expired or withdrawn\. Ask for a new one"):
        door.redeem(link, "Dan")


def test_a_link_for_one_is_used_up_by_one(door):
    link = door.invite()
    door.redeem(link)
    assert door.peek(link) is None
    with pytest.raises(GoneError):
        door.redeem(link)


def test_looking_at_a_link_does_not_use_it(door):
    link = door.invite()
    for _ in range(20):
        offered = door.peek(link)
    assert (offered.study, offered.role, offered.expires) == ("s", "annotator", START + timedelta(days=14))
    assert door.redeem(link).role == "annotator"


def test_a_link_ends_with_its_time(door):
    link = door.invite(days=2)
    door.now += timedelta(days=2)
    assert door.peek(link) is None
    with pytest.raises(GoneError):
        door.redeem(link)


def test_a_withdrawn_link_is_no_more(door):
    link = door.invite(uses=5)
    door.redeem(link)
    door.end(link)
    assert door.peek(link) is None
    with pytest.raises(GoneError):
        door.redeem(link, "Bob")


def test_what_never_was_a_link_opens_nothing(door):
    session = door.redeem(door.invite())
    for secret in ("", "x", "ü" * 5000, session.secret):
        assert door.peek(secret) is None
        with pytest.raises(GoneError):
            door.redeem(secret)


@pytest.mark.parametrize("wish", [{"uses": 0}, {"uses": 1001}, {"days": 0}, {"days": -1}, {"days": 366}, {"role": "king"}])
def test_an_impossible_link_is_refused(door, wish):
    with pytest.raises(StateError):
        door.invite(**wish)


def test_a_link_that_fails_half_way_is_not_used_up(door):
    link = door.invite()
    with pytest.raises(RuntimeError), door.database.write() as tx:
        access.redeem(tx, link, "Ann", None, door.now)
        raise RuntimeError
    assert door.redeem(link).name == "Ann"


# --- Sessions --------------------------------------------------------------------------------------------------------


def test_a_session_says_who_holds_it_until_it_ends(door):
    session = door.redeem(door.invite(), "Ann")
    found = door.who(session)
    assert (found.person, found.name, found.study, found.role, found.secret) == (session.person, "Ann", "s", "annotator", None)
    door.now = session.expires - timedelta(seconds=1)
    assert door.who(session) is not None
    door.now = session.expires
    assert door.who(session) is None


def test_somebody_who_leaves_is_out_at_once(door):
    session = door.redeem(door.invite())
    door.end(session.secret)
    assert door.who(session) is None


def test_a_link_is_no_session(door):
    link = door.invite()
    with door.database.read() as tx:
        assert access.find_session(tx, link, door.now) is None


def test_every_coming_in_makes_a_new_session_and_ends_the_one_the_browser_held(door):
    first = door.redeem(door.invite(), "Ann")
    second = door.redeem(door.invite(), "Somebody", first.secret)
    assert second.secret != first.secret
    assert door.who(first) is None
    assert door.who(second).person == first.person


def test_a_session_that_somebody_else_put_into_the_browser_is_not_taken_over(door):
    planted = "a-secret-that-an-attacker-knows"
    session = door.redeem(door.invite(), "Ann", planted)
    assert session.secret != planted
    with door.database.read() as tx:
        assert access.find_session(tx, planted, door.now) is None


def test_the_same_browser_stays_the_same_person_under_the_known_name(door):
    first = door.redeem(door.invite(), "Ann")
    owner = door.redeem(door.invite("owner"), "Another name", first.secret)
    assert (owner.person, owner.name, owner.role) == (first.person, "Ann", "owner")
    assert door.roles(first.person) == {"annotator", "owner"}


def test_in_another_study_one_is_another_person_and_the_browser_keeps_one_session(door):
    first = door.redeem(door.invite(study="s"), "Ann")
    second = door.redeem(door.invite(study="t"), "Ann", first.secret)
    assert (second.person == first.person, second.study, second.name) == (False, "t", "Ann")
    assert door.who(first) is None
    assert door.roles(second.person, "s") == set()


def test_a_session_that_is_over_makes_nobody_the_person_it_was(door):
    first = door.redeem(door.invite(), "Ann")
    door.end(first.secret)
    assert door.redeem(door.invite(), "Ann", first.secret).person != first.person


# --- Names -----------------------------------------------------------------------------------------------------------


def test_names_are_told_apart_within_a_study(door):
    link = door.invite(uses=9)
    given = ["Ann", "Ann", " Ann ", "Ann 2", "", "  ", "a\n b\tc", "x" * 99, "nul\0nul"]
    named = [door.redeem(link, name).name for name in given]
    assert named == ["Ann", "Ann 2", "Ann 3", "Ann 2 2", "Annotator", "Annotator 2", "a b c", "x" * 60, "nul nul"]
    assert door.redeem(door.invite(study="t"), "Ann").name == "Ann"


# --- Secrets ---------------------------------------------------------------------------------------------------------


def test_no_secret_stands_in_the_database(door, path):
    link = door.invite(uses=2)
    first = door.redeem(link, "Ann")
    second = door.redeem(link, "Bob", first.secret)
    door.database.close()
    files = [file for file in path.parent.iterdir() if file.is_file()]
    kept = b"".join(file.read_bytes() for file in files)
    assert b"Ann" in kept
    for secret in (link, first.secret, second.secret):
        assert len(secret) >= 43  # 256 bits
        assert secret.encode() not in kept
