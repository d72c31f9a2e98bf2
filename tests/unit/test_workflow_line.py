"""The straight line, from a folder of files to a decision: first run, second run, demo, trial."""

from __future__ import annotations

import json
import re
import sys

import pytest

from judge import Study, agree
from judge.decision.report import decision_block, to_html, to_json, to_markdown
from judge.errors import JudgeError, StudyError
from judge.workflow.resolving import judged
from tests.studies import Cli, reported, rows_of, small, ticking, untimed, write_rows

TIMES_IN_HTML = re.compile(r"20\d\d-\d\d-\d\dT[0-9:.+]+")


@pytest.fixture
def cli(capsys):
    return Cli(capsys)


def test_a_begun_study_runs_at_once_and_leaves_a_report(cli, tmp_path):
    written = cli.well("init", tmp_path / "mine").out.split()
    assert f"{tmp_path / 'mine' / 'study.yaml'}" in written
    ran = cli.well("run", tmp_path / "mine" / "study.yaml")
    assert "UNDECIDED" in ran.out
    assert (tmp_path / "mine" / "report.html").read_text().startswith("<!doctype html>")


def test_beginning_a_study_overwrites_nothing(cli, tmp_path):
    cli.well("init", tmp_path)
    (tmp_path / "study.yaml").write_text("mine")
    again = cli("init", tmp_path)
    assert again.code == 2
    assert (tmp_path / "study.yaml").read_text() == "mine"


