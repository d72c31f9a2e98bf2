"""Whatever a user gets wrong: exit code 2, one line that says where and what to do, and nothing is taken in."""

from __future__ import annotations

import codecs
import sqlite3

import pytest

from tests.studies import Cli, Draft, reported, rows_of, small, untimed, write_rows


@pytest.fixture
def cli(capsys):
    return Cli(capsys)


def refused(result, *said):
    """One line, no traceback, exit code 2; it holds what it has to say."""
    assert result.code == 2, (result.code, result.err)
    assert result.out == ""
    assert result.err.count("\n") == 1 and result.err.startswith("judge: "), result.err
    for words in said:
        assert words in result.err
    assert result.err.rstrip().endswith((".", "?", "!"))
    assert "Traceback" not in result.err


# --- Rows of files -------------------------------------------------------------------------------------------------


def replaced(name, text):
    """Write a file anew as it stands."""
    return lambda folder: (folder / name).write_text(text)


def line(name, number, text):
    """Put a line in the place of another."""

    def change(folder):
        lines = (folder / name).read_text().split("\n")
        lines[number - 1] = text
        (folder / name).write_text("\n".join(lines))

    return change


def added(name, text):
    """Add a line at the end."""

    def change(folder):
        (folder / name).write_text((folder / name).read_text() + text + "\n")

    return change


ROWS = {
    "unknown key": (
        line("base.jsonl", 3, '{"example": "q2", "text": "x", "tokens_inn": 3}'),
        ("base.jsonl:3: tokens_inn: unknown key", "Did you mean 'tokens_in'?"),
    ),
    "wrong type": (
        line("tuned.jsonl", 2, '{"example": "q1", "text": "x", "tokens_in": "many"}'),
        ("tuned.jsonl:2: tokens_in: must be an integer, not the text 'many'",),
    ),
    "a text that is a number": (
        line("tuned.jsonl", 2, '{"example": "q1", "text": 7}'),
        ("tuned.jsonl:2: text: must be a text, not the number 7", "Put it in quotes."),
    ),
    "an output with neither text nor error": (
        line("tuned.jsonl", 2, '{"example": "q1", "text": null}'),
        ("tuned.jsonl:2: text: missing", "error"),
    ),
    "duplicate id": (
        added("test.jsonl", '{"id": "q0", "prompt": "Again?"}'),
        ("test.jsonl:7: the example 'q0' is already in line 1", "Give every row an id of its own."),
    ),
    "output twice": (
        added("tuned.jsonl", '{"example": "q0", "text": "again"}'),
        ("tuned.jsonl:7:", "already in line 1", "sample"),
    ),
    "unknown id in labels": (
        added("labels.jsonl", '{"pair": "q77/tuned", "annotator": "p", "label": "a"}'),
        ("labels.jsonl:13: pair: no pair 'q77/tuned' in study.yaml", "Did you mean"),
    ),
    "unknown id in recordings": (
        added("judge-owl.jsonl", '{"pair": "nobody", "order": "ab", "text": ""}'),
        ("judge-owl.jsonl:13: pair: no pair 'nobody'", "take this row out"),
    ),
    "unknown choice": (
        line("labels.jsonl", 1, '{"pair": "q0/tuned", "annotator": "p", "label": "tied"}'),
        ("labels.jsonl:1: label: 'tied' is not one of a, tie, b,", "Did you mean 'tie'?"),
    ),
    "broken JSON in line 7": (
        line("labels.jsonl", 7, '{"pair": "q3/tuned", "annotator": '),
        ("labels.jsonl:7: broken JSON",),
    ),
    "a list instead of an object": (line("labels.jsonl", 2, "[1, 2]"), ("labels.jsonl:2:", "object")),
    "NaN": (
        line("labels.jsonl", 2, '{"pair": "q0/tuned", "annotator": "p", "label": "a", "seconds": NaN}'),
        ("labels.jsonl:2: NaN is no JSON number",),
    ),
    "a key twice": (
        line("labels.jsonl", 2, '{"pair": "q0/tuned", "annotator": "p", "label": "a", "label": "b"}'),
        ("labels.jsonl:2: the key 'label' stands twice",),
    ),
    "half a character": (line("base.jsonl", 1, '{"example": "q0", "text": "\\ud800"}'), ("base.jsonl:1:", "half a character")),
    "empty file": (replaced("labels.jsonl", ""), ("labels.jsonl: the file is empty", "at least one row")),
    "only blank lines": (replaced("labels.jsonl", "\n \n"), ("labels.jsonl: the file is empty",)),
    "not UTF-8": (
        lambda folder: (folder / "labels.jsonl").write_bytes(b'{"pair": "q0/tuned"}\n{"pair": "caf\xe9"}\n'),
        ("labels.jsonl:2: not UTF-8: byte 0xe9", "Save the file as UTF-8."),
    ),
    "UTF-16": (
        lambda folder: (folder / "labels.jsonl").write_bytes('{"pair": "q0"}'.encode("utf-16")),
        ("labels.jsonl:1: not UTF-8: UTF-16", "Save the file as UTF-8."),
    ),
    "missing file": (
        lambda folder: (folder / "labels.jsonl").unlink(),
        ("study.yaml:6: labels: no file", "Paths start from the study file's folder."),
    ),
    "an unknown suffix": (
        lambda folder: ((folder / "labels.jsonl").rename(folder / "labels.txt"), yaml("labels", '"labels.txt"')(folder)),
        ("labels.txt: unknown suffix '.txt'", ".jsonl"),
    ),
}


