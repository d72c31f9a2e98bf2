"""A local imitation of the providers: well-formed answers, announced limits, and every fault that was seen of them.

    with ProviderServer(faults={"throttled": 0.05, "error_500": 0.02}, latency_s=0.2) as server:
        AsyncOpenAI(base_url=server.openai_url, ...)      # chat completions and responses
        AsyncAnthropic(base_url=server.url, ...)          # messages

Everything is decided by (seed, SHA-256 of the request's body, how often that body was admitted): the same run meets the
same faults in whatever order its calls arrive, and a retry may succeed.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import itertools
import json
import math
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Literal, Never, TypeAlias

from aiohttp import web

Dialect: TypeAlias = Literal["chat", "responses", "messages"]
Body: TypeAlias = dict[str, Any]

PATHS: Final[Mapping[str, Dialect]] = {
    "/v1/chat/completions": "chat", "/v1/responses": "responses", "/v1/messages": "messages",
}  # fmt: skip
SOON: Final = datetime.now(UTC).date() + timedelta(days=30)
ENDING: Final = {"chat": "gpt-ending", "messages": "claude-ending"}  # models that their lists say end then
RETIRED: Final = "claude-retired"
UNLIMITED_REQUESTS: Final = 600_000.0  # a minute; announced where no limit was set, as providers always announce one
UNLIMITED_TOKENS: Final = 1_000_000_000.0
THOUGHT: Final = 64  # tokens of reasoning in every answer
MOST_BYTES: Final = 2**28  # of a request


# --- Errors: status, message, type and code in OpenAI's words, type and details in Anthropic's --------------------------


@dataclass(frozen=True, slots=True)
class _Error:
    status: int
    message: str
    openai: tuple[str, str | None]
    anthropic: str
    details: tuple[str, ...] = ()
    param: str | None = None


_FILTERED: Final = _Error(
    400, "The response was filtered due to the prompt triggering a content management policy.",
    ("invalid_request_error", "content_filter"), "invalid_request_error", param="prompt",
)  # fmt: skip
_THROTTLED: Final = _Error(429, "Rate limit reached.", ("requests", "rate_limit_exceeded"), "rate_limit_error")
_ERRORS: Final[Mapping[str, _Error]] = {
    "throttled": _THROTTLED,
    "throttled_long": _THROTTLED,
    "stop_ramp": _Error(
        429, "Your usage grows too fast.", ("requests", "slow_down"), "rate_limit_error", ("ramp_limit_exceeded",)
    ),
    "quota": _Error(
        429, "You exceeded your current quota.", ("insufficient_quota", "insufficient_quota"), "rate_limit_error",
        ("enforced_spend_limit_reached", "contract_spend_limit_reached"),
    ),
    "payment": _Error(402, "Your balance is empty.", ("billing_error", "insufficient_credits"), "billing_error"),
    "unauthorized": _Error(401, "The key is wrong.", ("invalid_request_error", "invalid_api_key"), "authentication_error"),
    "forbidden": _Error(403, "The key may not do this.", ("invalid_request_error", "forbidden"), "permission_error"),
    "model_gone": _Error(404, "The model does not exist.", ("invalid_request_error", "model_not_found"), "not_found_error"),
    "bad_request": _Error(
        400, "temperature: not supported with this model.", ("invalid_request_error", "unsupported_parameter"),
        "invalid_request_error", param="temperature",
    ),
    "context": _Error(
        400, "max_completion_tokens is too large: the model's maximum context length is 4096 tokens.",
        ("invalid_request_error", "invalid_value"), "invalid_request_error", param="max_completion_tokens",
    ),
    "too_large": _Error(413, "The request is too large.", ("invalid_request_error", "request_too_large"), "request_too_large"),
    "error_500": _Error(500, "Something broke.", ("server_error", None), "api_error"),
    "error_503": _Error(503, "The service is busy.", ("service_unavailable", None), "api_error"),
    "error_529": _Error(529, "Overloaded.", ("overloaded", None), "overloaded_error"),
}  # fmt: skip


# --- Answers: the text that a judge gives, and what can be wrong with it ------------------------------------------------

_SCHEMA_AT: Final = (
    ("response_format", "json_schema", "schema"),
    ("text", "format", "schema"),
    ("output_config", "format", "schema"),
)
_PROMPT_AT: Final = ("instructions", "system", "input", "messages")
_CHOICE: Final = {
    "type": "object",
    "properties": {"reasons": {"type": "string"}, "choice": {"type": "string", "enum": ["first", "second", "tie"]}},
}
_UNASKED_SCHEMA: Final = {"type": "object", "properties": {"overall": _CHOICE}}
_SENTENCES: Final = (
    "The first answer names the day; the second does not.",
    "Both say “soon”, and neither says when.",
    "The second answer is shorter,\nand nothing is missing from it.",
)
_OTHER: Final = {"first": "second", "second": "first", "tie": "first", "pass": "fail", "fail": "pass"}


def judge_answer(body: Body) -> str:
    """Answer as a judge would: JSON that follows the request's schema, the choices drawn from SHA-256 of its messages."""
    schema = next((found for at in _SCHEMA_AT if (found := _dig(body, at))), _UNASKED_SCHEMA)
    words = json.dumps([body.get(key) for key in _PROMPT_AT])
    return json.dumps(_fill(schema, itertools.cycle(hashlib.sha256(words.encode()).digest())), ensure_ascii=False)


