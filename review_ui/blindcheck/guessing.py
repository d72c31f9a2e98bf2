"""The classifier test: from everything but the texts nobody can tell on which side the candidate stands.

Five looks at some two thousand tasks: a regression over all features together, each feature alone, the series of sides in
each deck, response times, and the order of items against what the judge thinks of them.  A look that finds something is
taken again on fresh secrets; only what is found twice is a leak, so that chance alone is blamed once in 10,000 looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from review_ui.blindcheck.browser import Loop
from review_ui.blindcheck.decks import Row, dealt
from review_ui.blindcheck.regression import BoolArray, FloatArray, IntArray, ranks, right_forward
from review_ui.blindcheck.result import Finding
from review_ui.blindcheck.series import series_look

if TYPE_CHECKING:
    from judge.workflow.workspace import Opened

TASKS: Final = 2700
LEVEL: Final = 0.01  # of one look; a leak must be found twice
SURE: Final = 0.99  # the power that is stated
PARTS: Final = 12  # each twelfth of the secrets is guessed from those before it


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look found: what was compared, what it would have found, and what it did find."""

    compared: str
    power: str
    found: str | None


def guess(work: Opened, folder: Path, loop: Loop, *, tasks: int = TASKS) -> list[Finding]:
    """Deal, hand out, and try to guess; look again at what was found, on fresh secrets."""
    if all(pair.identical for pair in work.sources.pairs):
        return [Finding(test="classifier", compared="no pair has two different texts", power="there is nothing to guess")]
    first = _looks(dealt(work, folder / "deals.db", loop, tasks=tasks, salt="first"))
    if not any(look.found for look in first.values()):
        return [_finding(name, look, None) for name, look in first.items()]
    again = _looks(dealt(work, folder / "deals-again.db", loop, tasks=tasks, salt="again"))
    return [_finding(name, look, look.found and again[name].found) for name, look in first.items()]


def _finding(name: str, look: Look, leak: str | None) -> Finding:
    return Finding(test=name, compared=look.compared, power=look.power, leak=leak)


def _looks(rows: Sequence[Row]) -> dict[str, Look]:
    known = [row for row in rows if row.candidate is not None]
    return {name: look(known) for name, look in LOOKS.items()}


def _truth(rows: Sequence[Row]) -> BoolArray:
    return np.array([bool(row.candidate) for row in rows])


# --- All features together, and each alone ----------------------------------------------------------------------------


