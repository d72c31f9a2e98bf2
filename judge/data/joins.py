"""Joins by id: an unknown id is an error that names both places, never a row that goes quietly."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from judge.data.compared import OUTPUTS
from judge.data.conversation import messages_id
from judge.data.files import refuse_twice
from judge.data.table import Table
from judge.domain import Example, Output
from judge.errors import JoinError, did_you_mean


def check_known(table: Table[Any], field: str, known: Collection[str], where: Path | str) -> None:
    """Raise JoinError for the first row whose field (`pair`, `example`, `judge`, ...) is not among the known ids.

    where: the file (or place) that the known ids come from, for the message.  A field that is None is not checked.
    """
    names = known if isinstance(known, set | frozenset | dict | Mapping) else set(known)
    for index, row in enumerate(table.rows):
        value = getattr(row, field)
        if value is not None and value not in names:
            hint = did_you_mean(value, names, f"add it to {where} or take this row out")
            raise JoinError(f"no {field} '{value}' in {where}", at=table.place(index, field), hint=hint)


def join_outputs(outputs: Table[Output], examples: Table[Example]) -> Table[Output]:
    """Give the outputs with the ids of the examples they answer, found by id or else by equal messages.

    Raises JoinError for an output without an example, for messages that two examples share, and for a second answer of
    one arm and sample to one example.
    """
    by_messages: dict[str, list[str]] = {}
    for example in examples.rows:
        by_messages.setdefault(messages_id(example.messages), []).append(example.id)
    ids = {example.id for example in examples.rows}
    joined = []
    for index, output in enumerate(outputs.rows):
        found = [output.example] if output.example in ids else by_messages.get(output.example, [])
        if len(found) > 1:
            problem = f"the examples '{found[0]}' and '{found[1]}' in {examples.path} have these messages"
            raise JoinError(problem, at=outputs.place(index), hint="name one in the key example")
        if not found:
            _fail_unknown(outputs, index, ids, examples.path)
        joined.append(dataclasses.replace(output, example=found[0]))
    table = dataclasses.replace(outputs, rows=tuple(joined))
    refuse_twice(OUTPUTS, table)
    return table


def _fail_unknown(outputs: Table[Output], index: int, ids: Collection[str], where: Path) -> None:
    name = outputs.rows[index].example
    if name.startswith("x-"):
        problem = f"no example with these messages (or the id '{name}') in {where}"
        hint = "name the example by its id in the key example, or take this row out"
        raise JoinError(problem, at=outputs.place(index), hint=hint)
    hint = did_you_mean(name, ids, f"add it to {where} or take this row out")
    raise JoinError(f"no example '{name}' in {where}", at=outputs.place(index, "example"), hint=hint)
