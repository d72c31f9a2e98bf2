"""What is asked and what comes back, with no word about pairs or rubrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from judge.domain import Finish, Message
from judge.ids import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a model.

    `tag` is the asker's own name for the cell, opaque here: recordings are found by it, so that an edited prompt does not
    kill them.  It is no part of what a live provider sees.
    """

    provider: str
    model: str
    messages: tuple[Message, ...]
    tag: str
    route: str = "recorded"  # which of the engine's providers answers; no part of the digest
    system: str | None = None
    schema: Mapping[str, Any] | None = None
    base_url: str | None = None
    effort: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    repeat: int = 1
    reask: int = 0  # asked anew because the answer before could not be read
    most_tokens: int | None = None  # the asker's own limit; an answer cut by it is the answer

    def content(self) -> dict[str, Any]:
        """Give what makes this call this call: never keys, time-outs or ids of study and pair.

        A limit on tokens is a part only where the asker sets it: an output that may be longer is another output.
        """
        return {
            "provider": self.provider,
            "base_url": self.base_url,
            "model": self.model,
            "effort": self.effort,
            "sampling": dict(self.sampling),
            "system": self.system,
            "messages": [[turn.role, turn.content] for turn in self.messages],
            "schema": None if self.schema is None else dict(self.schema),
            "repeat": self.repeat,
            **({"reask": self.reask} if self.reask else {}),
            **({"most_tokens": self.most_tokens} if self.most_tokens else {}),
        }

    @property
    def digest(self) -> str:
        """Name the call by its content; equal calls are one."""
        return digest("call", self.content())


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one answer; `tokens_in` includes those that were read from a cache or written into it."""

    tokens_in: int | None = None
    cached: int = 0
    written: int = 0
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the text, or an error in its place.  `digest` names the call it answers."""

    digest: str
    text: str | None
    error: str | None = None
    finish: Finish | None = None
    reasoning: str | None = None  # what the model thought aloud before the text, where the server gives it apart
    model: str | None = None
    request_id: str | None = None
    usage: Usage = Usage()
    latency_s: float | None = None
    cost_usd: float | None = None
    failed: bool = False  # no answer came; the same command asks again

    @property
    def tokens_in(self) -> int | None:
        """Tokens that were read."""
        return self.usage.tokens_in

    @property
    def tokens_out(self) -> int | None:
        """Tokens that were written, thinking included."""
        return self.usage.tokens_out
