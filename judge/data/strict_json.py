"""One JSON text, read without mercy: no double keys, no NaN, no infinities, no half characters."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from judge.data.fields import clipped


class NotJson(ValueError):
    """The text is not the JSON we accept; the message says why, in one line."""


def parse_json(text: str) -> Any:
    """Parse one JSON value.  Raises NotJson with a problem that can stand behind `file:line:`."""
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite, parse_int=_integer)
    except NotJson:
        raise
    except json.JSONDecodeError as error:
        raise NotJson(f"broken JSON: {error.msg} (character {error.pos + 1})") from None
    except RecursionError:
        raise NotJson("broken JSON: nested too deeply") from None
    if "\\u" in text:
        _refuse_half_characters(value)
    return value


def dump_json(value: Any) -> str:
    """Write one JSON value on one line, as people read it: UTF-8 kept, keys in their order."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for index, key in enumerate(keys) if key in keys[:index])
        raise NotJson(f"the key '{clipped(twice)}' stands twice in one object")
    return values


def _constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJson(f"the number {clipped(text)} is too large")
    return number


def _integer(text: str) -> int:
    if len(text) > 400:  # Python itself refuses 4,300 digits and more with a message about itself
        raise NotJson(f"the number {clipped(text)} is too large")
    return int(text)


def _refuse_half_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise NotJson("a text holds half a character (an unpaired surrogate \\ud800-\\udfff)") from None
