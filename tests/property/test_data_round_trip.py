"""Whatever is written is read back equal, in both forms, whatever the texts hold."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from judge import data
from judge.domain import (
    CHOICES,
    SCORE,
    Example,
    Finish,
    Kind,
    Label,
    Message,
    Output,
    Pair,
    Reading,
    Reason,
    Recording,
    Score,
    Verdict,
)
from judge.errors import JudgeError

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30) | st.sampled_from(
    ["", '""', "'", "''", "'\"\"", "=1+1", "-5", "@x", "\tx", "+", "null", "a,b", 'say "x"', "\r", "\r\n", "a\nb",
     "\ufeff", "\x00", "\u2028"]
)  # fmt: skip
names = texts.filter(str.strip)
optional_texts, optional_names = st.none() | texts, st.none() | names
counts = st.none() | st.integers(0, 2**53 - 1)
seconds = st.none() | st.floats(0, 1e9)
shares = st.none() | st.floats(0, 1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
printable = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=30)
settings_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | printable,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(printable, inner, max_size=3),
    max_leaves=5,
)
metas = st.dictionaries(texts, json_values, max_size=3)
finishes = st.none() | st.sampled_from(get_args(Finish))
reasons = st.sampled_from(get_args(Reason))
orders = st.sampled_from(["ab", "ba"])
criteria = st.just("overall") | names.filter(lambda name: name != "overall")


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    turns = st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=texts)
    return (*draw(st.lists(turns, max_size=3)), Message(role="user", content=draw(texts)))


examples = st.builds(
    Example,
    id=names,
    messages=conversations(),
    reference=optional_texts,
    group=optional_names,
    tags=st.lists(texts, max_size=3).map(tuple),
    meta=metas,
)


@st.composite
def outputs(draw: st.DrawFn) -> Output:
    text, error = draw(st.tuples(texts, st.none()) | st.tuples(st.none(), names))
    return Output(
        example=draw(names), arm=draw(names), text=text, error=error, sample=draw(st.integers(0, 9)),
        finish=draw(finishes),
        tokens_in=draw(counts), tokens_out=draw(counts), latency_s=draw(seconds),
        reasoning=draw(optional_texts), meta=draw(metas),
    )  # fmt: skip


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    meta = draw(metas)
    item = Example(
        id=draw(names), messages=draw(conversations()), reference=draw(optional_texts), group=draw(optional_names), meta=meta
    )
    return Pair(
        id=draw(names), example=item, text_a=draw(texts), text_b=draw(texts), model_a=draw(optional_names),
        model_b=draw(optional_names), meta=meta,
    )  # fmt: skip


@st.composite
def judged(draw: st.DrawFn) -> dict[str, Any]:
    """A value with its reason, and the results of a check when it is one."""
    criterion = draw(criteria)
    if criterion != "overall" and draw(st.booleans()):
        a_pass, b_pass = draw(st.sampled_from([(True, True), (True, False), (False, True), (False, None), (None, True)]))
        known = a_pass is not None and b_pass is not None
        value = ("tie" if a_pass == b_pass else "a" if a_pass else "b") if known else None
    else:
        a_pass, b_pass, value = None, None, draw(st.sampled_from(["a", "tie", "b", None]))
    return {"criterion": criterion, "a_pass": a_pass, "b_pass": b_pass, "value": value}


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    about = draw(judged())
    usable = about["value"] is not None
    return Reading(
        **about, pair=draw(names), judge=draw(names), order=draw(orders), repeat=draw(st.integers(1, 9)),
        reason=None if usable else draw(reasons), score=draw(shares) if usable else None, rationale=draw(optional_texts),
        rubric=draw(optional_names), model=draw(optional_names), request_id=draw(optional_names), tokens_in=draw(counts),
        tokens_out=draw(counts), cost_usd=draw(seconds), digest=draw(optional_names),
    )  # fmt: skip


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    about = draw(judged())
    value = about["value"]
    bases = {None: ["one_order", "unscored"], "tie": ["agreed", "single", "split", "identical"]}
    basis = draw(st.sampled_from(bases.get(value, ["agreed", "single"])))
    on_its_side = {"a": st.floats(0, 0.5), "b": st.floats(0.5, 1)}.get(value, st.floats(0, 1))
    score = {"unscored": st.none(), "one_order": shares}.get(basis, on_its_side | st.just(SCORE.get(value)))
    reason = {"unscored": reasons, "one_order": st.just("one_order")}.get(basis, st.none())
    return Verdict(
        **about, pair=draw(names), judge=draw(names), basis=basis, score=draw(score), reason=draw(reason),
        rubric=draw(optional_names),
    )  # fmt: skip


@st.composite
def labels(draw: st.DrawFn) -> Label:
    about = draw(judged())
    value = about.pop("value")
    if about["a_pass"] is None and about["b_pass"] is None:
        choice = draw(st.sampled_from(CHOICES))
    else:
        same = {"tie": ["tie", "both_bad"], None: ["cannot_judge", "skipped"]}
        choice = draw(st.sampled_from(same.get(value, [value])))
    return Label(
        **about, pair=draw(names), annotator=draw(names), choice=choice, left=draw(st.sampled_from(["a", "b", None])),
        strength=draw(counts), comment=draw(optional_texts), seconds=draw(seconds), revision=draw(st.integers(1, 9)),
        kind=draw(st.sampled_from(get_args(Kind))),
        flags=draw(st.lists(texts, max_size=2).map(tuple)),
        unblinded=draw(st.booleans()),
        probability=draw(st.none() | st.floats(0, 1, exclude_min=True)), rubric=draw(optional_names),
    )  # fmt: skip


@st.composite
def scores(draw: st.DrawFn) -> Score:
    value = draw(st.none() | st.floats(-1e9, 1e9))
    return Score(
        example=draw(names), arm=draw(names), source=draw(names), criterion=draw(names), value=value,
        sample=draw(st.integers(0, 9)), reason=draw(reasons) if value is None else None, rubric=draw(optional_names),
    )  # fmt: skip


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    text, error = draw(st.tuples(texts, st.none()) | st.tuples(st.none(), names))
    return Recording(
        pair=draw(names), order=draw(orders), text=text, error=error, judge=draw(optional_names),
        repeat=draw(st.integers(1, 9)), finish=draw(finishes), tokens_in=draw(counts), tokens_out=draw(counts),
        latency_s=draw(seconds), model=draw(optional_names), rubric=draw(optional_names),
    )  # fmt: skip


ROWS: dict[str, st.SearchStrategy[Any]] = {
    "examples": examples,
    "outputs": outputs(),
    "pairs": pairs(),
    "calls": readings(),
    "verdicts": verdicts(),
    "labels": labels(),
    "scores": scores(),
    "recordings": recordings(),
}


def unlike(kind: str, rows: list[Any]) -> list[Any]:
    """Leave out rows that a file may not hold together."""
    key = data.KINDS[kind].key
    assert key is not None
    chosen = {key(row): row for row in rows}
    if kind == "pairs":
        chosen = {pair.example.id: pair for pair in chosen.values()}
    return list(chosen.values())


def test_every_kind_has_rows_to_try() -> None:
    assert set(ROWS) == set(data.KINDS)


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
@pytest.mark.parametrize("kind", sorted(ROWS))
@settings(max_examples=60, deadline=None)
@given(source=st.data())
def test_what_is_written_is_read_back_equal(kind: str, suffix: str, source: st.DataObject) -> None:
    rows = unlike(kind, source.draw(st.lists(ROWS[kind], min_size=1, max_size=4)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows.{suffix}"
        data.write(kind, rows, path)
        assert list(data.read(kind, path)) == rows
        again = path.read_bytes()
        data.write(kind, data.read(kind, path), path)
        assert path.read_bytes() == again


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(
        str.encode,
    )
    | json_values.map(lambda v: json.dumps(v).encode())
)
@example(b"\xff\xfe\x00")
@example(b'{"id": "\\ud800", "prompt": "p"}')
@example(b"[" * 100_000)
@example(b'{"prompt": "p", "meta": {"x": 1e999}}')
def test_any_bytes_are_read_or_refused_with_a_place_but_never_crash(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("jsonl", "csv"):
            path = Path(folder) / f"rows.{suffix}"
            path.write_bytes(raw)
            try:
                table = data.read("examples", path)
            except JudgeError as error:
                assert "rows." in str(error) and "\n" not in str(error)
            else:
                assert len(table) == len(table.lines) > 0


@settings(max_examples=100, deadline=None)
@given(st.lists(examples, min_size=1, max_size=3))
def test_a_stream_gets_the_same_text_as_a_file(rows: list[Example]) -> None:
    stream = io.StringIO(newline="")
    data.write("examples", rows, stream)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.ndjson"
        data.write("examples", rows, path)
        assert path.read_bytes() == stream.getvalue().encode()


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(printable.filter(str.strip), settings_values, min_size=1, max_size=4))
def test_yaml_that_is_written_is_read_back_equal(values: dict[str, Any]) -> None:
    text = data.dump_yaml(values)
    assert data.parse_yaml(text, "x.yaml").values == values
