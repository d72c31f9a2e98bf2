"""Calls on their way: what is noted before it leaves, what is taken back, what was paid for already, who asks to wait."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from judge.calls import Answer, Budget, Engine, Request, Settings, Usage, provider_for
from judge.calls.failures import CallFailed, Failed
from judge.calls.journal import Journal
from judge.calls.providers.base import Reply
from judge.clock import utc_now
from judge.domain import Message
from judge.errors import Parked, StateError, StoreError
from judge.store import calls as store
from judge.store.calls import Intent, Outcome, Sent
from judge.store.opening import open_database
from tests.provider_server import ProviderServer
from tests.studies import rows_of

KEY = "SENDING_TEST_KEY"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(autouse=True)
def settings(own_prices, monkeypatch):
    own_prices("date: 2026-11-01\nmodels: {dear: {in: 0, out: 100}, dearer: {in: 0, out: 200}}\n")
    monkeypatch.setenv(KEY, "sk-test")


@pytest.fixture
def server():
    with ProviderServer(latency_s=0.01, speaks=("chat",)) as running:
        yield running


class Scripted:
    """A provider that answers as it is told: a reply's text and finish, or a failure, by how much room it was given."""

    server = None

    def __init__(self, by_room):
        self.by_room = by_room
        self.rooms: list[int] = []

    def name(self, request):
        return request.digest

    async def send(self, _request, call, _timeout_s, raised):
        self.rooms.append(raised)
        await asyncio.sleep(0)
        came = self.by_room[raised]
        if isinstance(came, Failed):
            raise CallFailed(came)
        text, finish = came
        raw = json.dumps({"text": text, "finish": finish})
        return Reply(answer=self.read(raw, call), raw=raw)

    def read(self, raw, call, request_id=None):
        return Answer(digest=call, request_id=request_id, usage=Usage(tokens_in=0, tokens_out=6000), **json.loads(raw))

    async def close(self):
        pass


def asked(n, model="dear", **more):
    text = Message(role="user", content=f"Question {n}?")
    return Request(provider="openai", route="openai", model=model, effort="low", messages=(text,), tag=str(n), **more)


@contextmanager
def engine(folder, provider, **settings):
    """An engine on a provider, or on a server."""
    if isinstance(provider, ProviderServer):
        provider = provider_for("openai", provider.openai_url, KEY, 64)
    database = open_database(folder / "judge.db")
    made = Engine(database, {"openai": provider}, utc_now, budget=Budget(cap=1000), settings=Settings(**settings))
    try:
        yield made
    finally:
        made.close()
        database.close()


def statuses(folder):
    return dict(rows_of(folder / "judge.db", "SELECT status, count(*) FROM attempt GROUP BY status"))


def within(seconds, condition):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


# --- What is noted before it leaves -----------------------------------------------------------------------------------


def test_a_run_that_stops_takes_back_what_had_not_left(server, tmp_path):
    server.latency_s = 0.2
    with engine(tmp_path, server) as made:
        answers = made.stream(asked(n) for n in range(300))
        next(answers)
        answers.close()
        within(5, lambda: made.flow.open == 0)
    assert statuses(tmp_path) == {"answered": len(server.requests)}
    assert made.flow.budget.reserved == 0


def test_a_database_that_fails_at_the_end_abandons_nothing_that_is_on_the_wire(server, tmp_path, monkeypatch):
    def broken(_tx, _tries):
        raise StoreError("the database failed: database is locked")

    monkeypatch.setattr(store, "withdraw", broken)
    server.latency_s = 0.4
    with engine(tmp_path, server) as made:
        answers = made.stream(asked(n, ("dear", "dearer")[n % 2]) for n in range(300))
        next(answers)
        answers.close()
    assert statuses(tmp_path)["answered"] == len(server.requests) >= 16


def test_an_answer_is_kept_although_what_is_written_with_it_fails(tmp_path):
    """A plan that cannot be written and an answer share one commit."""

    def note(_tx):
        raise StoreError("the disk is full")

    async def both(database):
        journal = Journal(database, utc_now)
        await journal.plan([Intent(digest="d", first="d", repeat=1, request={}, tag="t")])
        await journal.sending([Sent(call="d", n=1, worst_usd=1.0)])
        outcome = Outcome(call="d", n=1, raw="{}", usage={})
        return await asyncio.gather(journal.plan([], note), journal.came(outcome), return_exceptions=True)

    database = open_database(tmp_path / "judge.db")
    failures = asyncio.run(both(database))
    database.close()
    assert [str(one) for one in failures] == ["the disk is full."] * 2
    assert statuses(tmp_path) == {"answered": 1}


def test_in_a_long_pause_nothing_seems_to_be_on_the_wire(server, tmp_path):
    server.retry_after_s = 30
    with engine(tmp_path, server) as made:
        answers = made.stream(asked(n) for n in range(200))
        next(answers)
        server.faults = {"throttled": 1.0}
        within(5, lambda: made.flow.paused_s > 20 and made.flow.open == 0)
        within(5, lambda: "sent" not in statuses(tmp_path))
        assert made.flow.budget.reserved == 0
        answers.close()