def yaml(key, value, *more):
    """Put a line in study.yaml in the place of a key's."""

    def change(folder):
        path = folder / "study.yaml"
        lines = [line for line in path.read_text().splitlines() if not line.startswith(f"{key}:")]
        path.write_text("\n".join([*lines, f"{key}: {value}", *more]) + "\n")

    return change


STUDIES = {
    "unknown key": (yaml("judgse", "{}"), ("study.yaml:8: judgse: unknown key", "Did you mean 'judges'?")),
    "a key deep inside": (
        yaml("review", "{sampel: 3}"),
        ("study.yaml:7: review.sampel: unknown key", "Did you mean 'sample'?"),
    ),
    "wrong type": (yaml("review", "{sample: many}"), ("study.yaml:7: review.sample: must be an integer",)),
    "broken YAML": (yaml("name", "[1, 2"), ("study.yaml:", "broken YAML")),
    "one key twice": (lambda folder: add_text(folder / "study.yaml", 'name: "x"\n'), ("name: stands twice, first in line 1",)),
    "two judges with one name": (
        yaml("judges", "", "  owl: {recorded: judge-owl.jsonl}", "  owl: {recorded: judge-owl.jsonl}"),
        ("study.yaml:9: judges.owl: stands twice, first in line 8",),
    ),
    "a judge that is an arm": (
        yaml("arms", "{base: {baseline: true, openai: m-1}, tuned: {outputs: tuned.jsonl}}", "judges: {m: {openai: m-1}}"),
        ("judges", "stands twice"),
    ),
    "a judge that made an arm's outputs": (
        lambda folder: (
            yaml("arms", "{base: {baseline: true, outputs: base.jsonl, model: m-1}, tuned: {outputs: tuned.jsonl}}")(folder),
            yaml("judges", "{m: {openai: m-1}}")(folder),
        ),
        ("judges.m", "made the outputs of the arm 'base'", "allow_self"),
    ),
    "a judge of no kind": (yaml("judges", "{owl: {}}"), ("judges.owl", "One of openai, anthropic, recorded")),
    "no rubric": (yaml("rubric", "null"), ("rubric: missing",)),
    "an unknown rubric": (yaml("rubric", "support-replay@1"), ("support-replay@1", "support-reply@1")),
    "no baseline": (yaml("arms", "{tuned: {outputs: tuned.jsonl}}"), ("arms: no arm is the baseline", "baseline: true")),
    "pairs beside a test set": (yaml("pairs", "test.jsonl"), ("given together with pairs",)),
    "nothing": (replaced("study.yaml", ""), ("study.yaml:1: must hold keys and values",)),
}


def add_text(path, text):
    path.write_text(path.read_text() + text)


@pytest.mark.parametrize(("change", "said"), ROWS.values(), ids=ROWS)
def test_a_mistake_in_a_file_is_told_by_file_and_line_and_nothing_is_stored(cli, tmp_path, change, said):
    study = small().write(tmp_path)
    change(tmp_path)
    refused(cli("run", study), str(tmp_path), *said)
    assert not (tmp_path / ".judge").exists()


@pytest.mark.parametrize(("change", "said"), STUDIES.values(), ids=STUDIES)
def test_a_mistake_in_a_study_is_told_by_line_and_key(cli, tmp_path, change, said):
    study = small().write(tmp_path)
    change(tmp_path)
    refused(cli("run", study), *said)


@pytest.mark.parametrize("name", ["broken JSON in line 7", "duplicate id", "unknown id in labels"])
def test_a_mistake_leaves_an_earlier_run_as_it_was(cli, tmp_path, name):
    change, said = ROWS[name]
    study = small().write(tmp_path)
    cli.well("run", study)
    kept = rows_of(tmp_path / ".judge" / "judge.db", "SELECT count(*), min(id), max(id) FROM imported_label")
    change(tmp_path)
    refused(cli("run", study), *said)
    assert rows_of(tmp_path / ".judge" / "judge.db", "SELECT count(*), min(id), max(id) FROM imported_label") == kept


