"""Why a request got no answer, and what the item and the run do about it.

| kind         | signs                                            | the item                | the run                      |
| ------------ | ------------------------------------------------ | ----------------------- | ---------------------------- |
| throttled    | 429 with limits or Retry-After, ramp limit       | waits; no attempt       | paces, shrinks its window    |
| overloaded   | 500, 502, 503, 504, 529                          | tries again, backing off | pauses growth               |
| transport    | reset, time-out, cut or foreign body at 200      | tries again; possibly paid |                           |
| out_of_money | quota, 402, spend limits                         | is kept                 | parks                        |
| not_allowed  | 401, 403, model 404                              | is kept                 | stops: nothing else would go |
| bad_request  | 400, 413, 422 naming what is wrong               | fails, is not repeated  | stops if the first all fail  |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from judge.calls.pacing import Limits

FailureKind: TypeAlias = Literal["throttled", "overloaded", "transport", "out_of_money", "not_allowed", "bad_request"]
RETRIED: Final[frozenset[FailureKind]] = frozenset({"throttled", "overloaded", "transport"})
_MONEY_CODES: Final = (
    "insufficient_quota",
    "billing_hard_limit_reached",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "spend_limit",
    "credit balance",
    "usage limits",
    "billing_error",
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


class CallFailed(Exception):
    """Carries a failed try from a provider to the engine."""

    def __init__(self, failed: Failed) -> None:
        self.failed = failed
        super().__init__(failed.text)


def kind_of(status: int, body: str) -> FailureKind:
    """Class an HTTP answer that is none, by its status and the codes in its body."""
    text = body.lower()
    if status == 402 or any(code in text for code in _MONEY_CODES):
        return "out_of_money"
    match status:
        case 408 | 409:
            return "transport"
        case 429:
            return "throttled"
        case 401 | 403 | 404:
            return "not_allowed"
        case _ if status >= 500:
            return "overloaded"
        case _:
            return "bad_request"