def features(rows: Sequence[Row]) -> tuple[list[str], FloatArray]:
    """Turn tasks into numbers: names of the features, and rows x features."""
    columns: dict[str, list[float]] = {}
    for n in range(128):
        columns[f"bit {n} of the token"] = [int(row.token[n // 4], 16) >> n % 4 & 1 for row in rows]
    for n in range(32):
        columns[f"digit {n} of the token"] = [int(row.token[n], 16) for row in rows]
    for n in range(16):
        columns[f"bit {n} of the headers' digest"] = [int(row.headers[n // 4], 16) >> n % 4 & 1 for row in rows]
        columns[f"bit {n} of the digest of the page without texts"] = [int(row.frame[n // 4], 16) >> n % 4 & 1 for row in rows]
    for n in (2, 4, 8):
        for rest in range(n):
            columns[f"place in the deck is {rest} modulo {n}"] = [row.place % n == rest for row in rows]
    last = {row.deck: row.place for row in sorted(rows, key=lambda row: row.place)}
    for n in range(4):
        here = [row.place == last[row.deck] - n for row in rows]
        columns[f"place {n + 1} from the end"] = list(here)
        # The same item has the other side on odd seats, so that what is constant there changes sign.
        columns[f"place {n + 1} from the end, by turns over seats"] = [
            at * (1 - 2 * (row.seat % 2)) for at, row in zip(here, rows, strict=True)
        ]
    columns["place in the deck"] = [row.place for row in rows]
    columns["seat"] = [row.seat for row in rows]
    columns["place and seat, odd or even"] = [(row.place + row.seat) % 2 for row in rows]
    columns["item's place"] = [int(row.item) for row in rows]
    columns["item's place, odd or even"] = [int(row.item) % 2 for row in rows]
    # The texts of a pair are as long on either side: against its own mean, a page's size is that of what surrounds them.
    columns["size of the page without texts"] = list(_in_groups([row.pair for row in rows], [row.size for row in rows]))
    columns["time to bring it"] = [row.brought_s for row in rows]
    return list(columns), np.array(list(columns.values()), dtype=np.float64).T


def _together(rows: Sequence[Row]) -> Look:
    from scipy.stats import binom

    names, x = features(rows)
    rounds: IntArray = np.array([row.round for row in rows])
    right, guessed = right_forward(ranks(x), _truth(rows), rounds, parts=min(PARTS, len(np.unique(rounds))))
    right, n = right[guessed], int(guessed.sum())
    low, high = int(binom.ppf(LEVEL, n, 0.5)), int(binom.isf(LEVEL, n, 0.5))
    share = right.mean()
    inside = low <= right.sum() <= high
    power = float(binom.sf(high, n, 0.55)) ** 2
    limits = f"inside {100 * low / n:.1f}-{100 * high / n:.1f} %"
    return Look(
        compared=f"{n} tasks, {len(np.unique(rounds))} secrets, {len(names)} features: {100 * share:.1f} % right, {limits}",
        power=f"finds 55 % with probability {power:.2f}",
        found=None if inside else f"the candidate's side is guessed right in {100 * share:.1f} % of the tasks, not {limits}",
    )


def _alone(rows: Sequence[Row]) -> Look:
    names, x = features(rows)
    z = _against(ranks(x), _truth(rows).astype(np.float64))
    limit = _limit(len(names))
    worst = int(np.abs(z).argmax())
    seen = 50 + 50 * (limit + _sure()) / len(rows) ** 0.5
    return Look(
        compared=f"{len(names)} features one by one, {len(rows)} tasks, |z| at most {abs(z[worst]):.1f} of {limit:.1f}",
        power=f"finds one that alone is right in {seen:.1f} % with probability {SURE**2:.2f}",
        found=None if abs(z[worst]) <= limit else f"{names[worst]} tells the candidate's side (|z| = {abs(z[worst]):.1f})",
    )


def _against(standard: FloatArray, y: FloatArray, lost: int = 1) -> FloatArray:
    """Correlate standardised columns with y; give z.  lost: degrees of freedom that centring took."""
    centred = y - y.mean()
    spread = centred.std()
    r = standard.T @ centred / (len(y) * (spread if spread > 0 else 1.0))
    return np.asarray(r * np.sqrt(max(1, len(y) - lost)))


def _limit(looks: int) -> float:
    from scipy.special import ndtri

    return float(-ndtri(LEVEL / (2 * looks)))


def _sure() -> float:
    from scipy.special import ndtri

    return float(ndtri(SURE))


# --- Time and order ---------------------------------------------------------------------------------------------------


def _times(rows: Sequence[Row]) -> Look:
    """Compare response times by side, each pair with itself: long texts take longer on either side."""
    timed = [row for row in rows if row.loaded_s is not None]
    both = {"the answer that brings a task": [(row, row.brought_s) for row in rows]}
    both["loading its page"] = [(row, row.loaded_s or 0.0) for row in timed]
    limit = _limit(len(both))
    found, seen = None, []
    for name, measured in both.items():
        z, spread_s = _slower(measured)
        seen.append(f"{1000 * 2 * spread_s * (limit + _sure()) / len(measured) ** 0.5:.2f} ms in {name}")
        if abs(z) > limit:
            found = f"{name} takes longer with the candidate on the {'left' if z > 0 else 'right'} (|z| = {abs(z):.1f})"
    return Look(
        compared=f"times of {len(rows)} answers and of {len(timed)} pages loaded three times",
        power=f"finds {' or '.join(seen)} with probability {SURE**2:.2f}",
        found=found,
    )


def _slower(measured: Sequence[tuple[Row, float]]) -> tuple[float, float]:
    """Give z of the candidate's side against time, and the spread of a time in seconds, each pair against itself."""
    seconds = np.array([time for _, time in measured])
    pairs = np.array([row.pair for row, _ in measured])
    own = seconds.copy()
    for pair in np.unique(pairs):
        own[pairs == pair] -= np.median(seconds[pairs == pair])
    y = _in_groups(list(pairs), _truth([row for row, _ in measured]).astype(np.float64))
    z = _against(ranks(own[:, None]), y, lost=len(np.unique(pairs)))
    return float(z[0]), float(1.4826 * np.median(np.abs(own - np.median(own))))


def _order(rows: Sequence[Row]) -> Look:
    """Compare each task's place in its deck with what the judge thinks of the pair, and with how sure it is."""
    deck_of = [row.deck for row in rows]
    places = _in_groups(deck_of, [row.place for row in rows])
    score = np.array([row.score for row in rows])
    sides = {"the judge's score": score, "how sure the judge is": np.abs(score - 0.5)}
    limit = _limit(len(sides))
    decks = len(set(deck_of))
    z = {name: float(_against(ranks(places[:, None]), _in_groups(deck_of, values), decks)[0]) for name, values in sides.items()}
    worst = max(z, key=lambda name: abs(z[name]))
    return Look(
        compared=f"{len(rows)} places in {decks} decks against the judge, |z| at most {abs(z[worst]):.1f} of {limit:.1f}",
        power=f"finds a rank correlation of {(limit + _sure()) / len(rows) ** 0.5:.2f} with probability {SURE**2:.2f}",
        found=None if abs(z[worst]) <= limit else f"the order of items follows {worst} (|z| = {abs(z[worst]):.1f})",
    )


def _in_groups(groups: Sequence[int], values: Sequence[float] | FloatArray) -> FloatArray:
    """Take each group's mean away."""
    own = np.array(values, dtype=np.float64)
    of = np.array(groups)
    for group in np.unique(of):
        own[of == group] -= own[of == group].mean()
    return own


def _series(rows: Sequence[Row]) -> Look:
    compared, power, found = series_look(rows, limit=_limit(3), sure=_sure(), said=SURE**2)
    return Look(compared=compared, power=power, found=found)


LOOKS: Final[dict[str, Callable[[Sequence[Row]], Look]]] = {
    "classifier": _together,
    "features": _alone,
    "series": _series,
    "timing": _times,
    "order": _order,
}
