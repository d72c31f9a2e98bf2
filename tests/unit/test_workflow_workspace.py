"""The workspace: the locked test set, several studies in one, moved folders, PostgreSQL, labels from files."""

from __future__ import annotations

import shutil
import sqlite3
import threading

import pytest

from judge import Study
from judge.decision.report import to_json
from judge.errors import JoinError, LockedError, StoreError
from judge.store.opening import open_database
from tests.studies import Cli, ledger, reported, rows_of, small, ticking, untimed, without, write_rows


@pytest.fixture
def cli(capsys):
    return Cli(capsys)


def run(study, **options):
    return to_json(Study.open(study, clock=ticking(), **options).run().reports[0])


# --- The lock ------------------------------------------------------------------------------------------------------


def edited(change):
    draft = small()
    change(draft)
    return draft


def change_two(draft):
    draft.examples[1]["prompt"] = draft.examples[4]["prompt"] = "Something else?"


def add_one(draft):
    draft.examples.append({"id": "q9", "prompt": "New?"})
    for arm in draft.outputs:
        draft.outputs[arm].append({"example": "q9", "text": f"By {arm}."})


def remove_one(draft):
    draft.examples.pop(3)
    for rows in (draft.outputs["base"], draft.outputs["tuned"]):
        rows.pop(3)
    draft.recordings["owl"] = [row for row in draft.recordings["owl"] if row["pair"] != "q3/tuned"]
    draft.labels = [row for row in draft.labels if row["pair"] != "q3/tuned"]


def give_a_reference(draft):
    draft.examples[0]["reference"] = "42"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (change_two, "2 of 6 examples changed since 2026-11-20 (first: q1)"),
        (add_one, "1 examples added to 6 since 2026-11-20 (first: q9)"),
        (remove_one, "1 of 6 examples removed since 2026-11-20 (first: q3)"),
        (give_a_reference, "1 of 6 examples changed since 2026-11-20 (first: q0)"),
    ],
)
def test_a_test_set_that_changed_after_its_first_use_is_refused(cli, tmp_path, change, said):
    study = small().write(tmp_path)
    run(study)
    edited(change).write(tmp_path)
    for refused in (cli("run", study), cli("report", study), cli("check", study)):
        assert refused.code == 2
        assert refused.err == f"judge: {tmp_path / 'test.jsonl'}: {said}. Restore the file or give the study a new name.\n"


def test_the_restored_file_and_the_new_name_are_both_a_way_on(tmp_path):
    study = small().write(tmp_path)
    before = run(study)
    other = edited(change_two)
    with pytest.raises(LockedError):
        run(other.write(tmp_path))
    assert untimed(run(small().write(tmp_path))) == untimed(before)
    other.config["name"] = "another"
    assert run(other.write(tmp_path))["study"]["name"] == "another"


def test_tags_groups_and_notes_of_an_example_may_still_change(tmp_path):
    run(small().write(tmp_path))
    draft = small()
    draft.examples[0] |= {"tags": ["short"], "meta": {"by": "me"}}
    run(draft.write(tmp_path))


def test_a_trial_locks_as_well(tmp_path):
    Study.open(small().write(tmp_path)).compare(limit=1)
    with pytest.raises(LockedError, match="2 of 6 examples changed"):
        Study.open(edited(change_two).write(tmp_path)).compare(limit=1)


def test_every_new_set_of_outputs_is_an_opening_that_the_report_shows(tmp_path):
    study = small().write(tmp_path)
    assert [opening["arm"] for opening in run(study)["openings"]] == ["base", "tuned"]
    draft = small()
    draft.outputs["tuned"][0]["text"] = "Trained on a little more."
    again = run(draft.write(tmp_path))
    assert [opening["arm"] for opening in again["openings"]] == ["base", "tuned", "tuned"]
    assert again["openings"][0]["at"].startswith("2026-11-20T09:")


# --- Where it lies -------------------------------------------------------------------------------------------------


