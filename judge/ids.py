"""Identity: canonical JSON, digests that name what made a thing, and randomness that people cannot guess."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections.abc import Iterable, Sequence
from decimal import Decimal
from json.encoder import encode_basestring as _quoted
from typing import Any, Final

FORMAT: Final = 1  # the version of every digest; a change of any digest's content raises it


def canonical_json(value: Any) -> str:
    """Serialise as RFC 8785 (JCS) does: sorted keys, no spaces, shortest numbers, UTF-8 kept.

    value: None, bool, int, finite float, str, and lists and str-keyed dicts of them.
    Raises ValueError for NaN and infinities, TypeError for anything else.
    Keys sort by UTF-16 code units, as the RFC asks.
    """
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(canonical_json, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join([f'{_quoted(str(key))}:{canonical_json(value[key])}' for key in _in_order(value)])}}}"
    raise TypeError(f"{type(value).__name__} has no canonical JSON")


def _in_order(keys: Iterable[str]) -> list[str]:
    # ASCII sorts the same by UTF-16 code units, and nearly every key is ASCII.
    return sorted(keys) if all(map(str.isascii, keys)) else sorted(keys, key=lambda key: key.encode("utf-16-be"))


def _number(value: float) -> str:
    """Write a double as ECMAScript's Number::toString does: shortest digits, exponent from 1e21 up and below 1e-6."""
    if not math.isfinite(value):
        raise ValueError("NaN and infinities have no JSON")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text, point = "".join(map(str, digits)), len(digits) + int(exponent)
    if len(text) <= point <= 21:
        text = text + "0" * (point - len(text))
    elif 0 < point <= 21:
        text = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{text}"
    else:
        text = f"{text[0]}{'.' if text[1:] else ''}{text[1:]}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"-{text}" if sign else text


def digest(kind: str, content: Any) -> str:
    """Name a thing by what made it: 64 hex digits of SHA-256 over kind, format version and content."""
    return hashlib.sha256(canonical_json([kind, FORMAT, content]).encode()).hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 of one text, for files that are compared as a whole."""
    return hashlib.sha256(text.encode()).hexdigest()


def fence_marker(text_a: str, text_b: str) -> str:
    """Give the marker that fences both texts in a prompt; no author of a text can know it beforehand.

    The same in both orders, so that digests and caches stay stable.
    """
    return hashlib.sha256(canonical_json([text_a, text_b]).encode()).hexdigest()[:12]


def new_secret() -> str:
    """Draw a study's secret: 256 random bits in hex."""
    return secrets.token_hex(32)


def keyed_token(secret: str, *words: str) -> str:
    """Map words to 128 bits in hex that nobody without the secret can foresee, the same at every call."""
    return _mac(secret, words).hex()[:32]


def keyed_fraction(secret: str, *words: str) -> float:
    """Map words to [0, 1) in a way that nobody without the secret can foresee, the same at every call."""
    return int.from_bytes(_mac(secret, words)[:7], "big") / 2**56


def keyed_bit(secret: str, *words: str) -> int:
    """Map words to 0 or 1 in a way that nobody without the secret can foresee."""
    return int(keyed_fraction(secret, *words) >= 0.5)


def _mac(secret: str, words: Sequence[str]) -> bytes:
    return hmac.new(bytes.fromhex(secret), canonical_json(list(words)).encode(), hashlib.sha256).digest()
