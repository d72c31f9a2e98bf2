"""What a kind of file is: its columns, how a row becomes a domain type and back, and what must not come twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from judge.data.fields import Fields

T = TypeVar("T")
Cell: TypeAlias = Literal["text", "json"]  # how a value stands in a CSV cell

TEXT: Final[Cell] = "text"
JSON: Final[Cell] = "json"


@dataclass(frozen=True, kw_only=True)  # no slots: subscripted generics set an attribute
class Kind(Generic[T]):
    """One kind of file.

    noun: one row, in words.  columns: every key in writing order.  parse and dump: a row's fields to T and T to a row.
    key: the columns' names and the values by which two rows are the same.  twice: the remedy when they are.
    aliases: other names of columns, read but never written.
    """

    noun: str
    columns: Mapping[str, Cell]
    parse: Callable[[Fields], T]
    dump: Callable[[T], dict[str, Any]]
    key: Callable[[T], tuple[Any, ...]] | None
    twice: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> frozenset[str]:
        """The columns that hold text, aliases included."""
        names = {name for name, cell in self.columns.items() if cell == TEXT}
        return frozenset(names | {alias for alias, name in self.aliases.items() if name in names})


def changed_fields(row: Any, *, renamed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Give a row's values that differ from their defaults, by column name; tuples become lists.

    renamed: field name to column name, where they differ.
    """
    values: dict[str, Any] = {}
    for item in dataclasses.fields(row):
        value = getattr(row, item.name)
        default = item.default_factory() if item.default_factory is not dataclasses.MISSING else item.default
        if value == default and item.default is not dataclasses.MISSING:
            continue
        if item.default_factory is not dataclasses.MISSING and value == default:
            continue
        name = (renamed or {}).get(item.name, item.name)
        values[name] = list(value) if isinstance(value, tuple) else value
    return values
