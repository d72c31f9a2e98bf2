"""Answers that were recorded earlier, found by the request's tag."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from judge.calls.providers.base import Reply
from judge.calls.request import Answer, Request, Usage
from judge.domain import Recording
from judge.ids import digest


class RecordedProvider:
    """Answers requests from recordings.  `recordings` maps a request's tag to its recording."""

    server = None  # nobody is asked

    def __init__(self, recordings: Mapping[str, Recording]) -> None:
        self._recordings = recordings

    def name(self, request: Request) -> str | None:
        """Give the digest of the call that the recording holds: its tag and raw text.  None when there is none."""
        found = self._recordings.get(request.tag)
        if found is None or request.reask:
            return None
        content = {"provider": "recorded", "tag": request.tag, "text": found.text, "error": found.error, "finish": found.finish}
        return digest("call", content)

    async def send(self, request: Request, call: str, timeout_s: float, raised: int) -> Reply:  # noqa: ARG002
        """Give the recorded answer.  KeyError when there is none; ask `name` first."""
        found = self._recordings[request.tag]
        content = {
            "text": found.text,
            "error": found.error,
            "finish": found.finish,
            "model": found.model,
            "tokens_in": found.tokens_in,
            "tokens_out": found.tokens_out,
            "latency_s": found.latency_s,
        }
        raw = json.dumps(content, ensure_ascii=False)
        return Reply(answer=self.read(raw, call), raw=raw)

    def read(self, raw: str, call: str, request_id: str | None = None) -> Answer:
        """Read a recording that the journal kept."""
        content: dict[str, Any] = json.loads(raw)
        return Answer(
            digest=call,
            text=content["text"],
            error=content["error"],
            finish=content["finish"],
            model=content["model"],
            request_id=request_id,
            usage=Usage(tokens_in=content["tokens_in"], tokens_out=content["tokens_out"]),
            latency_s=content["latency_s"],
            cost_usd=0.0,
        )

    async def close(self) -> None:
        """Have nothing to give back."""