def _dig(body: Any, keys: Collection[str]) -> Any:
    for key in keys:
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _fill(schema: Body, draw: Iterator[int]) -> Any:
    if "enum" in schema:
        return schema["enum"][next(draw) % len(schema["enum"])]
    match schema.get("type"):
        case "object":
            return {key: _fill(inner, draw) for key, inner in schema["properties"].items()}
        case "array":
            return [_fill(schema["items"], draw)]
        case "string":
            return _SENTENCES[next(draw) % len(_SENTENCES)]
        case "integer" | "number":
            return schema.get("minimum", 0) + next(draw) % 2
        case "boolean":
            return bool(next(draw) % 2)
        case other:
            raise ValueError(f"no answer for a schema of type {other!r}; give the server an `answer`")


def _leaf(content: Body) -> tuple[Body, str]:
    """Find the last value inside the last object: the choice of the last criterion."""
    key = list(content)[-1]
    inner = content[key]
    return _leaf(inner) if isinstance(inner, dict) and inner else (content, key)


def _with_leaf(value: Callable[[Any], Any]) -> Callable[[str], str]:
    def damage(text: str) -> str:
        content = json.loads(text)
        inside, key = _leaf(content)
        inside[key] = value(inside[key])
        return json.dumps(content, ensure_ascii=False)

    return damage


def _duplicate_keys(text: str) -> str:
    inside, key = _leaf(json.loads(text))
    value = inside[key]
    twice = f"{json.dumps(value)}, {json.dumps(key)}: {json.dumps(_OTHER.get(str(value)))}"
    return _with_leaf(lambda _: "@twice@")(text).replace('"@twice@"', twice)


def _missing_key(text: str) -> str:
    content = json.loads(text)
    inside, key = _leaf(content)
    del inside[key]
    return json.dumps(content, ensure_ascii=False)


