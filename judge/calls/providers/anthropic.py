"""Anthropic's Messages API.  The only file that imports its SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from judge.calls.failures import CallFailed
from judge.calls.pacing import Limits
from judge.calls.providers.base import ListedModel, Reply, output_limit
from judge.calls.providers.http import answer_of, failed_from, filtered, limits, listed, pool, post, without_key
from judge.calls.providers.server import Server
from judge.calls.request import Answer, Request, Usage
from judge.domain import Finish

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

URL: Final = "https://api.anthropic.com"
KEY: Final = "ANTHROPIC_API_KEY"
_FINISH: Final[Mapping[str, Finish]] = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "model_context_window_exceeded": "length",
}  # fmt: skip


class AnthropicProvider:
    """Asks one server with one key.  `connections`: as many as calls may be open."""

    def __init__(self, base_url: str | None, key_env: str | None, connections: int) -> None:
        self.server = Server(url=base_url or URL, variable=key_env or KEY, named=key_env is not None)
        self._connections = connections
        self._client: AsyncAnthropic | None = None

    def name(self, request: Request) -> str | None:
        """Name the call by its content."""
        return request.digest

    async def send(self, request: Request, call: str, timeout_s: float, raised: int) -> Reply:
        """Ask once.  raised: how often the output limit was raised already.  Raises CallFailed."""
        client = self._open()
        try:
            response = await post(client, "/v1/messages", _body(request, raised), timeout_s)
        except Exception as error:
            response = filtered(error)
            if response is None:
                raise CallFailed(failed_from(error, self.server, _limits)) from error
        raw = response.text
        request_id = response.headers.get("request-id")
        try:
            answer = self.read(raw, call, request_id)
        except CallFailed as failure:
            raise without_key(failure, self.server) from None
        return Reply(answer=answer, raw=raw, limits=_limits(response.headers))

    def read(self, raw: str, call: str, request_id: str | None = None) -> Answer:
        """Read an answer's body.  Raises CallFailed for one that is no answer at all."""
        return answer_of(raw, call, request_id, lambda body: _answer(body, call, request_id), _usage)

    async def models(self, timeout_s: float) -> list[ListedModel]:
        """Name the models that this key may ask, free of charge.  Raises CallFailed."""
        return await listed(self._open(), self.server, timeout_s)

    async def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            await self._client.close()

    def _open(self) -> AsyncAnthropic:
        if self._client is None:
            from anthropic import AsyncAnthropic, DefaultAioHttpClient

            self._client = AsyncAnthropic(
                api_key=self.server.key(),
                base_url=self.server.url,  # never what the environment says: it would answer for another server
                max_retries=0,
                http_client=DefaultAioHttpClient(limits=pool(self._connections)),
            )
        return self._client


def _limits(headers: Mapping[str, str]) -> Limits:
    return limits(headers, "anthropic-ratelimit", "requests", "input-tokens")


def _body(request: Request, raised: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": turn.role, "content": turn.content} for turn in request.messages],
        "max_tokens": output_limit(request, raised),
    }
    if request.system:
        body["system"] = request.system
    config: dict[str, Any] = {}
    if request.schema is not None:
        config["format"] = {"type": "json_schema", "schema": dict(request.schema)}
    if request.effort is not None:
        config["effort"] = request.effort
    if config:
        body["output_config"] = config
    return body


def _answer(body: Mapping[str, Any], call: str, request_id: str | None) -> Answer:
    reason = body.get("stop_reason")
    refused = "refused" if reason == "refusal" else None
    category = (body.get("stop_details") or {}).get("category")
    return Answer(
        digest=call,
        text="".join(block["text"] for block in body["content"] if block.get("type") == "text"),
        error=f"{refused}: {category}" if refused and category else refused,
        finish=_FINISH.get(str(reason), "stop"),
        model=body.get("model"),
        request_id=request_id,
        usage=_usage(body.get("usage") or {}),
    )


def _usage(usage: Mapping[str, Any]) -> Usage:
    # The input count leaves cached and written tokens out here.
    cached, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    fresh = usage.get("input_tokens")
    tokens_in = None if fresh is None else fresh + cached + written
    return Usage(tokens_in=tokens_in, cached=cached, written=written, tokens_out=usage.get("output_tokens"))
