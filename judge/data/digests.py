"""What names an example and a pair: their contents, never where they lie."""

from __future__ import annotations

from typing import Any

from judge.data.conversation import dump_messages
from judge.domain import Example, Pair
from judge.ids import digest


def example_content(example: Example) -> list[Any]:
    """Give what an example's digest holds: id, messages, reference."""
    return [example.id, dump_messages(example.messages), example.reference]


def example_digest(example: Example) -> str:
    """Name an example by its id, messages and reference; group, tags and meta change nothing that is shown."""
    return digest("example", example_content(example))


def pair_digest(pair: Pair) -> str:
    """Name a pair by its example and both texts in storage order; its id and the arms' names do not matter."""
    return digest("pair", [example_content(pair.example), pair.text_a, pair.text_b])
