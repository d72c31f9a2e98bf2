"""Which pairs people see, in an order that nobody can foresee and that favours no arm.

Sampling follows judging: the stratum of a pair is what the judge or jury said (a, b, tie, split, unscored), one stratum
without a judge.  All pairs stand in one stored order; a round takes the next n of it, so that every pair had the same
probability n/N and no weights are needed.  Swapping a and b everywhere draws the same pairs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from judge.ids import keyed_bit, keyed_fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A pair's place in the order in which pairs are drawn, and the half its labels belong to."""

    pair: str
    stratum: str
    rank: int  # inside the stratum, from 1
    half: Literal["tuning", "confirmation"]


def sampling_order(pairs: Iterable[str], strata: Mapping[str, str], secret: str) -> list[Sampled]:
    """Put all pairs into the order in which they are drawn.

    strata: pair -> stratum; a pair without one belongs to `unscored`, or to the only stratum where there is no judge.
    secret: the study's, 64 hex digits.
    Inside a stratum pairs are ranked by HMAC; over all strata they stand by (rank - u) / size with one u in [0, 1) for each
    stratum, so that every beginning of the order holds the strata in proportion.
    """
    members: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        members[strata.get(pair, "unscored")].append(pair)
    placed = [place for name, inside in members.items() for place in _ranked(name, inside, secret)]
    return [sampled for _, sampled in sorted(placed, key=lambda place: (place[0], place[1].pair))]


def _ranked(stratum: str, pairs: list[str], secret: str) -> list[tuple[float, Sampled]]:
    ranked = sorted(pairs, key=lambda pair: (keyed_fraction(secret, "rank", pair), pair))
    # Drawn by the first pair, not by the stratum's name: the names swap when the arms do, the pairs do not.
    shift = keyed_fraction(secret, "shift", ranked[0])
    bit = keyed_bit(secret, "half", ranked[0])
    return [
        (
            (rank - shift) / len(ranked),
            Sampled(pair=pair, stratum=stratum, rank=rank, half="tuning" if (rank + bit) % 2 == 0 else "confirmation"),
        )
        for rank, pair in enumerate(ranked, 1)
    ]
