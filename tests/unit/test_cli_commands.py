"""Every command: what it prints for people and for programs, and the code it leaves with."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from judge import __version__, data
from tests.studies import Cli, rows_of, small, started, strict_json, write_rows

EST = {"value", "low", "high", "n", "missing", "method", "reason", "normal"}


@pytest.fixture
def cli(capsys):
    return Cli(capsys)


@pytest.fixture
def study(tmp_path):
    return small(("b", "b", None, "a", "tie", "b")).write(tmp_path)


@pytest.fixture
def run_study(cli, study):
    cli.well("run", study)
    return study


# --- For people ----------------------------------------------------------------------------------------------------


def test_the_version_is_one_line(cli):
    assert cli.well("--version").out == f"blind-judge {__version__}\n"


@pytest.mark.parametrize(
    "command",
    ["demo", "init", "check", "doctor", "run", "compare", "agree", "report", "show", "import", "export",
     "rubric lint", "rubric schema", "rubric show"],
)  # fmt: skip
def test_every_command_helps_with_an_example(cli, command):
    text = cli.well(*command.split(), "--help").out
    assert f"Example: judge {command}" in text


def test_a_run_prints_the_decision_and_where_the_report_is(cli, study):
    out = cli.well("run", study).out
    assert "UNDECIDED" in out
    assert f"Report: {study.parent / 'report.html'}" in out
    assert "2 of 12 answers of judge owl" in out


def test_comparing_counts_calls_and_what_is_unscored(cli, tmp_path):
    draft = small()
    draft.recordings["owl"][0]["text"] = "The first one."
    study = draft.write(tmp_path)
    assert "12 of 12 calls answered, 0 of them from the journal" in cli.well("compare", study).out
    again = cli.well("compare", study)
    assert "12 of 12 calls answered, 12 of them from the journal" in again.out
    assert "1 verdicts are unscored" in again.out


def test_agreement_prints_people_judges_and_win_rates(cli, run_study):
    out = cli.well("agree", run_study).out
    for line in ("People among themselves", "Judge owl", "Win rate of", "people only", "owl, uncorrected", "owl, corrected"):
        assert line in out


def test_a_report_goes_beside_the_study_unless_a_name_is_given(cli, run_study, tmp_path):
    (run_study.parent / "report.html").unlink()
    cli.well("report", run_study)
    assert (run_study.parent / "report.html").exists()
    cli.well("report", run_study, "-o", tmp_path / "other.md")
    assert (tmp_path / "other.md").read_text().startswith("# ")


@pytest.mark.parametrize(
    ("name", "begins"),
    [("r.html", "<!doctype html>"), ("r.md", "# "), ("r.json", '{"agreement":'), ("r.junit.xml", "<?xml"), ("R.HTML", "<!")],
)
def test_the_suffix_says_the_form_of_a_report(cli, run_study, tmp_path, name, begins):
    cli.well("report", run_study, "-o", tmp_path / name)
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert text.startswith(begins)
    if name.endswith(".json"):
        assert strict_json(text)["schema"] == "report/1"
    if name.endswith(".xml"):
        assert ElementTree.fromstring(text).tag in {"testsuite", "testsuites"}


def test_a_pair_is_shown_with_its_arms_and_all_that_was_said(cli, run_study):
    out = cli.well("show", "q0/tuned", run_study).out
    for line in ("Pair q0/tuned", "Question q0?", "a = base", "A newer answer to q0.", "owl on overall: b (agreed)",
                 "person-1 on overall: b", "As it says."):  # fmt: skip
        assert line in out
    assert "unscored (unscored, refused)" in cli.well("show", "q2/tuned", run_study).out


def test_answers_of_no_use_are_told_on_each_criterion_and_one_that_says_nothing_is_told_once(cli, tmp_path):
    calls = [
        ("ab", "overall", "a", None),
        ("ab", "tone", None, "absent"),
        ("ba", "overall", None, "malformed"),
        ("ba", "tone", None, "malformed"),
    ]
    rows = [
        {"pair": "p", "judge": "j", "order": o, "criterion": c, "label": label, "reason": why} for o, c, label, why in calls
    ]
    (tmp_path / "calls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "pairs.jsonl").write_text('{"id": "p", "prompt": "q", "output_a": "x", "output_b": "y"}\n')
    study = tmp_path / "study.yaml"
    study.write_text("name: s\npairs: pairs.jsonl\ncandidate: b\njudges: {j: {calls: calls.jsonl}}\n")
    cli.well("compare", study)
    said = cli.well("show", "p", study, "--json").json["reasons"]
    assert [(one["order"], one["criterion"], one["text"]) for one in said] == [
        ("ab", "overall", "(a, without a reason)"),
        ("ba", "overall", "(no usable answer: malformed)"),
        ("ab", "tone", "(no usable answer: absent)"),
    ]


def test_the_words_that_judges_are_asked_in_are_shown_on_request(cli, run_study):
    out = cli.well("show", "q0/tuned", run_study, "--prompt").out
    assert "prompt, order ab" in out and "prompt, order ba" in out
    assert "Which answer would a careful reader rather get?" in out


def test_a_check_prints_the_effective_configuration(cli, study):
    out = cli.well("check", study).out
    assert "# 6 examples, 6 pairs, 12 calls, 12 labels planned" in out
    assert "seed: 0" in out
    assert "budget: 5 USD" in out


def test_the_doctor_finds_this_machine_fit(cli, tmp_path):
    assert cli.well("doctor", "--db", tmp_path / "judge.db").out.startswith("ok ")
    assert not (tmp_path / "judge.db").exists()


def test_the_doctor_says_what_is_wrong_and_what_to_do(cli, tmp_path):
    (tmp_path / "judge.db").write_text("my notes, no database\n" * 100)
    sick = cli("doctor", "--db", tmp_path / "judge.db")
    assert sick.code == 2
    assert re.search(r"BAD  database: .*no database of ours.*--db", sick.out)


def test_a_rubric_is_linted_shown_and_described(cli, study):
    assert "1 criteria and overall" in cli.well("rubric", "lint", study.parent / "rubric.yaml").out
    assert "general-answer@1" in cli.well("rubric", "show").out.split()
    assert "rubric: general-answer" in cli.well("rubric", "show", "general-answer@1").out
    schema = strict_json(cli.well("rubric", "schema").out)
    assert schema["type"] == "object"


def test_a_folder_stands_for_the_study_in_it(cli, study):
    cli.well("run", study.parent)


def test_the_study_of_this_folder_is_the_default(cli, study, monkeypatch):
    monkeypatch.chdir(study.parent)
    cli.well("run")
    cli.well("agree")
    assert (study.parent / "report.html").exists()


# --- For programs --------------------------------------------------------------------------------------------------


def test_check_report_agree_show_doctor_and_lint_print_one_object_each(cli, run_study):
    checked = cli.well("check", run_study, "--json").json
    assert {"calls", "tokens_in", "usd", "examples", "pairs", "plan", "warnings", "config"} == set(checked)
    report = cli.well("report", run_study, "--json").json
    assert {
        "schema", "study", "candidate", "decision", "primary", "agreement", "evidence", "arms", "cost", "openings", "looks",
        "warnings", "versions",
    } == set(report)  # fmt: skip
    assert set(report["primary"]) == EST
    agreed = cli.well("agree", run_study, "--json").json
    assert agreed["schema"] == "agree/1"
    shown = cli.well("show", "q0/tuned", run_study, "--json").json
    assert (shown["a"]["arm"], shown["b"]["arm"]) == ("base", "tuned")
    assert {finding["ok"] for finding in cli.well("doctor", "--json").json["findings"]} == {True}
    assert cli.well("rubric", "lint", "general-answer@1", "--json").json["advice"] == []


def test_shown_prompts_come_with_the_pair(cli, run_study):
    assert set(cli.well("show", "q0/tuned", run_study, "--prompt", "--json").json["prompts"]) == {"ab", "ba"}


def test_long_commands_print_events_of_which_the_last_says_done(cli, study):
    for command in ("compare", "run"):
        *_, last = cli.well(command, study, "--json").events
        assert last["event"] == "done"
        assert {"calls", "answered", "from_journal", "unscored", "usd", "possibly_paid"} <= set(last)


def test_the_demo_prints_one_object(cli, tmp_path):
    document = cli.well("demo", tmp_path / "demo", "--json").json
    assert document["decision"]["outcome"] == "ship"
    assert (tmp_path / "demo" / "report.html").exists()


def test_an_import_says_how_many_rows(cli, tmp_path):
    study = small(people=0).write(tmp_path)
    labels = write_rows(tmp_path / "said.jsonl", small().labels)
    assert cli.well("import", "labels", labels, study, "--json").json == {
        "kind": "labels", "rows": 12, "files": [str(labels)],
    }  # fmt: skip
    assert "12 labels imported" in cli.well("import", "labels", labels, study).out


def test_scores_are_imported_and_exported(cli, study, tmp_path):
    scores = [{"example": "q0", "arm": "tuned", "source": "length", "criterion": "words", "value": 5}]
    cli.well("import", "scores", write_rows(tmp_path / "scores.jsonl", scores), study)
    assert json.loads(cli.well("export", "scores", study).out) == scores[0]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
@pytest.mark.parametrize("kind", ["examples", "outputs", "pairs", "calls", "verdicts", "labels", "recordings"])
def test_what_is_exported_is_read_back_alike(cli, run_study, tmp_path, kind, suffix):
    file = tmp_path / f"out{suffix}"
    cli.well("export", kind, run_study, "-o", file)
    by_stream = cli.well("export", kind, run_study).out
    again = write_rows(tmp_path / "stream.jsonl", [json.loads(line) for line in by_stream.splitlines()])
    rows = [json.loads(line) for line in by_stream.splitlines()]
    assert rows == sorted(rows, key=lambda row: (row.get("pair", ""), row.get("judge", ""), row.get("criterion", "overall")))
    assert data.read(kind, file).rows == data.read(kind, again).rows != ()


def test_results_go_to_standard_output_and_nothing_else_does(tmp_path):
    study = small().write(tmp_path)
    done = started("run", study, "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "done"
    plain = started("export", "labels", "study.yaml", "-o", "labels.csv", cwd=tmp_path)
    assert plain.stdout == ""
    assert "12 labels written to labels.csv" in plain.stderr


# --- Exit codes ----------------------------------------------------------------------------------------------------


def test_a_gate_that_is_met_leaves_with_0_and_one_that_is_not_with_1(cli, tmp_path):
    won, lost = small(["b"] * 12).write(tmp_path / "won"), small(["a"] * 12).write(tmp_path / "lost")
    for study in (won, lost):
        cli.well("run", study)
    assert cli("report", won, "--gate").code == 0
    assert cli("report", lost, "--gate").code == 1
    assert cli("report", lost).code == 0
    assert cli("report", lost, "--gate", "--json").json["decision"]["outcome"] == "abandon"


def test_the_codes_are_those_of_the_process(cli, tmp_path):
    study = small(["a"] * 12).write(tmp_path)
    cli.well("run", study)
    assert started("report", study, "--gate", cwd=tmp_path).returncode == 1


def test_a_bug_of_ours_leaves_with_70_and_says_so(cli, study, monkeypatch):
    def broken(*_):
        raise RuntimeError("an invariant does not hold")

    monkeypatch.setattr("judge.workflow.running.run", broken)
    result = cli("run", study)
    assert result.code == 70
    assert "this is a bug in blind-judge" in result.err
    assert "an invariant does not hold" in result.err


def test_an_interrupted_run_leaves_with_130_and_loses_nothing(cli, study, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("judge.workflow.running.reports", interrupted)
    stopped = cli("run", study)
    assert (stopped.code, stopped.err.count("\n")) == (130, 1)
    assert rows_of(study.parent / ".judge" / "judge.db", "SELECT DISTINCT status FROM attempt") == [("answered",)]
    monkeypatch.undo()
    assert cli.well("run", study, "--json").events[-1]["from_journal"] == 12


def test_a_reader_that_leaves_early_is_no_failure(tmp_path):
    draft = small()
    for example in draft.examples:
        example["prompt"] = "Why? " * 50_000  # more than a pipe holds
    draft.write(tmp_path)
    export = f"{sys.executable} -m judge export examples | head -c 100; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", export], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
