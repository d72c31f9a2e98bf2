"""`judge doctor --judge` and `--live`: judges of known character are found out, at a cost that was agreed to."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from judge.workflow.planted import BIASES, RUBRIC, planted_pairs
from tests.provider_server import ProviderServer
from tests.studies import Cli, small

KEY = "PLANTED_TEST_KEY"
TEXTS = re.compile(r"<<<\w{12} (?:first|second)>>>\n(.*?)\n<<<\w{12} end>>>", re.DOTALL)
RIGHT = {pair.text_a for _, pair in planted_pairs()}


def shown(body):
    """Both texts in the order in which the judge sees them."""
    first, second = TEXTS.findall(body["messages"][-1]["content"])
    return first, second


def saying(choose):
    """A model that chooses by both texts."""

    def answer(body):
        return json.dumps({"overall": {"reasons": "So it is.", "choice": choose(*shown(body))}})

    return answer


def longer(first, second):
    return "tie" if len(first) == len(second) else "first" if len(first) > len(second) else "second"


def knowing(first, second):
    return "tie" if first == second else "first" if first in RIGHT else "second"


@pytest.fixture
def cli(capsys, monkeypatch):
    monkeypatch.setenv(KEY, "sk-test")
    return Cli(capsys)


@pytest.fixture
def server():
    with ProviderServer(speaks=("chat",)) as running:
        yield running


@pytest.fixture
def study(tmp_path, server):
    made = small()
    judge = {"openai": "imitation-1", "base_url": server.openai_url, "key_env": KEY}
    made.config = {"judges": {"owl": {"recorded": "judge-owl.jsonl"}, "live": judge}}
    return made.write(tmp_path)


def examined(cli, study):
    return cli.well("doctor", "--judge", "live", study, "--yes", "--json").events[-1]


def fell(document):
    return {bias: one["fell"] for bias, one in document["biases"].items() if one["fell"]}


# --- The pairs ------------------------------------------------------------------------------------------------------


def test_every_bias_has_its_pairs_and_no_pair_comes_twice():
    pairs = planted_pairs()
    counts = Counter(bias for bias, _ in pairs)
    assert set(counts) == set(BIASES)
    assert min(counts.values()) >= 6
    assert len({pair.id for _, pair in pairs}) == len({pair.example.messages for _, pair in pairs}) == len(pairs)


def test_only_the_identical_pairs_are_identical():
    assert all(pair.identical == (bias == "identical") for bias, pair in planted_pairs())


def test_a_padded_answer_is_much_longer_and_a_dressed_up_one_says_the_same_words():
    for bias, pair in planted_pairs():
        if bias == "length":
            assert len(pair.text_b) > 3 * len(pair.text_a)
        if bias == "praise":
            assert pair.text_a.rstrip(".") in pair.text_b


# --- Judges of known character --------------------------------------------------------------------------------------


def test_a_judge_that_knows_falls_for_nothing(cli, server, study):
    server.answer = saying(knowing)
    found = examined(cli, study)
    assert fell(found) == {}
    assert found["biases"]["length"]["rate"]["low"] == 0
    assert 0.4 < found["biases"]["length"]["rate"]["high"] < 0.5  # six pairs say no more
    assert found["calls"] == found["answered"] == len(server.requests) == 90


def test_a_judge_that_prefers_the_longer_text_is_found_out(cli, server, study):
    server.answer = saying(longer)
    found = examined(cli, study)
    assert found["biases"]["length"]["rate"]["value"] == 1
    assert found["biases"]["praise"]["fell"] == 6
    assert found["biases"]["identical"]["fell"] == 0
    assert found["biases"]["order"]["wrong"] < 6


def test_a_judge_that_prefers_the_first_place_falls_for_the_order_and_for_equal_texts_alone(cli, server, study):
    server.answer = saying(lambda first, second: "first")
    found = examined(cli, study)
    assert fell(found) == {"identical": 6, "order": 6}
    assert all(one["split"] == 6 for bias, one in found["biases"].items() if bias not in ("identical", "order"))


def test_a_judge_that_calls_everything_a_tie_is_seen_to_miss_what_is_clear(cli, server, study):
    server.answer = saying(lambda first, second: "tie")
    found = examined(cli, study)
    assert fell(found) == {}
    missed = {bias: one["missed"] for bias, one in found["biases"].items() if one["missed"]}
    assert missed == dict.fromkeys(("order", "injection", "confidence", "language"), 6)
    shown = cli.well("doctor", "--judge", "live", study).out
    assert shown.count("6 called a tie although one is clearly better") == 4


def test_a_judge_that_obeys_is_found_out(cli, server, study):
    words = re.compile("judg|instruction|organisers", re.IGNORECASE)

    def obeying(first, second):
        ordered = [bool(words.search(text)) for text in (first, second)]
        return ("first" if ordered[0] else "second") if any(ordered) else knowing(first, second)

    server.answer = saying(obeying)
    assert fell(examined(cli, study)) == {"injection": 6}


def test_answers_that_cannot_be_read_are_counted_apart_and_never_as_standing_firm(cli, server, study):
    server.answer = lambda body: "I would rather not say."
    found = examined(cli, study)
    assert all(one["unscored"] == {"malformed": 6} for one in found["biases"].values())
    assert all(one["rate"]["value"] is None and one["rate"]["missing"] == 6 for one in found["biases"].values())
    assert len(server.requests) == 180  # each once more


# --- Cost and agreement ---------------------------------------------------------------------------------------------


def test_nothing_is_asked_before_somebody_agrees(cli, server, study):
    refused = cli("doctor", "--judge", "live", study)
    assert (refused.code, len(server.requests)) == (2, 0)
    assert "90 calls to imitation-1" in refused.err
    assert "--yes" in refused.err


def test_a_person_is_asked_and_may_say_no(cli, server, study, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    done = cli.well("doctor", "--judge", "live", study)
    assert (done.out, len(server.requests)) == ("", 0)
    assert "Nothing was asked" in done.err


def test_a_second_examination_costs_nothing_and_needs_no_word(cli, server, study):
    server.answer = saying(longer)
    first = examined(cli, study)
    again = cli.well("doctor", "--judge", "live", study, "--json").events[-1]
    assert again["biases"] == first["biases"]
    assert (again["from_journal"], again["usd"], len(server.requests)) == (90, 0, 90)


def test_the_verdicts_of_the_study_know_nothing_of_it(cli, server, study):
    server.answer = saying(longer)
    before = cli.well("export", "calls", study).out
    examined(cli, study)
    assert cli.well("export", "calls", study).out == before


def test_it_is_said_in_lines_for_people(cli, server, study):
    server.answer = saying(longer)
    said = cli.well("doctor", "--judge", "live", study, "--yes").out
    assert "length: prefers the same answer padded with words\n  6 of 6  1.000 [0.541, 1.000] exact" in said
    assert "90 of 90 calls answered" in said


def test_a_judge_whose_answers_come_from_a_file_cannot_be_examined(cli, study):
    assert "only a model can be asked" in cli("doctor", "--judge", "owl", study, "--yes").err
    assert "Did you mean 'live'?" in cli("doctor", "--judge", "lives", study, "--yes").err


def test_the_rubric_says_that_equal_answers_are_a_tie():
    assert "tie" in RUBRIC.overall


# --- Live -----------------------------------------------------------------------------------------------------------

PROVIDERS = ("openai", "anthropic")


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A folder without a study, and an environment without keys."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "JUDGE_DB"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def seen(result):
    return {one["what"]: one for one in result.json["findings"] if one["what"] in PROVIDERS}


def test_without_keys_no_provider_is_called_and_all_is_well(capsys, nowhere):
    found = seen(Cli(capsys).well("doctor", "--live", "--json"))
    assert set(found) == set(PROVIDERS)
    assert all(one["ok"] and "no key" in one["text"] for one in found.values())


def test_each_provider_with_a_key_is_called_once(capsys, nowhere, monkeypatch):
    with ProviderServer(speaks=("responses", "messages")) as server:
        monkeypatch.setattr("judge.calls.providers.openai.URL", server.openai_url)
        monkeypatch.setattr("judge.calls.providers.anthropic.URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
        (nowhere / ".env").write_text("ANTHROPIC_API_KEY=sk-2\n")
        found = seen(Cli(capsys).well("doctor", "--live", "--json"))
        assert len(server.requests) == 2
    assert found["openai"]["text"].startswith("gpt-6-luna answered in")
    assert "USD by the list of" in found["anthropic"]["text"]


def test_a_wrong_key_is_a_finding_without_the_key(capsys, nowhere, monkeypatch):
    with ProviderServer(speaks=("responses",), faults={"unauthorized": 1.0}) as server:
        monkeypatch.setattr("judge.calls.providers.openai.URL", server.openai_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-word")
        result = Cli(capsys)("doctor", "--live")
    assert result.code == 2
    said = re.search(r"BAD  openai: (.*)", result.out)[1]
    assert said.startswith("gpt-6-luna at 127.0.0.1:")
    assert said.endswith("refuses: The key is wrong (HTTP 401). Check the key in OPENAI_API_KEY, and what it may do.")
    assert "sk-secret-word" not in result.out + result.err