def test_a_study_is_the_same_on_either_database(database_url, tmp_path):
    draft = small(("b", "b", None, "a", "tie", "b"), judges=("owl", "lark"))
    there = run(draft.write(tmp_path / "there"), db=database_url)
    again = run(tmp_path / "there" / "study.yaml", db=database_url)
    here = run(draft.write(tmp_path / "here"))
    assert untimed(there) == untimed(again) == untimed(here)


def test_two_studies_share_a_workspace_and_keep_apart(tmp_path):
    first, second = small(), small(("a", "a", "tie"))
    second.config["name"] = "second"
    db = str(tmp_path / "both.db")
    alone = [run(draft.write(tmp_path / f"alone{n}")) for n, draft in enumerate((first, second))]
    paths = [draft.write(tmp_path / f"both{n}") for n, draft in enumerate((first, second))]
    together = [run(path, db=db) for path in (*paths, *paths)]
    assert untimed(together) == untimed([*alone, *alone])
    assert rows_of(tmp_path / "both.db", "SELECT name FROM study ORDER BY name") == [("second",), ("small",)]


def test_one_name_for_two_test_sets_in_a_workspace_is_refused(tmp_path):
    db = str(tmp_path / "both.db")
    run(small().write(tmp_path / "one"), db=db)
    with pytest.raises(LockedError):
        run(small(("a", "a", "tie")).write(tmp_path / "two"), db=db)


def test_a_moved_workspace_goes_on(tmp_path):
    before = run(small().write(tmp_path / "old"))
    shutil.move(tmp_path / "old", tmp_path / "new")
    study = Study.open(tmp_path / "new" / "study.yaml")
    assert study.compare().from_journal == 12
    assert untimed(to_json(study.report())) == untimed(before)


