"""The JSON Schema of a rubric, for editors; it accepts what the reader accepts and nothing else."""

from __future__ import annotations

from typing import Any

from judge.rubric.lint import MOST_CRITERIA
from judge.rubric.read import CRITERION_ID, LEVEL, NAME, RESERVED

_FILLED = r"\S"


def schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a rubric file.  Optional keys may be null, as in the reader."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A rubric of blind-judge",
        "type": "object",
        "additionalProperties": False,
        "required": ["rubric", "task", "overall"],
        "properties": {
            "rubric": {"type": "string", "pattern": NAME, "description": "The rubric's name."},
            "task": _text("What was asked and what a good answer must achieve, for judges and people."),
            "overall": _text("The question that decides: which of two answers is preferred, by whom, for what."),
            "criteria": {
                "type": ["object", "null"],
                "minProperties": 1,
                "propertyNames": {"pattern": CRITERION_ID, "not": {"enum": list(RESERVED)}},
                "additionalProperties": _criterion(),
                "description": f"Further questions by id; at most {MOST_CRITERIA} are advisable.",
            },
            "people": _maybe_text("What only people are told before they begin."),
            "reference": {
                "enum": ["show", "hide", None],
                "description": "Whether judges and people see the reference; show by default.",
            },
            "judge_first": _maybe_flag("The judge drafts its own answer before it judges."),
            "per_example": {
                "enum": ["checklist", None],
                "description": "Further checks come from meta.checklist of each example.",
            },
        },
    }


def _criterion() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["question"],
        "properties": {
            "question": _text("What is asked about the answers."),
            "check": _maybe_flag("Passed or failed by each side, instead of a preference."),
            "levels": {
                "type": ["object", "null"],
                "minProperties": 2,
                "propertyNames": {"pattern": LEVEL},
                "additionalProperties": _text("What an answer of this level looks like."),
                "description": "Anchors for `judge score`: integer to description.",
            },
        },
        "if": {"required": ["check"], "properties": {"check": {"const": True}}},
        "then": {"properties": {"levels": {"type": "null"}}},
    }


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "pattern": _FILLED, "description": description}


def _maybe_text(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "pattern": _FILLED, "description": description}


def _maybe_flag(description: str) -> dict[str, Any]:
    return {"type": ["boolean", "null"], "description": description}
