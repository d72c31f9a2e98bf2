"""Files are read strictly: what is right is read whole, what is wrong is named with file, line, key and remedy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judge import data
from judge.domain import Message, Score
from judge.errors import FileError, JoinError, JudgeError, RowError

Write = Callable[..., Path]
CALL = {"pair": "p", "judge": "j", "order": "ab", "label": "a"}
LABEL = {"pair": "p", "annotator": "ann", "label": "a"}
VERDICT = {"pair": "p", "judge": "j", "value": "a"}
OUTPUT = {"example": "e", "arm": "base", "text": "t"}
PAIR = {"id": "p", "prompt": "q", "output_a": "x", "output_b": "y"}
SCORE = {"example": "e", "arm": "base", "source": "s", "criterion": "c", "value": 1}
RECORDING = {"pair": "p", "order": "ab", "text": "{}"}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write rows (dicts, or raw text and bytes) and give the file's relative name."""
    monkeypatch.chdir(tmp_path)

    def write(*rows: Any, name: str = "rows.jsonl") -> Path:
        lines = [row if isinstance(row, str | bytes) else json.dumps(row) for row in rows]
        raw = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
        Path(name).write_bytes(raw)
        return Path(name)

    return write


def complaint(kind: str, path: Path, error: type[JudgeError] = RowError) -> str:
    with pytest.raises(error) as caught:
        data.read(kind, path)
    return str(caught.value)


# --- Whole files -----------------------------------------------------------------------------------------------------


def test_rows_know_their_lines_and_blank_lines_are_skipped(write: Write) -> None:
    table = data.read_labels(write("", LABEL, "   ", {**LABEL, "annotator": "bob"}, ""))
    assert table.lines == (2, 4)
    assert str(table.place(1, "label")) == "rows.jsonl:4: label"


def test_a_byte_order_mark_and_carriage_returns_change_nothing(write: Write) -> None:
    plain = data.read_labels(write(LABEL, {**LABEL, "annotator": "b"}))
    raw = "\ufeff" + "\r\n".join(json.dumps(row) for row in (LABEL, {**LABEL, "annotator": "b"})) + "\r\n"
    assert data.read_labels(write(raw, name="windows.jsonl")).rows == plain.rows


def test_a_line_separator_inside_a_text_does_not_end_the_line(write: Write) -> None:
    assert data.read_examples(write('{"prompt": "a\u2028b\u0085c"}')).rows[0].messages[0].content == "a\u2028b\u0085c"


def test_bytes_that_are_not_utf8_are_named_by_offset_and_line(write: Write) -> None:
    path = write('{"prompt": "a"}', b'{"prompt": "\xe4"}')
    assert complaint("examples", path, FileError) == (
        "rows.jsonl:2: not UTF-8: byte 0xe4 at offset 28. Save the file as UTF-8."
    )
    assert "UTF-16" in complaint("examples", write("{}".encode("utf-16")), FileError)


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_an_empty_file_is_an_error(write: Write, content: str) -> None:
    assert "rows.jsonl: the file is empty" in complaint("examples", write(content), FileError)


def test_a_csv_file_with_a_header_only_has_no_rows(write: Write) -> None:
    assert "the file has no rows" in complaint("examples", write("id,prompt", name="rows.csv"), FileError)


def test_parquet_and_unknown_suffixes_name_the_forms_that_are_read(write: Write) -> None:
    for name in ("rows.parquet", "rows.txt"):
        text = complaint("examples", write("x", name=name), FileError)
        assert ".jsonl" in text and ".csv" in text
    with pytest.raises(FileError, match=r"JSON lines \(\.jsonl\) or CSV"):
        data.write("examples", [], "rows.parquet")


