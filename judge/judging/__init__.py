"""Pair x Rubric x judges in, Verdict out.  Small, because calls is deep."""

from judge.judging.parse import LENIENT, PARSER, Parsed, asked, parse
from judge.judging.plan import MODELS, Ask, plan, recording_tag, request, route, tagged
from judge.judging.prompt import answer_schema, checklist_of, prompt
from judge.judging.resolve import complete, complete_verdicts, jury, preference_of_check, resolve, strata, verdicts

__all__ = [
    "LENIENT",
    "MODELS",
    "PARSER",
    "Ask",
    "Parsed",
    "answer_schema",
    "asked",
    "checklist_of",
    "complete",
    "complete_verdicts",
    "jury",
    "parse",
    "plan",
    "preference_of_check",
    "prompt",
    "recording_tag",
    "request",
    "resolve",
    "route",
    "strata",
    "tagged",
    "verdicts",
]
