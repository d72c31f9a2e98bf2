"""Why a request got no answer, and what the item and the run do about it.

| kind         | signs                                            | the item                | the run                      |
| ------------ | ------------------------------------------------ | ----------------------- | ---------------------------- |
| throttled    | 429 with limits or Retry-After, ramp limit       | waits; no attempt       | paces, shrinks its window    |
| overloaded   | 500, 502, 503, 504, 529                          | tries again, backing off | pauses growth               |
| transport    | reset, time-out, cut or foreign body at 200      | tries again; possibly paid |                           |
| out_of_money | quota, 402, spend limits                         | is kept                 | parks                        |
| not_allowed  | 401, 403, model 404, address 405                 | is kept                 | stops: nothing else would go |
| bad_request  | 400, 413, 422, 429 larger than a minute's limit  | fails, is not repeated  | stops if the first all fail  |

What a provider's filter stops is no failure: it is an answer without text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from judge.calls.pacing import Limits

FailureKind: TypeAlias = Literal["throttled", "overloaded", "transport", "out_of_money", "not_allowed", "bad_request"]
RETRIED: Final[frozenset[FailureKind]] = frozenset({"throttled", "overloaded", "transport"})
_MONEY_CODES: Final = frozenset(
    {
        "insufficient_quota",
        "insufficient_credits",
        "billing_not_active",
        "billing_hard_limit_reached",
        "billing_error",
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
    }
)
_MONEY_WORDS: Final = ("your credit balance", "you have reached your specified")  # the beginnings of messages without a code
_TOO_LARGE_WORDS: Final = "request too large"  # for the account's limit of tokens a minute: no waiting makes room for it
_TOO_LONG: Final = re.compile(r"max_(?:completion_|output_)?tokens|context length", re.IGNORECASE)
_DEEPEST: Final = 50
_FILTER_WORDS: Final = "output blocked by content filtering policy"  # Anthropic's, which has no code
_FILTER_KEYS: Final = frozenset({"flagged_input", "reasons"})  # in the metadata of OpenRouter's moderation
_FILTER_CODES: Final = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "responsibleaipolicyviolation",
        "invalid_prompt",
        "bio_policy",
        "misalignment_policy_violation",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One try without an answer.  `paid` says whether it may have cost something all the same."""

    kind: FailureKind
    text: str
    status: int | None = None
    retry_after_s: float | None = None
    request_id: str | None = None
    paid: bool = False
    limits: Limits = Limits()  # that came with it
    too_long: bool = False  # the length that was asked for, of question and answer together, was refused

    @property
    def said(self) -> str:
        """Give what was said, with the status if there was one."""
        return self.text if self.status is None else f"{self.text.rstrip('.')} (HTTP {self.status})"


class CallFailed(Exception):
    """Carries a failed try from a provider to the engine."""

    def __init__(self, failed: Failed) -> None:
        self.failed = failed
        super().__init__(failed.text)


def kind_of(status: int, body: str) -> FailureKind:
    """Class an HTTP answer that is none, by its status and the codes in its body.

    Of prose only the beginning of the message counts: the rest may repeat a text under judgement.
    """
    codes, message = codes_of(body)
    if status == 402 or codes & _MONEY_CODES or message.lower().startswith(_MONEY_WORDS):
        return "out_of_money"
    match status:
        case 408 | 409:
            return "transport"
        case 429 if message.lower().startswith(_TOO_LARGE_WORDS):
            return "bad_request"
        case 429:
            return "throttled"
        case 401 | 403 | 404 | 405:
            return "not_allowed"
        case _ if status >= 500:
            return "overloaded"
        case _:
            return "bad_request"


def kind_inside(body: str) -> FailureKind:
    """Class an error that came with status 200: the model broke off, or a server in between says what it met."""
    codes, _ = codes_of(body)
    if "rate_limit_exceeded" in codes:
        return kind_of(429, body)
    status = next((int(code) for code in codes if code.isdigit() and len(code) == 3), 500)
    return kind_of(status, body)


def is_filtered(body: str) -> bool:
    """Say whether an error's body tells that a provider's filter stopped the question or the answer."""
    codes, message = codes_of(body)
    if not codes.isdisjoint(_FILTER_CODES) or message.lower().startswith(_FILTER_WORDS):
        return True
    metadata = _error_in(body).get("metadata")
    return isinstance(metadata, dict) and not _FILTER_KEYS.isdisjoint(metadata)


def codes_of(body: str) -> tuple[frozenset[str], str]:
    """Take the codes and types, in lower case, and the message out of an error's body, whoever's form it has."""
    error = _error_in(body)
    return frozenset(_codes(error)), _message(error)


def _message(error: Any) -> str:
    """Find the words in an error, whichever key they stand under; lists hold one error for each field."""
    if isinstance(error, list):
        return "; ".join(filter(None, map(_message, error)))
    if not isinstance(error, dict):
        return str(error or "")
    found = (error.get(key) for key in ("message", "detail", "msg", "errors"))
    return next((text for text in map(_message, found) if text), "")


def is_too_long(body: str) -> bool:
    """Say whether an error's body tells that question and answer are longer than the model has room for."""
    error = _error_in(body)
    return any(_TOO_LONG.search(str(error.get(key))) for key in ("message", "param", "detail"))


def is_page(body: str) -> bool:
    """Say whether a body is a web page: whatever sent it is no provider."""
    return body.lstrip()[:1] == "<"


def _error_in(body: str) -> Mapping[str, Any]:
    """Take the error out of a body; one that has no form is its own message."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {"message": body}
    if _is_deep(content):
        return {"message": body}
    error = (content.get("error") or content) if isinstance(content, dict) else content
    return error if isinstance(error, dict) else {"message": error}


def _is_deep(content: Any) -> bool:
    """Say whether something is nested deeper than any error is."""
    level = [content]
    for _ in range(_DEEPEST):
        level = [part for one in level if isinstance(one, dict | list) for part in _parts(one)]
    return bool(level)


def _parts(one: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return one.values() if isinstance(one, dict) else one


def _codes(error: Mapping[str, Any]) -> Iterator[str]:
    for key, value in error.items():
        if isinstance(value, dict):
            yield from _codes(value)
        elif key in ("code", "type", "error_code", "error_type") and value is not None:
            yield str(value).lower()
