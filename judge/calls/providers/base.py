"""What a provider is to the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from judge.calls.pacing import Limits
from judge.calls.providers.server import Server
from judge.calls.request import Answer, Request

VISIBLE: Final = 2048  # tokens for the reasons and choices themselves
THOUGHT: Final = {None: 4096, "none": 0, "minimal": 1024, "low": 4096, "medium": 8192, "high": 16384}
MOST: Final = 32_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer as it came: read, raw, and with the limits that its headers announce."""

    answer: Answer
    raw: str
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """A model in a provider's own list.  retires: the day for which its end is announced; retired: it has ended."""

    name: str
    retires: date | None = None
    retired: bool = False


class Provider(Protocol):
    """A way to get an answer."""

    @property
    def server(self) -> Server | None:
        """Give whom it asks; None when it asks nobody."""
        ...

    def name(self, request: Request) -> str | None:
        """Give the digest of the call, or None when this provider cannot answer the request."""
        ...

    async def send(self, request: Request, call: str, timeout_s: float, raised: int) -> Reply:
        """Ask once.  Raises CallFailed."""
        ...

    def read(self, raw: str, call: str, request_id: str | None = None) -> Answer:
        """Read a raw answer that the journal kept."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...


def output_limit(request: Request, raised: int) -> int:
    """Give the output limit: the asker's, else what is visible plus generous room for thinking; four times that after a cut.

    One that is left to the server (raised is -1) is worth at most what the server had refused as too much.

    No part of a call's digest: it changes whether an answer comes, not which.
    """
    if request.most_tokens is not None:
        return request.most_tokens
    wanted: int = (VISIBLE + THOUGHT.get(request.effort, THOUGHT["high"])) * 4 ** max(0, raised)
    return min(wanted, MOST)
