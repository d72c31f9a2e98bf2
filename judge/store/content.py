"""Domain types to JSON columns and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from judge.domain import Criterion, Example, Label, Message, Output, Reading, Rubric, Score

T = TypeVar("T", Example, Output, Label, Reading, Score)
_TUPLES = {"tags", "flags", "stop"}


def to_content(thing: Example | Output | Label | Reading | Score | Rubric) -> dict[str, Any]:
    """Give a thing as plain JSON values."""
    return {field.name: _plain(getattr(thing, field.name)) for field in fields(thing)}


def _plain(value: Any) -> Any:
    # dataclasses.asdict copies every value deeply, which took longer than writing the row.
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def from_content(kind: type[T], content: Mapping[str, Any], **changed: Any) -> T:
    """Make a thing of JSON values; `changed` fields win."""
    known = {field.name for field in fields(kind)}
    values = {name: _field(name, value) for name, value in content.items() if name in known} | changed
    return kind(**values)


def _field(name: str, value: Any) -> Any:
    if name == "messages":
        return tuple(Message(**turn) for turn in value)
    return tuple(value) if name in _TUPLES else value


def rubric_from(content: Mapping[str, Any]) -> Rubric:
    """Make a rubric of JSON values; JSON turned the levels' numbers into text."""
    criteria = tuple(Criterion(**{**c, "levels": {int(k): v for k, v in c["levels"].items()}}) for c in content["criteria"])
    return Rubric(**{**content, "criteria": criteria})
