"""CSV cells to JSON values and back, so that a spreadsheet loses nothing.

An empty cell is null.  Two quote characters as content are an empty text.  Lists, objects, numbers and true/false are
JSON in the cell.  A cell that a spreadsheet would run as a formula (= + - @ or tab), or that our own marks could be
mistaken for, is written with a leading apostrophe, which reading takes off.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from judge.data.fields import clipped
from judge.data.strict_json import NotJson, dump_json, parse_json
from judge.errors import Place, RowError, did_you_mean

_EMPTY_TEXT: Final = '""'
_ESCAPED: Final = ("=", "+", "-", "@", "'", "\t")


def csv_rows(text: str, path: Path, *, known: Collection[str], plain: Collection[str]) -> Iterator[tuple[int, Any]]:
    """Give each row's line and its values by column name.

    known: columns that may stand in the header.  plain: those that hold text; the others hold JSON.
    Raises RowError for an unknown or double column, a row of another length, broken quoting or broken JSON.
    """
    records = _records(text, path)
    header_line, header = next(records, (1, []))
    _check_header(header, Place(str(path), header_line), known)
    for line, cells in records:
        if not any(cells):
            continue
        if len(cells) != len(header):
            hint = "a text with commas or line breaks stands in quotes"
            raise RowError(f"{len(cells)} cells under {len(header)} columns", at=Place(str(path), line), hint=hint)
        yield line, _row(dict(zip(header, cells, strict=True)), Place(str(path), line), plain)


def csv_text(rows: Iterable[Mapping[str, Any]], *, columns: Iterable[str], plain: Collection[str]) -> str:
    """Write a header and one record a row; columns that a row lacks stay empty."""
    names = list(columns)
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")  # RFC 4180; also makes the writer quote both line characters
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name), name in plain) for name in names])
    return target.getvalue()


def _records(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # an answer may be longer than csv's 131,072 characters
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        for cells in reader:
            if cells:
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        hint = "a quote inside a quoted cell is written twice"
        raise RowError(f"broken CSV: {error}", at=Place(str(path), start), hint=hint) from None


def _check_header(header: list[str], place: Place, known: Collection[str]) -> None:
    for index, name in enumerate(header):
        if name in header[:index]:
            raise RowError("this column stands twice", at=place.at(key=name or "(no name)"))
        if name not in known:
            hint = "separate the cells by commas" if ";" in name or "\t" in name else did_you_mean(name, known)
            raise RowError("unknown column", at=place.at(key=name or "(no name)"), hint=hint)


def _row(cells: Mapping[str, str], place: Place, plain: Collection[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, cell in cells.items():
        if cell == "":
            values[name] = None
        else:
            values[name] = _text(cell) if name in plain else _json(cell, place.at(key=name))
    return values


def _text(cell: str) -> str:
    return "" if cell == _EMPTY_TEXT else _unescaped(cell)


def _json(cell: str, place: Place) -> Any:
    text = _unescaped(cell)
    if text.lower() in ("true", "false"):  # spreadsheets write TRUE
        return text.lower() == "true"
    try:
        return parse_json(text)
    except NotJson as error:
        raise RowError(f"cell '{clipped(text)}': {error}", at=place, hint="this cell holds a number or JSON") from None


def _cell(value: Any, is_plain: bool) -> str:
    if value is None:
        return ""
    if not is_plain:
        return _escaped(dump_json(value))
    return _escaped(value) if value else _EMPTY_TEXT


def _escaped(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_ESCAPED) or cell == _EMPTY_TEXT else cell


def _unescaped(cell: str) -> str:
    rest = cell[1:]
    return rest if cell.startswith("'") and (rest.startswith(_ESCAPED) or rest == _EMPTY_TEXT) else cell
