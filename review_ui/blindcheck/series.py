"""The series of sides in a deck against the design: blocks of two left and two right, each shuffled by itself.

Three numbers: how often the side changes from one task to the next, how often it is the same two tasks on, and how often
somebody who knew every earlier side would be right to bet on the side that was behind.  What the design gives is found by
drawing it anew many times; alternation without a secret, constant sides and predictable tails give other numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from review_ui.blindcheck.decks import Row
from review_ui.blindcheck.regression import FloatArray, IntArray

DRAWS: Final = 400
NAMES: Final = ("runs", "two apart", "the side that is behind")
UNKNOWN: Final = -1  # both texts are equal


def series_look(rows: Sequence[Row], *, limit: float, sure: float, said: float) -> tuple[str, str, str | None]:
    """Compare the decks with freshly drawn ones: what was compared, what would be found, what was found.

    limit: z beyond which a number is a finding.  sure: z of the stated power, said: that power.
    """
    decks = _decks(rows)
    rng = np.random.default_rng(20260105)
    drawn = np.array([_numbers([_drawn(deck, rng) for deck in decks]) for _ in range(DRAWS)])
    seen = np.array(_numbers(decks))
    spread = drawn.std(axis=0, ddof=1)
    z = (seen - drawn.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    worst = int(np.abs(z).argmax())
    usual = 100 * drawn.mean(axis=0)
    compared = (
        f"{len(decks)} decks against {DRAWS} drawings of shuffled blocks: the side changes {100 * seen[0]:.1f} % "
        f"(design {usual[0]:.1f}), the one behind follows {100 * seen[2]:.1f} % (design {usual[2]:.1f})"
    )
    power = f"finds a shift of {100 * (limit + sure) * spread[0]:.1f} points with probability {said:.2f}"
    if abs(z[worst]) <= limit:
        return compared, power, None
    found = f"the sides of a deck follow a pattern: {NAMES[worst]} {100 * seen[worst]:.1f} %, not {usual[worst]:.1f}"
    return compared, power, f"{found} (|z| = {abs(z[worst]):.1f})"


def _decks(rows: Sequence[Row]) -> list[IntArray]:
    """Give each deck as an array in the order of its places: 1 where a is on the left, 0 where b is."""
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.deck].append(row)
    decks = []
    for inside in found.values():
        deck = np.full(max(row.place for row in inside) + 1, UNKNOWN)
        for row in inside:
            deck[row.place] = row.left == "a"
        decks.append(deck)
    return decks


def _drawn(like: IntArray, rng: np.random.Generator) -> IntArray:
    """Draw a deck by the design, unknown where the given one is."""
    n = len(like)
    ones = n // 2 + (n % 2) * int(rng.integers(2))
    blocks = []
    for start in range(0, max(ones, n - ones), 2):
        block = [1] * min(2, max(0, ones - start)) + [0] * min(2, max(0, n - ones - start))
        blocks.append(rng.permutation(block))
    return np.where(like == UNKNOWN, UNKNOWN, np.concatenate(blocks))


def _numbers(decks: Sequence[IntArray]) -> FloatArray:
    """Give the shares of `NAMES` over all decks."""
    changes, same, behind = (np.concatenate([fn(deck) for deck in decks]) for fn in (_changes, _same, _behind))
    return np.array([part.mean() if len(part) else 0.5 for part in (changes, same, behind)])


def _changes(deck: IntArray) -> FloatArray:
    both = (deck[1:] != UNKNOWN) & (deck[:-1] != UNKNOWN)
    return np.asarray((deck[1:] != deck[:-1])[both], dtype=np.float64)


def _same(deck: IntArray) -> FloatArray:
    both = (deck[2:] != UNKNOWN) & (deck[:-2] != UNKNOWN)
    return np.asarray((deck[2:] == deck[:-2])[both], dtype=np.float64)


def _behind(deck: IntArray) -> FloatArray:
    """Bet on the side that came less often so far; no bet while they are even."""
    known = deck[deck != UNKNOWN]
    lead = np.cumsum(2 * known - 1)[:-1]
    return np.asarray((known[1:] == (lead < 0))[lead != 0], dtype=np.float64)