def test_calls_that_another_process_makes_stop_the_run_and_leave_nothing_behind(server, tmp_path):
    def planned(tx, calls):
        store.send(tx, [Sent(call=calls[7][1], n=1, worst_usd=0.5)], NOW)

    with engine(tmp_path, server) as made:
        with pytest.raises(StateError, match="another command asks the same calls now"):
            list(made.stream((asked(n) for n in range(30)), planned))
        assert made.flow.budget.reserved == 0
    assert statuses(tmp_path)["sent"] == 1  # the other one's


@pytest.mark.postgres
def test_two_commands_that_send_the_same_calls_at_once_are_told_apart_on_a_database_server(postgres_url):
    """The second one waits for the first one's commit, and then knows."""
    databases = [open_database(postgres_url) for _ in range(2)]
    sent = [Sent(call=call, n=1, worst_usd=0.5) for call in ("c1", "c2")]
    with databases[0].write() as tx:
        store.intend(tx, [Intent(digest=one.call, first=one.call, repeat=1, request={}, tag="") for one in sent], NOW)
    others: list[frozenset[str]] = []

    def second():
        with databases[1].write() as tx:
            others.append(store.send(tx, sent, NOW))

    thread = threading.Thread(target=second)
    with databases[0].write() as tx:
        assert store.send(tx, sent, NOW) == frozenset()
        thread.start()
        time.sleep(0.3)
    thread.join(10)
    for one in databases:
        one.close()
    assert others == [frozenset({"c1", "c2"})]


# --- What was paid for already ----------------------------------------------------------------------------------------


def test_an_answer_that_was_cut_is_paid_for_once_however_often_the_run_stops(tmp_path):
    half, no_money = ("half", "length"), Failed(kind="out_of_money", text="top up")
    first, again, last = Scripted({0: half, 1: no_money}), Scripted({1: no_money}), Scripted({1: ("whole", "stop")})
    for provider in (first, again):
        with engine(tmp_path, provider) as made, pytest.raises(Parked):
            made.submit([asked(1)])
    with engine(tmp_path, last) as made:
        assert made.submit([asked(1)]).answers[0].text == "whole"
    assert (first.rooms, again.rooms, last.rooms) == ([0, 1], [1], [1])


def test_with_more_room_not_to_be_had_the_cut_answer_is_the_answer(tmp_path):
    full = Failed(kind="bad_request", text="max_tokens is too large", too_long=True)
    with engine(tmp_path, Scripted({0: ("half", "length"), 1: full})) as made:
        answer = made.submit([asked(1)]).answers[0]
    assert (answer.text, answer.finish, answer.failed) == ("half", "length", False)
    with engine(tmp_path, Scripted({})) as made:
        assert made.submit([asked(1)]).from_journal == 1


@pytest.mark.parametrize("failed", [Failed(kind="bad_request", text="no"), Failed(kind="overloaded", text="busy")])
def test_a_larger_try_that_fails_for_another_reason_is_made_again_by_the_same_command(tmp_path, monkeypatch, failed):
    monkeypatch.setattr("judge.calls.lane.ATTEMPTS", 1)
    with engine(tmp_path, Scripted({0: ("half", "length"), 1: failed})) as made:
        assert made.submit([asked(1)]).answers[0].failed
    last = Scripted({1: ("whole", "stop")})
    with engine(tmp_path, last) as made:
        assert made.submit([asked(1)]).answers[0].text == "whole"
    assert last.rooms == [1]


@pytest.mark.parametrize("send", [True, False])
def test_a_kept_body_that_is_no_answer_to_todays_reader_is_asked_again_and_breaks_nothing(server, tmp_path, send):
    request = asked(1, base_url=server.openai_url)
    database = open_database(tmp_path / "judge.db")
    with database.write() as tx:
        store.intend(tx, [Intent(digest=request.digest, first=request.digest, repeat=1, request={}, tag="1")], NOW)
        kept = Outcome(call=request.digest, n=1, raw='{"output": [], "error": {"message": "boom"}}', usage={}, cost_usd=0.1)
        store.record(tx, [kept], NOW)
    database.close()
    with engine(tmp_path, server, send=send) as made:
        answer = made.submit([request]).answers[0]
    assert (answer.text is not None, answer.failed, len(server.requests)) == (send, not send, int(send))
    assert send or answer.error == "overloaded: boom"


# --- Who asks to wait -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["throttled", "overloaded"])
def test_who_asks_to_wait_for_an_hour_parks_the_run_at_once(tmp_path, kind):
    provider = Scripted({0: Failed(kind=kind, text="busy", retry_after_s=3600.0)})
    begun = time.monotonic()
    with engine(tmp_path, provider) as made, pytest.raises(Parked, match="asks to wait 3600 s"):
        made.submit([asked(n) for n in range(10)])
    assert time.monotonic() - begun < 5
