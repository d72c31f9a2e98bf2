"""What is made of a provider's answer: text, refusal, filter, cut, and tokens, in three dialects; and of what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from judge.calls import Usage, provider_for
from judge.calls.failures import CallFailed
from judge.judging import parse
from tests.unit.test_calls_requests import RUBRIC

OPENAI, ANTHROPIC = (provider_for(name, None, None, 1) for name in ("openai", "anthropic"))


def chat(content: Any = "said", finish: str = "stop", **message: Any) -> dict[str, Any]:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    }
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    return {"id": "c", "model": "m-2026-01-01", "choices": [choice], "usage": usage}


def responses(*items: Any, why: str | None = None) -> dict[str, Any]:
    usage = {"input_tokens": 100, "output_tokens": 20, "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10}}
    cut = {"reason": why} if why else None
    return {"id": "r", "model": "m-2026-01-01", "output": list(items), "incomplete_details": cut, "usage": usage}


def message(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": list(parts), **more}


def text(said: str) -> dict[str, Any]:
    return {"type": "output_text", "text": said}


def error(words: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": words, **more}}


def in_a_choice(what: dict[str, Any]) -> dict[str, Any]:
    """What servers in between give when the model behind them breaks off."""
    body = chat("half an", "error")
    body["choices"][0]["error"] = what
    return body | {"why": what["message"]}


def messages(*blocks: Any, stop: str = "end_turn", **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 30, "output_tokens": 20, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 10}
    return {"id": "m", "model": "m-2026-01-01", "content": list(blocks), "stop_reason": stop, "usage": usage, **more}


def read(body: Any, provider: Any = OPENAI) -> Any:
    return provider.read(body if isinstance(body, str) else json.dumps(body), "digest", "req_1")


def reason(answer: Any) -> str | None:
    """Why an answer leaves the overall question unscored."""
    return parse(answer, RUBRIC, "ab")[-1].reason


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
SAID = {"type": "text", "text": "said"}


@pytest.mark.parametrize(
    ("body", "provider"),
    [
        (chat(), OPENAI),
        (chat([{"type": "text", "text": "sa"}, {"type": "image"}, {"type": "text", "text": "id"}]), OPENAI),
        (responses(message(text("said"))), OPENAI),
        (responses({"type": "reasoning", "summary": []}, message(text("sa"), text("id"))), OPENAI),
        (messages(SAID), ANTHROPIC),
        (messages(THOUGHT, {"type": "text", "text": "sa"}, {"type": "text", "text": "id"}), ANTHROPIC),
    ],
)
def test_the_text_is_what_the_model_said_and_all_of_it(body, provider):
    answer = read(body, provider)
    assert (answer.text, answer.error, answer.finish) == ("said", None, "stop")
    assert (answer.digest, answer.model, answer.request_id) == ("digest", "m-2026-01-01", "req_1")
    assert answer.usage == Usage(tokens_in=100, cached=60, written=10, tokens_out=20)


def test_a_commentary_before_the_answer_is_no_part_of_it():
    comment, final = message(text("Let me see."), phase="commentary"), message(text("said"), phase="final_answer")
    assert read(responses(comment, final)).text == "said"
    assert reason(read(responses(comment))) == "empty"


@pytest.mark.parametrize(
    ("body", "provider", "wanted"),
    [
        (chat(None, refusal="I cannot."), OPENAI, "refused"),
        (responses(message({"type": "refusal", "refusal": "I cannot."})), OPENAI, "refused"),
        (responses(message(text("{"), {"type": "refusal", "refusal": ""})), OPENAI, "refused"),
        (messages(stop="refusal"), ANTHROPIC, "refused"),
        (messages(stop="refusal", stop_details={"category": "reasoning_extraction"}), ANTHROPIC, "refused"),
        (chat("", "content_filter"), OPENAI, "filtered"),
        (error("The prompt triggered a policy.", code="content_filter"), OPENAI, "filtered"),
        (error("Flagged.", innererror={"code": "ResponsibleAIPolicyViolation"}), OPENAI, "filtered"),
        (responses() | error("Flagged.", code="invalid_prompt"), OPENAI, "filtered"),
        (error("Moderated.", code=403, metadata={"reasons": ["violence"], "flagged_input": "…"}), OPENAI, "filtered"),
        (error("Output blocked by content filtering policy", type="invalid_request_error"), ANTHROPIC, "filtered"),
        (responses(why="content_filter"), OPENAI, "filtered"),
        (chat('{"overall": {', "length"), OPENAI, "cut"),
        (chat(None, "length"), OPENAI, "cut"),
        (responses(message(text('{"overall"')), why="max_output_tokens"), OPENAI, "cut"),
        (messages(THOUGHT, stop="max_tokens"), ANTHROPIC, "cut"),
        (messages({"type": "text", "text": '{"ov'}, stop="model_context_window_exceeded"), ANTHROPIC, "cut"),
        (chat(None), OPENAI, "empty"),
        (chat(""), OPENAI, "empty"),
        (responses(), OPENAI, "empty"),
        (messages(THOUGHT), ANTHROPIC, "empty"),
    ],
)
def test_what_is_no_answer_leaves_everything_unscored_with_its_reason(body, provider, wanted):
    assert reason(read(body, provider)) == wanted


def test_the_category_of_a_refusal_is_kept():
    answer = read(messages(stop="refusal", stop_details={"category": "reasoning_extraction"}), ANTHROPIC)
    assert answer.error == "refused: reasoning_extraction"


@pytest.mark.parametrize("provider", [OPENAI, ANTHROPIC])
@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        "null",
        '"said"',
        '{"choices": [{"mess',
        "<html><body>Please sign in</body></html>",
        "[" * 100_000,
        {"detail": "not found"},
        {"choices": []},
        {"choices": None},
        {"choices": [{}]},
        {"choices": ["said"]},
        {"choices": [{"message": {"content": 3}}]},
        {"output": None},
        {"output": "said"},
        {"content": None},
        {"content": [{"type": "text"}]},
    ],
)
def test_a_body_that_holds_no_answer_is_a_lost_call_that_may_have_been_paid(provider, body):
    with pytest.raises(CallFailed) as lost:
        read(body, provider)
    assert (lost.value.failed.kind, lost.value.failed.paid, lost.value.failed.request_id) == ("transport", True, "req_1")


@pytest.mark.parametrize(
    ("body", "kind", "paid"),
    [
        (error("upstream failed"), "overloaded", True),
        (responses() | error("It broke off.", code="server_error"), "overloaded", True),
        (responses() | error("Slow down.", code="rate_limit_exceeded"), "throttled", False),
        (error("Upstream is busy.", code=503), "overloaded", True),
        (error("Rate limited upstream.", code=429), "throttled", False),
        (error("Pay first.", code=402), "out_of_money", False),
        (error("No such thing.", code=400, type="BadRequestError"), "bad_request", False),
        (responses() | {"status": "cancelled"} | {"why": "the response is cancelled"}, "overloaded", True),
        (chat("", "error") | {"why": "the model broke off without a word"}, "overloaded", True),
        (in_a_choice({"message": "Upstream is gone.", "code": 502}), "overloaded", True),
        (in_a_choice({"message": "Upstream is full.", "code": 429}), "throttled", False),
    ],
)
def test_an_error_that_came_as_an_answer_has_the_class_of_the_error(body, kind, paid):
    with pytest.raises(CallFailed) as lost:
        read(body)
    failed = lost.value.failed
    assert (failed.kind, failed.paid) == (kind, paid)
    assert failed.text == body.get("why", body.get("error", {}).get("message"))


def test_a_filter_that_says_so_without_an_error_object_is_a_filter():
    answer = read({"message": "The content was stopped.", "code": "content_filter"})
    assert (answer.finish, answer.text) == ("filter", None)


def test_half_a_character_in_an_answer_is_replaced():
    assert read(chat("so \ud83d far \ud83d\ude00")).text == "so \ufffd far \U0001f600"


def test_what_a_filter_stopped_before_the_model_read_it_costs_nothing():
    assert read(error("No.", code="content_filter")).usage == Usage(tokens_in=0, tokens_out=0)
    used = read(responses() | error("No.", code="bio_policy")).usage  # the model wrote something first
    assert (used.tokens_in, used.tokens_out) == (100, 20)
    blocked = error("Output blocked by content filtering policy", type="invalid_request_error")
    assert read(blocked, ANTHROPIC).usage == Usage()  # who knows?


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        (None, Usage()),
        ({}, Usage()),
        ({"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": None}, Usage(tokens_in=5, tokens_out=2)),
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": None}}, Usage(tokens_in=5)),
    ],
)
def test_usage_that_is_not_given_is_unknown_and_not_zero(usage, found):
    assert read({**chat(), "usage": usage}).usage == found


def test_what_anthropic_leaves_out_of_its_input_count_is_added():
    assert read(messages(SAID), ANTHROPIC).usage.tokens_in == 30 + 60 + 10
    assert read({**messages(SAID), "usage": {}}, ANTHROPIC).usage.tokens_in is None
