"""Every kind of file: read strictly into tables, written so that reading gives the same back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TextIO, TypeAlias, TypeVar

from judge.data import judged
from judge.data.compared import EXAMPLES, OUTPUTS, PAIRS, SHOTS
from judge.data.csv_cells import csv_rows, csv_text
from judge.data.fields import Fields, described
from judge.data.kind import Kind
from judge.data.strict_json import NotJson, dump_json, parse_json
from judge.data.table import Table
from judge.data.text_file import read_text, write_text
from judge.domain import Example, Label, Message, Output, Pair, Reading, Recording, Score, Verdict
from judge.errors import FileError, JoinError, Place, RowError, did_you_mean

T = TypeVar("T")
Form: TypeAlias = Literal["jsonl", "csv"]

KINDS: Final[Mapping[str, Kind[Any]]] = {
    "examples": EXAMPLES,
    "outputs": OUTPUTS,
    "pairs": PAIRS,
    "calls": judged.CALLS,
    "verdicts": judged.VERDICTS,
    "labels": judged.LABELS,
    "scores": judged.SCORES,
    "recordings": judged.RECORDINGS,
}
"""The names that `judge import` and `judge export` know."""

FORMS: Final[Mapping[str, Form]] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
"""How a file is written, by its suffix."""

_LETTERS: Final = {"A": "a", "B": "b"}


def read(kind: str, path: Path | str) -> Table[Any]:
    """Read one file of a kind that `KINDS` names.

    Raises FileError for a file that cannot be read, RowError (with line and key) for a row that breaks a rule, JoinError
    for a row that comes twice.
    """
    return read_kind(_known_kind(kind), Path(path))


def read_kind(kind: Kind[T], path: Path, *, defaults: Mapping[str, Any] | None = None, twice: bool = False) -> Table[T]:
    """Read one file of a kind.

    defaults: values for keys that a row may leave out; another value there is an error.  twice: rows may come again.
    """
    form = _form(path)
    text = read_text(path)
    if not text.strip():
        raise FileError("the file is empty", at=path, hint=f"a file of {kind.noun}s holds at least one row")
    known = [*kind.columns, *kind.aliases]
    raw = csv_rows(text, path, known=known, plain=kind.plain) if form == "csv" else _json_rows(text, path)
    lines, rows = [], []
    for line, values in raw:
        lines.append(line)
        rows.append(kind.parse(_fields(kind, values, Place(str(path), line), defaults or {})))
    if not rows:
        raise FileError("the file has no rows", at=path, hint=f"a file of {kind.noun}s holds at least one row")
    table = Table(rows=tuple(rows), lines=tuple(lines), path=path)
    if not twice:
        refuse_twice(kind, table)
    return table


def refuse_twice(kind: Kind[T], table: Table[T]) -> None:
    """Raise JoinError when two rows are about the same thing; both lines are named."""
    if kind.key is None:
        return
    first: dict[tuple[Any, ...], int] = {}
    for index, row in enumerate(table.rows):
        key = kind.key(row)
        if key in first:
            name = " / ".join(str(part) for part in key)
            problem = f"the {kind.noun} '{name}' is already in line {table.lines[first[key]]}"
            raise JoinError(problem, at=table.place(index), hint=kind.twice)
        first[key] = index


def read_examples(path: Path | str, *, twice: bool = False) -> Table[Example]:
    """Read examples: prompt or messages; id, reference, group, tags, meta.

    twice: an example may come again, as in training data, which is only searched for leaks.
    """
    return read_kind(EXAMPLES, Path(path), twice=twice)


def read_outputs(path: Path | str, arm: str | None = None) -> Table[Output]:
    """Read outputs.  arm: whose file this is, so that rows may leave `arm` out; a row of another arm is an error.

    An output that gives prompt or messages gets the id of its messages as `example`; see `join_outputs`.
    """
    return read_kind(OUTPUTS, Path(path), defaults=None if arm is None else {"arm": arm})


def read_pairs(path: Path | str) -> Table[Pair]:
    """Read pairs: id, prompt or messages, output_a, output_b.  Rows of one example must show the same example."""
    table = read_kind(PAIRS, Path(path))
    first: dict[str, int] = {}
    for index, pair in enumerate(table.rows):
        known = first.setdefault(pair.example.id, index)
        other = table.rows[known].example
        if (pair.example.messages, pair.example.reference, pair.example.group) != (
            other.messages,
            other.reference,
            other.group,
        ):
            problem = f"example '{pair.example.id}' has another prompt, reference or group than in line {table.lines[known]}"
            raise JoinError(problem, at=table.place(index), hint="give each its own id in the key example")
    return table


def read_calls(path: Path | str) -> Table[Reading]:
    """Read single answers of judges; `label` speaks of a and b whatever order was shown."""
    return read_kind(judged.CALLS, Path(path))


def read_verdicts(path: Path | str) -> Table[Verdict]:
    """Read what judges concluded.  Without a basis a value counts as `single`; without a score it is the value's own."""
    return read_kind(judged.VERDICTS, Path(path))


