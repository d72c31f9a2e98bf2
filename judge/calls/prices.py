"""What calls cost: dated list prices, overridable; an unknown price is unknown, never zero."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from judge.errors import FileError

_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars for a million tokens; None is unknown.  `retires`: when the provider ends the model."""

    tokens_in: float | None
    tokens_out: float | None
    cached: float | None = None
    write: float | None = None
    retires: date | None = None

    def cost(self, *, fresh: int, cached: int, written: int, out: int) -> float | None:
        """Give what so many tokens cost; cached and written ones at the full price where theirs is unknown."""
        if self.tokens_in is None or self.tokens_out is None:
            return None
        full = self.tokens_in
        read, write = (full if price is None else price for price in (self.cached, self.write))
        return (fresh * full + cached * read + written * write + out * self.tokens_out) / _MILLION


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Prices by model, and the day they were looked up."""

    of: date
    models: Mapping[str, Price]

    def find(self, model: str) -> Price | None:
        """Find a model's price; a dated snapshot (`name-2026-10-01`) costs what its name does."""
        if model in self.models:
            return self.models[model]
        longest = max((name for name in self.models if model.startswith(f"{name}-2")), key=len, default=None)
        return None if longest is None else self.models[longest]


@cache
def prices() -> PriceList:
    """Read the list, with the user's own (a file named by JUDGE_PRICES) over it."""
    text = (files("judge.calls") / "prices.yaml").read_text(encoding="utf-8")
    of, models = _parse(text, "prices.yaml")
    own = os.environ.get("JUDGE_PRICES")
    if own:
        try:
            own_of, own_models = _parse(Path(own).read_text(encoding="utf-8"), own)
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
            raise FileError(f"cannot be read: {why}", at=own, hint="correct JUDGE_PRICES") from error
        of, models = max(of, own_of), models | own_models
    return PriceList(of=of, models=models)


def _parse(text: str, name: str) -> tuple[date, dict[str, Price]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content: Any = YAML(typ="safe", pure=True).load(text)
        models = {model: _price(values) for model, values in content["models"].items()}
        return _day(content["date"]), models
    except (YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        hint = "date: 2026-11-23, models: {NAME: {in: 2, out: 10, cached: 0.1, write: 2.5, retires: 2027-01-14}}"
        raise FileError(f"is no list of prices ({error})", at=name, hint=hint) from error


def _price(values: Mapping[str, Any]) -> Price:
    unknown = set(values) - {"in", "out", "cached", "write", "retires"}
    if unknown:
        raise ValueError(f"unknown key {min(unknown)}")
    numbers = {key: float(values[key]) for key in ("in", "out", "cached", "write") if key in values}
    if not all(0 <= number < math.inf for number in numbers.values()):
        raise ValueError("a price that is no number of dollars")
    retires = values.get("retires")
    return Price(
        tokens_in=numbers.get("in"),
        tokens_out=numbers.get("out"),
        cached=numbers.get("cached"),
        write=numbers.get("write"),
        retires=None if retires is None else _day(retires),
    )


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
