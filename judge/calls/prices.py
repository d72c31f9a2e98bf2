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

from judge.errors import FileError, Place, RowError, did_you_mean

_MILLION: Final = 1_000_000
_FORM: Final = (
    "write `date: 2026-11-23`, and `models:` with lines as `NAME: {in: 2, out: 10, cached: 0.1, retires: 2027-01-14}`"
)


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
    """Read the list, with the user's own (a file named by JUDGE_PRICES) over it.

    Raises FileError or RowError, with the line, for a list of the user's that is none.
    """
    listed = _read((files("judge.calls") / "prices.yaml").read_text(encoding="utf-8"), "prices.yaml")
    own = os.environ.get("JUDGE_PRICES")
    if not own:
        return listed
    try:
        text = Path(own).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise FileError(f"cannot be read: {why}", at=own, hint="correct JUDGE_PRICES") from error
    over = _read(text, own)
    return PriceList(of=max(listed.of, over.of), models={**listed.models, **over.models})


def _read(text: str, file: str) -> PriceList:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        content: Any = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        problem = str(error.problem).partition(" with value ")[0]
        raise RowError(f"broken YAML: {problem}", at=Place(file, line), hint=_FORM) from None
    except (YAMLError, ValueError, RecursionError):
        raise FileError("is no YAML", at=file, hint=_FORM) from None
    top = _Mapping(content, Place(file))
    top.only("date", "models")
    models = top.inner("models")
    of = top.day("date")
    if of is None:
        raise top.wrong("date", "is missing: the day on which the prices were looked up")
    return PriceList(of=of, models={str(name): _price(models.inner(name)) for name in models.values})


def _price(model: _Mapping) -> Price:
    model.only("in", "out", "cached", "write", "retires")
    return Price(
        tokens_in=model.dollars("in"),
        tokens_out=model.dollars("out"),
        cached=model.dollars("cached"),
        write=model.dollars("write"),
        retires=model.day("retires"),
    )


class _Mapping:
    """One mapping of a list of prices; what is wrong in it is said with its line and key."""

    def __init__(self, values: Any, at: Place) -> None:
        self._at = at
        if not isinstance(values, dict):
            raise RowError("must be a mapping", at=at, hint=_FORM)
        self.values: Mapping[Any, Any] = values

    def only(self, *known: str) -> None:
        for key in self.values:
            if key not in known:
                raise self.wrong(key, "unknown key", did_you_mean(str(key), known))

    def inner(self, key: Any) -> _Mapping:
        return _Mapping(self.values.get(key), self._place(key))

    def dollars(self, key: str) -> float | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
            raise self.wrong(key, "is no number of US dollars")
        return float(value)

    def day(self, key: str) -> date | None:
        value = self.values.get(key)
        try:
            return value if value is None or isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            raise self.wrong(key, "is no day") from None

    def wrong(self, key: Any, problem: str, hint: str = _FORM) -> RowError:
        return RowError(problem, at=self._place(key), hint=hint)

    def _place(self, key: Any) -> Place:
        line = self.values.lc.key(key)[0] + 1 if key in self.values else self._at.line  # type: ignore[attr-defined]
        return Place(self._at.file, line, str(key) if self._at.key is None else f"{self._at.key}.{key}")
