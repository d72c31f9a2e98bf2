"""Pair x Rubric x judges in, Verdict out; or one output in, scores out.  Small, because calls is deep."""

from judge.judging.checks import CHECKLIST, applies, checklist_of, is_checklist, is_own_check
from judge.judging.parse import LENIENT, PARSER, Parsed, asked, parse
from judge.judging.plan import MODELS, Ask, plan, recording_tag, request, route, tagged
from judge.judging.prompt import answer_schema, prompt
from judge.judging.resolve import (
    Habit,
    complete,
    complete_verdicts,
    habits_of,
    jury,
    preference_of_check,
    resolve,
    strata,
    verdicts,
)
from judge.judging.scoring import ParsedScore, Scoring, graded, parse_scores, score_request, score_schema, span_of

__all__ = [
    "CHECKLIST",
    "LENIENT",
    "MODELS",
    "PARSER",
    "Ask",
    "Habit",
    "Parsed",
    "ParsedScore",
    "Scoring",
    "answer_schema",
    "applies",
    "asked",
    "checklist_of",
    "complete",
    "complete_verdicts",
    "graded",
    "habits_of",
    "is_checklist",
    "is_own_check",
    "jury",
    "parse",
    "parse_scores",
    "plan",
    "preference_of_check",
    "prompt",
    "recording_tag",
    "request",
    "resolve",
    "route",
    "score_request",
    "score_schema",
    "span_of",
    "strata",
    "tagged",
    "verdicts",
]
