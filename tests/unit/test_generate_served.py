"""Outputs from a server: asked once, found again by what makes them, resumed, never twice paid, honest about failures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from judge import Study
from judge.errors import Parked, StateError, StudyError
from judge.workflow.serving import Owner
from tests.provider_server import ProviderServer
from tests.studies import Cli, rows_of, write_rows

KEY = "IMITATED_KEY"


def said(body):
    """What the server's model answers: its name, how many turns it read, and the last of them."""
    return f"{body['model']} read {len(body['messages'])}: {body['messages'][-1]['content']}"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv(KEY, "k")
    with ProviderServer(answer=said, speaks=("chat",)) as running:
        yield running


def write(folder: Path, server, examples=20, **arms):
    """A study of two arms behind one server; the arms are changed by name."""
    write_rows(folder / "test.jsonl", [{"id": f"e{n:02}", "prompt": f"Question {n} about parcels?"} for n in range(examples)])
    (folder / "kind.md").write_text("Be kind.\n")
    write_rows(
        folder / "shots.jsonl", [{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]}]
    )
    way = {"base_url": server.openai_url, "key_env": KEY}
    base = {"baseline": True, "openai": "base-model", **way, **arms.pop("base", {})}
    tuned = {"openai": "tuned-model", **way, **arms.pop("tuned", {})}
    config = {"name": "served", "test": "test.jsonl", "primary": "win_rate", "arms": {"base": base, "tuned": tuned}, **arms}
    (folder / "study.yaml").write_text(json.dumps(config))
    return Study.open(folder / "study.yaml")


def counts(generated):
    return {made.arm: (made.planned, made.there, made.made) for made in generated.arms}


def outputs(study):
    with study.work() as work:
        return {name: {(o.example, o.sample): o for o in given} for name, given in work.sources.outputs.items()}


def test_every_example_is_answered_by_each_arm_in_its_own_words(server, tmp_path):
    study = write(tmp_path, server, tuned={"system": "kind.md", "few_shot": "shots.jsonl"})
    assert counts(study.generate()) == {"base": (20, 0, 20), "tuned": (20, 0, 20)}
    texts = {name: given["e07", 0].text for name, given in outputs(study).items()}
    assert texts == {
        "base": "base-model read 1: Question 7 about parcels?",
        "tuned": "tuned-model read 4: Question 7 about parcels?",
    }
    assert study.check().to_json()["pairs"] == 20


def test_what_is_there_is_not_asked_again_and_what_changed_is(server, tmp_path):
    study = write(tmp_path, server, system="kind.md")
    study.generate()
    asked = len(server.requests)
    assert counts(study.generate()) == {"base": (20, 20, 0), "tuned": (20, 20, 0)}
    assert len(server.requests) == asked
    (tmp_path / "kind.md").write_text("Be brief.\n")
    assert counts(study.generate(arms=["base"])) == {"base": (20, 0, 20)}
    (tmp_path / "kind.md").write_text("Be kind.\n")
    assert counts(study.generate()) == {"base": (20, 20, 0), "tuned": (20, 20, 0)}


def test_a_renamed_arm_finds_its_outputs(server, tmp_path):
    study = write(tmp_path, server)
    study.generate()
    path = tmp_path / "study.yaml"
    path.write_text(path.read_text().replace('"tuned"', '"better"'))
    assert counts(study.generate())["better"] == (20, 20, 0)
    assert {output.arm for output in outputs(study)["better"].values()} == {"better"}


def test_a_trial_makes_a_part_and_the_whole_goes_on_from_it(server, tmp_path):
    study = write(tmp_path, server)
    assert counts(study.generate(limit=5)) == {"base": (5, 0, 5), "tuned": (5, 0, 5)}
    assert counts(study.generate()) == {"base": (20, 5, 15), "tuned": (20, 5, 15)}


def test_samples_are_calls_of_their_own_and_only_the_first_is_paired(server, tmp_path):
    study = write(tmp_path, server, tuned={"decoding": {"n": 3, "temperature": 0.8, "seed": 1}})
    study.generate()
    assert len(outputs(study)["tuned"]) == 60
    assert study.check().to_json()["pairs"] == 20


def test_a_call_that_failed_is_no_output_and_the_same_command_asks_it_again(monkeypatch, tmp_path):
    monkeypatch.setenv(KEY, "k")
    with ProviderServer(answer=said, speaks=("chat",), faults={"bad_request": 0.3}) as server:
        study = write(tmp_path, server)
        first = study.generate()
        there = {made.arm: made.made for made in first.arms}
        assert 0 < there["base"] < 20
        for _ in range(30):
            if all(made.there + made.made == 20 for made in study.generate().arms):
                break
    made = outputs(study)
    assert [len(made[arm]) for arm in ("base", "tuned")] == [20, 20]
    assert all(output.text for given in made.values() for output in given.values())


def test_calls_that_fail_every_time_are_counted_and_the_same_command_works_again(server, tmp_path, capsys):
    server.faulty = lambda body: "too_large" if body["messages"][-1]["content"].startswith("Question 1") else None
    study = write(tmp_path, server)
    made = study.generate().arms[0]
    assert (made.made, made.failed) == (9, 11)
    assert "bad_request: The request is too large (HTTP 413)" in made.why
    said = Cli(capsys)("generate", tmp_path / "study.yaml")
    assert (said.code, "11 calls failed (e" in said.out) == (0, True)


