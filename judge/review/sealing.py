"""Dealing and sealing: which seat gets which item in which place, and which text stands on the left.

An item's base side alternates along its HMAC rank, odd seats flip it; a deck is dealt in blocks of two left and two right,
shuffled by HMAC, so that nobody can guess the next side and no deck ever leans by more than two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from judge.ids import keyed_bit, keyed_fraction, keyed_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """One task of a deck before it is sealed."""

    item: str
    seat: int
    position: int
    left: Literal["a", "b"]


def deal(
    items: Sequence[str],
    seats: Sequence[int],
    secret: str,
    *,
    salt: str = "",
    mirrored: bool = False,
    base: Mapping[str, int] | None = None,
) -> list[Dealt]:
    """Deal every item into every seat's deck.

    items: names that do not tell which arm is which, such as the places in the sampling order.  salt: told apart batches
    of one study.  mirrored: put the other text on the left everywhere; for the test that nothing else changes.
    base: each item's side in even seats (0: a on the left), where it was dealt before.
    """
    if base is None:
        ranked = sorted(items, key=lambda item: keyed_fraction(secret, "side", salt, item))
        start = keyed_bit(secret, "start", salt)  # else the odd item of a deck would always lean the same way
        base = {item: (rank + start) % 2 for rank, item in enumerate(ranked)}
    return [task for seat in seats for task in _deck(items, base, seat, secret, salt, mirrored)]


def _deck(items: Sequence[str], base: Mapping[str, int], seat: int, secret: str, salt: str, mirrored: bool) -> list[Dealt]:
    # The order is made of bits that mirroring leaves alone: it swaps texts and moves nothing.
    sides: tuple[list[str], list[str]] = ([], [])
    for item in sorted(items, key=lambda item: keyed_fraction(secret, "deck", salt, str(seat), item)):
        sides[(base[item] + seat) % 2].append(item)
    order = chain.from_iterable(
        sorted(
            (*sides[0][i : i + 2], *sides[1][i : i + 2]),
            key=lambda item: keyed_fraction(secret, "block", salt, str(seat), item),
        )
        for i in range(0, max(len(sides[0]), len(sides[1])), 2)
    )
    return [
        Dealt(item=item, seat=seat, position=position, left="b" if ((base[item] + seat) % 2 == 1) != mirrored else "a")
        for position, item in enumerate(order)
    ]


def task_token(secret: str, round_: str, seat: int, item: str) -> str:
    """Name a task by 128 bits that nobody can guess; the same for the same place in the same study."""
    return keyed_token(secret, "task", round_, str(seat), item)