def test_a_missing_file_and_an_unknown_kind_are_errors() -> None:
    with pytest.raises(FileError, match=r"nowhere\.jsonl: no such file"):
        data.read_examples("nowhere.jsonl")
    with pytest.raises(FileError, match=r"unknown kind of file 'label'\. Did you mean 'labels'\?"):
        data.read("label", Path("x.jsonl"))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "rows.jsonl:7: broken JSON: "),
        ("[]", "rows.jsonl:7: must be an object, not a list"),
        ('"x"', "rows.jsonl:7: must be an object, not the text 'x'"),
        ('{"prompt": "a", "prompt": "b"}', "rows.jsonl:7: the key 'prompt' stands twice in one object"),
        ('{"prompt": "a", "meta": {"x": NaN}}', "rows.jsonl:7: NaN is no JSON number"),
        ('{"prompt": "a", "meta": {"x": -Infinity}}', "rows.jsonl:7: -Infinity is no JSON number"),
        ('{"prompt": "a", "meta": {"x": 1e999}}', "rows.jsonl:7: the number 1e999 is too large"),
        ('{"prompt": "\\udc00"}', "rows.jsonl:7: a text holds half a character"),
        ('{"promt": "a"}', "rows.jsonl:7: promt: unknown key. Did you mean 'prompt'?"),
        ('{"prompt": 5}', "rows.jsonl:7: prompt: must be a text, not the number 5. Put it in quotes."),
        ('{"id": 5, "prompt": "a"}', "rows.jsonl:7: id: must be a text, not the number 5. Put it in quotes."),
        ('{"id": "", "prompt": "a"}', "rows.jsonl:7: id: must not be empty."),
        ('{"prompt": "a", "tags": ["x", 1]}', "rows.jsonl:7: tags: must be a list of texts"),
        ('{"prompt": "a", "meta": []}', "rows.jsonl:7: meta: must be a mapping, not a list"),
        ('{"id": "x"}', "rows.jsonl:7: messages: missing. Give prompt (a text) or messages"),
        ('{"prompt": null}', "rows.jsonl:7: messages: missing"),
    ],
)
def test_one_bad_line_is_named(write: Write, line: str, problem: str) -> None:
    good = [{"prompt": f"p{index}"} for index in range(6)]
    assert complaint("examples", write(*good, line)).startswith(problem)


def test_a_failed_write_leaves_the_old_file(write: Write) -> None:
    path = write(LABEL)
    before = path.read_bytes()
    broken = Score(example="e", arm="a", source="s", criterion="c", value=float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        data.write("scores", [broken], path)
    assert path.read_bytes() == before
    assert [entry.name for entry in Path().iterdir()] == ["rows.jsonl"]
    with pytest.raises(FileError, match="cannot be written"):
        data.write("labels", data.read_labels(path), "no/folder.jsonl")


# --- Examples, outputs, pairs ----------------------------------------------------------------------------------------


def test_a_prompt_is_one_user_turn_and_names_the_example(write: Write) -> None:
    first, second = data.read_examples(write({"prompt": "Hi"}, {"messages": [{"role": "user", "content": "Ho"}]}))
    assert first.messages == (Message(role="user", content="Hi"),)
    assert first.id == data.messages_id(first.messages) and first.id.startswith("x-") and len(first.id) == 18
    assert second.id != first.id


def test_a_last_assistant_turn_is_the_reference_and_not_shown(write: Write) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "r"}]
    (example,) = data.read_examples(write({"messages": turns}))
    assert (example.reference, len(example.messages)) == ("r", 1)
    assert example.id == data.read_examples(write({"prompt": "q"})).rows[0].id
    assert data.read_examples(write({"messages": turns, "reference": "r"})).rows[0].reference == "r"
    assert "differs from the assistant turn" in complaint("examples", write({"messages": turns, "reference": "s"}))


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([], "messages: must be a list of {role, content}"),
        ("hello", "messages: must be a list of {role, content}, not the text 'hello'"),
        ([{"role": "system", "content": "s"}], "messages: no user turn to answer"),
        ([{"role": "assistant", "content": "s"}], "messages: no user turn to answer"),
        ([{"role": "tool", "content": "s"}], "messages[0].role: the text 'tool' is not one of system, user, assistant"),
        ([{"role": "user", "content": None}], "messages[0].content: must be a text, not null"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content: must be a text, not a list"),
        ([{"role": "user", "content": "x", "name": "n"}], "messages[0].name: unknown key"),
        (["user"], "messages[0]: must be {role, content}"),
    ],
)
def test_broken_messages_are_named_by_turn(write: Write, messages: Any, problem: str) -> None:
    assert complaint("examples", write({"messages": messages})).startswith(f"rows.jsonl:1: {problem}")