def test_what_a_model_thought_aloud_is_no_part_of_its_answer(server, tmp_path):
    server.answer = lambda body: f"<think>hm</think>\n\n{said(body)}"
    study = write(tmp_path, server, examples=3)
    study.generate()
    made = outputs(study)["base"]["e00", 0]
    assert (made.text, made.reasoning) == ("base-model read 1: Question 0 about parcels?", "hm")


def test_an_answer_that_is_cut_is_kept_as_cut_and_not_asked_for_again(monkeypatch, tmp_path):
    monkeypatch.setenv(KEY, "k")
    with ProviderServer(answer=said, speaks=("chat",), faults={"length": 1.0}) as server:
        study = write(tmp_path, server, decoding={"max_tokens": 4})
        made = study.generate()
        asked = len(server.requests)
    assert [arm.truncated for arm in made.arms] == [20, 20]
    assert asked == 2 * (20 + 8)  # each once, and eight of each arm again to see whether they stay the same
    assert any("cut at the limit" in notice.text for notice in study.check().warnings)


def test_a_refusal_is_an_output_without_text(monkeypatch, tmp_path):
    monkeypatch.setenv(KEY, "k")
    with ProviderServer(answer=said, speaks=("chat",), faults={"refusal": 1.0}) as server:
        study = write(tmp_path, server, 3)
        assert [arm.errors for arm in study.generate().arms] == [3, 3]
    assert study.check().to_json()["pairs"] == 0


def test_a_stop_keeps_what_came_and_the_same_command_goes_on(monkeypatch, tmp_path):
    monkeypatch.setenv(KEY, "k")
    with ProviderServer(answer=said, speaks=("chat",), faults={"quota": 0.2}) as server:
        study = write(tmp_path, server)
        with pytest.raises(Parked):
            study.generate()
        kept = len(rows_of(tmp_path / ".judge/judge.db", "SELECT example FROM output"))
        server.faults.clear()
        made = study.generate()
    assert sum(arm.there for arm in made.arms) == kept
    assert [arm.there + arm.made for arm in made.arms] == [20, 20]


def test_answers_that_change_when_asked_again_are_said_to_be_chance(monkeypatch, tmp_path):
    monkeypatch.setenv(KEY, "k")
    asked = []

    def moody(body):
        asked.append(body)
        return f"answer {len(asked)}"

    with ProviderServer(answer=moody, speaks=("chat",)) as server:
        made = write(tmp_path, server).generate()
    assert [arm.repeated for arm in made.arms] == [(0, 8), (0, 8)]
    assert {notice.code for notice in made.notices} == {"generation_noise"}


def test_a_run_generates_before_it_reports_and_each_arm_opens_the_test_set_once(server, tmp_path):
    study = write(tmp_path, server)
    report = study.run().reports[0]
    assert [opening.arm for opening in report.openings] == ["base", "tuned"]
    assert [arm.outputs for arm in report.arms.values()] == [20, 20]
    assert "8 of 8 prompts gave the same text" in report.arms["base"].made
    assert len(study.run().reports[0].openings) == 2


def test_the_owners_page_sees_the_pairs_that_were_generated_and_takes_none_away(server, tmp_path):
    study = write(tmp_path, server)
    study.generate()
    pairs = "SELECT count(*) FROM study_pair"
    assert study.check().to_json()["pairs"] == 20
    with study.database() as database:
        owner = Owner(study.path, database, study.clock, lambda: "http://127.0.0.1:8000")
        owner.invite("served", uses=1, days=1, role="annotator")
        owner.report_html("served", "somebody")
    assert rows_of(tmp_path / ".judge/judge.db", pairs) == [(20,)]


def test_comparing_before_generating_says_what_to_do(server, tmp_path):
    with pytest.raises(StateError, match=r"arms.base has no outputs yet. Run `judge generate` first"):
        write(tmp_path, server).compare()


def test_an_unknown_arm_and_one_of_a_file_are_refused(server, tmp_path):
    write_rows(tmp_path / "theirs.jsonl", [{"example": "e00", "text": "Hello"}])
    study = write(tmp_path, server)
    path = tmp_path / "study.yaml"
    config = json.loads(path.read_text())
    config["arms"]["theirs"] = {"outputs": "theirs.jsonl"}
    path.write_text(json.dumps(config))
    with pytest.raises(StudyError, match=r"no arm 'tunde'. Did you mean 'tuned'"):
        study.generate(arms=["tunde"])
    with pytest.raises(StudyError, match="the outputs of arm 'theirs' come from a file"):
        study.generate(arms=["theirs"])


def test_a_model_without_a_price_is_refused_before_anything_is_sent(monkeypatch, tmp_path):
    monkeypatch.setenv(KEY, "k")
    study = write(tmp_path, type("Elsewhere", (), {"openai_url": "https://models.example/v1"}))
    with pytest.raises(StudyError, match="no price is known for base-model"):
        study.generate()
