"""What a parent and an engine say to one another, and how it is read: whatever breaks the rules of `child.py` is None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from judge.domain import Finish, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One conversation to go on with.  `key` is ours and names the row in the answer."""

    key: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One answer of the model.  `reasoning` is what it thought aloud before `text`."""

    text: str
    reasoning: str | None
    finish: Finish
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of an ask: its samples, or the error that this one row met."""

    key: str
    samples: tuple[Sample, ...]
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What runs: engine and version, device, the weights' dtype, most tokens of a chat, SHA-256 of the chat template."""

    engine: str
    device: str
    dtype: str
    max_len: int
    template: str
    versions: Mapping[str, str]


def by_key(asks: Sequence[Ask]) -> set[str]:
    """Give the keys of asks.  ValueError when two are the same."""
    keys = {ask.key for ask in asks}
    if len(keys) < len(asks):
        raise ValueError("two asks have the same key")
    return keys


def written(asks: Sequence[Ask]) -> list[dict[str, Any]]:
    """Write asks as rows."""
    return [{"key": ask.key, "messages": [asdict(message) for message in ask.messages]} for ask in asks]


def about_of(said: Any) -> About | None:
    """Read a `ready`; None when it breaks the rules."""
    match said:
        case {
            "engine": str(engine),
            "device": str(device),
            "dtype": str(dtype),
            "max_len": int(max_len),
            "template": str(template),
            "versions": dict() as versions,
        } if len(said) == 6:
            return About(engine=engine, device=device, dtype=dtype, max_len=max_len, template=template, versions=versions)
    return None


def texts_of(said: Any) -> dict[str, str] | None:
    """Read `prompts` by key; None when they break the rules."""
    if not isinstance(said, list) or not all(isinstance(one, dict) and one.keys() == {"key", "text"} for one in said):
        return None
    return {one["key"]: one["text"] for one in said}


def row_of(said: Any, n: int) -> Row | None:
    """Read a `row` with n samples or an error; None when it breaks the rules."""
    match said:
        case {"key": str(key), "error": str(error)} if len(said) == 2:
            return Row(key=key, samples=(), error=error)
        case {"key": str(key), "samples": [*given]} if len(said) == 2:
            samples = tuple(sample for one in given if (sample := _sample(one)))
            return Row(key=key, samples=samples, error=None) if len(samples) == len(given) == n else None
    return None


def _sample(said: Any) -> Sample | None:
    match said:
        case {
            "text": str(text),
            "reasoning": str() | None as reasoning,
            "finish": ("stop" | "length") as finish,
            "tokens_in": int(tokens_in),
            "tokens_out": int(tokens_out),
        } if len(said) == 5:
            return Sample(text=text, reasoning=reasoning, finish=finish, tokens_in=tokens_in, tokens_out=tokens_out)
    return None
