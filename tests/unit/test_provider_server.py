"""The imitation of the providers is what their SDKs expect, and each of its faults arrives as it is meant."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
from anthropic.types import Message, shared
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from judge.calls import Answer
from judge.domain import Criterion, Rubric
from judge.judging import answer_schema, parse
from tests.provider_server import FAULTS, PATHS, ProviderServer

RUBRIC = Rubric(
    name="short",
    task="A customer wrote to a shop.",
    overall="Which answer is better?",
    criteria=(Criterion(id="right", question="Is it right?"), Criterion(id="polite", question="Polite?", check=True)),
)
SCHEMA = answer_schema(RUBRIC)
DIALECTS = tuple(PATHS.values())
TYPES: Mapping[str, Any] = {"chat": ChatCompletion, "responses": Response, "messages": Message}
OPENAI = ("chat", "responses")


@dataclass(frozen=True, slots=True)
class Got:
    """An answer as it came through an SDK."""

    body: str
    headers: Mapping[str, str]

    @property
    def content(self) -> Any:
        return json.loads(self.body)


@pytest.fixture(scope="module")
def running():
    with ProviderServer(retry_after_s=0.5) as found:
        yield found


@pytest.fixture
def server(running):
    yield running
    running.faults = {}


def ask(server: ProviderServer, dialect: str, prompt: str = "Which is better?", timeout: float = 5.0) -> Got:
    """Ask once, through the provider's own SDK without retries."""
    raw = asyncio.run(_ask(server, dialect, prompt, timeout, raw=True))
    return raw if isinstance(raw, Got) else Got(raw.text, raw.headers)


def read(server: ProviderServer, dialect: str) -> Any:
    """Ask once and let the SDK read the answer."""
    return asyncio.run(_ask(server, dialect, "Which is better?", 5.0, raw=False))


async def _ask(server: ProviderServer, dialect: str, prompt: str, timeout: float, raw: bool) -> Any:
    body: Any = {"model": "a-model"}
    turns = [{"role": "user", "content": prompt}]
    form: Any = {"type": "json_schema", "schema": SCHEMA}
    if dialect == "messages":
        body |= {"messages": turns, "max_tokens": 500, "output_config": {"format": form}}
        async with anthropic.AsyncAnthropic(base_url=server.url, api_key="k", max_retries=0, timeout=timeout) as client:
            if not raw:
                return await client.messages.create(**body)
            found = await client.messages.with_raw_response.create(**body)
            return Got(await found.text(), found.headers)
    async with openai.AsyncOpenAI(base_url=server.openai_url, api_key="k", max_retries=0, timeout=timeout) as client:
        if dialect == "chat":
            asked: Any = client.chat.completions
            body |= {"messages": turns}
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
        else:
            asked = client.responses
            body |= {"input": turns, "text": {"format": form | {"name": "answer"}}}
        return await (asked.with_raw_response if raw else asked).create(**body)


def text_of(dialect: str, content: Any) -> str:
    """Take the text of an answer, as a careful client would."""
    match dialect:
        case "chat":
            return content["choices"][0]["message"]["content"] or ""
        case "responses":
            said = [item for item in content["output"] if item["type"] == "message" and item.get("phase") != "commentary"]
            return "".join(part.get("text", "") for item in said for part in item["content"])
        case _:
            return "".join(block["text"] for block in content["content"] if block["type"] == "text")


def finish_of(dialect: str, content: Any) -> str:
    match dialect:
        case "chat":
            return content["choices"][0]["finish_reason"]
        case "responses":
            return (content["incomplete_details"] or {"reason": content["status"]})["reason"]
        case _:
            return content["stop_reason"]


