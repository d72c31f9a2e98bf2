"""How numbers are written: three significant digits, a real minus sign, and the reason where there is none."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from judge.domain import Estimate

MINUS: Final = "\u2212"


def number(value: float | None, *, percent: bool = False) -> str:
    """Write a number with three significant digits (thousands without decimals), `percent` of a share; a dash if None."""
    if value is None or not math.isfinite(value):
        return "\u2013"
    scaled = value * 100 if percent else value
    text = f"{abs(scaled):,.0f}" if abs(scaled) >= 999.5 else _significant(abs(scaled))
    sign = MINUS if scaled < 0 and any(digit in text for digit in "123456789") else ""
    return f"{sign}{text}{'%' if percent else ''}"


def setting(value: float, *, percent: bool = False) -> str:
    """Write a number that was chosen, not measured, without idle zeros: `0.15`, `50%`."""
    scaled = round(value * 100 if percent else value, 10)
    text = f"{Decimal(repr(abs(scaled))).normalize():,f}"
    return f"{MINUS if scaled < 0 else ''}{text}{'%' if percent else ''}"


def _significant(value: float) -> str:
    return f"{Decimal(f'{value:#.3g}'):f}".rstrip(".")


def count(value: int | None) -> str:
    """Write a whole number with thousands separated; a dash if None."""
    return "\u2013" if value is None else f"{value:,}"


def estimate_text(estimate: Estimate, *, percent: bool = False) -> str:
    """Write value and interval, `61.3% (55.0 to 67.2)`; where something is undefined, the reason instead."""
    reason = plain(estimate.reason or "no reason given")
    if estimate.value is None:
        return f"undefined: {reason}"
    value = number(estimate.value, percent=percent)
    if estimate.low is None or estimate.high is None:
        return f"{value} (no interval: {reason})"
    low, high = (number(bound, percent=percent).rstrip("%") for bound in (estimate.low, estimate.high))
    return f"{value} ({low} to {high})"


def plain(text: str) -> str:
    """Put a text on one line, without control characters: fit for terminals, table cells and attributes."""
    kept = "".join(" " if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char for char in text)
    return " ".join(kept.split())


def listing(counts: Mapping[str, int]) -> str:
    """Write counts by name, most frequent first: `refused 3, cut 1`."""
    ordered = sorted(((name, value) for name, value in counts.items() if value), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{plain(name)} {count(value)}" for name, value in ordered)