_TEXTS: Final[Mapping[str, Callable[[str], str]]] = {
    "empty_text": lambda text: "",
    "length": lambda text: text[: len(text) // 2],
    "malformed_text": lambda text: f"{text.rstrip()[:-1]}]",
    "fenced_text": lambda text: f"```json\n{text}\n```",
    "prose_around": lambda text: f"Here is my judgement.\n\n{text}\n\nI hope that it helps.",
    "duplicate_keys": _duplicate_keys,
    "nan": _with_leaf(lambda _: math.nan),
    "wrong_enum": _with_leaf(lambda _: "neither"),
    "missing_key": _missing_key,
    "extra_key": lambda text: json.dumps(json.loads(text) | {"confidence": 0.9}, ensure_ascii=False),
}
_FORMS: Final = ("refusal", "content_filter", "commentary_first", "broken_off")  # the envelope is another one
_UNPAID: Final = (
    "hang",
    "reset_before",
    "error_502_html",
    "html_200",
    "empty_json",
    "filtered_prompt",
)  # nothing was generated
_PAID: Final = ("reset_middle", "cut_body", *_FORMS, *_TEXTS)
FAULTS: Final = (*(name for name in _ERRORS if name != "context"), *_UNPAID, *_PAID)  # "context" only by `faulty`
_ONLY: Final[Mapping[str, Dialect]] = {
    "commentary_first": "responses", "broken_off": "responses", "stop_ramp": "messages", "filtered_prompt": "chat",
}  # fmt: skip  # "ok" in another dialect


# --- Envelopes: made once from the SDKs' own types, with places for what differs -----------------------------------------

_TEXT, _ID, _MODEL = "@text@", "@id@", "@model@"
_IN, _OUT, _SUM = 701_701_701, 702_702_702, 703_703_703  # places for token counts, which must be numbers
_NO: Final = "I cannot help with that."


def _form(answer: Any) -> str:
    return json.dumps(answer.model_dump(mode="json", exclude_unset=True))


@functools.cache
def _chat() -> Mapping[str, str]:
    from openai.types.chat import ChatCompletion

    def form(finish: str, **message: str | None) -> str:
        choice = {"index": 0, "finish_reason": finish, "logprobs": None, "message": {"role": "assistant", **message}}
        usage = {
            "prompt_tokens": _IN, "completion_tokens": _OUT, "total_tokens": _SUM,
            "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": THOUGHT},
        }  # fmt: skip
        content = {
            "id": f"chatcmpl-{_ID}", "object": "chat.completion", "created": int(time.time()), "model": _MODEL,
            "choices": [choice], "usage": usage, "service_tier": "default", "system_fingerprint": "fp_imitation",
        }  # fmt: skip
        return _form(ChatCompletion.model_validate(content))

    return {
        "ok": form("stop", content=_TEXT, refusal=None),
        "length": form("length", content=_TEXT, refusal=None),
        "refusal": form("stop", content=None, refusal=_NO),
        "content_filter": form("content_filter", content="", refusal=None),
    }


@functools.cache
def _responses() -> Mapping[str, str]:
    from openai.types.responses import Response

    def message(part: Body, status: str = "completed", **more: str) -> Body:
        return {"id": f"msg_{_ID}", "type": "message", "role": "assistant", "status": status, "content": [part], **more}

    def form(*items: Body, cut: str | None = None, broken: str | None = None) -> str:
        usage = {
            "input_tokens": _IN, "output_tokens": _OUT, "total_tokens": _SUM,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": THOUGHT},
        }  # fmt: skip
        content = {
            "id": f"resp_{_ID}", "object": "response", "created_at": int(time.time()), "model": _MODEL,
            "error": {"code": broken, "message": "The model broke off."} if broken else None,
            "status": "failed" if broken else "incomplete" if cut else "completed",
            "incomplete_details": {"reason": cut} if cut else None,
            "output": [{"id": f"rs_{_ID}", "type": "reasoning", "summary": []}, *items], "usage": usage, "tools": [],
            "instructions": None, "metadata": {}, "parallel_tool_calls": True, "tool_choice": "auto",
            "service_tier": "default",
        }  # fmt: skip
        return _form(Response.model_validate(content))

    text = {"type": "output_text", "text": _TEXT, "annotations": [], "logprobs": []}
    comment = message(text | {"text": "I will compare the two answers now."}, phase="commentary")
    return {
        "ok": form(message(text)),
        "length": form(message(text, "incomplete"), cut="max_output_tokens"),
        "refusal": form(message({"type": "refusal", "refusal": _NO})),
        "content_filter": form(cut="content_filter"),
        "broken_off": form(broken="server_error"),
        "commentary_first": form(comment, message(text, phase="final_answer")),
    }


