"""Limits hold: a provider's rate without refused calls, and the owner's money whatever goes wrong."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from judge import Study
from judge.calls import Engine, Request, Settings, prices, provider_for
from judge.clock import utc_now
from judge.domain import Message
from judge.errors import Parked
from judge.store.opening import open_database
from judge.workflow.compare import compare
from tests.calls_study import KEY, Model, reasons, said, write_study
from tests.provider_server import ProviderServer
from tests.studies import Cli, rows_of

# --- The rate ---------------------------------------------------------------------------------------------------------

CALLS = 600
A_MINUTE = 6000.0
BURST_S = 2.0


def answer_all(folder, route, calls, base_url, **more):
    """Ask so many different questions; give the answers and the seconds that it took."""
    database = open_database(folder / "judge.db")
    made = Engine(database, {"live": route}, utc_now, settings=Settings(most_open=128, seed=1))
    requests = (
        Request(messages=(Message(role="user", content=f"Question {n}?"),), tag=str(n), route="live", base_url=base_url, **more)
        for n in range(calls)
    )
    begun = time.monotonic()
    try:
        answers = dict(made.stream(requests))
    finally:
        made.close()
        database.close()
    return answers, time.monotonic() - begun


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_128_workers_at_a_real_rate_limit_are_all_answered_and_hardly_ever_refused(tmp_path, monkeypatch, name):
    monkeypatch.setenv(KEY, "sk-imitated")
    with ProviderServer(requests_per_minute=A_MINUTE, burst_s=BURST_S, latency_s=0.2) as server:
        url = server.openai_url if name == "openai" else server.url
        answers, took = answer_all(tmp_path, provider_for(name, url, KEY, 128), CALLS, url, provider=name, model="m")
        kinds = Counter(asked.kind for asked in server.requests)
    ideal = CALLS / (A_MINUTE / 60) - BURST_S + 0.2
    print(f"\n{name}: {CALLS} calls, {kinds['limited']} refused, {took:.1f} s, {took / ideal:.2f} x ideal")
    assert sum(answer is not None and not answer.failed for answer in answers.values()) == CALLS
    assert kinds["ok"] == CALLS
    assert kinds["limited"] <= CALLS / 100


# --- The budget -------------------------------------------------------------------------------------------------------

PRICE = 100.0  # US dollars for a million tokens, in and out: an answer costs cents, its worst case a dollar
WORST = 2.5  # a little more than one call costs at most


@pytest.fixture
def dear(tmp_path, monkeypatch):
    (tmp_path / "prices.yaml").write_text(f"date: 2026-11-01\nmodels:\n  gpt-6-luna: {{in: {PRICE}, out: {PRICE}}}\n")
    monkeypatch.setenv("JUDGE_PRICES", str(tmp_path / "prices.yaml"))
    monkeypatch.setenv(KEY, "sk-imitated")
    prices.cache_clear()
    yield
    prices.cache_clear()


def billed(server):
    return (server.tokens_in + server.tokens_out) * PRICE / 1e6


MIXES = {
    "nothing": {},
    "lost on the way": {"reset_middle": 0.1, "cut_body": 0.1, "html_200": 0.05, "reset_before": 0.05},
    "of no use": {"malformed_text": 0.1, "length": 0.1, "empty_text": 0.1, "refusal": 0.05},
    "busy": {"throttled": 0.1, "error_500": 0.05, "error_529": 0.05},
}


@pytest.mark.parametrize("mix", MIXES)
def test_the_provider_never_books_more_than_the_budget_whatever_goes_wrong(tmp_path, dear, mix):
    cap = 8.0
    with ProviderServer(answer=Model(), latency_s=0.01, faults=MIXES[mix], retry_after_s=0.05, speaks=("chat",)) as server:
        study = Study.open(write_study(tmp_path, server, 90, budget=f"{cap} USD"))
        with study.work() as work, pytest.raises(Parked, match="the budget of 8 USD has no room"):
            compare(work, None, Settings(most_open=64, seed=2))
        assert 0 < billed(server) <= cap
        spent = journal(tmp_path)
        assert billed(server) - 1e-9 <= spent <= cap
        kept = len(rows_of(tmp_path / ".judge/judge.db", "SELECT 1 FROM attempt WHERE status = 'answered'"))
        print(f"\n{mix}: {kept} answers for {billed(server):.2f} USD booked, {spent:.2f} counted, of {cap:g}")
        if mix in ("nothing", "busy"):
            assert spent > cap - WORST, "money was left that would have paid for another call"
        with study.work() as work, pytest.raises(Parked):
            compare(work, None, Settings(seed=2))
        assert billed(server) <= cap, "the same command again spent beyond the budget"


def journal(folder):
    """What the journal counts as spent."""
    ((spent,),) = rows_of(folder / ".judge/judge.db", "SELECT sum(cost_usd) FROM attempt")
    return spent


def test_a_used_budget_parks_with_exit_code_3_and_a_larger_one_goes_on(tmp_path, dear, capsys):
    cli = Cli(capsys)
    with ProviderServer(answer=Model(), speaks=("chat",)) as server:
        study = write_study(tmp_path, server, 30, budget="4 USD")
        parked = cli("compare", study)
        assert parked.code == 3
        (line,) = parked.err.splitlines()
        assert line.startswith("judge: the budget of 4 USD has no room for a call of up to ")
        assert "Write a larger `budget:`" in line
        kept = len(rows_of(tmp_path / ".judge/judge.db", "SELECT 1 FROM attempt WHERE status = 'answered'"))
        assert 0 < kept < 63
        study.write_text(study.read_text().replace("4 USD", "100 USD"))
        done = cli.well("compare", study, "--json").events[-1]
    assert (done["answered"], done["from_journal"], done["unscored"]) == (63, kept, 0)
    assert sum(asked.kind == "ok" for asked in server.requests) == 63
    assert not reasons(said(tmp_path / ".judge/judge.db"))
    assert journal(tmp_path) == pytest.approx(billed(server))


def test_a_budget_that_one_call_may_pass_sends_nothing(tmp_path, dear, capsys):
    with ProviderServer(answer=Model(), speaks=("chat",)) as server:
        parked = Cli(capsys)("compare", write_study(tmp_path, server, 3, budget="0.5 USD"))
    assert parked.code == 3
    assert server.requests == []
