"""Request in, journalled Answer out.  Knows no pair and no rubric."""

from judge.calls.engine import Engine, Progress, Provider, Submitted
from judge.calls.providers.recorded import RecordedProvider
from judge.calls.request import Answer, Request

__all__ = ["Answer", "Engine", "Progress", "Provider", "RecordedProvider", "Request", "Submitted"]
