"""The rows of one file with the lines they came from, so that every later complaint can name its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from judge.errors import Place

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)  # no slots: subscripted generics set an attribute
class Table(Generic[T]):
    """Rows in file order; `lines[i]` is the line (from 1) on which `rows[i]` starts."""

    rows: tuple[T, ...]
    lines: tuple[int, ...]
    path: Path

    def place(self, index: int, key: str | None = None) -> Place:
        """Say where a row, or one key of it, stands."""
        return Place(str(self.path), self.lines[index], key)

    def __iter__(self) -> Iterator[T]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)