def test_the_database_may_be_named_by_the_environment(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("JUDGE_DB", str(tmp_path / "elsewhere.db"))
    cli.well("run", small().write(tmp_path / "study"))
    assert (tmp_path / "elsewhere.db").exists()
    assert not (tmp_path / "study" / ".judge").exists()


def test_a_database_of_a_newer_program_is_refused_and_left_alone(cli, tmp_path):
    study = small().write(tmp_path)
    run(study)
    db = tmp_path / ".judge" / "judge.db"
    with sqlite3.connect(db) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    refused = cli("run", study)
    assert refused.code == 2
    assert "newer version (9999" in refused.err
    assert refused.err.endswith("Install a newer blind-judge.\n")
    assert rows_of(db, "SELECT version_num FROM alembic_version") == [("9999",)]
    with pytest.raises(StoreError):
        run(study)


# --- Labels from files ---------------------------------------------------------------------------------------------


def imported(cli, tmp_path, rows):
    draft = small(people=0)
    study = draft.write(tmp_path)
    file = write_rows(tmp_path / "said.jsonl", rows)
    return study, cli.well("import", "labels", file, study, "--json").json


def test_imported_labels_count_like_those_that_the_study_names(cli, tmp_path):
    labels = small().labels
    study, said = imported(cli, tmp_path / "imported", labels)
    assert said["rows"] == 12
    named = run(small().write(tmp_path / "named"))
    assert without(untimed(run(study)), "digest") == without(untimed(named), "digest")
    assert ("import", {"kind": "labels", "file": "said.jsonl", "rows": 12}) in ledger(study.parent / ".judge" / "judge.db")


def test_the_same_file_again_takes_the_place_of_what_it_said(cli, tmp_path):
    labels = small().labels
    study, _ = imported(cli, tmp_path, labels)
    write_rows(tmp_path / "said.jsonl", labels[:4])
    cli.well("import", "labels", tmp_path / "said.jsonl", study)
    assert run(study)["agreement"]["source"]["labels"] == 4


def test_a_label_that_another_file_gave_is_refused_with_both_files(cli, tmp_path):
    labels = small().labels
    study, _ = imported(cli, tmp_path, labels)
    refused = cli("import", "labels", write_rows(tmp_path / "more.jsonl", labels[:1]), study)
    assert refused.code == 2
    assert "person-0's label of pair 'q0/tuned' on 'overall' is already in said.jsonl" in refused.err
    assert str(tmp_path / "more.jsonl") in refused.err


def test_labels_stay_with_the_texts_that_they_were_given_about(cli, tmp_path):
    study, _ = imported(cli, tmp_path, small().labels)
    run(study)
    draft = small(people=0)
    draft.outputs["tuned"][0]["text"] = "A text that nobody has labelled."
    after = run(draft.write(tmp_path))
    assert after["agreement"]["source"]["labels"] == 10
    assert [warning for warning in after["warnings"] if warning["code"] == "stray_labels"] == [
        {
            "code": "stray_labels",
            "text": "2 labels are about texts that are no longer a pair of this study; they count nowhere.",
        }
    ]
    assert run(small(people=0).write(tmp_path))["agreement"]["source"]["labels"] == 12


def test_a_revised_label_is_about_the_text_of_today(tmp_path):
    draft = small()
    run(draft.write(tmp_path))
    draft.outputs["tuned"][0]["text"] = "A text that nobody has labelled."
    draft.labels[0] |= {"revision": 2}
    assert run(draft.write(tmp_path))["agreement"]["source"]["labels"] == 11


def test_a_second_candidate_with_the_same_answers_takes_no_label_away(tmp_path):
    draft = small()
    run(draft.write(tmp_path))
    draft.outputs["other"] = draft.outputs["tuned"]
    reports = [to_json(made) for made in Study.open(draft.write(tmp_path)).run().reports]
    assert [made["agreement"]["source"]["labels"] for made in reports] == [12, 0]


def test_labels_that_the_study_no_longer_names_count_no_more(tmp_path):
    run(small().write(tmp_path))
    assert run(small(people=0).write(tmp_path))["agreement"]["source"]["labels"] == 0


def test_the_labels_file_may_be_renamed(tmp_path):
    draft = small()
    study = draft.write(tmp_path)
    before = run(study)
    (tmp_path / "labels.jsonl").rename(tmp_path / "people.jsonl")
    study.write_text(study.read_text().replace("labels.jsonl", "people.jsonl"))
    assert untimed(run(study)) == untimed(before)


def test_one_of_two_labels_files_with_a_mistake_keeps_both_out(cli, tmp_path):
    labels = small().labels
    study = small(people=0).write(tmp_path)
    good, bad = write_rows(tmp_path / "good.jsonl", labels[:6]), write_rows(tmp_path / "bad.jsonl", labels[6:])
    bad.write_text(bad.read_text() + '{"pair": "q0/tuned", "annotator": "x", "label": "left"}\n')
    refused = cli("import", "labels", good, bad, study)
    assert refused.code == 2
    assert f"{bad}:7: label: 'left' is not one of" in refused.err
    assert rows_of(tmp_path / ".judge" / "judge.db", "SELECT count(*) FROM imported_label") == [(0,)]


def test_two_labels_files_that_disagree_about_whose_label_it_is_are_both_kept_out(cli, tmp_path):
    labels = small().labels
    study = small(people=0).write(tmp_path)
    one, two = write_rows(tmp_path / "one.jsonl", labels), write_rows(tmp_path / "two.jsonl", labels[:1])
    assert cli("import", "labels", one, two, study).code == 2
    assert rows_of(tmp_path / ".judge" / "judge.db", "SELECT count(*) FROM imported_label") == [(0,)]


def test_a_label_twice_without_a_revision_is_an_error(tmp_path):
    draft = small()
    draft.labels.append({**draft.labels[0], "label": "a"})
    with pytest.raises(JoinError, match="already in line 1"):
        reported(draft.write(tmp_path))


def test_four_may_open_a_new_database_at_once(tmp_path):
    failures = []

    def open_it(place):
        try:
            open_database(place).close()
        except StoreError as error:
            failures.append(error)

    for turn in range(10):
        openers = [threading.Thread(target=open_it, args=(tmp_path / f"{turn}.db",)) for _ in range(4)]
        for one in openers:
            one.start()
        for one in openers:
            one.join()
    assert not failures