def test_two_equal_examples_without_ids_are_an_error_but_not_in_training_data(write: Write) -> None:
    path = write({"prompt": "q"}, {"prompt": "other"}, {"prompt": "q"})
    text = complaint("examples", path, JoinError)
    assert text.startswith("rows.jsonl:3: the example 'x-") and "already in line 1. Give every row an id" in text
    assert len(data.read_examples(path, twice=True)) == 3


def test_an_output_has_a_text_or_an_error(write: Write) -> None:
    rows = [OUTPUT, {**OUTPUT, "example": "f", "text": ""}, {**OUTPUT, "example": "g", "text": None, "error": "cut"}]
    assert [row.text for row in data.read_outputs(write(*rows))] == ["t", "", None]
    assert "text: missing" in complaint("outputs", write({**OUTPUT, "text": None}))
    assert "error: given together with text" in complaint("outputs", write({**OUTPUT, "error": "e"}))


def test_the_arm_may_be_left_out_of_its_own_file(write: Write) -> None:
    bare = {"example": "e", "text": "t"}
    assert data.read_outputs(write(bare), arm="tuned").rows[0].arm == "tuned"
    assert "arm: missing" in complaint("outputs", write(bare))
    with pytest.raises(RowError, match=r"rows\.jsonl:1: arm: the text 'base' in a file of 'tuned'"):
        data.read_outputs(write(OUTPUT), arm="tuned")


def test_pairs_of_one_example_must_show_the_same_example(write: Write) -> None:
    second = {**PAIR, "id": "q"}
    assert len(data.read_pairs(write(PAIR, second))) == 2
    with pytest.raises(JoinError, match=r"rows\.jsonl:2: example 'x-\w+' has another prompt, reference or group"):
        data.read_pairs(write(PAIR, {**second, "reference": "r"}))
    assert "output_b: missing" in complaint("pairs", write({**PAIR, "output_b": None}))


def test_a_shot_ends_with_an_answer(write: Write) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    assert len(data.read_few_shot(write({"messages": turns})).rows[0]) == 2
    with pytest.raises(RowError, match="a shot ends with the assistant's answer"):
        data.read_few_shot(write({"messages": turns[:1]}))


# --- Calls, verdicts, labels, scores, recordings ---------------------------------------------------------------------


def test_other_names_and_capital_letters_are_read(write: Write) -> None:
    (call,) = data.read_calls(write({"item": "p", "judge": "j", "order": "ba", "run": 3, "label": "B"}))
    assert (call.pair, call.repeat, call.value) == ("p", 3, "b")
    (label,) = data.read_labels(write({"item": "p", "rater": "h1", "label": "A"}))
    assert (label.pair, label.annotator, label.choice) == ("p", "h1", "a")
    assert "item: means the same as pair" in complaint("labels", write({**LABEL, "item": "p"}))


def test_a_call_without_a_label_keeps_its_reason(write: Write) -> None:
    rows = [{**CALL, "label": None}, {**CALL, "label": None, "order": "ba", "reason": "refused"}]
    assert [(row.value, row.reason) for row in data.read_calls(write(*rows))] == [(None, "unstated"), (None, "refused")]