async def post(server: ProviderServer, bodies: list[str], open_: int = 64, path: str = "/v1/chat/completions") -> list[int]:
    """Ask without an SDK, which is fast; gives the statuses in order."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=open_)) as session:

        async def one(body: str) -> int:
            content = {"model": "m", "messages": [{"role": "user", "content": body}]}
            async with session.post(server.url + path, json=content) as response:
                await response.read()
                return response.status

        return await asyncio.gather(*(one(body) for body in bodies))


# --- Answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["ok", "refusal", "content_filter", "length", "empty_text", "commentary_first", "broken_off"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_envelope_is_one_of_the_sdks_own(server, dialect, form):
    server.faults = {} if form == "ok" else {form: 1.0}
    answer = TYPES[dialect].model_validate_json(ask(server, dialect).body)  # the SDKs do not check, pydantic does
    assert answer.model == "a-model"
    assert answer.usage == read(server, dialect).usage


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_answer_follows_the_schema_that_was_asked_for(server, dialect):
    text = text_of(dialect, ask(server, dialect).content)
    readings = parse(Answer(digest="d", text=text), RUBRIC, "ab")
    assert [reading.criterion for reading in readings] == ["right", "polite", "overall"]
    assert all(reading.value is not None and reading.rationale for reading in readings)


def test_equal_messages_get_equal_answers_and_others_differ(server):
    texts = [text_of("chat", ask(server, "chat", f"Question {n}").content) for n in (1, 1, 2, 3, 4, 5)]
    assert texts[0] == texts[1]
    assert len(set(texts)) > 2


def test_usage_adds_up(server):
    before = server.tokens_in, server.tokens_out
    chat, responses, messages = (ask(server, dialect).content["usage"] for dialect in DIALECTS)
    assert chat["prompt_tokens"] + chat["completion_tokens"] == chat["total_tokens"]
    assert responses["input_tokens"] + responses["output_tokens"] == responses["total_tokens"]
    assert server.tokens_in - before[0] == chat["prompt_tokens"] + responses["input_tokens"] + messages["input_tokens"]
    assert server.tokens_out - before[1] == (chat["completion_tokens"] + responses["output_tokens"] + messages["output_tokens"])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_answer_has_a_request_id_of_its_own(server, dialect):
    name = "request-id" if dialect == "messages" else "x-request-id"
    assert ask(server, dialect).headers[name] != ask(server, dialect).headers[name]


def test_a_test_gives_the_text_of_an_answer():
    with ProviderServer(answer=lambda body: f"You said: {body['messages'][0]['content']}") as server:
        assert text_of("chat", ask(server, "chat", "Hello").content) == "You said: Hello"


def test_a_bug_in_the_text_of_an_answer_is_raised_at_the_end():
    with pytest.raises(KeyError, match="nonsense"), ProviderServer(answer=lambda body: body["nonsense"]) as server:
        assert asyncio.run(post(server, ["x"])) == [500]


def test_models_are_listed_in_both_shapes(server):
    async def listed():
        async with openai.AsyncOpenAI(base_url=server.openai_url, api_key="k") as client:
            first = [model async for model in client.models.list()]
        async with anthropic.AsyncAnthropic(base_url=server.url, api_key="k") as client:
            return first, [model async for model in client.models.list()]

    ours, theirs = asyncio.run(listed())
    assert "gpt-6-luna" in [model.id for model in ours]
    assert "claude-haiku-5-5" in [model.id for model in theirs]
    assert theirs[0].capabilities.structured_outputs.supported
    assert theirs[0].created_at == datetime(2026, 10, 21, tzinfo=UTC)


# --- Faults ---------------------------------------------------------------------------------------------------------

REFUSED = {
    "throttled": (429, openai.RateLimitError, anthropic.RateLimitError),
    "throttled_long": (429, openai.RateLimitError, anthropic.RateLimitError),
    "quota": (
        429,
        openai.RateLimitError,
        (shared.EnforcedSpendLimitReachedError, shared.ContractSpendLimitReachedError),
    ),
    "payment": (402, openai.APIStatusError, anthropic.PaymentRequiredError),
    "unauthorized": (401, openai.AuthenticationError, anthropic.AuthenticationError),
    "forbidden": (403, openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    "model_gone": (404, openai.NotFoundError, anthropic.NotFoundError),
    "bad_request": (400, openai.BadRequestError, anthropic.BadRequestError),
    "too_large": (413, openai.APIStatusError, anthropic.ContentTooLargeError),
    "error_500": (500, openai.InternalServerError, anthropic.InternalServerError),
    "error_502_html": (502, openai.InternalServerError, anthropic.InternalServerError),
    "error_503": (503, openai.InternalServerError, anthropic.ServiceUnavailableError),
    "error_529": (529, openai.InternalServerError, anthropic.OverloadedError),
}


@pytest.mark.parametrize("fault", REFUSED)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_error_has_its_status_and_its_class(server, dialect, fault):
    server.faults = {fault: 1.0}
    status, openai_class, anthropic_class = REFUSED[fault]
    with pytest.raises(openai_class if dialect in OPENAI else anthropic_class) as caught:
        ask(server, dialect)
    assert caught.value.status_code == status
    assert server.requests[-1].kind == fault


def failed(server: ProviderServer, dialect: str, fault: str) -> Any:
    server.faults = {fault: 1.0}
    with pytest.raises((openai.APIStatusError, anthropic.APIStatusError)) as caught:
        ask(server, dialect)
    return caught.value


def test_a_throttle_says_when_to_come_back(server):
    assert failed(server, "chat", "throttled").response.headers["retry-after-ms"] == "500"
    assert failed(server, "messages", "throttled").response.headers["retry-after"] == "1"
    for dialect in DIALECTS:
        assert failed(server, dialect, "throttled_long").response.headers["retry-after"] == "3600"


def test_errors_carry_the_codes_of_their_provider(server):
    assert failed(server, "chat", "quota").code == "insufficient_quota"
    assert failed(server, "messages", "quota").error_code in {"enforced_spend_limit_reached", "contract_spend_limit_reached"}
    assert failed(server, "responses", "bad_request").param == "temperature"
    assert "temperature" in failed(server, "messages", "bad_request").message
    assert failed(server, "chat", "model_gone").code == "model_not_found"
    assert failed(server, "messages", "model_gone").type == "not_found_error"


def test_a_ramp_limit_is_anthropics_alone(server):
    ramp = failed(server, "messages", "stop_ramp")
    assert isinstance(ramp, shared.RampLimitExceededError)
    assert ramp.response.headers["retry-after"] == "1"
    assert finish_of("chat", ask(server, "chat").content) == "stop"
    assert server.requests[-1].kind == "ok"


@pytest.mark.parametrize("fault", ["reset_before", "reset_middle"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_reset_is_an_error_of_the_connection(server, dialect, fault):
    server.faults = {fault: 1.0}
    with pytest.raises((openai.APIConnectionError, anthropic.APIConnectionError)):
        ask(server, dialect)


def test_a_reset_in_the_middle_comes_after_a_part_of_the_body(server):
    async def received() -> bytes:
        found = b""
        body = {"model": "m", "messages": []}
        async with aiohttp.ClientSession() as session, session.post(f"{server.url}/v1/messages", json=body) as response:
            assert response.status == 200
            with pytest.raises(aiohttp.ClientError):
                async for chunk in response.content.iter_any():
                    found += chunk
        return found

    server.faults = {"reset_middle": 1.0}
    assert asyncio.run(received()).startswith(b'{"id": "msg_')


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_hang_never_answers(server, dialect):
    server.faults = {"hang": 1.0}
    with pytest.raises((openai.APITimeoutError, anthropic.APITimeoutError)):
        ask(server, dialect, timeout=0.2)


def test_a_server_ends_though_somebody_still_waits():
    async def left_waiting() -> None:
        with ProviderServer(faults={"hang": 1.0}) as server:
            waiting = asyncio.create_task(post(server, ["x"]))
            while not server.requests:
                await asyncio.sleep(0.01)
        with pytest.raises(aiohttp.ClientError):
            await waiting

    start = time.monotonic()
    asyncio.run(left_waiting())
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("dialect", DIALECTS)
def test_bodies_that_are_no_answer_come_with_a_200(server, dialect):
    server.faults = {"cut_body": 1.0}
    cut = ask(server, dialect)
    assert int(cut.headers["content-length"]) == len(cut.body.encode())
    with pytest.raises(json.JSONDecodeError):
        read(server, dialect)
    server.faults = {"html_200": 1.0}
    assert read(server, dialect).startswith("<html>")
    server.faults = {"empty_json": 1.0}
    assert ask(server, dialect).content == {}


def test_a_refusal_is_where_each_provider_puts_it(server):
    server.faults = {"refusal": 1.0}
    assert read(server, "chat").choices[0].message.refusal
    assert read(server, "responses").output[-1].content[0].type == "refusal"
    message = read(server, "messages")
    assert (message.stop_reason, message.stop_details.category) == ("refusal", "reasoning_extraction")


FINISHES = {
    "content_filter": {"chat": "content_filter", "responses": "content_filter", "messages": "refusal"},
    "length": {"chat": "length", "responses": "max_output_tokens", "messages": "max_tokens"},
    "empty_text": {"chat": "stop", "responses": "completed", "messages": "end_turn"},
}


@pytest.mark.parametrize("fault", FINISHES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_answer_that_was_stopped_says_why(server, dialect, fault):
    whole = text_of(dialect, ask(server, dialect).content)
    server.faults = {fault: 1.0}
    content = ask(server, dialect).content
    assert finish_of(dialect, content) == FINISHES[fault][dialect]
    text = text_of(dialect, content)
    assert (whole.startswith(text) and 0 < len(text) < len(whole)) if fault == "length" else text == ""


def test_a_commentary_stands_before_the_final_answer(server):
    whole = text_of("responses", ask(server, "responses").content)
    server.faults = {"commentary_first": 1.0}
    answer = read(server, "responses")
    assert [item.phase for item in answer.output if item.type == "message"] == ["commentary", "final_answer"]
    assert answer.output_text.endswith(whole)
    assert answer.output_text != whole


@pytest.mark.parametrize(
    ("fault", "usable"),
    [
        ("fenced_text", True),
        ("prose_around", True),
        ("malformed_text", False),
        ("nan", False),
        ("wrong_enum", False),
        ("duplicate_keys", False),
        ("missing_key", False),
    ],
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_damaged_text_is_what_its_name_says(server, dialect, fault, usable):
    whole = text_of(dialect, ask(server, dialect).content)
    server.faults = {fault: 1.0}
    text = text_of(dialect, ask(server, dialect).content)
    readings = parse(Answer(digest="d", text=text), RUBRIC, "ab")
    assert (readings[-1].value is not None) is usable
    assert text != whole


def test_damages_change_one_thing(server):
    whole = json.loads(text_of("chat", ask(server, "chat").content))
    found = {}
    for fault in ("extra_key", "missing_key", "wrong_enum", "duplicate_keys", "nan"):
        server.faults = {fault: 1.0}
        found[fault] = text_of("chat", ask(server, "chat").content)
    assert json.loads(found["extra_key"]) == whole | {"confidence": 0.9}
    assert json.loads(found["missing_key"])["overall"] == {"reasons": whole["overall"]["reasons"]}
    assert json.loads(found["wrong_enum"])["overall"]["choice"] == "neither"
    # Who takes the last of two keys gets another choice than the first of them.
    assert json.loads(found["duplicate_keys"])["overall"]["choice"] != whole["overall"]["choice"]
    assert '"choice": NaN' in found["nan"]


# --- Shares, limits, time, counts -------------------------------------------------------------------------------------


def test_every_fault_can_be_asked_for_and_no_other():
    ProviderServer(faults=dict.fromkeys(FAULTS, 1 / len(FAULTS)))
    with pytest.raises(ValueError, match="unknown faults"):
        ProviderServer(faults={"trottled": 0.1})
    with pytest.raises(ValueError, match="more than all"):
        ProviderServer(faults={"throttled": 0.6, "error_500": 0.6})


def kinds(seed: int, bodies: list[str], open_: int) -> dict[tuple[str, int], str]:
    shares = {"throttled": 0.2, "error_500": 0.1}
    with ProviderServer(faults=shares, seed=seed, speaks=["chat"]) as server:
        asyncio.run(post(server, bodies, open_))
        return {(asked.digest, asked.turn): asked.kind for asked in server.requests}


def test_faults_come_by_their_shares_and_do_not_hang_on_the_order_of_calls():
    bodies = [f"body {n}" for n in range(600)]
    first = kinds(1, bodies, 64)
    assert first == kinds(1, bodies[::-1], 5)
    assert first != kinds(2, bodies, 64)
    counted = Counter(first.values())
    assert 85 <= counted["throttled"] <= 155
    assert 35 <= counted["error_500"] <= 85
    assert counted["ok"] == 600 - counted["throttled"] - counted["error_500"]


def test_a_retry_of_the_same_body_may_succeed():
    with ProviderServer(faults={"error_500": 0.5}, speaks=["chat"]) as server:
        statuses = [asyncio.run(post(server, ["the same"]))[0] for _ in range(20)]
        assert {200, 500} == set(statuses)
        assert [asked.turn for asked in server.requests] == list(range(1, 21))
        assert server.answered_ok == statuses.count(200)


def test_faults_may_change_while_it_runs(server):
    server.faults = {"error_503": 1.0}
    assert failed(server, "chat", "error_503").status_code == 503
    server.faults = {}
    assert ask(server, "chat").content["choices"]


def test_more_requests_than_the_limit_are_refused_and_the_limit_is_announced():
    with ProviderServer(requests_per_minute=120, burst_s=2.5) as server:
        headers = ask(server, "chat").headers
        assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == ("120", "4")
        assert headers["x-ratelimit-reset-requests"].endswith("ms")
        statuses = asyncio.run(post(server, [f"body {n}" for n in range(40)]))
        assert 4 <= statuses.count(200) < 40
        assert statuses.count(429) == 40 - statuses.count(200)
        assert Counter(asked.kind for asked in server.requests)["limited"] == statuses.count(429)
        with pytest.raises(openai.RateLimitError) as caught:
            for _ in range(20):
                ask(server, "chat")
        assert 0 < int(caught.value.response.headers["retry-after-ms"]) <= 500
        time.sleep(0.6)
        assert asyncio.run(post(server, ["later"])) == [200]


def test_a_refused_request_is_no_turn_of_its_body():
    with ProviderServer(requests_per_minute=60, burst_s=1, faults={"error_500": 0.5}, speaks=["chat"]) as server:
        asyncio.run(post(server, ["the same"] * 5))
        assert [asked.turn for asked in server.requests] == [1] * 5
        assert Counter(asked.kind for asked in server.requests)["limited"] == 4


def test_anthropic_announces_moments():
    with ProviderServer(requests_per_minute=60, tokens_per_minute=60_000, burst_s=2) as server:
        headers = ask(server, "messages").headers
        assert headers["anthropic-ratelimit-requests-limit"] == "60"
        assert headers["anthropic-ratelimit-requests-remaining"] == "1"
        for kind in ("tokens", "input-tokens", "output-tokens"):
            assert headers[f"anthropic-ratelimit-{kind}-limit"] == "60000"
            assert 0 < int(headers[f"anthropic-ratelimit-{kind}-remaining"]) < 2000
        reset = datetime.fromisoformat(headers["anthropic-ratelimit-requests-reset"])
        assert -5 <= (reset - datetime.now(UTC)).total_seconds() <= 3


def test_more_tokens_than_the_limit_are_refused():
    with ProviderServer(tokens_per_minute=6000, burst_s=10) as server:
        first = ask(server, "responses", "word " * 600)
        assert int(first.headers["x-ratelimit-remaining-tokens"]) < 300
        with pytest.raises(openai.RateLimitError) as caught:
            ask(server, "responses", "word " * 601)
        assert float(caught.value.response.headers["retry-after"]) > 1


def test_answers_take_their_time_and_stragglers_take_more():
    with ProviderServer(latency_s=0.3, slow=(0.1, 0.8), speaks=["chat"]) as server:
        start = time.monotonic()
        asyncio.run(post(server, [f"body {n}" for n in range(60)], 60))
        assert 0.8 <= time.monotonic() - start < 10
        assert server.in_flight_max == 60
    with ProviderServer(latency_s=0.05, speaks=["chat"]) as server:
        start = time.monotonic()
        asyncio.run(post(server, ["a", "b"], 1))
        assert time.monotonic() - start >= 0.1


def test_it_counts_what_it_was_asked():
    with ProviderServer(latency_s=0.1, faults={"malformed_text": 0.3}, speaks=["chat"]) as server:
        statuses = asyncio.run(post(server, [f"body {n % 30}" for n in range(40)], 8))
        assert statuses == [200] * 40
        assert len(server.requests) == 40
        assert len({asked.digest for asked in server.requests}) == 30
        assert sum(asked.turn == 2 for asked in server.requests) == 10
        assert server.answered_ok == sum(asked.kind == "ok" for asked in server.requests) < 40
        assert server.in_flight == 0
        assert server.in_flight_max == 8
        assert server.connections == 8
