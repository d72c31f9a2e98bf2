"""Pair x Rubric x judges in, Verdict out; or one output in, scores out.  Small, because calls is deep."""

from judge.judging.parse import LENIENT, PARSER, Parsed, asked, filled, parse, settles
from judge.judging.plan import Ask, asked_again, is_planned, order_again, plan, recording_tag, request, route, tagged
from judge.judging.prompt import answer_schema, prompt
from judge.judging.resolve import (
    Scope,
    complete,
    complete_verdicts,
    jury,
    preference_of_check,
    resolve,
    scope_of,
    strata,
    verdicts,
)
from judge.judging.scoring import ParsedScore, Scoring, graded, parse_scores, score_request, score_schema, span_of

__all__ = [
    "LENIENT",
    "PARSER",
    "Ask",
    "Parsed",
    "ParsedScore",
    "Scope",
    "Scoring",
    "answer_schema",
    "asked",
    "asked_again",
    "complete",
    "complete_verdicts",
    "filled",
    "graded",
    "is_planned",
    "jury",
    "order_again",
    "parse",
    "parse_scores",
    "plan",
    "preference_of_check",
    "prompt",
    "recording_tag",
    "request",
    "resolve",
    "route",
    "scope_of",
    "score_request",
    "score_schema",
    "settles",
    "span_of",
    "strata",
    "tagged",
    "verdicts",
]
