"""The smallest studies that show a point, written as files, and commands run on them as a user would."""

from __future__ import annotations

import copy
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

Row = dict[str, Any]
RUBRIC = {
    "rubric": "short",
    "task": "Somebody asked a question; the answer should be right.",
    "overall": "Which answer would a careful reader rather get?",
    "criteria": {"right": {"question": "Is what it says right?"}},
}
SHOWN = {("a", "ab"): "first", ("b", "ab"): "second", ("a", "ba"): "second", ("b", "ba"): "first"}
OTHER = {"a": "b", "b": "a", "tie": "tie", "ab": "ba", "ba": "ab"}


def answer(value: str, order: str, reasons: str = "As it says.", criteria: Sequence[str] = ("right",)) -> str:
    """A judge's raw answer that says `value` (a, b or tie) on everything asked."""
    said = {"reasons": reasons, "choice": SHOWN.get((value, order), "tie")}
    return json.dumps({"criteria": dict.fromkeys(criteria, said), "overall": said})


def recording(pair: str, order: str, value: str | None, **more: Any) -> Row:
    """One recorded answer; `value` None is a refusal unless `text` or `error` says otherwise."""
    if value is None and not {"text", "error"} & set(more):
        more["error"] = "refused by the model"
    return {"pair": pair, "order": order, **({} if value is None else {"text": answer(value, order)}), **more}


@dataclass
class Draft:
    """A study as plain rows: change them as you like, then `write` them."""

    examples: list[Row]
    outputs: dict[str, list[Row]]  # by arm; the first is the baseline
    recordings: dict[str, list[Row]] = field(default_factory=dict)  # by judge
    calls: dict[str, list[Row]] = field(default_factory=dict)
    verdicts: dict[str, list[Row]] = field(default_factory=dict)
    labels: list[Row] = field(default_factory=list)
    rubric: Row = field(default_factory=lambda: copy.deepcopy(RUBRIC))
    config: Row = field(default_factory=dict)

    def copy(self) -> Draft:
        return copy.deepcopy(self)

    def files(self) -> dict[str, list[Row]]:
        """Every file of rows by its name."""
        named: dict[str, list[Row]] = {"test.jsonl": self.examples}
        named |= {f"{arm}.jsonl": rows for arm, rows in self.outputs.items()}
        for kind in (self.recordings, self.calls, self.verdicts):
            named |= {f"judge-{judge}.jsonl": rows for judge, rows in kind.items()}
        return named | ({"labels.jsonl": self.labels} if self.labels else {})

    def study(self) -> Row:
        """What study.yaml holds."""
        baseline, *candidates = self.outputs
        arms = {baseline: {"baseline": True, "outputs": f"{baseline}.jsonl"}}
        arms |= {arm: {"outputs": f"{arm}.jsonl"} for arm in candidates}
        judges = {
            name: {kind: f"judge-{name}.jsonl"}
            for kind, named in (("recorded", self.recordings), ("calls", self.calls), ("verdicts", self.verdicts))
            for name in named
        }
        made: Row = {"name": "small", "test": "test.jsonl", "arms": arms, "rubric": "rubric.yaml"}
        made |= {"judges": judges} if judges else {"primary": "win_rate"}
        made |= {"labels": "labels.jsonl"} if self.labels else {}
        return made | {"review": {"sample": len(self.examples), "labels_per_item": 2}} | self.config

    def write(self, folder: Path) -> Path:
        """Write every file; give study.yaml.  JSON is YAML, one key a line so that errors have their own lines."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.files().items():
            write_rows(folder / name, rows)
        (folder / "rubric.yaml").write_text(json.dumps(self.rubric, indent=1))
        path = folder / "study.yaml"
        path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in self.study().items()))
        return path


def write_rows(path: Path, rows: Iterable[Row]) -> Path:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


def small(
    values: Sequence[str | None] = ("b", "b", "tie", "a", "b", "b"), *, judges: Sequence[str] = ("owl",), people: int = 2
) -> Draft:
    """A study with one pair for each value: the judges say it in both orders (None: refuse), and so do the people."""
    ids = [f"q{n}" for n in range(len(values))]
    return Draft(
        examples=[{"id": id_, "prompt": f"Question {id_}?"} for id_ in ids],
        outputs={
            "base": [{"example": id_, "text": f"An old answer to {id_}."} for id_ in ids],
            "tuned": [{"example": id_, "text": f"A newer answer to {id_}."} for id_ in ids],
        },
        recordings={
            judge: [
                recording(f"{id_}/tuned", order, value)
                for id_, value in zip(ids, values, strict=True)
                for order in ("ab", "ba")
            ]
            for judge in judges
        },
        labels=[
            {"pair": f"{id_}/tuned", "annotator": f"person-{n}", "label": value or "cannot_judge"}
            for id_, value in zip(ids, values, strict=True)
            for n in range(people)
        ],
    )


def swapped(draft: Draft) -> Draft:
    """The same study with the two arms' places taken by one another, everywhere; pairs keep their ids."""
    turned = draft.copy()
    first, second = draft.outputs
    turned.outputs = {first: draft.outputs[second], second: draft.outputs[first]}
    for name, rows in draft.recordings.items():
        # What was shown first stays first: only its storage name changes, and with it the order's.
        turned.recordings[name] = [{**row, "order": OTHER[row["order"]]} for row in rows]
    for name, rows in draft.calls.items():
        turned.calls[name] = [{**row, "order": OTHER[row["order"]], "label": OTHER.get(row["label"] or "")} for row in rows]
    turned.labels = [
        {**row, "label": OTHER.get(row["label"], row["label"])} | ({"left": OTHER[row["left"]]} if "left" in row else {})
        for row in draft.labels
    ]
    return turned