@pytest.mark.parametrize(
    ("kind", "row", "problem"),
    [
        ("calls", {**CALL, "label": None, "reason": "bored"}, "reason: 'bored' is not one of refused"),
        ("calls", {**CALL, "reason": "refused"}, "reason: given together with a label"),
        ("calls", {**CALL, "label": "Tie"}, "label: 'Tie' is not one of a, tie, b. Did you mean 'tie'?"),
        ("calls", {key: CALL[key] for key in ("pair", "judge", "order")}, "label: missing"),
        ("calls", {**CALL, "order": "a"}, "order: 'a' is not one of ab, ba"),
        ("calls", {**CALL, "repeat": 0}, "repeat: must be at least 1, not the number 0"),
        ("calls", {**CALL, "repeat": True}, "repeat: must be an integer, not true"),
        ("calls", {**CALL, "repeat": 1.5}, "repeat: must be an integer, not the number 1.5"),
        ("calls", {**CALL, "score": 1.2}, "score: must be between 0 and 1"),
        ("calls", {**CALL, "label": None, "score": 0.5}, "score: given without a label"),
        ("calls", {**CALL, "tokens_in": -1}, "tokens_in: must be at least 0"),
        ("calls", {**CALL, "a_pass": True}, "a_pass: overall is no check"),
        ("calls", {**CALL, "criterion": "c", "a_pass": True, "b_pass": True}, "label: 'a' contradicts a_pass and b_pass"),
        ("calls", {**CALL, "criterion": "c", "a_pass": True}, "label: 'a' contradicts a_pass and b_pass"),
        ("calls", {**CALL, "criterion": "c", "a_pass": "yes"}, "a_pass: must be true or false"),
        ("verdicts", {**VERDICT, "score": 0.75}, "score: 0.75 contradicts the value 'a'. 1 says that b is preferred"),
        ("verdicts", {**VERDICT, "value": "b", "score": 0.25}, "score: 0.25 contradicts the value 'b'"),
        ("verdicts", {**VERDICT, "basis": "split"}, "basis: 'split' does not go with value a"),
        ("verdicts", {**VERDICT, "value": None, "basis": "agreed"}, "basis: 'agreed' does not go with value null"),
        ("verdicts", {**VERDICT, "value": None, "score": 0.5}, "score: given without anything usable"),
        ("labels", {**LABEL, "seconds": -1}, "seconds: must be at least 0"),
        ("labels", {**LABEL, "probability": 0}, "probability: must be above 0 and at most 1"),
        ("labels", {**LABEL, "probability": 1.1}, "probability: must be above 0 and at most 1"),
        ("labels", {**LABEL, "label": None}, "label: missing"),
        ("labels", {**LABEL, "left": "c"}, "left: 'c' is not one of a, b"),
        ("labels", {**LABEL, "kind": "reel"}, "kind: 'reel' is not one of real"),
        ("labels", {**LABEL, "criterion": "c", "a_pass": False, "b_pass": True}, "label: 'a' contradicts"),
        ("scores", {**SCORE, "value": "1"}, "value: must be a number, not the text '1'"),
        ("scores", {**SCORE, "reason": "refused"}, "reason: given together with a value"),
        ("recordings", {**RECORDING, "text": {}}, "text: must be a text, not a mapping"),
        ("recordings", {**RECORDING, "text": None}, "text: missing"),
    ],
)
def test_what_contradicts_itself_is_an_error(write: Write, kind: str, row: dict[str, Any], problem: str) -> None:
    assert complaint(kind, write(row)).startswith(f"rows.jsonl:1: {problem}")


@pytest.mark.parametrize(
    ("a_pass", "b_pass", "value"),
    [(True, True, "tie"), (False, False, "tie"), (True, False, "a"), (False, True, "b"), (True, None, None)],
)
def test_the_label_of_a_check_follows(write: Write, a_pass: bool, b_pass: bool | None, value: str | None) -> None:
    check = {"pair": "p", "criterion": "safe", "a_pass": a_pass, "b_pass": b_pass}
    (call,) = data.read_calls(write({**check, "judge": "j", "order": "ab"}))
    assert (call.value, call.reason) == (value, None if value else "unstated")
    (label,) = data.read_labels(write({**check, "annotator": "x"}))
    assert label.value == value
    assert data.read_verdicts(write({**check, "judge": "j"})).rows[0].value == value