# --- Command lines -------------------------------------------------------------------------------------------------

LINES = {
    "an unknown command": (("jugde",), ("jugde", "--help")),
    "an unknown option": (("run", "--jsno"), ("--jsno", "`judge run --help`")),
    "an option without its value": (("run", "--db"), ("--db", "--help")),
    "a word too many": (("run", "{study}", "more"), ("more", "--help")),
    "a number that is none": (("run", "{study}", "--limit", "few"), ("--limit", "integer")),
    "a trial on nothing": (("run", "{study}", "--limit", "0"), ("--limit",)),
    "a missing study": (("run", "{folder}/nowhere.yaml"), ("nowhere.yaml: there is no such file", "judge init")),
    "a folder without a study": (("run", "{folder}/empty"), ("empty/study.yaml: there is no such file", "judge init")),
    "a study that is no study": (("run", "{folder}/test.jsonl"), ("test.jsonl",)),
    "no study here": (("run",), ("study.yaml: there is no such file", "judge init")),
    "a report of an unknown form": (("report", "{study}", "-o", "report.pdf"), ("report.pdf", ".html, .md, .json")),
    "a report without a form": (("report", "{study}", "-o", "report"), ("no form", ".html")),
    "a report into nowhere": (("report", "{study}", "-o", "{folder}/no/report.html"), ("no/report.html", "cannot be written")),
    "a report below a file": (
        ("report", "{study}", "-o", "{folder}/test.jsonl/report.html"),
        ("test.jsonl/report.html", "cannot be written"),
    ),
    "an unknown candidate": (("report", "{study}", "--candidate", "tuend"), ("no candidate 'tuend'", "Did you mean 'tuned'?")),
    "a candidate that the study lacks": (("agree", "{study}", "--candidate", "tuend"), ("tuend", "tuned")),
    "an unknown pair": (("show", "q1/tuend", "{study}"), ("no pair 'q1/tuend'", "Did you mean 'q1/tuned'?")),
    "an unknown kind of import": (
        ("import", "lables", "{folder}/labels.jsonl", "{study}"),
        ("lables", "Did you mean 'labels'?"),
    ),
    "a kind that is no import": (("import", "outputs", "{folder}/base.jsonl", "{study}"), ("outputs:` in an arm",)),
    "an import of nothing": (("import", "labels", "{study}"), ("no file to import", "judge import labels FILE")),
    "an import of no file": (("import", "labels", "{folder}/none.jsonl", "{study}"), ("none.jsonl: no such file",)),
    "an unknown kind of export": (("export", "lables", "{study}"), ("lables", "Did you mean 'labels'?")),
    "an export of an unknown form": (("export", "labels", "{study}", "-o", "labels.xlsx"), (".xlsx", ".jsonl")),
    "an export into nowhere": (("export", "labels", "{study}", "-o", "{folder}/no/l.csv"), ("no/l.csv", "cannot be written")),
    "agreement on nothing": (("agree", "--pairs", "{folder}/pairs.jsonl"), ("nothing to compare", "--labels")),
    "agreement without pairs": (("agree", "--labels", "{folder}/labels.jsonl"), ("--pairs",)),
    "agreement on no file": (("agree", "--pairs", "none.jsonl", "--labels", "{folder}/labels.jsonl"), ("none.jsonl: no such",)),
    "an unknown rule": (
        ("agree", "--pairs", "{folder}/pairs.jsonl", "--labels", "{folder}/labels.jsonl", "--people", "median"),
        ("--people: 'median' is not possible", "Did you mean 'mean'?"),
    ),
    "a rubric that is not there": (("rubric", "lint", "{folder}/none.yaml"), ("none.yaml",)),
    "a rubric that is none": (("rubric", "lint", "{study}"), ("study.yaml:", "unknown key")),
    "an unknown shipped rubric": (("rubric", "show", "suport-reply@1"), ("suport-reply@1", "support-reply@1")),
    "a study where one is": (("init", "{folder}"), ("is there already", "nothing was written", "empty folder")),
    "a study below a file": (("init", "{folder}/test.jsonl/mine"), ("cannot be written", "may write")),
    "a demo over something else": (("demo", "{folder}"), ("holds no earlier demo", "judge demo DIR")),
    "a demo in a file": (("demo", "{folder}/test.jsonl"), ("test.jsonl: Not a directory", "another place")),
    "a demo below a file": (("demo", "{folder}/test.jsonl/demo"), ("test.jsonl",)),
    "a database that is a folder": (("run", "{study}", "--db", "{folder}"), ("is a folder, not a database", "judge.db")),
    "a database that is none": (("run", "{study}", "--db", "{folder}/labels.jsonl"), ("no database of ours", "--db")),
    "a database below a file": (("run", "{study}", "--db", "{folder}/test.jsonl/j.db"), ("test.jsonl", "--db")),
    "a database whose name is too long": (("run", "{study}", "--db", "{folder}/" + "n" * 300), ("cannot be looked at", "--db")),
    "a study whose name is too long": (("run", "{folder}/" + "n" * 300), ("name too long", "another place")),
    "a database of a newer version": (("run", "{study}", "--db", "{folder}/newer.db"), ("newer version", "newer blind-judge")),
    "a database of something else": (
        ("run", "{study}", "--db", "{folder}/recipes.db"),
        ("recipes.db: the database holds something else already (the table 'recipe')", "--db"),
    ),
    "a database of another make": (("run", "{study}", "--db", "mysql://host/db"), ("'mysql' is no database we know",)),
    "an address that is none": (
        ("run", "{study}", "--db", "postgresql://me:geheim@host:port/name"),
        ("this is no address of a database", "postgresql://user@host:5432/name"),
    ),
    "a server that does not answer": (
        ("run", "{study}", "--db", "postgresql://127.0.0.1:1/none"),
        ("cannot be opened", "address"),
    ),
}


