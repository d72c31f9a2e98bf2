"""The ledger: who saw which pair with its arms, and what an edited rubric is worth after that."""

from __future__ import annotations

import pytest

from judge import Study
from judge.decision.report import to_json
from judge.workflow import exchange, running, showing
from tests.studies import Cli, ledger, small, ticking

PAIRS, LABELLED = 72, 60  # the halves are drawn by chance: the confirmation half holds 30 labelled pairs, give or take 5
VALUES = ("b", "b", "tie", "b", "a", "b")


@pytest.fixture
def cli(capsys):
    return Cli(capsys)


def events(study):
    return [(kind, what) for kind, what in ledger(study.parent / ".judge" / "judge.db") if kind != "opening"]


def draft(labelled=LABELLED):
    made = small([VALUES[n % len(VALUES)] for n in range(PAIRS)])
    for n, row in enumerate(made.labels):
        if n % 7 == 0:
            row["label"] = "tie"  # people and judge do not always agree
    made.labels = made.labels[: 2 * labelled]
    made.config = {"review": {"sample": labelled, "labels_per_item": 2}}
    return made


class Desk:
    """One workspace, worked on under a clock that moves on."""

    def __init__(self, folder, made):
        self.folder, self.made = folder, made
        self.clock = ticking()

    def study(self):
        return Study.open(self.made.write(self.folder), clock=self.clock)

    def method(self):
        """Run and give the headline's method."""
        return to_json(self.study().run().reports[0])["primary"]["method"]

    def edit_rubric(self, words="Which answer would you rather stand behind?"):
        self.made.rubric["overall"] = words

    def write_report(self):
        with self.study().work() as work:
            running.write_report(work, running.reports(work)[0], self.folder / "report.html")

    def export_labels(self):
        with self.study().work() as work:
            exchange.export_rows(work, "labels")

    def show_a_pair(self):
        with self.study().work() as work:
            showing.show(work, "q0/tuned")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path, draft())


# --- What is noted -------------------------------------------------------------------------------------------------


def test_a_shown_pair_a_report_and_an_export_of_labels_are_noted(cli, tmp_path):
    study = small().write(tmp_path)
    cli.well("compare", study)
    cli.well("agree", study)
    cli.well("check", study)
    cli.well("export", "pairs", study)
    assert events(study) == []
    cli.well("show", "q3/tuned", study)
    cli.well("export", "labels", study)
    cli.well("report", study)
    (shown, exported, report) = events(study)
    assert (shown[0], shown[1]["by"], shown[1]["pairs"]) == ("unblinding", "show", ["q3/tuned"])
    assert exported == ("export", {"kind": "labels", "rows": 12})
    assert (report[0], report[1]["by"]) == ("unblinding", "report")
    assert "q3/tuned" in report[1]["pairs"]  # the one loss, beside the first three wins
    assert len(report[1]["pairs"]) == 4


def test_a_run_notes_the_pairs_of_the_report_that_it_writes(cli, tmp_path):
    study = small().write(tmp_path)
    cli.well("run", study)
    assert [(kind, what["by"]) for kind, what in events(study)] == [("unblinding", "report")]


def test_a_pair_that_is_not_there_unblinds_nobody(cli, tmp_path):
    study = small().write(tmp_path)
    assert cli("show", "q99/tuned", study).code == 2
    assert events(study) == []


def test_a_report_that_could_not_be_written_unblinds_nobody(cli, tmp_path):
    study = small().write(tmp_path)
    assert cli("report", study, "-o", tmp_path / "no" / "report.html").code == 2
    assert events(study) == []


# --- What it is worth ----------------------------------------------------------------------------------------------


def test_an_untouched_rubric_stays_what_it_was_however_often_labels_are_opened(desk):
    assert desk.method() == "ppi++"
    desk.write_report()
    desk.export_labels()
    assert desk.method() == "ppi++"


def test_a_rubric_edited_before_anything_was_opened_is_as_good_as_the_first(desk):
    assert desk.method() == "ppi++"
    desk.edit_rubric()
    assert desk.method() == "ppi++"
    desk.write_report()
    assert desk.method() == "ppi++"


@pytest.mark.parametrize("opening", [Desk.write_report, Desk.export_labels, Desk.show_a_pair])
def test_a_rubric_edited_after_labels_were_opened_is_trusted_on_the_confirmation_half_alone(desk, opening):
    before = desk.method()
    opening(desk)
    desk.edit_rubric()
    assert (before, desk.method()) == ("ppi++", "ppi++-tuned")
    assert desk.method() == "ppi++-tuned"  # and again


