"""One mapping of a user's file, read key by key: the strictness that rows, studies and rubrics share."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NoReturn, TypeVar

from judge.errors import JudgeError, Place, did_you_mean

Word = TypeVar("Word", bound=str)

LARGEST: Final = 2**53 - 1  # beyond it JSON readers, and databases beyond 2**63, no longer agree on an integer


class Fields:
    """One mapping with the place of each key.  Null counts as absent; an unknown key is an error at once.

    values: what was read.  known: the keys that may stand here.  place: where a key (None: the mapping) stands.
    error: the class that every complaint is raised as.  Keys that mean the same must be renamed beforehand.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        known: Collection[str],
        place: Callable[[str | None], Place],
        error: type[JudgeError],
    ) -> None:
        self.values = values
        self.place = place
        self.error = error
        for key in values:
            if key not in known:
                self.fail(key, "unknown key", did_you_mean(str(key), known))

    def fail(self, key: str | None, problem: str, hint: str | None = None) -> NoReturn:
        """Raise the error of this file at the place of the key."""
        raise self.error(problem, at=self.place(key), hint=hint)

    def has(self, key: str) -> bool:
        """Say whether the key is there with something else than null."""
        return self.values.get(key) is not None

    def get(self, key: str) -> Any:
        """Give the raw value, None when absent."""
        return self.values.get(key)

    def require(self, key: str, hint: str | None = None) -> None:
        """Raise when the key is absent or null."""
        if not self.has(key):
            self.fail(key, "missing", hint or "this key is required")

    def maybe_text(self, key: str) -> str | None:
        """Read any text, also an empty one."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            self.fail(key, f"must be a text, not {described(value)}", "put it in quotes" if _is_scalar(value) else None)
        return value

    def maybe_name(self, key: str) -> str | None:
        """Read a text that is not empty."""
        value = self.maybe_text(key)
        if value is not None and not value.strip():
            self.fail(key, "must not be empty")
        return value

    def text(self, key: str) -> str:
        """Read a required text, also an empty one."""
        self.require(key)
        return self.maybe_text(key) or ""

    def name(self, key: str) -> str:
        """Read a required text that is not empty."""
        self.require(key)
        return self.maybe_name(key) or ""

    def maybe_integer(self, key: str, low: int | None = 0, high: int = LARGEST) -> int | None:
        """Read an integer within bounds; 3.0 is 3, true is no number."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail(key, f"must be an integer, not {described(value)}")
        if value < (-LARGEST if low is None else low) or value > high:
            shown = None if high == LARGEST and value < high else high
            self.fail(key, f"must be {_bounds(low, shown)}, not {described(value)}")
        return value

    def integer(self, key: str, default: int, low: int | None = 0, high: int = LARGEST) -> int:
        """Read an integer within bounds, or take the default."""
        value = self.maybe_integer(key, low, high)
        return default if value is None else value

    def maybe_number(
        self, key: str, low: float | None = 0.0, high: float | None = None, *, above_low: bool = False
    ) -> float | None:
        """Read a finite number within bounds; above_low: the lower bound itself is refused."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.fail(key, f"must be a number, not {described(value)}")
        if abs(value) > 1e300 or not math.isfinite(value):
            self.fail(key, "must be a finite number")
        if (low is not None and (value < low or (above_low and value == low))) or (high is not None and value > high):
            self.fail(key, f"must be {_bounds(low, high, above_low=above_low)}, not {described(value)}")
        return float(value)

    def number(
        self, key: str, default: float, low: float | None = 0.0, high: float | None = None, *, above_low: bool = False
    ) -> float:
        """Read a finite number within bounds, or take the default."""
        value = self.maybe_number(key, low, high, above_low=above_low)
        return default if value is None else value

    def maybe_flag(self, key: str) -> bool | None:
        """Read true or false."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            self.fail(key, f"must be true or false, not {described(value)}")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Read true or false, or take the default."""
        value = self.maybe_flag(key)
        return default if value is None else value

    def maybe_one_of(self, key: str, words: tuple[Word, ...]) -> Word | None:
        """Read one of a few words."""
        value = self.maybe_text(key)
        if value is None:
            return None
        if value not in words:
            self.fail(key, f"'{clipped(value)}' is not one of {', '.join(words)}", _near(value, words))
        return words[words.index(value)]

    def one_of(self, key: str, words: tuple[Word, ...]) -> Word:
        """Read one of a few words that must be there."""
        self.require(key, f"one of {', '.join(words)}")
        value = self.maybe_one_of(key, words)
        assert value is not None
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a list of texts; absent is empty."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fail(key, f"must be a list of texts, not {described(value)}")
        return tuple(value)

    def mapping(self, key: str) -> dict[str, Any]:
        """Read a mapping of anything; absent is empty."""
        value = self.values.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fail(key, f"must be a mapping, not {described(value)}")
        return value


def described(value: Any) -> str:
    """Say what a value is, in the words of JSON and short enough for one line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {clipped(str(value))}"
        case str():
            return f"the text '{clipped(value)}'"
        case list():
            return "a list" if not value else f"a list that starts with {described(value[0])}"
        case dict():
            return "a mapping"
        case _:
            return type(value).__name__


def clipped(text: str, width: int = 40) -> str:
    """Give a text on one line, shortened for a message."""
    line = re.sub(r"[\x00-\x1f\x7f]+", " ", text)
    return line if len(line) <= width else line[: width - 3] + "..."


def _is_scalar(value: Any) -> bool:
    return isinstance(value, int | float)


def _near(value: str, words: tuple[str, ...]) -> str | None:
    hint = did_you_mean(value.lower(), words, "-")
    return None if hint == "-" else hint


def _bounds(low: float | None, high: float | None, *, above_low: bool = False) -> str:
    least = "above" if above_low else "at least"
    if low is None:
        return f"at most {high:g}"
    if high is None:
        return f"{least} {low:g}"
    return f"above {low:g} and at most {high:g}" if above_low else f"between {low:g} and {high:g}"
