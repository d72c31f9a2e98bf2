"""Example x Arm in, Output out: by an engine in a child process, or by a server through the journal."""

from judge.generate.adapters import check_adapter
from judge.generate.child import EngineProcess
from judge.generate.exchange import About, Ask, Row, Sample
from judge.generate.hygiene import CODES, hygiene
from judge.generate.prompting import conversation
from judge.generate.served import model_of, output, request

__all__ = [
    "CODES",
    "About",
    "Ask",
    "EngineProcess",
    "Row",
    "Sample",
    "check_adapter",
    "conversation",
    "hygiene",
    "model_of",
    "output",
    "request",
]
