"""OpenAI's Responses API, and Chat Completions for every server that speaks it.  The only file that imports the SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from judge.calls.failures import CallFailed
from judge.calls.pacing import Limits
from judge.calls.providers.base import ListedModel, Reply, output_limit
from judge.calls.providers.http import answer_of, broken_off, failed_from, filtered, limits, listed, pool, post, without_key
from judge.calls.providers.server import Server
from judge.calls.request import Answer, Request, Usage
from judge.domain import Finish

if TYPE_CHECKING:
    from openai import AsyncOpenAI

URL: Final = "https://api.openai.com/v1"
KEY: Final = "OPENAI_API_KEY"
_FINISH: Final[Mapping[str, Finish]] = {"stop": "stop", "length": "length", "content_filter": "filter"}


class OpenAIProvider:
    """Asks one server with one key.  `connections`: as many as calls may be open."""

    def __init__(self, base_url: str | None, key_env: str | None, connections: int) -> None:
        self.server = Server(url=base_url or URL, variable=key_env or KEY, named=key_env is not None)
        self._own = base_url is None  # OpenAI's own server, which speaks Responses
        self._connections = connections
        self._client: AsyncOpenAI | None = None

    def name(self, request: Request) -> str | None:
        """Name the call by its content."""
        return request.digest

    async def send(self, request: Request, call: str, timeout_s: float, raised: int) -> Reply:
        """Ask once.  raised: how often the output limit was raised already.  Raises CallFailed."""
        client = self._open()
        if self._own:
            path, body = "/responses", _responses_body(request, raised)
        else:
            path, body = "/chat/completions", _chat_body(request, raised)
        try:
            response = await post(client, path, body, timeout_s)
        except Exception as error:
            response = filtered(error)
            if response is None:
                raise CallFailed(failed_from(error, self.server, _limits)) from error
        raw, headers = response.text, response.headers
        request_id = headers.get("x-request-id")
        try:
            answer = self.read(raw, call, request_id)
        except CallFailed as failure:
            raise without_key(failure, self.server) from None
        return Reply(answer=answer, raw=raw, limits=_limits(headers))

    def read(self, raw: str, call: str, request_id: str | None = None) -> Answer:
        """Read an answer's body.  Raises CallFailed for one that is no answer at all."""

        def read(body: dict[str, Any]) -> Answer:
            return _from_responses(body, call, request_id) if "output" in body else _from_chat(body, call, request_id)

        return answer_of(raw, call, request_id, read, _usage)

    async def models(self, timeout_s: float) -> list[ListedModel]:
        """Name the models that this key may ask, free of charge.  Raises CallFailed."""
        return await listed(self._open(), self.server, timeout_s)

    async def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            await self._client.close()

    def _open(self) -> AsyncOpenAI:
        if self._client is None:
            from openai import AsyncOpenAI, DefaultAioHttpClient

            self._client = AsyncOpenAI(
                api_key=self.server.key(),
                base_url=self.server.url,  # never what the environment says: it would answer for another server
                max_retries=0,
                http_client=DefaultAioHttpClient(limits=pool(self._connections)),
            )
        return self._client


def _limits(headers: Mapping[str, str]) -> Limits:
    return limits(headers, "x-ratelimit", "requests", "tokens")


def _turns(request: Request) -> list[dict[str, str]]:
    turns = [{"role": turn.role, "content": turn.content} for turn in request.messages]
    return [{"role": "system", "content": request.system}, *turns] if request.system else turns


def _chat_body(request: Request, raised: int) -> dict[str, Any]:
    body: dict[str, Any] = {"model": request.model, "messages": _turns(request), **request.sampling}
    if request.schema is not None:
        form = {"name": "answer", "schema": dict(request.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    if request.effort is not None:
        body["reasoning_effort"] = request.effort
    if raised >= 0:
        body["max_completion_tokens"] = output_limit(request, raised)
    return body


def _responses_body(request: Request, raised: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "input": [{"role": turn.role, "content": turn.content} for turn in request.messages],
        "store": False,  # judged texts are nobody's to keep
        "max_output_tokens": output_limit(request, raised),
        **request.sampling,
    }
    if request.system:
        body["instructions"] = request.system
    if request.schema is not None:
        form = {"type": "json_schema", "name": "answer", "schema": dict(request.schema), "strict": True}
        body["text"] = {"format": form}
    if request.effort is not None:
        body["reasoning"] = {"effort": request.effort}
    return body


def _from_chat(body: Mapping[str, Any], call: str, request_id: str | None) -> Answer:
    choice = body["choices"][0]
    if choice.get("error") or choice.get("finish_reason") == "error":  # what a server in between met upstream
        raise broken_off(json.dumps({"error": choice.get("error")}), request_id)
    message = choice["message"]
    refusal = message.get("refusal")
    return Answer(
        digest=call,
        text=_said(message.get("content")),
        error=f"refused: {refusal}" if refusal else None,
        finish=_FINISH.get(str(choice.get("finish_reason")), "stop"),
        model=body.get("model"),
        request_id=request_id,
        reasoning=message.get("reasoning_content") or message.get("reasoning"),  # as servers of open models give it
        usage=_usage(body.get("usage") or {}),
    )


def _said(content: Any) -> str | None:
    """Take the text; some servers give it in parts."""
    if content is None or isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part.get("type") == "text")


def _from_responses(body: Mapping[str, Any], call: str, request_id: str | None) -> Answer:
    if body.get("status") not in (None, "completed", "incomplete"):
        raise broken_off(json.dumps({"error": {"message": f"the response is {body['status']}"}}), request_id)
    parts = [
        part
        for item in body["output"]
        # A commentary before the final answer is prose about it, not it.
        if item.get("type") == "message" and item.get("phase") in (None, "final_answer")
        for part in item.get("content") or []
    ]
    refusal = next((part["refusal"] for part in parts if part.get("type") == "refusal"), None)
    why = (body.get("incomplete_details") or {}).get("reason")
    return Answer(
        digest=call,
        text="".join(part.get("text", "") for part in parts if part.get("type") == "output_text"),
        error=f"refused: {refusal}" if refusal is not None else None,
        finish={"max_output_tokens": "length", "content_filter": "filter"}.get(str(why), "stop"),  # type: ignore[arg-type]
        model=body.get("model"),
        request_id=request_id,
        usage=_usage(body.get("usage") or {}),
    )


def _usage(usage: Mapping[str, Any]) -> Usage:
    """Read what was used: the Responses API counts `input_tokens`, Chat Completions `prompt_tokens`."""
    read, written = ("input_tokens", "output_tokens") if "input_tokens" in usage else ("prompt_tokens", "completion_tokens")
    inside = usage.get(f"{read}_details") or {}
    return Usage(  # cached and written tokens stand inside the input count here
        tokens_in=usage.get(read),
        cached=inside.get("cached_tokens") or 0,
        written=inside.get("cache_write_tokens") or 0,
        tokens_out=usage.get(written),
    )