def test_a_verdict_without_basis_or_score_gets_what_its_value_says(write: Write) -> None:
    rows = [VERDICT, {**VERDICT, "pair": "q", "value": None, "reason": "one_order", "score": 1}]
    first, second = data.read_verdicts(write(*rows))
    assert (first.basis, first.score) == ("single", 0.0)
    assert (second.basis, second.score, second.reason) == ("one_order", 1.0, "one_order")


@pytest.mark.parametrize(
    ("kind", "row", "further"),
    [
        ("calls", CALL, {"repeat": 2}),
        ("labels", LABEL, {"revision": 2}),
        ("outputs", OUTPUT, {"sample": 1}),
        ("recordings", RECORDING, {"repeat": 2}),
        ("verdicts", VERDICT, {"criterion": "c"}),
        ("scores", SCORE, {"criterion": "d"}),
        ("pairs", PAIR, {"id": "p2"}),
    ],
)
def test_the_same_thing_twice_is_an_error_with_both_lines(
    write: Write, kind: str, row: dict[str, Any], further: dict[str, Any]
) -> None:
    assert len(data.read(kind, write(row, {**row, **further}))) == 2
    text = complaint(kind, write(row, "", row), JoinError)
    assert text.startswith("rows.jsonl:3: ") and "is already in line 1" in text


# --- CSV -------------------------------------------------------------------------------------------------------------


def test_csv_cells_say_absent_empty_and_escaped(write: Write) -> None:
    path = write(
        "example,arm,text,sample,meta,finish",
        'e,base,"""""",1,"{""k"": [1]}",',
        "f,base,'=1+1,,,stop",
        "g,base,'tis,2,,",
        name="rows.csv",
    )
    first, second, third = data.read_outputs(path)
    assert (first.text, first.sample, first.meta, first.finish) == ("", 1, {"k": [1]}, None)
    assert (second.text, second.sample, second.finish) == ("=1+1", 0, "stop")
    assert third.text == "'tis"


def test_an_empty_label_cell_is_null_and_line_numbers_survive_long_cells(write: Write) -> None:
    path = write("pair,judge,order,label,rationale", 'p,j,ab,,"one\ntwo"', "p,j,ba,B,", name="rows.csv")
    table = data.read_calls(path)
    assert [row.reason for row in table] == ["unstated", None]
    assert table.lines == (2, 4)


def test_a_text_that_a_spreadsheet_would_run_is_escaped(write: Write) -> None:
    data.write("examples", data.read_examples(write({"id": "@x", "prompt": "=HYPERLINK(1)"})), "out.csv")
    assert Path("out.csv").read_text().splitlines()[1].startswith("'@x,'=HYPERLINK(1),")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["id,promt", "x,y"], "rows.csv:1: promt: unknown column. Did you mean 'prompt'?"),
        (["id;prompt", "x;y"], "rows.csv:1: id;prompt: unknown column. Separate the cells by commas."),
        (["id,id", "x,y"], "rows.csv:1: id: this column stands twice."),
        (["id,prompt", "x,y,z"], "rows.csv:2: 3 cells under 2 columns"),
        (["id,prompt", 'x,"y'], "rows.csv:2: broken CSV"),
        (["prompt,tags", 'x,"[1"'], "rows.csv:2: tags: cell '[1': broken JSON"),
        (["prompt,tags", "x,5"], "rows.csv:2: tags: must be a list of texts, not the number 5"),
    ],
)
def test_broken_csv_is_named_by_line_and_column(write: Write, rows: list[str], problem: str) -> None:
    assert complaint("examples", write(*rows, name="rows.csv")).startswith(problem)


def test_true_and_false_as_spreadsheets_write_them(write: Write) -> None:
    path = write("pair,annotator,label,unblinded", "p,x,a,TRUE", name="rows.csv")
    assert data.read_labels(path).rows[0].unblinded is True


def test_a_cell_may_be_longer_than_the_csv_module_likes(write: Write) -> None:
    long = "x" * 200_000
    assert data.read_examples(write("prompt", long, name="rows.csv")).rows[0].messages[0].content == long