def test_the_demo_ends_with_a_decision_and_where_to_read_on(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = cli.well("demo")
    assert "SHIP" in ran.out
    assert "Report: demo/report.html" in ran.out
    shown = re.search(r"judge show (\S+) (\S+)", ran.out)
    assert cli.well("show", *shown.groups()).out.startswith(f"Pair {shown[1]}")


def test_the_demo_gives_the_same_on_every_run(cli, tmp_path):
    first = cli.well("demo", tmp_path / "demo", "--json").json
    page = (tmp_path / "demo" / "report.html").read_text()
    second = cli.well("demo", tmp_path / "demo", "--json").json
    assert untimed(first) == untimed(second)
    assert TIMES_IN_HTML.sub("", page) == TIMES_IN_HTML.sub("", (tmp_path / "demo" / "report.html").read_text())
    assert (first["decision"]["outcome"], first["primary"]["n"], first["primary"]["missing"]) == ("ship", 72, 8)
    assert first["decision"]["simulated"] is True


def test_the_demo_keeps_off_a_folder_of_something_else(cli, tmp_path):
    (tmp_path / "thesis.txt").write_text("the only copy")
    refused = cli("demo", tmp_path)
    assert refused.code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_second_run_answers_everything_from_the_journal(cli, tmp_path):
    study = small().write(tmp_path)
    first, second = cli.well("run", study, "--json").events, cli.well("run", study, "--json").events
    assert (first[-1]["event"], first[-1]["calls"], first[-1]["from_journal"]) == ("done", 12, 0)
    assert second[-1]["calls"] == second[-1]["answered"] == second[-1]["from_journal"] == 12
    reports = [next(event for event in events if event["event"] == "report") for events in (first, second)]
    assert untimed(reports[0]) == untimed(reports[1])


def test_the_commands_and_the_python_api_give_the_same_numbers(cli, tmp_path):
    study = small(("b", "b", None, "a", "tie", "b")).write(tmp_path)
    by_api = to_json(Study.open(study).run().reports[0])
    assert untimed(cli.well("report", study, "--json").json) == untimed(by_api)
    assert cli.well("agree", study, "--json").json == Study.open(study).agree().to_json() == by_api["agreement"]


def test_agreement_on_files_is_the_same_by_command_and_by_function(cli, tmp_path):
    study = small().write(tmp_path)
    cli.well("run", study)
    for kind in ("pairs", "calls", "labels"):
        cli.well("export", kind, study, "-o", tmp_path / f"{kind}.jsonl")
    files = {kind: tmp_path / f"{kind}.jsonl" for kind in ("pairs", "calls", "labels")}
    by_command = cli.well("agree", *[word for kind, file in files.items() for word in (f"--{kind}", file)], "--json").json
    assert by_command == agree(**files).to_json()
    of_study = cli.well("agree", study, "--json").json
    assert by_command["win_rate"] == of_study["win_rate"]
    assert by_command["judges"] == of_study["judges"]


def test_agreement_on_files_opens_no_database(cli, tmp_path):
    study = small().write(tmp_path)
    cli.well("export", "pairs", study, "-o", tmp_path / "pairs.jsonl")
    (tmp_path / "away").mkdir()
    (tmp_path / "pairs.jsonl").rename(tmp_path / "away" / "pairs.jsonl")
    (tmp_path / "labels.jsonl").rename(tmp_path / "away" / "labels.jsonl")
    agree(pairs=tmp_path / "away" / "pairs.jsonl", labels=tmp_path / "away" / "labels.jsonl")
    assert sorted(path.name for path in (tmp_path / "away").iterdir()) == ["labels.jsonl", "pairs.jsonl"]


def test_a_report_before_any_judging_says_that_everything_is_missing(tmp_path):
    report = to_json(Study.open(small(people=0).write(tmp_path)).report())
    assert report["decision"]["code"] == "judge_only"
    assert report["agreement"]["judges"]["owl"]["calls"]["reasons"] == {"absent": 12}


def test_a_trial_is_stamped_decides_nothing_and_locks_the_whole_test_set(tmp_path):
    study = small().write(tmp_path)
    report = to_json(Study.open(study).run(limit=2).reports[0])
    assert (report["decision"]["outcome"], report["decision"]["code"]) == ("undecided", "trial")
    assert report["decision"]["trial"] is True
    assert report["agreement"]["source"]["pairs"] == 2
    assert rows_of(tmp_path / ".judge" / "judge.db", "SELECT count(*) FROM example") == [(6,)]
    assert rows_of(tmp_path / ".judge" / "judge.db", "SELECT command FROM run") == [("run (trial)",)]


def test_a_trial_is_the_same_part_each_time_and_the_whole_run_goes_on_from_it(tmp_path):
    study = Study.open(small().write(tmp_path))
    first, second = study.compare(limit=3), study.compare(limit=3)
    assert (first.calls, first.from_journal, second.from_journal) == (6, 0, 6)
    assert study.compare().from_journal == 6


def test_a_run_keeps_the_configuration_that_it_can_be_run_again_with(tmp_path):
    study = small().write(tmp_path)
    Study.open(study).run()
    ((config,),) = rows_of(tmp_path / ".judge" / "judge.db", "SELECT config FROM run")
    study.write_text(config)
    assert untimed(to_json(Study.open(study).report())) == untimed(to_json(Study.open(study).run().reports[0]))


def test_checking_a_study_writes_nothing(cli, tmp_path):
    study = small().write(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    checked = cli.well("check", study, "--json").json
    assert (checked["examples"], checked["pairs"], checked["calls"], checked["usd"]) == (6, 6, 12, [0.0, 0.0])
    assert checked["plan"]["labels"] == 12
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_what_check_prints_is_a_study_again(cli, tmp_path):
    study = small().write(tmp_path)
    again = tmp_path / "again.yaml"
    again.write_text(cli.well("check", study).out)
    assert untimed(to_json(Study.open(again).run().reports[0])) == untimed(to_json(Study.open(study).report()))


def test_an_edited_prompt_template_loses_no_recording(tmp_path, monkeypatch):
    study = small().write(tmp_path)
    before = reported(study)
    monkeypatch.setattr(sys.modules["judge.judging.prompt"], "_SYSTEM", "Compare two answers. MARK fences them.")
    compared = Study.open(study).compare()
    assert compared.from_journal == compared.calls == 12
    assert untimed(reported(study)) == untimed(before)


def test_answers_that_were_recorded_under_another_rubric_are_used_with_a_warning(cli, tmp_path):
    draft = small()
    for row in draft.recordings["owl"][:3]:
        row["rubric"] = "0" * 64
    done = cli.well("compare", draft.write(tmp_path), "--json").events[-1]
    assert done["warnings"] == [
        {
            "code": "recorded_under_other_rubric",
            "text": "3 of 12 answers of judge owl were recorded under another version of the rubric.",
        }
    ]
    assert done["unscored"] == 0


def test_pairs_of_equal_texts_are_ties_without_a_call(tmp_path):
    draft = small()
    draft.outputs["tuned"][0]["text"] = draft.outputs["base"][0]["text"]
    report = reported(draft.write(tmp_path))
    assert report["agreement"]["judges"]["owl"]["calls"]["planned"] == 10
    assert report["agreement"]["judges"]["owl"]["verdicts"]["basis"]["identical"] == 1
    assert "identical_texts" in {warning["code"] for warning in report["warnings"]}


def test_each_of_two_candidates_gets_a_report_of_its_own(cli, tmp_path):
    study = two_candidates().write(tmp_path)
    done = cli.well("run", study, "--json").events
    assert [event["candidate"] for event in done[:-1] if event["event"] == "report"] == ["tuned", "other"]
    assert sorted(path.name for path in tmp_path.glob("report*")) == ["report-other.html", "report-tuned.html"]
    assert all(event["agreement"]["level"] == pytest.approx(0.975) for event in done[:-1] if event["event"] == "report")
    rates = {event["candidate"]: event["primary"]["value"] for event in done[:-1] if event["event"] == "report"}
    assert rates == {"tuned": 0.75, "other": 0.25}


def test_a_candidate_s_report_shows_no_pair_of_the_other_candidate(tmp_path):
    reports = Study.open(two_candidates().write(tmp_path)).run().reports
    for made in reports:
        assert {exhibit.pair.model_b for exhibit in made.exhibits} == {made.candidate}
        counted = {row.what: row.of for row in made.missing}
        assert (counted["answers of judge owl"], counted["verdicts of judge owl"]) == (12, 6)


def test_a_pair_of_the_second_candidate_is_shown_with_all_that_was_said_about_it(cli, tmp_path):
    study = two_candidates().write(tmp_path)
    cli.well("run", study)
    shown = cli.well("show", "q0/other", study, "--json").json
    assert {(one["judge"], one["value"]) for one in shown["verdicts"]} == {("owl", "a")}
    assert [one["label"] for one in shown["labels"]] == ["a", "a"]


def test_one_of_two_candidates_has_to_be_named(cli, tmp_path):
    study = two_candidates().write(tmp_path)
    with pytest.raises(JudgeError, match=r"several candidates.*Name one of tuned, other"):
        Study.open(study).report()
    assert cli.well("report", study, "--candidate", "other", "--json").json["candidate"] == "other"


def two_candidates():
    draft, other = small(), small(("a", "a", "tie", "b", "a", "a"))
    draft.outputs["other"] = [{**row, "text": f"Another answer to {row['example']}."} for row in other.outputs["tuned"]]
    for mine, theirs in ((draft.recordings["owl"], other.recordings["owl"]), (draft.labels, other.labels)):
        mine += [{**row, "pair": row["pair"].replace("tuned", "other")} for row in theirs]
    return draft


def given_pairs(draft, folder, old="old", new="new", **config):
    """Write a study of pairs that are given with their models; in the first one the candidate stands in a."""
    pairs = []
    for n, example in enumerate(draft.examples):
        texts = [(old, draft.outputs["base"][n]["text"]), (new, draft.outputs["tuned"][n]["text"])]
        (model_a, text_a), (model_b, text_b) = reversed(texts) if n == 0 else texts
        pair = {"id": f"{example['id']}/tuned", "prompt": example["prompt"], "output_a": text_a, "output_b": text_b}
        pairs.append({**pair, "model_a": model_a, "model_b": model_b})
    draft.write(folder)
    write_rows(folder / "pairs.jsonl", pairs)
    made = {**draft.study(), "pairs": "pairs.jsonl", "candidate": new, **config}
    del made["test"], made["arms"]
    (folder / "study.yaml").write_text(json.dumps(made))
    return folder / "study.yaml"


def test_a_study_of_given_pairs_takes_the_candidate_s_side_wherever_it_stands(tmp_path):
    report = reported(given_pairs(small(("b", "b", "tie", "b"), people=1), tmp_path))
    assert report["agreement"]["win_rate"]["judge_raw"]["owl"]["value"] == (0 + 1 + 0.5 + 1) / 4


@pytest.mark.parametrize(
    ("old", "new", "kin"),
    [
        ("base-7b", "gpt-6.1-sol", "is the model 'gpt-6.1-sol' of the pairs"),
        ("openai/gpt-4o", "mine", "is of the same family as 'openai/gpt-4o' of the pairs (GPT)"),
    ],
)
def test_a_judge_of_pairs_that_its_own_kin_wrote_must_be_allowed_and_stands_at_the_head_of_the_report(tmp_path, old, new, kin):
    judge = {"openai": "gpt-6.1-sol", "base_url": "http://127.0.0.1:9/v1"}
    with pytest.raises(StudyError) as refused:
        Study.open(given_pairs(small(people=1), tmp_path, old, new, judges={"sol": judge})).check()
    assert f"judges.sol: the judge 'sol' {kin}. Choose another judge, or accept" in str(refused.value)
    study = Study.open(given_pairs(small(people=1), tmp_path, old, new, judges={"sol": {**judge, "allow_self": True}}))
    assert kin in next(notice.text for notice in study.check().warnings if notice.code == "self_preference")
    report = study.report()
    assert kin in next(warning["text"] for warning in to_json(report)["warnings"] if warning["code"] == "self_preference")
    assert f"[Self-preference] The judge 'sol' {kin}" in " ".join(decision_block(report).split())


def test_a_hostile_name_of_a_model_is_shown_as_text_at_the_head_of_the_report(tmp_path):
    judge = {"openai": "gpt-6.1-sol", "base_url": "http://127.0.0.1:9/v1", "allow_self": True}
    old = "gpt-4 <img src=x> [x](http://evil)\x1b[2J"
    report = Study.open(given_pairs(small(people=1), tmp_path, old, "mine", judges={"sol": judge})).report()
    assert "<img" not in to_html(report)
    assert "\\<img src=x\\> \\[x\\](http://evil)" in to_markdown(report)
    assert "\x1b" not in decision_block(report) + to_markdown(report)


def test_pairs_of_other_models_or_of_models_without_a_name_are_no_kin(tmp_path):
    judge = {"openai": "gpt-6.1-sol", "base_url": "http://127.0.0.1:9/v1"}
    study = Study.open(given_pairs(small(people=1), tmp_path, "llama-4", "qwen-4", judges={"sol": judge}))
    assert "self_preference" not in {notice.code for notice in study.check().warnings}


@pytest.mark.parametrize(
    ("costs", "more", "usd"),
    [
        ((0.5, 0.5), {}, 3.0),  # two criteria of one answer carry its cost
        ((0.5, 0.25), {}, 4.5),  # each criterion was asked about by a call of its own
        ((0.5, 0.5), {"digest": "one"}, 0.5),  # all pairs are answered by one call
        ((0.5, 0.5), {"request_id": "one"}, 0.5),
    ],
)
def test_answers_from_a_file_cost_what_they_say_one_by_one(tmp_path, monkeypatch, costs, more, usd):
    monkeypatch.setattr("judge.workflow.resolving._PART", 1)
    made = small(("b",) * 3, judges=(), people=1)
    made.calls["owl"] = [
        {"pair": f"{row['id']}/tuned", "judge": "owl", "order": order, "criterion": name, "label": "b", "cost_usd": cost} | more
        for row in made.examples
        for order in ("ab", "ba")
        for name, cost in zip(("overall", "right"), costs, strict=True)
    ]
    assert reported(made.write(tmp_path))["cost"]["by_judge"] == {"owl": usd}


def test_rows_on_a_criterion_that_nobody_is_asked_about_are_warned_of(tmp_path, capsys):
    made = small(["b"] * 4, judges=("owl",), people=1)
    pairs = [f"{row['id']}/tuned" for row in made.examples]
    made.verdicts["hen"] = [{"pair": pair, "judge": "hen", "criterion": "overal", "value": "b"} for pair in pairs]
    made.calls["tit"] = [{"pair": pairs[0], "judge": "tit", "criterion": "check_1", "order": "ab", "label": "b"}]
    made.labels.append({**made.labels[0], "criterion": "rihgt"})
    study, cli = made.write(tmp_path), Cli(capsys)
    said = [
        "Rows of judge hen on 'overal', which nobody is asked about there: 4; did you mean 'overall'?",
        "Rows of judge tit on 'check_1', which nobody is asked about there: 1; known: overall, right.",
        "Rows of people on 'rihgt', which nobody is asked about there: 1; did you mean 'right'?",
    ]
    for command in ("check", "run"):
        found = cli.well(command, study, "--json").events[-1]["warnings"]
        assert [one["text"] for one in found if one["code"] == "unknown_criterion"] == said
    assert [one["text"] for one in reported(study)["warnings"] if one["code"] == "unknown_criterion"] == said


def test_the_jury_of_a_trial_is_that_of_the_whole_study(tmp_path):
    """A file speaks of one pair alone: that makes its judge a juror, whatever pairs are tried."""
    made = small(["b"] * 6, judges=("owl",), people=1)
    made.rubric["per_example"] = "checklist"
    made.examples[5]["meta"] = {"checklist": ["Does it name the day?"]}
    made.verdicts["ant"] = [{"pair": "q0/tuned", "judge": "ant", "value": "a"}]
    one = {"pair": "q5/tuned", "judge": "tit", "label": "b", "criterion": "check_1"}
    made.calls["tit"] = [{**one, "order": order} for order in ("ab", "ba")]
    study = Study.open(made.write(tmp_path))
    study.compare()

    def said(limit=None):
        with study.work(limit=limit) as work:
            found = judged(work)[1]
            return {pair.id for pair in work.sources.pairs}, {repr(v) for v in found}

    _, whole = said()
    for limit in (1, 2, 4):
        pairs, part = said(limit)
        assert part == {row for row in whole if any(repr(pair) in row for pair in pairs)}


def test_a_trial_says_what_files_hold_beyond_it_and_keeps_their_verdicts(tmp_path, capsys):
    made = small(["b"] * 6, judges=("owl",), people=1)
    pairs = [f"{row['id']}/tuned" for row in made.examples]
    made.verdicts["hen"] = [{"pair": pair, "judge": "hen", "value": "b"} for pair in pairs]
    made.calls["tit"] = [{"pair": p, "judge": "tit", "order": order, "label": "b"} for p in pairs for order in ("ab", "ba")]
    study, cli = made.write(tmp_path), Cli(capsys)

    def left():
        found = re.search(r"Go on with `judge compare`: (\d+) answers", cli.well("report", study).out)
        return int(found[1]) if found else 0

    assert left() == 12 + 6 + 12
    cli.well("compare", study, "--limit", "2")
    assert left() == 8
    said = [json.loads(row) for row in cli.well("export", "verdicts", study).out.splitlines()]
    assert {row["pair"] for row in said if row["judge"] == "hen" and row["value"] == "b"} == set(pairs)
    cli.well("compare", study)
    assert left() == 0


def test_two_reports_at_different_times_differ_in_their_times_alone(tmp_path):
    study = Study.open(small().write(tmp_path), clock=ticking())
    pages = [to_html(study.run().reports[0]) for _ in range(2)]
    assert pages[0] != pages[1]
    assert TIMES_IN_HTML.sub("", pages[0]) == TIMES_IN_HTML.sub("", pages[1])


@pytest.mark.parametrize("judges", [("owl",), ("owl", "lark")])
def test_labels_that_are_not_in_leave_the_decision_interim(tmp_path, judges):
    draft = small(judges=judges)
    draft.labels.pop()
    decision = reported(draft.write(tmp_path))["decision"]
    assert (decision["outcome"], decision["code"], decision["interim"]) == ("undecided", "labels_missing", True)


def test_a_clear_win_ships_and_a_clear_loss_is_abandoned(tmp_path):
    won, lost = (reported(small([side] * 12).write(tmp_path / side))["decision"]["outcome"] for side in "ba")
    assert (won, lost) == ("ship", "abandon")
