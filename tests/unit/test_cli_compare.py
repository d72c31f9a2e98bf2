"""`judge compare` on live calls: how many are open, what is read again, what is asked again, and what progress says."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from judge.workflow.answering import Tally
from tests.provider_server import ProviderServer, judge_answer
from tests.studies import Cli, rows_of, small

KEY = "COMPARE_TEST_KEY"


@pytest.fixture
def cli(capsys, monkeypatch):
    monkeypatch.setenv(KEY, "sk-test")
    return Cli(capsys)


@pytest.fixture
def server():
    with ProviderServer(speaks=("chat",)) as running:
        yield running


def live(folder, server, pairs=6, **config):
    """A study whose one judge is the server's model; one criterion, so that an answer is short."""
    made = small(["tie"] * pairs, judges=(), people=0)
    judge = {"openai": "imitation-1", "base_url": server.openai_url, "key_env": KEY}
    made.config = {"judges": {"live": judge}, **config}
    return made.write(folder)


def broken(times, text="no answer at all"):
    """A model whose first so many answers to each question are broken."""
    asked = Counter()

    def answer(body):
        question = json.dumps(body["messages"])
        asked[question] += 1
        return text if asked[question] <= times else judge_answer(body)

    return answer


def test_no_more_calls_are_open_than_were_allowed(cli, server, tmp_path):
    server.latency_s = 0.02
    study = live(tmp_path, server, pairs=9)
    done = cli.well("compare", study, "-j", "3", "--json").events[-1]
    assert (done["calls"], done["answered"], done["unscored"]) == (18, 18, 0)
    assert server.in_flight_max == 3


def test_a_run_takes_the_same_option(cli, server, tmp_path):
    server.latency_s = 0.02
    cli.well("run", live(tmp_path, server), "--jobs", "2")
    assert server.in_flight_max == 2


def test_what_cannot_be_read_is_asked_for_once_more_and_then_left(cli, server, tmp_path):
    server.answer = broken(2)
    study = live(tmp_path, server)
    assert cli.well("compare", study, "--json").events[-1]["unscored"] == 6
    assert len(server.requests) == 24
    assert cli.well("compare", study, "--json").events[-1]["unscored"] == 6
    assert len(server.requests) == 24


def test_recordings_of_a_model_are_not_there_and_one_line_says_what_is(cli, server, tmp_path):
    study = live(tmp_path, server, pairs=3)
    cli.well("compare", study)
    refused = cli("export", "recordings", study)
    assert (refused.code, refused.out) == (2, "")
    assert "judges: none is recorded, so there are no recordings. What models answered is written by `judge export calls`" in (
        refused.err
    )
    assert len(cli.well("export", "calls", study).out.splitlines()) == 12


def test_retry_asks_once_more_each_time_and_what_came_of_it_stays(cli, server, tmp_path):
    server.answer = broken(3)
    study = live(tmp_path, server)
    cli.well("compare", study)
    assert cli.well("compare", study, "--retry", "unscored", "--json").events[-1]["unscored"] == 6
    assert len(server.requests) == 36
    assert cli.well("compare", study, "--retry", "unscored", "--json").events[-1]["unscored"] == 0
    assert len(server.requests) == 48
    for more in ((), ("--retry", "unscored"), ("--reparse",)):
        assert cli.well("compare", study, *more, "--json").events[-1]["unscored"] == 0
    assert len(server.requests) == 48


def test_a_cut_answer_is_asked_for_again_only_by_retry(cli, server, tmp_path):
    server.faults = {"length": 1.0}
    study = live(tmp_path, server)
    cli.well("compare", study)
    asked = len(server.requests)  # each once more with a larger limit
    assert rows_of(tmp_path / ".judge/judge.db", "SELECT DISTINCT reason FROM reading") == [("cut",)]
    server.faults = {}
    cli.well("compare", study)
    assert len(server.requests) == asked
    assert cli.well("compare", study, "--retry", "unscored", "--json").events[-1]["unscored"] == 0
    assert len(server.requests) == asked + 12
    assert cli.well("compare", study, "--json").events[-1]["unscored"] == 0


def test_a_refusal_is_an_answer_and_is_not_asked_for_again(cli, server, tmp_path):
    server.faults = {"refusal": 1.0}
    study = live(tmp_path, server)
    cli.well("compare", study)
    server.faults = {}
    done = cli.well("compare", study, "--retry", "unscored", "--json").events[-1]
    assert (done["unscored"], done["from_journal"], len(server.requests)) == (6, 12, 12)


def test_reparse_reads_what_is_stored_without_a_key_and_sends_nothing(cli, server, tmp_path, monkeypatch):
    server.answer = broken(1)
    study = live(tmp_path, server)
    first = cli.well("compare", study, "--json").events[-1]
    verdicts = cli.well("export", "verdicts", study).out
    monkeypatch.delenv(KEY)
    asked = len(server.requests)
    done = cli.well("compare", study, "--reparse", "--json").events[-1]
    assert (done["answered"], done["unscored"], done["usd"]) == (12, first["unscored"], 0)
    assert cli.well("export", "verdicts", study).out == verdicts
    assert len(server.requests) == asked


def test_reparse_leaves_out_what_was_never_asked(cli, server, tmp_path):
    study = live(tmp_path, server)
    done = cli.well("compare", study, "--reparse", "--json").events[-1]
    assert (done["answered"], done["unscored"], len(server.requests)) == (0, 6, 0)
    assert rows_of(tmp_path / ".judge/judge.db", "SELECT count(*) FROM reading") == [(0,)]


def test_reparse_and_retry_exclude_each_other(cli, server, tmp_path):
    study = live(tmp_path, server)
    assert cli("compare", study, "--reparse", "--retry", "unscored").code == 2
    refused = cli("compare", study, "--retry", "unscord")
    assert refused.code == 2
    assert "did you mean 'unscored'?" in refused.err.lower()


PRICES = "date: 2026-11-01\nmodels:\n  imitation-1: {in: 1000, out: 1000}\n"  # about a dollar and a half a call


@pytest.fixture
def dear(tmp_path, monkeypatch):
    from judge.calls import prices

    (tmp_path / "prices.yaml").write_text(PRICES)
    monkeypatch.setenv("JUDGE_PRICES", str(tmp_path / "prices.yaml"))
    prices.cache_clear()
    yield
    prices.cache_clear()


def test_progress_says_what_is_done_unscored_and_spent_of_the_budget(cli, server, tmp_path, dear):
    server.answer = broken(9)
    study = live(tmp_path, server, budget="500 USD")
    events = cli.well("compare", study, "--json").events
    told = [event for event in events if event["event"] == "progress"][-1]
    assert (told["done"], told["of"], told["unscored"], told["budget_usd"]) == (24, 24, 12, 500)
    assert told["usd"] == events[-1]["usd"] > 10


def test_the_budget_counts_what_was_asked_anew(cli, server, tmp_path, dear):
    server.answer = broken(9)
    study = live(tmp_path, server, budget="500 USD")
    spent = cli.well("compare", study, "--json").events[-1]["usd"]
    again = cli.well("compare", study, "--json").events
    assert again[-1]["usd"] == 0
    assert [event for event in again if event["event"] == "progress"][-1]["usd"] == pytest.approx(spent)


def test_python_is_told_the_same(server, tmp_path, monkeypatch):
    from judge import Study

    monkeypatch.setenv(KEY, "sk-test")
    told: list[Tally] = []
    Study.open(live(tmp_path, server)).compare(progress=told.append, jobs=4)
    assert (told[-1].done, told[-1].of, told[-1].unscored) == (12, 12, 0)
