"""The engine on real calls: equal ones are one, money that comes free wakes who waits for it, nothing waits for ever."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections import Counter
from contextlib import contextmanager

import pytest

from judge.calls import Budget, Engine, Request, Settings, provider_for
from judge.calls.planning import Planner
from judge.calls.sending import Sender
from judge.clock import utc_now
from judge.domain import Message
from judge.errors import JudgeError, Parked
from judge.store import calls as store
from judge.store.calls import Intent, Outcome
from judge.store.opening import open_database
from tests.provider_server import ProviderServer
from tests.studies import rows_of

KEY = "ENGINE_TEST_KEY"
PRICES = "date: 2026-11-01\nmodels:\n  dear: {in: 0, out: 100}\n  dearer: {in: 0, out: 200}\n"
WORST = 6144 * 100 / 1e6  # of one call to the dear model with little effort


@pytest.fixture(autouse=True)
def settings(own_prices, monkeypatch):
    own_prices(PRICES)
    monkeypatch.setenv(KEY, "sk-test")


@pytest.fixture
def server():
    with ProviderServer(latency_s=0.01, speaks=("chat",)) as running:
        yield running


def asked(n, server, **more):
    text = Message(role="user", content=f"Question {n}?")
    more = {"model": "dear", "tag": str(n), **more}
    return Request(provider="openai", base_url=server.openai_url, route="openai", effort="low", messages=(text,), **more)


@contextmanager
def engine(folder, server, budget=None, **settings):
    database = open_database(folder / "judge.db")
    provider = provider_for("openai", server.openai_url, KEY, 64)
    made = Engine(database, {"openai": provider}, utc_now, budget=Budget(cap=budget), settings=Settings(**settings))
    try:
        yield made
    finally:
        made.close()
        database.close()


# --- What a call is ---------------------------------------------------------------------------------------------------


def test_equal_calls_are_one_and_repeats_are_not(server, tmp_path):
    requests = [asked(n % 5, server, tag=str(n)) for n in range(20)] + [asked(0, server, repeat=2), asked(0, server, reask=1)]
    with engine(tmp_path, server) as made:
        found = made.submit(requests).answers
    assert len(server.requests) == 5 + 2
    assert {answer.digest for answer in found} == {request.digest for request in requests}
    for first, answer in zip(requests, found, strict=True):
        assert answer.digest == first.digest
    assert made.flow.answered == 7


def test_what_the_journal_holds_is_never_asked_again_and_reads_the_same(server, tmp_path):
    requests = [asked(n, server) for n in range(10)]
    with engine(tmp_path, server) as made:
        first = made.submit(requests)
    with engine(tmp_path, server) as made:
        again = made.submit(requests)
        assert made.flow.budget.spent == 0
    assert (first.from_journal, again.from_journal, len(server.requests)) == (0, 10, 10)
    assert first.answers == again.answers


def test_an_answer_that_the_journal_lacks_is_not_asked_for_when_nothing_may_be_sent(server, tmp_path):
    with engine(tmp_path, server, send=False) as made:
        assert made.submit([asked(1, server)]).answers == (None,)
    assert server.requests == []


# --- Money ------------------------------------------------------------------------------------------------------------


def test_money_that_one_model_gives_back_wakes_another_that_waits_for_it(server, tmp_path):
    """One dear call fits at a time: the lanes have to take turns, and neither may sleep through its own."""
    requests = [asked(n, server, model=("dear", "dearer")[n % 2]) for n in range(12)]
    with engine(tmp_path, server, budget=2.2 * WORST + 0.5) as made:
        found = within(20, lambda: made.submit(requests))
    assert all(answer.text for answer in found.answers)


def test_a_budget_for_no_call_at_all_parks_before_anything_is_sent(server, tmp_path):
    with engine(tmp_path, server, budget=0.9 * WORST) as made, pytest.raises(Parked, match="no room for a call of up to"):
        made.submit([asked(1, server)])
    assert server.requests == []


def test_what_may_have_been_paid_without_an_answer_is_kept_in_the_journal_at_its_worst(server, tmp_path, monkeypatch):
    monkeypatch.setattr("judge.calls.lane.ATTEMPTS", 2)
    server.faults = {"reset_middle": 1.0}
    with engine(tmp_path, server, budget=10 * WORST) as made, pytest.raises(Parked):
        within(60, lambda: made.submit([asked(1, server)]))
    kept = rows_of(tmp_path / "judge.db", "SELECT error_class, cost_usd FROM attempt ORDER BY n")
    assert kept == [("transport", pytest.approx(WORST, rel=0.01))] * len(server.requests)
    assert len(kept) == 2


def within(seconds, action):
    """Let an action take so long and no longer."""
    found = []
    thread = threading.Thread(target=lambda: found.append(caught(action)), daemon=True)
    thread.start()
    thread.join(seconds)
    assert found, f"it hung for {seconds} s"
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def caught(action):
    try:
        return action()
    except JudgeError as error:
        return error


def test_an_equal_call_that_is_answered_while_others_are_looked_up_is_not_made_again(server, tmp_path, monkeypatch):
    look_up = Planner._look_up

    def slowly(self, digests):
        kept = look_up(self, digests)
        time.sleep(0.2)  # a database far away: what it read may be old by now
        return kept

    monkeypatch.setattr(Planner, "_look_up", slowly)
    server.latency_s = 0.05
    requests = [asked(n, server) for n in range(544)]  # as many as are read before answers are waited for
    with engine(tmp_path, server) as made:
        found = made.submit([*requests, *(asked(n, server, tag=f"again {n}") for n in range(544))]).answers
    assert len(server.requests) == 544
    assert [one.digest for one in found[:544]] == [one.digest for one in found[544:]]


def test_answers_of_the_journal_wait_for_who_takes_them(server, tmp_path):
    requests = [asked(n, server) for n in range(6000)]
    database = open_database(tmp_path / "judge.db")
    answer = {"choices": [{"message": {"content": "said"}, "finish_reason": "stop"}]}
    with database.write() as tx:
        intents = [Intent(digest=one.digest, first=one.digest, repeat=1, request={}, tag=one.tag) for one in requests]
        store.intend(tx, intents, utc_now())
        store.record(tx, [Outcome(call=one.digest, n=1, raw=json.dumps(answer), usage={}) for one in requests], utc_now())
    database.close()
    with engine(tmp_path, server) as made:
        answers = made.stream(iter(requests))
        next(answers)
        time.sleep(0.5)
        assert made.flow.from_journal < 2500
        assert 1 + sum(1 for _ in answers) == made.flow.from_journal == 6000


# --- Providers that are down ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "calls"), [("hang", 3), ("hang", 100), ("error_500", 200)])
def test_a_provider_that_is_down_parks_the_run(server, tmp_path, fault, calls):
    server.faults = {fault: 1.0}
    started = time.monotonic()
    with engine(tmp_path, server, timeout_s=0.3) as made, pytest.raises(Parked) as parked:
        made.submit([asked(n, server) for n in range(calls)])
    assert "fails again and again" in str(parked.value)
    assert time.monotonic() - started < 30
    server.faults = {}
    with engine(tmp_path, server) as made:
        assert all(answer.text for answer in made.submit([asked(n, server) for n in range(calls)]).answers)


def test_one_call_that_always_fails_does_not_stop_the_others(server, tmp_path, monkeypatch):
    monkeypatch.setattr("judge.calls.lane.ATTEMPTS", 3)
    with engine(tmp_path, server) as made:
        assert made.submit([asked(1, server)]).answers[0].text
        server.faults = {"error_503": 1.0}
        (lost,) = made.submit([asked(2, server)]).answers
    assert (lost.text, lost.failed, lost.error.split(":")[0]) == (None, True, "overloaded")
    assert len(server.requests) == 1 + 3


def test_being_throttled_is_no_attempt_however_often_it_happens(server, tmp_path):
    server.faults, server.retry_after_s = {"throttled": 0.8}, 0.02
    with engine(tmp_path, server) as made:
        found = made.submit([asked(n, server) for n in range(8)]).answers
    assert all(answer.text for answer in found)
    turns = Counter(one.digest for one in server.requests)
    assert max(turns.values()) > 5


def test_a_call_that_could_come_back_while_all_places_are_taken_waits_without_spinning(server, tmp_path, monkeypatch):
    rests, rest = [], Sender._rest

    async def counted(sender, waits):
        rests.append(waits)
        await rest(sender, waits)

    monkeypatch.setattr(Sender, "_rest", counted)
    server.latency_s, server.faults = 1.2, {"error_500": 0.5}
    with engine(tmp_path, server, most_open=2) as made:
        assert all(answer.text for answer in made.submit([asked(n, server) for n in range(6)]).answers)
    assert len(rests) < 20 * len(server.requests)


def test_requests_that_are_all_refused_at_the_beginning_stop_the_run(server, tmp_path):
    server.faults = {"bad_request": 1.0}
    with engine(tmp_path, server, most_open=1) as made, pytest.raises(JudgeError, match="does not accept the request") as stop:
        made.submit([asked(n, server) for n in range(50)])
    assert stop.value.exit_code == 2
    assert 5 <= len(server.requests) <= 7  # one may have left while the fifth was written down


def test_a_few_refused_texts_do_not_stop_a_run_whose_other_calls_wait_to_be_tried_again(server, tmp_path):
    def meets(body):
        question = int(re.search(r"Question (\d+)", str(body)).group(1))
        turns[question] += 1
        return "too_large" if question < 5 else "error_503" if turns[question] == 1 else None

    turns = Counter()
    server.faulty = meets
    with engine(tmp_path, server) as made:
        found = made.submit([asked(n, server) for n in range(20)]).answers
    assert [one.failed for one in found] == [True] * 5 + [False] * 15


def test_calls_that_take_their_time_are_waited_for_while_others_are_throttled(server, tmp_path):
    server.latency_s, server.retry_after_s = 1.5, 0.1
    begun = time.monotonic()
    server.faulty = lambda _: "throttled" if len(server.requests) > 2 and time.monotonic() - begun < 1.5 else None
    with engine(tmp_path, server, throttled_s=0.5, most_open=8) as made:
        assert all(one.text for one in made.submit([asked(n, server) for n in range(8)]).answers)


def test_a_server_that_drips_an_answer_for_ever_is_not_waited_for(tmp_path):
    """Time-outs that start anew with every byte would let it hold a place without end."""
    drips, late = _Dripping(), pytest.raises(Parked, match=r"no whole answer within 2\.5 s")
    with drips, engine(tmp_path, drips, timeout_s=0.5) as made, late:
        within(20, lambda: made.submit([asked(1, drips)]))


class _Dripping:
    """Sends a byte of an endless answer every tenth of a second."""

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._drip, "127.0.0.1", 0))
        self.openai_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    async def _drip(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
        try:
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.1)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def __exit__(self, *_):
        async def end():
            self._server.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(timeout=5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


# --- Answers ----------------------------------------------------------------------------------------------------------


def test_a_cut_answer_is_asked_for_once_more_with_a_larger_limit_and_both_are_paid(server, tmp_path):
    limits = []

    def answer(body):
        limits.append(body["max_completion_tokens"])
        return "{}"

    server.answer, server.faults = answer, {"length": 1.0}
    with engine(tmp_path, server) as made:
        (found,) = made.submit([asked(1, server)]).answers
        spent = made.flow.budget.spent
    assert found.finish == "length"
    assert limits == [6144, 4 * 6144]
    assert spent == pytest.approx(server.tokens_out * 100 / 1e6)


def test_the_raw_answer_and_what_made_it_are_kept(server, tmp_path):
    with engine(tmp_path, server) as made:
        (found,) = made.submit([asked(1, server)]).answers
    ((raw, usage, request_id, cost),) = rows_of(
        tmp_path / "judge.db", "SELECT raw, usage, request_id, cost_usd FROM attempt WHERE status = 'answered'"
    )
    assert json.loads(raw)["choices"][0]["message"]["content"] == found.text
    assert json.loads(usage)["tokens_out"] == found.tokens_out
    assert request_id == found.request_id
    assert cost == pytest.approx(found.tokens_out * 100 / 1e6)
    ((kept,),) = rows_of(tmp_path / "judge.db", "SELECT request FROM call")
    assert "sk-test" not in raw + usage + kept
