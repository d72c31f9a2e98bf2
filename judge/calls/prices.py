"""What calls cost: dated list prices, overridable; an unknown price is unknown, never zero."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from judge.errors import FileError, Place, RowError, did_you_mean

_MILLION: Final = 1_000_000
_DOLLARS: Final = ("in", "out", "cached", "write")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
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
    models = {name: _with_its_end(price, listed.find(name)) for name, price in over.models.items()}
    return PriceList(of=max(listed.of, over.of), models={**listed.models, **models})


def _with_its_end(price: Price, known: Price | None) -> Price:
    """Keep the day on which a model ends, where only its price is given anew."""
    return price if price.retires or known is None else replace(price, retires=known.retires)


def _read(text: str, file: str) -> PriceList:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        raise RowError(f"broken YAML: {error.problem}", at=Place(file, line), hint=_FORM) from None
    except (YAMLError, ValueError, OverflowError, RecursionError):
        raise FileError("is no YAML", at=file, hint=_FORM) from None
    top = _Mapping(node, Place(file))
    top.only("date", "models")
    models = top.inner("models")
    of = top.day("date")
    if of is None:
        raise top.wrong("date", "is missing: the day on which the prices were looked up")
    return PriceList(of=of, models={name: _price(models.inner(name)) for name in models.nodes})


def _price(model: _Mapping) -> Price:
    model.only(*_DOLLARS, "retires")
    every = {name: model.dollars(name) for name in _DOLLARS}
    lacking = next((name for name in ("in", "out") if every[name] is None), None)
    if lacking is not None and any(amount is not None for amount in every.values()):
        raise model.wrong(lacking, "is missing beside the other prices")
    return Price(
        tokens_in=every["in"],
        tokens_out=every["out"],
        cached=every["cached"],
        write=every["write"],
        retires=model.day("retires"),
    )


class _Mapping:
    """One mapping of a list of prices, as YAML's nodes; what is wrong in it is said with its line and key."""

    def __init__(self, node: Any, at: Place) -> None:
        self._at = at
        self.nodes: dict[str, Any] = {}
        if node is None or node.id != "mapping":
            raise RowError("must be a mapping", at=at, hint=_FORM)
        for key, value in node.value:
            name = key.value if key.id == "scalar" else "a key"
            if key.id != "scalar" or name in self.nodes:
                problem = "stands twice" if key.id == "scalar" else "must be a text"
                raise RowError(problem, at=self._place(name, key), hint=_FORM)
            self.nodes[name] = value

    def only(self, *known: str) -> None:
        for name in self.nodes:
            if name not in known:
                raise self.wrong(name, "unknown key", did_you_mean(name, known))

    def inner(self, name: str) -> _Mapping:
        return _Mapping(self.nodes.get(name), self._place(name))

    def dollars(self, name: str) -> float | None:
        text = self._plain(name, "int", "float")
        try:
            amount = None if text is None else float(text)
        except ValueError:
            amount = math.nan
        if amount is not None and not 0 <= amount <= _MILLION:
            raise self.wrong(name, "is no number of US dollars")
        return amount

    def day(self, name: str) -> date | None:
        text = self._plain(name, "timestamp", "str")
        if text is None:
            return None
        with suppress(ValueError):  # no month has this day
            if _DAY.fullmatch(text):  # weeks are no days, though ISO knows them
                return date.fromisoformat(text)
        raise self.wrong(name, "is no day")

    def _plain(self, name: str, *kinds: str) -> str | None:
        """Give the text of a value of these kinds of YAML; what is of another is neither a number nor a day."""
        node = self.nodes.get(name)
        if node is None:
            return None
        kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
        if kind == "null" and node.value in ("", "~", "null", "Null", "NULL"):
            return None
        return str(node.value) if node.id == "scalar" and kind in kinds and node.value.isascii() else ""

    def wrong(self, name: str, problem: str, hint: str = _FORM) -> RowError:
        return RowError(problem, at=self._place(name), hint=hint)

    def _place(self, name: str, node: Any = None) -> Place:
        node = node or self.nodes.get(name)
        line = self._at.line if node is None else node.start_mark.line + 1
        return Place(self._at.file, line, name if self._at.key is None else f"{self._at.key}.{name}")