# --- Running -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        (line,) = self.out.splitlines()
        return strict_json(line)

    @property
    def events(self) -> list[Any]:
        """The objects on standard output, one a line."""
        return [strict_json(line) for line in self.out.splitlines()]


class Cli:
    """The command line in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Result:
        from judge.cli.app import run

        self._capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        said = self._capsys.readouterr()
        return Result(code, said.out, said.err)

    def well(self, *arguments: str | Path) -> Result:
        """Run what has to go well."""
        result = self(*arguments)
        assert result.code == 0, result.err
        return result


def started(*arguments: str | Path, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "judge", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False, **options)


def strict_json(text: str) -> Any:
    """Read JSON that has no NaN in it."""

    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


# --- Looking -----------------------------------------------------------------------------------------------------------

TIMES = ("at", "made_at")


def untimed(document: Any) -> Any:
    """A document without its times."""
    match document:
        case dict():
            return {key: untimed(value) for key, value in document.items() if key not in TIMES}
        case list():
            return [untimed(value) for value in document]
        case _:
            return document


def without(document: Any, *keys: str) -> Any:
    """A document without these keys, at any depth."""
    match document:
        case dict():
            return {key: without(value, *keys) for key, value in document.items() if key not in keys}
        case list():
            return [without(value, *keys) for value in document]
        case _:
            return document


def estimates(document: Any, trail: str = "") -> Iterable[tuple[str, Row]]:
    """Every `Est` of a document with its place."""
    if isinstance(document, dict):
        if {"value", "low", "high"} <= set(document):
            yield trail, document
        for key, value in document.items():
            yield from estimates(value, f"{trail}.{key}")
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from estimates(value, f"{trail}[{index}]")


def rows_of(db: Path, query: str) -> list[tuple[Any, ...]]:
    """Ask the database file behind the program's back."""
    with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def ledger(db: Path) -> list[tuple[str, Row]]:
    """The events of the ledger in order: kind, what."""
    return [(kind, json.loads(what)) for kind, what in rows_of(db, "SELECT kind, what FROM event ORDER BY id")]


def ticking(step: timedelta = timedelta(minutes=1)) -> Callable[[], datetime]:
    """A clock that moves on by one step whenever it is read."""
    now = [datetime(2026, 11, 20, 9, tzinfo=UTC)]

    def clock() -> datetime:
        now[0] += step
        return now[0]

    return clock


def reported(study: Path, *, db: Path | str | None = None, clock: Callable[[], datetime] | None = None) -> Mapping[str, Any]:
    """Run a study and give its report as a document."""
    from judge import Study
    from judge.decision.report import to_json

    opened = Study.open(study, db=None if db is None else str(db), clock=clock or ticking())
    return to_json(opened.run().reports[0])
