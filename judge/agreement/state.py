"""Does the judge agree with people about as well as people do with one another?

d = nominal alpha of judge against people minus that of people among themselves, on the same pairs.  A state is read off
the interval of d, never off d: with 50 to 100 pairs it mostly says "undetermined", and that is the honest answer.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from judge.agreement.tables import Items, LabelTable
from judge.agreement.types import PeoplePanel
from judge.domain import Estimate, State
from judge.stats import IntArray, alpha_difference, value_counts

ITEMS_AT_LEAST: Final = 30  # doubly labelled pairs below which no state is given
RELIABLE_FROM: Final = 0.4  # people whose alpha lies below this for certain are no yardstick
LABELS_AT_MOST: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A judge's distance from people, what it amounts to, and how many labels in all would settle it."""

    difference: Estimate
    state: State | None
    needed: int | None


def standing(
    codes: IntArray, labels: LabelTable, people: PeoplePanel | None, items: Items, *, level: float, margin: float
) -> Standing:
    """Place the judge (codes per pair) beside people, over pairs with two labels and a usable verdict.

    `needed` = labels x (half-width / |d + margin|)^2 while undetermined; None over 1,000, and `difference` says so.
    """
    counts = value_counts(labels.codes)
    doubly = counts.sum(axis=1) >= 2
    rows = np.flatnonzero(doubly & (codes >= 0))
    units, columns = np.nonzero((labels.codes >= 0) & (doubly & (codes >= 0))[:, None])
    judged = value_counts(np.column_stack([codes[units], labels.codes[units, columns]]))
    difference, half = alpha_difference(
        judged,
        counts[rows],
        first_clusters=items.clusters[units],
        second_clusters=items.clusters[rows],
        level=level,
        n=len(rows),
        missing=int(doubly.sum()) - len(rows),
    )
    state = _state(difference, people, margin)
    if state != "undetermined" or half is None:
        return Standing(difference=difference, state=state, needed=None)
    needed = _needed(difference, half, labels=len(units), margin=margin)
    if needed is None:
        reason = f"more than {LABELS_AT_MOST:,} labels would be needed for a state"
        difference = dataclasses.replace(difference, reason=reason)
    return Standing(difference=difference, state=state, needed=needed)


def _state(difference: Estimate, people: PeoplePanel | None, margin: float) -> State | None:
    if people is None or difference.n < ITEMS_AT_LEAST:
        return None
    reliability = people.alpha.nominal.high
    if reliability is not None and reliability < RELIABLE_FROM:
        return "people_unreliable"
    if difference.low is None or difference.high is None:
        return None
    if difference.low > -margin:
        return "calibrated"
    return "not_calibrated" if difference.high < -margin else "undetermined"


def _needed(difference: Estimate, half: float, *, labels: int, margin: float) -> int | None:
    distance = abs((difference.value or 0.0) + margin)
    if half > distance * math.sqrt(LABELS_AT_MOST / labels):
        return None
    return math.ceil(labels * (half / distance) ** 2)