def database(path, table, row):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"CREATE TABLE {table}")
        connection.execute(f"INSERT INTO {row}")
    connection.close()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a study, its pairs as a file, an empty folder and a database from the future."""
    folder = tmp_path / "study"
    small().write(folder)
    pairs = [{"id": f"q{n}/tuned", "prompt": "?", "output_a": "x", "output_b": "y"} for n in range(6)]
    write_rows(folder / "pairs.jsonl", pairs)
    (folder / "empty").mkdir()
    database(folder / "newer.db", "alembic_version (version_num)", "alembic_version VALUES ('9999')")
    database(folder / "recipes.db", "recipe (name)", "recipe VALUES ('bread')")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return folder


@pytest.mark.parametrize(("words", "said"), LINES.values(), ids=LINES)
def test_a_mistake_in_a_command_line_is_told_in_one_line_with_a_way_out(cli, place, words, said):
    before = {path: path.read_bytes() for path in place.iterdir() if path.is_file()}
    words = [word.format(folder=place, study=place / "study.yaml") for word in words]
    refused(cli(*words), *said)
    assert {path: path.read_bytes() for path in place.iterdir() if path.is_file()} == before


# --- What is no mistake --------------------------------------------------------------------------------------------


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(tmp_path):
    plain = reported(small().write(tmp_path / "plain"))
    study = small().write(tmp_path / "windows")
    for path in study.parent.iterdir():
        path.write_bytes(codecs.BOM_UTF8 + path.read_bytes().replace(b"\n", b"\r\n"))
    assert untimed(reported(study)) == untimed(plain)


def test_a_study_whose_every_output_failed_reports_that_nothing_is_there(cli, tmp_path):
    draft = small(people=0)
    for row in draft.outputs["tuned"]:
        row.update(text=None, error="out of memory")
    draft.recordings = {}
    study = draft.write(tmp_path)
    report = cli.well("run", study, "--json").events[0]
    assert report["arms"]["tuned"]["errors"] == 6
    assert report["primary"]["value"] is None and report["primary"]["reason"]


@pytest.mark.parametrize("size", [1, 2])
def test_a_tiny_study_is_undefined_with_its_reason(cli, tmp_path, size):
    report = cli.well("run", small(["b"] * size).write(tmp_path), "--json").events[-2]
    assert report["decision"]["outcome"] == "undecided"
    assert report["primary"]["low"] is None or report["primary"]["low"] < 0.5


@pytest.mark.parametrize("kind", ["calls", "verdicts"])
def test_a_judge_in_a_file_has_to_be_declared(cli, tmp_path, kind):
    draft: Draft = small()
    draft.recordings = {}
    row = {"pair": "q0/tuned", "judge": "rook"} | ({"order": "ab", "label": "a"} if kind == "calls" else {"value": "a"})
    setattr(draft, kind, {"owl": [row]})
    refused(
        cli("run", draft.write(tmp_path)), "judge-owl.jsonl:1: judge", "'rook' is not declared in study.yaml", "judges: {rook"
    )


def test_a_password_in_an_address_is_never_printed(cli, tmp_path):
    study = small().write(tmp_path)
    for words in (("run", study), ("doctor",)):
        result = cli(*words, "--db", "postgresql://me:geheim@127.0.0.1:1/none")
        assert result.code == 2
        assert "127.0.0.1" in result.out + result.err
        assert "geheim" not in result.out + result.err