@functools.cache
def _messages() -> Mapping[str, str]:
    from anthropic.types import Message

    def form(stop: str, *blocks: Body, category: str | None = None) -> str:
        usage = {
            "input_tokens": _IN, "output_tokens": _OUT, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens_details": {"thinking_tokens": THOUGHT}, "service_tier": "standard",
        }  # fmt: skip
        details = {"type": "refusal", "category": category, "explanation": _NO} if category else None
        content = {
            "id": f"msg_{_ID}", "type": "message", "role": "assistant", "model": _MODEL, "content": list(blocks),
            "stop_reason": stop, "stop_sequence": None, "stop_details": details, "usage": usage,
        }  # fmt: skip
        return _form(Message.model_validate(content))

    thought, text = {"type": "thinking", "thinking": "", "signature": "imitation"}, {"type": "text", "text": _TEXT}
    return {
        "ok": form("end_turn", thought, text),
        "empty_text": form("end_turn", thought),
        "length": form("max_tokens", thought, text),
        "refusal": form("refusal", category="reasoning_extraction"),
        "content_filter": form("refusal", category="general_harms"),
    }


_ENVELOPES: Final[Mapping[Dialect, Callable[[], Mapping[str, str]]]] = {
    "chat": _chat, "responses": _responses, "messages": _messages,
}  # fmt: skip


@functools.cache
def _openai_models() -> str:
    from openai.types import Model

    ids = {"gpt-6-luna": None, "gpt-6.2-sol": None, ENDING["chat"]: SOON.isoformat()}
    found = [
        Model(id=name, object="model", created=1_790_000_000, owned_by="imitation", shutdown_date=ends)
        for name, ends in ids.items()
    ]
    return json.dumps({"object": "list", "data": [model.model_dump(mode="json", exclude_unset=True) for model in found]})


@functools.cache
def _anthropic_models() -> str:
    from anthropic.types import ModelInfo

    yes = {"supported": True}
    capabilities: Body = dict.fromkeys(
        ("batch", "citations", "code_execution", "image_input", "pdf_input", "structured_outputs"), yes
    )
    capabilities["context_management"] = yes
    capabilities["effort"] = yes | dict.fromkeys(("low", "medium", "high", "xhigh", "max"), yes)
    capabilities["server_tools"] = yes | dict.fromkeys(("code_execution", "web_search"), yes)
    capabilities["thinking"] = yes | {"types": dict.fromkeys(("adaptive", "between_tools", "disabled", "enabled"), yes)}
    common = {"type": "model", "created_at": "2026-10-21T00:00:00Z", "lifecycle": "active", "max_tokens": 128_000}
    ids = ("claude-haiku-5-5", "claude-sonnet-5-5", ENDING["messages"], RETIRED)
    ends = {
        ENDING["messages"]: {
            "lifecycle": "deprecated",
            "retires_at": f"{SOON}T00:00:00Z",
            "deprecated_at": "2026-10-21T00:00:00Z",
        },
        RETIRED: {"lifecycle": "retired", "retires_at": "2026-10-22T00:00:00Z", "deprecated_at": "2026-09-21T00:00:00Z"},
    }
    named = [common | {"id": name, "display_name": name, "capabilities": capabilities} | ends.get(name, {}) for name in ids]
    found = [ModelInfo.model_validate(model).model_dump(mode="json", exclude_unset=True) for model in named]
    return json.dumps({"data": found, "has_more": False, "first_id": ids[0], "last_id": ids[-1]})


# --- Limits, announced as each provider does ----------------------------------------------------------------------------


@dataclass(slots=True)
class _Bucket:
    """So much a minute, coming back at a steady rate up to what comes in `burst_s` seconds.  Full at first."""

    per_minute: float
    burst_s: float
    level: float = math.inf
    at: float = 0.0

    def wait(self, amount: float, now: float) -> float:
        """Say how many seconds until there is room; more than the whole bucket needs a full one."""
        size = self._refill(now)
        return max(0.0, min(amount, size) - self.level) * 60 / self.per_minute

    def announced(self, now: float) -> tuple[int, int, float]:
        """Give the limit, what is left of it, and the seconds until all of it is back."""
        size = self._refill(now)
        return int(self.per_minute), max(0, int(self.level)), (size - self.level) * 60 / self.per_minute

    def _refill(self, now: float) -> float:
        size = max(1.0, self.per_minute / 60 * self.burst_s)
        self.level, self.at = min(size, self.level + (now - self.at) * self.per_minute / 60), now
        return size


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    return f"{seconds:.3f}s" if seconds < 60 else f"{int(seconds // 60)}m{math.ceil(seconds % 60)}s"


