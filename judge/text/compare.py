"""Two texts side by side: their differences in words, and how long each is."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Operation: TypeAlias = Literal["equal", "delete", "insert"]

WORD_LIMIT: Final = 5_000  # tokens of both texts together; beyond, lines are compared
LINE_LIMIT: Final = 2_000

_TOKENS: Final = re.compile(r"\s+|\w+|[^\w\s]")
_WORDS: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Length:
    """How long a text is: runs of non-blank characters, and characters."""

    words: int
    characters: int


def length(text: str) -> Length:
    """Count words and characters."""
    return Length(words=sum(1 for _ in _WORDS.finditer(text)), characters=len(text))


def word_diff(a: str, b: str) -> list[tuple[Operation, str]]:
    """Say how to turn `a` into `b`: what stays, what goes, what comes, in reading order.

    The equal and deleted texts together are `a`, the equal and inserted ones `b`.  Compared by words; texts of more
    than 5,000 tokens together by lines, and beyond 2,000 lines as wholes, since the search grows with the square.
    """
    for split, limit in ((_TOKENS.findall, WORD_LIMIT), (_lines, LINE_LIMIT)):
        left, right = split(a), split(b)
        if len(left) + len(right) <= limit:
            return _diff(left, right)
    return _diff([a], [b])


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _diff(a: list[str], b: list[str]) -> list[tuple[Operation, str]]:
    steps: list[tuple[Operation, str]] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            steps.append(("equal", "".join(a[i:j])))
            continue
        if i < j:
            steps.append(("delete", "".join(a[i:j])))
        if k < m:
            steps.append(("insert", "".join(b[k:m])))
    return steps
