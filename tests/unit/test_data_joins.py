"""Joins are by id: unknown ids and double answers are errors, missing outputs are counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from judge import data
from judge.domain import Example, Message, Output
from judge.errors import JoinError


def example(name: str, prompt: str = "q") -> Example:
    return Example(id=name, messages=(Message(role="user", content=prompt),))


def output(example: str, arm: str, text: str | None = "t", **more: Any) -> Output:
    return Output(example=example, arm=arm, text=text, error=None if text is not None else "cut", **more)


def table(rows: list[Any], file: str) -> data.Table[Any]:
    return data.Table(rows=tuple(rows), lines=tuple(range(1, len(rows) + 1)), path=Path(file))


def test_an_unknown_pair_is_named_with_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"pair": pair, "annotator": "x", "label": "a"} for pair in ("ex-1/tuned", "ex-2/tuend")]
    Path("labels.jsonl").write_text("\n".join(map(json.dumps, rows)))
    labels = data.read_labels("labels.jsonl")
    data.check_known(labels, "pair", ["ex-1/tuned", "ex-2/tuend"], "pairs.jsonl")
    with pytest.raises(JoinError) as caught:
        data.check_known(labels, "pair", ["ex-1/tuned", "ex-2/tuned"], "pairs.jsonl")
    assert str(caught.value) == ("labels.jsonl:2: pair: no pair 'ex-2/tuend' in pairs.jsonl. Did you mean 'ex-2/tuned'?")


def test_outputs_are_joined_by_id_or_by_equal_messages() -> None:
    examples = table([example("e1", "one"), example("e2", "two")], "test.jsonl")
    by_messages = output(data.messages_id(example("?", "two").messages), "base")
    joined = data.join_outputs(table([output("e1", "base"), by_messages], "base.jsonl"), examples)
    assert [row.example for row in joined] == ["e1", "e2"]


def test_an_output_that_answers_nothing_or_twice_is_an_error() -> None:
    examples = table([example("e1", "one"), example("e2", "same"), example("e3", "same")], "test.jsonl")
    shared = data.messages_id(example("?", "same").messages)
    first = data.messages_id(example("?", "one").messages)
    for row, problem in [
        (output("e9", "base"), r"base\.jsonl:2: example: no example 'e9' in test\.jsonl"),
        (output("x-0123456789abcdef", "base"), r"base\.jsonl:2: no example with these messages"),
        (output(shared, "base"), r"base\.jsonl:2: the examples 'e2' and 'e3' in test\.jsonl have these messages"),
        (output(first, "base"), r"base\.jsonl:2: the output 'e1 / base / 0' is already in line 1"),
    ]:
        with pytest.raises(JoinError, match=problem):
            data.join_outputs(table([output("e1", "base"), row], "base.jsonl"), examples)


def test_pairs_put_the_baseline_in_a_and_count_what_is_missing() -> None:
    outputs = [
        output("e1", "base", "A"), output("e1", "tuned", "B"), output("e1", "tuned", "second", sample=1),
        output("e2", "base", None), output("e2", "tuned"), output("e3", "base"), output("e1", "other"),
    ]  # fmt: skip
    pairs, missing = data.make_pairs([example("e1"), example("e2"), example("e3")], outputs, "base", "tuned")
    assert [(pair.id, pair.text_a, pair.text_b, pair.model_a, pair.model_b) for pair in pairs] == [
        ("e1/tuned", "A", "B", "base", "tuned")
    ]
    assert missing.by_arm == {"base": ("e2",), "tuned": ("e3",)}
    assert missing.counts == {"base": 1, "tuned": 1}
    assert missing.examples == ("e2", "e3")


def test_empty_answers_make_a_pair() -> None:
    pairs, missing = data.make_pairs([example("e")], [output("e", "base", ""), output("e", "t", "")], "base", "t")
    assert pairs[0].identical and missing.counts == {"base": 0, "t": 0}


def test_pairing_refuses_double_and_unknown_answers() -> None:
    with pytest.raises(JoinError, match="answers the example 'e' twice"):
        data.make_pairs([example("e")], [output("e", "base"), output("e", "base")], "base", "t")
    with pytest.raises(JoinError, match="answers the example 'f', which is not in the test set"):
        data.make_pairs([example("e")], [output("f", "base")], "base", "t")