def _moment(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=math.ceil(seconds))).strftime("%Y-%m-%dT%H:%M:%SZ")


def _limit_headers(dialect: Dialect, requests: tuple[int, int, float], tokens: tuple[int, int, float]) -> dict[str, str]:
    headers: dict[str, str] = {}
    if dialect == "messages":
        for kind in ("requests", "tokens", "input-tokens", "output-tokens"):
            limit, left, reset_s = requests if kind == "requests" else tokens
            named = {"limit": str(limit), "remaining": str(left), "reset": _moment(reset_s)}
            headers |= {f"anthropic-ratelimit-{kind}-{what}": value for what, value in named.items()}
        return headers
    for kind, (limit, left, reset_s) in (("requests", requests), ("tokens", tokens)):
        named = {"limit": str(limit), "remaining": str(left), "reset": _span(reset_s)}
        headers |= {f"x-ratelimit-{what}-{kind}": value for what, value in named.items()}
    return headers


def _retry_headers(dialect: Dialect, wait_s: float) -> dict[str, str]:
    headers = {"retry-after": str(math.ceil(wait_s))}
    if dialect != "messages" and wait_s < 60:
        headers["retry-after-ms"] = str(math.ceil(wait_s * 1000))
    return headers


# --- The server ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.  `kind`: "ok", a name of FAULTS, or "limited" for a 429 of the limits that were set."""

    at: float  # time.monotonic()
    kind: str
    path: str
    digest: str  # SHA-256 of the body
    turn: int  # how often this body was admitted, this one included
    key: str | None  # as it was sent


_numbers = itertools.count(1)


@dataclass(slots=True, kw_only=True)
class _Call:
    dialect: Dialect
    digest: str
    tokens_in: int
    turn: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: f"{next(_numbers):012x}")