def read_labels(path: Path | str) -> Table[Label]:
    """Read people's answers."""
    return read_kind(judged.LABELS, Path(path))


def read_scores(path: Path | str) -> Table[Score]:
    """Read numbers for single outputs."""
    return read_kind(judged.SCORES, Path(path))


def read_recordings(path: Path | str) -> Table[Recording]:
    """Read recorded raw answers of a judge."""
    return read_kind(judged.RECORDINGS, Path(path))


def read_few_shot(path: Path | str) -> Table[tuple[Message, ...]]:
    """Read shots: one conversation a line, ending with the assistant's answer.  A system turn is kept as it stands."""
    return read_kind(SHOTS, Path(path))


def write(kind: str, rows: Iterable[Any], target: Path | str | TextIO, *, form: Form | None = None) -> None:
    """Write rows so that reading them gives equal rows.

    target: a path (the suffix says the form; written as a whole or not at all) or an open text stream (form, JSON lines
    by default; open files with newline="").  Raises FileError when the path cannot be written.
    """
    codec = _known_kind(kind)
    if isinstance(target, Path | str):
        path = Path(target)
        write_text(path, _rendered(codec, rows, form or _form(path)))
    else:
        target.write(_rendered(codec, rows, form or "jsonl"))


def _rendered(kind: Kind[Any], rows: Iterable[Any], form: Form) -> str:
    ordered = (_in_order(kind, kind.dump(row)) for row in rows)
    if form == "csv":
        return csv_text(ordered, columns=kind.columns, plain=kind.plain)
    return "".join(f"{dump_json(row)}\n" for row in ordered)


def _in_order(kind: Kind[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in kind.columns if name in values}


def _known_kind(kind: str) -> Kind[Any]:
    if kind not in KINDS:
        raise FileError(f"unknown kind of file '{kind}'", hint=did_you_mean(kind, KINDS))
    return KINDS[kind]


def _form(path: Path) -> Form:
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        raise FileError("Parquet is not read or written here", at=path, hint="use JSON lines (.jsonl) or CSV (.csv)")
    if suffix not in FORMS:
        raise FileError(f"unknown suffix '{suffix}'", at=path, hint=f"use {', '.join(FORMS)}")
    return FORMS[suffix]


def _json_rows(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    # Only LF ends a line: splitlines() would also cut a JSON text at U+2028, U+0085 and others.
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        place = Place(str(path), line)
        try:
            value = parse_json(content)
        except NotJson as error:
            raise RowError(str(error), at=place, hint="each line holds one whole JSON object") from None
        if not isinstance(value, dict):
            hint = "each line holds one object {...}, without a list around them"
            raise RowError(f"must be an object, not {described(value)}", at=place, hint=hint)
        yield line, value


def _fields(kind: Kind[Any], values: Mapping[str, Any], place: Place, defaults: Mapping[str, Any]) -> Fields:
    named: dict[str, Any] = {}
    for key, value in values.items():
        name = kind.aliases.get(key, key)
        if named.get(name) is not None and value is not None:
            raise RowError(f"means the same as {name}", at=place.at(key=key), hint="keep one of the two")
        if name not in named or value is not None:
            named[name] = _letter(name, value)
    for name, value in defaults.items():
        if named.get(name) is None:
            named[name] = value
        elif named[name] != value:
            raise RowError(f"{described(named[name])} in a file of '{value}'", at=place.at(key=name), hint="one arm, one file")
    return Fields(named, known=kind.columns, place=lambda key: place.at(key=key), error=RowError)


def _letter(name: str, value: Any) -> Any:
    """Take A and B, which many data sets write, for a and b."""
    if name in ("label", "value", "left") and isinstance(value, str):
        return _LETTERS.get(value, value)
    return value
