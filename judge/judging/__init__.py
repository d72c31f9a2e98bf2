"""Pair x Rubric x judges in, Verdict out.  Small, because calls is deep."""

from judge.judging.parse import PARSER, Parsed, asked, parse
from judge.judging.plan import Ask, plan, recording_tag, request, tagged
from judge.judging.prompt import answer_schema, checklist_of, prompt
from judge.judging.resolve import complete, complete_verdicts, jury, preference_of_check, resolve, strata, verdicts

__all__ = [
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
    "strata",
    "tagged",
    "verdicts",
]
