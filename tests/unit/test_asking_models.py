"""Asking models about a study: equal questions are one, repeats are not, missing stays missing, a run that stopped goes on."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime

import pytest

from judge import Study
from judge.calls import Settings
from judge.decision.report import to_html, to_json
from judge.domain import Reading
from judge.errors import Parked, StateError, StudyError
from judge.judging import verdicts
from judge.workflow.alone import alone, at_work_since
from judge.workflow.compare import compare
from judge.workflow.resolving import judged
from judge.workflow.showing import prompts, raw_answers, show
from tests.calls_study import KEY, Model, expected, met, reasons, said, truth, write_study
from tests.provider_server import ProviderServer
from tests.studies import Cli, rows_of, write_rows


@pytest.fixture
def model(monkeypatch):
    monkeypatch.setenv(KEY, "sk-imitated")
    return Model()


@pytest.fixture
def server(model):
    with ProviderServer(answer=model, latency_s=0.005) as running:
        yield running


class Undecided:
    """A model that prefers the baseline when a question comes for the first time, and the candidate ever after."""

    def __init__(self):
        self.times: Counter[str] = Counter()

    def __call__(self, body):
        words = json.dumps(body["messages"])
        self.times[words] += 1
        base_first = words.index("The base answer") < words.index("The tuned answer")
        said = {"reasons": "", "choice": "first" if base_first == (self.times[words] == 1) else "second"}
        return json.dumps({"criteria": {"right": said}, "overall": said})


def asked(study):
    return Study.open(study).compare()


def verdicts_of(study):
    return study.agree().to_json()["judges"]["live"]["verdicts"]


# --- What is asked ----------------------------------------------------------------------------------------------------


def test_one_judge_under_two_names_is_refused_whatever_its_repeats(server, tmp_path):
    study = write_study(tmp_path, server, 6)
    judge = json.dumps({"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY})
    lines = [line for line in study.read_text().splitlines() if not line.startswith("judges:")]
    again = json.dumps({**json.loads(judge), "repeats": 3})
    study.write_text("\n".join([*lines, f"judges: {{owl: {judge}, larch: {again}}}", ""]))
    with pytest.raises(StudyError, match="the judge 'larch' is 'owl' by another name: it would vote twice"):
        asked(study)
    study.write_text("\n".join([*lines, f'judges: {{owl: {judge}, larch: {again[:-1]}, "effort": "high"}}}}', ""]))
    assert asked(study).unscored == 0


def test_with_one_criterion_a_call_for_each_is_no_other_judge(server, tmp_path):
    """Its calls would be the very same, and count twice."""
    study = write_study(tmp_path, server, 3)
    (tmp_path / "rubric.yaml").write_text("rubric: r\ntask: A question was asked.\noverall: Which answer is better?\n")
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY}
    lines = [line for line in study.read_text().splitlines() if not line.startswith("judges:")]
    study.write_text("\n".join([*lines, f"judges: {json.dumps({'owl': judge, 'larch': {**judge, 'per_call': 'one'}})}", ""]))
    with pytest.raises(StudyError, match="the judge 'larch' is 'owl' by another name"):
        asked(study)


def test_two_examples_with_the_same_words_and_answers_are_asked_once_and_both_have_verdicts(server, tmp_path):
    study = write_study(tmp_path, server, 4)
    for name in ("test", "base", "tuned"):
        path = tmp_path / f"{name}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        twin = {**rows[0], ("id" if name == "test" else "example"): "twin"}
        write_rows(path, [*rows, twin])
    done = asked(study)
    assert (done.calls, done.answered, done.unscored, len(server.requests)) == (8, 8, 0, 8)
    assert Study.open(study).check().calls == 8
    assert Study.open(study, db=tmp_path / "empty.db").compare(reparse=True).calls == 8
    again = asked(study)
    assert (again.calls, again.from_journal, again.saved_usd) == (8, 8, pytest.approx(done.usd))


def test_a_repeat_asks_the_same_words_again(server, tmp_path):
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY, "repeats": 3}
    done = asked(write_study(tmp_path, server, 4, judges={"live": judge}))
    assert (done.calls, len(server.requests)) == (24, 24)
    assert {len(kinds) for kinds in met(server, server.answer).values()} == {3}


def test_the_report_says_what_the_repeats_cost(server, tmp_path):
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY, "repeats": 3}
    study = Study.open(write_study(tmp_path, server, 2, judges={"live": judge}))
    spent = study.compare().usd
    cost = study.report().cost
    assert cost.usd == pytest.approx(spent)
    assert cost.repeats["live"] == pytest.approx(spent * 2 / 3, rel=0.05)


def test_two_models_behind_one_key_have_as_many_calls_open_each_as_were_asked_for(server, tmp_path):
    server.latency_s = 0.2
    model = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY}
    judges = {"luna": model, "sol": {**model, "openai": "gpt-6-sol"}}
    Study.open(write_study(tmp_path, server, 12, judges=judges)).compare(jobs=8)
    assert server.in_flight_max > 8


def test_a_run_that_stops_leaves_what_an_earlier_second_answer_settled(server, model, tmp_path):
    live = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY}
    turns: Counter[str] = Counter()

    def meets(body):
        turns[str(body)] += 1
        if body["model"] == "gpt-6-sol":
            return "payment"
        return "malformed_text" if turns[str(body)] == 1 and "Question q1?" in str(body) else None

    server.faulty = meets
    study = Study.open(write_study(tmp_path, server, 6, judges={"live": live}))
    assert study.compare().unscored == 0
    study = Study.open(write_study(tmp_path, server, 6, judges={"live": live, "sol": {**live, "openai": "gpt-6-sol"}}))
    with pytest.raises(Parked):
        study.compare()
    assert reasons(said(tmp_path / ".judge/judge.db")) == {}


def test_what_is_unreadable_when_a_run_stops_is_kept_with_its_reason(server, tmp_path):
    server.faulty = lambda body: (
        "malformed_text" if "Question q1?" in str(body) else "payment" if len(server.requests) > 9 else None
    )
    study = Study.open(write_study(tmp_path, server, 12))
    with pytest.raises(Parked):
        study.compare(jobs=4)
    assert set(reasons(said(tmp_path / ".judge/judge.db"))) == {"malformed"}


def test_half_a_character_in_a_judges_reasons_breaks_no_report(server, model, tmp_path, capsys):
    server.answer = lambda body: model(body).replace("The ranks say so.", "\\ud83d so.")
    study, cli = write_study(tmp_path, server, 3), Cli(capsys)
    cli.well("compare", study)
    cli.well("report", study, "-o", tmp_path / "report.md")
    assert "\ufffd so." in cli.well("show", "q0/tuned", study).out


def test_a_tenth_of_the_pairs_is_asked_about_once_more_in_one_order(server, tmp_path):
    done = asked(write_study(tmp_path, server, 20))
    assert (done.calls, len(server.requests)) == (42, 42)
    again = {example for example, _, repeat in said(tmp_path / ".judge/judge.db") if repeat == 2}
    assert len(again) == 2


def test_trials_never_turn_a_repeat_into_an_answer_that_counts(server, tmp_path):
    """Another tenth of other pairs is asked about once more, but each pair always in the same order."""
    model = server.answer = Undecided()
    study = Study.open(write_study(tmp_path, server, 60))
    for limit in (20, 30, 40, None):
        study.compare(limit=limit)
    assert max(model.times.values()) == 2
    assert study.agree().to_json()["judges"]["live"]["calls"]["planned"] == 126  # those of other tenths are left aside
    assert (verdicts_of(study)["a"], verdicts_of(study)["basis"]["agreed"]) == (60, 60)


def test_another_study_with_more_repeats_changes_no_verdict_of_this_one(server, tmp_path, monkeypatch):
    monkeypatch.setenv("JUDGE_DB", str(tmp_path / "both.db"))
    server.answer = Undecided()
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY}
    study = Study.open(write_study(tmp_path / "one", server, 12))
    study.compare()
    said_first = study.agree().to_json()
    more = {"judges": {"live": {**judge, "repeats": 3}}, "name": "other"}
    other = Study.open(write_study(tmp_path / "two", server, 12, **more))
    other.compare()
    assert study.agree().to_json() == said_first
    assert (verdicts_of(study)["a"], verdicts_of(other)["a"]) == (12, 0)


def test_what_is_repeated_of_short_answers_is_asked_in_both_orders():
    """Many questions have the same two answers; what the order of showing does is seen in both."""
    from judge.domain import Example, Message, Pair
    from judge.judging import order_again

    examples = [Example(id=f"q{n}", messages=(Message(role="user", content=f"Question {n}?"),)) for n in range(40)]
    pairs = [Pair(id=one.id, example=one, text_a="No.", text_b="Yes.") for one in examples]
    assert 10 < sum(order_again(pair) == "ab" for pair in pairs) < 30


def test_repeats_that_are_no_longer_asked_for_count_no_longer(server, tmp_path):
    server.answer = Undecided()
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY}
    found = []
    for repeats in (1, 3, 1):
        study = Study.open(write_study(tmp_path, server, 10, judges={"live": {**judge, "repeats": repeats}}))
        study.compare()
        found.append(study.agree().to_json()["judges"]["live"])
    assert len(server.requests) == 60
    assert [judge["verdicts"]["a"] for judge in found] == [10, 0, 10]
    assert found[0] == found[2]


def test_a_judge_may_be_asked_about_one_criterion_in_a_call(server, model, tmp_path):
    """Each call asks for one criterion alone, and the verdicts are those of asking for all at once."""
    kinds: list[tuple[str, ...]] = []

    def answer(body):
        form = body["response_format"]["json_schema"]["schema"]["properties"]
        kinds.append((*form.get("criteria", {}).get("properties", {}), *({"overall"} & set(form))))
        whole = json.loads(model(body))
        return json.dumps({"overall": whole["overall"]} if "overall" in form else {"criteria": whole["criteria"]})

    server.answer = answer
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY}
    done = asked(write_study(tmp_path / "one", server, 6, judges={"live": {**judge, "per_call": "one"}}))
    assert (done.calls, done.answered, done.unscored) == (24, 24, 0)
    assert sorted(kinds) == [("overall",)] * 12 + [("right",)] * 12
    server.answer = model
    asked(write_study(tmp_path / "all", server, 6))
    query = "SELECT pair, criterion, value, score, basis FROM verdict ORDER BY pair, criterion"
    one, together = (rows_of(tmp_path / name / ".judge/judge.db", query) for name in ("one", "all"))
    assert len(one) == 12
    assert one == together


def test_a_failed_call_about_one_criterion_leaves_the_others_standing(server, model, tmp_path):
    server.answer = lambda body: model(body) if "overall (first" in json.dumps(body) else "no answer at all"
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY, "per_call": "one"}
    asked(write_study(tmp_path, server, 5, judges={"live": judge}))
    found = dict(rows_of(tmp_path / ".judge/judge.db", "SELECT criterion, count(value) FROM verdict GROUP BY criterion"))
    assert found == {"overall": 5, "right": 0}


def test_equal_texts_are_never_asked_about(server, tmp_path):
    study = write_study(tmp_path, server, 5)
    for arm in ("base", "tuned"):
        path = tmp_path / f"{arm}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        write_rows(path, [{**rows[0], "text": "The same."}, *rows[1:]])
    assert (asked(study).calls, len(server.requests)) == (8, 8)


def test_a_trial_asks_only_about_its_examples_and_the_whole_study_asks_for_the_rest(server, tmp_path):
    study = Study.open(write_study(tmp_path, server, 9))
    assert study.compare(limit=3).calls == 6
    assert len(server.requests) == 6
    done = study.compare()
    assert (done.calls, done.from_journal, len(server.requests)) == (18, 6, 18)


def test_another_name_for_the_judge_or_the_study_asks_nothing_again(server, tmp_path):
    study = write_study(tmp_path, server, 5)
    first = asked(study)
    study.write_text(study.read_text().replace('"live"', '"another"').replace('"small"', '"renamed"'))
    done = asked(study)
    assert (done.from_journal, done.usd, len(server.requests)) == (10, 0, 10)
    assert done.saved_usd == pytest.approx(first.usd) and first.saved_usd == 0


def test_an_edited_rubric_never_meets_old_answers_and_the_old_one_finds_its_own_again(server, tmp_path):
    study = write_study(tmp_path, server, 5)
    asked(study)
    rubric = tmp_path / "rubric.yaml"
    words = rubric.read_text()
    rubric.write_text(words.replace("a careful reader", "a hasty reader"))
    done = asked(study)
    assert (done.from_journal, done.answered, len(server.requests)) == (0, 10, 20)
    rubric.write_text(words)
    assert (asked(study).from_journal, len(server.requests)) == (10, 20)


@pytest.mark.parametrize("change", [("gpt-6-luna", "gpt-6-sol"), ('"live": {', '"live": {"effort": "low", ')])
def test_another_model_or_effort_under_the_same_name_is_asked_anew(server, tmp_path, change):
    study = write_study(tmp_path, server, 5)
    asked(study)
    study.write_text(study.read_text().replace(*change))
    assert (asked(study).from_journal, len(server.requests)) == (0, 20)


# --- What comes of it -------------------------------------------------------------------------------------------------


def test_what_the_model_thinks_becomes_the_verdict_in_both_orders(server, tmp_path):
    study = Study.open(write_study(tmp_path, server, 9))
    study.compare()
    with study.work() as work:
        found = {verdict.pair: (verdict.value, verdict.basis) for verdict in judged(work)[1] if verdict.criterion == "overall"}
    assert found == {f"q{n}/tuned": (truth(n), "agreed") for n in range(9)}


@pytest.mark.parametrize(("fault", "reason"), [("malformed_text", "malformed"), ("wrong_enum", "unknown_name")])
def test_what_cannot_be_read_twice_is_unscored_and_never_asked_a_third_time(server, model, tmp_path, fault, reason):
    server.faults = {fault: 1.0}
    study = Study.open(write_study(tmp_path, server, 4))
    done = study.compare()
    assert (done.answered, done.unscored, len(server.requests)) == (8, 4, 16)
    assert set(said(tmp_path / ".judge/judge.db").values()) == {(None, reason)}
    study.compare()
    assert len(server.requests) == 16
    assert all(expected(kinds, "a").used == 2 for kinds in met(server, model).values())


def test_the_unscored_are_counted_in_the_report_and_are_no_tie(server, tmp_path):
    server.faults = {"refusal": 1.0}
    study = Study.open(write_study(tmp_path, server, 4))
    assert study.compare().unscored == 4
    with study.work() as work:
        assert {(verdict.value, verdict.reason) for verdict in judged(work)[1]} == {(None, "refused")}
    calls = study.agree().to_json()["judges"]["live"]["calls"]
    assert (calls["usable"], calls["reasons"]) == (0, {"refused": 8})


def test_a_call_that_failed_for_good_is_no_answer_and_the_same_command_asks_it_again(server, tmp_path):
    server.faults = {"too_large": 0.3}
    study = Study.open(write_study(tmp_path, server, 8))
    first = study.compare()
    assert 0 < first.answered < first.calls == 16
    assert {reason for _, reason in said(tmp_path / ".judge/judge.db").values()} == {None, "error"}
    server.faults = {}
    sent = len(server.requests)
    again = study.compare()
    assert (again.answered, again.unscored, again.from_journal) == (16, 0, first.answered)
    assert len(server.requests) - sent == 16 - first.answered


def test_refusals_that_come_faster_than_the_first_answer_stop_nothing(server, tmp_path):
    """A text too long for the model is refused at once, while answers take their time."""
    server.faults, server.latency_s = {"too_large": 0.7}, 0.3
    done = Study.open(write_study(tmp_path, server, 20)).compare()
    assert 0 < done.answered < done.calls / 2


def test_the_counts_add_up(server, tmp_path):
    server.faults = {"refusal": 0.2, "too_large": 0.1, "error_500": 0.1}
    study = Study.open(write_study(tmp_path, server, 12))
    with study.work() as work:
        done = compare(work, None, Settings(seed=1))
    answered = "SELECT count(DISTINCT call) FROM attempt WHERE status = 'answered'"
    assert rows_of(tmp_path / ".judge/judge.db", f"SELECT count(*), ({answered}) FROM call") == [(26, done.answered)]
    assert done.calls == 26
    ((attempts, sent),) = rows_of(tmp_path / ".judge/judge.db", "SELECT count(*), sum(status = 'sent') FROM attempt")
    assert (attempts, sent) == (len(server.requests), 0)
    ((spent,),) = rows_of(tmp_path / ".judge/judge.db", "SELECT sum(cost_usd) FROM attempt")
    assert done.usd == pytest.approx(spent)
    assert spent == pytest.approx((server.tokens_in * 0.1 + server.tokens_out * 0.5) / 1e6)


def test_an_answer_that_is_read_leniently_replaces_the_reading_before_it(server, model, tmp_path):
    """Asked anew, the model wraps its answer in words: one cell has one reading."""
    turns = iter(["no answer at all"] * 8)

    def answer(body):
        return next(turns, None) or f"I think:\n{model(body)}\nThat is all."

    server.answer = answer
    asked(write_study(tmp_path, server, 4))
    counts = rows_of(tmp_path / ".judge/judge.db", "SELECT count(*), count(DISTINCT ask) FROM reading")
    assert counts == [(16, 16)]


def test_answers_with_words_around_them_are_counted_by_judge_for_the_pairs_at_hand(server, model, tmp_path):
    server.answer = lambda body: f"I think:\n{model(body)}"
    study = Study.open(write_study(tmp_path, server, 6))
    said = "{} answers of judge live had words around them and were read all the same."
    assert {"code": "repaired", "text": said.format(12)} in study.compare().to_json()["warnings"]
    assert {"code": "repaired", "text": said.format(12)} in to_json(study.report())["warnings"]
    assert [notice.text for notice in study.compare(limit=1).notices if notice.code == "repaired"] == [said.format(2)]


def test_a_run_that_stopped_between_repeats_has_verdicts_for_what_is_there():
    """One order was answered for the first time only, the other for the second: nothing to compare, and no bug of ours."""
    from judge.domain import Example, Message, Pair

    example = Example(id="q", messages=(Message(role="user", content="q"),))
    pair = Pair(id="q/tuned", example=example, text_a="a", text_b="b")
    there = [
        Reading(pair=pair.id, judge="live", order="ab", value="a", repeat=1),
        Reading(pair=pair.id, judge="live", order="ba", value="a", repeat=2),
    ]
    (verdict,) = verdicts(there, [pair])
    assert verdict.value is None
    assert (verdict.basis, verdict.reason) == ("unscored", "absent")


# --- What goes wrong every time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["too_large", "error_500"])
def test_calls_that_fail_every_time_leave_the_rest_and_the_same_command_works_again(server, tmp_path, monkeypatch, fault):
    monkeypatch.setattr("judge.calls.lane.ATTEMPTS", 2)
    server.faulty = lambda body: fault if any(f"Question q{n}?" in json.dumps(body) for n in "012") else None
    study = Study.open(write_study(tmp_path, server, 8))
    first = study.compare()
    before = len(server.requests)
    again = study.compare()
    assert (first.answered, again.answered, again.from_journal) == (first.answered,) * 3
    assert first.unscored == again.unscored == 3
    assert len(server.requests) > before  # they were tried again
    assert study.report().missing


def test_another_answer_fills_what_the_first_one_lacked_and_takes_nothing_away(server, model, tmp_path):
    """The first answer lacks the overall choice; the second has it, or is refused, or lacks another part."""
    seen: dict[str, int] = {}

    def answer(body):
        key = json.dumps(body["messages"])
        seen[key] = seen.get(key, 0) + 1
        whole = json.loads(model(body))
        return json.dumps({"criteria": whole["criteria"]} if seen[key] == 1 else {"overall": whole["overall"]})

    server.answer = answer
    done = asked(write_study(tmp_path, server, 5))
    found = dict(rows_of(tmp_path / ".judge/judge.db", "SELECT criterion, count(value) FROM verdict GROUP BY criterion"))
    assert found == {"overall": 5, "right": 5}
    assert (done.unscored, done.from_journal) == (0, 0)
    assert asked(tmp_path / "study.yaml").from_journal == done.calls


@pytest.mark.parametrize("fault", ["too_large", "refusal"])
def test_another_answer_that_fails_leaves_the_first_as_it_was(server, model, tmp_path, fault):
    turns: dict[str, int] = {}

    def faulty(body):
        key = json.dumps(body["messages"])
        turns[key] = turns.get(key, 0) + 1
        return fault if turns[key] > 1 else "missing_key"

    server.faulty = faulty
    asked(write_study(tmp_path, server, 5))
    found = rows_of(tmp_path / ".judge/judge.db", "SELECT value, reason FROM reading")
    assert sum(value is not None for value, _ in found) == len(found) / 2
    assert {reason for value, reason in found if value is None} == {"refused" if fault == "refusal" else "absent"}


@pytest.mark.parametrize("fault", ["malformed_text", "length", "reset_middle"])
def test_the_report_counts_what_every_try_cost(server, tmp_path, fault):
    server.faults = {fault: 0.4}
    study = Study.open(write_study(tmp_path, server, 10))
    done = study.compare()
    cost = study.report().cost
    assert cost.usd == pytest.approx(done.usd)
    assert cost.possibly_paid == done.possibly_paid
    assert (done.possibly_paid > 0) == (fault == "reset_middle")


def test_what_a_running_command_waits_for_is_not_called_lost(server, tmp_path):
    """One try of a run that was killed years ago, two of a run that began since then."""
    study = Study.open(write_study(tmp_path, server, 4))
    study.compare()
    with closing(sqlite3.connect(tmp_path / ".judge/judge.db")) as tx:
        calls = [call for (call,) in tx.execute("SELECT call FROM attempt LIMIT 3")]
        for call in calls:
            tx.execute("UPDATE attempt SET status = 'sent', raw = NULL, cost_usd = 1 WHERE call = ?", [call])
        tx.execute("UPDATE attempt SET at = '2001-01-01 00:00:00.000000' WHERE call = ?", calls[:1])
        tx.commit()
    with alone(tmp_path, "asks", lambda: datetime(2020, 1, 1, tzinfo=UTC)):
        report = study.report()
        assert (report.cost.possibly_paid, report.cost.on_the_wire, int(report.cost.usd)) == (1, 2, 1)
        assert "2 calls were on the wire when this was written" in to_html(report)
    report = study.report()
    assert (report.cost.possibly_paid, report.cost.on_the_wire, int(report.cost.usd)) == (3, 0, 3)
    assert "3 tries ended without an answer and may have been paid for" in to_html(report)


def test_a_judge_that_refuses_everything_is_compared_all_the_same(server, tmp_path, capsys):
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY}
    study = write_study(tmp_path, server, 4, judges={"one": judge, "shy": {**judge, "effort": "high"}})
    cli = Cli(capsys)
    unasked = cli("bridge", "one", "shy", study)
    assert (unasked.code, "the judge 'one' has no verdict yet" in unasked.err) == (2, True)
    server.faulty = lambda body: "refusal" if "reasoning_effort" in body else None
    cli.well("compare", study)
    bridge = cli.well("bridge", "one", "shy", study, "--json").json
    overall = bridge["criteria"]["overall"]
    assert (overall["pairs"], overall["both"], overall["only_old"], overall["neither"]) == (4, 0, 4, 0)
    assert "both judged 0 of 4 pairs" in cli.well("bridge", "shy", "one", study).out
    assert cli.well("bridge", "shy", "jury", study, "--json").json["criteria"]["overall"]["neither"] == 4


def test_a_judge_that_never_gives_its_choice_is_compared_all_the_same(server, tmp_path, capsys):
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY}
    study = write_study(tmp_path, server, 4, judges={"one": judge, "mute": {**judge, "effort": "high"}})
    server.answer = lambda body, model=server.answer: "{}" if "reasoning_effort" in body else model(body)
    cli = Cli(capsys)
    cli.well("compare", study)
    overall = cli.well("bridge", "one", "mute", study, "--json").json["criteria"]["overall"]
    assert (overall["only_old"], overall["neither"]) == (4, 0)
    server.answer = lambda body: "{}"
    study = write_study(tmp_path / "other", server, 4, judges={"mute": judge, "still": {**judge, "effort": "high"}})
    cli.well("compare", study)
    for old, new in (("mute", "still"), ("still", "jury")):
        assert cli.well("bridge", old, new, study, "--json").json["criteria"]["overall"]["neither"] == 4


def test_a_command_is_alone_also_with_its_database_elsewhere(tmp_path):
    with alone(tmp_path, "asks"), pytest.raises(StateError), alone(tmp_path, "asks"):
        pass


def test_whoever_looks_keeps_nobody_from_beginning(tmp_path):
    (tmp_path / ".judge").mkdir()
    with alone(tmp_path, "asks"):
        pass
    stop = threading.Event()

    def look():
        while not stop.is_set():
            at_work_since(tmp_path, "asks")

    looking = [threading.Thread(target=look) for _ in range(2)]
    for thread in looking:
        thread.start()
    try:
        for _ in range(200):
            with alone(tmp_path, "asks"):
                pass
    finally:
        stop.set()
        for thread in looking:
            thread.join()
    assert at_work_since(tmp_path, "asks") is None


def test_what_each_judge_has_cost_is_said_at_every_run(server, tmp_path):
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY, "repeats": 2}
    study = Study.open(write_study(tmp_path, server, 4, judges={"live": judge}))
    first, again = study.compare(), study.compare()
    assert first.by_judge["live"] == pytest.approx(first.usd)
    assert first.repeats["live"] == pytest.approx(first.usd / 2, rel=0.05)
    assert (again.usd, again.by_judge, again.repeats) == (0, first.by_judge, first.repeats)


def test_tries_that_were_lost_stay_in_the_budget_of_the_next_start(server, tmp_path):
    """Nothing was answered, so no reading leads to the calls; the plan does."""
    server.faults = {"reset_middle": 1.0}
    study = Study.open(write_study(tmp_path, server, 6))
    with pytest.raises(Parked):
        study.compare()
    ((lost, count),) = rows_of(tmp_path / ".judge/judge.db", "SELECT sum(cost_usd), count(*) FROM attempt")
    server.faults = {}
    told = []
    done = study.compare(progress=told.append)
    assert told[-1].usd == pytest.approx(lost + done.usd)
    assert done.possibly_paid == count
    assert study.report().cost.usd == pytest.approx(lost + done.usd)


def test_a_start_before_anything_was_asked_takes_nothing_from_the_budget(server, tmp_path):
    told = []
    Study.open(write_study(tmp_path, server, 3)).compare(progress=told.append)
    assert 0 < told[-1].usd < 0.1


def test_a_pause_that_the_provider_asks_for_is_told_while_it_lasts(server, tmp_path):
    server.faults, server.retry_after_s = {"throttled": 1.0}, 2.5
    told = []

    def progress(tally):
        told.append(tally)
        if tally.paused_s:
            server.faults = {}

    done = Study.open(write_study(tmp_path, server, 3)).compare(progress=progress)
    assert done.unscored == 0
    assert any(0 < tally.paused_s <= 3 and tally.done == 0 for tally in told)
    assert (told[-1].paused_s, told[-1].done) == (0, done.calls)


def test_what_was_answered_is_in_the_report_while_the_run_goes_on(server, tmp_path):
    """Fewer answers than share a commit, and yet they are there."""
    server.latency_s = 0.4
    study = Study.open(write_study(tmp_path, server, 40))
    run = threading.Thread(target=lambda: study.compare(jobs=4))
    run.start()
    time.sleep(2.5)
    known = len(said(tmp_path / ".judge/judge.db"))
    run.join()
    assert 0 < known < 84


def test_the_exact_words_of_a_judge_that_is_asked_criterion_by_criterion_are_shown(server, tmp_path):
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY, "per_call": "one"}
    study = Study.open(write_study(tmp_path, server, 3, judges={"live": judge}))
    study.compare()
    with study.work() as work:
        shown = show(work, work.sources.pairs[0].id)
        words = prompts(work, shown)
    assert list(words) == ["ab right", "ba right", "ab overall", "ba overall"]
    calls = [json.loads(row) for (row,) in rows_of(tmp_path / ".judge/judge.db", "SELECT request FROM call")]
    assert set(words.values()) <= {f"{call['system']}\n\n{call['messages'][0][1]}" for call in calls}


def test_two_commands_at_once_do_not_pay_twice_for_one_call(server, tmp_path):
    server.latency_s = 0.3
    study = Study.open(write_study(tmp_path, server, 30))
    ends: list[object] = []

    def ask():
        try:
            ends.append(study.compare().answered)
        except StateError as error:
            ends.append(str(error))

    both = [threading.Thread(target=ask) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    done = study.compare()
    assert done.unscored == 0
    assert len(server.requests) <= done.calls + 2  # never more than what two asked in the same instant
    assert any(end == done.calls or "another command asks the same calls now" in str(end) for end in ends)


def test_a_second_command_does_not_ask_beside_the_first(server, tmp_path):
    study = Study.open(write_study(tmp_path, server, 4))
    study.compare(limit=1)
    before = len(server.requests)
    with alone(tmp_path, "asks"), pytest.raises(StateError, match="another command asks models for this study now"):
        study.compare()
    assert len(server.requests) == before
    assert study.compare().unscored == 0


def test_a_server_with_a_small_context_is_asked_without_a_limit(server, tmp_path):
    server.faulty = lambda body: "context" if "max_completion_tokens" in body else None
    assert asked(write_study(tmp_path, server, 4)).unscored == 0


def test_what_was_cut_is_the_answer_where_no_more_room_can_be_had(server, tmp_path):
    server.faulty = lambda body: "context" if body["max_completion_tokens"] > 10_000 else "length"
    asked(write_study(tmp_path, server, 4))
    found = {reason for (reason,) in rows_of(tmp_path / ".judge/judge.db", "SELECT reason FROM reading")}
    assert found == {"cut"}
    before = len(server.requests)
    asked(tmp_path / "study.yaml")
    assert len(server.requests) == before


def test_the_environment_does_not_send_a_judge_elsewhere(server, tmp_path, monkeypatch):
    with ProviderServer(speaks=("chat", "responses")) as other:
        monkeypatch.setenv("OPENAI_BASE_URL", other.openai_url)
        monkeypatch.setattr("judge.calls.providers.openai.URL", server.openai_url)
        study = write_study(tmp_path, server, 3, judges={"live": {"openai": "gpt-6-luna", "key_env": KEY}})
        asked(study)
        assert (len(server.requests), len(other.requests)) == (6, 0)


def test_the_answers_can_be_read_as_they_came_every_try_of_them(server, tmp_path, capsys):
    server.faulty = lambda body: "malformed_text" if "Question q1?" in json.dumps(body) else None
    study = write_study(tmp_path, server, 3)
    asked(study)
    shown = Cli(capsys).well("show", "q1/tuned", study, "--raw").out
    assert "--- live, order ab, repeat 1, ask 2, try 1: answered ---" in shown
    assert shown.count('"object":"chat.completion"') + shown.count('"object": "chat.completion"') == 4


def test_what_a_provider_said_in_place_of_an_answer_is_shown_among_the_tries(server, tmp_path, capsys):
    server.faulty = lambda body: "payment"
    study, cli = write_study(tmp_path, server, 3), Cli(capsys)
    assert cli("compare", study).code == 3
    tried = [one for n in range(3) for one in cli.well("show", f"q{n}/tuned", study, "--raw", "--json").json["answers"]]
    said = {(one["status"], one["raw"], one["error"]) for one in tried if one["status"] != "sent"}
    assert said == {("out_of_money", None, "Your balance is empty.")}
    assert any("Your balance is empty" in cli.well("show", f"q{n}/tuned", study, "--raw").out for n in range(3))


@pytest.mark.postgres
def test_on_a_database_server_calls_are_planned_counted_and_found_again_alike(server, tmp_path, postgres_url):
    server.faults = {"malformed_text": 0.2, "reset_middle": 0.1, "length": 0.1}
    study = Study.open(write_study(tmp_path, server, 12), db=postgres_url)
    first = study.compare()
    cost = study.report().cost
    assert (cost.usd, cost.possibly_paid) == (pytest.approx(first.usd), first.possibly_paid)
    assert first.possibly_paid > 0
    asked_until_now = len(server.requests)
    again = study.compare()
    assert (again.from_journal, again.usd, again.by_judge) == (again.calls, 0, pytest.approx(first.by_judge))
    assert len(server.requests) == asked_until_now
    with study.work() as work:
        tries = raw_answers(work, show(work, work.sources.pairs[0].id))
    assert {(one["order"], one["status"]) for one in tries} >= {("ab", "answered"), ("ba", "answered")}
