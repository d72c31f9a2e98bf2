"""Answers that were recorded earlier, found by the request's tag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from judge.calls.request import Answer, Request
from judge.domain import Recording
from judge.ids import digest


class RecordedProvider:
    """Answers requests from recordings.  `recordings` maps a request's tag to its recording."""

    def __init__(self, recordings: Mapping[str, Recording]) -> None:
        self._recordings = recordings

    def name(self, request: Request) -> str | None:
        """Give the digest of the call that the recording holds: its tag and raw text.  None when there is none."""
        found = self._recordings.get(request.tag)
        if found is None:
            return None
        return digest(
            "call",
            {
                "provider": "recorded",
                "tag": request.tag,
                "text": found.text,
                "error": found.error,
                "finish": found.finish,
            },
        )

    def answer(self, request: Request, call: str) -> Answer:
        """Give the recorded answer.  KeyError when there is none; ask `name` first."""
        found = self._recordings[request.tag]
        return replace(
            _EMPTY,
            digest=call,
            text=found.text,
            error=found.error,
            finish=found.finish,
            model=found.model,
            tokens_in=found.tokens_in,
            tokens_out=found.tokens_out,
            latency_s=found.latency_s,
        )


_EMPTY = Answer(digest="", text=None)
