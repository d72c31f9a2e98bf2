"""Request in, journalled Answer out.  Knows no pair and no rubric."""

from judge.calls.budget import Budget
from judge.calls.engine import Engine, Submitted
from judge.calls.failures import CallFailed
from judge.calls.prices import Price, PriceList, prices
from judge.calls.providers import models_of, provider_for, server_for
from judge.calls.providers.base import ListedModel, Provider
from judge.calls.providers.recorded import RecordedProvider
from judge.calls.providers.server import Server, holds, on_this_machine
from judge.calls.request import Answer, Request, Usage
from judge.calls.settings import Settings

__all__ = [
    "Answer",
    "Budget",
    "CallFailed",
    "Engine",
    "ListedModel",
    "Price",
    "PriceList",
    "Provider",
    "RecordedProvider",
    "Request",
    "Server",
    "Settings",
    "Submitted",
    "Usage",
    "holds",
    "models_of",
    "on_this_machine",
    "prices",
    "provider_for",
    "server_for",
]