@pytest.mark.parametrize("kind", ["recorded", "verdicts"])
def test_a_checklist_edited_after_labels_were_opened_is_an_edited_rubric(tmp_path, kind):
    made = draft()
    made.rubric["per_example"] = "checklist"
    made.examples[0]["meta"] = {"checklist": ["Does it name the day?"]}
    if kind == "verdicts":
        made.recordings = {}
        rows = [(row["id"], VALUES[n % len(VALUES)]) for n, row in enumerate(made.examples)]
        made.verdicts["owl"] = [{"pair": f"{id_}/tuned", "judge": "owl", "value": value} for id_, value in rows]
    desk = Desk(tmp_path, made)
    assert desk.method() == "ppi++"
    desk.write_report()
    assert desk.method() == "ppi++"
    made.examples[0]["meta"] = {"checklist": ["Does it name the hour?"]}
    assert desk.method() == "ppi++-tuned"
    made.examples[0]["meta"] = {"checklist": ["Does it name the day?"]}
    assert desk.method() == "ppi++"


@pytest.mark.parametrize("others", [None, ["Does it name the day?"], ["Does it name the hour?"]])
@pytest.mark.parametrize("then", [None, ["Does it name the hour?"], ["Does it name the year?"]])
def test_a_list_taken_away_or_exchanged_after_labels_were_opened_is_an_edited_rubric(tmp_path, others, then):
    made = draft()
    made.rubric["per_example"] = "checklist"
    for row in made.examples:
        row["meta"] = {"checklist": others} if others else {}
    made.examples[0]["meta"] = {"checklist": ["Does it name the day?"]}
    desk = Desk(tmp_path, made)
    assert desk.method() == "ppi++"
    desk.export_labels()
    made.examples[0]["meta"] = {"checklist": then} if then else {}
    assert desk.method() == "ppi++-tuned"


def test_a_rubric_that_was_tried_before_labels_were_opened_is_as_good_on_the_rest(desk):
    first = desk.made.rubric["overall"]
    desk.method()
    desk.edit_rubric()
    desk.study().compare(limit=5)
    desk.edit_rubric(first)
    desk.write_report()
    desk.edit_rubric()
    assert desk.method() == "ppi++"


def test_a_study_of_other_examples_in_the_same_database_is_no_edit(tmp_path, monkeypatch):
    """Both hold the same pairs, asked by the same rubric and the same checks; one holds more of them."""
    monkeypatch.setenv("JUDGE_DB", str(tmp_path / "both.db"))
    made = draft()
    made.rubric["per_example"] = "checklist"
    for row in made.examples:
        row["meta"] = {"checklist": [f"Does it name day {row['id']}?"]}
    whole, part = Desk(tmp_path / "whole", made), Desk(tmp_path / "part", made.copy())
    part.clock = whole.clock
    dropped = part.made.examples.pop()["id"]
    part.made.outputs = {arm: [row for row in rows if row["example"] != dropped] for arm, rows in made.outputs.items()}
    rows = part.made.recordings["owl"]
    part.made.recordings["owl"] = [row for row in rows if not row["pair"].startswith(f"{dropped}/")]
    part.made.config = {**made.config, "name": "part"}
    assert whole.method() == "ppi++"
    part.export_labels()
    assert part.method() == "ppi++"


def test_the_rubric_of_before_is_trusted_again_when_it_comes_back(desk):
    first = desk.made.rubric["overall"]
    desk.method()
    desk.write_report()
    desk.edit_rubric()
    assert desk.method() == "ppi++-tuned"
    desk.edit_rubric(first)
    assert desk.method() == "ppi++"


@pytest.mark.parametrize("kind", ["calls", "verdicts"])
def test_a_judge_whose_answers_come_in_a_file_is_held_to_the_same(tmp_path, kind):
    made = draft()
    said = [(row["id"], VALUES[n % len(VALUES)]) for n, row in enumerate(made.examples)]
    made.recordings = {}
    if kind == "calls":
        made.calls["owl"] = [
            {"pair": f"{id_}/tuned", "judge": "owl", "order": order, "label": value}
            for id_, value in said
            for order in ("ab", "ba")
        ]
    else:
        made.verdicts["owl"] = [{"pair": f"{id_}/tuned", "judge": "owl", "value": value} for id_, value in said]
    desk = Desk(tmp_path, made)
    assert desk.method() == "ppi++"
    desk.write_report()
    desk.edit_rubric()
    assert desk.method() == "ppi++-tuned"


def test_with_too_few_confirmation_pairs_people_alone_speak(tmp_path):
    desk = Desk(tmp_path, draft(labelled=24))
    assert desk.method() == "ppi++"
    desk.write_report()
    desk.edit_rubric()
    assert desk.method() == "people"


def test_the_halves_are_drawn_once_and_hold(desk):
    desk.method()
    with desk.study().work() as work, work.database.read() as tx:
        from judge.store.review import sampled

        first = sampled(tx, work.record.id)
    desk.write_report()
    desk.edit_rubric()
    desk.method()
    with desk.study().work() as work, work.database.read() as tx:
        assert sampled(tx, work.record.id) == first
    halves = [half for _, _, half in first]
    assert len(first) == PAIRS
    assert abs(halves.count("tuning") - halves.count("confirmation")) <= 4  # one at most in each stratum