class ProviderServer:
    """Speaks for OpenAI and Anthropic on 127.0.0.1, in a thread of its own, between `with` and its end.

    answer: gives the text of an answer to a request's body.  latency_s: before every answer but a 4xx, which come at once.
    slow: a share of answers that take so many seconds instead.  requests_per_minute, tokens_per_minute: what is above gets
    a 429; tokens are those of the prompts, and of the answers for OpenAI.  faults: shares by name, also while it runs.
    faulty: set while it runs, names the fault that a body meets, if any.
    retry_after_s: what `throttled` and `stop_ramp` ask for (whole seconds in `retry-after`, exact in `retry-after-ms`).
    speaks: the dialects whose SDK is loaded; others are unknown paths.

    Counted: requests; answered_ok; in_flight_max; connections; tokens_in and tokens_out of everything that was generated,
    whether or not it arrived (a hang or a foreign page generates nothing).  A bug in here, or in `answer`, is raised at the
    end of the `with`.
    """

    def __init__(
        self,
        *,
        answer: Callable[[Body], str] = judge_answer,
        latency_s: float = 0.0,
        slow: tuple[float, float] = (0.0, 0.0),
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        burst_s: float = 2.0,
        faults: Mapping[str, float] | None = None,
        seed: int = 0,
        retry_after_s: float = 1.0,
        speaks: Collection[Dialect] = ("chat", "responses", "messages"),
    ) -> None:
        self.answer, self.latency_s, self.slow, self.seed, self.retry_after_s = answer, latency_s, slow, seed, retry_after_s
        self.faults = faults or {}
        self.faulty: Callable[[Body], str | None] = lambda _: None
        self.requests: list[Asked] = []
        self.answered_ok = self.in_flight = self.in_flight_max = self.connections = self.tokens_in = self.tokens_out = 0
        self._request_limit = _Bucket(requests_per_minute or UNLIMITED_REQUESTS, burst_s)
        self._token_limit = _Bucket(tokens_per_minute or UNLIMITED_TOKENS, burst_s)
        self._envelopes = {dialect: _ENVELOPES[dialect]() for dialect in speaks}
        self._turns: Counter[str] = Counter()
        self._bugs: list[Exception] = []
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="provider-server", daemon=True)

    @property
    def faults(self) -> Mapping[str, float]:
        """Give the share of requests that meet each fault; what is left of 1 is answered."""
        return self._faults

    @faults.setter
    def faults(self, shares: Mapping[str, float]) -> None:
        unknown = set(shares) - set(FAULTS)
        if unknown or sum(shares.values()) > 1 + 1e-9:
            raise ValueError(f"unknown faults: {sorted(unknown)}" if unknown else f"more than all: {dict(shares)}")
        self._faults = dict(shares)

    @property
    def url(self) -> str:
        """Give the base URL for Anthropic's SDK."""
        return f"http://127.0.0.1:{self._started.result()}"

    @property
    def openai_url(self) -> str:
        """Give the base URL for OpenAI's SDK."""
        return f"{self.url}/v1"

    def __enter__(self) -> ProviderServer:
        self._thread.start()
        self._started.result(timeout=30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._bugs and error is None:
            raise self._bugs[0]

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        request = functools.partial(web.BaseRequest, loop=self._loop, client_max_size=MOST_BYTES)
        server = web.Server(self._handle, request_factory=request, handler_cancellation=True, access_log=None)

        def connection() -> asyncio.Protocol:
            self.connections += 1
            return server()

        listening = await self._loop.create_server(connection, "127.0.0.1", 0, backlog=1024)
        self._started.set_result(listening.sockets[0].getsockname()[1])
        await self._stop.wait()
        listening.close()
        await server.shutdown(0.05)  # seconds of grace; 0 would wait for calls that hang

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        try:
            return await self._respond(request)
        except ConnectionError:
            raise
        except Exception as bug:
            self._bugs.append(bug)
            raise
        finally:
            self.in_flight -= 1

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        dialect = PATHS.get(request.path)
        if request.method == "GET" and request.path == "/v1/models":
            return _json(_anthropic_models() if "anthropic-version" in request.headers else _openai_models(), {})
        if request.method != "POST" or dialect not in self._envelopes:
            return web.Response(status=404, text="there is nothing here")
        raw = await request.read()
        call = _Call(dialect=dialect, digest=hashlib.sha256(raw).hexdigest(), tokens_in=max(1, len(raw) // 4))
        wait_s = self._admit(call)
        kind = "limited" if wait_s else self.faulty(json.loads(raw)) or self._drawn(call)
        key = request.headers.get("x-api-key" if dialect == "messages" else "authorization")
        self.requests.append(Asked(time.monotonic(), kind, request.path, call.digest, call.turn, key))
        call.headers = self._headers(call, wait_s, kind)
        if kind == "limited" or kind in _ERRORS:
            error = _ERRORS.get(kind, _THROTTLED)
            if error.status >= 500:
                await asyncio.sleep(self._latency_s(call))
            return _json(_error_body(error, call), call.headers, error.status)
        return await self._generate(request, call, kind, raw)

    def _admit(self, call: _Call) -> float:
        """Take the request into the limits and count its turn; else say how many seconds to wait."""
        now = time.monotonic()
        wait_s = max(self._request_limit.wait(1, now), self._token_limit.wait(call.tokens_in, now))
        if wait_s <= 0:
            self._request_limit.level -= 1
            self._token_limit.level -= call.tokens_in
            self._turns[call.digest] += 1
        # A refused request is no turn: which faults a body meets must not hang on the limits.
        call.turn = self._turns[call.digest]
        return wait_s

    def _fraction(self, word: str, call: _Call) -> float:
        drawn = hashlib.sha256(f"{self.seed} {word} {call.digest} {call.turn}".encode()).digest()
        return int.from_bytes(drawn[:7], "big") / 2**56

    def _drawn(self, call: _Call) -> str:
        left = self._fraction("fault", call)
        for name, share in self._faults.items():
            left -= share
            if left < 0:
                return name if _ONLY.get(name, call.dialect) == call.dialect else "ok"
        return "ok"

    def _latency_s(self, call: _Call) -> float:
        share, seconds = self.slow
        return seconds if share and self._fraction("slow", call) < share else self.latency_s

    def _headers(self, call: _Call, wait_s: float, kind: str) -> dict[str, str]:
        now = time.monotonic()
        headers = {"request-id" if call.dialect == "messages" else "x-request-id": f"req_{call.id}"}
        headers |= _limit_headers(call.dialect, self._request_limit.announced(now), self._token_limit.announced(now))
        if kind == "limited":
            return headers | _retry_headers(call.dialect, wait_s)
        if kind in ("throttled", "stop_ramp"):
            return headers | _retry_headers(call.dialect, self.retry_after_s)
        return headers | _retry_headers(call.dialect, 3600) if kind == "throttled_long" else headers

    async def _generate(self, request: web.BaseRequest, call: _Call, kind: str, raw: bytes) -> web.StreamResponse:
        payload = b"" if kind in _UNPAID else self._payload(call, kind, json.loads(raw))
        if kind == "hang":
            await _silence()
        await asyncio.sleep(self._latency_s(call))
        match kind:
            case "reset_before":
                await _reset(request)
            case "reset_middle":
                await _send_half(request, payload, call.headers)
                await _reset(request)
            case "cut_body":
                return _json(payload[: len(payload) * 2 // 3].decode(errors="ignore"), call.headers)
            case "error_502_html":
                return web.Response(status=502, text=_page("502 Bad Gateway"), content_type="text/html")
            case "html_200":
                return web.Response(text=_page("Please sign in to this network"), content_type="text/html")
            case "empty_json":
                return _json("{}", call.headers)
            case "filtered_prompt":
                self.answer(json.loads(raw))  # whoever answers is shown it: it will never be asked again
                return _json(_error_body(_FILTERED, call), call.headers, _FILTERED.status)
        self.answered_ok += kind == "ok"
        return _json(payload, call.headers)

    def _payload(self, call: _Call, kind: str, body: Body) -> bytes:
        """Write the answer's body, and charge for it: a provider does, whether or not anybody still waits."""
        text = _TEXTS.get(kind, str)(self.answer(body))
        tokens_out = THOUGHT + len(text) // 4
        self.tokens_in += call.tokens_in
        self.tokens_out += tokens_out
        if call.dialect != "messages":
            self._token_limit.level -= tokens_out
        forms = self._envelopes[call.dialect]
        form = forms.get(kind, forms["ok"])
        counts = {_IN: call.tokens_in, _OUT: tokens_out, _SUM: call.tokens_in + tokens_out}
        for place, count in counts.items():
            form = form.replace(str(place), str(count))
        form = form.replace(_ID, call.id).replace(_MODEL, json.dumps(body["model"])[1:-1])
        return form.replace(f'"{_TEXT}"', json.dumps(text)).encode()


def _json(body: str | bytes, headers: Mapping[str, str], status: int = 200) -> web.Response:
    raw = body.encode() if isinstance(body, str) else body
    return web.Response(status=status, body=raw, headers=headers, content_type="application/json")


def _error_body(error: _Error, call: _Call) -> str:
    if call.dialect != "messages":
        kind, code = error.openai
        return json.dumps({"error": {"message": error.message, "type": kind, "param": error.param, "code": code}})
    content: Body = {"type": error.anthropic, "message": error.message}
    if error.details:
        content["details"] = {"error_code": error.details[int(call.digest, 16) % len(error.details)]}
    return json.dumps({"type": "error", "error": content, "request_id": f"req_{call.id}"})


def _page(title: str) -> str:
    return f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"


async def _send_half(request: web.BaseRequest, payload: bytes, headers: Mapping[str, str]) -> None:
    response = web.StreamResponse(headers={**headers, "content-length": str(len(payload))})
    response.content_type = "application/json"
    await response.prepare(request)
    await response.write(payload[: len(payload) // 2])
    await asyncio.sleep(0.02)  # a reset overtakes what the client has not read yet


async def _reset(request: web.BaseRequest) -> Never:
    """Cut the connection as a crash would."""
    if request.transport is not None:
        raw: socket.socket = request.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    await _silence()


async def _silence() -> Never:
    """Say nothing until the connection is lost or the server ends: both cancel the request."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")
