"""How fast a model is asked: rates learnt from headers, a window that follows use and throttling, shared pauses."""

from __future__ import annotations

import pytest

from judge.calls.pacing import LEAST, LONGEST_PAUSE_S, SHARE, START, Bucket, Limits, Pacer
from judge.calls.providers.http import limits

OPENAI = {
    "x-ratelimit-limit-requests": "6000",
    "x-ratelimit-remaining-requests": "5999",
    "x-ratelimit-reset-requests": "12ms",
    "x-ratelimit-limit-tokens": "2000000",
    "x-ratelimit-remaining-tokens": "1999000",
    "x-ratelimit-reset-tokens": "6m0s",
}
ANTHROPIC = {
    "anthropic-ratelimit-requests-limit": "6000",
    "anthropic-ratelimit-requests-remaining": "5999",
    "anthropic-ratelimit-requests-reset": "2026-11-23T12:00:00Z",
    "anthropic-ratelimit-input-tokens-limit": "2000000",
    "anthropic-ratelimit-input-tokens-remaining": "1999000",
    "anthropic-ratelimit-input-tokens-reset": "2026-11-23T12:00:01Z",
    "anthropic-ratelimit-output-tokens-limit": "400000",
}


@pytest.mark.parametrize(
    ("headers", "names"),
    [(OPENAI, ("x-ratelimit", "requests", "tokens")), (ANTHROPIC, ("anthropic-ratelimit", "requests", "input-tokens"))],
)
def test_a_pacer_learns_the_same_rate_from_the_headers_of_both_providers(headers, names):
    pacer = Pacer(most=64)
    pacer.answered(limits(headers, *names), 0.0)
    assert pacer.per_minute == pytest.approx(6000 * SHARE)
    assert pacer.tokens.rate == pytest.approx(2_000_000 / 60 * SHARE)


def test_headers_that_say_nothing_leave_it_unlimited():
    pacer = Pacer(most=64)
    pacer.answered(limits({}, "x-ratelimit", "requests", "tokens"), 0.0)
    pacer.answered(limits({"x-ratelimit-limit-requests": "a lot"}, "x-ratelimit", "requests", "tokens"), 0.0)
    assert pacer.per_minute is None
    assert pacer.wait(1e9, 0.0) == 0


# --- The window -------------------------------------------------------------------------------------------------------


def full(pacer):
    """Open as many calls as are allowed."""
    while pacer.wait(1, 0.0) == 0:
        pacer.start(1)
    return pacer


def answer(pacer, now=0.0):
    pacer.end()
    pacer.answered(Limits(), now)


def test_calls_wait_for_one_another_once_the_window_is_full():
    pacer = full(Pacer(most=64))
    assert (pacer.open, pacer.wait(1, 0.0)) == (START, None)
    assert full(Pacer(most=3)).open == 3


def test_a_window_that_is_used_doubles_with_every_window_of_answers_up_to_the_most():
    pacer = full(Pacer(most=64))
    for _ in range(START):
        answer(pacer)
        full(pacer)
    assert pacer.window == 2 * START
    for _ in range(200):
        full(pacer)
        answer(pacer)
    assert pacer.window == 64


def test_a_window_that_is_not_used_does_not_grow():
    pacer = Pacer(most=64)
    for _ in range(200):
        pacer.start(1)
        answer(pacer)
    assert pacer.window == START


def test_after_a_throttle_the_window_grows_by_one_for_every_window_of_answers():
    pacer = full(Pacer(most=64))
    pacer.throttle(None, Limits(), 0.0)
    before = pacer.window
    for _ in range(int(before)):
        answer(pacer, 5.0)
        pacer.start(1)
    assert before < pacer.window < before + 1.5


def test_many_throttles_within_a_second_cut_the_window_once():
    pacer = Pacer(most=64)
    for n in range(20):
        pacer.throttle(0.1, Limits(), n * 0.04)
    assert (pacer.window, pacer.throttles) == (pytest.approx(START * 0.8), 20)
    pacer.throttle(0.1, Limits(), 1.0)
    assert pacer.window == pytest.approx(START * 0.64)


def test_the_window_never_closes():
    pacer = Pacer(most=64)
    for n in range(100):
        pacer.throttle(0.1, Limits(), n * 2.0)
    assert pacer.window == LEAST
    alone = Pacer(most=1)
    alone.throttle(None, Limits(), 0.0)
    assert alone.window == 1


# --- Pauses -----------------------------------------------------------------------------------------------------------


def test_everybody_pauses_for_as_long_as_the_provider_says():
    pacer = Pacer(most=64)
    pacer.throttle(7.0, Limits(), 100.0)
    assert pacer.wait(1, 101.0) == pytest.approx(6.0)
    assert pacer.wait(1, 107.0) == 0


def test_a_shorter_pause_does_not_end_a_longer_one():
    pacer = Pacer(most=64)
    pacer.throttle(30.0, Limits(), 0.0)
    pacer.throttle(1.0, Limits(), 0.5)
    assert pacer.paused_until == 30.0


def test_a_throttle_without_a_word_pauses_for_a_second_and_no_pause_is_longer_than_the_longest():
    pacer = Pacer(most=64)
    pacer.throttle(None, Limits(), 0.0)
    assert pacer.paused_until == 1.0
    pacer.throttle(3600.0, Limits(), 0.0)
    assert pacer.paused_until == LONGEST_PAUSE_S


# --- Buckets ----------------------------------------------------------------------------------------------------------


def test_a_bucket_gives_a_second_of_burst_and_then_the_announced_rate():
    bucket = Bucket()
    bucket.learn(600, None, 0.0)
    taken, now = 0, 0.0
    while now < 10.0:
        wait = bucket.wait(1, now)
        now += max(wait, 1e-6)  # as a clock moves on
        if wait == 0:
            bucket.take(1)
            taken += 1
    assert taken <= 10 * SHARE * 11
    assert taken >= 10 * SHARE * 10


def test_what_others_used_of_the_same_key_counts():
    bucket = Bucket()
    bucket.learn(6000, 0.0, 0.0)
    assert bucket.wait(1, 0.0) > 0
    bucket.learn(6000, 5000.0, 0.5)  # what is left corrects downwards only; more comes back at the rate
    assert bucket.level <= 0.5 * 100


def test_one_call_larger_than_the_whole_bucket_waits_for_a_full_one_and_goes():
    bucket = Bucket()
    bucket.learn(60, 0.0, 0.0)
    wait = bucket.wait(1e6, 0.0)
    assert 0 < wait < 60
    assert bucket.wait(1e6, wait) == pytest.approx(0, abs=1e-9)
    bucket.take(1e6)
    assert bucket.wait(1, wait) > 1e5  # and those after it wait for what it took
