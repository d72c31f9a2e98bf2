"""Why a try gave no answer: classes by status and words, times in every form, and what may have been paid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from judge.calls.failures import RETRIED, kind_of
from judge.calls.providers.http import failed_from, limits, retry_after, seconds


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, "Rate limit reached for requests", "throttled"),
        (429, '{"type": "rate_limit_error", "details": {"error_code": "ramp_limit_exceeded"}}', "throttled"),
        (429, "Resource unavailable: flex", "throttled"),
        (429, '{"code": "insufficient_quota"}', "out_of_money"),
        (429, '{"details": {"error_code": "enforced_spend_limit_reached"}}', "out_of_money"),
        (429, '{"details": {"error_code": "contract_spend_limit_reached"}}', "out_of_money"),
        (400, "You have reached your specified API usage limits. You will regain access on 2026-12-01.", "out_of_money"),
        (400, "Your credit balance is too low to access the API.", "out_of_money"),
        (402, "", "out_of_money"),
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


def test_only_what_may_go_well_later_is_tried_again():
    assert {"throttled", "overloaded", "transport"} == RETRIED


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("6m0s", 360.0),
        ("12ms", 0.012),
        ("1s", 1.0),
        ("1h2m3.5s", 3723.5),
        ("1.5s", 1.5),
        ("", None),
        ("soon", None),
        ("5", None),
        ("6m0sx", None),
        ("2026-13-45T00:00:00Z", None),
        ("2001-01-01T00:00:00Z", 0.0),
        ("2001-01-01T00:00:00", None),  # whose time?
    ],
)
def test_spans_and_moments_are_read_and_nothing_else_is(text, found):
    assert seconds(text) == (None if found is None else pytest.approx(found))


def test_a_moment_to_come_is_so_many_seconds_away():
    moment = (datetime.now(UTC) + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert 28 < (seconds(moment) or 0) <= 30


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after": "later"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_a_provider_asks_for_is_read(headers, wait):
    assert retry_after(headers) == wait


def test_limits_are_read_with_what_is_left_and_when_it_comes_back():
    headers = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "1s"}
    found = limits(headers, "x-ratelimit", "requests", "tokens")
    assert (found.requests, found.requests_left, found.requests_reset_s, found.tokens) == (60, 59, 1, None)


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
    failed = failed_from(error)
    assert (failed.kind, failed.paid) == ("transport", paid)


def test_an_error_that_is_no_failure_of_the_call_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        failed_from(ZeroDivisionError("a bug"))
