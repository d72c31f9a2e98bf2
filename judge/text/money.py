"""Sums of money, in words."""

from __future__ import annotations

import math


def dollars(amount: float) -> str:
    """Write US dollars to the cent, and small sums to two figures: what is not zero does not look like it."""
    if amount == 0 or abs(amount) >= 1:
        return f"{amount:,.2f}"
    rounded = float(f"{amount:.1e}")
    return f"{rounded:.{max(2, 1 - math.floor(math.log10(abs(rounded))))}f}"
