"""Why a try gave no answer: classes by status and words, times in every form, and what may have been paid."""

from __future__ import annotations

import httpx2
import pytest

from judge.calls.failures import RETRIED, kind_of
from judge.calls.providers.http import failed_from, limits, retry_after
from judge.calls.providers.server import Server

SERVER = Server(url="https://api.example/v1", variable="A_KEY", named=True)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, "Rate limit reached for requests", "throttled"),
        (429, '{"type": "rate_limit_error", "details": {"error_code": "ramp_limit_exceeded"}}', "throttled"),
        (429, "Resource unavailable: flex", "throttled"),
        (
            429,
            '{"error": {"message": "Request too large for m on tokens per min (TPM): Limit 30000, Requested 36278.",'
            ' "type": "tokens", "code": "rate_limit_exceeded"}}',
            "bad_request",  # no waiting makes room for it
        ),
        (429, '{"code": "insufficient_quota"}', "out_of_money"),
        (429, '{"error": {"type": "requests", "code": "insufficient_quota", "message": "You exceeded"}}', "out_of_money"),
        (
            400,
            '{"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}}',
            "out_of_money",
        ),
        (400, '{"error": {"message": "Invalid value: \'You have reached your specified API usage limits\'"}}', "bad_request"),
        (400, '{"error": {"message": "credit balance, usage limits and spend_limit are words", "code": null}}', "bad_request"),
        (
            429,
            '{"error": {"message": "Slow down.", "param": "insufficient_quota", "code": "rate_limit_exceeded"}}',
            "throttled",
        ),
        (400, "[" * 100_000, "bad_request"),
        (400, "[1]", "bad_request"),
        (400, '{"error": "credit balance too low?"}', "bad_request"),
        (429, '{"details": {"error_code": "enforced_spend_limit_reached"}}', "out_of_money"),
        (429, '{"details": {"error_code": "contract_spend_limit_reached"}}', "out_of_money"),
        (400, "You have reached your specified API usage limits. You will regain access on 2026-12-01.", "out_of_money"),
        (400, "Your credit balance is too low to access the API.", "out_of_money"),
        (402, "", "out_of_money"),
        (429, '{"error": {"message": "Your account is not active.", "code": "billing_not_active"}}', "out_of_money"),
        (401, "Incorrect API key", "not_allowed"),
        (403, "Project does not have access", "not_allowed"),
        (404, "model_not_found", "not_allowed"),
        (400, "temperature: not supported with this model", "bad_request"),
        (413, "request_too_large", "bad_request"),
        (422, "schema", "bad_request"),
        (408, "", "transport"),
        (409, "", "transport"),
        (500, "", "overloaded"),
        (502, "<html>Bad Gateway</html>", "overloaded"),
        (503, "", "overloaded"),
        (504, "", "overloaded"),
        (529, "overloaded_error", "overloaded"),
    ],
)
def test_a_status_and_its_words_have_one_class(status, body, kind):
    assert kind_of(status, body) == kind


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error": {"message": "x is bad"}}', "x is bad"),
        ('{"error": {"msg": "x is bad"}}', "x is bad"),
        ('{"error": null, "message": "no quota"}', "no quota"),
        ('{"errors": [{"message": "bad"}, {"message": "worse"}]}', "bad; worse"),
        ('{"detail": "Not Found"}', "Not Found"),
        ('{"detail": ' * 600 + "1" + "}" * 600, ('{"detail": ' * 30)[:297] + "..."),  # deeper than any error is
        ('{"a": {"b": [' * 300 + "1" + "]}}" * 300, ('{"a": {"b": [' * 30)[:297] + "..."),
        ('{"detail": [{"loc": ["body", "x"], "msg": "field required"}]}', "field required"),
        ('{"error": "no model"}', "no model"),
        ('{"error": {"type": "not_found_error"}}', '{"error": {"type": "not_found_error"}}'),
        ("plain words", "plain words"),
        ("<html>Not here</html>", "a web page came"),
        ("", "without a word"),
    ],
)
def test_the_words_of_an_error_are_found_in_whatever_form(body, words):
    request = httpx2.Request("POST", "https://api.example/v1")
    error = httpx2.HTTPStatusError("no", request=request, response=httpx2.Response(404, text=body, request=request))
    error.status_code = 404
    assert failed_from(error, SERVER).text == words


def test_only_what_may_go_well_later_is_tried_again():
    assert {"throttled", "overloaded", "transport"} == RETRIED


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after": "later"}, None),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_a_provider_asks_for_is_read(headers, wait):
    assert retry_after(headers) == wait


def test_limits_are_read_with_what_is_left():
    headers = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59"}
    found = limits(headers, "x-ratelimit", "requests", "tokens")
    assert (found.requests, found.requests_left, found.tokens, found.tokens_left) == (60, 59, None, None)


@pytest.mark.parametrize("number", ["-1", "inf", "nan", "many"])
def test_a_limit_that_is_none_is_unknown(number):
    headers = {"x-ratelimit-limit-requests": number, "x-ratelimit-remaining-requests": "0"}
    found = limits(headers, "x-ratelimit", "requests", "tokens")
    assert (found.requests, found.requests_left) == (None, 0)


# --- What may have been paid ------------------------------------------------------------------------------------------


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "paid"),
    [
        (TimeoutError(), True),
        (ConnectionResetError("reset by peer"), True),
        (ConnectionRefusedError("nobody there"), False),
        (caused(ConnectionError("lost"), OSError("while reading")), True),
        (caused(ConnectionError("not made"), ConnectionRefusedError()), False),
        (TimeoutError(), True),
    ],
)
def test_a_lost_call_may_have_been_paid_unless_it_never_left(error, paid):
    failed = failed_from(error, SERVER)
    assert (failed.kind, failed.paid) == ("transport", paid)


def test_an_error_that_is_no_failure_of_the_call_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        failed_from(ZeroDivisionError("a bug"), SERVER)
